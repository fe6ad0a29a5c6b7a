"""Alterations of the file of batches: each is refused, and the refusal names the entries and the node."""

import json
from typing import Any

import pytest

from onepam.evidence.verifier.batches import RECORD
from onepam.kernel.canonical import encode
from tests.evidence.company import PART, History
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Attacks, Forge

ATTACKS = Attacks()
add = ATTACKS.add


def _records(f: Forge) -> tuple[Any, list[tuple[int, int, int, bytes]]]:
    head, _, records = f.files["batches.bin"].partition(b"\n")
    return json.loads(head), list(RECORD.iter_unpack(records))


def _put(f: Forge, head: Any, records: list[tuple[int, int, int, bytes]]) -> None:
    f.files["batches.bin"] = encode(head) + b"\n" + b"".join(RECORD.pack(*each) for each in records)


def _change(f: Forge, place: int, *values: Any) -> None:
    head, records = _records(f)
    records[place] = values
    _put(f, head, records)


@add("one bit of a signature", "entries 100 to 109, a batch of nod_1: it bears no signature of that node that holds")
def _(f: Forge) -> None:
    _, records = _records(f)
    signature = bytes([records[9][3][0] ^ 1]) + records[9][3][1:]
    _change(f, 9, 100, 10, 0, signature)


@add("a batch taken out", "entries 100 to 109: of no batch, so no node of this log wrote that")
def _(f: Forge) -> None:
    head, records = _records(f)
    _put(f, head, records[:9] + records[10:])


@add("a batch doubled", "entries 100 to 109, a batch of nod_1: it lies over what stands before it, up to entry 109")
def _(f: Forge) -> None:
    head, records = _records(f)
    _put(f, head, records[:10] + records[9:])


@add("two batches exchanged", "entries 100 to 109: of no batch")
def _(f: Forge) -> None:
    head, records = _records(f)
    _put(f, head, [*records[:9], records[10], records[9], *records[11:]])


@add("a batch moved", "entry 100: of no batch")
def _(f: Forge) -> None:
    _change(f, 9, 101, 9, 0, _records(f)[1][9][3])


@add("the batches after an entry taken out", "entries 200 to 317: of no batch")
def _(f: Forge) -> None:
    head, records = _records(f)
    _put(f, head, [each for each in records if each[0] < 200])


@add("two batches made one", "entries 100 to 119, a batch of nod_1: it bears no signature")
def _(f: Forge) -> None:
    head, records = _records(f)
    _put(f, head, [*records[:9], (100, 20, 0, records[10][3]), *records[11:]])


@add("a batch of another node", "entries 100 to 109, a batch of nod_2: no key of it is in force there")
def _(f: Forge) -> None:
    head, records = _records(f)
    head["nodes"].append({"certificate": None, "name": "nod_2"})
    _put(f, head, records)
    _change(f, 9, 100, 10, 1, records[9][3])


@add("all batches of a node under another name", "entries 0 to 19, a batch of nod_9: no key of it is in force there")
def _(f: Forge) -> None:
    head, records = _records(f)
    head["nodes"][0]["name"] = "nod_9"
    _put(f, head, records)


@add("a batch of a node that is not listed", "the batch of entry 100 is of no node that is listed")
def _(f: Forge) -> None:
    _change(f, 9, 100, 10, 7, bytes(64))


@add("a batch of no entries", "no batch has 0 entries")
def _(f: Forge) -> None:
    _change(f, 9, 100, 0, 0, bytes(64))


@add("a batch larger than any", "no batch has 60001 entries")
def _(f: Forge) -> None:
    _change(f, 9, 100, 60_001, 0, bytes(64))


@add("a record cut", "batches.bin: the last record is cut")
def _(f: Forge) -> None:
    f.files["batches.bin"] = f.files["batches.bin"][:-1]


@add("another format", "batches.bin: format is not onepam-batches/1")
def _(f: Forge) -> None:
    head, records = _records(f)
    _put(f, head | {"format": "onepam-batches/2"}, records)


@add("a node listed twice", "batches.bin: a node is listed twice")
def _(f: Forge) -> None:
    head, records = _records(f)
    _put(f, head | {"nodes": 2 * head["nodes"]}, records)


@add("a certificate that is no text", "batches.bin: a certificate is not text")
def _(f: Forge) -> None:
    head, records = _records(f)
    head["nodes"][0]["certificate"] = 7
    _put(f, head, records)


@add("a certificate from before the first entry", "a certificate from before the range, and there is nothing before it")
def _(f: Forge) -> None:
    head, records = _records(f)
    head["nodes"][0]["certificate"] = "a note\n"
    _put(f, head, records)


@add("no head", "batches.bin: Expecting value")
def _(f: Forge) -> None:
    f.files["batches.bin"] = b""


@add("the certificate not disclosed", r"entry 16 \(node.certified\) is not disclosed")
def _(f: Forge) -> None:
    f.lines("entries.jsonl", lambda e: e.remove(next(each for each in e if each["index"] == 16)))


@pytest.mark.parametrize("name", ATTACKS.table, ids=str)
def test_refused_and_named(name: str, company: History, honest: bytes, check: Check) -> None:
    ATTACKS.assert_refused(name, Forge(company, honest), check)


def test_how_many_signatures_were_checked_is_said(honest: bytes, check: Check) -> None:
    code, result = check(honest, *KEYS)
    assert code == PART
    assert "; 31 of 31 batch signatures checked, by witness" in result["history"]
    assert check(honest, *KEYS, "--all-signatures")[1]["history"] == result["history"]
