"""My notices: of what one is told by e-mail at once, in the digest, or not, and when it is quiet."""

import re
from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from starlette.responses import Response

from onepam.app.ports import Snapshot
from onepam.app.telling.choose_notices import choose_notices
from onepam.console.frame.page import Context
from onepam.console.frame.places import DECIDES, MEMBER, Place, Shown
from onepam.console.frame.visit import Visit
from onepam.console.history.own_notices_page import OwnNoticesPage
from onepam.domain.access.model import ConsoleRight
from onepam.domain.telling.audience import TO_PEOPLE, Audience
from onepam.domain.telling.choosing import Choice, NoticesChosen
from onepam.domain.telling.freedom import Freedom
from onepam.domain.telling.notices import TABLE
from onepam.domain.telling.outbox import MAIL
from onepam.domain.telling.row import Row
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.store.read.outbox import is_told, mail_address
from onepam.store.read.telling import choice, zone_of

AT_ONCE, DIGEST, NEVER = "at_once", "digest", "never"
_WORDS = {AT_ONCE: "At once", DIGEST: "In the digest", NEVER: "Not at all"}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::00)?")
_MOST_DAYS = 7

BEGINNING = Choice(zone_of("UTC"), (1, 2, 3, 4, 5), 8 * 60, 0, 0, frozenset(), frozenset())
"""How whoever never chose is told: everything at once."""


async def own_notices_page(visit: Visit) -> Response:
    """What holds for whoever looks."""
    return visit.page(await _page(visit))


async def choose(visit: Visit) -> Response:
    """Takes the form, whole."""
    chosen = _chosen(visit)
    if not isinstance(chosen, Refused):
        refused = await choose_notices(visit.services.ledger, visit.me.actor, chosen)
    else:
        refused = chosen
    return visit.outcome(refused, "/my-notices", "Saved. It holds from now on.")


@dataclass(frozen=True, slots=True)
class _Known:
    address: str
    mailed: bool
    chosen: Choice


def _known(db: Snapshot, at: Instant, person: str) -> _Known:
    return _Known(mail_address(db, at, person), is_told(db, at, MAIL), choice(db, at, person) or BEGINNING)


async def _page(visit: Visit) -> OwnNoticesPage:
    known = await visit.services.reader(_known, visit.at, visit.me.actor.person)
    chosen = known.chosen
    quiet = chosen.quiet_from != chosen.quiet_until
    return OwnNoticesPage(
        address=known.address,
        mailed=known.mailed,
        groups=_groups(chosen, decides=any(map(visit.me.has, DECIDES.rights))),
        alarms=[_row(each, chosen) for each in TABLE if each.alarm] if visit.me.has(ConsoleRight.ADMINISTER) else [],
        zone=str(chosen.zone),
        digest_at=_typed(chosen.digest_at),
        quiet_from=_typed(chosen.quiet_from) if quiet else "",
        quiet_until=_typed(chosen.quiet_until) if quiet else "",
        days=[
            {"number": number, "word": word, "chosen": number in chosen.days} for number, word in enumerate(_DAYS, 1)
        ],
        zones=_zones(),
    )


def _groups(chosen: Choice, *, decides: bool) -> list[Context]:
    """What comes to whoever reads: what waits for those who decide to them alone."""
    groups = {"What waits for you": Audience.DECIDERS} if decides else {}
    groups |= {"What you asked for": Audience.REQUESTER, "What concerns you": Audience.PERSON}
    return [
        {"says": says, "rows": [_row(each, chosen) for each in TABLE if whose in each.audience and not each.alarm]}
        for says, whose in groups.items()
    ]


def _row(row: Row, chosen: Choice) -> Context:
    ways = [AT_ONCE]
    ways += [DIGEST] if Freedom.DIGEST in row.freedom else []
    ways += [NEVER] if Freedom.OFF in row.freedom else []
    how = DIGEST if row.kind in chosen.in_digest else NEVER if row.kind in chosen.untold else AT_ONCE
    says = row.says if row.alarm else row.says.replace("of the person", "of yours").replace("the person", "you")
    return {
        "kind": row.kind,
        "says": says[0].upper() + says[1:],
        "how": how if how in ways else AT_ONCE,
        "ways": [{"how": each, "word": _WORDS[each]} for each in ways],
    }


def _chosen(visit: Visit) -> NoticesChosen | Refused:
    """What the form says. Kinds that it does not name are told of at once."""
    times = {name: _minute(visit.form.get(name, "")) for name in ("digest_at", "quiet_from", "quiet_until")}
    quiet = bool(visit.form.get("quiet_from") or visit.form.get("quiet_until"))
    if times["digest_at"] is None or (quiet and None in times.values()):
        return Refused("notices.form", "A time is missing, or is none.", "Write times as 08:00, quiet hours as two.")
    theirs = [row.kind for row in TABLE if TO_PEOPLE & row.audience]
    how = {kind: visit.form.get(f"how-{kind}", AT_ONCE) for kind in theirs}
    return NoticesChosen(
        person=visit.me.actor.person,
        zone=visit.form.get("zone", "").strip(),
        days=tuple(number for number in range(1, _MOST_DAYS + 1) if visit.form.get(f"day-{number}")),
        digest_at=times["digest_at"],
        quiet_from=times["quiet_from"] or 0,
        quiet_until=times["quiet_until"] or 0,
        in_digest=tuple(sorted(kind for kind in theirs if how[kind] == DIGEST)),
        untold=tuple(sorted(kind for kind in theirs if how[kind] == NEVER)),
        by=visit.me.actor.person,
    )


def _minute(text: str) -> int | None:
    found = _TIME.fullmatch(text.strip())
    return int(found[1]) * 60 + int(found[2]) if found else None


def _typed(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@cache
def _zones() -> list[str]:
    """Cities, and what is the same everywhere."""
    return sorted(each for each in available_timezones() if each == "UTC" or (each[:1].isupper() and "/" in each))


PLACES = (
    Place("GET", "/my-notices", MEMBER, own_notices_page, Shown("My notices", "settings", "Me")),
    Place("POST", "/my-notices", MEMBER, choose),
)
