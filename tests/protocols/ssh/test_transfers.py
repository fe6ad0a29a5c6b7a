"""File transfers of the real clients through the relay: every operation is recorded with its digest."""

import os
from hashlib import sha256
from pathlib import Path

import pytest

from onepam.recording.frames import ChannelClosed, ChannelOpened, FileOperation, Frame, Output
from tests.protocols.ssh.conftest import Bench
from tests.protocols.ssh.test_relay import only

pytestmark = pytest.mark.anyio


def operations(frames: list[Frame]) -> list[tuple[str, str, str]]:
    return [(each.operation, Path(each.path).name, each.outcome) for each in only(frames, FileOperation)]


async def test_sftp_records_every_operation_with_its_digest(relayed: Bench, tmp_path: Path) -> None:
    content = os.urandom(700_001)
    (tmp_path / "local").write_bytes(content)
    there = tmp_path / "there"
    batch = (
        f"mkdir {there}\nput {tmp_path}/local {there}/sent\nrename {there}/sent {there}/renamed\n"
        f"get {there}/renamed {tmp_path}/back\nchmod 600 {there}/renamed\nls {there}\nsymlink renamed {there}/link\n"
        f"rm {there}/link\n-rm {there}/missing\nrm {there}/renamed\nrmdir {there}\n"
    )
    done = await relayed.run(
        "sftp", "-q", *relayed.options(), "-P", str(relayed.acceptor.port), "-b", "-", "person@127.0.0.1",
        stdin=batch.encode(),
    )  # fmt: skip
    assert done.status == 0, done.stderr
    assert (tmp_path / "back").read_bytes() == content
    frames = await relayed.recording()
    assert only(frames, ChannelOpened)[0].kind == "sftp"
    assert only(frames, Output) == []
    settled = [each for each in operations(frames) if each[2] != "asked" and each[0] != "list"]
    assert settled == [
        ("mkdir", "there", "ok"), ("write", "sent", "ok"), ("rename", "sent", "ok"),
        ("read", "renamed", "ok"), ("setstat", "renamed", "ok"), ("symlink", "link", "ok"), ("remove", "link", "ok"),
        ("remove", "missing", "no such file"), ("remove", "renamed", "ok"), ("rmdir", "there", "ok"),
    ]  # fmt: skip
    for each in only(frames, FileOperation):
        if each.operation in ("write", "read"):
            assert (each.size, each.sha256) == (len(content), sha256(content).hexdigest())


@pytest.mark.parametrize("legacy", [False, True], ids=["sftp protocol", "legacy protocol"])
async def test_scp_both_ways(relayed: Bench, tmp_path: Path, legacy: bool) -> None:
    content = os.urandom(900_000)
    (tmp_path / "local").write_bytes(content)
    scp = ["scp", "-q", *(["-O"] if legacy else []), *relayed.options(), "-P", str(relayed.acceptor.port)]
    assert (await relayed.run(*scp, str(tmp_path / "local"), f"person@127.0.0.1:{tmp_path}/there")).status == 0
    assert (await relayed.run(*scp, f"person@127.0.0.1:{tmp_path}/there", str(tmp_path / "back"))).status == 0
    assert (tmp_path / "back").read_bytes() == content
    sent, fetched = await relayed.recording(0), await relayed.recording(1)
    if legacy:
        assert only(sent, ChannelOpened)[0].command.startswith("scp -t")
    else:
        digests = {(each.operation, each.sha256) for each in only(sent + fetched, FileOperation) if each.sha256}
        assert digests == {("write", sha256(content).hexdigest()), ("read", sha256(content).hexdigest())}


async def test_rsync_both_ways(relayed: Bench, tmp_path: Path) -> None:
    for name, size in (("large", 900_000), ("empty", 0), ("below/small", 10)):
        (tmp_path / "local" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "local" / name).write_bytes(os.urandom(size))
    shell = " ".join(["ssh", *relayed.options(), "-p", str(relayed.acceptor.port)])
    for source, goal in (("local", "person@127.0.0.1:{}/there"), ("person@127.0.0.1:{}/there", "back")):
        ends = [each.format(tmp_path) if "{}" in each else f"{tmp_path}/{each}" for each in (source, goal)]
        done = await relayed.run("rsync", "-a", "--checksum", "-e", shell, f"{ends[0]}/", f"{ends[1]}/")
        assert done.status == 0, done.stderr
    for name in ("large", "empty", "below/small"):
        assert (tmp_path / "back" / name).read_bytes() == (tmp_path / "local" / name).read_bytes(), name
    assert only(await relayed.recording(0), ChannelOpened)[0].command.startswith("rsync --server")


async def test_a_file_transfer_that_cannot_be_read_ends_before_it_reaches_the_target(relayed: Bench) -> None:
    done = await relayed.run(*relayed.ssh("-s", "sftp"), stdin=b"\xff\xff\xff\xff rubbish")
    assert done.status == 255
    assert b"this file transfer cannot be recorded: a packet of 4294967295 bytes" in done.stderr
    assert only(await relayed.recording(), ChannelClosed)
