"""The vectors of the format are what the product gives, and what the verifier that shares no code with it takes."""

import base64
import hashlib
import json
import re
from typing import Any

import pytest

from onepam.evidence.verifier import canonical, verify
from onepam.evidence.verifier.lacking import README_SHA256
from onepam.evidence.verifier.merkle import Tree, spans
from onepam.evidence.verifier.note import read_checkpoint, read_key, signed_at
from onepam.evidence.verifier.refusal import Refused
from scripts import format_doc, vectors

pytestmark = pytest.mark.filterwarnings("error")


def of(name: str) -> Any:
    return json.loads((vectors.FOLDER / f"{name}.json").read_text("ascii"))


@pytest.mark.parametrize("name", vectors.VECTORS)
def test_they_are_what_the_product_gives(name: str) -> None:
    assert (vectors.FOLDER / f"{name}.json").read_text("ascii") == vectors.page(name), "run: scripts/vectors.py"


def test_there_are_no_others() -> None:
    assert {path.stem for path in vectors.FOLDER.iterdir()} == set(vectors.VECTORS)


def test_the_page_quotes_them() -> None:
    assert format_doc.PAGE.read_text("utf-8") == format_doc.page(), "run: python scripts/format_doc.py"


def test_json_is_judged_alike_by_the_verifier() -> None:
    found = of("canonical")
    for each in found["encodings"]:
        assert canonical.parse(bytes.fromhex(each["bytes"]), "") == each["value"]
        assert canonical.canonical(each["value"]).encode() == bytes.fromhex(each["bytes"])
    for each in found["also"]:
        canonical.parse(bytes.fromhex(each), "")
    taken = []
    for each in found["refused"]:
        try:
            canonical.parse(bytes.fromhex(each["bytes"]), "")
        except Refused:
            continue
        taken.append(each["why"])
    assert taken == []


def test_times_are_read_alike_by_the_verifier() -> None:
    for each in of("time")["times"]:
        assert canonical.instant(each["text"], "") == each["microseconds"]
        assert canonical.iso(each["microseconds"]) == each["text"]


def test_leaves_and_payloads_follow_by_hand() -> None:
    for each in of("entry")["entries"]:
        body = hashlib.sha256(each["body"].encode()).digest()
        assert body.hex() == each["body_sha256"]
        assert hashlib.sha256(b"\0" + each["header"].encode() + body).hexdigest() == each["leaf"]
        if "payload" in each:
            digest = hashlib.sha256(bytes.fromhex(each["salt"]) + each["payload"].encode()).hexdigest()
            assert json.loads(each["body"])["payload"] == digest


def test_the_tree_is_the_verifiers() -> None:
    found = of("tree")
    leaves = [bytes.fromhex(each) for each in found["leaves"]]
    for size in range(1, 12):
        tree = Tree()
        tree.extend(leaves[:size])
        assert tree.root().hex() == found["roots"][size]
    for each in found["spans"]:
        assert [1 << level for level in spans(each["begin"], each["end"])] == each["sizes"]
    for each in found["ranges"]:
        tree = Tree()
        sides = (("left", 0, each["first"]), ("right", each["end"], each["tree_size"]))
        for side, begin, end in sides:
            if side == "right":
                tree.extend(leaves[each["first"] : each["end"]])
            for level, node in zip(spans(begin, end), each[side], strict=True):
                tree.push(level, bytes.fromhex(node))
        assert tree.root().hex() == found["roots"][11]


def test_signatures_are_judged_alike_by_the_verifier() -> None:
    for each in of("ed25519")["signatures"]:
        parts = (bytes.fromhex(each[name]) for name in ("public", "message", "signature"))
        assert verify.ed25519(*parts) is each["holds"], each["what"]


def opened(note: str, key: str, algorithm: int = 1) -> int:
    """When the key signed the checkpoint, 0 for a plain signature."""
    return signed_at(read_checkpoint(note.encode()).note, read_key(key, algorithm, ""), "")


def test_notes_are_judged_alike_by_the_verifier() -> None:
    found = of("note")
    for each in found["keys"]:
        key = read_key(each["vkey"], each["algorithm"], "")
        assert (key.name, key.id.hex(), key.public.hex()) == (each["name"], each["id"], each["public"])
    assert [opened(each["note"], each["signed_by"]) for each in found["notes"]] == [0] * len(found["notes"])
    one = found["cosigned"]
    assert opened(one["note"], one["by"], 4) == one["at"]
    for each in found["refused"]:
        with pytest.raises((Refused, ValueError)):
            opened(each["note"], each["log_key"])


def test_batches_are_signed_over_what_the_page_says() -> None:
    entries, found = of("entry")["entries"], of("batch")
    keys = {"nod_a": 0, "nod_b": 3}
    previous = bytes(64)
    for number, each in enumerate(found["batches"]):
        tree = Tree()
        tree.extend([bytes.fromhex(entry["leaf"]) for entry in entries[each["first"] : each["last"] + 1]])
        root, before = (base64.b64encode(data).decode() for data in (tree.root(), previous))
        text = f"onepam-batch/1\n{each['node']}\n{each['first']} {each['last']}\n{root}\n{before}\n"
        assert text == each["text"]
        at = 8 if number == len(found["batches"]) - 1 else keys[each["node"]]
        key = read_key(json.loads(entries[at]["body"])["key"], 1, "")
        previous = base64.b64decode(each["signature"])
        assert verify.ed25519(key.public, text.encode(), previous)


def test_heads_of_a_recording_follow_without_its_key() -> None:
    found = of("recording")
    data = bytes.fromhex(found["file"])
    at = len("onepam recording 1\n") + 4 + data[len("onepam recording 1\n") + 3]
    heads, chunk = [hashlib.sha256(data[:at]).digest()], b""
    while at < len(data):
        end = at + 5 + int.from_bytes(data[at + 1 : at + 5], "big")
        chunk += data[at:end]
        if data[at]:
            heads.append(hashlib.sha256(heads[-1] + chunk).digest())
            chunk = b""
        at = end
    assert [each.hex() for each in heads] == found["heads"]


def test_cells_are_written_alike_by_the_verifier() -> None:
    for each in of("pack")["csv"]:
        assert verify.csv_row([each["cell"]]).decode() == each["field"] + "\r\n"


def test_every_long_number_of_the_page_stands_in_a_vector() -> None:
    told = "".join(path.read_text("ascii") for path in vectors.FOLDER.iterdir())
    found = set(re.findall(r"\b[0-9a-f]{40,}\b", format_doc.PAGE.read_text("utf-8"))) - set(README_SHA256)
    assert found
    assert {each for each in found if each not in told} == set()
