"""The client's leg: what it said when it came, and how it hears a last word."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable

from onepam.domain.sessions.ends import SessionEnd
from onepam.kernel.errors import Refused
from onepam.protocols.sql.tls import Leg

ENDED = "57P01"
"""SQLSTATE admin_shutdown: what a server says that ends a connection by order."""


class PersonLeg(Leg):
    """A client's connection. `greeted`: whether it heard that it is in; `midway` says whether it was sent a part of a
    message, so that no word of ours can follow."""

    def __init__(self, console_url: str) -> None:
        super().__init__(SessionEnd.CLIENT_LEFT)
        self.source = ""
        self.greeted = False
        self.midway: Callable[[], bool] = lambda: False
        self._console_url = console_url

    @abstractmethod
    def fatal(self, sqlstate: str, words: str, hint: str = "") -> bytes:
        """An error of ours, in the protocol's form, after which the connection ends."""

    def let_in(self) -> bytes:
        """It is a session's from now on; what it has sent already."""
        return b""

    def part(self, words: str) -> asyncio.Event:
        """As `ClientLeg.part`."""
        return self.part_with(b"" if self.midway() else self.fatal(ENDED, f"{words}."))

    def follow(self, why: SessionEnd) -> None:
        """The target has gone, and so does the client, once it has what was sent."""
        self.left = why
        self.send(b"" if self.midway() else self.fatal(ENDED, f"{why.told}."))
        self.close()

    def refuse(self, sqlstate: str, refused: Refused) -> asyncio.Event:
        """Says why not, and what to do; then it is over."""
        words = refused.message if refused.message.endswith(".") else f"{refused.message}."
        said = b"" if self.midway() else self.fatal(sqlstate, words, refused.hint_at(self._console_url))
        return self.part_with(said)
