"""After a real loss: a backup that is older than what was signed, found, and continued with a seam that all can see."""

import asyncio
import json
import re
import shutil
import sqlite3
import subprocess
from base64 import b64decode
from contextlib import closing
from pathlib import Path

import pytest

from onepam.app.host.announced import continue_after_loss
from onepam.app.ports import Reader
from onepam.boot.config import Config
from onepam.boot.on_ledger import on_ledger
from onepam.boot.recovery_key import file_of, shown_digest
from onepam.domain.host.continuing import Loss
from onepam.store.engine.ledger import SqliteLedger
from tests.boot.installation import ORIGIN, live, verify
from tests.boot.test_setup import ADMINS
from tests.forked import onepam
from tests.targets import free_port

NEXT = f"{ORIGIN}/2"


def config_of(data: Path, origin: str = ORIGIN, **more: str) -> Config:
    return Config(data, origin=origin, console_port=free_port(), ssh_port=free_port(), **more)  # type: ignore[arg-type]


def founded(data: Path) -> str:
    """An installation, and its recovery key."""
    config = data.with_name("onepam.toml")
    config.write_text(f'origin = "{ORIGIN}"\n')
    done = onepam("setup", *ADMINS, "--data", str(data), "--config", str(config))
    assert done.returncode == 0, done.stderr
    return str(re.findall(r"Recovery key: (\S+)", done.stdout)[0])


async def lost_tail(data: Path, tmp_path: Path) -> tuple[str, Path, Path]:
    """Lives, is backed up, lives on, loses its database: the old log's key, its checkpoints of then and later."""
    early, late = tmp_path / "early", tmp_path / "late"
    key = await live(config_of(data), 5)
    with closing(sqlite3.connect(data / "ledger.db")) as db, closing(sqlite3.connect(tmp_path / "backup.db")) as copy:
        db.backup(copy)
    shutil.copy(data / "log" / "checkpoint", early)
    await live(config_of(data), 30)
    shutil.copy(data / "log" / "checkpoint", late)
    for each in data.glob("ledger.db*"):
        each.unlink()
    shutil.copy(tmp_path / "backup.db", data / "ledger.db")
    return key, early, late


def continued(data: Path, key: str, *more: str) -> subprocess.CompletedProcess[str]:
    words = ("--origin", NEXT, "--because", "the disk died", "--data", str(data))
    return onepam("ledger", "continue-after-loss", *words, *more, typed=f"{key}\n")


@pytest.mark.anyio
async def test_a_loss_is_found_continued_by_the_recovery_key_and_never_forgotten(tmp_path: Path) -> None:
    data = tmp_path / "data"
    recovery = founded(data)
    old_key, early, late = await lost_tail(data, tmp_path)
    code, told = await asyncio.to_thread(verify, data, "--log-key", old_key, "--checkpoint", str(late))
    assert code == 1
    assert "tail_cut: entries " in told
    wrong = await asyncio.to_thread(continued, data, "aaaa-" * 8)
    assert wrong.returncode == 1
    assert "That is not the recovery key" in wrong.stderr
    done = await asyncio.to_thread(continued, data, recovery)
    assert done.returncode == 0, done.stderr
    size = int(late.read_text().splitlines()[1])
    assert f"to {size - 1} are lost of the log {ORIGIN}" in done.stdout
    with pytest.raises(Exception, match="the configuration says"):
        await live(config_of(data), 1)
    new_key = await live(config_of(data, NEXT), 3)
    assert new_key.startswith(f"{NEXT}+")
    anchored = ("--log-key", new_key, "--log-key", old_key, "--checkpoint", str(early))
    code, told = await asyncio.to_thread(verify, data, *anchored)
    assert code == 0, told
    assert f"are lost of the log {ORIGIN}" in told.splitlines()[0]
    code, told = await asyncio.to_thread(verify, data, *anchored, "--checkpoint", str(late), "--json")
    assert code == 0, told
    (seam,) = json.loads(told)["seams"]
    assert (seam["before"], seam["size"], seam["ground"]) == (ORIGIN, size, "recovery_key")
    again = await asyncio.to_thread(continued, data, recovery)
    assert again.returncode != 0, "the new log has lost nothing"


@pytest.mark.anyio
async def test_a_seam_that_declares_as_lost_what_is_here_is_found_by_an_old_checkpoint(tmp_path: Path) -> None:
    """So what follows could be rewritten: nobody holds it against what was signed before."""
    data, early = tmp_path / "data", tmp_path / "early"
    recovery = founded(data)
    old_key = await live(config_of(data), 5)
    shutil.copy(data / "log" / "checkpoint", early)
    lines = early.read_text().splitlines()
    size, root = int(lines[1]), b64decode(lines[2]).hex()
    loss = Loss(NEXT, ORIGIN, size, root, size - 3, "nothing")

    async def work(ledger: SqliteLedger, reader: Reader) -> None:
        shown = shown_digest(file_of(config_of(data)), recovery)
        assert await continue_after_loss(ledger, loss, shown, "ann_1", ledger.node) is None

    await asyncio.to_thread(on_ledger, config_of(data), work)
    new_key = await live(config_of(data, NEXT), 1)
    keys = ("--log-key", new_key, "--log-key", old_key)
    for anchor in (("--checkpoint", str(early)), ("--at-least", str(size), root)):
        code, told = await asyncio.to_thread(verify, data, *keys, *anchor)
        assert code == 1, told
        assert re.search(r"FOUND  seam: .*it declares as lost what is here", told), told
