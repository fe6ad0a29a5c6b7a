"""Nothing in the data folder is anybody else's to read, whoever made the folder and with whatever umask."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from onepam.boot.private_folder import OTHERS, private_folder
from onepam.kernel.errors import Fault
from tests.gateway_process import Failed, elsewhere, started, up

pytestmark = pytest.mark.anyio


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """What is tested sets the umask of its process: here that is the tests' own."""
    with umask(0o022):
        yield


def open_to_others(folder: Path) -> list[str]:
    """Everything at and below the folder with a mode bit for group or others."""
    paths = [folder, *folder.rglob("*")]
    return [str(path) for path in paths if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & OTHERS]


async def test_a_busy_gateway_on_a_folder_that_stood_open_leaves_nothing_open(tmp_path: Path) -> None:
    """The folder was there with mode 0755 and files of 0644, and the process was begun with an empty umask."""
    with umask(0), elsewhere(tmp_path) as (gateway, egress):
        data = tmp_path / "data"
        for path in (data, *data.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        assert str(data / "ledger.db") in open_to_others(data)
        process = started(tmp_path, egress=egress, signal_receivers=["crm https://crm.example poll"])
        try:
            assert open_to_others(data) == []
            gateway.platform.ssh_port = process.ssh_port
            await gateway.record(gateway.resource("web-1"))
            person = await gateway.person()
            done = await gateway.run(*gateway.ssh(person, "echo", "there"))
            assert (done.status, done.stdout) == (0, b"there\n"), done.stderr
            await gateway.ended(person)
            assert len(list(data.rglob("*"))) > 20
            assert open_to_others(data) == []
        finally:
            process.stop()
        assert open_to_others(data) == []


def test_what_belongs_to_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ledger.db").touch()
    os.chown(tmp_path / "data" / "ledger.db", 12345, 12345)
    found = up(tmp_path)
    assert isinstance(found, Failed)
    assert found.status == 4
    assert "ledger.db belongs to user 12345" in found.words
    assert "Traceback" not in found.words


def test_links_are_not_followed_except_to_a_folder_of_the_data_on_another_volume(tmp_path: Path) -> None:
    data, volume, other = tmp_path / "data", tmp_path / "volume", tmp_path / "other"
    for folder in (data, volume, other):
        folder.mkdir(mode=0o755)
        (folder / "file").touch(mode=0o644)
    (data / "recordings").symlink_to(volume)
    (data / "link").symlink_to(other / "file")
    (data / "deep").mkdir(mode=0o755)
    (data / "deep" / "link").symlink_to(other)
    assert private_folder(data) == data
    assert open_to_others(data) == open_to_others(volume) == []
    assert open_to_others(other) == [str(other), str(other / "file")]


def test_what_the_owner_may_do_stays(tmp_path: Path) -> None:
    """A program stays one, and what is read-only stays that."""
    (tmp_path / "program").touch()
    (tmp_path / "program").chmod(0o755)
    (tmp_path / "kept").touch()
    (tmp_path / "kept").chmod(0o444)
    private_folder(tmp_path)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("program", "kept")]
    assert modes == [0o700, 0o400]
    (tmp_path / "new").touch()
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(Fault, match="belongs to user"):
        private_folder(tmp_path)
