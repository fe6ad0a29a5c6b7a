"""Where the statements of a text end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.protocols.postgres.splitting import split

ATOMIC = "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        (" ;; -- nothing;\n; /* ; */", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';', ';''', \";\"\"\"; x", ["SELECT ';', ';''', \";\"\"\"", "x"]),
        (r"SELECT E'\';' ; y", [r"SELECT E'\';'", "y"]),
        (r"SELECT '\'; z", [r"SELECT '\'", "z"]),
        ("SELECT $$;$$, $a$;$b$;$a$; a$b$c; $1;", ["SELECT $$;$$, $a$;$b$;$a$", "a$b$c", "$1"]),
        ("SELECT 1 -- it's\n; b", ["SELECT 1 -- it's", "b"]),
        ("SELECT /* /* ; */ ; */ 1; c", ["SELECT /* /* ; */ ; */ 1", "c"]),
        (
            "-- of the first\nSELECT 1;\n-- of the second\nSELECT 2",
            ["-- of the first\nSELECT 1", "-- of the second\nSELECT 2"],
        ),
        (
            "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); d",
            ["CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "d"],
        ),
        ("SELECT 1); e", ["SELECT 1)", "e"]),
        (f"{ATOMIC}; f", [ATOMIC, "f"]),
        ("BEGIN; END; g", ["BEGIN", "END", "g"]),
        ("CREATE TABLE begin (a int); h", ["CREATE TABLE begin (a int)", "h"]),
        ("SELECT 'open; i", ["SELECT 'open; i"]),
        ('SELECT "open; i', ['SELECT "open; i']),
        (r"SELECT E'open\;", [r"SELECT E'open\;"]),
        ("SELECT E'open\\", ["SELECT E'open\\"]),
        ("SELECT $x$open; i", ["SELECT $x$open; i"]),
        ("SELECT /* open; i", ["SELECT /* open; i"]),
        ("SELECT 1e5; SELECT 'ä';ö", ["SELECT 1e5", "SELECT 'ä'", "ö"]),
    ],
)
def test_statements_end_where_psql_ends_them(text: str, parts: list[str]) -> None:
    found = list(split(text))
    assert [each.text for each in found] == parts
    assert all(text[each.start :].startswith(each.text) for each in found)


@given(st.text(alphabet="aeE'\"$;-/*()\\\n 1ä", max_size=60))
def test_whatever_the_text_its_parts_stand_in_it_one_after_the_other(text: str) -> None:
    end = 0
    for part in split(text):
        assert part.start >= end
        assert part.text
        end = part.start + len(part.text)
        assert text[part.start : end] == part.text


def test_a_long_text_is_split_in_one_walk() -> None:
    """Each of these made a splitter that looks back walk the text again and again."""
    for text in ("x '" + "'" * 200_000, "x /*" + "/*" * 100_000, "$a$" * 70_000, "(" * 200_000, "a;" * 100_000):
        assert sum(len(each.text) for each in split(text)) > 0
