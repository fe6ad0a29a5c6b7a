"""The relay between the real OpenSSH clients and a real sshd: all that ssh can do, recorded, and nothing else."""

import asyncio
import os
import pty
import signal
import subprocess
import termios
from collections.abc import Callable
from contextlib import suppress
from fcntl import ioctl
from hashlib import sha256
from pathlib import Path
from struct import pack
from typing import TypeVar

import asyncssh
import pytest

from onepam.protocols.ssh import relay as relay_module
from onepam.recording.asciicast import export
from onepam.recording.frames import (
    ChannelClosed,
    ChannelOpened,
    Frame,
    Input,
    Omitted,
    Output,
    Resize,
    Stream,
    TypedInput,
)
from onepam.recording.volume import HEAD_BYTES, TAIL_BYTES
from tests.protocols.ssh.conftest import SECONDS, Bench
from tests.targets import Sshd

pytestmark = pytest.mark.anyio

F = TypeVar("F", bound=Frame)


def only(frames: list[Frame], kind: type[F]) -> list[F]:
    return [frame for frame in frames if isinstance(frame, kind)]


def shown(frames: list[Frame], stream: Stream = Stream.STDOUT) -> bytes:
    return b"".join(frame.data for frame in only(frames, Output) if frame.stream == stream)


async def until(holds: Callable[[], bool], seconds: float = 0.02) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110 - nobody else knows
            await asyncio.sleep(seconds)


async def client(relayed: Bench) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        "127.0.0.1", relayed.acceptor.port, username="person", client_keys=[str(relayed.folder / "person")],
        known_hosts=None, config=None, agent_path=None,
    )  # fmt: skip


async def test_a_command_with_both_outputs_and_its_status(relayed: Bench) -> None:
    done = await relayed.run(*relayed.ssh("echo out; echo err >&2; exit 3"))
    assert (done.status, done.stdout, done.stderr) == (3, b"out\n", b"err\n")
    frames = await relayed.recording()
    assert (shown(frames), shown(frames, Stream.STDERR)) == (b"out\n", b"err\n")
    opened, closed = only(frames, ChannelOpened)[0], only(frames, ChannelClosed)[0]
    assert (opened.kind, opened.command) == ("exec", "echo out; echo err >&2; exit 3")
    assert (closed.status, closed.signal, closed.input_bytes) == (3, None, 0)


async def test_a_command_that_a_signal_ended(relayed: Bench) -> None:
    assert (await relayed.run(*relayed.ssh("kill -TERM $$"))).status == 255
    assert only(await relayed.recording(), ChannelClosed)[0].signal == "TERM"


async def test_a_command_of_other_bytes_arrives_as_it_was_sent(relayed: Bench) -> None:
    command = os.fsdecode(b"printf '\xff\xfe' | od -An -tx1")
    assert (await relayed.run(*relayed.ssh(command))).stdout.split() == [b"ff", b"fe"]
    assert only(await relayed.recording(), ChannelOpened)[0].command.startswith("base64:")


async def test_input_sent_at_once_is_not_lost_and_its_digest_is_recorded(relayed: Bench) -> None:
    content = os.urandom(5_000_000)
    done = await relayed.run(*relayed.ssh("sha256sum; echo after the end of input"), stdin=content)
    assert done.stdout.split()[0].decode() == sha256(content).hexdigest()
    assert b"after the end of input" in done.stdout
    frames = await relayed.recording()
    closed = only(frames, ChannelClosed)[0]
    assert (closed.input_bytes, closed.input_sha256) == (len(content), sha256(content).hexdigest())
    assert sum(frame.count for frame in only(frames, TypedInput)) == len(content)
    assert b"".join(frame.data for frame in only(frames, Input)) == content
    assert not only(frames, Omitted)


async def test_of_much_output_an_excerpt_is_kept_and_all_of_it_is_counted(relayed: Bench) -> None:
    """The person gets every byte; the recording says how many it has not, and the digest of them all."""
    relayed.acceptor.excerpt, size = True, 40_000_000
    done = await relayed.run(*relayed.ssh(f"head -c {size} /dev/urandom; echo warning >&2"))
    assert len(done.stdout) == size
    frames = await relayed.recording()
    kept, omitted = shown(frames), sum(frame.count for frame in only(frames, Omitted))
    assert (kept[:HEAD_BYTES], kept[-TAIL_BYTES:]) == (done.stdout[:HEAD_BYTES], done.stdout[-TAIL_BYTES:])
    assert len(kept) + omitted == size
    assert len(kept) < 2 * HEAD_BYTES
    assert shown(frames, Stream.STDERR) == b"warning\n"
    closed = only(frames, ChannelClosed)[0]
    assert (closed.output_bytes, closed.output_sha256) == (size, sha256(done.stdout).hexdigest())
    assert (closed.error_bytes, closed.error_sha256) == (8, sha256(b"warning\n").hexdigest())
    (recorded,) = await relayed.acceptor.finished()
    assert recorded.counts["omitted_bytes"] == omitted


async def test_a_terminal_is_kept_whole(relayed: Bench) -> None:
    relayed.acceptor.excerpt = True
    await relayed.run(*relayed.ssh("-tt", "head -c 3000000 /dev/zero | tr '\\0' x"))
    frames = await relayed.recording()
    assert shown(frames) == b"x" * 3_000_000
    assert only(frames, ChannelClosed)[0].output_sha256 is None


async def test_both_ways_at_once(relayed: Bench) -> None:
    content = os.urandom(3_000_000)
    assert (await relayed.run(*relayed.ssh("cat"), stdin=content)).stdout == content
    assert shown(await relayed.recording()) == content


async def test_input_goes_on_after_the_target_has_closed_its_output(relayed: Bench, tmp_path: Path) -> None:
    content = os.urandom(1_000_000)
    out = tmp_path / "out"
    done = await relayed.run(*relayed.ssh(f"exec >&- 2>&-; cat > {out}"), stdin=content)
    assert (done.status, out.read_bytes()) == (0, content)


async def test_the_status_of_a_command_that_ends_its_output_first(relayed: Bench) -> None:
    """A client that shares its connection closes the channel once both sides are at their end, status or not."""
    shared = ["-o", f"ControlPath={relayed.folder}/shared"]
    master = await asyncio.create_subprocess_exec(
        *relayed.ssh()[:1], *shared, "-MN", *relayed.ssh()[1:], stdin=subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(20):
            while not (relayed.folder / "shared").exists():  # noqa: ASYNC110 - another program makes the file
                await asyncio.sleep(0.05)
        command = "exec <&- >&- 2>&-; sleep 0.3; exit 7"
        done = await relayed.run(*relayed.ssh()[:1], *shared, *relayed.ssh(command)[1:], stdin=b"")
        assert done.status == 7
    finally:
        master.terminate()
        await master.wait()


async def test_a_terminal_with_its_size_typed_input_and_echo(relayed: Bench) -> None:
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, pack("HHHH", 33, 101, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *relayed.ssh("-tt", "stty size; read line; stty size; exit 4"),
        stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True, preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    seen = await _until(ours, b"33 101")
    ioctl(ours, termios.TIOCSWINSZ, pack("HHHH", 50, 132, 0, 0))
    process.send_signal(signal.SIGWINCH)
    await asyncio.sleep(0.3)
    os.write(ours, b"typed\n")
    seen += await _until(ours, b"50 132")
    assert b"typed" in seen
    assert await process.wait() == 4
    os.close(ours)
    frames = await relayed.recording()
    opened = only(frames, ChannelOpened)[0]
    assert (opened.kind, opened.columns, opened.rows) == ("pty", 101, 33)
    assert (132, 50) in {(frame.columns, frame.rows) for frame in only(frames, Resize)}
    assert sum(frame.count for frame in only(frames, TypedInput)) == len(b"typed\n")
    assert only(frames, ChannelClosed)[0].input_sha256 is None
    cast = list(export(frames, 1))
    assert b'"r", "132x50"' in b"".join(cast)
    assert cast[-1].endswith(b'"x", "4"]\n')


async def _until(fd: int, wanted: bytes) -> bytes:
    seen = b""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(SECONDS):
        while wanted not in seen:
            seen += await loop.run_in_executor(None, os.read, fd, 4096)
    return seen


async def test_a_login_shell_without_a_command(relayed: Bench) -> None:
    done = await relayed.run(*relayed.ssh("-T"), stdin=b"echo shell $0; exit 7\n")
    assert done.status == 7
    assert b"shell" in done.stdout
    assert only(await relayed.recording(), ChannelOpened)[0].command == ""


async def test_only_admitted_environment_is_kept(relayed: Bench) -> None:
    environment = {"LANG": "C.UTF-8", "LD_PRELOAD": "/evil.so", "LC_ALL": "C", "LC_TIME": "x" * 5000, "TZ": "UTC\0"}
    environment |= {f"LC_{chr(65 + n // 26)}{chr(65 + n % 26)}": "C" for n in range(80)}
    async with await client(relayed) as connection:
        process = await connection.create_process("cat", env=environment)
        (channel,) = relayed.acceptor.relays[0]._open
        assert channel._near is not None
        kept = channel._near.get_environment_bytes()
        assert kept[b"LANG"] == b"C.UTF-8"
        assert not {b"LD_PRELOAD", b"LC_TIME", b"TZ"} & kept.keys()
        assert len(kept) == 64
        process.stdin.write_eof()
        assert (await process.wait()).exit_status == 0


async def test_a_client_that_does_not_read_stops_the_target(relayed: Bench) -> None:
    size = 64 * 1024 * 1024
    process = subprocess.Popen(relayed.ssh(f"head -c {size} /dev/zero"), stdout=subprocess.PIPE)
    assert process.stdout is not None
    await until(lambda: bool(relayed.acceptor.recorders))
    recorder = relayed.acceptor.recorders[0]
    seen = [-1]

    def still() -> bool:
        seen.append(recorder._sealer.counts["bytes"])
        return seen[-1] == seen[-2] > 0

    await until(still, 0.3)
    assert seen[-1] < 16 * 1024 * 1024
    loop = asyncio.get_running_loop()
    assert len(await loop.run_in_executor(None, process.stdout.read)) == size
    assert await loop.run_in_executor(None, process.wait) == 0
    await relayed.recording()
    assert relayed.acceptor.recorded[0].counts["bytes"] == size


async def test_a_client_that_leaves_ends_the_command(relayed: Bench, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    process = subprocess.Popen(relayed.ssh(f"echo $$ > {pid}; exec yes"), stdout=subprocess.PIPE)
    assert process.stdout is not None
    await asyncio.get_running_loop().run_in_executor(None, process.stdout.read, 100_000)
    process.kill()
    process.wait()
    await relayed.recording()
    await until(lambda: not _lives(int(pid.read_text())))


def _lives(pid: int) -> bool:
    with suppress(OSError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return False


async def test_several_channels_of_one_connection(relayed: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "MAX_CHANNELS", 3)
    async with await client(relayed) as connection:
        results = await asyncio.gather(*(connection.run(f"echo {number}") for number in range(3)))
        assert [result.stdout for result in results] == ["0\n", "1\n", "2\n"]
        processes = [await connection.create_process("cat") for _ in range(3)]
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_process("cat")
        for process in processes:
            process.stdin.write_eof()
            await process.wait()
    frames = await relayed.recording()
    assert [frame.channel for frame in only(frames, ChannelOpened)] == [1, 2, 3, 4, 5, 6]
    assert len(only(frames, ChannelClosed)) == 6


async def test_what_is_not_admitted_is_refused(relayed: Bench, target: Sshd) -> None:
    assert (await relayed.run(*relayed.ssh("-s", "unheard-of"))).status != 0
    done = await relayed.run(*relayed.ssh("-W", f"127.0.0.1:{target.port}"))
    assert (done.status, done.stdout) == (255, b"")
    done = await relayed.run(*relayed.ssh("-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1", "true"))
    assert done.status == 255
    async with await client(relayed) as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_unix_connection("/run/some.sock")
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.start_unix_server(lambda: None, "/tmp/refused.sock")
        for channel_type in (b"x11", b"auth-agent@openssh.com", b"tun@openssh.com", b"unheard-of"):
            forward = asyncssh.channel.SSHForwardChannel(
                connection, asyncio.get_running_loop(), None, "strict", 65536, 32768
            )
            with pytest.raises(asyncssh.ChannelOpenError):
                await forward._open(channel_type, b"\0\0\0\0", b"\0\0\0\0")
        assert await connection._make_global_request(b"unheard-of") is not None
        shell = asyncssh.SSHClientChannel(
            connection, asyncio.get_running_loop(), "strict", None, "strict", 65536, 32768
        )
        await shell._open(b"session")
        assert not await shell._make_request(b"auth-agent-req@openssh.com")
        screen = b"\0" + b"\0\0\0\x12MIT-MAGIC-COOKIE-1" + b"\0\0\0\x02ab" + b"\0\0\0\0"
        assert not await shell._make_request(b"x11-req", screen)
        assert not await shell._make_request(b"unheard-of")
        assert not await shell._make_request(b"exec", b"\0\0\0\0")


@pytest.mark.parametrize(
    ("kinds", "arguments", "admitted"),
    [
        ({"exec"}, ["true"], True),
        ({"exec"}, ["-T"], False),
        ({"pty"}, ["true"], False),
        ({"pty"}, ["-tt", "true"], False),
        ({"sftp"}, ["true"], False),
        ({"pty", "exec"}, ["-s", "sftp"], False),
        ({"sftp"}, ["-s", "sftp"], True),
    ],
)
async def test_only_what_the_permit_allows(
    relayed: Bench, kinds: set[str], arguments: list[str], admitted: bool
) -> None:
    relayed.acceptor.kinds = frozenset(kinds)  # type: ignore[arg-type]
    done = await relayed.run(*relayed.ssh(*arguments))
    assert (done.status == 0) is admitted
    assert len(only(await relayed.recording(), ChannelOpened)) == admitted


async def test_aborting_the_relay_ends_the_client_at_once(relayed: Bench) -> None:
    process = subprocess.Popen(relayed.ssh("echo up; sleep 60"), stdout=subprocess.PIPE)
    assert process.stdout is not None
    loop = asyncio.get_running_loop()
    assert await loop.run_in_executor(None, process.stdout.readline) == b"up\n"
    relayed.acceptor.relays[0].abort()
    assert await loop.run_in_executor(None, process.wait, 30) == 255, "its command would have gone on for 60 s"
    assert only(await relayed.recording(), ChannelClosed)[0].status is None


async def test_a_recorder_that_fails_ends_the_session(relayed: Bench) -> None:
    relayed.acceptor.disk_bytes = 200_000
    done = await relayed.run(*relayed.ssh("head -c 3000000 /dev/urandom"))
    assert done.status == 255
    assert len(done.stdout) < 300_000
    (recorded,) = await relayed.acceptor.finished()
    assert "disk that holds the recordings is full" in recorded.problem


async def test_a_target_that_dies_is_told(relayed: Bench, target: Sshd) -> None:
    process = subprocess.Popen(relayed.ssh("echo up; sleep 60"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    loop = asyncio.get_running_loop()
    assert await loop.run_in_executor(None, process.stdout.readline) == b"up\n"
    children = Path(f"/proc/{target.process.pid}/task/{target.process.pid}/children").read_text(encoding="ascii")
    for pid in children.split():  # the server's processes, not what they run: they get no chance to say good-bye
        os.kill(int(pid), signal.SIGKILL)
    _, stderr = await loop.run_in_executor(None, process.communicate)
    assert process.returncode == 255
    assert b"onepam: the connection to the target was lost" in stderr
