"""Files that hold secrets: what is read, and what a write leaves."""

import os
import secrets
import stat
from pathlib import Path

import pytest

from onepam.files.private_file import CREDENTIAL, create_private, read_private, replace_private
from onepam.kernel.errors import Corrupt


@pytest.fixture
def path(tmp_path: Path) -> Path:
    assert create_private(tmp_path / "secret", b"secret", secrets.token_bytes)
    return tmp_path / "secret"


def test_what_is_written_is_its_owners_and_is_read_again(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_private(path, 6) == b"secret"
    with pytest.raises(Corrupt, match="larger than 5 bytes"):
        read_private(path, 5)


def test_only_a_file_that_is_closed_to_others_is_read(path: Path) -> None:
    path.chmod(0o640)
    with pytest.raises(Corrupt, match="chmod 600"):
        read_private(path, 6)
    assert read_private(path, 6, forbidden=CREDENTIAL) == b"secret"
    link, folder, pipe = (path.with_name(name) for name in ("link", "folder", "pipe"))
    link.symlink_to(path)
    folder.mkdir(mode=0o700)
    os.mkfifo(pipe, 0o600)
    for odd in (link, folder, pipe):
        with pytest.raises(Corrupt, match=r"link|regular"):
            read_private(odd, 6)
    with pytest.raises(FileNotFoundError):
        read_private(path.with_name("none"), 6)


def test_what_is_there_is_not_created_anew(path: Path) -> None:
    dangling = path.with_name("dangling")
    dangling.symlink_to("nowhere")
    for there in (path, dangling):
        assert not create_private(there, b"other", secrets.token_bytes)
    assert read_private(path, 6) == b"secret"
    assert sorted(each.name for each in path.parent.iterdir()) == ["dangling", "secret"]


def test_a_file_is_replaced_whole_or_not_at_all(path: Path) -> None:
    replace_private(path, b"other", secrets.token_bytes)
    assert read_private(path, 6) == b"other"
    pipe = path.with_name("pipe")
    os.mkfifo(pipe)
    replace_private(pipe, b"file", secrets.token_bytes)
    assert read_private(pipe, 6) == b"file"
    (path.with_name("folder") / "full").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        replace_private(path.with_name("folder"), b"x", secrets.token_bytes)
    assert sorted(each.name for each in path.parent.iterdir()) == ["folder", "pipe", "secret"]
