"""What a restore refuses whatever is accepted, what it only says, and what a backup that fails leaves: nothing."""

import asyncio
import fcntl
import hashlib
import json
import os
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.ports import Reader
from onepam.boot.commands import backup
from onepam.boot.on_ledger import on_ledger
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.kernel.errors import Fault, Unavailable
from onepam.store.engine.ledger import SqliteLedger
from tests.boot.installation import ONEPAM, ORIGIN, live, verify
from tests.boot.test_backup import Backed, config_of, tree
from tests.boot.test_setup import ADMINS
from tests.company import record
from tests.forked import onepam, python

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(1200)]

FAILING = """
import sys
from pathlib import Path
from onepam.boot.commands.up import app as main
rename, names = Path.rename, []
def once(self, to):
    names.append(self)
    if len(names) == 2:
        raise OSError("no second name")
    return rename(self, to)
Path.rename = once
"""


async def altered_by_whoever_has_both(of: Backed) -> None:
    """A row that no entry explains, with both lists made to fit."""
    db = of.copy / "ledger.db"
    with closing(sqlite3.connect(db)) as opened:
        opened.execute("PRAGMA journal_mode = DELETE")
        columns = [each[1] for each in opened.execute("PRAGMA table_info(group_member)")]
        values = ", ".join(f"'{each}'" if not each.startswith("valid") else "1" for each in columns)
        opened.execute(f"INSERT INTO group_member VALUES ({values})")
        opened.commit()
    for each in sorted(of.copy.glob("ledger.db?*")):
        each.unlink()
    data, keys = (json.loads((part / "backup.json").read_text("utf-8")) for part in (of.copy, of.keys))
    data["files"]["ledger.db"] = hashlib.sha256(db.read_bytes()).hexdigest()
    data.pop("format")
    listed = backup.Contents(**data)
    (of.copy / "backup.json").write_bytes(listed.encode())
    keys["other"] = listed.digest
    (of.keys / "backup.json").write_text(json.dumps(keys), "utf-8")


async def test_an_alteration_is_no_loss_that_can_be_accepted(tmp_path: Path) -> None:
    """Also where the copy is too old besides: what is altered is named, and nothing is restored."""
    of = Backed(tmp_path)
    await of.live(3)
    assert (await asyncio.to_thread(of.back_up)).returncode == 0
    await altered_by_whoever_has_both(of)
    of.refused(await asyncio.to_thread(of.restore), "the copy is altered, which is no loss: state: group_member")
    await of.live(20)  # the anchor is newer than the copy now
    done = await asyncio.to_thread(of.restore, "--accept-loss")
    assert "rolled_back" in done.stdout
    of.refused(done, "the copy is altered, which is no loss: state: group_member")


async def test_a_backup_is_no_anchor_of_its_own(tmp_path: Path) -> None:
    """The copy's own checkpoint fits it however old it is. Without one from elsewhere it is that which is missing."""
    of = Backed(tmp_path)
    await of.live(3)
    assert (await asyncio.to_thread(of.back_up)).returncode == 0
    kept, link = of.anchor, tmp_path / "link"
    await of.live(20)
    link.symlink_to(of.copy / "log")
    (of.keys / "checkpoint").write_bytes((of.copy / "log" / "checkpoint").read_bytes())
    for within in (of.copy / "log" / "checkpoint", link / "checkpoint", of.keys / "checkpoint"):
        of.anchor = within
        done = await asyncio.to_thread(of.restore, "--accept-loss")
        assert done.returncode == 2
        of.refused(done, "lies in the backup")
        done = await asyncio.to_thread(of.restore_by, "--witness", str(of.anchor), "--witness-key", of.log_key)
        assert done.returncode == 2
        of.refused(done, "lies in the backup")
    (of.keys / "checkpoint").unlink()
    done = await asyncio.to_thread(of.restore_by)
    assert done.returncode == 1
    of.refused(done, "an anchor is missing")
    assert "newer copy" not in done.stderr
    of.anchor = kept
    of.refused(await asyncio.to_thread(of.restore), "find a newer copy")


async def test_a_backup_may_be_looked_at(tmp_path: Path) -> None:
    """A verification leaves nothing in it, also one that fails; what another reader left is no part of it."""
    of = Backed(tmp_path)
    await of.live(3)
    assert (await asyncio.to_thread(of.back_up)).returncode == 0
    before = tree(of.copy)
    anchored = ("--log-key", of.log_key, "--checkpoint", str(of.anchor))
    for more, code, words in (
        ((), 4, "give --no-recordings"),
        (("--no-recordings",), 0, "anchored and intact"),
        (("--no-recordings", "--at-least", "1", "00" * 32), 1, "FOUND"),
        (("--no-recordings", "--checkpoint", str(of.copy / "log" / "checkpoint")), 2, "lies in the data folder"),
    ):
        found, told = await asyncio.to_thread(verify, of.copy, *anchored, *more)
        assert (found, words in told) == (code, True), told
        assert tree(of.copy) == before
    with closing(sqlite3.connect(f"file:{of.copy / 'ledger.db'}?mode=ro", uri=True)) as db:
        db.execute("SELECT 1 FROM entry").fetchone()
    left = {each.name for each in of.copy.glob("ledger.db?*")}
    assert left == {"ledger.db-shm", "ledger.db-wal"}
    (of.copy / "ledger.db-wal").write_bytes(b"more")
    of.refused(await asyncio.to_thread(of.restore), "ledger.db-wal is not in its list")
    (of.copy / "ledger.db-wal").write_bytes(b"")
    done = await asyncio.to_thread(of.restore)
    assert done.returncode == 0, done.stdout + done.stderr


async def test_one_restore_at_a_time(tmp_path: Path) -> None:
    of = Backed(tmp_path)
    await of.live(3)
    assert (await asyncio.to_thread(of.back_up)).returncode == 0
    of.new.mkdir(mode=0o700)
    descriptor = os.open(of.new, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    of.refused(await asyncio.to_thread(of.restore), f"another restore to {of.new} is at work")
    os.close(descriptor)
    assert (await asyncio.to_thread(of.restore)).returncode == 0


@pytest.mark.parametrize("ending", ["", ".tar"])
async def test_what_cannot_be_named_leaves_nothing_behind(tmp_path: Path, ending: str) -> None:
    """The keys have their name already, and the copy does not get its own: neither is left."""
    of = Backed(tmp_path, ending)
    await of.live(1)
    words = FAILING + f"main(['backup', '{of.copy}', '--keys', '{of.keys}', '--data', '{of.data}'])"
    done = await asyncio.to_thread(python, words)
    assert done.returncode != 0
    assert "no second name" in done.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data", "kept-checkpoint"]


async def test_what_was_lost_or_unlawful_before_is_said_and_bars_nothing(tmp_path: Path) -> None:
    """Only the history bars. The signer's memory comes back, too: it starts."""
    of = Backed(tmp_path)
    await of.live(3)
    await asyncio.to_thread(on_ledger, config_of(of.data), unlawful)
    await of.live(3)
    assert (await asyncio.to_thread(of.back_up)).returncode == 0
    done = await asyncio.to_thread(of.restore)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "UNLAWFUL" in done.stdout
    assert "history is anchored and intact; what else was found above was so before" in done.stdout
    await live(config_of(of.new), 1)


async def unlawful(ledger: SqliteLedger, reader: Reader) -> None:
    """Somebody comes by the hand of nobody."""
    await record(
        ledger, PersonAdded("per_mal", PersonKind.EMPLOYEE, "x", "per_nobody", None, None, None, "Mal", "m@example.com")
    )


async def test_odd_lists_are_refused_in_words(tmp_path: Path) -> None:
    of = Backed(tmp_path)
    await of.live(1)
    assert (await asyncio.to_thread(of.back_up)).returncode == 0
    lists = of.copy / "backup.json"
    listed = json.loads(lists.read_text("utf-8"))
    wrong: tuple[object, ...] = ([], None, {"log-key": 5})
    odd: tuple[bytes, ...] = (
        b"[" * 100_000,
        b"[]",
        b"\xff\xfe{",
        *(json.dumps({**listed, "files": each}).encode() for each in wrong),
        json.dumps({**listed, "backup": ["x"]}).encode(),
    )
    for each in odd:
        with pytest.raises(Fault, match="not the list of a backup that this release knows"):
            backup.Contents.decode(each)
    lists.write_bytes(odd[0])
    of.refused(await asyncio.to_thread(of.restore), "not the list of a backup that this release knows")


async def test_nothing_is_removed_but_what_a_restore_has_left(tmp_path: Path) -> None:
    of = Backed(tmp_path)
    await of.live(1)
    assert (await asyncio.to_thread(of.back_up)).returncode == 0
    of.new.mkdir(mode=0o700)
    (of.new / ".restoring").mkdir()
    precious = of.new / "precious"
    precious.write_text("a file of somebody's", "utf-8")
    done = await asyncio.to_thread(of.restore)
    assert done.returncode == 2
    assert "is not empty" in done.stderr
    assert precious.read_text("utf-8") == "a file of somebody's"
    precious.unlink()
    (of.new / ".restoring").rmdir()
    (of.new / ".restoring").symlink_to(of.copy)
    assert (await asyncio.to_thread(of.restore)).returncode == 2
    assert (of.copy / "backup.json").exists()


async def test_nothing_is_founded_beside_a_restore(tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.mkdir(mode=0o700)
    (new / ".restoring").mkdir()
    with pytest.raises(Unavailable, match="did not finish"):
        await live(config_of(new), 1)
    descriptor = os.open(new, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(Unavailable, match=r"a restore to .* is at work"):
        await live(config_of(new), 1)
    done = await asyncio.to_thread(onepam, "setup", *ADMINS, "--data", new)
    assert done.returncode == 4
    assert "is at work" in done.stderr
    os.close(descriptor)
    assert sorted(each.name for each in new.iterdir()) == [".restoring"]
    (new / ".restoring").rmdir()
    await live(config_of(new), 1)


@pytest.mark.parametrize("own", [False, True], ids=["child", "signer of its own"])
async def test_an_older_ledger_does_not_start_under_a_signer_that_has_signed_more(tmp_path: Path, own: bool) -> None:
    data, folder, at = tmp_path / "data", tmp_path / "signer", tmp_path / "s"
    config = config_of(data)
    signer = None
    if own:
        words = ["signer", "--folder", str(folder), "--origin", ORIGIN, "--socket", str(at)]
        signer = subprocess.Popen([*ONEPAM, *words])
        while not at.exists():
            assert signer.poll() is None
            await asyncio.sleep(0.1)
        config = replace(config, signer_socket=str(at))
    try:
        await live(config, 2)
        older = (data / "ledger.db").read_bytes()
        await live(config, 10)
        for each in data.glob("ledger.db*"):
            each.unlink()
        (data / "ledger.db").write_bytes(older)
        for _ in range(2):
            with pytest.raises(Fault, match=r"has signed \d+: this is an older copy.*continue-after-loss"):
                await live(config, 1)
        assert (data / "ledger.db").read_bytes() == older, "nothing was appended"
    finally:
        if signer is not None:
            signer.terminate()
            await asyncio.to_thread(signer.wait)
