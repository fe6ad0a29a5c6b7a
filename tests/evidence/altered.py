"""Altered packs without end, from one seed: each says what it must be refused for, whoever reads it.

Some forgers leave the manifest as it was; others make it fit, and all digests with it.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from hashlib import sha256
from random import Random
from typing import Any

from tests.evidence import altered_batches
from tests.evidence.alteration import KINDS, Altered, flip, kind, not_the_tree
from tests.evidence.company import LOG, NO_WITNESS, PART, STRANGER, WITNESS, History
from tests.evidence.forge import Forge, craft, rezip

__all__ = ["KINDS", "Altered", "altered_batches", "altered_packs"]


def altered_packs(company: History, honest: bytes, count: int, seed: int = 2026) -> Iterator[Altered]:
    """So many, every kind about as often; the same for the same seed."""
    dice = Random(seed)
    for number in range(count):
        yield KINDS[number % len(KINDS)](dice, Forge(company, honest))


def _one(dice: Random, forge: Forge, *, reports: bool = True) -> str:
    """A file of the pack, but for the manifest."""
    return dice.choice([n for n in sorted(forge.files) if n != "manifest.json" and (reports or "/" not in n)])


def _file(name: str) -> str:
    return name.replace(".", r"\.")


# ---- what anybody can do with a zip ----


@kind
def _a_bit_flipped(dice: Random, f: Forge) -> Altered:
    name = _one(dice, f)
    f.files[name] = flip(dice, f.files[name])
    return Altered(f"a bit flipped in {name}", rezip(f.files), _file(name))


@kind
def _a_file_missing(dice: Random, f: Forge) -> Altered:
    name = dice.choice(sorted(f.files))
    del f.files[name]
    return Altered(f"{name} missing", rezip(f.files), f"{_file(name)}.* missing")


@kind
def _a_file_cut(dice: Random, f: Forge) -> Altered:
    name = _one(dice, f)
    f.files[name] = f.files[name][: dice.randrange(len(f.files[name]))]
    return Altered(f"{name} cut", rezip(f.files), _file(name))


@kind
def _a_file_under_another_name(dice: Random, f: Forge) -> Altered:
    name = _one(dice, f)
    other = dice.choice(["reports/extra.csv", "../up", "extra.txt", "reports/Extra.csv"])
    files = {other if each == name else each: content for each, content in f.files.items()}
    return Altered(f"{name} named {other}", rezip(files), f"{_file(name)}|{_file(other)}")


@kind
def _two_files_in_each_others_place(dice: Random, f: Forge) -> Altered:
    one, other = dice.sample(sorted(set(f.files) - {"manifest.json"}), 2)
    f.files[one], f.files[other] = f.files[other], f.files[one]
    return Altered(f"{one} and {other} swapped", rezip(f.files), f"{_file(one)}|{_file(other)}")


@kind
def _a_member_twice(dice: Random, f: Forge) -> Altered:
    name = dice.choice(sorted(f.files))
    members = f.members()
    twin = next(each for each in members if each.name == name.encode())
    return Altered(f"{name} twice in the zip", craft([*members, twin]), "zip: two members")


@kind
def _a_zip_cut(dice: Random, f: Forge) -> Altered:
    whole = rezip(f.files)
    return Altered("the zip cut", whole[: dice.randrange(len(whole))], "zip: ")


@kind
def _bytes_before_or_after(dice: Random, f: Forge) -> Altered:
    whole, more = rezip(f.files), dice.randbytes(dice.randrange(1, 60))
    before = dice.random() < 0.5
    said = "before" if before else "after"
    return Altered(f"bytes {said} the zip", more + whole if before else whole + more, "zip: ")


@kind
def _a_digest_in_the_manifest(dice: Random, f: Forge) -> Altered:
    name = _one(dice, f)

    def change(manifest: Any) -> None:
        item = next(each for each in manifest["files"] if each["name"] == name)
        if dice.random() < 0.5:
            item["size"] += 1
        else:
            item["sha256"] = sha256(item["sha256"].encode()).hexdigest()

    f.edit("manifest.json", change)
    return Altered(f"the manifest says something else of {name}", rezip(f.files), _file(name))


# ---- what takes a forger: the manifest fits, and every digest in it ----


@kind
def _a_header_altered(dice: Random, f: Forge) -> Altered:
    lies = {"kind": "session.imagined", "time": 7, "class_seq": 9_999, "index": 9_999, "v": 2}
    field = dice.choice(sorted(lies))
    f.headers(lambda headers: dice.choice(headers[1:]).update({field: lies[field]}))
    return not_the_tree(f"the {field} of a header", f)


@kind
def _a_header_moved(dice: Random, f: Forge) -> Altered:
    said = dice.choice(["dropped", "doubled", "swapped"])

    def change(headers: list[Any]) -> None:
        at = dice.randrange(len(headers) - 1)
        if said == "dropped":
            del headers[at]
        elif said == "doubled":
            headers.insert(at, headers[at])
        else:
            headers[at], headers[at + 1] = headers[at + 1], headers[at]

    f.headers(change)
    return not_the_tree(f"a header {said}", f)


@kind
def _the_hash_of_a_body(dice: Random, f: Forge) -> Altered:
    f.files["bodies.sha256"] = flip(dice, f.files["bodies.sha256"])
    return not_the_tree("a bit of bodies.sha256", f)


@kind
def _the_tail_cut_from_headers_and_hashes(dice: Random, f: Forge) -> Altered:
    gone = dice.randrange(1, 20)
    f.headers(lambda headers: headers.__delitem__(slice(-gone, None)))
    f.files["bodies.sha256"] = f.files["bodies.sha256"][: -32 * gone]
    f.edit("range.json", lambda proof: proof.update(end=proof["end"] - gone))
    return Altered(f"the last {gone} entries gone", f.seal(), "range")


@kind
def _the_proof_altered(dice: Random, f: Forge) -> Altered:
    side = dice.choice(["left", "right"])
    f.edit("range.json", lambda proof: proof[side].append(dice.randbytes(32).hex()))
    return Altered(f"a hash more on the {side} of range.json", f.seal(), "range")


@kind
def _a_body_altered(dice: Random, f: Forge) -> Altered:
    found: list[int] = []

    def change(entries: list[Any]) -> None:
        one = dice.choice(entries)
        found.append(one["index"])
        body = json.loads(one["body"])
        body[min(body)] = "something else"
        one["body"] = json.dumps(body, sort_keys=True, separators=(",", ":"))

    f.lines("entries.jsonl", change)
    return Altered("a body altered", f.seal(), rf"entry {found[0]}\b")


@kind
def _an_entry_moved(dice: Random, f: Forge) -> Altered:
    found: list[int] = []
    said = dice.choice(["dropped", "doubled"])

    def change(entries: list[Any]) -> None:
        cited = {index for row in f.read_report("sessions")["rows"] for index in row["ledger"]}
        at = dice.choice([at for at, each in enumerate(entries) if each["index"] in cited])
        found.append(entries[at]["index"])
        if said == "dropped":
            del entries[at]
        else:
            entries.insert(at, entries[at])

    f.lines("entries.jsonl", change)
    return Altered(f"a disclosed entry {said}", f.seal(), rf"entry {found[0]}\b")


@kind
def _a_payload_altered(dice: Random, f: Forge) -> Altered:
    found: list[int] = []
    said = dice.choice(["altered", "salted", "dropped", "doubled"])

    def change(payloads: list[Any]) -> None:
        heads = {row["ledger"][0] for row in f.read_report("sessions")["rows"]}
        at = dice.choice([at for at, each in enumerate(payloads) if "payload" in each and each["index"] in heads])
        found.append(payloads[at]["index"])
        if said == "altered":
            payloads[at]["payload"] = payloads[at]["payload"].replace("198.", "203.")
        elif said == "salted":
            payloads[at]["salt"] = dice.randbytes(32).hex()
        elif said == "dropped":
            del payloads[at]
        else:
            payloads.insert(at, payloads[at])

    f.lines("payloads.jsonl", change)
    return Altered(f"a payload {said}", f.seal(), rf"payload of entry {found[0]}\b")


@kind
def _a_payload_called_erased(dice: Random, f: Forge) -> Altered:
    found: list[int] = []

    def change(payloads: list[Any]) -> None:
        at = dice.choice([at for at, each in enumerate(payloads) if "payload" in each])
        found.append(payloads[at]["index"])
        payloads[at] = {"index": payloads[at]["index"], "erased": payloads[at]["index"] + 1}

    f.lines("payloads.jsonl", change)
    return Altered("a payload called erased", f.seal(), rf"payload of entry {found[0]}\b")


@kind
def _the_checkpoint_altered(dice: Random, f: Forge) -> Altered:
    said = dice.choice(["signature", "witness", "stranger", "root", "size"])
    text, lines = f.text(), f.signature_lines()
    if said == "signature":
        head, _, raw = lines[0].rstrip(b"\n").rpartition(b" ")
        value = b64decode(raw)
        at = dice.randrange(4, len(value))
        lines[0] = head + b" " + b64encode(value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]) + b"\n"
    elif said == "witness":
        lines.pop()
    elif said == "stranger":
        lines[0] = STRANGER.line(text)
    else:
        origin, size, root = text.decode().split("\n")[:3]
        size, root = (str(int(size) + 1), root) if said == "size" else (size, b64encode(dice.randbytes(32)).decode())
        text = f"{origin}\n{size}\n{root}\n".encode()
    f.take_checkpoint(text + b"\n" + b"".join(lines))
    return Altered(f"the checkpoint's {said}", f.seal(), "checkpoint|range")


# ---- reports, with spreadsheet, envelope and counts made to fit ----


@kind
def _a_cell_altered(dice: Random, f: Forge) -> Altered:
    name, column = dice.choice(
        [("sessions", "login"), ("sessions", "name"), ("sessions", "source"), ("sessions", "recording_head"),
         ("sessions", "time"), ("requests", "reason"), ("requests", "person"), ("requests", "made")]
    )  # fmt: skip

    def change(report: Any) -> None:
        at = report["columns"].index(column) if column in report["columns"] else 0
        dice.choice(report["rows"])["cells"][at] = "something else"

    f.report(name, change)
    return Altered(f"{column} of {name}", f.seal(), rf"reports/{name}\.jsonl row \d+")


@kind
def _the_cells_of_two_rows_swapped(dice: Random, f: Forge) -> Altered:
    def change(report: Any) -> None:
        one, other = dice.sample(report["rows"], 2)
        one["cells"], other["cells"] = other["cells"], one["cells"]

    f.report("sessions", change)
    return Altered("the cells of two rows swapped", f.seal(), r"reports/sessions\.jsonl row \d+")


@kind
def _rows_of_the_spreadsheet_swapped(dice: Random, f: Forge) -> Altered:
    name = dice.choice(["sessions", "requests", "access"])
    head, *rows = f.files[f"reports/{name}.csv"].split(b"\r\n")[:-1]
    at = dice.randrange(len(rows) - 1)
    rows[at], rows[at + 1] = rows[at + 1], rows[at]
    f.files[f"reports/{name}.csv"] = b"\r\n".join([head, *rows, b""])
    digest = sha256(f.files[f"reports/{name}.csv"]).hexdigest()
    f.envelope(name, lambda envelope: envelope["files"].update({f"{name}.csv": digest}))
    return Altered(f"two rows of {name}.csv swapped", f.seal(), rf"reports/{name}\.csv")


@kind
def _a_row_moved(dice: Random, f: Forge) -> Altered:
    name, said = dice.choice(["sessions", "requests"]), dice.choice(["dropped", "doubled"])
    found: list[int] = []

    def change(report: Any) -> None:
        at = dice.randrange(len(report["rows"]))
        found.append(report["rows"][at]["ledger"][0])
        if said == "dropped":
            del report["rows"][at]
        else:
            report["rows"].insert(at, report["rows"][at])

    f.report(name, change)
    return Altered(f"a row of {name} {said}", f.seal(), rf"reports/{name}\.jsonl.* entry {found[0]}\b")


@kind
def _a_row_that_rests_on_less(dice: Random, f: Forge) -> Altered:
    told = ("ended", "last_byte", "because", "recording_head", "recording_chunks", "recorded", "verified", "gap")

    def change(report: Any) -> None:
        places = [report["columns"].index(column) for column in told]
        row = dice.choice([row for row in report["rows"] if row["cells"][places[0]]])
        del row["ledger"][1]
        for place in places:
            row["cells"][place] = ""

    f.report("sessions", change)
    return Altered("an end left out of a row", f.seal(), r"reports/sessions\.jsonl row \d+: must rest on")


@kind
def _an_envelope_altered(dice: Random, f: Forge) -> Altered:
    name = dice.choice(["sessions", "requests", "access"])
    changes: dict[str, Any] = {
        "query": "SELECT 1", "parameters": {}, "report": "other", "checkpoint": "another", "files": {},
        "filters": [{"filter": "all", "before": 9_999, "after": 9_999}], "range": {"first": 1, "end": 2},
        "system": {"id": "x", "version": "x", "environment": "x"},
    }  # fmt: skip
    member = dice.choice(sorted(changes))
    f.envelope(name, lambda envelope: envelope.update({member: changes[member]}))
    return Altered(f"{member} in the envelope of {name}", f.seal(), rf"reports/{name}\.envelope\.json")


# ---- the honest pack, read with other keys ----


@kind
def _keys(dice: Random, f: Forge) -> Altered:
    honest = rezip(f.files)
    bad = LOG.vkey()[:-4]
    return dice.choice(
        [
            Altered("a stranger's log key", honest, "checkpoint: no signature", 1, log_keys=(STRANGER.vkey(),)),
            Altered("another witness's key", honest, "checkpoint: no signature", 1, witness_keys=(NO_WITNESS.vkey(),)),
            Altered("no log key", honest, "--log-key", 3, log_keys=()),
            Altered("no witness key", honest, "--witness-key", 3, witness_keys=()),
            Altered("a log key cut", honest, "", 2, log_keys=(bad,)),
            Altered("the witness's key as the log's", honest, "", 2, log_keys=(WITNESS.vkey(),)),
            Altered("nothing altered", honest, "NOT ALL WAS JUDGED|", PART),
        ]
    )
