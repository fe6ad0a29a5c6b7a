"""PostgreSQL's client: the version that it speaks, and how it hears a last word."""

from onepam.protocols.postgres import wire
from onepam.protocols.sql import person


class PersonLeg(person.PersonLeg):
    """A client's connection. `minor` is the version 3.x that it speaks."""

    def __init__(self, console_url: str) -> None:
        super().__init__(console_url)
        self.minor = 0
        self.is_psql = False

    def fatal(self, sqlstate: str, words: str, hint: str = "") -> bytes:
        return wire.error(sqlstate, words, hint, severity="FATAL")
