"""A verifier that was written from docs/format.md alone says what the page says of packs of the real program."""

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.evidence.altered import altered_packs
from tests.format.alterations import ALTERATIONS, altered
from tests.format.conftest import History
from tests.format.forged import MANIFEST, ForgersKey, flip, unzip

Node = Callable[..., subprocess.CompletedProcess[str]]
Judge = Callable[[Sequence[tuple[bytes, Sequence[str]]]], list[str]]
VECTORS = Path(__file__).parents[1] / "golden" / "vectors"


def _keys(pack: bytes) -> list[str]:
    manifest = json.loads(unzip(pack)[MANIFEST])
    return [manifest["log_key"], *manifest["witnesses"]]


def _why(line: str) -> str:
    """The refusal, without the name of the pack."""
    assert line.startswith("refused "), line
    return line.split(": ", 1)[1]


def test_every_vector_is_judged_as_it_says(node: Node) -> None:
    files = sorted(VECTORS.glob("*.json"))
    result = node("vectors.mjs", *files)
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert [line for line in lines if not line.startswith("right ")] == []
    assert {line.split()[1] for line in lines} == {file.stem for file in files}
    assert result.returncode == 0


def test_packs_of_the_program_are_accepted(honest: bytes, drawn_pack: bytes, judge: Judge) -> None:
    lines = judge([(pack, _keys(pack)) for pack in (honest, drawn_pack)])
    assert [line.split(": ")[0] for line in lines] == ["accepted 0.zip", "accepted 1.zip"]
    assert "63 of 63 batch signatures checked" in lines[1]


def test_without_keys_it_is_said_what_was_not_judged(drawn_pack: bytes, judge: Judge) -> None:
    [line] = judge([(drawn_pack, [])])
    assert line.startswith("accepted ")
    assert "the key of the log is not given" in line
    assert "63 batches were not judged" in line
    assert "not anchored" in line


def test_every_alteration_is_refused_and_named(drawn_pack: bytes, judge: Judge) -> None:
    assert len(ALTERATIONS) >= 40
    keys = _keys(drawn_pack)
    lines = judge([(altered(drawn_pack, act), keys) for act, _ in ALTERATIONS.values()])
    wrong = {
        name: line
        for (name, (_, named)), line in zip(ALTERATIONS.items(), lines, strict=True)
        if not line.startswith("refused ") or not re.search(named, _why(line))
    }
    assert wrong == {}


def test_the_tools_of_the_forger_are_not_what_is_refused(drawn_pack: bytes, judge: Judge) -> None:
    [line] = judge([(altered(drawn_pack, lambda files: None), _keys(drawn_pack))])
    assert line.startswith("accepted ")


def test_a_foreign_key_is_refused(drawn_pack: bytes, judge: Judge) -> None:
    log, witness = _keys(drawn_pack)
    name = log.split("+")[0]
    given = [
        ([ForgersKey(name).vkey, witness], r"^checkpoint: no signature of log\.example\.com/onepam"),
        (
            [ForgersKey("elsewhere.example/log").vkey, witness],
            r"^checkpoint: it is not of the log of the key elsewhere",
        ),
        (
            [log, ForgersKey("witness.example.net/2", algorithm=4).vkey],
            r"^checkpoint: no signature of witness\.example\.net",
        ),
        ([log.replace("+", "+00", 1)], r"^the keys"),
    ]
    for (_, named), line in zip(given, judge([(drawn_pack, keys) for keys, _ in given]), strict=True):
        assert re.search(named, _why(line)), line


def test_it_agrees_with_the_verifier_about_packs_that_were_altered_at_random(
    company: History, honest: bytes, judge: Judge
) -> None:
    packs = list(altered_packs(company, honest, 150, seed=46))
    lines = judge([(each.data, [*each.log_keys, *each.witness_keys]) for each in packs])
    assert [each.name for each, line in zip(packs, lines, strict=True) if each.code == 1 and "accepted" in line] == []


@pytest.fixture(scope="module")
def recording() -> dict[str, Any]:
    vector: dict[str, Any] = json.loads((VECTORS / "recording.json").read_text())
    return vector


def _judge_recording(node: Node, path: Path, data: bytes, vector: dict[str, Any], *more: str) -> str:
    path.write_bytes(data)
    heads = vector["heads"]
    result = node("main.mjs", "--recording", path, "--sealed", f"1,{heads[1]}", "--closed", f"2,{heads[2]}", *more)
    assert result.stderr == ""
    return result.stdout.replace(f"{path}: ", "").strip()


def test_a_recording_is_whole_with_and_without_its_key(node: Node, tmp_path: Path, recording: dict[str, Any]) -> None:
    file = bytes.fromhex(recording["file"])
    said = _judge_recording(node, tmp_path / "ses.rec", file, recording)
    assert said == "accepted 2 chunks of ses_vectorvectorvect; its end is whole"
    said = _judge_recording(node, tmp_path / "ses.rec", file, recording, "--secret", recording["key"])
    assert said.endswith("; 18 frames")


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("a bit of the first chunk", "chunk 1: foreign"),
        ("a bit of the last chunk", "chunk 2: foreign"),
        ("the last chunk gone", "chunk 2: cut"),
        ("cut within the last chunk", "chunk 2: cut"),
        ("the last chunk twice", "chunk 3: altered"),
        ("zeros behind the end", "chunk 3: altered"),
        ("the header of another session", "chunk 1: foreign"),
        ("another codec", "codec 2, cipher 1 and hash 1 are not all known"),
    ],
)
def test_an_altered_recording_is_refused_and_the_chunk_named(
    what: str, named: str, node: Node, tmp_path: Path, recording: dict[str, Any]
) -> None:
    file = bytes.fromhex(recording["file"])
    header = len(bytes.fromhex(recording["header"]))
    last = header + sum(len(bytes.fromhex(each["record"])) for each in recording["records"] if each["chunk"] == 1)
    data = {
        "a bit of the first chunk": flip(file, header + 20),
        "a bit of the last chunk": flip(file, last + 20),
        "the last chunk gone": file[:last],
        "cut within the last chunk": file[:-1],
        "the last chunk twice": file + file[last:],
        "zeros behind the end": file + bytes(512),
        "the header of another session": flip(file, header - 1),
        "another codec": file.replace(b"\n\x01\x01\x01", b"\n\x02\x01\x01", 1),
    }[what]
    said = _judge_recording(node, tmp_path / "ses.rec", data, recording)
    assert said.startswith("refused ")
    assert named in said


def test_a_published_log_is_accepted_and_altered_refused(node: Node, tmp_path: Path) -> None:
    entry = json.loads((VECTORS / "entry.json").read_text())["entries"]
    [signed, *_] = json.loads((VECTORS / "note.json").read_text())["notes"]
    (tmp_path / "checkpoint").write_text(signed["note"], encoding="utf-8")
    for file in json.loads((VECTORS / "tiles.json").read_text())["files"]:
        path = tmp_path / file["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes.fromhex(file["bytes"]))
    key = signed["signed_by"]
    result = node("main.mjs", "--log", tmp_path, "--key", key)
    assert (result.returncode, f"{len(entry)} entries of vectors.example/log/2" in result.stdout) == (0, True)
    for name in ("tile/0/000.p/10", "tile/entries/000.p/10", "checkpoint"):
        file = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(flip(file, 40))
        result = node("main.mjs", "--log", tmp_path, "--key", key)
        (tmp_path / name).write_bytes(file)
        assert (result.returncode, f": {name}" in result.stdout) == (1, True)
