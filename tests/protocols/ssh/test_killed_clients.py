"""Clients that are killed in the middle of output: what has ended is written to no more."""

import asyncio
from pathlib import Path

import pytest

from onepam.domain.sessions.events import SessionClosed
from tests.gateway_fixture import SECONDS, Person
from tests.gateway_process import elsewhere, started

pytestmark = pytest.mark.anyio

CLIENTS = 20
FLOODS = ("while :; do echo line; done", "cat /dev/zero", "yes >&2")
"""Output in small pieces, in large ones, and by the way that asyncssh itself sends."""


SEEN_BYTES = 100_000


class Flooded:
    """A client that reads its output as it comes."""

    def __init__(self, person: Person, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.person = person
        self.process = process
        self.busy = asyncio.Event()
        self._seen = 0
        self.ends = asyncio.gather(self._read(process.stdout), self._read(process.stderr), process.wait())

    async def _read(self, stream: asyncio.StreamReader) -> None:
        while piece := await stream.read(65536):
            self._seen += len(piece)
            if self._seen >= SEEN_BYTES:
                self.busy.set()


async def test_nothing_is_written_to_a_client_that_was_killed(tmp_path: Path) -> None:
    """asyncio counts what is written to a transport that has ended, and complains in the log."""
    with elsewhere(tmp_path) as (gateway, egress):
        await gateway.record(gateway.resource("web-1"))
        process = started(tmp_path, egress=egress)
        gateway.platform.ssh_port = process.ssh_port
        clients: list[Flooded] = []
        for number in range(CLIENTS):
            person = await gateway.person()
            command = f"echo ready; read line; {FLOODS[number % len(FLOODS)]}"
            clients.append(Flooded(person, await gateway.working(person, command)))
        async with asyncio.timeout(SECONDS):
            for client in clients:
                assert client.process.stdin is not None
                client.process.stdin.write(b"go\n")
                await client.busy.wait()
                client.process.kill()
                await client.ends
        ends = [(await gateway.ended(client.person))[0] for client in clients]
        await asyncio.to_thread(process.stop)
        assert [each.because for each in ends if isinstance(each, SessionClosed)] == ["client.closed"] * CLIENTS
        (log,) = tmp_path.glob("log-*")
        lines = log.read_text("utf-8").splitlines()
        assert [line for line in lines if " asyncio: " in line or "socket.send" in line] == []
