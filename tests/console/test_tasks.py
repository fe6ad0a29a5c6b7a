"""The five commonest tasks of each of the five people, as their manuals name them; each is done by keyboard alone."""

import ast
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"

KEYBOARD, QUERY = "test_keyboard.py", "test_query.py"

TASKS = (
    ("engineer", "engineer.md", "the exact\ncommand to copy", KEYBOARD, "test_finds_a_resource_and_copies_its_command"),
    ("engineer", "engineer.md", "## Ask for access", KEYBOARD, "test_asks_for_access_and_sees_the_request"),
    ("engineer", "engineer.md", "show your factor, type the code", KEYBOARD, "test_confirms_the_terminal_that_waits"),
    ("engineer", "databases.md", "by a button, *Get a token*", KEYBOARD, "test_gets_a_token_for_a_database"),
    ("engineer", "databases.md", "Ctrl Enter runs what is selected", QUERY, "test_it_is_asked_by_keyboard_alone"),
    ("manager", "manager.md", "**undo** it with `u`", KEYBOARD, "test_reads_approves_and_undoes"),
    ("manager", "manager.md", "A comment is kept with the decision", KEYBOARD, "test_denies_with_words"),
    ("manager", "manager.md", "`/` narrows", KEYBOARD, "test_finds_one_of_many_that_wait"),
    ("manager", "manager.md", "## Statements that wait", QUERY, "test_it_is_asked_by_keyboard_alone"),
    ("manager", "manager.md", "*End access*", KEYBOARD, "test_ends_what_was_approved"),
    ("administrator", "administrator.md", "a one-use link", KEYBOARD, "test_adds_a_person_and_takes_their_link"),
    ("administrator", "administrator.md", "Disabling ends everything", KEYBOARD, "test_finds_a_person_and_locks_them"),
    ("administrator", "administrator.md", "## Who may do what", KEYBOARD, "test_proposes_a_change"),
    ("administrator", "administrator.md", "All that waits for you", KEYBOARD, "test_approves_a_provider"),
    ("administrator", "administrator.md", "keep it healthy", KEYBOARD, "test_looks_at_health"),
    ("security", "security.md", "*End session* on its page", KEYBOARD, "test_sees_what_is_live_and_ends_it"),
    ("security", "security.md", "## Look back", KEYBOARD, "test_opens_a_recording"),
    ("security", "security.md", "filter *refused*", KEYBOARD, "test_looks_up_a_refusal"),
    ("security", "security.md", "disable the person", KEYBOARD, "test_locks_a_person"),
    ("security", "databases.md", "lists the statements", KEYBOARD, "test_finds_a_statement"),
    ("auditor", "auditor.md", "**As of.**", KEYBOARD, "test_sees_a_page_as_it_was"),
    ("auditor", "auditor.md", "**Prove.**", KEYBOARD, "test_asks_why_and_takes_the_proof"),
    ("auditor", "auditor.md", "a sample of 25", KEYBOARD, "test_draws_a_sample_and_opens_what_was_drawn"),
    ("auditor", "auditor.md", "with the\n  recording", KEYBOARD, "test_opens_an_item_down_to_its_recording"),
    ("auditor", "auditor.md", "Draw an evidence pack", KEYBOARD, "test_picks_a_period_and_makes_a_pack"),
)
"""Who, in which manual by which words, and the test."""


def test_each_of_five_people_has_five() -> None:
    people = Counter(person for person, *_ in TASKS)
    assert people == dict.fromkeys(("engineer", "manager", "administrator", "security", "auditor"), 5)


@pytest.mark.parametrize(("manual", "words", "file", "name"), [each[1:] for each in TASKS])
def test_the_manual_names_it_and_a_test_does_it(manual: str, words: str, file: str, name: str) -> None:
    assert words in (DOCS / manual).read_text("utf-8")
    tree = ast.parse((HERE / file).read_text("utf-8"))
    assert name in {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
