"""Attacks on finished recordings, their keys and their rows, by somebody who writes to the data folder.

Each is a row of one table with the finding that must come of it. The attacker of the lower rows also holds the master
keys, which a default installation keeps in the same folder.
"""

import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from pathlib import Path

import pytest

from onepam.domain.sessions.recordings import (
    Checked,
    Condition,
    RecordingFoundBad,
    RecordingFoundGood,
    RecordingsChecked,
)
from onepam.jobs.recording_check import check_all
from onepam.jobs.recordings_standing import recordings_read, recordings_standing
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Fault
from onepam.ledger.verdict import ExitCode, exit_code, history
from onepam.recording import frames
from onepam.recording.open import Reader
from onepam.recording.seal import Sealer
from onepam.vault.envelope import _DATA_KEY, _Header
from tests.gateway.finished import Folder, finished_recordings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    async with finished_recordings(tmp_path) as folder:
        yield folder


Attack = Callable[[Folder], None]


def changed(at: Callable[[Folder], int], to: Callable[[int], int] = lambda byte: byte ^ 1) -> Attack:
    """Changes one byte of the recording."""

    def attack(folder: Folder) -> None:
        data = bytearray(folder.file().read_bytes())
        data[at(folder)] = to(data[at(folder)])
        folder.file().write_bytes(data)

    return attack


def kept(end: Callable[[Folder], int]) -> Attack:
    """Cuts the recording to its first so many bytes."""
    return lambda folder: os.truncate(folder.file(), end(folder))


def rearranged(order: tuple[int, ...]) -> Attack:
    """The chunks (from 0) in another order, some twice or not at all."""

    def attack(folder: Folder) -> None:
        data, ends = folder.file().read_bytes(), folder.chunks()
        parts = [data[ends[number] : ends[number + 1]] for number in order]
        folder.file().write_bytes(data[: ends[0]] + b"".join(parts))

    return attack


def appended(more: bytes) -> Attack:
    def attack(folder: Folder) -> None:
        with folder.file().open("ab") as file:
            file.write(more)

    return attack


def spliced(folder: Folder) -> None:
    """The second half comes from the other recording."""
    mine, other = folder.file().read_bytes(), folder.file(folder.other).read_bytes()
    folder.file().write_bytes(mine[: folder.chunks()[2]] + other[folder.chunks(folder.other)[2] :])


def spliced_with_key(folder: Folder) -> None:
    """The same by somebody who opens both and seals the splice under this recording's key."""
    folder.write(folder.mine, folder.key(folder.mine), said="spliced")


def swapped(folder: Folder) -> None:
    """The other session's recording with its key, as it is."""
    shutil.copy(folder.file(folder.other), folder.file())
    shutil.copy(folder.key_file(folder.other), folder.key_file())


def swapped_and_wrapped(folder: Folder) -> None:
    """The other session's recording, its key wrapped anew for this session."""
    key = folder.key(folder.other)
    shutil.copy(folder.file(folder.other), folder.file())
    about = sha256(f"recording/{folder.mine}".encode("ascii")).digest()
    header = _Header(_DATA_KEY, folder.envelope._keys.current, about)
    folder.key_file().write_bytes(folder.envelope._wrap(header, key))


def another_key(folder: Folder) -> None:
    shutil.copyfile(folder.key_file(folder.other), folder.key_file())


def resealed(folder: Folder) -> None:
    """Another content under a key of its own, properly wrapped: it plays as genuine."""
    folder.write(folder.mine, folder.new_key(folder.mine), said="nothing to see")


def resealed_shorter(folder: Folder) -> None:
    """As a recording that ends early, which is what a crash leaves."""
    sealer = Sealer(folder.mine, folder.new_key(folder.mine))
    sealer.append(frames.Opened(0, folder.mine, "eve", "dev-1", "app", "ssh", Instant(1)))
    folder.file().write_bytes(sealer.header + sealer.seal()[0])


Place = Callable[[Folder], Path]


def linked(place: Place = Folder.file) -> Attack:
    """A link to the very bytes, kept elsewhere: whoever owns that place changes them later."""

    def attack(folder: Folder) -> None:
        place(folder).rename(folder.path / "elsewhere")
        place(folder).symlink_to(folder.path / "elsewhere")

    return attack


def replaced(make: Callable[[Path], object], place: Place = Folder.file) -> Attack:
    """Something else in the place of a file, such as a pipe: whoever opens one waits for ever."""

    def attack(folder: Folder) -> None:
        place(folder).unlink()
        make(place(folder))

    return attack


def sparse(place: Place = Folder.file) -> Attack:
    """Zeros without end, which cost no disk."""
    return lambda folder: os.truncate(place(folder), 1 << 40)


def head_row(folder: Folder) -> None:
    """The state rows of the session and of its sealed head name a forged recording, which lies in place."""
    sealer = folder.write(folder.mine, folder.new_key(folder.mine), said="forged")
    head = sealer.head.digest.hex()
    with sqlite3.connect(folder.company.path) as db:
        db.execute("UPDATE session SET head = ? WHERE session = ?", (head, folder.mine))
        db.execute("UPDATE sealed_head SET head = ? WHERE session = ?", (head, folder.mine))


def closing_entry(folder: Folder) -> None:
    """The closing entry itself names the forged recording; the head that was sealed before it does not."""
    old = Reader([folder.file().read_bytes()], folder.key(folder.mine))
    for _ in old:
        pass
    sealer = folder.write(folder.mine, folder.new_key(folder.mine), said="forged")
    with sqlite3.connect(folder.company.path) as db:
        db.execute(
            "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), ?, ?) AS BLOB) WHERE kind = 'session.closed'",
            (old.head.digest.hex(), sealer.head.digest.hex()),
        )


ATTACKS: dict[str, tuple[Attack, Condition, str]] = {
    "deleted": (lambda f: f.file().unlink(), Condition.MISSING, "gone"),
    "emptied": (kept(lambda f: 0), Condition.CUT, "ends after chunk 0, but chunk 4"),
    "cut in its header": (kept(lambda f: 10), Condition.CUT, "ends after chunk 0, but chunk 4"),
    "cut after its header": (kept(lambda f: f.chunks()[0]), Condition.CUT, "ends after chunk 0, but chunk 4"),
    "cut between chunks": (kept(lambda f: f.chunks()[2]), Condition.CUT, "ends after chunk 2, but chunk 4"),
    "cut in a chunk": (kept(lambda f: f.chunks()[2] + 9), Condition.CUT, "ends after chunk 2, but chunk 4"),
    "cut by one byte": (kept(lambda f: f.chunks()[-1] - 1), Condition.CUT, "ends after chunk 3, but chunk 4"),
    "a bit of its magic": (changed(lambda f: 3), Condition.ALTERED, "not the beginning of a recording"),
    "a bit of its name": (changed(lambda f: f.chunks()[0] - 1), Condition.FOREIGN, "it is the recording"),
    "a bit of a length": (changed(lambda f: f.chunks()[1] + 4), Condition.ALTERED, "chunk 2"),
    "a bit of a flag": (changed(lambda f: f.chunks()[1]), Condition.ALTERED, "chunk 2"),
    "a bit of a chunk": (changed(lambda f: f.chunks()[1] + 20), Condition.ALTERED, "chunk 2"),
    "a bit of the last tag": (changed(lambda f: f.chunks()[-1] - 1), Condition.ALTERED, "chunk 4"),
    "chunks in another order": (rearranged((0, 2, 1, 3)), Condition.ALTERED, "chunk 2"),
    "a chunk twice": (rearranged((0, 1, 1, 2, 3)), Condition.ALTERED, "chunk 3"),
    "a chunk left out": (rearranged((0, 2, 3)), Condition.ALTERED, "chunk 2"),
    "a byte appended": (appended(b"x"), Condition.ALTERED, "goes on after its closing frame"),
    "zeros appended": (appended(bytes(4096)), Condition.ALTERED, "goes on after its closing frame"),
    "a tebibyte of nothing": (sparse(), Condition.ALTERED, "goes on after its closing frame"),
    "two recordings spliced": (spliced, Condition.ALTERED, "chunk 3"),
    "a link": (linked(), Condition.ALTERED, "a link"),
    "a pipe": (replaced(os.mkfifo), Condition.ALTERED, "no file"),
    "a folder": (replaced(Path.mkdir), Condition.ALTERED, "no file"),
    "its key deleted": (lambda f: f.key_file().unlink(), Condition.KEY_MISSING, "gone"),
    "its key cut": (lambda f: os.truncate(f.key_file(), 20), Condition.KEY_ALTERED, "malformed"),
    "its key emptied": (lambda f: os.truncate(f.key_file(), 0), Condition.KEY_ALTERED, "envelope"),
    "its key a tebibyte of nothing": (sparse(Folder.key_file), Condition.KEY_ALTERED, "larger than"),
    "its key a link": (linked(Folder.key_file), Condition.KEY_ALTERED, "a link"),
    "its key a pipe": (replaced(os.mkfifo, Folder.key_file), Condition.KEY_ALTERED, "no file"),
    "its key a folder": (replaced(Path.mkdir, Folder.key_file), Condition.KEY_ALTERED, "no file"),
    "another's key": (
        another_key,
        Condition.KEY_ALTERED,
        "sealed for something else",
    ),
    "another session's, with its key": (swapped, Condition.KEY_ALTERED, "sealed for something else"),
    "another session's, its key wrapped anew": (swapped_and_wrapped, Condition.FOREIGN, "it is the recording"),
    "sealed anew under its own key": (resealed, Condition.FOREIGN, "its chain does not lead"),
    "sealed anew, as after a crash": (resealed_shorter, Condition.CUT, "ends after chunk 1"),
    "sealed anew under the same key": (spliced_with_key, Condition.FOREIGN, "its chain does not lead"),
    "sealed anew, with the state rows": (head_row, Condition.FOREIGN, "its chain does not lead"),
    "sealed anew, with the closing entry": (closing_entry, Condition.FOREIGN, "its chain does not lead"),
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_each_attack_is_named(folder: Folder, name: str) -> None:
    attack, condition, words = ATTACKS[name]
    attack(folder)
    assert await folder.job().check_new() == 3
    (bad,) = folder.events(RecordingFoundBad)
    assert isinstance(bad, RecordingFoundBad)
    assert (bad.session, bad.condition) == (folder.mine, condition), bad
    assert words in bad.found
    (checked,) = folder.events(RecordingsChecked)
    assert isinstance(checked, RecordingsChecked)
    assert checked.conditions == {"gap": 1, condition.value: 1, "whole": 1}
    assert [each for each in check_all(folder.company.reader, folder.recordings, folder.key) if each.found] == [
        Checked(folder.mine, condition, bad.found)
    ]


async def test_what_was_left_alone_is_whole_and_a_dead_process_left_a_gap(folder: Folder) -> None:
    assert await folder.job().check_new() == 3
    assert await folder.job().check_new() == 0
    assert folder.events(RecordingFoundBad) == []
    found = {each.session: each.condition for each in check_all(folder.company.reader, folder.recordings, folder.key)}
    assert found == {folder.mine: Condition.WHOLE, folder.other: Condition.WHOLE, folder.dead: Condition.GAP}


async def test_what_a_dead_process_left_cannot_be_cut_further(folder: Folder) -> None:
    os.truncate(folder.file(folder.dead), folder.file(folder.dead).stat().st_size - 1)
    await folder.job().check_new()
    (bad,) = folder.events(RecordingFoundBad)
    assert isinstance(bad, RecordingFoundBad)
    assert (bad.session, bad.condition) == (folder.dead, Condition.CUT)
    assert "its closing entry counts" in bad.found


async def test_turns_go_over_all_again_and_tell_a_change_once(folder: Folder) -> None:
    job, kept_away = folder.job(), folder.path / "kept"
    assert await job.check_part() == 0  # nothing is older than new
    await job.check_new()
    folder.file().rename(kept_away)
    assert await job.check_part() == 3
    assert await job.check_part() == 0  # the next turn is not due
    folder.company.clock.advance(2 * DAY)
    assert await job.check_part() == 3
    assert len(folder.events(RecordingFoundBad)) == 1
    kept_away.rename(folder.file())
    folder.company.clock.advance(2 * DAY)
    assert await job.check_part() == 3
    assert folder.events(RecordingFoundGood) == [RecordingFoundGood(folder.mine, Condition.WHOLE)]
    turns = [each.turn for each in folder.events(RecordingsChecked) if isinstance(each, RecordingsChecked)]
    assert turns == [0, 1, 2, 3]


async def test_a_turn_goes_on_where_a_stop_has_interrupted_it(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    await folder.job().check_new()
    monkeypatch.setattr("onepam.jobs.recording_check.MOST", 2)
    assert await folder.job().check_part() == 2
    assert await folder.job().check_part() == 1  # another life of the process
    ranges = [(e.turn, e.begin, e.number) for e in folder.events(RecordingsChecked) if isinstance(e, RecordingsChecked)]
    assert [(turn, number) for turn, _, number in ranges] == [(0, 3), (1, 2), (1, 1)]


async def test_the_line_of_a_verification_counts_conditions_apart(folder: Folder) -> None:
    clock, database = folder.company.clock, folder.company.path
    told, bad = recordings_standing(database, clock)
    assert (told.line(), bad) == ("0 of 3 checked", [])
    await folder.job().check_new()
    told, bad = recordings_standing(database, clock)
    assert told.line().startswith("3 of 3 checked, as of 2")
    folder.file().unlink()
    os.truncate(folder.file(folder.other), 200)
    folder.key_file(folder.dead).unlink()
    assert recordings_standing(database, clock)[0].bad == 0  # nobody has looked since
    with sqlite3.connect(database) as db:
        db.execute("VACUUM INTO ?", (str(folder.path / "ledger.db"),))
    told, bad = recordings_read(folder.path, clock, lambda done, of: None)
    assert told.line().partition("; ")[2] == "1 missing; 1 cut; 1 unopened"
    assert exit_code(history(1, clock(), 0, []), 0, told) == ExitCode.RECORDINGS
    await folder.job().check_part()
    known, found = recordings_standing(database, clock)
    assert (known.bad, sorted(each.session for each in found)) == (3, sorted(each.session for each in bad))
    (folder.path / "master-keys.json").unlink()
    with pytest.raises(Fault, match="--no-recordings"):
        recordings_read(folder.path, clock, lambda done, of: None)
