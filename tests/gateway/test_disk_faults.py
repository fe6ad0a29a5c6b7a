"""Recordings that the disk does not give: each is a finding of its own, and stops no check of another."""

import errno
import io
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from onepam.domain.sessions.recordings import (
    Checked,
    Condition,
    RecordingFoundBad,
    RecordingFoundGood,
    RecordingsChecked,
)
from onepam.files import data_file
from onepam.jobs.recordings_standing import recordings_read
from onepam.ledger.verdict import ExitCode, exit_code, history
from tests.gateway.finished import Folder, finished_recordings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    async with finished_recordings(tmp_path) as folder:
        yield folder


def faulty(monkeypatch: pytest.MonkeyPatch, code: int, *names: str) -> None:
    """A disk that opens files of these names, and gives their content only as this error."""
    as_before = data_file.opened_file

    @contextmanager
    def opened(path: Path) -> Iterator[BinaryIO]:
        with as_before(path) as file:
            yield cast(BinaryIO, Broken(path)) if path.name in names else file

    class Broken(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr("onepam.gateway.recheck.opened_file", opened)
    monkeypatch.setattr("onepam.files.data_file.opened_file", opened)


@pytest.mark.parametrize("place", [Folder.file, Folder.key_file])
async def test_what_the_disk_does_not_give_is_named_and_the_others_are_checked(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, place: Callable[[Folder], Path]
) -> None:
    with monkeypatch.context() as broken:
        faulty(broken, errno.EIO, place(folder).name)
        assert await folder.job().check_new() == 3
        with sqlite3.connect(folder.company.path) as db:
            db.execute("VACUUM INTO ?", (str(folder.path / "ledger.db"),))
        told, bad = recordings_read(folder.path, folder.company.clock, lambda done, of: None)
    found = "the disk does not give it: Input/output error"
    assert folder.events(RecordingFoundBad) == [RecordingFoundBad(folder.mine, Condition.UNREADABLE, found)]
    assert bad == [Checked(folder.mine, Condition.UNREADABLE, found)]
    assert told.line().startswith("3 of 3 checked")
    assert told.line().endswith("; 1 unopened")
    assert exit_code(history(1, folder.company.clock(), 0, []), 0, told) == ExitCode.RECORDINGS
    assert await folder.job().check_part() == 3
    assert folder.events(RecordingFoundGood) == [RecordingFoundGood(folder.mine, Condition.WHOLE)]


@pytest.mark.parametrize("place", [Folder.file, Folder.key_file])
async def test_what_the_process_itself_lacks_is_no_finding(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, place: Callable[[Folder], Path]
) -> None:
    faulty(monkeypatch, errno.EMFILE, place(folder).name)
    with pytest.raises(OSError, match="Too many open files"):
        await folder.job().check_new()
    assert folder.events(RecordingsChecked) == []
