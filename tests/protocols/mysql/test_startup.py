"""What clients that read the protocol each in their own way are told at the door, and after it."""

import sys
from pathlib import Path
from struct import pack

import pytest

from onepam.protocols.mysql import wire
from onepam.protocols.mysql.startup import OFFERED
from onepam.protocols.mysql.wire import Can, Status
from onepam.recording.statements import Outcome
from tests.protocols.mysql import messages as my
from tests.protocols.mysql.small import Small
from tests.protocols.mysql.test_relay import packet, secured
from tests.protocols.postgres.small import TOKEN

pytestmark = pytest.mark.anyio

CAN = Can.CONNECT_ATTRS | Can.PLUGIN_AUTH | Can.SECURE_CONNECTION | Can.PROTOCOL_41 | Can.SESSION_TRACK
START = pack("<IIB23x", int(CAN), 1 << 24, 45) + b"app@db-1\0" + b"\x20" + b"s" * 32 + b"caching_sha2_password\0"


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


async def test_compression_another_user_and_a_reset(small: Small) -> None:
    """Compression is not offered, and who asks for it goes on; the user stays; a reset is the server's."""
    program = str(Path(__file__).with_name("calls_client.py"))
    done = await small.run(
        sys.executable, "-X", "faulthandler", program, str(small.port), "app@db-1", TOKEN, str(small.root)
    )
    assert done[0] == 0, done[2]
    told = done[1].splitlines()
    refused = "b'OnePAM: COM_CHANGE_USER does not pass the gateway.'"
    assert told == ["b'xxxxx'", "None", "b'1'", "1", refused, "b'1'", "0", "None"]
    outcomes = [
        (text, done.outcome) for text, _, done in small.journals[0].statements() if text.startswith("COM_") and done
    ]
    assert outcomes == [("COM_CHANGE_USER", Outcome.REFUSED), ("COM_RESET_CONNECTION", Outcome.OK)]


async def test_what_comes_with_the_proof_waits_for_the_way_in(small: Small) -> None:
    """A client that does not wait for its OK: its statements run once it is in, in order."""
    reader, writer = await secured(small)
    writer.write(my.packet(2, START))
    assert await packet(reader) == b"\x01\x04"
    writer.write(my.packet(4, TOKEN.encode() + b"\0") + my.query(b"DO 1") + my.query(b"DO 2"))
    assert [(await packet(reader))[0] for _ in range(3)] == [0, 0, 0]
    assert [text for text, _, _ in small.journals[0].statements()] == ["DO 1", "DO 2"]
    writer.close()


@pytest.mark.parametrize("size", [2**24 - 2, 2**24 - 1, 2**24, 2**25 - 2])
async def test_a_command_that_fills_its_packets(small: Small, size: int) -> None:
    """D3: one byte less than a packet takes, all of it, one more, and two packets, of which the next is empty."""
    reader, writer = await secured(small)
    writer.write(my.packet(2, START))
    assert await packet(reader) == b"\x01\x04"
    writer.write(my.packet(4, TOKEN.encode() + b"\0"))
    assert (await packet(reader))[0] == 0
    writer.write(my.query(b"DO LENGTH('".ljust(size - 3, b"z") + b"')") + my.query(b"SELECT 5"))
    assert (await packet(reader))[0] == 0
    assert [await packet(reader) for _ in range(5)][3] == b"\x015"
    writer.close()


@pytest.mark.parametrize(
    ("sent", "refused"),
    [
        (b"\xff\xff\xff\0", False),
        (my.query(b"SELECT 1")[:-1], False),
        (my.packet(1, b"\x03SELECT 1"), True),
        (my.packet(0, b""), True),
        ((2**20).to_bytes(3, "little") + b"\0\x01" + b"x" * 100, True),
        (b"\xff\xff\xff\0\x03" + b"x" * (2**24 - 2) + my.packet(5, b"y"), True),
    ],
)
async def test_truncated_and_malformed_commands(small: Small, sent: bytes, refused: bool) -> None:
    """D3: an error to the client, and no statement at the target; what is cut off runs nowhere."""
    reader, writer = await secured(small)
    writer.write(my.packet(2, START))
    assert await packet(reader) == b"\x01\x04"
    writer.write(my.packet(4, TOKEN.encode() + b"\0"))
    assert (await packet(reader))[0] == 0
    before = selects(small)
    writer.write(sent)
    if refused:
        assert (await packet(reader))[0] == 0xFF
    writer.close()
    assert selects(small) == before


def selects(small: Small) -> int:
    """How many of them the server has run."""
    return int(small.server.sql("SHOW GLOBAL STATUS LIKE 'Com_select'").split()[1])
