"""What a release has left behind is read, folded, verified, played and continued by this one: today's, and every kept
format."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from onepam.domain.history.event import kind_to_write
from onepam.evidence.verifier import verify
from onepam.gateway.playback import Playback
from onepam.jobs.recording_check import key_beside
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries, size_of
from onepam.store.engine.rebuild import compare
from onepam.store.engine.upgrade import plan_of, upgrade
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from scripts import forms
from tests.boot.installation import verify as verify_ledger
from tests.golden.made import make
from tests.golden.recorded import CAST
from tests.lawful import meant_unlawful

HERE = Path(__file__).parent
KEPT = sorted(path for path in HERE.glob("format-*") if path.is_dir())
"""A folder for each format that a release has had, by `scripts/golden.py`; none before the first."""

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What this release leaves behind."""
    folder = tmp_path_factory.mktemp("today")
    make(folder)
    return folder


@pytest.fixture(params=["today", *(path.name for path in KEPT)])
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy, for it is brought to this release."""
    kept = request.getfixturevalue("today") if request.param == "today" else HERE / request.param
    folder = tmp_path / "golden"
    shutil.copytree(kept, folder)
    for each in (folder / "company" / "data" / "recordings").glob("*.key"):
        each.chmod(0o600)  # as no version control keeps it
    (folder / "company" / "data" / "master-keys.json").chmod(0o600)
    meant_unlawful(folder / "every-kind.db")  # one entry of each kind is no history
    return folder


def keys_of(golden: Path) -> Any:
    return json.loads((golden / "company" / "keys.json").read_text("ascii"))


def test_the_formats_of_releases_are_kept() -> None:
    assert bool(KEPT) == forms.FROZEN, "a frozen format has its folder here: scripts/golden.py"


def test_entries_of_every_kind_are_read_and_folded(golden: Path) -> None:
    path = golden / "every-kind.db"
    upgrade(path)
    assert not plan_of(path).needed
    with closing(connect(path, read_only=True)) as db:
        stored = entries(db, 0, size_of(db))
        for each in stored:
            kind_to_write(each.event)  # it is of the newest version
    told = [f"{each.header.kind} v{each.header.version}" for each in stored]
    forms_kept = (golden / "kinds.txt").read_text("utf-8").strip().split("\n\n")
    newest = {name.split(" v")[0]: name for name in (each.partition(",")[0] for each in forms_kept)}
    assert told == list(newest.values()), "every kind is there, in the version of its time"
    assert compare(path) == []


def test_a_data_folder_is_opened_rebuilt_and_verified(golden: Path) -> None:
    data, keys = golden / "company" / "data", keys_of(golden)
    upgrade(data / "ledger.db")
    assert compare(data / "ledger.db") == []
    given = [word for key in reversed(keys["log"]) for word in ("--log-key", key)]
    anchors = [word for n in (1, 2, 3) for word in ("--checkpoint", str(golden / "company" / f"checkpoint-{n}"))]
    code, told = verify_ledger(data, *given, "--witness-key", keys["witness"], *anchors)
    assert code == 0, told
    recordings = len(list((data / "recordings").glob("*.rec")))
    assert re.search(r"^history +anchored and intact: .* lost .* lost", told, re.MULTILINE), told
    assert re.search(r"^lawful +yes", told, re.MULTILINE), told
    assert re.search(rf"^recordings +{recordings} of {recordings} checked", told, re.MULTILINE), told


@pytest.mark.parametrize("name", ["first", "after-a-loss", "whole", "late"])
def test_a_pack_is_verified_by_todays_verifier_and_by_its_own(name: str, golden: Path, tmp_path: Path) -> None:
    pack, keys = golden / "company" / f"pack-{name}.zip", keys_of(golden)
    with zipfile.ZipFile(pack) as archive:
        (tmp_path / "own.py").write_bytes(archive.read("verify.py"))
        origin = json.loads(archive.read("manifest.json"))["origin"]
    given = [word for key in keys["log"] for word in ("--log-key", key)]
    assert any(key.startswith(f"{origin}+") for key in keys["log"])
    for program in (Path(verify.__file__), tmp_path / "own.py"):
        command = [sys.executable, "-I", str(program), str(pack), *given, "--witness-key", keys["witness"]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        due = 7 if name == "late" else 0  # it begins later than the log, so what was lawful is not judged
        assert done.returncode == due, done.stdout
        assert "anchored and intact" in done.stdout


async def test_every_recording_is_played(golden: Path) -> None:
    data, sessions = golden / "company" / "data", keys_of(golden)["sessions"]
    envelope = Envelope(FileKeys(data / "master-keys.json", bytes, read_only=True), bytes)
    playback = Playback(data / "recordings", key_beside(data / "recordings", envelope))
    try:
        told = {sort: await playback.timeline(session) for sort, session in sessions.items()}
        cast = b"".join([piece async for piece in playback.asciicast(sessions["terminal"])])
    finally:
        playback.close()
    assert {sort for sort, each in told.items() if each.gap} == {"crashed"}
    assert {each.reason for sort, each in told.items() if sort != "crashed"} == {"client.closed"}
    assert told["files"].files
    assert told["statements"].counts["executions"] == 4
    assert told["excerpt"].channels[0].omitted_bytes == 5_000_007
    assert told["command"].channels[0].input_bytes == 10_240
    header, *lines = [json.loads(line) for line in cast.decode().splitlines()]
    assert (header["version"], header["title"]) == (3, "deploy@web-1")
    assert lines[: len(CAST)] == CAST
