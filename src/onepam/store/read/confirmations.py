"""What a terminal waits for."""

from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT

MOST_WAITING = 20


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A confirmation as its page shows it. `status` is asked, given, failed or used."""

    confirmation: str
    person: str
    resource: str
    login: str
    source: str
    expires: Instant
    status: str


def confirmation(db: Snapshot, at: Instant, confirmation: str) -> Confirmation | None:
    """One confirmation, or None."""
    found = row(
        db,
        f"SELECT * FROM confirmation WHERE confirmation = :confirmation AND {AT}",
        {"confirmation": confirmation, "at": at},
    )
    return None if found is None else _confirmation(found)


def waiting_confirmations(db: Snapshot, at: Instant, person: str) -> list[Confirmation]:
    """What terminals ask this person to confirm at `at`, those that lapse last first, at most `MOST_WAITING`."""
    found = rows(
        db,
        f"SELECT * FROM confirmation WHERE person = :person AND status = 'asked' AND expires > :at AND {AT} "
        "ORDER BY expires DESC, confirmation LIMIT :most",
        {"person": person, "at": at, "most": MOST_WAITING},
    )
    return [_confirmation(each) for each in found]


def _confirmation(found: Row) -> Confirmation:
    return Confirmation(
        found["confirmation"],
        found["person"],
        found["resource"],
        found["login"],
        found["source"] or "",
        found["expires"],
        found["status"],
    )
