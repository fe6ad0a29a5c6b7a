"""What a restore refuses whatever is accepted, and what a backup that fails at its end leaves: nothing."""

import asyncio
import fcntl
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from onepam.boot.commands import backup
from tests.boot.test_backup import Backed

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
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", words], capture_output=True, timeout=200)
    assert done.returncode != 0
    assert b"no second name" in done.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data", "kept-checkpoint"]
