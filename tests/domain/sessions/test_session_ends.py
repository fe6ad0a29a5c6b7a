"""One list of why a session ended: each reason has its words, and whatever ends one is in it."""

import ast
from pathlib import Path

import pytest

import onepam
from onepam.domain.access import decision
from onepam.domain.sessions.ends import SessionEnd
from onepam.egress import egress

SOURCES = Path(onepam.__file__).parent
NOBODY_LISTENS = {SessionEnd.CLIENT_LEFT, SessionEnd.GATEWAY_DIED, SessionEnd.GATEWAY_UNAVAILABLE}


@pytest.mark.parametrize("end", SessionEnd)
def test_each_has_its_words(end: SessionEnd) -> None:
    assert end.words
    assert bool(end.told) is (end not in NOBODY_LISTENS)
    for words in (end.words, end.told):
        assert words == words.strip()
        assert not words.endswith(".")
    assert SessionEnd(end.value) is end


def test_a_code_finds_its_member_and_another_ends_the_session_all_the_same() -> None:
    assert SessionEnd.of("access.login", SessionEnd.ACCESS_TAKEN) is SessionEnd.ACCESS_LOGIN
    assert SessionEnd.of("access.of_tomorrow", SessionEnd.ACCESS_TAKEN) is SessionEnd.ACCESS_TAKEN


def refusals(path: Path) -> set[str]:
    """The codes of the refusals that a file makes."""
    calls = [each for each in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(each, ast.Call)]
    made = [each.args[0] for each in calls if isinstance(each.func, ast.Name) and each.func.id == "Refused"]
    return {each.value for each in made if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def test_whatever_ends_a_session_is_a_member() -> None:
    """The decision, asked again while a session runs, the address of a target, and what a dial finds."""
    files = [Path(decision.__file__), Path(egress.__file__)]
    dials = sorted((SOURCES / "protocols").glob("*/dial.py"))
    assert dials
    for each in (*files, *dials):
        codes = refusals(each)
        assert codes, each
        assert codes <= set(SessionEnd), each
