"""As `plain_leg`, for MySQL: there a server speaks first, and nobody signs in without TLS. So the leg is a server that
lets whoever comes in, under a name of the test's, and signs in to the gateway for them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from struct import pack
from xml.etree import ElementTree

from tests.conformance.databases.mysql_ways import MysqlWay
from tests.conformance.databases.plain_leg import Capture, dissected, field
from tests.protocols.mysql.messages import ok, packet

PORT = 3306
CAN = 1 << 3 | 1 << 9 | 1 << 13 | 1 << 15 | 1 << 17 | 1 << 18 | 1 << 19
"""A database at the start, the protocol of 4.1, transactions, results and prepared ones, names of plugins."""

_TLS = 1 << 11
_GREETING = (
    b"\x0a8.0.0\0" + pack("<I8sBHBHH", 1, b"12345678", 0, CAN & 0xFFFF, 45, 2, CAN >> 16) + b"\x15" + b"\0" * 10
    + b"123456789012\0mysql_native_password\0"
)  # fmt: skip


@asynccontextmanager
async def plain_leg(ways: Mapping[str, MysqlWay], capture: Path) -> AsyncIterator[int]:
    """A port of loopback before these ways, by the names that clients sign in with; the capture is whole once this has
    ended."""
    with capture.open("wb") as file:
        written = Capture(file, PORT)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            port = writer.get_extra_info("peername")[1]

            def say(data: bytes) -> None:
                written.wrote(port, data, from_client=False)
                writer.write(data)

            say(packet(0, _GREETING))
            start = await _packet(reader)
            written.wrote(port, packet(1, start), from_client=True)
            there, back = await _signed_in(ways[start[32 : start.index(0, 32)].decode()])
            say(ok(2))

            async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, from_client: bool) -> None:
                with suppress(OSError):
                    while data := await source.read(65_536):
                        written.wrote(port, data, from_client=from_client)
                        sink.write(data)
                        await sink.drain()
                sink.close()

            await asyncio.gather(carry(reader, back, True), carry(there, writer, False))

        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
        async with server:
            yield server.sockets[0].getsockname()[1]
            server.close()
            await server.wait_closed()


async def _packet(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(4)
    return await reader.readexactly(int.from_bytes(head[:3], "little"))


async def _signed_in(way: MysqlWay) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the gateway, within TLS, with the token in the clear there."""
    there, back = await asyncio.open_connection("127.0.0.1", way.port)
    await _packet(there)
    fixed = pack("<IIB23x", CAN | _TLS, 1 << 24, 45)
    back.write(packet(1, fixed))
    await back.start_tls(ssl.create_default_context(cafile=str(way.root)), server_hostname="localhost")
    password = way.password.encode() + b"\0"
    names = f"{way.user}\0".encode() + bytes([len(password)]) + password + way.database.encode() + b"\0"
    back.write(packet(2, fixed + names + b"mysql_clear_password\0"))
    said = await _packet(there)
    assert said[:1] == b"\0", said
    return there, back


async def read_by_tshark(capture: Path) -> dict[int, list[str]]:
    """By the client's port, the text of each statement that it had executed, in order, as a stranger reads them."""
    found: dict[int, list[str]] = {}
    asked: dict[int, str] = {}
    named: dict[tuple[int, str], str] = {}
    for _, each in ElementTree.iterparse(await dissected(capture, f"tcp.port=={PORT},mysql", "mysql")):
        if each.tag != "packet":
            continue
        from_client = field(each, "tcp.dstport") == str(PORT)
        client = int(field(each, "tcp.srcport" if from_client else "tcp.dstport"))
        for message in each.findall("proto[@name='mysql']"):
            command, number = field(message, "mysql.command"), field(message, "mysql.stmt_id")
            if from_client and command in ("3", "22"):
                asked[client] = field(message, "mysql.query")
            if command == "3":
                found.setdefault(client, []).append(asked[client])
            elif command == "23":
                found.setdefault(client, []).append(named[client, number])
            elif not from_client and number:
                named[client, number] = asked[client]
        each.clear()
    return found
