"""The verifier as an auditor runs it: a process of its own, exit codes, keys from files, what it prints."""

import io
import json
import random
import re
import resource
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from onepam.evidence.verifier import verify
from tests.evidence.company import LOG, PART, STRANGER, WITNESS, History, pack_input, written
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Forge

VERIFY = Path(verify.__file__)
RELEASE = Path(__file__).parents[2] / "release" / "verify.py.sha256"


def run(pack: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(VERIFY), str(pack), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture
def pack(tmp_path: Path, honest: bytes) -> Path:
    path = tmp_path / "pack.zip"
    path.write_bytes(honest)
    return path


@pytest.mark.claim(
    'What is proven is "whole in the log", never "everything was logged"',
    altered="the verifier left out what it does not prove",
)
def test_7_with_both_keys_from_outside_of_a_pack_that_lacks_something(pack: Path) -> None:
    done = run(pack, *KEYS, "--verbose")
    assert (done.returncode, done.stderr) == (PART, "")
    verdict = "NOT ALL WAS JUDGED; nothing wrong was found in the rest"
    first, title = done.stdout.splitlines()[:2]
    lacking = done.stdout.split("LACKING\n")[1].split("\n--")[0].split("\nPACK")[0].splitlines()
    assert (first, title) == (f"{len(lacking)} things are missing or left out, said below; {verdict}", "LACKING")
    assert done.stdout.splitlines()[-1] == verdict
    assert "VERIFIED" not in done.stdout
    history, lawful, recordings = done.stdout.splitlines()[-4:-1]
    assert history.startswith("history     anchored and intact: entries 0 to 317 of ")
    assert f"by witness {WITNESS.name}, which saw it by 2026-" in history
    assert lawful.startswith(
        "lawful      chain shown, endings not checked: the pack lacks 27 bodies that the rules read"
    )
    assert re.fullmatch(r"recordings  0 of \d+ checked; \d partial by policy", recordings)
    for said in (
        "none missing, doubled, reordered or changed",
        "class session: 167 entries, numbers 0 to 166 without a gap",
        "exactly one row for each of the 74 entries session.opened or session.refused of the period",
        f"is signed by {LOG.name}+{LOG.id().hex()}",
        f"witness {WITNESS.name}+{WITNESS.id().hex()} saw this checkpoint by 2026-",
        "that everything that happened was logged: what is proved is that the log is whole",
        "31 of 31 batch signatures checked",
    ):
        assert said in done.stdout
    short = run(pack, *KEYS).stdout
    assert "PROVED" not in short
    assert len(short.splitlines()) < 28 < len(done.stdout.splitlines())
    assert re.search(r"^--verbose lists what is proved \(\d+\), and what is not \(\d+\)$", short, re.M)
    assert "no independent witness" not in done.stdout
    assert "is not the program you are running" not in done.stdout


def test_with_keys_in_files(pack: Path, tmp_path: Path) -> None:
    log, witness = tmp_path / "log.vkey", tmp_path / "witness.vkey"
    log.write_text(LOG.vkey() + "\n")
    witness.write_text(WITNESS.vkey())
    assert run(pack, "--log-key", str(log), "--witness-key", str(witness)).returncode == PART


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        ([], "--log-key"),
        (["--log-key", LOG.vkey()], "--witness-key"),
        (["--witness-key", WITNESS.vkey()], "--log-key"),
    ],
    ids=["no key", "the log's only", "the witness's only"],
)
def test_3_without_a_key(pack: Path, arguments: list[str], missing: str) -> None:
    done = run(pack, *arguments)
    assert done.returncode == 3
    first, *_, last = done.stdout.splitlines()
    assert first.endswith(f"said below; {last}")
    assert last.startswith("CONSISTENT IN ITSELF, NOT ANCHORED")
    assert missing in last
    told = run(pack, *arguments, "--verbose").stdout
    assert ("no independent witness" in told) == ("--witness-key" not in arguments)


def test_3_when_the_note_is_cosigned_though_the_manifest_is_silent(company: History, check: Check) -> None:
    quiet = written(pack_input(company, witnesses=()))
    assert check(quiet, "--log-key", LOG.vkey())[0] == 3
    assert check(quiet, *KEYS)[0] == PART


def test_3_without_any_anchor(company: History, check: Check) -> None:
    alone = written(pack_input(company, checkpoint=company.checkpoint(witnesses=()), witnesses=()))
    code, result = check(alone, "--log-key", LOG.vkey())
    assert code == 3
    assert result["history"].startswith("consistent but not anchored: entries 0 to 317 of log.example.com/onepam")
    assert "give --checkpoint or --at-least" in result["verdict"]
    assert any(line.startswith("no independent witness") for line in result["not_proved"])
    assert check(alone, *KEYS)[0] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--log-key", WITNESS.vkey()], "not an Ed25519 key of signature type 1"),
        (["--log-key", LOG.vkey(), "--witness-key", LOG.vkey()], "not an Ed25519 key of signature type 4"),
        (["--log-key", LOG.vkey().replace("+1", "+2", 1)], "id does not fit the key"),
        (["--log-key", LOG.vkey()[:-4]], "not "),
        (
            ["--log-key", "nonsense"],
            "'nonsense' is neither a key (name+id+base64) nor a file that holds one: No such",
        ),
        (["--log-key", ""], "'' is neither a key"),
        (["--log-key", "/"], "'/' is neither a key (name+id+base64) nor a file that holds one: Is a directory"),
        (["--log-key", str(VERIFY)], "verify.py: not a verifier key"),
        (["--checkpoint", "nowhere"], "--checkpoint nowhere: No such file"),
        (["--log-key"], "usage"),
        (["--log-ke", LOG.vkey()], "usage"),
        (["another.zip"], "usage"),
        (["--witness-key", "\udcff"], "--witness-key"),
    ],
)
def test_2_for_keys_and_arguments_that_do_not_fit(pack: Path, arguments: list[str], says: str) -> None:
    done = run(pack, *arguments)
    assert done.returncode == 2
    assert done.stderr == ""
    assert done.stdout.startswith("NOT JUDGED: ")
    assert done.stdout.count("\n") == 1
    assert says in done.stdout


def test_1_for_a_log_key_that_is_not_the_log_s(pack: Path) -> None:
    done = run(pack, "--log-key", STRANGER.vkey())
    assert done.returncode == 1
    assert done.stdout.startswith("REFUSED: ")
    assert "\nhistory     broken: " in done.stdout
    assert "no signature by the log's key" in done.stdout.splitlines()[-1]


def test_4_where_the_memory_does_not_do(tmp_path: Path) -> None:
    """Nothing is said of the pack then: a machine with more may find it honest."""
    with (tmp_path / "pack.zip").open("wb") as file:
        file.truncate(1 << 30)
    command = [sys.executable, "-I", str(VERIFY), str(tmp_path / "pack.zip"), *KEYS]
    little = lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))  # noqa: E731
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, preexec_fn=little)
    assert (done.returncode, done.stderr) == (4, "")
    assert done.stdout.splitlines()[-1] == "NOT JUDGED: not enough memory for this pack"


def test_1_for_a_pack_altered(pack: Path, company: History, honest: bytes) -> None:
    forge = Forge(company, honest)
    forge.report("sessions", lambda r: r["rows"].pop())
    pack.write_bytes(forge.seal())
    done = run(pack, *KEYS)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("REFUSED: reports/sessions.jsonl: no row for entry")
    assert "\nhistory     not judged: the pack is not as it was drawn\n" in done.stdout


def contents(pack: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_no_bit_of_a_pack_can_be_flipped(tmp_path: Path, honest: bytes, check: Check) -> None:
    dice = random.Random(20260401)
    for _ in range(300):
        at = dice.randrange(8 * len(honest))
        flipped = bytearray(honest)
        flipped[at // 8] ^= 1 << at % 8
        code, result = check(bytes(flipped), *KEYS)
        if code == PART:  # deflate can say the same in two ways: another distance to the same bytes
            assert contents(bytes(flipped)) == contents(honest), at
            continue
        assert code == 1, at
        assert result["verdict"].startswith("REFUSED: "), at


def test_no_pack_can_be_cut(honest: bytes, check: Check) -> None:
    dice = random.Random(7)
    for _ in range(100):
        assert check(honest[: dice.randrange(len(honest))], *KEYS)[0] == 1
        assert check(honest[dice.randrange(1, len(honest)) :], *KEYS)[0] == 1


def test_content_cannot_act_on_the_terminal(company: History, honest: bytes, pack: Path) -> None:
    forge = Forge(company, honest)
    evil = "\x1b]0;owned\x07\u202ereversed\x9b31m\r\n"
    forge.edit("manifest.json", lambda m: m["system"].update(environment=evil))
    for name in ("access", "requests", "sessions"):
        forge.envelope(name, lambda e: e["system"].update(environment=evil))
    pack.write_bytes(forge.seal())
    for arguments in ((*KEYS, "--verbose"), (*KEYS, "--json")):
        done = run(pack, *arguments)
        assert done.returncode == PART
        assert done.stdout.isascii()
        assert all(c == "\n" or c.isprintable() for c in done.stdout)
        assert "owned" in done.stdout


def test_json_says_the_same(pack: Path) -> None:
    done = run(pack, "--json")
    result = json.loads(done.stdout)
    assert result["exit"] == done.returncode == 3
    assert "CONSISTENT IN ITSELF" in result["verdict"]
    assert result["proved"]
    assert result["not_proved"]


def test_a_foreign_verify_py_is_pointed_out(company: History, honest: bytes, check: Check) -> None:
    """With the manifest made to fit nothing contradicts it: that is why the auditor takes it from the release."""
    forge = Forge(company, honest)
    forge.files["verify.py"] = b"print('VERIFIED')\n"
    code, result = check(forge.seal(), *KEYS)
    assert code == PART
    assert any("not the program you are running; do not run it" in line for line in result["not_proved"])


def test_the_release_names_the_digest_of_this_verifier() -> None:
    assert RELEASE.read_text(encoding="ascii") == f"{sha256(VERIFY.read_bytes()).hexdigest()}  verify.py\n"


def test_main_can_be_called(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.main([str(pack), *KEYS]) == PART
    assert "NOT ALL WAS JUDGED" in capsys.readouterr().out
