"""SIGKILL in the middle of sessions: the next start closes them and names the gap, and nothing that reached a target or
a person is missing from the recordings."""

import asyncio
import contextlib
import re
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from onepam.domain.history.system import SystemStarted
from onepam.domain.sessions.events import ChunksSealed, SessionClosed, SessionOpened
from onepam.jobs import recovery
from onepam.jobs.verification import verify_entries, verify_state
from onepam.ledger.note import VerifierKey
from onepam.recording.frames import ChannelOpened, Output, TypedInput
from onepam.recording.open import Reader
from onepam.recording.seal import Head
from tests.gateway_fixture import SECONDS, Gateway, Person, outcome, running_gateway
from tests.gateway_process import elsewhere, started

pytestmark = pytest.mark.anyio

ROUNDS = 2
LINES = "i=0; while :; do i=$((i+1)); echo line $i; {pause}; done"


class Flow:
    """One client in the middle of its work, and what has come of it."""

    def __init__(self, person: Person, process: asyncio.subprocess.Process) -> None:
        self.person = person
        self.process = process
        self.shown = b""
        self.task = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while piece := await self.process.stdout.read(65536):
            self.shown += piece

    async def type_lines(self) -> None:
        """Numbered lines, for as long as somebody takes them."""
        assert self.process.stdin is not None
        number = 0
        with contextlib.suppress(ConnectionError):
            while True:
                number += 1
                self.process.stdin.write(b"typed %d\n" % number * 50)
                await self.process.stdin.drain()
                await asyncio.sleep(0.001)


async def flows(gateway: Gateway, kept: Path) -> tuple[list[Flow], list["asyncio.Task[None]"]]:
    commands = [
        ("echo ready; " + LINES.format(pause=":"),),  # as fast as it goes
        ("-tt", "echo ready; " + LINES.format(pause="sleep 0.01")),
        (f"echo ready; cat > {kept}",),
        ("echo ready; cat",),  # both ways
    ]
    found = [Flow(person := await gateway.person(), await gateway.working(person, *each)) for each in commands]
    loop = asyncio.get_running_loop()
    return found, [loop.create_task(flow.type_lines()) for flow in found[2:]]


async def test_a_kill_in_mid_session_loses_nothing(tmp_path: Path) -> None:
    random = Random(3)
    with elsewhere(tmp_path) as (gateway, egress):
        await gateway.record(gateway.resource("web-1"))
        for number in range(ROUNDS):
            process = started(tmp_path, egress=egress)
            gateway.platform.ssh_port = process.ssh_port
            kept = tmp_path / f"kept{number}"
            busy, typing = await flows(gateway, kept)
            await under_way(busy, kept)
            await asyncio.sleep(1.5 * random.random())
            process.kill()
            await asyncio.gather(*typing)
            for flow in busy:
                await flow.task
                assert (await outcome(flow.process, None)).status == 255
            sealed = {each.session: each for event in gateway.events(ChunksSealed) for each in event.heads or ()}
            again = started(tmp_path, egress=egress)
            for flow in busy:
                closed = (await gateway.ended(flow.person))[0]
                assert isinstance(closed, SessionClosed)
                assert (closed.because, closed.verified) == ("gateway.died", False)
                assert closed.gap
                head = sealed.get(closed.session)
                if head is not None:
                    assert closed.chunks >= head.chunk
                    vouched(gateway, closed.session, head.chunk, head.head)
                vouched(gateway, closed.session, closed.chunks, closed.head)
                frames = gateway.recorded(closed.session)
                output = b"".join(frame.data for frame in frames if isinstance(frame, Output))
                assert output.startswith(b"ready")
                assert flow.shown or flow is busy[2]  # which shows nothing more
                assert flow.shown in output
                assert [frame.kind for frame in frames if isinstance(frame, ChannelOpened)]
                if flow is busy[2]:
                    typed = sum(frame.count for frame in frames if isinstance(frame, TypedInput))
                    await settled(kept)
                    assert 0 < kept.stat().st_size <= typed
            await asyncio.to_thread(again.stop)
            verified(gateway)


async def under_way(busy: list[Flow], kept: Path) -> None:
    """Until each client has seen something, and the target has taken something: only then does a kill hit all four."""

    def everywhere() -> bool:
        seen = all(flow.shown for flow in busy if flow is not busy[2])
        return seen and kept.exists() and kept.stat().st_size > 0

    async with asyncio.timeout(SECONDS):
        while not everywhere():  # noqa: ASYNC110 - other processes write
            await asyncio.sleep(0.02)


def vouched(gateway: Gateway, session: str, chunk: int, head: str) -> None:
    """The recording holds this chunk, unaltered: the reader raises otherwise."""
    data = (gateway.platform.recordings / f"{session}.rec").read_bytes()
    key = gateway.platform.recording_key(session)
    assert list(Reader([data], key, Head(chunk, bytes.fromhex(head))))


async def settled(path: Path) -> None:
    """Until the target has written what was on its way."""
    size = -1
    async with asyncio.timeout(10):
        while size != (size := path.stat().st_size):  # noqa: ASYNC110 - another process writes
            await asyncio.sleep(0.2)


def verified(gateway: Gateway) -> None:
    """Every entry against the published log, and every table against the entries."""
    data = gateway.platform.config.data
    key = VerifierKey.parse(gateway.events(SystemStarted)[-1].log_key)
    verdict = verify_entries(gateway.platform.database, data / "log", "onepam.local", [key])
    assert verdict.findings == ()
    assert (verdict.signed or 0) > 0
    assert verify_state(gateway.platform.database) == []


async def test_another_process_closes_what_a_dead_one_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody starts the dead one again; its signer died with it, too."""
    monkeypatch.setattr(recovery, "PERIOD_SECONDS", 0.5)
    async with running_gateway(tmp_path) as gateway:
        other = started(tmp_path, egress=[f"127.0.0.1/32:{gateway.target.port}"])
        own, gateway.platform.ssh_port = gateway.platform.ssh_port, other.ssh_port
        person = await gateway.person()
        client = await gateway.working(person)
        gateway.platform.ssh_port = own
        stays = await gateway.working(person)
        other.kill()
        assert (await outcome(client, None)).status == 255
        closed = (await gateway.ended(person))[0]
        assert isinstance(closed, SessionClosed)
        assert closed.because == "gateway.died"
        assert (await outcome(stays, b"on\n")).stdout == b"on\n"
        assert len(await gateway.ended(person, 2)) == 2


async def test_a_ledger_that_took_the_opening_and_then_died(tmp_path: Path) -> None:
    """Opened, and killed before there was a recording: closed at the next start, and named so."""
    async with running_gateway(tmp_path) as gateway:
        person = await gateway.person()
        assert (await gateway.run(*gateway.ssh(person, "true"))).status == 0
        opened = gateway.events(SessionOpened, person)[0]
        ghost = replace(opened, session="ses_" + "a" * 16, node="nod_" + "a" * 16)
        await gateway.record(ghost)
        dead = gateway.platform.config.data / "nodes" / "7"
        dead.write_text(ghost.node)
        await gateway.platform.recovery.of([ghost.node])
        closed = [each for each in gateway.events(SessionClosed) if each.session == ghost.session]
        assert [(each.because, each.chunks, each.gap) for each in closed] == [
            ("gateway.died", 0, "the recording had not begun")
        ]
        assert re.fullmatch("0{64}", closed[0].head)
