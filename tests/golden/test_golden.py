"""What a release has left behind is read, folded, verified and played by this one: today's, and every kept format."""

import json
import shutil
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from onepam.domain.history.event import kind_to_write
from onepam.evidence.verifier import verify
from onepam.gateway.playback import Playback
from onepam.jobs.verification import verify_entries
from onepam.ledger.note import VerifierKey
from onepam.store.db import rows
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries, size_of
from onepam.store.engine.rebuild import compare
from onepam.store.engine.upgrade import plan_of, upgrade
from scripts import forms
from tests.evidence.company import ORIGIN
from tests.golden.made import CAST, KEY, SESSION, make

KEPT = sorted(Path(__file__).parent.glob("format-*"))
"""A folder for each format that a release has had, by `scripts/golden.py`; none before the first."""

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["today", *(path.name for path in KEPT)])
async def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy, for it is brought to this release; today's is made now."""
    folder = tmp_path / "golden"
    if request.param == "today":
        await make(folder)
    else:
        shutil.copytree(Path(__file__).parent / request.param, folder)
    return folder


def test_the_formats_of_releases_are_kept() -> None:
    assert bool(KEPT) == forms.FROZEN, "a frozen format has its folder here: scripts/golden.py"


async def test_entries_of_every_kind_are_read_and_folded(golden: Path) -> None:
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


async def test_a_history_is_verified_and_its_state_is_what_it_says(golden: Path) -> None:
    path, keys = golden / "company" / "ledger.db", json.loads((golden / "company" / "keys.json").read_text())
    upgrade(path)
    assert compare(path) == []
    known = [VerifierKey.parse(keys["log"]), VerifierKey.parse(keys["witness"])]
    verdict = verify_entries(path, golden / "company" / "log", ORIGIN, known)
    assert verdict.findings == ()
    assert verdict.signed == verdict.witnessed == verdict.size > 50
    with closing(connect(path, read_only=True)) as db:
        assert rows(db, "SELECT count(*) FROM person")[0][0] > 4


async def test_a_pack_is_verified_by_todays_verifier_and_by_its_own(golden: Path, tmp_path: Path) -> None:
    pack, keys = golden / "company" / "pack.zip", json.loads((golden / "company" / "keys.json").read_text())
    with zipfile.ZipFile(pack) as archive:
        (tmp_path / "own.py").write_bytes(archive.read("verify.py"))
    for program in (Path(verify.__file__), tmp_path / "own.py"):
        command = [sys.executable, "-I", str(program), str(pack), "--log-key", keys["log"]]
        done = subprocess.run([*command, "--witness-key", keys["witness"]], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout
        assert "anchored and intact" in done.stdout


async def test_a_recording_is_played(golden: Path) -> None:
    playback = Playback(golden / "recordings", lambda recording: KEY)
    try:
        timeline = await playback.timeline(SESSION)
        data = b"".join([piece async for piece in playback.asciicast(SESSION)])
    finally:
        playback.close()
    assert (timeline.reason, timeline.gap) == ("client.closed", None)
    header, *told = [json.loads(line) for line in data.decode().splitlines()]
    assert (header["version"], header["title"]) == (3, "deploy@web-1")
    assert told[: len(CAST)] == CAST
