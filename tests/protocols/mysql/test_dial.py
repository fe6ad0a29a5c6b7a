"""What a server of MySQL's says until it is ready, told by one of ours: what follows is the session's, to the byte."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from struct import pack

import pytest

from onepam.domain.sessions.ends import SessionEnd
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.mysql import dial as dialling
from onepam.protocols.mysql.dial import TargetLeg, Who, dial
from onepam.protocols.mysql.startup import NOBODY
from onepam.protocols.sql.target import Where
from onepam.protocols.sql.tls import Leg, Pins, server_context
from tests.protocols.mysql import messages as my
from tests.protocols.postgres.server import PASSWORD, pair

pytestmark = pytest.mark.anyio

SECONDS = 60.0
SHOWN = pair("localhost")
GREETING = my.packet(
    0,
    b"\x0a5.5.5\0"
    + pack("<I8sBHBHH", 1, b"12345678", 0, 0x8A0A, 45, 2, 0xF)
    + b"\x15"
    + b"\0" * 10
    + b"123456789012\0mysql_native_password\0",
)
LAST = my.packet(0, b"\xff" + pack("<H", 1053) + b"#08S01the server goes down")


class Serving(Leg):
    """A server's leg, which says its parts once it has our answer to its greeting."""

    def __init__(self, parts: tuple[bytes, ...]) -> None:
        super().__init__(SessionEnd.TARGET_LOST)
        self._parts, self._got = parts, b""
        self.heard = self._asked

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.send(GREETING)

    def _asked(self, data: bytes) -> None:
        """A request for TLS (36 bytes), and what comes behind it at once."""
        self._got += data
        if len(self._got) >= 36:
            rest, self._got, self.heard = self._got[36:], b"", self._answered
            self.secure(server_context(SHOWN.certificate, SHOWN.key), lambda fault: None, server=True, first=rest)

    def _answered(self, data: bytes) -> None:
        self._got += data
        if len(self._got) >= 4 + int.from_bytes(self._got[:3], "little"):
            for each in self._parts:
                self.send(each)
            self.heard = lambda data: None


@asynccontextmanager
async def saying(*parts: bytes) -> AsyncIterator[int]:
    """The port of a server that says these, each in a record of its own."""
    loop, legs = asyncio.get_running_loop(), list[Serving]()

    def accepted() -> Serving:
        legs.append(Serving(parts))
        return legs[-1]

    async with await loop.create_server(accepted, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]
        for each in legs:
            each.cut()


async def dialled(port: int) -> TargetLeg | Refused:
    where = Where("127.0.0.1", port, "localhost", Pins.of((SHOWN.pin,)))
    return await dial(where, Who("app", NOBODY, Secret(PASSWORD.encode())), SECONDS)


async def heard(leg: TargetLeg, size: int) -> bytes:
    """So many bytes that came, before and after it was ready, as a relay takes them."""
    found, done = bytearray(leg.early), asyncio.Event()

    def take(data: bytes) -> None:
        found.extend(data)
        if len(found) >= size:
            done.set()

    leg.heard = take
    take(b"")
    leg.hold(False)
    async with asyncio.timeout(SECONDS):
        await done.wait()
    leg.cut()
    await leg.wait_closed()
    return bytes(found)


@pytest.mark.parametrize("cut", [0, 1, 5, len(my.ok(2)), len(my.ok(2)) + 3, len(my.ok(2) + LAST)])
async def test_what_comes_with_the_ok_is_the_sessions(cut: int) -> None:
    """Whole packets and parts of them, in one piece or several."""
    said = my.ok(2) + LAST + LAST[:7]
    async with saying(said[:cut], said[cut:]) as port:
        leg = await dialled(port)
        assert isinstance(leg, TargetLeg)
        assert await heard(leg, len(LAST) + 7) == LAST + LAST[:7]


async def test_what_a_server_says_behind_its_greeting_in_the_clear_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stands between could say that we are in."""
    monkeypatch.setattr(sys.modules[__name__], "GREETING", GREETING + my.ok(2))
    async with saying(my.ok(2)) as port:
        refused = await dialled(port)
    assert isinstance(refused, Refused)
    assert refused.code == "target.refusing"


def without_end(step: int) -> bytes:
    """A server that has us answer again and again."""
    return my.packet(step, b"\xfemysql_native_password\0" + b"n" * 20 + b"\0")


@pytest.mark.parametrize(
    "said",
    [
        lambda: my.packet(2, b""),
        lambda: my.packet(2, b"\0"),
        lambda: my.packet(2, b"\0" * 3),
        lambda: my.packet(2, b"\xff"),
        lambda: my.packet(2, b"\xfename"),
        lambda: my.packet(2, b"\x07" * 20),
        lambda: (dialling.MOST_MESSAGE_BYTES + 1).to_bytes(3, "little") + b"\2\0",
        lambda: b"\xff\xff\xff\2" + b"\0" * 70_000,
        lambda: b"".join(without_end(2 + each) for each in range(12)),
    ],
)
async def test_what_is_no_answer_to_a_sign_in(said: Callable[[], bytes]) -> None:
    """Truncated, oversized and endless ones: refused, and the connection is gone."""
    async with saying(said()) as port:
        refused = await dialled(port)
    assert isinstance(refused, Refused)
    assert refused.code == "target.refusing"


async def test_so_much_may_be_said_until_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    for most, code in ((100, "target.refusing"), (10_000, "")):
        monkeypatch.setattr(dialling, "MOST_STARTING_BYTES", most)
        async with saying(my.ok(2) + b"x" * 60) as port:
            found = await dialled(port)
            assert (found.code if isinstance(found, Refused) else "") == code
            if isinstance(found, TargetLeg):
                found.cut()
                await found.wait_closed()
