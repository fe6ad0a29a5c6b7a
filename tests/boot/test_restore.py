"""Backup and restore, by the very lines of the manual: a copy that is rolled back does not take the ledger's place."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from onepam.boot.config import Config
from tests.boot.installation import ORIGIN, live, verify
from tests.targets import free_port

PAGE = Path(__file__).parents[2] / "docs" / "administrator.md"


def script(name: str) -> str:
    """The block of the page that begins with the comment `# NAME`."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (found,) = [each for each in blocks if each.startswith(f"# {name}\n")]
    return str(found)


def run(name: str, **values: str | Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "AS": "", **{key: str(value) for key, value in values.items()}}
    return subprocess.run(["sh"], input=script(name), capture_output=True, text=True, timeout=120, env=environment)


def config_of(data: Path) -> Config:
    return Config(data, origin=ORIGIN, console_port=free_port(), ssh_port=free_port())


@pytest.mark.anyio
async def test_a_backup_is_restored_and_goes_on_and_one_that_is_too_old_is_found(tmp_path: Path) -> None:
    data, backup, anchor = tmp_path / "data", tmp_path / "backup", tmp_path / "kept-checkpoint"
    keys = tmp_path / "keys"
    key = await live(config_of(data), 8)
    done = await asyncio.to_thread(run, "back up", DATA=data, BACKUP=backup, KEYS=keys)
    assert done.returncode == 0, done.stderr
    assert not (backup / "master-keys.json").exists(), "whoever has both can read everything"
    assert not (backup / "signer").exists()
    assert sorted(each.name for each in keys.iterdir()) == ["master-keys.json", "signer"]
    assert {"key", "state"} <= {each.name for each in (keys / "signer").iterdir()}
    shutil.copy(data / "log" / "checkpoint", anchor)
    known: dict[str, str | Path] = {"DATA": data, "BACKUP": backup, "KEYS": keys, "LOG_KEY": key, "ANCHOR": anchor}

    (data / "ledger.db").write_bytes(b"the disk is broken")
    done = await asyncio.to_thread(lambda: run("restore", **known))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "anchored and intact" in done.stdout
    assert (tmp_path / "data.broken" / "ledger.db").read_bytes() == b"the disk is broken"
    code, told = await asyncio.to_thread(verify, data, "--log-key", key, "--checkpoint", str(anchor))
    assert code == 0, told
    await live(config_of(data), 20)  # the signer goes on from there

    shutil.copy(data / "log" / "checkpoint", anchor)
    shutil.rmtree(tmp_path / "data.broken")
    before = sorted(each.relative_to(data) for each in data.rglob("*"))
    done = await asyncio.to_thread(lambda: run("restore", **known))
    assert done.returncode != 0
    assert "rolled_back" in done.stdout
    assert sorted(each.relative_to(data) for each in data.rglob("*")) == before, "nothing took its place"
