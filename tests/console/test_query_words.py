"""What a query page shows of what a database said."""

import pytest

from onepam.console.frame.rendering import environment
from onepam.console.sessions.query_words import MOST_WORDS, notice_of, result_of, took
from onepam.protocols.postgres.runner import Result
from onepam.protocols.postgres.said import MOST_VALUE_BYTES, Column, Notice, Value, Wrong
from onepam.protocols.postgres.splitting import Part

SELECT = Part("SELECT", 0)


def shown(*values: Value | None) -> str:
    """The body of the table that has this row."""
    columns = tuple(Column("c", False) for _ in values)
    one = result_of(Result(1, 1, SELECT, columns, (values,)), "SELECT")
    html = environment().get_template("parts/query.html").module.result_card(one)  # type: ignore[attr-defined]
    return str(html).partition("<tbody>")[2].partition("</tbody>")[0]


def test_a_value_is_shown_whole_with_the_blanks_around_it() -> None:
    assert shown(Value("  a "), Value(" "), Value(""), None) == (
        '<tr><td>  a </td><td> </td><td></td><td><span class="query-null">NULL</span></td></tr>'
    )
    longest = "x" * (MOST_VALUE_BYTES - 1) + "y"
    assert f"<pre>\n{longest}</pre></details>" in shown(Value(longest))
    assert "<pre>\n\n a\n</pre>" in shown(Value("\n a\n")), "a browser drops the first line end"
    assert "<small>7 B more were not kept</small>" in shown(Value("a", 7))


def test_words_are_bounded() -> None:
    told = notice_of(Notice("NOTICE", "w" * 9_999, "d" * 9_999, "h" * 9_999), "")
    assert {len(told[each]) for each in ("words", "detail", "hint")} == {MOST_WORDS}


@pytest.mark.parametrize(
    ("words", "link"),
    [
        ("go to https://pam.example/confirm/cnf_a1 now", "/confirm/cnf_a1"),
        ("go to https://evil.example/confirm/cnf_a1 now", ""),
        ("go to https://pam.example.evil/confirm/cnf_a1", ""),
        ("https://pam.example/sessions/cnf_a1", ""),
    ],
)
def test_a_link_leads_to_a_confirmation_here_alone(words: str, link: str) -> None:
    assert notice_of(Notice("NOTICE", words), "https://pam.example")["link"] == link
    assert notice_of(Notice("NOTICE", words), "")["link"] == ""


@pytest.mark.parametrize(
    ("text", "start", "position", "place"),
    [
        ("SELECT x", 0, 8, (1, 8, "SELECT ", "x", "")),
        ("SELECT 1;\nSELECT\n  x, 2", 10, 10, (3, 3, "  ", "x", ", 2")),
        ("SELECT", 0, 7, (1, 7, "SELECT", " ", "")),
        ("SELECT", 0, 8, (0, 0, "", "", "")),
        ("SELECT", 0, 0, (0, 0, "", "", "")),
    ],
)
def test_where_a_statement_is_wrong(text: str, start: int, position: int, place: tuple[object, ...]) -> None:
    wrong = Wrong("42703", "no", position=position)
    said = result_of(Result(1, 1, Part(text[start:], start), wrong=wrong), text)["wrong"]
    assert tuple(said[each] for each in ("line", "column", "before", "at", "after")) == place


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0001, "1 ms"), (0.25, "250 ms"), (3.42, "3.4 s"), (125.9, "2 min 5 s")]
)
def test_how_long_it_took(seconds: float, words: str) -> None:
    assert took(seconds) == words
