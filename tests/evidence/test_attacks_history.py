"""Alterations of headers, proof, disclosed entries and payloads: each is refused, and the refusal names the thing."""

from hashlib import sha256
from typing import Any

import pytest

from onepam.ledger.merkle import CompactRange
from tests.evidence.company import BEGIN, PART, UNTIL, History, pack_input, written  # fmt: skip
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Attacks, Forge

ATTACKS = Attacks()
add = ATTACKS.add

# --- the headers and the proof ---


def _without(values: list[Any], index: int) -> None:
    del values[index]


def _drop(f: Forge, index: int, renumber: bool) -> None:
    """Takes out an entry with its hash; `renumber` moves everything after it up, counters of the class too."""

    def change(headers: list[Any]) -> None:
        gone = headers.pop(index)
        for header in headers[index:] if renumber else []:
            header["index"] -= 1
            header["class_seq"] -= header["class"] == gone["class"]

    f.headers(change)
    hashes = f.files["bodies.sha256"]
    f.files["bodies.sha256"] = hashes[: 32 * index] + hashes[32 * index + 32 :]
    f.edit("range.json", lambda r: r.update(end=r["end"] - 1, right=[sha256(b"?").hexdigest()]))


@add("a header taken out", "entry 100 is missing, doubled or out of order")
def _(f: Forge) -> None:
    _drop(f, 100, renumber=False)


@add("a header taken out, all after it renumbered", "do not give the checkpoint's root")
def _(f: Forge) -> None:
    f.files["entries.jsonl"] = f.files["payloads.jsonl"] = b""
    _drop(f, 100, renumber=True)


@add("a header taken out, the index renumbered but not its class", "is number .* of its class")
def _(f: Forge) -> None:
    _drop(f, 100, renumber=True)
    f.headers(lambda h: h[150].update(class_seq=h[150]["class_seq"] + 1))


@add("a header doubled", "entry 101 is missing, doubled or out of order")
def _(f: Forge) -> None:
    f.headers(lambda h: h.insert(100, h[100]))


@add("two headers swapped", "entry 100 is missing, doubled or out of order")
def _(f: Forge) -> None:
    f.headers(lambda h: h.insert(100, h.pop(101)))


@add("headers missing at the end", "entry 316 is missing")
def _(f: Forge) -> None:
    f.headers(lambda h: h.__delitem__(slice(-2, None)))


@add("headers too many", "more headers than the range has")
def _(f: Forge) -> None:
    f.headers(
        lambda h: h.append(h[-1] | {"index": 318, "time": h[-1]["time"] + 1, "class_seq": h[-1]["class_seq"] + 1})
    )


@add("a kind changed: a refused session looks opened", "do not give the checkpoint's root")
def _(f: Forge) -> None:
    f.headers(lambda h: next(x for x in h if x["kind"] == "session.refused").update(kind="session.opened"))


@add("a time changed", "do not give the checkpoint's root")
def _(f: Forge) -> None:
    f.headers(lambda h: h[317].update(time=h[317]["time"] + 1))


@add("a time before the one before", "entry 100 is not later")
def _(f: Forge) -> None:
    f.headers(lambda h: h[100].update(time=h[99]["time"]))


@add("an event version changed", "do not give the checkpoint's root")
def _(f: Forge) -> None:
    f.headers(lambda h: h[100].update(v=2))


@add("a class counter that jumps", "entry 100 is number .* of its class")
def _(f: Forge) -> None:
    f.headers(lambda h: h[100].update(class_seq=h[100]["class_seq"] + 1))


@add("a class that does not begin with 0", "entry 0 is number 1 of its class, 0 is due")
def _(f: Forge) -> None:
    f.headers(lambda h: h[0].update(class_seq=1))


@add("a kind of 101 characters", "headers.jsonl: a broken line")
def _(f: Forge) -> None:
    f.headers(lambda h: h[100].update(kind="k" * 101))


@add("version 0 of a kind", "headers.jsonl: a broken line")
def _(f: Forge) -> None:
    f.headers(lambda h: h[100].update(v=0))


@add("an entry moved to another class", "of its class|checkpoint's root")
def _(f: Forge) -> None:
    f.headers(lambda h: h[100].update({"class": "noise", "class_seq": 0}))


@add("a header with a member too many", "headers.jsonl: a broken line")
def _(f: Forge) -> None:
    f.headers(lambda h: h[100].update(note="x"))


@add("a header with white space", "headers.jsonl: a broken line")
def _(f: Forge) -> None:
    f.files["headers.jsonl"] = f.files["headers.jsonl"].replace(b'"index":100', b'"index": 100')


@add("the last line of the headers cut", "headers.jsonl: a broken line")
def _(f: Forge) -> None:
    f.files["headers.jsonl"] = f.files["headers.jsonl"][:-1]


@add("one bit of a body's hash", "do not give the checkpoint's root")
def _(f: Forge) -> None:
    hashes = bytearray(f.files["bodies.sha256"])
    hashes[32 * 14 + 3] ^= 1
    f.files["bodies.sha256"] = bytes(hashes)


@add("a body's hash missing", "bodies.sha256: not one hash per entry")
def _(f: Forge) -> None:
    f.files["bodies.sha256"] = f.files["bodies.sha256"][:-32]


@add("a range beyond the checkpoint", "range is empty or beyond")
def _(f: Forge) -> None:
    f.edit("range.json", lambda r: r.update(end=319))


@add("an empty range", "range is empty or beyond")
def _(f: Forge) -> None:
    f.edit("range.json", lambda r: r.update(first=318))


@add("a hash of the proof too many", "left is not a proof")
def _(f: Forge) -> None:
    f.edit("range.json", lambda r: r["left"].append("00" * 32))


def _cut(f: Forge, first: int, end: int) -> None:
    """An honest pack's files over a smaller range of the same log, with the right proof."""
    proof = CompactRange.prove(f.h.subtree, first, end, len(f.h.entries))
    f.headers(lambda h: h.__setitem__(slice(None), h[first:end]))
    f.files["bodies.sha256"] = f.files["bodies.sha256"][32 * first : 32 * end]
    sides = {"left": [n.hex() for n in proof.left], "right": [n.hex() for n in proof.right]}
    f.edit("range.json", lambda r: r.update(first=first, end=end, **sides))


@add("a range that begins within the period", "the range begins after the period does")
def _(f: Forge) -> None:
    _cut(f, 150, 318)


@add("a range that ends within the period", "the range ends before the period does")
def _(f: Forge) -> None:
    _cut(f, 0, 200)


@add("a hash of the right side of the proof changed", "do not give the checkpoint's root")
def _(f: Forge) -> None:
    _cut(f, 0, 317)
    f.edit("range.json", lambda r: r["right"].__setitem__(0, "ab" * 32))


@add("a hash of the left side of the proof changed", "do not give the checkpoint's root")
def _(f: Forge) -> None:
    _cut(f, 9, 318)
    f.edit("range.json", lambda r: r["left"].__setitem__(0, "ab" * 32))


@add("the period widened beyond the range", "the range begins after the period does")
def _(f: Forge) -> None:
    _cut(f, 9, 318)
    f.edit("manifest.json", lambda m: m["period"].update({"from": "2025-01-01T00:00:00.000000Z"}))


# --- the disclosed entries and payloads ---


def _find(values: list[Any], text: str) -> Any:
    return next(value for value in values if text in str(value))


@add("a disclosed body changed", "the body of entry .* is not the one in the log")
def _(f: Forge) -> None:
    f.lines("entries.jsonl", lambda e: _find(e, "root").update(body='{"login":"guest"}'))


@add("the bodies of two entries swapped", "the body of entry .* is not the one in the log")
def _(f: Forge) -> None:
    def swap(entries: list[Any]) -> None:
        entries[40]["body"], entries[41]["body"] = entries[41]["body"], entries[40]["body"]

    f.lines("entries.jsonl", swap)


@add("an entry disclosed twice", "entries.jsonl: entry .* is doubled")
def _(f: Forge) -> None:
    f.lines("entries.jsonl", lambda e: e.insert(40, e[40]))


@add("an entry outside the range", "entry 5000 is outside the range")
def _(f: Forge) -> None:
    f.lines("entries.jsonl", lambda e: e.append({"index": 5000, "body": "{}"}))


@add(
    "an entry that a row rests on not disclosed",
    "rests on entry .*, which is not disclosed|payloads.jsonl: entry|is not disclosed",
)
def _(f: Forge) -> None:
    f.lines("entries.jsonl", lambda e: e.remove(_find(e, "session")))


@add("a payload changed", "the payload of entry .* is not the one in the log")
def _(f: Forge) -> None:
    f.lines("payloads.jsonl", lambda p: _find(p, "Ada").update(payload='{"name":"Eva"}'))


@add("a salt changed", "the payload of entry .* is not the one in the log")
def _(f: Forge) -> None:
    f.lines("payloads.jsonl", lambda p: p[0].update(salt="00" * 32))


@add("a salt cut", "the payload of entry .*: bad salt")
def _(f: Forge) -> None:
    f.lines("payloads.jsonl", lambda p: p[0].update(salt=p[0]["salt"][:-2]))


@add("a byte moved from the payload into the salt", "bad salt")
def _(f: Forge) -> None:
    f.lines("payloads.jsonl", lambda p: p[0].update(salt=p[0]["salt"] + "7b", payload=p[0]["payload"][1:]))


@add("two payloads swapped", "the payload of entry .* is not the one in the log")
def _(f: Forge) -> None:
    def swap(payloads: list[Any]) -> None:
        payloads[0]["payload"], payloads[2]["payload"] = payloads[2]["payload"], payloads[0]["payload"]

    f.lines("payloads.jsonl", swap)


@add("a payload taken out", "the payload of entry 1 is missing")
def _(f: Forge) -> None:
    f.lines("payloads.jsonl", lambda p: _without(p, 0))


@add("a payload twice", "the payload of entry 1 is doubled")
def _(f: Forge) -> None:
    f.lines("payloads.jsonl", lambda p: p.insert(0, p[0]))


@add("a payload for an entry that has none", "is not disclosed, or has no payload")
def _(f: Forge) -> None:
    f.lines("payloads.jsonl", lambda p: p[0].update(index=0))


@add("a payload for an entry that is not there", "entry 31700 is not disclosed, or has no payload")
def _(f: Forge) -> None:
    f.lines("payloads.jsonl", lambda p: p.append({**p[0], "index": 31700}))


@add("a payload said to be erased, by no entry", "entry 317 does not erase the payload of entry 1")
def _(f: Forge) -> None:
    f.lines("payloads.jsonl", lambda p: p.__setitem__(0, {"index": 1, "erased": 317}))


@add("a payload said to be erased, by another's erasure", "does not erase the payload of entry 1")
def _(f: Forge) -> None:
    by = f.h.entries.index(next(e for e in f.h.entries if e.header.kind == "payload.erased"))
    f.lines("payloads.jsonl", lambda p: p.__setitem__(0, {"index": 1, "erased": by}))


@add("the erasing entry not disclosed", "does not erase the payload|not disclosed")
def _(f: Forge) -> None:
    f.lines("entries.jsonl", lambda e: e.remove(_find(e, "naming")))


@pytest.mark.claim(
    "Proof that no entry is missing",
    altered="the verifier did not compare the tree's root with the checkpoint's",
)
@pytest.mark.claim(
    "with the proof that no entry of the period is missing",
    altered="the verifier did not compare the tree's root with the checkpoint's",
)
@pytest.mark.parametrize("name", ATTACKS.table, ids=str)
def test_refused_and_named(name: str, company: History, honest: bytes, check: Check) -> None:
    ATTACKS.assert_refused(name, Forge(company, honest), check)


def test_smaller_ranges_are_not_what_is_refused(company: History, honest: bytes, check: Check) -> None:
    honest_part = written(pack_input(company, first=13, end=310))
    assert check(honest_part, *KEYS)[0] == PART
    assert company.entries[309].header.time >= UNTIL > BEGIN > company.entries[13].header.time
