"""Choosing how oneself is told by e-mail, and when."""

from dataclasses import dataclass
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor, ActorFacts
from onepam.domain.telling.choosing import NoticesChosen, choose
from onepam.kernel.errors import Refused

LONGEST_ZONE = 64


@dataclass(frozen=True, slots=True)
class ChooserQuery:
    """Whoever chooses."""

    facts: ClassVar[type[ActorFacts]] = ActorFacts
    actor: Actor


async def choose_notices(ledger: Ledger, actor: Actor, chosen: NoticesChosen) -> Refused | None:
    """None when it holds from now on. Codes: `notices.` + `zone`, `form`, `days`, `firm`, `urgent`, `quiet`."""
    if not _is_zone(chosen.zone):
        return Refused("notices.zone", "There is no such time zone.", "Write it as Europe/Berlin.")
    outcome = await ledger.commit(ChooserQuery(actor), lambda facts, now: choose(facts, chosen, now))
    return outcome if isinstance(outcome, Refused) else None


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name if len(name) <= LONGEST_ZONE else "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
