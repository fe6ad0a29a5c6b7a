"""What makes no difference between two statements of a schema, and what does."""

from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.store.db import Db
from onepam.store.engine import damage as judging
from onepam.store.engine.damage import damage, folded
from onepam.store.engine.database import connect
from onepam.store.engine.schema import create

GUARD = "SELECT RAISE(ABORT, 'no  change') WHERE \"a b\" = 'it''s  so'"


@pytest.mark.parametrize("same", [GUARD.replace(" WHERE ", "\n\t WHERE  "), f" {GUARD}\r\n", GUARD.replace("(", "(")])
def test_white_space_outside_of_texts_makes_no_difference(same: str) -> None:
    assert folded(same) == folded(GUARD)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (GUARD, GUARD.replace("no  change", "no change")),
        (GUARD, GUARD.replace("it''s  so", "it''s\nso")),
        (GUARD, GUARD.replace("a b", "a  b")),
        (GUARD, GUARD.replace(" WHERE", "\u00a0WHERE")),
        ("CREATE VIEW v AS SELECT `a b`", "CREATE VIEW v AS SELECT `a  b`"),
        ("CREATE VIEW v AS SELECT [a b]", "CREATE VIEW v AS SELECT [a  b]"),
        ("SELECT 1 -- of a\nFROM b", "SELECT 1 -- of a FROM b"),
        ("SELECT 1 /* ' */ , 'a  b'", "SELECT 1 /* ' */ , 'a b'"),
        ("SELECT '--', 'a  b'", "SELECT '--', 'a b'"),
    ],
)
def test_white_space_that_says_something_makes_one(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(st.text(" \n\tab'\"", max_size=20))
def test_a_text_stays_as_it_is(text: str) -> None:
    quoted = "'" + text.replace("'", "''") + "'"
    assert quoted in folded(f"SELECT  {quoted}  FROM  a")


def test_a_trigger_that_differs_within_a_text_only_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = f"CREATE TRIGGER guard BEFORE DELETE ON person BEGIN {GUARD}; END".replace('"a b"', "old.person")

    def with_guard(db: Db) -> None:
        create(db)
        db.execute(guard)

    monkeypatch.setattr(judging, "create", with_guard)
    for sql, said in (
        (guard, False),
        (guard.replace(" BEGIN", "\n  BEGIN"), False),
        (guard.replace("no  ", "no "), True),
    ):
        with closing(connect(":memory:")) as db:
            create(db)
            db.execute(sql)
            assert ("database: the trigger guard is not as this release makes it" in damage(db)[0]) is said
