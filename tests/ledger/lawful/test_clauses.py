"""Each clause of each rule is broken by a planted entry, in a history in which nothing else is found.

The stories of this room are told once more and listened to: so a rule that gains a clause which no story breaks fails
here, and so does a clause that is only ever found beside another entry's.
"""

from collections import ChainMap, defaultdict
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.ledger.lawful.clauses import HEARD, Clause, Heard, broken, clauses

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def heard() -> list[Heard]:
    """The findings of all stories, in any order of them."""
    HEARD.clear()
    for path in sorted(HERE.glob("test_*.py")):
        if path.stem != Path(__file__).stem:
            for name, story in vars(import_module(f"tests.ledger.lawful.{path.stem}")).items():
                if name.startswith("test_"):
                    for values in cases(story):
                        story(**values)
    return list(HEARD)


def cases(story: Callable[..., None]) -> Iterator[dict[str, Any]]:
    """The arguments with which a test is called; those of this room take no fixtures."""
    ways = []
    for mark in (each for each in getattr(story, "pytestmark", []) if each.name == "parametrize"):
        names = (mark.args[0],) if isinstance(mark.args[0], str) else mark.args[0]
        ways.append([dict(zip(names, (each,) if len(names) == 1 else each, strict=True)) for each in mark.args[1]])
    return (dict(ChainMap(*each)) for each in product(*ways))


def test_each_clause_is_broken_by_a_planted_entry_and_nothing_else_is_found(heard: list[Heard]) -> None:
    lines: defaultdict[tuple[str, int], list[Clause]] = defaultdict(list)
    for each in clauses():
        lines[each.file, each.line].append(each)
    never, beside = [], []
    for each in clauses():
        found = broken(each, heard, lines[each.file, each.line])
        if not found:
            never.append(str(each))
        elif not any(one.alone() for one in found):
            beside.append(str(each))
    words = ["no planted entry breaks", *never, "found only where another entry is found, too", *beside]
    assert not never + beside, "\n".join(words)


def test_clauses_are_read_where_rules_give_reasons() -> None:
    found = clauses()
    assert {each.file for each in found} >= {"access", "people", "sessions", "standing", "proposals"}
    assert sum(not each.words for each in found) > 50
    assert any(str(each).endswith(": there was no account …") and each.answer for each in found)
