"""MySQL's client: its number, and how it hears a last word."""

from collections.abc import Callable
from typing import Final

from onepam.protocols.mysql import wire
from onepam.protocols.sql import person

_NUMBERS: Final = {"28000": 1045, "08P01": 1043, "08006": 1105, "57P01": 1927}
"""The numbers that go with our codes (MySQL, "Server Error Message Reference"; 1927 is MariaDB's for a connection that
was killed)."""

_SQLSTATES: Final = {"08P01": "08S01", "57P01": "70100"}
"""What MySQL says instead of a code of PostgreSQL's own."""


class PersonLeg(person.PersonLeg):
    """A client's connection. `thread` is the number that it was given; `sequence` says that of the packet that it
    expects next."""

    def __init__(self, console_url: str) -> None:
        super().__init__(console_url)
        self.thread = 0
        self.sequence: Callable[[], int] = lambda: 0

    def fatal(self, sqlstate: str, words: str, hint: str = "") -> bytes:
        number, said = _NUMBERS.get(sqlstate, 1105), _SQLSTATES.get(sqlstate, sqlstate)
        return wire.error(self.sequence(), number, said, f"{words} {hint}".rstrip())
