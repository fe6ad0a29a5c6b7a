"""What is no evidence pack, what cannot be read or told, and Pythons that are too old: none of it is a verdict."""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onepam.evidence.verifier import command, verdict, verify
from tests.evidence.company import PART, History
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Forge, unzip

VERIFY = Path(verify.__file__)


def run(pack: Path | str, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-I", str(VERIFY), str(pack), *arguments]
    return subprocess.run(program, text=True, timeout=60, check=False, **{"capture_output": True, **more})


@pytest.fixture
def pack(tmp_path: Path, honest: bytes) -> Path:
    path = tmp_path / "pack.zip"
    path.write_bytes(honest)
    return path


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (".", "is a folder: give the pack, a zip file"),
        ("fifo", "is no file: give the pack"),
        ("/dev/zero", "is no file: give the pack"),
        ("nothing.zip", "nothing.zip cannot be read: No such file or directory"),
        ("text/under.zip", "under.zip cannot be read: Not a directory"),
        ("text", "this is no evidence pack: it is not a zip file"),
        ("empty", "this is no evidence pack: it is not a zip file"),
    ],
)
def test_2_for_what_is_no_pack(name: str, says: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "text").write_bytes(b"name,login\n" * 10_000)
    (tmp_path / "empty").write_bytes(b"")
    done = run(tmp_path / name, *KEYS)
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (2, "", 1)
    assert done.stdout.startswith("NOT JUDGED: ")
    assert says in done.stdout


def test_a_zip_that_was_cut_is_refused_all_the_same(honest: bytes, check: Check) -> None:
    for altered in (honest[:100], honest[:4], honest[1:], honest + b"x"):
        assert check(altered, *KEYS)[0] == 1


def test_4_where_the_disk_fails_on_the_way(pack: Path, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(io.BytesIO):
        def fileno(self) -> int:
            return os.open(pack, os.O_RDONLY)

        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(verdict, "open", lambda *_: Failing(), raising=False)
    code, told = check(pack.read_bytes(), *KEYS)
    assert (code, told["verdict"][:11]) == (4, "NOT JUDGED:")
    assert "cannot be read to its end: Input/output error" in told["verdict"]


def test_4_where_somebody_stops_it(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "verify", stopped)
    code, told = check(b"", *KEYS)
    assert (code, told["verdict"], told["history"]) == (4, "NOT JUDGED: it was stopped", "not judged: it was stopped")


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_4_where_the_answer_cannot_be_written(arguments: tuple[str, ...], pack: Path) -> None:
    with open("/dev/full", "w") as full:
        done = run(pack, *KEYS, *arguments, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 4
    assert done.stderr.startswith("NOT FINISHED: the answer could not be written: [Errno 28]")
    assert done.stderr.count("\n") == 1


def test_4_where_nobody_reads_the_answer(pack: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        done = run(pack, *KEYS, capture_output=False, stdout=closed, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert "[Errno 32]" in done.stderr
    closing: Callable[[], None] = lambda: os.close(1)  # noqa: E731
    done = run(pack, *KEYS, capture_output=False, stderr=subprocess.PIPE, preexec_fn=closing)
    assert (done.returncode, done.stderr) == (
        4,
        "NOT FINISHED: the answer could not be written: there is no standard output\n",
    )


def _zipped(files: dict[str, bytes], under: str = "") -> bytes:
    """As a program does that knows nothing of packs."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(under + name, content)
    return out.getvalue()


@pytest.mark.parametrize("under", ["", "q1/"])
def test_a_pack_that_was_zipped_again_is_refused_with_what_to_do(under: str, honest: bytes, check: Check) -> None:
    code, told = check(_zipped(unzip(honest), under), *KEYS)
    assert code == 1
    assert "if the pack was unpacked and zipped again, take the file as it was drawn" in told["verdict"]
    assert told["history"] == "not judged: the pack is not as it was drawn"


def test_a_damaged_download_is_to_be_got_again_and_says_nothing_of_the_history(honest: bytes, check: Check) -> None:
    told: list[dict[str, Any]] = []
    for name in ("headers.jsonl", "entries.jsonl", "manifest.json"):
        member = zipfile.ZipFile(io.BytesIO(honest)).getinfo(name)
        begin = member.header_offset + 30 + len(name)
        for at in range(begin, begin + min(member.compress_size, 200), 20):
            damaged = bytearray(honest)
            damaged[at] ^= 0x2A
            code, said = check(bytes(damaged), *KEYS)
            assert (code, said["history"]) == (1, "not judged: the pack is not as it was drawn"), (name, at, said)
            told.append(said)
    code, cut = check(honest[: len(honest) // 2], *KEYS)
    assert (code, cut["history"]) == (1, "not judged: the pack is not as it was drawn")
    assert {said["verdict"].rpartition("; ")[2] for said in [*told, cut]} == {
        "the file was damaged or altered since it was drawn: get it again"
    }
    assert any("while decompressing" in said["verdict"] for said in told)


def test_an_altered_spreadsheet_does_not_make_the_history_broken(company: History, honest: bytes, check: Check) -> None:
    forge = Forge(company, honest)
    forge.files["reports/sessions.csv"] += b"x"
    for data in (_zipped({}), forge.seal()):
        code, told = check(data, *KEYS)
        assert (code, told["history"]) == (1, "not judged: the pack is not as it was drawn"), told
    forge = Forge(company, honest)
    forge.headers(lambda headers: headers[5].update(time=7))
    code, told = check(forge.seal(), *KEYS)
    assert (code, told["history"][:8]) == (1, "broken: ")


OLD = sorted(Path.home().glob(".pyenv/versions/3.[78].*/bin/python"))


@pytest.mark.parametrize("python", OLD, ids=lambda path: path.parts[-3])
def test_an_old_python_is_told_which_is_needed(python: Path, pack: Path) -> None:
    done = subprocess.run([python, "-I", VERIFY, pack, *KEYS], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (2, "")
    version = python.parts[-3]
    assert done.stdout == f"NOT JUDGED: Python 3.9 or newer is needed, and this is Python {version}\n"


def test_the_version_is_asked_before_anything_that_an_old_python_does_not_have() -> None:
    """One that cannot read the file shows the line at which it stops, and that names what is needed."""
    lines = VERIFY.read_text("utf-8").split("\n")
    first = next(at for at, line in enumerate(lines) if line.startswith("from __future__ "))
    stops = [at for at, line in enumerate(lines) if line.endswith("stops at this line")]
    asked = lines.index("if sys.version_info < NEEDED:")
    imported = next(at for at, line in enumerate(lines) if line.startswith("import ") and line != "import sys")
    assert "# Python 3.9 or newer is needed" in lines[first]
    assert first < stops[0] < asked < imported
    assert "# Python 3.9 or newer is needed" in lines[stops[0]]


def test_this_python_is_not_too_old(pack: Path) -> None:
    assert run(pack, *KEYS).returncode == PART
