"""Backup and restore: a copy of one instant while all works; what is older, altered or half takes nobody's place."""

import asyncio
import hashlib
import json
import secrets
import shutil
import signal
import sqlite3
import subprocess
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from onepam.boot.clock import wall_clock
from onepam.boot.config import Config
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.domain.sessions.events import SessionClosed, SessionOpened
from onepam.signing.author import NodeAuthor
from onepam.store.engine.database import connect
from onepam.store.engine.database import copy as copy_database
from onepam.store.engine.ledger import SqliteLedger
from tests.boot.installation import ORIGIN, live, verify
from tests.boot.test_continue import NEXT, continued, founded
from tests.company import record
from tests.forked import onepam, python
from tests.gateway_fixture import outcome
from tests.gateway_process import Failed, elsewhere, started, up
from tests.targets import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(1200)]

DYING = """
import os, signal, sys
from pathlib import Path
from onepam.boot.commands import backup, restore
of, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
where = {"Copy": backup.Copy, "Path": Path, "restore": restore}[of]
real, left = getattr(where, name), [count]
def dying(*arguments, **options):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return real(*arguments, **options)
setattr(where, name, dying)
sys.argv[1:] = sys.argv[4:]
from onepam.boot.commands.up import main
main()
"""
"""`onepam` that is killed at the n-th call of a function of its own."""


def config_of(data: Path, origin: str = ORIGIN) -> Config:
    return Config(data, origin=origin, console_port=free_port(), ssh_port=free_port())


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Backed:
    """An installation with a backup, and what was kept elsewhere."""

    def __init__(self, folder: Path, ending: str = "") -> None:
        self.data, self.copy, self.keys = folder / "data", folder / f"copy{ending}", folder / f"keys{ending}"
        self.new, self.anchor, self.log_key = folder / "new", folder / "kept-checkpoint", ""

    async def live(self, count: int) -> None:
        self.log_key = await live(config_of(self.data), count)
        shutil.copy(self.data / "log" / "checkpoint", self.anchor)

    def back_up(self) -> subprocess.CompletedProcess[str]:
        return onepam("backup", self.copy, "--keys", self.keys, "--data", self.data)

    def restore(self, *more: str, **other: Path) -> subprocess.CompletedProcess[str]:
        return self.restore_by("--checkpoint", str(self.anchor), *more, **other)

    def restore_by(self, *anchors: str, **other: Path) -> subprocess.CompletedProcess[str]:
        words = (other.get("copy", self.copy), "--keys", other.get("keys", self.keys), "--data", self.new)
        return onepam("restore", *words, "--log-key", self.log_key, *anchors)

    def refused(self, done: subprocess.CompletedProcess[str], words: str) -> None:
        assert done.returncode != 0
        assert words in done.stderr + done.stdout
        assert "Traceback" not in done.stderr
        assert not self.new.exists() or list(self.new.iterdir()) == []


@pytest.mark.parametrize("ending", ["", ".tar"])
async def test_a_backup_is_restored_and_goes_on_and_one_that_is_too_old_is_found(tmp_path: Path, ending: str) -> None:
    of = Backed(tmp_path, ending)
    await of.live(8)
    (of.data / "packs").mkdir(exist_ok=True)
    (of.data / "packs" / "left.zip").write_bytes(b"drawn again when asked for")
    done = await asyncio.to_thread(of.back_up)
    assert done.returncode == 0, done.stderr
    assert "not in it: the configuration" in done.stdout
    if ending:
        with tarfile.open(of.copy) as data, tarfile.open(of.keys) as keys:
            copied, apart = data.getnames(), keys.getnames()
    else:
        copied, apart = list(tree(of.copy)), list(tree(of.keys))
    assert sorted(apart) == ["backup.json", "master-keys.json", "signer/key", "signer/state", "signer/state.lock"]
    assert not {"master-keys.json", "signer/key"} & set(copied), "whoever has both can read everything"
    assert not [each for each in copied if each.startswith("packs/") or "socket" in each]
    assert sorted(tmp_path.glob("*.partial*")) == []
    left = [json.loads(each.read_text("utf-8")) for each in (of.data / "untold-backups").iterdir()]
    assert [(each["backup"], each["proven"]) for each in left] == [(done.stdout.partition(":")[0], None)]
    assert not [each for each in copied if each.startswith("untold-backups/")]

    done = await asyncio.to_thread(of.restore)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "anchored and intact" in done.stdout
    code, told = await asyncio.to_thread(verify, of.new, "--log-key", of.log_key, "--checkpoint", str(of.anchor))
    assert code == 0, told
    assert not (of.new / ".restoring").exists()
    await live(config_of(of.new), 20)  # the signer goes on from there
    before = tree(of.new)
    again = await asyncio.to_thread(of.restore)
    assert again.returncode == 2
    assert "is not empty" in again.stderr
    assert tree(of.new) == before

    shutil.copy(of.new / "log" / "checkpoint", of.anchor)
    shutil.rmtree(of.new)
    of.refused(await asyncio.to_thread(of.restore), "rolled_back")


async def test_a_copy_of_a_gateway_at_work_is_of_one_instant(tmp_path: Path) -> None:
    """While sessions run and entries come; the restored gateway closes what the copied one had open."""
    with elsewhere(tmp_path) as (gateway, egress):
        process = started(tmp_path, egress=egress)
        await gateway.record(gateway.resource("web-1"))
        gateway.platform.ssh_port = process.ssh_port
        person = await gateway.person()
        client = await gateway.working(person)
        knocking = [asyncio.create_task(gateway.run(*gateway.ssh(person, "echo on"))) for _ in range(8)]
        of = Backed(tmp_path)
        done = await asyncio.to_thread(of.back_up)
        assert done.returncode == 0, done.stderr
        assert {(await each).stdout for each in knocking} == {b"on\n"}
        entries = json.loads((of.copy / "backup.json").read_text("utf-8"))["entries"]
        checkpoint = (of.copy / "log" / "checkpoint").read_bytes()
        assert 0 < int(checkpoint.splitlines()[1]) <= entries
        of.anchor.write_bytes(checkpoint)
        of.log_key = (of.data / "log-key").read_text("utf-8").strip()
        await asyncio.to_thread(process.stop)
        await outcome(client, None)
        restored = await asyncio.to_thread(of.restore)
        assert restored.returncode == 0, restored.stdout + restored.stderr
        of.data.rename(tmp_path / "before")
        of.new.rename(of.data)
        begun = {each.session for each in gateway.events(SessionOpened)}
        open_then = begun - {each.session for each in gateway.events(SessionClosed)}
        assert open_then
        process = started(tmp_path, egress=egress)
        ends = [each for each in gateway.events(SessionClosed) if each.session in open_then]
        assert {each.session for each in ends} == open_then
        assert all(each.gap for each in ends)
        await asyncio.to_thread(process.stop)


async def test_what_is_not_as_it_was_made_is_not_restored(tmp_path: Path) -> None:
    of = Backed(tmp_path)
    await of.live(3)
    assert (await asyncio.to_thread(of.back_up)).returncode == 0
    again = await asyncio.to_thread(of.back_up)
    assert again.returncode == 4
    assert "copy is there already" in again.stderr
    other = tmp_path / "other"

    def altered(part: Path, name: str, data: bytes | None) -> Path:
        shutil.rmtree(other, ignore_errors=True)
        shutil.copytree(part, other)
        (other / name).unlink(missing_ok=True)
        if data is not None:
            (other / name).write_bytes(data)
        return other

    tries = (
        (altered, of.copy, "log-key", b"another", "log-key is altered"),
        (altered, of.copy, "log-key", None, "log-key is missing"),
        (altered, of.copy, "more", b"", "more is not in its list"),
        (altered, of.copy, "backup.json", None, "it has no backup.json"),
        (altered, of.copy, "backup.json", b'{"format": 2}', "not the list of a backup that this release knows"),
    )
    for change, part, name, data, words in tries:
        of.refused(await asyncio.to_thread(of.restore, copy=change(part, name, data)), words)
    of.refused(await asyncio.to_thread(of.restore, copy=of.keys, keys=of.copy), "give the copy first")
    shutil.rmtree(other)
    second = Backed(tmp_path)
    second.copy, second.keys = tmp_path / "second", tmp_path / "second-keys"
    assert (await asyncio.to_thread(second.back_up)).returncode == 0
    of.refused(await asyncio.to_thread(of.restore, keys=second.keys), "give those of the same backup")
    (tmp_path / "no.tar").write_bytes(b"something else" * 100)
    of.refused(await asyncio.to_thread(of.restore, copy=tmp_path / "no.tar"), "is not a whole backup")
    with tarfile.open(tmp_path / "out.tar", "w") as tar:
        tar.add(of.copy / "log-key", "../escaped")
    of.refused(await asyncio.to_thread(of.restore, copy=tmp_path / "out.tar"), "is no name within a data folder")
    assert not (tmp_path / "escaped").exists()


async def test_whoever_has_the_data_alone_alters_nothing_of_it(tmp_path: Path) -> None:
    """A thief appends an administrator by the ledger's own rules, adds a trigger, and makes the list of files fit. The
    anchor covers none of it: what tells is the list beside the keys. A loss that is accepted is not an alteration."""
    of = Backed(tmp_path)
    await of.live(3)
    assert (await asyncio.to_thread(of.back_up)).returncode == 0
    listed = json.loads((of.copy / "backup.json").read_text("utf-8"))
    stolen, lists = of.copy / "ledger.db", of.copy / "backup.json"
    ledger = SqliteLedger(stolen, NodeAuthor.uncertified("nod_thief"), wall_clock, secrets.token_bytes)
    await record(
        ledger, PersonAdded("per_mal", PersonKind.EMPLOYEE, "x", None, None, None, None, "Mal", "m@example.com")
    )
    ledger.close()
    with closing(sqlite3.connect(stolen)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("CREATE TRIGGER more AFTER INSERT ON entry BEGIN SELECT 1; END")
        db.commit()
    for each in sorted(of.copy.glob("ledger.db?*")):
        each.unlink()
    listed["files"]["ledger.db"] = hashlib.sha256(stolen.read_bytes()).hexdigest()
    lists.write_text(json.dumps(listed), "utf-8")
    for more in ((), ("--accept-loss",)):
        of.refused(await asyncio.to_thread(of.restore, *more), "its backup.json is altered")


async def test_the_keys_bring_nothing_but_keys(tmp_path: Path) -> None:
    of = Backed(tmp_path)
    await of.live(3)
    assert (await asyncio.to_thread(of.back_up)).returncode == 0
    for name, words in (("authorities/more", "authorities/more is no key"), ("log-key", "log-key is in it twice")):
        part = tmp_path / f"keys-{Path(name).name}"
        shutil.copytree(of.keys, part)
        (part / name).parent.mkdir(exist_ok=True)
        (part / name).write_bytes(b"brought along")
        listed = json.loads((part / "backup.json").read_text("utf-8"))
        listed["files"][name] = hashlib.sha256(b"brought along").hexdigest()
        (part / "backup.json").write_text(json.dumps(listed), "utf-8")
        of.refused(await asyncio.to_thread(of.restore, keys=part), words)


async def test_places_are_apart(tmp_path: Path) -> None:
    of = Backed(tmp_path)
    await of.live(1)
    for copy, keys in ((of.data / "copy", of.keys), (of.copy, of.copy), (of.copy, of.copy / "keys")):
        done = await asyncio.to_thread(onepam, "backup", copy, "--keys", keys, "--data", of.data)
        assert done.returncode == 2
        assert "none within another" in done.stderr
    nowhere = tmp_path / "not" / "there"
    for copy, keys in ((nowhere, of.keys), (of.copy, nowhere)):
        done = await asyncio.to_thread(onepam, "backup", copy, "--keys", keys, "--data", of.data)
        assert done.returncode == 2
        assert "there is no folder" in done.stderr
        assert ".partial" not in done.stderr
    assert not of.copy.exists()
    config = tmp_path / "onepam.toml"
    config.write_text(f'data = "{of.data}"\n', "utf-8")
    done = await asyncio.to_thread(onepam, "backup", of.copy, "--keys", of.keys, "--config", config)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("ending", ["", ".tar"])
async def test_what_is_in_the_way_is_left_alone_and_nothing_is_left_behind(tmp_path: Path, ending: str) -> None:
    of, strangers = Backed(tmp_path, ending), tmp_path / "strangers"
    await of.live(1)
    of.keys.touch()
    done = await asyncio.to_thread(of.back_up)
    assert done.returncode == 4
    assert f"{of.keys} is there already" in done.stderr
    assert list(tmp_path.glob("*.partial*")) == []
    of.keys.unlink()
    for name in (f"copy{ending}.partial.ledger.db", f"copy{ending}.partial"):
        (tmp_path / name).symlink_to(strangers)
        done = await asyncio.to_thread(of.back_up)
        assert done.returncode == 4
        assert f"{name} is there already" in done.stderr
        assert not strangers.exists()
        (tmp_path / name).unlink()
    done = await asyncio.to_thread(of.back_up)
    assert done.returncode == 0, done.stderr
    for place in (of.copy, of.keys):
        for each in (place, *place.rglob("*")):
            assert each.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("linked", [False, True])
def test_the_database_is_copied_into_a_file_of_ours_alone(tmp_path: Path, linked: bool) -> None:
    """Whoever makes the name after it was looked at gets nothing either."""
    taken, strangers = tmp_path / "copy.partial.ledger.db", tmp_path / "strangers"
    strangers.touch()
    if linked:
        taken.symlink_to(strangers)
    else:
        taken.hardlink_to(strangers)
    with closing(connect(tmp_path / "ledger.db")) as db:
        db.execute("CREATE TABLE secret (x)")
        with pytest.raises(FileExistsError):
            copy_database(db, taken, lambda done, of: None)
    assert strangers.read_bytes() == b""


async def test_killed_half_way_nothing_looks_whole(tmp_path: Path) -> None:
    of = Backed(tmp_path)
    await of.live(3)
    count = 0
    while True:
        words = ("Copy", "put", str(count), "backup", of.copy, "--keys", of.keys, "--data", of.data)
        done = await asyncio.to_thread(python, DYING, *words)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        assert not of.copy.exists()
        partial = tmp_path / "copy.partial"
        of.refused(await asyncio.to_thread(of.restore, copy=partial), "")
        again = await asyncio.to_thread(of.back_up)
        assert f"{partial} is there already, left by a backup that did not finish" in again.stderr
        for each in tmp_path.glob("*.partial*"):
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        shutil.rmtree(of.keys, ignore_errors=True)
        count += 7
    assert count > 7

    for part in (of.copy, of.keys):
        shutil.rmtree(part)
    for number, named in ((0, []), (1, [of.keys])):  # between the two names
        words = ("Path", "rename", str(number), "backup", of.copy, "--keys", of.keys, "--data", of.data)
        done = await asyncio.to_thread(python, DYING, *words)
        assert done.returncode == -signal.SIGKILL
        assert [each for each in (of.copy, of.keys) if each.exists()] == named
        for each in (of.keys, *tmp_path.glob("*.partial*")):
            shutil.rmtree(each, ignore_errors=True)
    assert (await asyncio.to_thread(of.back_up)).returncode == 0

    for dies in (
        ("restore", "_write", "0"),
        ("restore", "_write", "9"),
        ("Path", "rename", "0"),
        ("Path", "rename", "4"),
    ):
        restored = ("restore", of.copy, "--keys", of.keys, "--data", of.new)
        anchored = ("--log-key", of.log_key, "--checkpoint", of.anchor)
        done = await asyncio.to_thread(python, DYING, *dies, *restored, *anchored)
        assert done.returncode == -signal.SIGKILL, dies
        assert not (of.new / "ledger.db").exists(), dies
        assert "there is no installation" in (await asyncio.to_thread(onepam, "authorities", "--data", of.new)).stderr
    assert (await asyncio.to_thread(of.restore)).returncode == 0, "what was left is no hindrance"


async def test_an_accepted_loss_does_not_start_before_it_is_continued(tmp_path: Path) -> None:
    of = Backed(tmp_path)
    recovery = await asyncio.to_thread(founded, of.data)
    await of.live(3)
    assert (await asyncio.to_thread(of.back_up)).returncode == 0
    await of.live(20)
    of.new = tmp_path / "data"
    of.data.rename(tmp_path / "lost")
    done = await asyncio.to_thread(of.restore, "--accept-loss")
    assert done.returncode == 0, done.stderr
    assert "continue-after-loss" in done.stdout
    found = await asyncio.to_thread(up, tmp_path, origin=ORIGIN)
    assert isinstance(found, Failed)
    lost = ("--signer-lost", "--checkpoint", str(of.anchor), "--log-key", of.log_key)
    done = await asyncio.to_thread(continued, of.data, recovery, *lost)
    assert done.returncode == 0, done.stderr
    assert (await live(config_of(of.data, NEXT), 3)).startswith(f"{NEXT}+")
