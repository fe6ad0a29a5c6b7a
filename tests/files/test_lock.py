"""Locks between processes; two descriptors of one process are as two processes to `flock`."""

import fcntl
import os
from pathlib import Path

import pytest

from onepam.files.lock import locked
from onepam.kernel.errors import Unavailable


@pytest.mark.parametrize("name", ["", "lock"], ids=["folder", "file"])
def test_one_has_it_and_then_the_next(tmp_path: Path, name: str) -> None:
    for _ in range(2):
        with (
            locked(tmp_path / name, "first"),
            pytest.raises(Unavailable, match="second"),
            locked(tmp_path / name, "second"),
        ):
            raise AssertionError("held twice")


def test_several_may_share_it(tmp_path: Path) -> None:
    with locked(tmp_path, "first", fcntl.LOCK_SH), locked(tmp_path, "second", fcntl.LOCK_SH):
        with pytest.raises(Unavailable, match="alone"), locked(tmp_path, "alone"):
            raise AssertionError("held twice")


def test_no_link_is_followed_and_no_pipe_waited_for(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="link"), locked(tmp_path / "link", "held"):
        raise AssertionError("followed")
    assert not (tmp_path / "elsewhere").exists()
    os.mkfifo(tmp_path / "pipe")
    with locked(tmp_path / "pipe", "held"):
        pass
