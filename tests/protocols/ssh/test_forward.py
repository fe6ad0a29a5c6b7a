"""A forwarded connection at the relay: who ends it, who does not read, and what of it there is when it breaks off."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from onepam.gateway.recorder import RecorderFailed
from onepam.kernel.errors import Refused
from onepam.protocols.ssh.connections import TargetConnection
from onepam.recording.frames import ChannelClosed, ChannelOpened, Marker
from tests.protocols.ssh.conftest import SECONDS, Bench
from tests.protocols.ssh.test_pauses import MOST_UNDERWAY, stands
from tests.protocols.ssh.test_port_forwarding import Serve, echo, serving
from tests.protocols.ssh.test_relay import only
from tests.targets import Sshd, descendants

pytestmark = pytest.mark.anyio

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def anywhere(host: str, port: int, target: TargetConnection) -> Refused | None:
    return None


@asynccontextmanager
async def forwarding(relayed: Bench, serve: Serve = echo) -> AsyncIterator[tuple[Callable[[], Awaitable[Ends]], int]]:
    """What makes one more connection to a server of the target's loopback, and the client's process."""
    relayed.acceptor.rule = anywhere
    near = relayed.folder / "near"
    async with serving(serve) as port:
        process = await asyncio.create_subprocess_exec(
            *relayed.ssh("-L", f"{near}:127.0.0.1:{port}", "echo ready; cat"),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        async with asyncio.timeout(SECONDS):
            assert await process.stdout.readline() == b"ready\n"
        try:
            yield lambda: asyncio.open_unix_connection(near), process.pid
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def said_back(ends: Ends, words: bytes) -> None:
    reader, writer = ends
    writer.write(words)
    async with asyncio.timeout(SECONDS):
        assert await reader.readexactly(len(words)) == words


async def closed(ends: Ends) -> bytes:
    """What still comes until the other side has closed."""
    reader, writer = ends
    async with asyncio.timeout(SECONDS):
        rest = await reader.read()
    writer.close()
    return rest


async def test_a_target_that_dies_ends_it(relayed: Bench, target: Sshd) -> None:
    async with forwarding(relayed) as (connect, _):
        ends = await connect()
        await said_back(ends, b"words")
        for pid in reversed(descendants(target.process.pid)):
            os.kill(pid, signal.SIGKILL)
        assert await closed(ends) == b""
    (found,) = [each for each in only(await relayed.recording(), ChannelClosed) if each.output_bytes]
    assert (found.input_bytes, found.output_bytes) == (5, 5)


async def test_a_client_that_is_killed_ends_it_at_the_target(relayed: Bench) -> None:
    gone = asyncio.Event()

    async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await reader.read()
        gone.set()
        writer.close()

    async with forwarding(relayed, waits) as (connect, pid):
        reader, writer = await connect()
        async with asyncio.timeout(SECONDS):
            assert await reader.readexactly(5) == b"hello"
            os.kill(pid, signal.SIGKILL)
            await gone.wait()
        writer.close()
    assert len(only(await relayed.recording(), ChannelOpened)) == 2


async def test_nothing_passes_that_is_not_recorded(relayed: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither way, once the recorder has failed."""
    heard: list[bytes] = []

    async def listens(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            heard.append(data)
            writer.write(data)
        writer.close()

    def fails(*frames: object) -> None:
        raise RecorderFailed("no disk")

    async with forwarding(relayed, listens) as (connect, _):
        ends = await connect()
        await said_back(ends, b"before")
        monkeypatch.setattr(relayed.acceptor.recorders[0], "record", fails)
        ends[1].write(b"after")
        ends[1].write_eof()
        assert await closed(ends) == b""
        assert b"".join(heard) == b"before"


async def test_who_does_not_read_is_not_read_for(relayed: Bench) -> None:
    """Either way: what nobody takes waits where it comes from, and not in our memory."""
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        with suppress(OSError):  # the client has gone
            while True:
                writer.write(bytes(65536))
                await writer.drain()
                sent += 65536

    async with forwarding(relayed, endless) as (connect, _):
        reader, writer = await connect()
        assert await stands(lambda: sent, MOST_UNDERWAY) <= MOST_UNDERWAY
        for _ in range(200):
            await reader.readexactly(65536)
        writer.close()


async def test_what_the_rule_refuses_is_marked(relayed: Bench) -> None:
    async def nowhere(host: str, port: int, target: TargetConnection) -> Refused | None:
        return Refused("forward.host", "Not there.")

    relayed.acceptor.rule = nowhere
    done = await relayed.run(*relayed.ssh("-W", "[::1]:80"))
    assert (done.status, done.stdout) == (255, b"")
    frames = await relayed.recording()
    assert [each.text for each in only(frames, Marker)] == ["channel 1: not forwarded to [::1]:80: Not there."]
    assert only(frames, ChannelOpened) == []
