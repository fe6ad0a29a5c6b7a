"""The conversation that reads a directory, without a socket: what to send, and what came of what was received.

The answer is whole or there is none: a referral, a limit of the server's or a page too many refuse it all, for whoever
is missing from a staff roster loses their access.
"""

from dataclasses import dataclass
from typing import final

from onepam.domain.roster.directory import DirectoryEntry
from onepam.egress.ldap import messages
from onepam.egress.ldap.ber import Frames, Malformed
from onepam.egress.ldap.messages import Message, Result
from onepam.kernel.errors import Refused

PAGE = 500
MAX_PAGES = 10_000
MAX_BYTES = 64 * 1024 * 1024
MAX_COOKIE_BYTES = 64 * 1024

_BIND, _FIRST_SEARCH = 1, 2
_WORDS = {
    3: "its time for a search ran out",
    4: "its limit of entries was reached",
    8: "it demands stronger authentication",
    11: "a limit that its administrator set was reached",
    12: "it cannot page its results (RFC 2696)",
    13: "it demands encryption",
    32: "the base does not exist, or may not be seen by this account",
    34: "the base or the account is not a distinguished name",
    48: "this kind of authentication is not allowed",
    49: "account or password is wrong",
    50: "the account has no right to it",
    51: "it is busy",
    52: "it is unavailable",
    53: "it is unwilling to do this",
}
_REFERRAL = 10
_INCOMPLETE = {3, 4, 11}


class Stopped(Exception):
    """The directory cannot be read; carries why, in words."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.message)
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Search:
    """What is read: a filter in BER below `base`. `bind_dn` and `password` are empty for an anonymous bind."""

    base: str
    condition: bytes
    attributes: tuple[str, ...]
    bind_dn: str
    password: str
    most: int


@final
class StartTls:
    """Asks the server to go on with TLS. What it sends beyond its answer would be unencrypted words taken for
    encrypted ones, and ends the conversation."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._frames = Frames()
        self.done = False

    def begin(self) -> bytes:
        """The first thing to send."""
        return messages.start_tls(_BIND)

    def receive(self, data: bytes) -> None:
        """Takes what came. Raises `Stopped`."""
        for found in _read(self._host, self._frames, data):
            if self.done or found.number != _BIND or found.tag != messages.EXTENDED_ANSWER:
                raise _protocol(self._host)
            ended = _result(self._host, found)
            if ended.code != 0:
                raise Stopped(
                    Refused(
                        "directory.tls",
                        f"{self._host} refuses to go on encrypted{_said(ended)}.",
                        "Switch StartTLS on there, or use ldaps://.",
                    )
                )
            self.done = True
        if self.done and not self._frames.empty:
            raise _protocol(self._host)


@final
class Pull:
    """Binds, then reads page after page. When `done`, `entries` are all that were found."""

    def __init__(self, host: str, wanted: Search) -> None:
        self._host = host
        self._wanted = wanted
        self._attributes = frozenset(each.lower() for each in wanted.attributes)
        self._frames = Frames()
        self._received = 0
        self._number = _BIND
        self.entries: list[DirectoryEntry] = []
        self.done = False

    def begin(self) -> bytes:
        """The first thing to send."""
        return messages.bind(_BIND, self._wanted.bind_dn, self._wanted.password)

    def end(self) -> bytes:
        """The last thing to send."""
        return messages.unbind(self._number + 1)

    def receive(self, data: bytes) -> bytes:
        """Takes what came; answers what to send. Raises `Stopped`."""
        self._received += len(data)
        if self._received > MAX_BYTES:
            raise _too_large(self._host, f"more than {MAX_BYTES // 1024 // 1024} MiB")
        sent = b""
        for found in _read(self._host, self._frames, data):
            if self.done or found.number != self._number:
                raise _protocol(self._host)
            sent += self._bound(found) if self._number == _BIND else self._found(found)
        return sent

    def _bound(self, found: Message) -> bytes:
        if found.tag != messages.BIND_ANSWER:
            raise _protocol(self._host)
        ended = _result(self._host, found)
        if ended.code != 0:
            raise Stopped(
                Refused(
                    "directory.bind",
                    f"{self._host} does not let the account in{_said(ended)}.",
                    "Check the account's distinguished name and its password.",
                )
            )
        return self._ask(b"")

    def _found(self, found: Message) -> bytes:
        if found.tag == messages.ENTRY:
            if len(self.entries) == self._wanted.most:
                raise _too_large(self._host, f"more than {self._wanted.most:,} entries")
            try:
                self.entries.append(DirectoryEntry(*messages.entry(found, self._attributes)))
            except Malformed:
                raise _protocol(self._host) from None
            return b""
        if found.tag == messages.REFERENCE:
            raise _elsewhere(self._host)
        if found.tag != messages.DONE:
            raise _protocol(self._host)
        return self._page_ended(found)

    def _page_ended(self, found: Message) -> bytes:
        ended = _result(self._host, found)
        if ended.code == _REFERRAL:
            raise _elsewhere(self._host)
        if ended.code in _INCOMPLETE:
            raise Stopped(
                Refused(
                    "directory.incomplete",
                    f"{self._host} sent a part of the entries only{_said(ended)}.",
                    "Lift its limits for this account (OpenLDAP: size.prtotal=unlimited), or narrow the filter.",
                )
            )
        if ended.code != 0:
            raise Stopped(Refused("directory.search", f"{self._host} refuses the search{_said(ended)}."))
        try:
            cookie = messages.next_page(found)
        except Malformed:
            raise _protocol(self._host) from None
        if cookie:
            return self._ask(cookie)
        self.done = True
        return b""

    def _ask(self, cookie: bytes) -> bytes:
        if len(cookie) > MAX_COOKIE_BYTES or self._number - _FIRST_SEARCH >= MAX_PAGES:
            raise _too_large(self._host, "more pages than are read")
        self._number += 1
        wanted = self._wanted
        return messages.search(self._number, wanted.base, wanted.condition, wanted.attributes, PAGE, cookie)


def _read(host: str, frames: Frames, data: bytes) -> list[Message]:
    try:
        found = [messages.message(each) for each in frames.feed(data)]
    except Malformed:
        raise _protocol(host) from None
    if any(each.number == 0 for each in found):  # the notice of disconnection, RFC 4511 section 4.4.1
        raise Stopped(Refused("directory.down", f"{host} ended the conversation.", "Try again."))
    return found


def _result(host: str, found: Message) -> Result:
    try:
        return messages.result(found)
    except Malformed:
        raise _protocol(host) from None


def _said(ended: Result) -> str:
    words = _WORDS.get(ended.code, f"code {ended.code}")
    return f": {words}" + (f' ("{ended.said}")' if ended.said else "")


def _protocol(host: str) -> Stopped:
    return Stopped(Refused("directory.protocol", f"{host} does not answer as LDAP demands."))


def _too_large(host: str, what: str) -> Stopped:
    return Stopped(Refused("directory.too_large", f"{host} answers with {what}.", "Narrow the base or the filter."))


def _elsewhere(host: str) -> Stopped:
    return Stopped(
        Refused(
            "directory.referral",
            f"{host} refers to another server for a part of the entries; referrals are not followed.",
            "Choose a base that this server holds whole, such as an organizational unit.",
        )
    )
