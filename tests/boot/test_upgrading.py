"""A start on the data of an older release: it says what it does, asks before it takes long, and does it."""

import asyncio
import json
import shutil
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from onepam.boot import upgrading
from onepam.boot.upgrading import Unasked, make_ready, told
from onepam.store.db import rows
from onepam.store.engine.database import connect
from onepam.store.engine.upgrade import Plan, plan_of
from onepam.store.migrations import Migration
from tests.boot.installation import ONEPAM, ORIGIN, live, verify
from tests.boot.test_backup import config_of

SOURCE = Path(__file__).parents[2] / "src" / "onepam"


def age(data: Path) -> None:
    """As if a projection had been another when the state was made."""
    with closing(connect(data / "ledger.db")) as db:
        db.execute("UPDATE release SET stamp = 'x', state = json_set(state, '$.\"kind person.added\"', 'other')")


def test_what_will_be_done_is_said() -> None:
    step = Migration(2, "payload_by_person", "")
    changed = ("engine", *(f"kind x.{number}" for number in range(9)))
    named = ", ".join(changed[:5])
    assert told(Plan("0.0.9", 1_000_000, (step,), changed, True)) == [
        "this data is of OnePAM 0.0.9, and this is 0.1.0:",
        "  migration 2: payload by person",
        f"  the state is made anew from 1000000 entries, for these give other rows: {named} and 5 more",
        "  it takes about 3 min",
    ]
    assert told(Plan("0.0.9", 5, (), (), True))[1:] == ["  it gets the tables that are new", "  it takes a moment"]
    assert told(Plan("", 0, (), (), False)) == []


def test_a_new_folder_is_ready(tmp_path: Path) -> None:
    said = list[str]()
    make_ready(tmp_path / "data", migrate=False, say=said.append)
    assert said == []


@pytest.mark.anyio
async def test_what_takes_long_is_done_only_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    await live(config_of(data), 3)
    age(data)
    monkeypatch.setattr(upgrading, "UNASKED_SECONDS", -1)
    said = list[str]()
    with pytest.raises(Unasked, match=r"nothing was changed\. Back up first .* `onepam up --migrate`"):
        make_ready(data, migrate=False, say=said.append)
    assert plan_of(data / "ledger.db").needed
    assert "for these give other rows: kind person.added" in said[1]
    make_ready(data, migrate=True, say=said.append)
    assert not plan_of(data / "ledger.db").needed
    assert said[-1] == "the data is this release's now"


@pytest.mark.anyio
async def test_a_newer_release_takes_over_from_one_that_runs(tmp_path: Path) -> None:
    """Two programs: the older one runs, the newer one makes the state anew, and the older one ends by itself."""
    data, newer = tmp_path / "data", tmp_path / "newer"
    await live(config_of(data), 3)
    config = config_of(data)
    (tmp_path / "onepam.toml").write_text(
        f'origin = "{ORIGIN}"\nconsole_port = {config.console_port}\nssh_port = {config.ssh_port}\n'
    )
    shutil.copytree(SOURCE, newer / "onepam", ignore=shutil.ignore_patterns("__pycache__"))
    people = newer / "onepam" / "store" / "project" / "people.py"
    altered = people.read_text("utf-8").replace("enabled=0, because", "enabled=0, manager=None, because")
    people.write_text(altered, "utf-8")
    release = newer / "onepam" / "__init__.py"
    release.write_text(release.read_text("utf-8").replace("0.1.0", "0.2.0"), "utf-8")
    command = ["up", "--data", str(data), "--config", str(tmp_path / "onepam.toml"), "--ready-file"]
    old = subprocess.Popen([*ONEPAM, *command, str(tmp_path / "old")], stderr=subprocess.PIPE, text=True)
    try:
        await asyncio.to_thread(_wait_for, tmp_path / "old", old)
        rebuilt = await asyncio.to_thread(_run, newer, "ledger", "rebuild", "--data", str(data))
        assert rebuilt.returncode == 0, rebuilt.stderr
        assert "this data is of OnePAM 0.1.0, and this is 0.2.0:" in rebuilt.stdout
        assert "give other rows: kind person.disabled" in rebuilt.stdout
        _, words = await asyncio.to_thread(old.communicate, timeout=60)
    finally:
        old.kill()
    refused = "this folder was opened by OnePAM 0.2.0, and this is 0.1.0, which does not know how its state is made"
    assert f"this process ends: {refused}" in words
    again = await asyncio.to_thread(
        subprocess.run, [*ONEPAM, *command, "x"], capture_output=True, text=True, timeout=60
    )
    assert again.returncode == 4
    assert refused in again.stderr
    code, said = await asyncio.to_thread(verify, data)
    assert code == 4
    assert refused in said
    verified = await asyncio.to_thread(_run, newer, "ledger", "verify", "--data", str(data))
    assert verified.returncode == 3, verified.stdout
    assert "consistent but not anchored" in verified.stdout
    new = subprocess.Popen([*ONEPAM, *command, str(tmp_path / "new")], cwd=newer, stderr=subprocess.PIPE, text=True)
    try:
        await asyncio.to_thread(_wait_for, tmp_path / "new", new)
        new.send_signal(signal.SIGTERM)
        _, words = await asyncio.to_thread(new.communicate, timeout=60)
    finally:
        new.kill()
    assert new.returncode == 0, words
    assert "made anew" not in words, "it was done before"
    with closing(connect(data / "ledger.db", read_only=True)) as db:
        started = rows(db, "SELECT body FROM entry WHERE kind = 'system.started' ORDER BY idx")
    assert [json.loads(each[0])["release"] for each in started] == ["0.1.0", "0.1.0", "0.2.0"]


def _run(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ONEPAM, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120)


def _wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while not file.exists():
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.1)
