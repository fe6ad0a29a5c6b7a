"""The quick ways of reading say nothing that the slow ones would not say."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onepam.evidence.verifier import canonical, report
from onepam.evidence.verifier.canonical import members, parse
from onepam.evidence.verifier.disclosed import _line, plain_lines
from onepam.evidence.verifier.refusal import Refused
from onepam.evidence.verifier.report import read_row

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 54), 1 << 54) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
PIECES = st.sampled_from(
    ['{"body":"', '","index":', "}", "{", '\\"', '"', "\\", "\\\\", "\\u0041", "\\n", "\n", "\x1f", "\x7f", "a", ":",
     ",", "0", "7", "00", "-0", "1e2",
     "9" * 15, "9" * 16, "9007199254740991", "\u00e9", "\ud800", " ", "[", "]", '"a":1',
     '{\\"a\\":1}', '"a"']
)  # fmt: skip


def written(value: Any) -> str:
    """In the one form where there is one, else in the form of Python."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def slow(data: bytes) -> Any:
    """What is read where the quick way is shut."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(canonical, "_decode_ascii", canonical._decode_json)
        return _read(data)


def _read(data: bytes) -> Any:
    try:
        return parse(data, "it")
    except Refused:
        return Refused


def same(data: bytes) -> None:
    quick, due = _read(data), slow(data)
    assert (repr(quick), quick is Refused) == (repr(due), due is Refused)


@given(VALUES.map(written) | st.lists(PIECES, max_size=9).map("".join))
@example('{"a":1,"a":1}')
@example('{"a":1,"a":2}')
@example('{"b":1,"a":2}')
@example('{"\\u0061":1}')
@example('"\\ud800"')
@example('{"a":9007199254740992}')
@example('{"a":-0}')
@example('{"a":NaN}')
@example("[" * 33 + "]" * 33)
@example('{"a":{"b":1,"b":1}}')
def test_ascii_is_read_as_all_else_is(text: str) -> None:
    same(text.encode("utf-8", "surrogatepass"))


def entry(line: bytes, quickly: bool) -> Any:
    """Index and body, once the body was read too."""
    try:
        ((index, raw),) = (plain_lines(line + b"\n") if quickly else None) or [_line(line, "it")]
        return index, raw, parse(raw, "body")
    except Refused:
        return Refused


@given(
    st.builds(lambda body, index: written({"body": written(body), "index": index}), VALUES, st.integers(0, 1 << 54))
    | st.lists(PIECES, max_size=9).map(lambda pieces: '{"body":"' + "".join(pieces))
    | st.lists(PIECES, max_size=12).map("".join)
)
@example('{"body":"{\\"a\\":1}","index":00}')
@example('{"body":"{\\"a\\":1}","index":}')
@example('{"body":"{\\"a\\":1}","index":-1}')
@example('{"body":"{\\"a\\":1}","index":1 }')
@example('{"body":"{\\"a\\":\\"\\\\\\"\\"}","index":1}')
@example('{"body":"{"a":1}","index":1}')
@example('{"body":"{\\"a\\":\\"\t\\"}","index":1}')
@example('{"body":"{}","index":1,"index":1}')
@example('{"body":"{}\\","index":1}","index":1}')
def test_a_plain_line_is_read_as_any_other(text: str) -> None:
    line = text.encode("utf-8", "surrogatepass").replace(b"\n", b"")
    assert repr(entry(line, True)) == repr(entry(line, False))


BODY = st.sampled_from(['{\\"a\\":1}', "{}", '{\\"a\\":\\"}', '{"a\\":1}', "{}\\", "{}x", "[]", '{\\"\\\\\\"\\":1}'])
LINE = st.builds(
    lambda before, body, index, after: f'{before}{{"body":"{body}","index":{index}}}{after}'.encode(),
    st.sampled_from(["", "x"]), BODY, st.sampled_from(["7", "07", ""]), st.sampled_from(["", " "]))  # fmt: skip


@given(st.lists(LINE | BODY.map(str.encode), min_size=1, max_size=4), st.sampled_from([b"\n", b""]))
@example([b'{"body":"{\\"a\\":1}\\","index":1}', b'{"body":"{"a\\":1}","index":2}'], b"\n")
@example([b'{"body":"{}","index":1}', b'x{"body":"{}","index":2}'], b"\n")
def test_lines_are_read_at_once_as_one_by_one(lines: list[bytes], last: bytes) -> None:
    def one(line: bytes) -> Any:
        try:
            return _line(line, "it")
        except Refused:
            return Refused

    found = plain_lines(b"\n".join(lines) + last)
    assert found is None or (last and found == [one(line) for line in lines])


def test_the_common_line_is_plain() -> None:
    line = b'{"body":"{\\"at\\":1772546400000000,\\"by\\":\\"eve\\"}","index":318}\n'
    assert plain_lines(2 * line) == 2 * [(318, b'{"at":1772546400000000,"by":"eve"}')]
    for other in (line.replace(b"eve", b"e\\\\ve"), line.replace(b"318", b"0318"), line[:-1], line[:-2], b"{}"):
        assert plain_lines(line + other) is None


CELLS = st.lists(st.text(st.sampled_from('a",\\\0\n[]{}é'), max_size=4) | st.none() | st.integers(0, 3), max_size=3)


@given(
    st.builds(lambda cells, ledger: written({"cells": cells, "ledger": ledger}), CELLS, st.lists(VALUES, max_size=3))
    | st.lists(PIECES, max_size=9).map(lambda pieces: '{"cells":["' + "".join(pieces))
)
@example('{"cells":[],"ledger":[1]}')
@example('{"cells":"abc","ledger":[1]}')
@example('{"cells":["a"],"ledger":"12"}')
@example('{"cells":["\\u0000"],"ledger":[1]}')
@example('{"cells":["a"],"ledger":[1], "x":1}')
@example('{"cells":["a"],"ledger":[9007199254740992]}')
@example('{"cells":["a","a"],"cells":["a"],"ledger":[1]}')
def test_a_row_is_read_as_any_other(text: str) -> None:
    def read(how: Callable[[bytes, str], Any]) -> Any:
        try:
            return how(text.encode("utf-8", "surrogatepass"), "it")
        except Refused:
            return Refused

    assert repr(read(read_row)) == repr(read(lambda line, it: members(parse(line, it), it, cells=list, ledger=list)))


def test_the_common_row_is_read_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "parse", None)
    row = {"cells": ["a", '["b","c"]', "", "é"], "ledger": [3, 1]}
    assert read_row(written(row).encode(), "it") == row
