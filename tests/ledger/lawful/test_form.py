"""Bodies are held against the form of their kind before any rule reads them: whatever stands in a place where it has
not the type, is a finding, and the next entry is judged as if nothing had been."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from onepam.domain.history.event import every_version
from onepam.kernel.canonical import NotCanonical, encode, reader
from onepam.kernel.clock import SECOND, Instant
from onepam.ledger.findings import Row
from onepam.ledger.lawful.form import OF_KINDS, Form, of_form
from onepam.ledger.lawful.forms import FORMS
from onepam.ledger.lawful.judging import asks
from onepam.ledger.lawful.rows import form_of, quickly, read
from scripts import forms
from tests.ledger.lawful.story import Story

FOLDERS = sorted(Path(forms.PAGE).parent.glob("format-*"))
ODD: tuple[Any, ...] = ([], {}, [[]], "", "x", None, True, -1, 2**53 - 1, {"a": 1}, ["x"], [{}], 0)


@cache
def bodies() -> dict[tuple[str, int], dict[str, Any]]:
    """One body of every kind and version, as golden folders have them."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for folder in FOLDERS:
        with closing(sqlite3.connect(f"file:{folder / 'every-kind.db'}?mode=ro&immutable=1", uri=True)) as db:
            found |= {
                (kind, v): json.loads(body) for kind, v, body in db.execute("SELECT kind, version, body FROM entry")
            }
    return found


def test_the_forms_are_those_of_the_kinds() -> None:
    assert forms.MODULE.read_text("utf-8") == forms.module(), "run scripts/forms.py"
    assert set(OF_KINDS) == {(each.name, each.version) for each in every_version()}


@pytest.mark.parametrize("kind", sorted(bodies()), ids=str)
def test_what_was_written_has_the_form_of_its_kind(kind: tuple[str, int]) -> None:
    assert of_form(*kind, bodies()[kind]) is bodies()[kind]


@pytest.mark.parametrize("kind", sorted(each for each in bodies() if asks(*each)), ids=str)
def test_what_has_not_the_form_is_a_finding_and_the_next_entry_is_judged(kind: tuple[str, int]) -> None:
    story = Story().ready("ada", "eve")
    begin = len(story.rows)
    odd = [
        body
        for path in _paths(bodies()[kind])
        for each in ODD
        if not OF_KINDS[kind].fits(body := _put(bodies()[kind], path, each))
    ]
    planted = [*((*kind, body) for body in odd), ("role.removed", 1, {"by": "ada", "change": "c", "role": "engineer"})]
    for index, (name, version, body) in enumerate(planted, begin):
        text = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
        story.rows.append(Row(index, Instant(story.at() + 2 * index * SECOND), name, version, "x", 0, text, b""))
    found = [each for each in story.said() if each[0] >= begin]
    assert found[: len(odd)] == [(at, "it does not read as such an entry") for at in range(begin, begin + len(odd))]
    assert {at for at, _ in found[len(odd) :]} == {begin + len(odd)}


@pytest.mark.parametrize("kind", sorted(bodies()), ids=str)
def test_a_member_more_or_less_is_another_form(kind: tuple[str, int]) -> None:
    form, body = OF_KINDS[kind], bodies()[kind]
    assert not form.fits({**body, "more": "x"})
    for name in body:
        assert not form.fits({each: value for each, value in body.items() if each != name})
    assert not form.fits([body])


@pytest.mark.parametrize("kind", sorted(bodies()), ids=str)
def test_a_body_that_is_read_quickly_has_the_form_of_its_kind(kind: tuple[str, int]) -> None:
    """Bytes that are not canonical are no body of any form."""
    form, body = OF_KINDS[kind], bodies()[kind]
    assert quickly(*kind)(encode(body)) == body
    odd = [_put(body, path, each) for path in _paths(body) for each in (*ODD, 2**53 - 1, "\u00e9")]
    for each in [*odd, {**body, "more": "x"}, *({n: body[n] for n in body if n != name} for name in body)]:
        if form.fits(each):
            assert read(*kind, encode(each)) == each
        else:
            with pytest.raises(ValueError, match="not the form of its kind"):
                read(*kind, encode(each))
    for name in body:
        if type(body[name]) is int:
            with pytest.raises(NotCanonical):
                read(*kind, json.dumps({**body, name: 2**53}, sort_keys=True, separators=(",", ":")).encode())
    for data in (encode(body) + b" ", json.dumps(body, sort_keys=True).encode()):
        assert quickly(*kind)(data) is None
        with pytest.raises(NotCanonical):
            read(*kind, data)


@pytest.mark.parametrize(
    ("said", "good", "bad"),
    [
        ("text", ["", "a"], [None, 1, True, []]),
        ("integer", [0, -1], [True, None, "1", 1.0]),
        ("truth", [True, False], [0, None, "no"]),
        ("text?", ["a", None], [0, False]),
        ("(a|b_c)", ["a", "b_c"], ["", "c", None, ["a"], {}]),
        ("(a|b)?", ["a", None], ["c"]),
        ("[text]", [[], ["a", "b"]], [None, "a", [1], {}, ["a", None]]),
        ("[text]?", [None, ["a"]], [[None]]),
        ("<[integer]>", [{}, {"a": [1]}], [[], {"a": 1}, None]),
        ("{a=text,b?=integer?}", [{"a": ""}, {"a": "", "b": None}], [{}, {"b": 1}, {"a": 1}, {"a": "", "c": 1}, None]),
        ("[{a={b=[(x|y)]}}]", [[], [{"a": {"b": ["x"]}}]], [[{"a": {"b": ["z"]}}], [{"a": {}}], [{}]]),
        ("{a=text}?", [None, {"a": ""}], [{}, []]),
    ],
)
def test_types(said: str, good: list[Any], bad: list[Any]) -> None:
    form = Form([f"it={said}"])
    quick = reader(form_of(form.type))
    assert [each for each in good if quick(encode({"it": each})) != {"it": each}] == []
    assert [each for each in bad if each != 1.0 and quick(encode({"it": each})) is not None] == []
    assert [each for each in good if not form.fits({"it": each})] == []
    assert [each for each in bad if form.fits({"it": each})] == []


def test_a_type_that_goes_on_after_its_end_is_no_type() -> None:
    with pytest.raises(ValueError, match="is left over"):
        Form(["it=[text]]"])


def test_no_line_is_longer_than_a_page_is_wide() -> None:
    assert max(map(len, FORMS.splitlines())) <= forms.WIDTH


def _paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for name, each in members:
        yield (*above, name)
        yield from _paths(each, (*above, name))


def _put(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    whole = deepcopy(value)
    place = whole
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = odd
    return whole
