"""One person's word on an item of a review: keep it, remove it, or somebody else's."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.reviews import deciding
from onepam.domain.reviews.events import Verdict
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

MOST_AT_ONCE = 100
"""Items that one command keeps: as many as a page shows."""


@dataclass(frozen=True, slots=True)
class ItemQuery:
    """Who acts, the item, and whom it is to be passed on to ("": to nobody in particular)."""

    facts: ClassVar[type[deciding.ItemFacts]] = deciding.ItemFacts
    actor: Actor
    review: str
    person: str
    role: str
    to: str = ""


async def decide_item(
    ledger: Ledger,
    actor: Actor,
    review: str,
    person: str,
    role: str,
    verdict: Verdict,
    note: str = "",
    until: Instant | None = None,
) -> Refused | None:
    """None when it is decided. What is removed gives nothing from then on, and sessions under it end; what is kept
    `until` a time, from then on."""
    outcome = await ledger.commit(
        ItemQuery(actor, review, person, role),
        lambda facts, now: deciding.decide_item(facts, person, role, verdict, note, now, until),
    )
    return outcome if isinstance(outcome, Refused) else outcome.result


@dataclass(frozen=True, slots=True)
class UsualQuery:
    """Who acts, and items of a review, each a person and a role."""

    facts: ClassVar[type[deciding.UsualFacts]] = deciding.UsualFacts
    actor: Actor
    review: str
    items: tuple[tuple[str, str], ...]


async def keep_usual(ledger: Ledger, actor: Actor, review: str, items: tuple[tuple[str, str], ...]) -> int | Refused:
    """How many of these were kept: those about which nothing is unusual."""
    if len(items) > MOST_AT_ONCE:
        return Refused("review.many_items", f"At most {MOST_AT_ONCE} are kept together.")
    outcome = await ledger.commit(UsualQuery(actor, review, items), deciding.keep_usual)
    return outcome if isinstance(outcome, Refused) else outcome.result


async def pass_on(
    ledger: Ledger, actor: Actor, review: str, person: str, role: str, to: str | None, note: str = ""
) -> str | Refused:
    """Who decides on it now; `to` None: whoever is next."""
    outcome = await ledger.commit(
        ItemQuery(actor, review, person, role, to or ""),
        lambda facts, now: deciding.pass_on(facts, person, role, to, note, now),
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
