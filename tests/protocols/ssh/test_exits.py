"""How a command ended: status or signal come at once, behind its output and before what the target sent after them."""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import pytest
from asyncssh.constants import MSG_CHANNEL_CLOSE, MSG_CHANNEL_DATA, MSG_CHANNEL_EOF, MSG_CHANNEL_REQUEST
from asyncssh.packet import Boolean, String, UInt32

from onepam.recording.frames import ChannelClosed
from tests.protocols.ssh.conftest import SECONDS, Bench
from tests.protocols.ssh.test_paramiko import connected, through
from tests.protocols.ssh.test_relay import only, until
from tests.protocols.ssh.test_signals import hearing

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024

Target = Callable[[asyncssh.SSHServerProcess[str]], Any]

STATUS = (b"exit-status", UInt32(2))
SIGNAL = (b"exit-signal", String("TERM"), Boolean(False), String("enough"), String(""))

LIBSSH2 = """
import socket, sys
from ssh2.session import Session

port, key = sys.argv[1:]
session = Session()
session.handshake(socket.create_connection(("127.0.0.1", int(port))))
session.userauth_publickey_fromfile("person", key)
for _ in range(20):
    channel = session.open_session()
    channel.execute("any")
    while channel.read()[0] > 0:
        pass
    channel.close()
    print(channel.get_exit_status())
"""


def ending(*steps: str, told: tuple[bytes, ...] = STATUS) -> Target:
    """A target's command that says a word and then ends in these steps, each a packet."""

    async def process(process: asyncssh.SSHServerProcess[str]) -> None:
        process.stdout.write("word")
        channel: Any = process.channel
        for step in steps:
            if step == "end":
                channel._send_request(*told)
            elif step == "eof":
                channel.write_eof()
        channel.close()

    return process


WORDS = {MSG_CHANNEL_DATA: "data", MSG_CHANNEL_REQUEST: "end", MSG_CHANNEL_EOF: "eof", MSG_CHANNEL_CLOSE: "close"}


def watched(transport: Any) -> list[str]:
    """What comes for the channels of a paramiko client, in its order."""
    came: list[str] = []

    def watching(kind: int, handle: Callable[..., Any]) -> Callable[..., Any]:
        def heard(*arguments: Any) -> Any:
            came.append(WORDS.get(kind, ""))
            return handle(*arguments)

        return heard

    handlers = transport._channel_handler_table
    transport._channel_handler_table = {
        kind: watching(kind, handle) if kind in WORDS else handle for kind, handle in handlers.items()
    }
    return came


@pytest.mark.parametrize("told", [STATUS, SIGNAL], ids=["status", "signal"])
@pytest.mark.parametrize("steps", [("end", "eof"), ("eof", "end"), ("end",)], ids="-".join)
async def test_the_order_is_the_targets(relayed: Bench, steps: tuple[str, ...], told: tuple[bytes, ...]) -> None:
    def run(client: paramiko.SSHClient) -> list[str]:
        transport = client.get_transport()
        assert transport is not None
        came = watched(transport)
        channel = transport.open_session()
        channel.exec_command("any")
        while channel.recv(100):
            pass
        for _ in range(SECONDS * 20):
            if "close" in came:
                break
            time.sleep(0.05)
        return came

    async with hearing(relayed, ending(*steps, told=told)):
        assert await through(relayed, run) == ["data", *steps, "close"]


async def test_libssh2_reads_to_the_end_and_asks_for_the_status(relayed: Bench) -> None:
    """As its own examples do: what comes behind the end of the output is too late for it."""
    async with hearing(relayed, ending("end", "eof")):
        arguments = (str(relayed.acceptor.port), str(relayed.folder / "person"))
        done = await relayed.run(sys.executable, "-c", LIBSSH2, *arguments)
    assert (done.status, done.stdout.split()) == (0, [b"2"] * 20), done.stderr


async def test_the_status_does_not_wait_for_who_holds_the_output_open(relayed: Bench, tmp_path: Path) -> None:
    def run(client: paramiko.SSHClient) -> int:
        wait = f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"
        _, stdout, _ = client.exec_command(f"({wait}; echo late) & exit 2")
        assert stdout.channel.status_event.wait(SECONDS)
        (tmp_path / "go").touch()
        assert stdout.read() == b"late\n"
        return int(stdout.channel.recv_exit_status())

    assert await through(relayed, run) == 2
    assert only(await relayed.recording(), ChannelClosed)[0].status == 2


@pytest.mark.parametrize(("last", "status"), [("exit 2", 2), ("kill -TERM $$", -1)])
async def test_the_status_waits_behind_output_that_nobody_reads(relayed: Bench, last: str, status: int) -> None:
    """Held by the client's window, then by ours to the target: only after all of it comes how the command ended."""
    loop = asyncio.get_running_loop()

    async def target_told() -> None:
        await until(lambda: bool(relayed.acceptor.relays) and bool(relayed.acceptor.relays[0]._open))
        relay = next(iter(relayed.acceptor.relays[0]._open))
        await until(
            lambda: relay._far is not None and (relay._far._exit_status, relay._far._exit_signal) != (None, None)
        )

    def run() -> tuple[int, bool, int]:
        with connected(relayed) as client:
            transport = client.get_transport()
            assert transport is not None
            channel = transport.open_session(window_size=32768)
            channel.exec_command(f"head -c {MIB} /dev/zero; {last}")
            asyncio.run_coroutine_threadsafe(target_told(), loop).result(SECONDS)
            early, size = channel.exit_status_ready(), 0
            while data := channel.recv(65536):
                size += len(data)
            return size, early, channel.recv_exit_status()

    assert await asyncio.to_thread(run) == (MIB, False, status)
