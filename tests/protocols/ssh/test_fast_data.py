"""The short way for channel data is asyncssh's own way in fewer steps: same bytes, same errors, at any chunking."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncssh
import pytest
from asyncssh.channel import SSHChannel
from asyncssh.constants import MSG_CHANNEL_DATA, MSG_CHANNEL_WINDOW_ADJUST
from asyncssh.encryption import GCMEncryption
from hypothesis import given
from hypothesis import strategies as st

from onepam.protocols.ssh import fast_data
from onepam.protocols.ssh.connections import TargetConnection
from onepam.protocols.ssh.dial import dial
from onepam.protocols.ssh.fast_data import Gcm
from onepam.protocols.ssh.person_channel import PersonChannel
from onepam.protocols.ssh.target_channel import TargetChannel
from tests.protocols.ssh.conftest import Bench

pytestmark = pytest.mark.anyio

key, vector = st.binary(min_size=16, max_size=16), st.binary(min_size=12, max_size=12)


@given(key, vector, st.lists(st.binary(min_size=16, max_size=100), min_size=1, max_size=5))
async def test_the_cipher_is_asyncsshs(key: bytes, vector: bytes, packets: list[bytes]) -> None:
    def made() -> GCMEncryption:
        made = GCMEncryption.new("aes128-gcm", key, vector)
        assert isinstance(made, GCMEncryption)
        return made

    theirs, ours, opening = made(), Gcm(made()), Gcm(made())
    for number, packet in enumerate(packets):
        header = len(packet).to_bytes(4, "big")
        sealed, tag = theirs.encrypt_packet(number, header, packet)
        assert ours.encrypt_packet(number, header, packet) == (sealed, tag)
        assert opening.decrypt_header(number, sealed[:16], 4) == (sealed[:16], header)
        assert opening.decrypt_packet(number, sealed[:16], sealed[16:], 4, tag) == packet


class Echo(asyncssh.SSHServer):
    """A target of asyncssh, whose connections can be cut and altered."""

    def begin_auth(self, username: str) -> bool:
        return False


async def echo(process: asyncssh.SSHServerProcess[bytes]) -> None:
    while data := await process.stdin.read(100_000):
        process.stdout.write(data)
    process.stderr.write(b"end")
    process.exit(3)


Alter = Callable[[bytes], list[bytes]]


@asynccontextmanager
async def echoing(alter: Alter, **options: Any) -> AsyncIterator[Callable[[], Awaitable[TargetConnection]]]:
    """A way to dial an echoing target through a proxy that re-cuts what the target sends."""
    host_key, client_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[host_key], server_factory=Echo, process_factory=echo, encoding=None, **options
    )

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", server.get_port())

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter, cut: Alter) -> None:
            while data := await source.read(1 << 18):
                for piece in cut(data):
                    sink.write(piece)
                    await asyncio.sleep(0)
            sink.close()

        await asyncio.gather(copy(reader, there[1], lambda data: [data]), copy(there[0], writer, alter))

    between = await asyncio.start_server(proxy, "127.0.0.1", 0)

    async def dialled() -> TargetConnection:
        port = between.sockets[0].getsockname()[1]
        connection = await dial("127.0.0.1", port, "root", client_key, None, [host_key.convert_to_public()], 10)
        assert isinstance(connection, TargetConnection)
        return connection

    try:
        yield dialled
    finally:
        between.close()
        server.close()


async def exchanged(connection: TargetConnection, content: bytes) -> tuple[bytes, bytes, int | None]:
    done = await asyncio.wait_for(connection.run("echo", input=content, encoding=None), 60)
    assert isinstance(done.stdout, bytes)
    assert isinstance(done.stderr, bytes)
    return done.stdout, done.stderr, done.exit_status


@pytest.mark.parametrize("seed", range(4))
async def test_any_cut_of_the_stream_gives_the_same_bytes_also_across_new_keys(seed: int) -> None:
    chance = random.Random(seed)

    def cut(data: bytes) -> list[bytes]:
        size = chance.choice([1 << 20, 40_000, 20, 3])
        if size == 3 and len(data) > 5000:
            return [data]
        return [data[at : at + size] for at in range(0, len(data), size)]

    async with echoing(cut, rekey_bytes=400_000) as dialled:
        connection = await dialled()
        content = chance.randbytes(1_500_000)
        assert await exchanged(connection, content) == (content, b"end", 3)
        connection.abort()


class Collects(asyncssh.SSHClientSession[bytes]):
    def __init__(self) -> None:
        self.got = bytearray()
        self.ended = asyncio.Event()

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        if datatype is None:
            self.got += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


async def opened(connection: TargetConnection, session: Collects) -> TargetChannel:
    """Our own channel to the echoing target, which `dialled().run` does not use."""
    channel = await TargetChannel.opened(connection)
    await channel.create(
        lambda: session, "echo", None, {}, False, "", (0, 0, 0, 0), {},
        x11_forwarding=False, x11_display=None, x11_auth_path=None, x11_single_connection=False,
        agent_forwarding=False,
    )  # fmt: skip
    return channel


async def test_what_waited_comes_in_portions_and_before_what_comes_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one turn of the loop would take a whole window, and a key of somebody else would wait for it."""
    monkeypatch.setattr(fast_data.FastDataConnection, "portion", 50_000)
    content = random.Random(1).randbytes(1_500_000)
    async with echoing(lambda data: [data]) as dialled, asyncio.timeout(60):
        connection, session = await dialled(), Collects()
        channel = await opened(connection, session)
        channel.pause_reading()
        channel.write(content[:1_000_000])
        while sum(len(data) for data, _ in channel._recv_buf) < 1_000_000:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
        channel.resume_reading()
        assert 50_000 <= len(session.got) < 200_000
        channel.write(content[1_000_000:])
        channel.write_eof()
        await session.ended.wait()
        assert session.got == content
        connection.abort()


async def test_other_ciphers_take_asyncsshs_way() -> None:
    async with echoing(lambda data: [data], encryption_algs=["chacha20-poly1305@openssh.com"]) as dialled:
        connection = await dialled()
        assert connection.get_extra_info("recv_cipher") == "chacha20-poly1305@openssh.com"
        content = random.Random(1).randbytes(300_000)
        assert await exchanged(connection, content) == (content, b"end", 3)
        connection.abort()


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, "aes128-gcm@openssh.com"),
        ("chacha20-poly1305@openssh.com,aes256-gcm@openssh.com", "aes256-gcm@openssh.com"),
        ("chacha20-poly1305@openssh.com", "chacha20-poly1305@openssh.com"),
        ("aes256-ctr", "aes256-ctr"),
    ],
)
async def test_openssh_clients_are_led_to_aes_gcm(relayed: Bench, offered: str | None, chosen: str) -> None:
    options = ["-o", f"Ciphers={offered}"] if offered else []
    done = await relayed.run(*relayed.ssh(*options, "cat"), stdin=b"x" * 500_000)
    assert len(done.stdout) == 500_000
    person = relayed.acceptor.relays[0].person
    assert (person.get_extra_info("send_cipher"), person.get_extra_info("recv_cipher")) == (chosen, chosen)


async def test_an_altered_packet_ends_the_connection() -> None:
    altering = asyncio.Event()

    def alter(data: bytes) -> list[bytes]:
        if not altering.is_set() or len(data) < 1000:
            return [data]
        return [data[:700] + bytes([data[700] ^ 1]) + data[701:]]

    async with echoing(alter) as dialled:
        connection = await dialled()
        altering.set()
        process = await connection.create_process("echo", encoding=None)
        process.stdin.write(bytes(100_000))
        with pytest.raises(asyncssh.MACError):
            await asyncio.wait_for(process.stdout.readexactly(100_000), 10)
        await connection.wait_closed()


async def test_what_breaks_the_protocol_is_named_by_asyncssh(monkeypatch: pytest.MonkeyPatch) -> None:
    async with echoing(lambda data: [data]) as dialled:
        for breach in ("Window exceeded", "not open for sending", "Invalid channel number"):
            connection = await dialled()
            process = await connection.create_process("echo", encoding=None)
            if breach == "Window exceeded":
                process.channel._recv_window = 10
            elif breach == "not open for sending":
                process.channel._recv_state = "eof"
            else:
                connection._channels.clear()
            process.stdin.write(b"x" * 1000)
            lost = asyncio.get_running_loop().create_future()
            monkeypatch.setattr(connection, "_force_close", lost.set_result)
            assert breach in str(await asyncio.wait_for(lost, 10))
            monkeypatch.undo()
            connection.abort()


async def test_bulk_takes_the_short_way(relayed: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a new asyncssh could silently cost half of the throughput."""
    counted = {"in": 0, "out": 0, "slow": 0, "windows": 0}
    delivered, sent = fast_data.FastDataConnection._delivered, fast_data.FastDataConnection.send_data
    slow = asyncssh.connection.SSHConnection.send_packet
    widened = SSHChannel._process_window_adjust

    def counting_in(self: Any, packet: bytes) -> bool:
        taken = delivered(self, packet)
        counted["in"] += taken
        return taken

    def counting_out(self: Any, cipher: Gcm, channel: int, pieces: Sequence[memoryview]) -> None:
        counted["out"] += len(pieces)
        sent(self, cipher, channel, pieces)

    def counting_slow(self: Any, kind: int, *arguments: Any, **options: Any) -> None:
        counted["slow"] += kind == MSG_CHANNEL_DATA
        slow(self, kind, *arguments, **options)

    def counting_windows(self: Any, *arguments: Any) -> None:
        counted["windows"] += 1
        widened(self, *arguments)

    monkeypatch.setitem(PersonChannel._packet_handlers, MSG_CHANNEL_WINDOW_ADJUST, counting_windows)
    monkeypatch.setattr(fast_data.FastDataConnection, "_delivered", counting_in)
    monkeypatch.setattr(fast_data.FastDataConnection, "send_data", counting_out)
    monkeypatch.setattr(asyncssh.connection.SSHConnection, "send_packet", counting_slow)
    done = await relayed.run(*relayed.ssh("head -c 20000000 /dev/zero"))
    assert len(done.stdout) == 20_000_000
    assert counted["in"] >= 600
    assert counted["out"] >= 600
    assert (counted["slow"], counted["windows"]) == (0, 0)
