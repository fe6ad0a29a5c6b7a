"""Many sessions that end in every way at once, with every system call watched: nobody uses what has ended.

`strace` sees the descriptors. asyncio sends on sockets with `sendto`, SQLite uses `pwrite64`; so whatever `write` puts
into a socket, or has the form of a recording's record anywhere but in a recording, went to a descriptor of somebody
else, and whatever gets EBADF used a number that was nobody's. That each recording is whole, the ledger's heads say.
"""

import asyncio
import random
import re
import signal
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from onepam.domain.sessions.events import KillOrdered, SessionClosed, SessionOpened
from onepam.recording.open import Reader
from onepam.recording.seal import RECORD, Head
from tests.gateway_fixture import Gateway, Person, outcome
from tests.gateway_process import Process, elsewhere, started

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(1800)]

AT_ONCE = 24
"""Sign-ins at a time; the sessions run all at once."""

PATIENCE_SECONDS = 300.0
SIZES = [
    pytest.param(15, id="15"),
    pytest.param(200, id="200", marks=pytest.mark.conformance),
]
MOMENTS = [
    pytest.param(8, id="8"),
    pytest.param(100, id="100", marks=pytest.mark.conformance),
]
_WRITE = re.compile(rb'write\(\d+<(.*?)>, "((?:\\x[0-9a-f]{2})*)"')
_LENGTH = re.compile(rb", (\d+)(?:\)| <unfinished)")


def tracer(trace: Path) -> list[str]:
    """Traces the platform and its children from the first call on; the platform is our own child all the same."""
    calls = "write,pwrite64,writev,close,fsync,fdatasync"
    return ["strace", "-D", "-f", "-qq", "-yy", "-xx", "-s", "8", "-e", f"trace={calls}", "-o", str(trace)]


def plain(text: bytes) -> bytes:
    """What strace writes in hexadecimal, where it does."""
    return bytes.fromhex(text.replace(b"\\x", b"").decode("ascii")) if text.startswith(b"\\x") else text


def misuses(trace: Path) -> list[bytes]:
    """The calls that used a descriptor of somebody else, or of nobody."""
    found = []
    for line in trace.read_bytes().splitlines():
        if b"= -1 EBADF" in line:
            found.append(line)
        if (call := _WRITE.search(line)) is None or (into := plain(call[1])).endswith(b".rec"):
            continue
        written, length = plain(call[2]), _LENGTH.search(line, call.end())
        record = struct.unpack(">BI", written[: RECORD.size]) if len(written) >= RECORD.size else (9, 0)
        if into.startswith(b"TCP") or (length and record == (record[0] & 1, int(length[1]) - RECORD.size)):
            found.append(line)
    return found


def test_the_watch_sees_what_it_is_for(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    kept = b'7 write(9</d/ses_a.rec>, "\\x00\\x00\\x00\\x00\\x13\\xaa\\xaa\\xaa"..., 24) = 24\n'
    socket = kept.replace(b"/d/ses_a.rec", b"TCP:[127.0.0.1:22->127.0.0.1:9]").replace(b" = 24", b" <unfinished ...>")
    stranger, closed = kept.replace(b"ses_a.rec", b"other"), b"7 close(9) = -1 EBADF (Bad file descriptor)\n"
    text = b'7 write(9</d/other>, "\\x6f\\x6e\\x65\\x70\\x61\\x6d"..., 24) = 24\n'
    trace.write_bytes(kept + text + socket + stranger + closed)
    assert misuses(trace) == [each.rstrip() for each in (socket, stranger, closed)]


class Crowd:
    """Clients of one traced gateway."""

    def __init__(self, gateway: Gateway, person: Person) -> None:
        self.gateway = gateway
        self.person = person
        self._door = asyncio.Semaphore(AT_ONCE)

    async def enter(self, command: str, *, begun: bool = True) -> asyncio.subprocess.Process:
        """A client in a session whose command has begun; else one whose session may have ended before that."""
        async with self._door:
            process = await self.gateway.start(*self.gateway.ssh(self.person, f"echo ready; {command}"))
            assert process.stdout is not None
            async with asyncio.timeout(PATIENCE_SECONDS):
                first = await process.stdout.readline()
            if begun and first != b"ready\n":
                raise AssertionError((first, (await outcome(process)).stderr))
            return process

    async def leave(self, process: asyncio.subprocess.Process) -> None:
        """The client dies, as with `timeout 2 ssh …`."""
        process.send_signal(signal.SIGTERM)
        await outcome(process, None)

    async def stay(self, process: asyncio.subprocess.Process, lines: int) -> None:
        """A bystander: every line of its command comes, and its status."""
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            rest = await process.stdout.read()
            status = await process.wait()
        assert (rest.split(), status) == ([str(number).encode() for number in range(lines)], 7)

    async def all_over(self, count: int) -> dict[str, SessionClosed]:
        """Every session has ended, each once, and its recording is whole and leads to the ledger's head."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.gateway.events(SessionClosed)) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        ends = self.gateway.events(SessionClosed)
        assert len({each.session for each in ends}) == len(ends)
        opened = {each.session for each in self.gateway.events(SessionOpened)}
        assert {each.session for each in ends} == opened
        return {each.session: each for each in ends}

    def verified(self, end: SessionClosed) -> None:
        """Read against the ledger by its own key, to its last byte."""
        data = (self.gateway.platform.recordings / f"{end.session}.rec").read_bytes()
        head = Head(end.chunks, bytes.fromhex(end.head))
        reader = Reader([data], self.gateway.platform.recording_key(end.session), head, final=True)
        for _ in reader:
            pass
        assert (reader.gap, dict(reader.counts), end.verified, end.gap) == (None, dict(end.counts), True, None)


async def traced(folder: Path, play: Callable[[Crowd, Process], Awaitable[None]]) -> None:
    trace = folder / "trace"
    with elsewhere(folder) as (gateway, egress):
        process = started(folder, tracer(trace), egress=egress)
        gateway.platform.ssh_port = process.ssh_port
        try:
            await gateway.record(gateway.resource("web-1"))
            await play(Crowd(gateway, await gateway.person()), process)
        finally:
            if process.popen.poll() is None:
                await asyncio.to_thread(process.stop)
    assert misuses(trace) == []


@pytest.mark.parametrize("size", SIZES)
async def test_the_abandoned_disturb_nobody(tmp_path: Path, size: int) -> None:
    async def play(crowd: Crowd, process: Process) -> None:
        talk = "for i in $(seq 0 99); do echo $i; sleep 0.1; done; exit 7"
        abandoned, healthy = await asyncio.gather(
            asyncio.gather(*(crowd.enter("while sleep 0.3; do echo .; done") for _ in range(size))),
            asyncio.gather(*(crowd.enter(talk) for _ in range(size))),
        )
        staying = [asyncio.ensure_future(crowd.stay(each, 100)) for each in healthy]
        await asyncio.gather(*(crowd.leave(each) for each in abandoned))
        await asyncio.gather(*staying)
        ends = await crowd.all_over(2 * size)
        for end in ends.values():
            crowd.verified(end)
        assert Counter(each.because for each in ends.values()) == {"client.closed": 2 * size}

    await traced(tmp_path, play)


@pytest.mark.parametrize("side", ["client", "target", "kill", "gateway"])
@pytest.mark.parametrize("moments", MOMENTS)
async def test_whoever_ends_it_and_whenever(tmp_path: Path, side: str, moments: int) -> None:
    """Each session says something thirty times a second and is ended at its own moment; bystanders stay, except of
    their gateway."""
    chance = random.Random(f"{side} {moments}")
    because = {"client": "client.closed", "target": "target.lost", "kill": "killed", "gateway": "gateway.stopped"}

    async def play(crowd: Crowd, process: Process) -> None:
        bystanders = [] if side == "gateway" else [await crowd.enter("seq 0 2; cat; exit 7") for _ in range(3)]
        known = {each.session for each in crowd.gateway.events(SessionOpened)}

        async def one() -> None:
            moment = chance.uniform(0, 2.5)
            ending = f"(sleep {moment:.3f}; kill -9 $PPID) & " if side == "target" else ""
            client = await crowd.enter(f"{ending}while sleep 0.03; do echo .; done", begun=side == "client")
            await asyncio.sleep(moment)
            if side == "client":
                await crowd.leave(client)
            else:
                await outcome(client, None)

        running = [asyncio.ensure_future(one()) for _ in range(moments)]
        if side == "kill":
            await killed(crowd, known, moments, chance)
        elif side == "gateway":
            await asyncio.sleep(1 + chance.uniform(0, 2.5))
            await asyncio.to_thread(process.stop)
        done = await asyncio.gather(*running, return_exceptions=side == "gateway")
        assert len(done) == moments
        for each in bystanders:
            each.stdin.close()  # type: ignore[union-attr]
            await crowd.stay(each, 3)
        opened = len(crowd.gateway.events(SessionOpened))
        ends = await crowd.all_over(opened)
        for end in ends.values():
            crowd.verified(end)
        ended = Counter(each.because for session, each in ends.items() if session not in known)
        assert ended == {because[side]: opened - len(known)}
        assert opened > len(known)

    await traced(tmp_path, play)


async def killed(crowd: Crowd, known: set[str], moments: int, chance: random.Random) -> None:
    """Every new session is ordered to end at its own moment, from its opening on."""
    seen, orders = set(known), list[asyncio.Task[None]]()

    async def order(session: str) -> None:
        await asyncio.sleep(chance.uniform(0.5, 3))
        await crowd.gateway.record(KillOrdered(session, "per_ada"))

    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(orders) < moments:
            for opened in crowd.gateway.events(SessionOpened):
                if opened.session not in seen:
                    seen.add(opened.session)
                    orders.append(asyncio.ensure_future(order(opened.session)))
            await asyncio.sleep(0.05)
    await asyncio.gather(*orders)
