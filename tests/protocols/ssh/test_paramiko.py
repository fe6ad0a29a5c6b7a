"""paramiko, which asks for a whole file at once, and shows what a server answers."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import paramiko
import pytest

from onepam.recording import sftp as recording_sftp
from onepam.recording.frames import FileOperation
from onepam.recording.sftp import Sftp
from tests.protocols.ssh.conftest import Bench
from tests.protocols.ssh.test_relay import only

pytestmark = pytest.mark.anyio

T = TypeVar("T")

MIB = 1024 * 1024
FILE_BYTES = 140 * MIB


@contextmanager
def connected(bench: Bench) -> Iterator[paramiko.SSHClient]:
    with closing(paramiko.SSHClient()) as client:
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect(
            "127.0.0.1", bench.acceptor.port, "person", key_filename=str(bench.folder / "person"), allow_agent=False,
            look_for_keys=False,
        )  # fmt: skip
        yield client


async def through(bench: Bench, use: Callable[[paramiko.SSHClient], T]) -> T:
    """What a paramiko client does, in a thread of its own: the gateway runs in this one."""

    def run() -> T:
        with connected(bench) as client:
            return use(client)

    return await asyncio.to_thread(run)


async def test_a_file_that_is_asked_for_all_at_once(
    relayed: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """140 MiB are 4,480 requests: the gateway reads slower, holds a bounded number of them, and drops nothing."""
    most = 0
    original = Sftp.asked

    def asked(self: Sftp, data: bytes, at: int) -> list[FileOperation]:
        nonlocal most
        recorded = original(self, data, at)
        most = max(most, len(self._pending))
        return recorded

    monkeypatch.setattr(Sftp, "asked", asked)
    monkeypatch.setattr(recording_sftp, "CROWDED", 256)
    with (tmp_path / "large").open("wb") as large:
        large.truncate(FILE_BYTES)
        for offset in range(0, FILE_BYTES, MIB):
            os.pwrite(large.fileno(), offset.to_bytes(8, "big"), offset)
    digest = sha256((tmp_path / "large").read_bytes()).hexdigest()
    await through(relayed, lambda client: client.open_sftp().get(str(tmp_path / "large"), str(tmp_path / "back")))
    assert sha256((tmp_path / "back").read_bytes()).hexdigest() == digest
    read = [each for each in only(await relayed.recording(), FileOperation) if each.operation == "read"]
    (one,) = [each for each in read if each.outcome == "ok"]
    if one.size == FILE_BYTES:
        assert one.sha256 == digest
    else:  # where its asking thread lags behind the answers, paramiko believes that all are there, and asks again
        assert (one.size or 0) > FILE_BYTES
        assert one.sha256 is None
    assert 256 <= most < FILE_BYTES // 32768


async def test_what_ends_a_transfer_is_said_where_the_client_shows_it(
    relayed: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_sftp, "MAX_PATH_BYTES", 100)

    def opens(client: paramiko.SSHClient) -> None:
        client.open_sftp().open(f"{tmp_path}/{'a' * 100}", "w")

    with pytest.raises(OSError, match="onepam: this file transfer cannot be recorded: a name of"):
        await through(relayed, opens)


async def test_a_command_with_input_output_and_status(relayed: Bench) -> None:
    def run(client: paramiko.SSHClient) -> tuple[int, bytes]:
        stdin, stdout, _ = client.exec_command("cat; exit 3")
        stdin.write(b"words")
        stdin.channel.shutdown_write()
        return stdout.channel.recv_exit_status(), stdout.read()

    assert await through(relayed, run) == (3, b"words")
