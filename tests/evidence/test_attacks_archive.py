"""Alterations of the archive, the manifest and the JSON: each is refused, and the refusal names the thing."""

from hashlib import sha256
from typing import Any

import pytest

from onepam.kernel.canonical import encode
from tests.evidence.company import PART, History
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Attacks, Forge, Member, craft, deflated, rezip

ATTACKS = Attacks()
add = ATTACKS.add


# --- the zip ---


@add("bytes after the archive", "end record")
def _(f: Forge) -> bytes:
    return f.seal() + b"\0"


@add("bytes before the archive", "before or after the archive")
def _(f: Forge) -> bytes:
    return b"#!/bin/sh\n" + f.seal()


@add("a comment on the archive", "end record")
def _(f: Forge) -> bytes:
    return craft(f.members(), comment=b"hello")


@add("a comment that holds a second end record", "several disks, or a comment|before or after")
def _(f: Forge) -> bytes:
    return craft(f.members(), comment=b"PK\5\6" + bytes(16) + b"\1\0")


@add("the archive cut in half", "end record")
def _(f: Forge) -> bytes:
    data = f.seal()
    return data[: len(data) // 2]


@add("an empty file", "end record")
def _(f: Forge) -> bytes:
    return b"PK\5\6"


@add("more members counted than there are", "broken central directory")
def _(f: Forge) -> bytes:
    return craft(f.members(), count=len(f.files) + 1)


@add("fewer members counted than there are", "between the members and the directory")
def _(f: Forge) -> bytes:
    return craft(f.members(), count=len(f.files) - 1)


@add("two members with one name", "two members named checkpoint")
def _(f: Forge) -> bytes:
    return craft([*f.members(), Member(b"checkpoint", b"another")])


@add("a symbolic link", "checkpoint is a link")
def _(f: Forge) -> bytes:
    return f.with_member("checkpoint", attributes=0o120777 << 16)


@add("a device", "checkpoint is a link or a dir")
def _(f: Forge) -> bytes:
    return f.with_member("checkpoint", attributes=0o020666 << 16)


@add("a directory by its attribute", "checkpoint is a link or a dir")
def _(f: Forge) -> bytes:
    return f.with_member("checkpoint", attributes=0x10)


def _shown(path: bytes) -> str:
    """A name as people read it, with what does not print in words."""
    odd = {0x00: "(NUL)", 0x0A: "(newline)", 0x1B: "(escape)"}
    return "".join(odd.get(ord(letter), letter) for letter in path.decode("utf-8"))


for _path in (
    b"../verify.py", b"reports/../../x.jsonl", b"/etc/passwd", b"reports\\x.json", b"C:x.json", b"a\x1b[2Jb", b"a\nb",
    b"\xc3\xa9.json", b"nul\0.json",
):  # fmt: skip

    @add(f"a file named {_shown(_path)}", "odd path")
    def _(f: Forge, path: bytes = _path) -> bytes:
        return craft([*f.members(), Member(path, b"{}")])


for _path in (b"notes.txt", b"reports/", b"reports/A.jsonl", b"reports/a.html", b"reports/a/b.jsonl", b"README.TXT"):

    @add(f"a stray file {_shown(_path)}", "is no file of an evidence pack")
    def _(f: Forge, path: bytes = _path) -> bytes:
        return craft([*f.members(), Member(path, b"{}")])


@add("an encrypted member", "range.json is encrypted")
def _(f: Forge) -> bytes:
    return f.with_member("range.json", flags=1)


@add("a strongly encrypted member", "range.json is encrypted")
def _(f: Forge) -> bytes:
    return f.with_member("range.json", flags=0x40)


@add("a data descriptor", "range.json: flags")
def _(f: Forge) -> bytes:
    return f.with_member("range.json", flags=8)


@add("compressed by bzip2", "range.json: flags or compression method")
def _(f: Forge) -> bytes:
    return f.with_member("range.json", method=12)


@add("sizes left to zip64", "range.json uses zip64")
def _(f: Forge) -> bytes:
    return f.with_member("range.json", size=0xFFFFFFFF, extra=b"\1\0\x10\0" + bytes(16))


@add("a version that means zip64", "range.json uses zip64")
def _(f: Forge) -> bytes:
    return f.with_member("range.json", version=45)


@add("an extra field", "range.json has extra fields")
def _(f: Forge) -> bytes:
    return f.with_member("range.json", extra=b"up\1\0x")


@add("a comment on a member", "range.json has extra fields, a comment")
def _(f: Forge) -> bytes:
    return f.with_member("range.json", comment=b"x")


@add("another name in the local header", "range.json: local header differs")
def _(f: Forge) -> bytes:
    return f.with_member("range.json", local={"name": b"runge.json"})


@add("another CRC in the local header", "range.json: local header differs")
def _(f: Forge) -> bytes:
    return f.with_member("range.json", local={"crc": 7})


@add("another size in the local header", "range.json: local header differs")
def _(f: Forge) -> bytes:
    return f.with_member("range.json", local={"size": 7})


@add("a wrong CRC", "range.json: wrong size or CRC")
def _(f: Forge) -> bytes:
    return f.with_member("range.json", crc=7)


@add("a wrong size", "range.json: wrong size or CRC")
def _(f: Forge) -> bytes:
    return f.with_member("range.json", size=7)


@add("a bomb", "README.txt expands more than 200 times")
def _(f: Forge) -> bytes:
    zeros = bytes(1 << 20)
    return f.with_member("README.txt", content=zeros, packed=deflated(zeros), method=8)


@add("a bomb that understates its size", "README.txt: compressed data does not end")
def _(f: Forge) -> bytes:
    zeros = bytes(1 << 20)
    return f.with_member("README.txt", content=zeros, packed=deflated(zeros), method=8, size=100_000)


@add("contents beyond the total bound", "contents larger than the bound|expands more")
def _(f: Forge) -> bytes:
    return craft([Member(b"README.txt", b"", size=0xFFFFFFFE, packed=bytes(22 << 20))])


@add("bytes after the compressed data inside a member", "README.txt: compressed data does not end")
def _(f: Forge) -> bytes:
    return f.with_member("README.txt", packed=deflated(f.files["README.txt"]) + b"hidden", method=8)


@add("compressed data cut", "README.txt: compressed data does not end|error")
def _(f: Forge) -> bytes:
    return f.with_member("README.txt", packed=deflated(f.files["README.txt"])[:-9], method=8)


@add("compressed data flipped", "README.txt: Error -3 while decompressing.*get it again")
def _(f: Forge) -> bytes:
    return f.with_member("README.txt", packed=b"\x07" + deflated(f.files["README.txt"])[1:], method=8)


@add("bytes between two members", "range.json overlaps, or bytes lie before it")
def _(f: Forge) -> bytes:
    return f.with_member("range.json", before=b"hidden")


@add("two names for the same bytes", "verify.py overlaps")
def _(f: Forge) -> bytes:
    members = [member for member in f.members() if member.name != b"verify.py"]
    return craft([*members, Member(b"verify.py", members[0].content, at=0)])


# --- the manifest ---


@add("a file changed, the manifest not", "reports/sessions.csv is not the file that manifest.json lists")
def _(f: Forge) -> bytes:
    f.files["reports/sessions.csv"] += b"x"
    return rezip(f.files)


@add("verify.py replaced, the manifest not", "verify.py is not the file that manifest.json lists")
def _(f: Forge) -> bytes:
    f.files["verify.py"] = b"print('VERIFIED')\n"
    return rezip(f.files)


@add("a listed file missing", "reports/sessions.csv is listed but missing")
def _(f: Forge) -> bytes:
    del f.files["reports/sessions.csv"]
    return rezip(f.files)


@add("a needed file missing everywhere", "payloads.jsonl missing from the pack")
def _(f: Forge) -> None:
    del f.files["payloads.jsonl"]


@add("a file that is not listed", "reports/extra.csv belongs to no report")
def _(f: Forge) -> bytes:
    f.files["reports/extra.csv"] = b""
    return rezip(f.files)


@add("a report's envelope missing", "reports/sessions.envelope.json is listed but missing")
def _(f: Forge) -> None:
    del f.files["reports/sessions.envelope.json"]


@add("a named report missing", r"reports/vendors.csv is listed but missing")
def _(f: Forge) -> None:
    f.edit("manifest.json", lambda m: m["reports"].append("vendors"))


@add("a report not named", "reports/sessions.csv belongs to no report")
def _(f: Forge) -> None:
    f.edit("manifest.json", lambda m: m["reports"].remove("sessions"))


@add("a file listed twice", "checkpoint is listed twice")
def _(f: Forge) -> bytes:
    f.edit("manifest.json", lambda m: m["files"].append({"name": "checkpoint", "sha256": "", "size": 0}))
    return rezip(f.files)


@add("the manifest lists itself", "manifest.json cannot list itself")
def _(f: Forge) -> bytes:
    f.edit("manifest.json", lambda m: m["files"].append({"name": "manifest.json", "sha256": "", "size": 0}))
    return rezip(f.files)


@add("a file not in the list", "checkpoint is not listed")
def _(f: Forge) -> bytes:
    f.edit("manifest.json", lambda m: m["files"].pop(1 + [i["name"] for i in m["files"]].index("bodies.sha256")))
    return rezip(f.files)


@add("another format", "format is not")
def _(f: Forge) -> None:
    f.edit("manifest.json", lambda m: m.update(format="onepam-evidence-pack/9"))


@add("a member too many", "manifest.json: members must be")
def _(f: Forge) -> None:
    f.edit("manifest.json", lambda m: m.update(note="trust me"))


@add("a string where an integer is due", "tree_size must be int")
def _(f: Forge) -> None:
    f.edit("manifest.json", lambda m: m.update(tree_size="318"))


@add("true where an integer is due", "tree_size must be int")
def _(f: Forge) -> None:
    f.edit("manifest.json", lambda m: m.update(tree_size=True))


@add("an empty period", "the period is empty")
def _(f: Forge) -> None:
    f.edit("manifest.json", lambda m: m["period"].update(to=m["period"]["from"]))


@add("a period without a zone", "is not a time in UTC")
def _(f: Forge) -> None:
    f.edit("manifest.json", lambda m: m["period"].update(to="2026-04-01T00:00:00.000000"))


@add("a period on the 30th of February", "is not a time in UTC")
def _(f: Forge) -> None:
    f.edit("manifest.json", lambda m: m["period"].update(to="2026-02-30T00:00:00.000000Z"))


# --- JSON: the same words for every file that is parsed ---


def _raw(f: Forge, file: str, old: bytes, new: bytes) -> bytes:
    """The pack with `old` replaced once in a file, the manifest's list made to fit without parsing anything."""
    before = f.files[file]
    assert old in before
    after = f.files[file] = before.replace(old, new, 1)
    if file != "manifest.json":
        listed = f.files["manifest.json"]
        entry = encode({"name": file, "sha256": sha256(before).hexdigest(), "size": len(before)})
        assert entry in listed
        entry_now = encode({"name": file, "sha256": sha256(after).hexdigest(), "size": len(after)})
        f.files["manifest.json"] = listed.replace(entry, entry_now)
    return rezip(f.files)


_JSON: list[tuple[str, str, bytes, bytes, str]] = [
    ("a duplicate key", "manifest.json", b'"format"', b'"format":"x","format"', "duplicate key"),
    ("a duplicate key deep inside", "manifest.json", b'"environment"', b'"id":"x","environment"', "duplicate key"),
    ("NaN", "range.json", b'"first":0', b'"first":NaN', "NaN where an integer"),
    ("Infinity", "range.json", b'"first":0', b'"first":-Infinity', "-Infinity where an integer"),
    ("a float", "range.json", b'"first":0', b'"first":0.0', "0.0 where an integer"),
    ("an exponent", "range.json", b'"first":0', b'"first":0e0', "0e0 where an integer"),
    ("minus zero", "range.json", b'"first":0', b'"first":-0', "not in canonical form"),
    ("a negative index", "range.json", b'"first":0', b'"first":-1', "first is negative"),
    ("an integer beyond 2^53", "range.json", b'"first":0', b'"first":9007199254740992', "outside 2"),
    ("an integer of 5000 digits", "range.json", b'"first":0', b'"first":' + b"9" * 5000, "outside 2"),
    ("depth 33", "reports/access.envelope.json", b'"parameters":{',
     b'"parameters":{"a":' + b"[" * 31 + b"]" * 31 + b",",
     "nested deeper than 32"),
    ("depth 3000", "range.json", b"{", b"[" * 3000 + b"{", "nested deeper than 32"),
    ("white space", "range.json", b'"first":0', b'"first": 0', "not in canonical form"),
    ("keys out of order", "range.json", b'"end":318,"first":0', b'"first":0,"end":318', "not in canonical form"),
    ("an escape that is not needed", "reports/sessions.jsonl", b'"sessions"', b'"\\u0073essions"', "not in canonical"),
    ("a lone surrogate", "reports/sessions.jsonl", b'"sessions"', b'"\\ud800"', "reports/sessions.jsonl line 1: "),
    ("not UTF-8", "reports/sessions.jsonl", b'"sessions"', b'"\xff"', "reports/sessions.jsonl line 1: "),
    ("a byte order mark", "range.json", b"{", b"\xef\xbb\xbf{", "range.json: "),
    ("two values", "range.json", b"{", b"{}{", "range.json: "),
    ("no JSON at all", "entries.jsonl", b"{", b"", "entries.jsonl line 1"),
    ("a line cut", "payloads.jsonl", b"\n", b"", "payloads.jsonl line 1"),
    ("an array for an object", "payloads.jsonl", b"{", b"[]\n{", "payloads.jsonl"),
]  # fmt: skip
for _name, _file, _old, _new, _says in _JSON:

    @add(f"JSON: {_name}", _says)
    def _(f: Forge, change: Any = (_file, _old, _new)) -> bytes:
        return _raw(f, *change)


@pytest.mark.parametrize("name", ATTACKS.table, ids=str)
def test_refused_and_named(name: str, company: History, honest: bytes, check: Check) -> None:
    ATTACKS.assert_refused(name, Forge(company, honest), check)


def test_the_forgers_tools_are_not_what_is_refused(company: History, honest: bytes, check: Check) -> None:
    forge = Forge(company, honest)
    assert check(craft(forge.members()), *KEYS)[0] == PART
    members = [Member(m.name, m.content, method=8, packed=deflated(m.content)) for m in forge.members()]
    assert check(craft(members), *KEYS)[0] == PART
    assert check(forge.seal(), *KEYS)[0] == PART
