"""Whoever does not read is not read for: what a client leaves lying waits at the target, and not in our memory."""

import asyncio
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from struct import Struct

import asyncssh
import pytest
from asyncssh.constants import MSG_KEXINIT, MSG_REQUEST_SUCCESS
from asyncssh.packet import SSHPacket

from onepam.domain.sessions.ends import SessionEnd
from onepam.protocols.ssh import connections
from onepam.protocols.ssh.connections import Brake, PersonConnection, TargetConnection
from onepam.recording.frames import FileOperation
from onepam.recording.sftp import MAX_PENDING, Sftp
from tests.gateway_process import elsewhere, started
from tests.protocols.ssh.conftest import SECONDS, Bench
from tests.protocols.ssh.test_relay import client, only
from tests.targets import Sshd, descendants

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024
MOST_UNDERWAY = 64 * MIB
"""Windows of both sides, both transports, and what four kernels' socket buffers hold (6 MiB each, at most)."""

STEADY_LOOKS = 20

_U32 = Struct(">I")


def written(pid: int) -> int:
    """Bytes that a process has written so far."""
    found = re.search(r"^wchar: (\d+)$", Path(f"/proc/{pid}/io").read_text(encoding="ascii"), re.MULTILINE)
    assert found is not None
    return int(found[1])


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) * 1024


async def running(name: str, target: Sshd) -> int:
    """The one program of that name at a target: its shell says that it is ready before it becomes the program."""
    async with asyncio.timeout(SECONDS):
        while True:
            names = {pid: _name(pid) for pid in descendants(target.process.pid)}
            if name in names.values():
                (pid,) = [pid for pid, each in names.items() if each == name]
                return pid
            await asyncio.sleep(0.05)


def _name(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip()
    except FileNotFoundError:  # it ended meanwhile
        return None


async def stands(look: Callable[[], int], most: int) -> int:
    """What is seen once it grows no more, or has grown beyond what may be."""
    last, looks = -1, 0
    async with asyncio.timeout(SECONDS):
        while looks < STEADY_LOOKS and last <= most:
            await asyncio.sleep(0.1)
            now = look()
            last, looks = now, looks + 1 if now == last else 0
    return last


async def test_a_target_is_not_read_while_the_client_does_not_read(tmp_path: Path) -> None:
    with elsewhere(tmp_path) as (gateway, egress):
        await gateway.record(gateway.resource("web-1"))
        process = started(tmp_path, egress=egress)
        gateway.platform.ssh_port = process.ssh_port
        person = await gateway.person()
        before = memory(process.popen.pid)
        session = await gateway.working(person, "echo ready; exec cat /dev/urandom")
        session.send_signal(signal.SIGSTOP)
        source = await running("cat", gateway.target)
        underway = await stands(lambda: written(source), MOST_UNDERWAY)
        assert underway <= MOST_UNDERWAY
        (recording,) = gateway.platform.recordings.glob("*.rec")
        assert recording.stat().st_size <= MOST_UNDERWAY, "recorded is what was read"
        assert memory(process.popen.pid) - before <= MOST_UNDERWAY
        session.send_signal(signal.SIGCONT)
        assert session.stdout is not None
        async with asyncio.timeout(SECONDS):
            await session.stdout.readexactly(underway + MIB)  # it goes on, from where it was
        session.kill()
        await asyncio.gather(session.communicate(), gateway.ended(person))
        await asyncio.to_thread(process.stop)


async def test_a_client_is_not_read_while_its_transfer_waits_for_answers(
    relayed: Bench, target: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks for more than may wait, of a target that sleeps; then every answer comes."""
    taken, asked_of = 0, Sftp.asked

    def asking(sftp: Sftp, data: bytes, at: int) -> list[FileOperation]:
        nonlocal taken
        taken += len(data)
        return asked_of(sftp, data, at)

    monkeypatch.setattr(Sftp, "asked", asking)
    (tmp_path / "file").write_bytes(b"x")
    asked = 5 * MAX_PENDING // 4
    async with (
        await client(relayed) as connection,
        connection.create_process(subsystem="sftp", encoding=None) as process,
    ):

        async def answer() -> bytes:
            (size,) = _U32.unpack(await process.stdout.readexactly(_U32.size))
            return bytes(await process.stdout.readexactly(size))

        def ask(kind: int, *fields: bytes) -> None:
            body = bytes((kind,)) + b"".join(fields)
            process.stdin.write(_U32.pack(len(body)) + body)

        def text(data: bytes) -> bytes:
            return _U32.pack(len(data)) + data

        ask(1, _U32.pack(3))
        assert (await answer())[0] == 2  # SSH_FXP_VERSION
        ask(3, _U32.pack(0), text(os.fsencode(tmp_path / "file")), _U32.pack(1), _U32.pack(0))
        handle = (await answer())[5:]  # SSH_FXP_HANDLE: its id, the handle with its length
        sleeping = descendants(target.process.pid)
        for pid in sleeping:
            os.kill(pid, signal.SIGSTOP)
        try:
            sent = asked * len(b"size" + b"\x05" + b"id__" + handle + bytes(8) + b"size")
            for number in range(1, asked + 1):
                ask(5, _U32.pack(number), handle, bytes(8), _U32.pack(1))
            assert await stands(lambda: taken, sent) < sent, "the rest was not read"
            assert not process.is_closing()
        finally:
            for pid in sleeping:
                os.kill(pid, signal.SIGCONT)
        async with asyncio.timeout(SECONDS):
            for _ in range(asked):
                assert (await answer())[0] == 103  # SSH_FXP_DATA
        process.stdin.write_eof()
        await process.wait()
    read = [each for each in only(await relayed.recording(), FileOperation) if each.operation == "read"]
    assert [each.outcome for each in read] == ["unfinished"]


def test_whoever_comes_to_a_full_connection_hears_it_at_once() -> None:
    """Else a channel that is opened during a key exchange would not be braked."""
    brake, told = Brake(), list[bool]()
    brake.set(True)
    brake.subscribe(told.append)
    brake.set(False)
    assert told == [True, False]


async def test_a_target_is_not_read_while_the_client_leaves_a_key_exchange_unfinished(
    relayed: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data waits for the new keys in asyncssh, which takes any amount."""
    async with await client(relayed) as connection, asyncio.timeout(SECONDS):
        got = 0

        class Counts(asyncssh.SSHClientSession[bytes]):
            def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
                nonlocal got
                got += len(data)

        await connection.create_session(Counts, "cat /dev/zero", encoding=None, window=(1 << 32) - 1)
        while not got:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
        person, held = relayed.acceptor.relays[0].person, list[tuple[int, int, SSHPacket]]()

        def hold(_: object, kind: int, number: int, packet: SSHPacket) -> None:
            held.append((kind, number, packet))

        monkeypatch.setattr(connection, "_packet_handlers", {**connection._packet_handlers, MSG_KEXINIT: hold})
        connection._send_kexinit()
        connection._kexinit_sent = True

        def deferred() -> int:
            return sum(len(piece) for _, pieces in person._deferred_packets for piece in pieces)

        while not held:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
        assert person.brake.full
        assert await stands(deferred, 4 * MIB) <= 4 * MIB
        before = got
        await connection._process_kexinit(*held[0])
        while got < before + 4 * MIB:  # noqa: ASYNC110 - it goes on
            await asyncio.sleep(0.01)
        assert not person._deferred_packets
        connection.abort()


@pytest.mark.parametrize("which", ["client", "target"])
async def test_whoever_goes_on_asking_in_a_key_exchange_of_their_own_is_cut(
    relayed: Bench, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    """What would answer is kept up to a bound, and the connection's end has its reason."""
    monkeypatch.setattr(connections, "MOST_DEFERRED", 200)
    async with asyncio.timeout(SECONDS):
        connection = await client(relayed)
        await connection.create_process("cat")
        relay = relayed.acceptor.relays[0]
        stalled = relay.person if which == "client" else await relay.target
        assert isinstance(stalled, PersonConnection | TargetConnection)
        stalled._send_kexinit()  # ours; theirs does not come
        stalled._kexinit_sent = True
        seen = list[tuple[int, SessionEnd]]()
        for _ in range(201):
            stalled.send_packet(MSG_REQUEST_SUCCESS)
            seen.append((len(stalled._deferred_packets), stalled.left))
        assert [kept for kept, _ in seen] == [*range(1, 201), 0]
        assert [left is SessionEnd.KEYS_STALLED for _, left in seen] == [False] * 200 + [True]
        await stalled.wait_closed()
        connection.abort()
