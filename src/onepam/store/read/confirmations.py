"""What a terminal waits for."""

from dataclasses import dataclass

from onepam.kernel.clock import Instant
from onepam.store.database import Db, row
from onepam.store.tables import AT


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A confirmation as its page shows it. `status` is asked, given, failed or used."""

    person: str
    resource: str
    login: str
    source: str
    expires: Instant
    status: str


def confirmation(db: Db, at: Instant, confirmation: str) -> Confirmation | None:
    """One confirmation, or None."""
    found = row(
        db,
        f"SELECT * FROM confirmation WHERE confirmation = :confirmation AND {AT}",
        {"confirmation": confirmation, "at": at},
    )
    if found is None:
        return None
    return Confirmation(
        found["person"], found["resource"], found["login"], found["source"] or "", found["expires"], found["status"]
    )
