"""Signals, breaks, and output that changes its stream all the time, of a target of ours that tells what it hears."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import ANY

import asyncssh
import pytest

from onepam.protocols.ssh.dial import dial
from onepam.protocols.ssh.interleaved import Interleaved
from onepam.recording.asciicast import export
from onepam.recording.frames import ChannelClosed, Output, Signal, Stream
from onepam.recording.seal import RECORD, header
from tests.protocols.ssh.conftest import SECONDS, Bench
from tests.protocols.ssh.test_relay import client, only, until

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024


class Hearing(asyncssh.SSHServer):
    """A target that tells what it hears: sshd does not deliver signals to a command of root."""

    def begin_auth(self, username: str) -> bool:
        return False


async def tell(process: asyncssh.SSHServerProcess[str]) -> None:
    heard = []
    while True:
        try:
            heard.append(await process.stdin.read() or "end of input")
        except asyncssh.SignalReceived as signalled:
            heard.append(signalled.signal)
        except asyncssh.BreakReceived as broken:
            heard.append(f"break of {broken.msec} ms")
        except asyncssh.TerminalSizeChanged as size:
            heard.append(f"{size.width}x{size.height} ({size.pixwidth}x{size.pixheight})")
        if heard[-1] == "end of input":
            break
    process.stdout.write(", ".join(heard))
    process.exit_with_signal("KILL", True, "enough", "en")


@asynccontextmanager
async def hearing(
    relayed: Bench, process: Callable[[asyncssh.SSHServerProcess[str]], Awaitable[None]] = tell
) -> AsyncIterator[None]:
    """A target of ours in the place of sshd."""
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    target = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[host_key], server_factory=Hearing, process_factory=process, line_editor=False
    )
    key = asyncssh.read_private_key(str(relayed.folder / "gateway"))
    pins = [host_key.convert_to_public()]
    relayed.acceptor.dial = lambda: dial("127.0.0.1", target.get_port(), "root", key, None, pins, 10)
    async with target:
        yield


async def test_signals_and_breaks_reach_the_target_and_the_recording(relayed: Bench) -> None:
    async with hearing(relayed), await client(relayed) as connection:
        process = await connection.create_process("heard", term_type="vt100")
        process.send_signal("USR1")
        process.channel.send_break(100)
        process.change_terminal_size(10, 20, 30, 40)
        process.stdin.write_eof()
        async with asyncio.timeout(SECONDS):
            assert await process.stdout.read() == "10x20 (30x40), USR1, break of 100 ms, end of input"
            assert (await process.wait()).exit_signal == ("KILL", True, "enough", "en")
    frames = await asyncio.wait_for(relayed.recording(), SECONDS)
    assert frames[-2] == ChannelClosed(ANY, 1, None, "KILL")
    assert only(frames, Signal) == [Signal(ANY, 1, "USR1"), Signal(ANY, 1, "BREAK", 100)]
    assert b'"m", "signal USR1"]' in b"".join(export(frames, 1))


async def test_a_storm_of_signals_is_cut_and_what_goes_on_is_recorded(relayed: Bench) -> None:
    """None goes to the target that is not in the recording, and a name that is none goes nowhere."""
    async with hearing(relayed), await client(relayed) as connection:
        process = await connection.create_process("heard", term_type="vt100")
        async with asyncio.timeout(SECONDS):
            await until(lambda: bool(relayed.acceptor.relays[0]._open))
            channel = next(iter(relayed.acceptor.relays[0]._open))
            await until(lambda: channel._requests._far is not None)
            process.channel.send_signal("x" * 65)
            process.channel.send_signal("no name")
            for _ in range(2000):
                process.send_signal("USR1")
            process.stdin.write_eof()
            heard = (await process.stdout.read()).split(", ")
    frames = await asyncio.wait_for(relayed.recording(), SECONDS)
    recorded = only(frames, Signal)
    assert recorded
    assert recorded == [Signal(ANY, 1, "USR1")] * len(recorded)
    assert heard == ["USR1"] * len(recorded) + ["end of input"]
    assert len(recorded) < 2000


@pytest.mark.parametrize("pauses", [False, True])
async def test_a_target_that_changes_the_stream_with_every_byte_costs_a_record_for_each_batch(
    relayed: Bench, pauses: bool
) -> None:
    """Order is kept, at the client and in the recording, also of what waits because the client does not read."""
    count = 4000

    async def alternates(process: asyncssh.SSHServerProcess[str]) -> None:
        await process.stdin.readline()
        for number in range(count):
            process.stdout.write(str(number % 10))
            process.stderr.write("-")
        process.exit(0)

    order: list[tuple[asyncssh.DataType, bytes]] = []

    class Order(asyncssh.SSHClientSession[bytes]):
        def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
            order.append((datatype, data))

    async with hearing(relayed, alternates), await client(relayed) as connection:
        channel, _ = await connection.create_session(Order, "alternate", encoding=None, window=1000 if pauses else MIB)
        (between,) = relayed.acceptor.relays[0]._open
        await until(lambda: between._requests._far is not None)
        far, near = between._far, between._near
        assert far is not None
        assert near is not None
        if pauses:
            near.set_write_buffer_limits(high=100)
            channel.pause_reading()
        channel.write(b"go\n")
        if pauses:
            await until(lambda: any(isinstance(each[0], Interleaved) for each in tuple(far._recv_buf)))
            channel.resume_reading()
        async with asyncio.timeout(SECONDS):
            await channel.wait_closed()
    frames = await asyncio.wait_for(relayed.recording(), SECONDS)
    expected = b"".join(b"%d-" % (number % 10) for number in range(count))
    assert b"".join(data for _, data in order) == expected
    assert {data for kind, data in order if kind} == {b"-"}
    outputs = only(frames, Output)
    assert b"".join(each.data for each in outputs) == expected
    assert {each.data for each in outputs if each.stream == Stream.STDERR} == {b"-"}
    assert records(relayed.acceptor.folder / "rec_0.rec") < count / 20


def records(recording: Path) -> int:
    """How many encrypted records a file has: each is a system call in strict mode."""
    data, found = recording.read_bytes(), 0
    at = len(header(recording.stem))
    while at < len(data):
        _, size = RECORD.unpack_from(data, at)
        at, found = at + RECORD.size + size, found + 1
    return found


def test_pieces_that_change_their_type_cost_little_more_than_their_bytes() -> None:
    kept, types = Interleaved(), (None, asyncssh.EXTENDED_DATA_STDERR)
    assert not kept
    tracemalloc.start()
    for number in range(100_000):
        kept.add(b"%d" % (number % 10), types[number % 2])
    assert tracemalloc.get_traced_memory()[0] < 1_000_000
    tracemalloc.stop()
    kept.add(b"more", types[1])
    assert kept.bytes == 100_004
    pieces = []
    while kept:
        pieces.append(kept.first())
    assert pieces[:3] == [(b"0", None), (b"1", types[1]), (b"2", None)]
    assert pieces[-1] == (b"9more", types[1])
    assert len(pieces) == 100_000
    kept.add(b"again", types[1])
    assert kept.first() == (b"again", types[1])
    with pytest.raises(IndexError):
        kept.first()
