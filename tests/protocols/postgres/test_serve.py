"""Whoever comes to the door: byte for byte, before anything is decided."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint
from onepam.gateway.crowd import Limits, Place
from onepam.protocols.postgres.dial import TargetLeg
from onepam.protocols.sql import door
from onepam.recording.statements import Outcome
from tests.protocols.postgres import messages as pg
from tests.protocols.postgres.server import Server, running_server
from tests.protocols.postgres.small import STOLEN, TOKEN, WRONG, Small, running_door

pytestmark = pytest.mark.anyio

SECONDS = 60.0
TLS = b"\0\0\0\x08\x04\xd2\x16\x2f"
GSS = b"\0\0\0\x08\x04\xd2\x16\x30"
READY = b"Z\0\0\0\x05I"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.fixture
async def small(server: Server, tmp_path: Path) -> AsyncIterator[Small]:
    async with running_door(server, tmp_path) as running:
        yield running


def start(minor: int = 0, **parameters: str) -> bytes:
    pairs = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items()) + b"\0"
    return (8 + len(pairs)).to_bytes(4, "big") + (3 << 16 | minor).to_bytes(4, "big") + pairs


def password(word: str) -> bytes:
    return b"p" + (5 + len(word)).to_bytes(4, "big") + word.encode() + b"\0"


class Client:
    """A connection, byte for byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def says(self, data: bytes, most: int = 65536) -> bytes:
        """What comes to these bytes."""
        self.writer.write(data)
        async with asyncio.timeout(SECONDS):
            return await self.reader.read(most)

    async def rest(self) -> bytes:
        async with asyncio.timeout(SECONDS):
            try:
                return await self.reader.read()
            except (ConnectionError, ssl.SSLError):
                return b""

    async def until(self, what: bytes) -> bytes:
        async with asyncio.timeout(SECONDS):
            return await self.reader.readuntil(what)

    async def secure(self, small: Small, name: str = "localhost", alpn: str = "postgresql") -> None:
        await self.writer.start_tls(trusting(small, alpn, name), server_hostname=name, ssl_handshake_timeout=SECONDS)


def trusting(small: Small, alpn: str, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=small.root)
    context.check_hostname = name == "localhost"
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


async def come(small: Small) -> Client:
    return Client(*await asyncio.open_connection("127.0.0.1", small.port))


async def come_secured(small: Small, name: str = "localhost") -> Client:
    client = await come(small)
    assert await client.says(TLS) == b"S"
    await client.secure(small, name)
    return client


@pytest.mark.parametrize("first", [start(user="app@db-1"), GSS + start(user="app@db-1"), TLS + start(user="app@db-1")])
async def test_nothing_is_taken_in_the_clear(small: Small, first: bytes) -> None:
    """Neither a start, nor what was put behind a request by whoever is on the way (CVE-2021-23214)."""
    client = await come(small)
    client.writer.write(first)
    said = await client.rest()
    assert b"FATAL" in said
    assert b"OnePAM: " in said
    assert b"R\0\0\0" not in said


async def test_gss_is_refused_once_and_tls_follows(small: Small) -> None:
    client = await come(small)
    assert await client.says(GSS) == b"N"
    assert await client.says(TLS) == b"S"
    await client.secure(small)
    assert await client.says(start(user="app@db-1")) == b"R\0\0\0\x08\0\0\0\x03"
    again = await come(small)
    assert await again.says(GSS) == b"N"
    again.writer.write(GSS)
    assert b"refused already" in await again.rest()


async def test_tls_from_the_first_byte(small: Small) -> None:
    """D6: as PostgreSQL 17 has it; who does not ask for PostgreSQL within it is cut."""
    for alpn, taken in (("postgresql", True), ("h2", False), ("", False)):
        client = await come(small)
        try:
            await client.secure(small, alpn=alpn)
            said = await client.says(start(user="app@db-1"))
        except (ssl.SSLError, ConnectionError):
            said = b""
        assert bool(said) is taken, alpn
        client.writer.close()


@pytest.mark.parametrize(
    ("name", "user", "taken"),
    [
        ("localhost", "app@db-1", True),
        ("localhost", "app@DB-1", True),
        ("db-1.pam.example.com", "app", True),
        ("DB-1.pam.example.com", "app", True),
        ("db-2.pam.example.com", "app", False),
        ("db-2.pam.example.com", "app@db-1", True),
        ("pam.example.com", "app", False),
        ("x.db-1.pam.example.com", "app", False),
        ("localhost", "app", False),
        ("localhost", "@db-1", False),
        ("localhost", "app@db-2", False),
    ],
)
async def test_where_somebody_wants_to(small: Small, name: str, user: str, taken: bool) -> None:
    """By the user, or by the name of the server."""
    client = await come_secured(small, name)
    await client.says(start(user=user, database="postgres"))
    client.writer.write(password(TOKEN))
    if taken:
        said = await client.until(READY)
        assert said.startswith(b"R\0\0\0\x08\0\0\0\0S")
    else:
        assert b"OnePAM: " in await client.rest()
    client.writer.close()


async def test_who_says_goodbye_hears_all_that_was_asked_and_then_an_end(small: Small) -> None:
    """Drivers wait for it (pgx, node-postgres): nothing is lost before, and no word of ours comes."""
    client = await come_secured(small)
    await client.says(start(user="app@db-1", database="postgres"))
    client.writer.write(password(TOKEN))
    await client.until(READY)
    client.writer.write(pg.query("SELECT repeat('x', 300000)") + pg.message("X"))
    said = await client.rest()
    assert len(said) > 300_000
    assert said.endswith(READY)
    assert [end.outcome for _, _, end in small.journals[0].statements() if end] == [Outcome.OK]
    there = await small.relays[0]._target
    assert isinstance(there, TargetLeg)
    assert there.left is SessionEnd.CLIENT_LEFT


async def test_a_token_that_is_not_good(small: Small) -> None:
    client = await come_secured(small)
    await client.says(start(user="app@db-1"))
    client.writer.write(password("another"))
    said = await client.rest()
    assert b"MOnePAM: This token opens nothing.\0" in said
    assert small.journals == []


@pytest.mark.parametrize(("token", "whose"), [("another", None), (STOLEN, "per_small"), (TOKEN, "")])
async def test_a_token_that_is_wrong_is_counted_and_somebodys_recorded(
    small: Small, monkeypatch: pytest.MonkeyPatch, token: str, whose: str | None
) -> None:
    wrong: list[str] = []
    monkeypatch.setattr(Place, "wrong", lambda self: wrong.append(self.origin.address))
    client = await come_secured(small)
    await client.says(start(user="nobody's name" if token == STOLEN else "app@db-1"))
    said = await client.says(password(token))
    assert (b"MOnePAM: This token opens nothing.\0" in said) is (token != TOKEN)
    assert wrong == ([] if token == TOKEN else ["127.0.0.1"])
    assert small.refused == ([(EntryPoint.SSH_CERTIFICATE, whose, "nobody's name", WRONG)] if whose else [])
    client.writer.close()


async def test_replication_and_odd_versions(small: Small) -> None:
    client = await come_secured(small)
    client.writer.write(start(user="app@db-1", replication="database"))
    assert b"Replication does not pass" in await client.rest()
    client = await come_secured(small)
    said = await client.says(start(9, user="app@db-1", **{"_pq_.later": "on"}))
    assert re.match(rb"v\0\0\0\x17\0\x03\0\x02\0\0\0\x01_pq_\.later\0R\0\0\0\x08\0\0\0\x03", said)
    client.writer.close()


async def test_version_3_2_has_a_longer_key(small: Small) -> None:
    for minor, length in ((0, b"\0\0\0\x0c"), (2, b"\0\0\0\x28")):
        client = await come_secured(small)
        await client.says(start(minor, user="app@db-1", database="postgres"))
        client.writer.write(password(TOKEN))
        assert b"K" + length in await client.until(READY)
        client.writer.close()


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\0" * 8, b"\xff" * 8, b"\0\0\0\x08\0\2\0\0", b"SSH-2.0-x\r\n"]
)
async def test_what_is_no_postgresql(small: Small, garbage: bytes) -> None:
    client = await come(small)
    client.writer.write(garbage)
    assert b"C08P01" in await client.rest()


@pytest.mark.parametrize("sent", [b"", TLS, TLS[:5]])
async def test_who_is_silent_is_cut(small: Small, sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "FIRST_SECONDS", 0.3)
    client = await come(small)
    client.writer.write(sent)
    assert await client.rest() in (b"", b"S")
    assert len(small.gateway.keys) == 0


async def test_who_says_too_much_is_cut(small: Small) -> None:
    client = await come_secured(small)
    await client.says(start(user="app@db-1"))
    client.writer.write(b"p\0\0\x0f\xff" + bytes(100_000))
    assert b"OnePAM" not in await client.rest()


async def test_one_address_has_so_many_places(server: Server, tmp_path: Path) -> None:
    async with running_door(server, tmp_path, Limits(most=4, kept=1, from_address=2, from_network=3)) as small:
        first, second = await come(small), await come(small)
        await asyncio.sleep(0.2)
        assert b"Too many connections wait here already" in await (await come(small)).rest()
        first.writer.close()
        second.writer.close()


async def test_whoever_breaks_the_protocol_is_out(small: Small) -> None:
    """The target does not hear of it."""
    client = await come_secured(small)
    await client.says(start(user="app@db-1", database="postgres"))
    client.writer.write(password(TOKEN))
    await client.until(READY)
    client.writer.write(b"Y\0\0\0\x04")
    assert b"C08P01" in await client.rest()
    assert small.doors[0].left.value == "client.protocol"


async def test_what_comes_right_behind_the_password_is_not_lost(small: Small) -> None:
    client = await come_secured(small)
    await client.says(start(user="app@db-1", database="postgres"))
    client.writer.write(password(TOKEN) + b"Q\0\0\0\x0dSELECT 7\0")
    await client.until(READY)
    assert b"\x017" in await client.until(READY)
    client.writer.close()
