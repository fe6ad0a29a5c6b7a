"""A recording's file and its descriptor, in the hands of two threads."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from onepam.gateway.recording_file import FileEnded, RecordingFile


def descriptors(path: Path) -> list[str]:
    """The numbers under which this process holds the file."""
    found = []
    for each in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{each}") == str(path):
                found.append(each)
        except FileNotFoundError:  # the listing's own
            continue
    return found


def test_after_its_close_nobody_begins(tmp_path: Path) -> None:
    file = RecordingFile.create(tmp_path / "a.rec")
    file.write(b"one")
    file.sync(name=True)
    assert file.size == 3
    file.close()
    file.close()
    with pytest.raises(FileEnded, match="closed before"):
        file.write(b"two")
    with pytest.raises(FileEnded, match="closed before"):
        file.sync(name=False)
    assert file.path.read_bytes() == b"one"
    assert descriptors(file.path) == []


def test_whoever_uses_it_last_closes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed in the middle of a sync: the number stays ours until the sync is over."""
    file, begun, go_on = RecordingFile.create(tmp_path / "a.rec"), threading.Event(), threading.Event()
    sync = os.fdatasync

    def slow(descriptor: int) -> None:
        begun.set()
        assert go_on.wait(20)
        sync(descriptor)

    monkeypatch.setattr("os.fdatasync", slow)
    with ThreadPoolExecutor(1) as pool:
        syncing = pool.submit(file.sync, name=False)
        assert begun.wait(20)
        file.close()
        assert len(descriptors(file.path)) == 1
        with pytest.raises(FileEnded):
            file.write(b"late")
        go_on.set()
        syncing.result(20)
    assert descriptors(file.path) == []
