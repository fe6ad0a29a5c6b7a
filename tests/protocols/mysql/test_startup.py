"""What clients that read the protocol each in their own way are told at the door, and after it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from struct import pack

import pytest

from onepam.protocols.mysql import wire
from onepam.protocols.mysql.startup import OFFERED
from onepam.protocols.mysql.wire import Can, Status
from tests.protocols.mysql import messages as my
from tests.protocols.mysql.server import Server, running_server
from tests.protocols.mysql.small import Small, running_door
from tests.protocols.mysql.test_relay import packet, secured
from tests.protocols.postgres.small import TOKEN

pytestmark = pytest.mark.anyio

CAN = Can.CONNECT_ATTRS | Can.PLUGIN_AUTH | Can.SECURE_CONNECTION | Can.PROTOCOL_41 | Can.SESSION_TRACK
START = pack("<IIB23x", int(CAN), 1 << 24, 45) + b"app@db-1\0" + b"\x20" + b"s" * 32 + b"caching_sha2_password\0"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.fixture
async def small(server: Server, tmp_path: Path) -> AsyncIterator[Small]:
    async with running_door(server, tmp_path) as running:
        yield running


def named(name: bytes) -> bytes:
    """The attribute by which a client says what it is."""
    pair = b"\x0c_client_name" + bytes([len(name)]) + name
    return bytes([len(pair)]) + pair


@pytest.mark.parametrize(
    ("name", "asked", "first"),
    [
        (b"MySQL Connector/J", b"\xfemysql_clear_password\0", 4),
        (b"MySQL Connector/Node", b"\x01\x04", 4),
    ],
)
async def test_the_password_is_asked_for_as_the_client_reads_it(
    small: Small, name: bytes, asked: bytes, first: int
) -> None:
    """Connector/J reads an AuthMoreData of a server that says 5.5.5 as one of before 5.5.16."""
    reader, writer = await secured(small)
    writer.write(my.packet(2, START + named(name)))
    assert await packet(reader) == asked
    writer.write(my.packet(first, TOKEN.encode() + b"\0"))
    assert (await packet(reader))[0] == 0
    writer.write(my.query(b"SET @@session_track_schema = ON, @a = 1") + my.query(b"USE app"))
    changed = [await packet(reader) for _ in range(2)]
    assert [int.from_bytes(each[3:5], "little") & Status.SESSION_CHANGED for each in changed] != [0, 0]
    assert any(b"app" in each for each in changed)
    writer.close()


def test_an_ok_of_ours_tells_of_no_change() -> None:
    """Which stands behind it in the server's own, and a client would look for it."""
    assert Can.SESSION_TRACK in OFFERED
    assert wire.ok(1, Status.AUTOCOMMIT | Status.SESSION_CHANGED) == wire.ok(1, Status.AUTOCOMMIT)
