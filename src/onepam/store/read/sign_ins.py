"""Sign-in sessions in force."""

from dataclasses import dataclass

from onepam.kernel.clock import Instant
from onepam.store.database import Db, rows
from onepam.store.tables import AT


@dataclass(frozen=True, slots=True)
class SignInRow:
    """A session of the console or the command line."""

    session: str
    agent: str
    source: str
    opened: Instant
    expires: Instant


def cli_sessions(db: Db, at: Instant, person: str) -> list[SignInRow]:
    """The person's sessions of the command line, newest first."""
    found = rows(
        db,
        f"SELECT * FROM sign_in WHERE person = :person AND kind = 'cli' AND expires > :at AND {AT} ORDER BY opened DESC",
        {"person": person, "at": at},
    )
    return [
        SignInRow(each["session"], each["agent"] or "", each["source"] or "", each["opened"], each["expires"])
        for each in found
    ]
