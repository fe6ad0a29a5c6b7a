"""The packs of every format that was frozen, by the reader that was written from docs/format.md alone."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.format.alterations import ALTERATIONS, altered

Judge = Callable[[Sequence[tuple[bytes, Sequence[str]]]], list[str]]
KEPT = sorted((Path(__file__).parents[1] / "golden").glob("format-*/company"))
ALTERED = {
    "a bit in a header": "headers.jsonl",
    "an entry dropped": "headers.jsonl",
    "the newest entry kept back": "headers.jsonl",
    "a bit in the hash of a body": "headers.jsonl",
    "a cell altered in both": "reports/sessions.jsonl row 1",
    "a row dropped from both": "reports/sessions.jsonl",
    "a bit in a salt": "payloads.jsonl entry",
    "a bit in the signature of a batch": "batches.bin batch of entry 0",
    "another range in an envelope": "reports/access.envelope.json",
    "a checkpoint forged under the name of the log": "checkpoint",
}


def keys_of(company: Path) -> list[str]:
    """Verifier keys of all the logs that it was, and of its witness."""
    keys = json.loads((company / "keys.json").read_text("ascii"))
    return [*keys["log"], keys["witness"]]


@pytest.mark.parametrize("company", KEPT, ids=lambda path: path.parent.name)
def test_every_kept_pack_is_accepted(company: Path, judge: Judge) -> None:
    packs = sorted(company.glob("pack-*.zip"))
    lines = judge([(pack.read_bytes(), keys_of(company)) for pack in packs])
    assert len(lines) >= 4
    for line in lines:
        assert line.startswith("accepted "), line
        assert "batches were not judged" not in line


@pytest.mark.parametrize("company", KEPT, ids=lambda path: path.parent.name)
def test_an_altered_one_is_refused_and_the_file_named(company: Path, judge: Judge) -> None:
    pack, keys = (company / "pack-whole.zip").read_bytes(), keys_of(company)
    lines = judge([(altered(pack, ALTERATIONS[name][0]), keys) for name in ALTERED])
    for (name, named), line in zip(ALTERED.items(), lines, strict=True):
        assert line.startswith("refused "), (name, line)
        assert line.split(": ", 1)[1].startswith(named), (name, line)


def test_there_is_a_kept_format() -> None:
    assert KEPT
