"""`onepam setup` makes a recovery key once; neither a lost nor an altered database replaces it."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.boot.installation import ONEPAM
from tests.boot.test_setup import ADMINS
from tests.forked import onepam, python


def founded(data: Path, *more: str) -> str:
    done = onepam("setup", *ADMINS, "--data", str(data), *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def key_in(told: str) -> str:
    return str(re.findall(r"Recovery key: (\S+)", told)[0])


def kinds(data: Path) -> list[str]:
    """What happened, in order; that each command of the host is a node is another test's."""
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        return [kind for (kind,) in db.execute("SELECT kind FROM entry ORDER BY idx") if kind != "node.certified"]


def as_a_user(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Without root's leave to write where the mode does not let it."""
    without = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    words = [*without, *ONEPAM, *arguments]
    return subprocess.run(words, input=typed, capture_output=True, text=True, timeout=60)


@contextmanager
def of_roots(data: Path, config: Path) -> Iterator[Path]:
    """An installation whose digest lies in a folder that its user cannot write, as the manual has it; the file."""
    file = config.with_name("etc") / "recovery-key"
    config.write_text(f'recovery_key_file = "{file}"\n')
    file.parent.mkdir()
    file.parent.chmod(0o555)
    try:
        yield file
    finally:
        file.parent.chmod(0o755)


def done_as_root(told: str, file: Path) -> None:
    """What the command says to do as root."""
    assert f"could not be put into {file}" in told
    file.parent.chmod(0o755)
    subprocess.run(["sh", "-c", told.split("Do it as root:\n")[1].splitlines()[0]], check=True, timeout=60)
    file.parent.chmod(0o555)


def renewed(data: Path, old: str, *more: str) -> subprocess.CompletedProcess[str]:
    return onepam("recovery-key", "renew", "--data", str(data), *more, typed=f"{old}\n")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_it_is_printed_once_and_its_digest_lies_in_the_first_entry_and_outside(data: Path) -> None:
    told = founded(data)
    key = key_in(told)
    beside = data.with_name("data.recovery-key")
    assert str(beside) in told
    assert kinds(data)[0] == "recovery_key.made"
    digest = beside.read_text().split()[1]
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        (body,) = db.execute("SELECT body FROM entry WHERE idx = 0").fetchone()
    assert digest.encode() in body
    again = founded(data)
    assert "Recovery key: " not in again, "setup may be repeated, and makes no other"
    assert "If nobody wrote it down, make another: onepam recovery-key renew --no-with-key" in again
    everything = b"".join(each.read_bytes() for each in [beside, *data.rglob("*")] if each.is_file())
    for shape in (key, key.replace("-", ""), key.upper()):
        assert shape.encode() not in everything


def test_a_lost_database_does_not_replace_it(data: Path) -> None:
    key = key_in(founded(data))
    shutil.rmtree(data)
    told = founded(data)
    assert "that was made before stays in force" in told
    assert "Recovery key: " not in told
    assert renewed(data, key).returncode == 0


def test_an_altered_database_does_not_replace_it(data: Path) -> None:
    """Another digest slipped into the ledger opens nothing: both are asked, and where they disagree it takes a day."""
    key, stranger = key_in(founded(data)), key_in(founded(data.with_name("other")))
    mine = data.with_name("data.recovery-key").read_text().split()[1]
    theirs = data.with_name("other.recovery-key").read_text().split()[1]
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        db.execute("UPDATE entry SET body = CAST(replace(body, ?, ?) AS BLOB) WHERE idx = 0", (mine, theirs))
        db.commit()
    refused = renewed(data, stranger)
    assert refused.returncode == 1
    assert "not the recovery key" in refused.stderr
    refused = renewed(data, key)
    assert refused.returncode == 1
    assert "the ledger knows another one. Without the key (--no-with-key) it takes a day." in refused.stderr
    assert "Announced as ann_" in onepam("recovery-key", "renew", "--no-with-key", "--data", str(data)).stdout


def test_another_file_does_not_replace_it(data: Path, tmp_path: Path) -> None:
    """Whoever may run the command could bring a configuration, and a file with the digest of a key of their own."""
    founded(data)
    stranger = key_in(founded(data.with_name("other")))
    mine = tmp_path / "mine.toml"
    mine.write_text(f'recovery_key_file = "{data.with_name("other.recovery-key")}"\n')
    before = kinds(data)
    refused = renewed(data, stranger, "--config", str(mine))
    assert refused.returncode == 1
    assert "the ledger knows another one" in refused.stderr
    loss = ("--origin", "stolen.log", "--because", "x", "--data", str(data), "--config", str(mine))
    assert onepam("ledger", "continue-after-loss", *loss, typed=f"{stranger}\n").returncode != 0
    assert kinds(data) == before


def test_it_is_renewed_with_the_old_one(data: Path) -> None:
    old = key_in(founded(data))
    assert renewed(data, "abcd").returncode == 1
    done = renewed(data, old)
    assert done.returncode == 0, done.stderr
    new = key_in(done.stdout)
    assert kinds(data)[-1] == "recovery_key.renewed"
    assert renewed(data, old).returncode == 1
    assert renewed(data, new).returncode == 0


def test_without_the_old_one_it_is_announced(data: Path) -> None:
    old = key_in(founded(data))
    first = renewed(data, "", "--no-with-key")
    assert first.returncode == 0, first.stderr
    assert "Every administrator sees it and may cancel it" in first.stdout
    assert kinds(data)[-1] == "recovery_key.renewal_announced"
    again = renewed(data, "", "--no-with-key")
    assert again.returncode == 1
    assert "nobody may carry it out before" in again.stderr
    assert renewed(data, old).returncode == 0


def test_without_the_file_outside_nothing_takes_a_key(data: Path) -> None:
    key = key_in(founded(data))
    data.with_name("data.recovery-key").unlink()
    done = renewed(data, key)
    assert done.returncode == 4
    assert "nothing else says which recovery key is the right one" in done.stderr


def test_where_it_lies_is_a_setting_and_never_the_data_folder(data: Path, tmp_path: Path) -> None:
    config, elsewhere = tmp_path / "onepam.toml", tmp_path / "etc" / "recovery-key"
    elsewhere.parent.mkdir()
    config.write_text(f'recovery_key_file = "{elsewhere}"\n')
    key_in(founded(data, "--config", str(config)))
    assert elsewhere.exists()
    config.write_text(f'recovery_key_file = "{data}/recovery-key"\n')
    done = onepam("setup", *ADMINS, "--data", str(data), "--config", str(config))
    assert done.returncode == 4
    assert "lies in the data folder" in done.stderr


def test_a_file_that_cannot_be_written_is_told_with_what_to_do(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "onepam.toml"
    config.write_text('recovery_key_file = "/proc/nowhere/recovery-key"\n')
    told = founded(data, "--config", str(config))
    assert key_in(told)
    assert "could not be put into /proc/nowhere/recovery-key" in told
    assert re.search(r"echo 'onepam-recovery-key/1 [0-9a-f]{64}' > ", told)


def test_a_file_that_only_root_writes_takes_each_new_key(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "onepam.toml"
    on = ("--data", str(data), "--config", str(config))
    with of_roots(data, config) as file:
        told = as_a_user("setup", *ADMINS, *on).stdout
        done_as_root(told, file)
        old = key_in(told)
        done = as_a_user("recovery-key", "renew", *on, typed=f"{old}\n")
        assert done.returncode == 0, done.stderr
        new = key_in(done.stdout)
        assert as_a_user("recovery-key", "renew", *on, typed=f"{old}\n").returncode == 1, "it was spent"
        assert as_a_user("recovery-key", "renew", *on, typed=f"{new}\n").returncode == 1, "root has not put it there"
        done_as_root(done.stdout, file)
        announced = as_a_user("recovery-key", "renew", "--no-with-key", *on)
        assert "Announced as ann_" in announced.stdout, announced.stderr
        assert as_a_user("recovery-key", "renew", *on, typed=f"{new}\n").returncode == 0


def test_a_new_key_is_not_lost_to_a_file_that_cannot_be_written(data: Path) -> None:
    old = key_in(founded(data))
    in_the_way = data.with_name("data.recovery-key.new")
    in_the_way.mkdir()
    done = renewed(data, old)
    assert done.returncode == 0, done.stderr
    assert kinds(data)[-1] == "recovery_key.renewed"
    in_the_way.rmdir()
    done_as_root(done.stdout, data.with_name("data.recovery-key"))
    assert renewed(data, key_in(done.stdout)).returncode == 0


BROKEN_OFF = """
import os, signal, sys
from onepam.boot import recovery_key
setattr(recovery_key, sys.argv.pop(1), lambda *given, **more: os.kill(os.getpid(), signal.SIGKILL))
from onepam.boot.commands.up import main
main()
"""
"""`onepam` that is killed where it would call a function."""


@pytest.mark.parametrize(
    ("at", "stays"),
    [("_unkept", False), ("make_recovery_key", True)],
    ids=["before the digest is outside", "before the ledger knows"],
)
def test_a_founding_that_breaks_off_leaves_no_key_that_nobody_saw(data: Path, at: str, stays: bool) -> None:
    broken = python(BROKEN_OFF, at, "setup", *ADMINS, "--data", data)
    assert broken.returncode == -signal.SIGKILL
    first = key_in(broken.stdout)
    again = founded(data)
    assert ("that was made before stays in force" in again) is stays
    key = first if stays else key_in(again)
    assert renewed(data, key).returncode == 0


def test_a_digest_that_is_not_outside_is_asked_for_by_every_founding(data: Path) -> None:
    """It was shown once, and whoever did not do it then is told again."""
    key = key_in(founded(data))
    beside = data.with_name("data.recovery-key")
    line = beside.read_text()
    beside.unlink()
    told = founded(data)
    assert "Recovery key: " not in told
    assert f"echo '{line.strip()}' > {beside}" in told
    beside.write_text(line)
    assert "Its digest" not in founded(data)
    assert renewed(data, key).returncode == 0
