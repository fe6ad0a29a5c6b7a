"""Alterations of a pack: what is done, and the file or entry that the refusal must name.

Whoever alters has no key of the log. Each is sealed: the manifest has the sizes and hashes of what was altered, the
envelopes those of their reports. So what is refused is the alteration, and not the manifest.
"""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from tests.format.forged import MANIFEST, ForgersKey, canonical, edit, flip, lines, rezip, seal, unzip

Files = dict[str, bytes]
Alteration = Callable[[Files], bytes | None]
SESSIONS = "reports/sessions"
RECORD = 78

ALTERATIONS: dict[str, tuple[Alteration, str]] = {}
# What is another pack, and just as good.
PERMITTED: dict[str, Alteration] = {}


def alteration(name: str, named: str) -> Callable[[Alteration], Alteration]:
    """`named` is a pattern of what the refusal must name."""

    def add(act: Alteration) -> Alteration:
        ALTERATIONS[name] = (act, named)
        return act

    return add


def permitted(name: str) -> Callable[[Alteration], Alteration]:
    def add(act: Alteration) -> Alteration:
        PERMITTED[name] = act
        return act

    return add


def altered(pack: bytes, act: Alteration) -> bytes:
    files = unzip(pack)
    given = act(files)
    return seal(files) if given is None else given


def _index_of(files: Files, kind: str) -> int:
    headers = [json.loads(line) for line in files["headers.jsonl"].decode().split("\n")[:-1]]
    return next(i for i, header in enumerate(headers) if header["kind"] == kind)


def _swap(values: list[Any], a: int, b: int) -> None:
    values[a], values[b] = values[b], values[a]


def _report(files: Files, change: Callable[[list[dict[str, Any]]], None], name: str = SESSIONS) -> None:
    """Alters rows, in JSON lines and spreadsheet alike."""
    out = io.StringIO()
    head, *rows = [json.loads(line) for line in files[f"{name}.jsonl"].decode().split("\n")[:-1]]
    old = list(csv.reader(io.StringIO(files[f"{name}.csv"].decode(), newline="")))
    kept = {tuple(row["ledger"]): fields for row, fields in zip(rows, old[1:], strict=True)}
    before = {tuple(row["ledger"]): list(row["cells"]) for row in rows}
    ledgers = {id(row): tuple(row["ledger"]) for row in rows}
    change(rows)
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(old[0])
    for row in rows:
        was = ledgers[id(row)]
        same = zip(kept[was], before[was], row["cells"], strict=False)
        fields = [field if cell == now else now for field, cell, now in same]
        writer.writerow([*fields, " ".join(map(str, row["ledger"]))])
    files[f"{name}.csv"] = out.getvalue().encode()
    files[f"{name}.jsonl"] = b"".join(canonical(each) + b"\n" for each in [head, *rows])


@alteration("a bit in a header", r"^headers\.jsonl line 41")
def _bit_in_a_header(files: Files) -> None:
    all_lines = files["headers.jsonl"].split(b"\n")
    all_lines[40] = flip(all_lines[40], 0)
    files["headers.jsonl"] = b"\n".join(all_lines)


@alteration("another time in a header", r"^headers\.jsonl: .*root")
def _time_of_a_header(files: Files) -> None:
    lines(files, "headers.jsonl", lambda all_of_them: all_of_them[-1].update(time=all_of_them[-1]["time"] + 1))


@alteration("a time that goes back", r"^headers\.jsonl entry 40")
def _time_that_goes_back(files: Files) -> None:
    lines(files, "headers.jsonl", lambda all_of_them: all_of_them[40].update(time=0))


@alteration("an entry dropped", r"^headers\.jsonl entry 40")
def _entry_dropped(files: Files) -> None:
    lines(files, "headers.jsonl", lambda all_of_them: all_of_them.__delitem__(40))
    files["bodies.sha256"] = files["bodies.sha256"][: 32 * 40] + files["bodies.sha256"][32 * 41 :]


@alteration("entries swapped", r"^headers\.jsonl entry 40")
def _entries_swapped(files: Files) -> None:
    lines(files, "headers.jsonl", lambda all_of_them: _swap(all_of_them, 40, 41))


@alteration("the newest entry kept back", r"^headers\.jsonl")
def _newest_kept_back(files: Files) -> None:
    lines(files, "headers.jsonl", lambda all_of_them: all_of_them.__delitem__(-1))
    files["bodies.sha256"] = files["bodies.sha256"][:-32]


@alteration("a bit in the hash of a body", r"^headers\.jsonl: .*root")
def _bit_in_a_hash(files: Files) -> None:
    files["bodies.sha256"] = flip(files["bodies.sha256"], 32 * 40)


@alteration("a body altered", r"^entries\.jsonl entry 66")
def _body_altered(files: Files) -> None:
    opened = _index_of(files, "session.opened")

    def change(bodies: list[Any]) -> None:
        at = next(i for i, each in enumerate(bodies) if each["index"] == opened)
        bodies[at]["body"] = bodies[at]["body"].replace('"eve"', '"max"')

    lines(files, "entries.jsonl", change)


@alteration("two bodies swapped", r"^entries\.jsonl entry 0")
def _bodies_swapped(files: Files) -> None:
    def change(bodies: list[Any]) -> None:
        bodies[0]["body"], bodies[1]["body"] = bodies[1]["body"], bodies[0]["body"]

    lines(files, "entries.jsonl", change)


@alteration("the start of the system not disclosed", r"^entries\.jsonl entry 116")
def _start_not_disclosed(files: Files) -> None:
    started = _index_of(files, "system.started")
    lines(files, "entries.jsonl", lambda bodies: bodies.remove(next(b for b in bodies if b["index"] == started)))


@alteration(
    "the end of a session not disclosed", r"(sessions|inspections)\.jsonl row 1: entry 67|entries\.jsonl entry 67"
)
def _end_not_disclosed(files: Files) -> None:
    closed = _index_of(files, "session.closed")
    lines(files, "entries.jsonl", lambda bodies: bodies.remove(next(b for b in bodies if b["index"] == closed)))


@alteration("a payload altered", r"^payloads\.jsonl entry 0")
def _payload_altered(files: Files) -> None:
    lines(files, "payloads.jsonl", lambda all_of_them: all_of_them[0].update(payload='{"name":"Mallory"}'))


@alteration("a bit in a salt", r"^payloads\.jsonl entry 0")
def _bit_in_a_salt(files: Files) -> None:
    lines(files, "payloads.jsonl", lambda all_of_them: all_of_them[0].update(salt="0" * 64))


@alteration("a payload called erased", r"^payloads\.jsonl entry 0")
def _called_erased(files: Files) -> None:
    lines(files, "payloads.jsonl", lambda all_of_them: all_of_them.__setitem__(0, {"erased": 120, "index": 0}))


@alteration("a payload kept back", r"^payloads\.jsonl entry 2")
def _payload_kept_back(files: Files) -> None:
    lines(files, "payloads.jsonl", lambda all_of_them: all_of_them.__delitem__(2))


@alteration("the spreadsheet altered", r"^reports/sessions\.csv row 1")
def _spreadsheet_altered(files: Files) -> None:
    files[f"{SESSIONS}.csv"] = files[f"{SESSIONS}.csv"].replace(b'"eve"', b'"max"', 1)


@alteration("a row of the spreadsheet dropped", r"^reports/sessions\.csv row 1")
def _spreadsheet_row_dropped(files: Files) -> None:
    rows = files[f"{SESSIONS}.csv"].split(b"\r\n")
    files[f"{SESSIONS}.csv"] = b"\r\n".join([rows[0], *rows[2:]])


@alteration("a cell altered in both", r"^reports/sessions\.jsonl row 1: person")
def _cell_altered(files: Files) -> None:
    _report(files, lambda rows: rows[0]["cells"].__setitem__(3, "max"))


@alteration("what follows from entries altered", r"^reports/sessions\.jsonl row 1: factors_age_seconds")
def _ruled_cell_altered(files: Files) -> None:
    _report(files, lambda rows: rows[0]["cells"].__setitem__(15, "1"))


@alteration("a row dropped from both", r"^reports/sessions\.jsonl: entry 66")
def _row_dropped(files: Files) -> None:
    _report(files, lambda rows: rows.__delitem__(0))


@alteration("a row twice", r"^reports/sessions\.jsonl row 8: entry 66")
def _row_twice(files: Files) -> None:
    _report(files, lambda rows: rows.append(rows[0]))


@alteration("a row that rests on less", r"^reports/sessions\.jsonl row 1")
def _row_rests_on_less(files: Files) -> None:
    _report(files, lambda rows: rows[0].update(ledger=rows[0]["ledger"][:-1]))


@alteration("an account dropped", r"^reports/accounts\.jsonl: entry 0")
def _account_dropped(files: Files) -> None:
    _report(files, lambda rows: rows.__delitem__(0), "reports/accounts")


@alteration("a checkpoint of another size", r"^checkpoint")
def _checkpoint_of_another_size(files: Files) -> None:
    files["checkpoint"] = files["checkpoint"].replace(b"\n127\n", b"\n128\n")


@alteration("a checkpoint of another root", r"^checkpoint")
def _checkpoint_of_another_root(files: Files) -> None:
    origin, size, root, rest = files["checkpoint"].split(b"\n", 3)
    files["checkpoint"] = b"\n".join([origin, size, (b"B" if root[:1] == b"A" else b"A") + root[1:], rest])


@alteration("a checkpoint forged under the name of the log", r"^checkpoint: no signature")
def _checkpoint_forged(files: Files) -> None:
    text = files["checkpoint"].decode().split("\n\n")[0] + "\n"
    forger = ForgersKey(text.split("\n")[0])
    files["checkpoint"] = forger.note(text)
    edit(files, MANIFEST, lambda manifest: manifest.update(log_key=forger.vkey, witnesses=[]))


@alteration("the signature of the witness gone", r"^checkpoint: no signature of witness")
def _witness_gone(files: Files) -> None:
    files["checkpoint"] = b"".join(files["checkpoint"].splitlines(keepends=True)[:-1])


@alteration("a bit in the signature of a batch", r"^batches\.bin batch of entry 0")
def _bit_in_a_signature(files: Files) -> None:
    files["batches.bin"] = flip(files["batches.bin"], files["batches.bin"].index(b"\n") + 20)


@alteration("a batch dropped", r"^batches\.bin batch of entry")
def _batch_dropped(files: Files) -> None:
    begin = files["batches.bin"].index(b"\n") + 1 + RECORD
    files["batches.bin"] = files["batches.bin"][:begin] + files["batches.bin"][begin + RECORD :]


@alteration("two signatures of batches swapped", r"^batches\.bin batch of entry")
def _signatures_swapped(files: Files) -> None:
    data, begin = bytearray(files["batches.bin"]), files["batches.bin"].index(b"\n") + 1
    one, two = slice(begin + 14, begin + RECORD), slice(begin + RECORD + 14, begin + 2 * RECORD)
    data[one], data[two] = data[two], data[one]
    files["batches.bin"] = bytes(data)


@alteration("a node under another name", r"^batches\.bin batch of entry 0: nod_2")
def _node_renamed(files: Files) -> None:
    files["batches.bin"] = files["batches.bin"].replace(b'"nod_1"', b'"nod_2"', 1)


@alteration("a hash too many in the range", r"^range\.json")
def _hash_too_many(files: Files) -> None:
    edit(files, "range.json", lambda given: given["right"].append("00" * 32))


@alteration("a range that ends before", r"^headers\.jsonl: 127 entries, not 123")
def _range_ends_before(files: Files) -> None:
    edit(files, "range.json", lambda given: given.update(end=123))


@alteration("a file removed", r"^README\.txt: is not there")
def _file_removed(files: Files) -> None:
    del files["README.txt"]


@alteration("a file added", r"^notes\.txt: is no file of a pack")
def _file_added(files: Files) -> None:
    files["notes.txt"] = b"all is well\n"


@alteration("a report that is not listed", r"^reports/sessions\.\w+.*: is no file of a pack")
def _report_not_listed(files: Files) -> None:
    edit(files, MANIFEST, lambda manifest: manifest["reports"].remove("sessions"))


@alteration("a longer period", r"^reports/.*: of another period")
def _longer_period(files: Files) -> None:
    edit(files, MANIFEST, lambda manifest: manifest["period"].update(to="2026-03-04T08:00:00.000000Z"))


@alteration("another query in an envelope", r"^reports/access\.envelope\.json")
def _another_query(files: Files) -> None:
    edit(files, "reports/access.envelope.json", lambda envelope: envelope.update(query="SELECT 1"))


@alteration("another range in an envelope", r"^reports/access\.envelope\.json")
def _another_range(files: Files) -> None:
    edit(files, "reports/access.envelope.json", lambda envelope: envelope["range"].update(end=123))


@alteration("a file with another content than the manifest says", r"^verify\.py")
def _not_sealed(files: Files) -> bytes:
    files["verify.py"] += b"\n"
    return rezip(files)


@alteration("a format that nobody knows", r"^manifest\.json: onepam-evidence-pack/2")
def _another_format(files: Files) -> None:
    edit(files, MANIFEST, lambda manifest: manifest.update(format="onepam-evidence-pack/2"))


@alteration("a byte behind the archive", r"^the zip")
def _byte_behind(files: Files) -> bytes:
    return seal(files) + b"\n"


@alteration("a byte before the archive", r"^the zip|^README")
def _byte_before(files: Files) -> bytes:
    return b"\n" + seal(files)


@alteration("a witness named that never signed", r"^checkpoint: no signature of witness\.example\.net")
def _witness_that_never_signed(files: Files) -> None:
    stranger = ForgersKey("witness.example.net/2", algorithm=4).vkey
    edit(files, MANIFEST, lambda manifest: manifest["witnesses"].append(stranger))


@alteration("the key of a log as a witness's", r"^manifest\.json: the key of a witness")
def _log_as_witness(files: Files) -> None:
    edit(files, MANIFEST, lambda manifest: manifest["witnesses"].append(manifest["log_key"]))


@alteration("left out, and no filter says why", r"^reports/access\.envelope\.json: the last filter")
def _no_filters(files: Files) -> None:
    edit(files, "reports/access.envelope.json", lambda envelope: envelope.update(filters=[]))


@alteration("parameters that are no object", r"^reports/access\.envelope\.json: parameters")
def _parameters(files: Files) -> None:
    edit(files, "reports/access.envelope.json", lambda envelope: envelope.update(parameters=None))


@alteration(
    "rows that rest on what came after their as-of",
    r"^reports/access\.jsonl row 1: it rests on entry \d+, which is later",
)
def _after_its_as_of(files: Files) -> None:
    instant = "2026-03-02T08:00:00.000000Z"
    edit(files, "reports/access.envelope.json", lambda envelope: envelope.update(as_of=instant))


@alteration("what ended it before who it was", r"^reports/leavers\.jsonl row 1: it must rest on the entries")
def _ends_before_names(files: Files) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        head, *others = rows[0]["ledger"]
        rows[0]["ledger"] = [head, others[-1], *others[:-1]]

    _report(files, change, "reports/leavers")


@alteration("when what a leaver held ended", r"^reports/leavers\.jsonl row 1: console_ended does not follow")
def _ended_earlier(files: Files) -> None:
    name = "reports/leavers"
    at = json.loads(files[f"{name}.jsonl"].partition(b"\n")[0])["columns"].index("console_ended")
    _report(files, lambda rows: rows[0]["cells"].__setitem__(at, rows[0]["cells"][0]), name)


@permitted("as it is")
def _as_it_is(files: Files) -> None:
    pass


@permitted("rows in another order")
def _rows_in_another_order(files: Files) -> None:
    _report(files, lambda rows: rows.reverse())


@permitted("payloads in another order")
def _payloads_in_another_order(files: Files) -> None:
    lines(files, "payloads.jsonl", lambda all_of_them: all_of_them.reverse())


@permitted("files in another order")
def _files_in_another_order(files: Files) -> bytes:
    sealed = unzip(seal(files))
    edit(sealed, MANIFEST, lambda manifest: manifest["files"].reverse())
    return rezip(dict(reversed(list(sealed.items()))))


@permitted("another key of the log in the manifest, which is for information")
def _another_log_key(files: Files) -> None:
    edit(files, MANIFEST, lambda manifest: manifest.update(log_key=ForgersKey("elsewhere.example/log").vkey))
