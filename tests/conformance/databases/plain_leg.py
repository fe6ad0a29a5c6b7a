"""A leg that is not encrypted: a client connects without TLS, and what it says goes on to the gateway in TLS. What
passes is written as a capture, which `tshark` reads; who reads it there is nobody of ours."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from struct import Struct
from typing import BinaryIO
from xml.etree import ElementTree

from tests.conformance.databases.both_ways import Way

PORT = 5432
SSL_REQUEST = bytes.fromhex("0000000804d2162f")

_FILE = Struct("<IHHiIII")
_RECORD = Struct("<IIII")
_IP = Struct("!BBHHHBBH4s4s")
_TCP = Struct("!HHIIBBHHH")
_RAW_IP = 101
_MOST = 32_000


class Capture:
    """A pcap file of TCP segments that nothing lost."""

    def __init__(self, file: BinaryIO, port: int = PORT) -> None:
        self._file, self._port, self._frames = file, port, 0
        self._next: dict[tuple[int, bool], int] = {}
        file.write(_FILE.pack(0xA1B2C3D4, 2, 4, 0, 0, 65_535, _RAW_IP))

    def wrote(self, client: int, data: bytes, *, from_client: bool) -> None:
        """What one side of the connection of this client's port wrote."""
        for offset in range(0, len(data), _MOST):
            self._segment(client, data[offset : offset + _MOST], from_client)

    def _segment(self, client: int, data: bytes, from_client: bool) -> None:
        at, other = self._next.get((client, from_client), 1), self._next.get((client, not from_client), 1)
        self._next[client, from_client] = at + len(data)
        ports = (client, self._port) if from_client else (self._port, client)
        tcp = _TCP.pack(*ports, at, other, 5 << 4, 0x18, 0xFFFF, 0, 0) + data
        addresses = (b"\x0a\0\0\1", b"\x0a\0\0\2") if from_client else (b"\x0a\0\0\2", b"\x0a\0\0\1")
        packet = _IP.pack(0x45, 0, _IP.size + len(tcp), 0, 0, 64, 6, 0, *addresses) + tcp
        self._file.write(_RECORD.pack(self._frames // 1_000_000, self._frames % 1_000_000, len(packet), len(packet)))
        self._file.write(packet)
        self._frames += 1


@asynccontextmanager
async def plain_leg(way: Way, capture: Path) -> AsyncIterator[int]:
    """A port of loopback before this way; the capture is whole once this has ended."""
    context = ssl.create_default_context(cafile=str(way.root))
    with capture.open("wb") as file:
        written = Capture(file)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            port = writer.get_extra_info("peername")[1]
            there, back = await asyncio.open_connection("127.0.0.1", way.port)
            back.write(SSL_REQUEST)
            assert await there.readexactly(1) == b"S"
            await back.start_tls(context, server_hostname="localhost")

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


async def dissected(capture: Path, protocol: str, shown: str) -> Path:
    """What tshark reads in a capture, by packets, as XML."""
    pdml = capture.with_suffix(".pdml")
    with pdml.open("wb") as file:
        arguments = ("-r", str(capture), "-d", protocol, "-Y", shown, "-T", "pdml")
        tshark = await asyncio.create_subprocess_exec("tshark", *arguments, stdout=file)
        assert await tshark.wait() == 0
    return pdml


async def read_by_tshark(capture: Path) -> dict[int, list[str]]:
    """By the client's port, the text of each statement that it had executed, in order, as a stranger reads them."""
    pdml = await dissected(capture, f"tcp.port=={PORT},pgsql", f"pgsql && tcp.dstport=={PORT}")
    found: dict[int, list[str]] = {}
    named: dict[tuple[int, str], str] = {}
    bound: dict[tuple[int, str], str] = {}
    for _, packet in ElementTree.iterparse(pdml):
        if packet.tag != "packet":
            continue
        client = int(field(packet, "tcp.srcport"))
        for message in packet.findall("proto[@name='pgsql']"):
            kind = field(message, "pgsql.type")
            statement, portal = field(message, "pgsql.statement"), field(message, "pgsql.portal")
            if kind == "Simple query":
                found.setdefault(client, []).append(field(message, "pgsql.query"))
            elif kind == "Parse":
                named[client, statement] = field(message, "pgsql.query")
            elif kind == "Bind":
                bound[client, portal] = named[client, statement]
            elif kind == "Execute":
                found.setdefault(client, []).append(bound[client, portal])
        packet.clear()
    return found


def field(within: ElementTree.Element, name: str) -> str:
    """The first one of this name, as it is shown."""
    for each in within.iter("field"):
        if each.get("name") == name:
            return each.get("show", "")
    return ""
