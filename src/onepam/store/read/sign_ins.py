"""Sign-in sessions in force."""

from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.kernel.clock import Instant
from onepam.store.db import rows
from onepam.store.engine.tables import AT


@dataclass(frozen=True, slots=True)
class SignInRow:
    """A session of the console or the command line."""

    session: str
    agent: str
    source: str
    opened: Instant
    expires: Instant


def cli_sessions(db: Snapshot, at: Instant, person: str) -> list[SignInRow]:
    """The person's sessions of the command line, newest first."""
    found = rows(
        db,
        "SELECT * FROM sign_in WHERE person = :person AND kind = 'cli' AND expires > :at "
        f"AND {AT} ORDER BY opened DESC",
        {"person": person, "at": at},
    )
    return [
        SignInRow(each["session"], each["agent"] or "", each["source"] or "", each["opened"], each["expires"])
        for each in found
    ]
