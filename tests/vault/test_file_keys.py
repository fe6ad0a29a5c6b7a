"""The master key file: private or refused, rotated without losing a key."""

import fcntl
import json
import os
import secrets
import stat
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from onepam.files.private_file import create_private, read_private, replace_private
from onepam.kernel.errors import Corrupt, Refused, Unavailable
from onepam.vault.envelope import KeyMissing
from onepam.vault.file_keys import MAX_FILE_BYTES, FileKeys


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "master.keys"


def test_the_first_run_makes_one_private_key_and_later_runs_keep_it(path: Path) -> None:
    first = FileKeys.create(path, secrets.token_bytes)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert FileKeys.create(path, secrets.token_bytes).ids == first.ids == (first.current,)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_opening_without_a_file_says_so(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileKeys(path, secrets.token_bytes)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o610, 0o601])
def test_a_file_open_to_others_is_refused(path: Path, mode: int) -> None:
    FileKeys.create(path, secrets.token_bytes)
    path.chmod(mode)
    with pytest.raises(Corrupt, match="chmod 600"):
        FileKeys(path, secrets.token_bytes)


def test_a_link_a_folder_and_a_pipe_are_refused(path: Path) -> None:
    FileKeys.create(path, secrets.token_bytes)
    link, folder, pipe = (path.with_name(name) for name in ("link", "folder", "pipe"))
    link.symlink_to(path)
    folder.mkdir()
    os.mkfifo(pipe, 0o600)
    for odd in (link, folder, pipe):
        with pytest.raises(Corrupt, match=r"link|regular"):
            FileKeys.create(odd, secrets.token_bytes)


def test_a_file_of_another_user_is_refused(path: Path) -> None:
    FileKeys.create(path, secrets.token_bytes)
    if os.geteuid() == 0:
        os.chown(path, 65534, -1)
    else:  # only root can give a file away, so take one of root's
        path = Path("/etc/passwd")
    with pytest.raises(Corrupt, match="belongs to user"):
        FileKeys(path, secrets.token_bytes)


KEY = b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b"\xff\xfe",
        b"[" * 50_000,
        json.dumps({"current": "a"}).encode(),
        json.dumps({"current": "a", "keys": {}}).encode(),
        json.dumps({"current": "a", "keys": []}).encode(),
        json.dumps({"current": "b", "keys": {"a": KEY}}).encode(),
        json.dumps({"current": ["a"], "keys": {"a": KEY}}).encode(),
        json.dumps({"current": "a", "keys": {"a": KEY[:-4]}}).encode(),
        json.dumps({"current": "a", "keys": {"a": 7}}).encode(),
        json.dumps({"current": "a", "keys": {"a": "!" + KEY}}).encode(),
        json.dumps({"current": "", "keys": {"": KEY}}).encode(),
        json.dumps({"current": "é", "keys": {"é": KEY}}).encode(),
        json.dumps({"current": "a" * 65, "keys": {"a" * 65: KEY}}).encode(),
        json.dumps({"current": "a", "keys": {"a": KEY}, "more": 1}).encode(),
        b" " * (MAX_FILE_BYTES + 1),
    ],
)
def test_a_malformed_file_is_refused_and_never_quoted(path: Path, content: bytes) -> None:
    create_private(path, content, secrets.token_bytes)
    with pytest.raises(Corrupt) as caught:
        FileKeys(path, secrets.token_bytes)
    assert KEY[:8] not in str(caught.value)


def test_rotation_keeps_the_old_keys_and_other_processes_see_it(path: Path) -> None:
    ours, theirs = FileKeys.create(path, secrets.token_bytes), FileKeys(path, secrets.token_bytes)
    first = ours.current
    wrapped = ours.wrap(first, b"k" * 32, b"")
    second = ours.rotate()
    assert isinstance(second, str)
    assert ours.ids == (first, second)
    assert ours.current == second
    assert theirs.unwrap(second, ours.wrap(second, b"n" * 32, b""), b"") == b"n" * 32
    assert theirs.current == second
    assert theirs.unwrap(first, wrapped, b"") == b"k" * 32
    assert FileKeys(path, secrets.token_bytes).ids == (first, second)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_rotations_at_one_moment_lose_no_key(path: Path) -> None:
    providers = [FileKeys.create(path, secrets.token_bytes) for _ in range(4)]

    def rotate(provider: FileKeys) -> list[str]:
        made: list[str] = []
        while len(made) < 5:
            try:
                name = provider.rotate()
            except Unavailable:
                continue
            assert isinstance(name, str)
            made.append(name)
        return made

    with ThreadPoolExecutor(4) as pool:
        made = [name for names in pool.map(rotate, providers) for name in names]
    assert set(FileKeys(path, secrets.token_bytes).ids[1:]) == set(made)
    assert len(made) == 20


def test_a_rotation_does_not_wait_for_another_process(path: Path) -> None:
    keys = FileKeys.create(path, secrets.token_bytes)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with pytest.raises(Unavailable):
            keys.rotate()
    finally:
        os.close(folder)
    assert isinstance(keys.rotate(), str)


def test_a_failed_write_leaves_the_old_keys(path: Path) -> None:
    keys = FileKeys.create(path, secrets.token_bytes)
    before = path.read_bytes()
    blocked = path.with_name("blocked")
    blocked.mkdir()
    (blocked / "entry").touch()
    with pytest.raises(OSError, match="blocked"):
        replace_private(blocked, b"x", secrets.token_bytes)
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["blocked", path.name]
    assert not create_private(path, b"x", secrets.token_bytes)
    assert read_private(path, MAX_FILE_BYTES) == before
    assert keys.ids == FileKeys(path, secrets.token_bytes).ids


def test_an_altered_wrap_and_a_lost_key_have_different_names(path: Path) -> None:
    keys = FileKeys.create(path, secrets.token_bytes)
    wrapped = keys.wrap(keys.current, b"k" * 32, b"about")
    with pytest.raises(Corrupt):
        keys.unwrap(keys.current, wrapped, b"other")
    with pytest.raises(KeyMissing, match="mk_gone"):
        keys.unwrap("mk_gone", wrapped, b"about")


def test_a_systemd_credential_is_read_and_never_written(path: Path) -> None:
    keys = FileKeys.create(path, secrets.token_bytes)
    path.chmod(0o440)  # how systemd lends a root-owned credential by ACL
    environment = {"CREDENTIALS_DIRECTORY": str(path.parent)}
    credential = FileKeys.credential(path.name, secrets.token_bytes, environment)
    assert credential.ids == keys.ids
    refused = credential.rotate()
    assert isinstance(refused, Refused)
    assert refused.code == "vault.read_only"
    path.chmod(0o444)
    with pytest.raises(Corrupt):
        FileKeys.credential(path.name, secrets.token_bytes, environment)
    with pytest.raises(FileNotFoundError):
        FileKeys.credential(path.name, secrets.token_bytes, {})
    for odd in ("", "../master.keys", ".hidden"):
        with pytest.raises(ValueError, match="name"):
            FileKeys.credential(odd, secrets.token_bytes, environment)
