"""A role given or taken in the text of access.yaml: that binding, and nothing else of what somebody wrote."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.access.model import SubjectKind
from onepam.domain.matrix.editing import RoleEdit, edited
from onepam.domain.matrix.file import read_access
from onepam.domain.matrix.matrix import BindingDefinition, Matrix, binding_id
from onepam.kernel.clock import DAY, HOUR, Instant, moment
from onepam.kernel.errors import Refused
from tests.domain.small_company import FILE, NOW

END = Instant((NOW // DAY + 9) * DAY)
LAST = (moment(END) - timedelta(days=1)).date().isoformat()
GIVES = RoleEdit("vic@example.com", "dev", True, None, "Joins: the shop")
TAKES = RoleEdit("ada@example.com", "admin", False)

HEAD = FILE[: FILE.index("bindings:\n")]
ADA = "{role: admin, person: ada@example.com, because: x}"
BOB = "{role: admin, person: bob@example.com, because: y}"
BLOCK = """\
bindings:  # who: what
  # those who found it
  - role: admin
    person: Ada@example.com  # the first
    because: >
      founded
      it

  # and her deputy
  - {role: admin, person: bob@example.com, because: y}  # the second
# the end
"""


def matrix(text: str) -> Matrix:
    wanted = read_access(text).wanted
    assert wanted is not None
    return wanted


def bound(text: str) -> set[tuple[str, str, Instant | None, str]]:
    return {(each.role, each.subject, each.ends, each.because) for each in matrix(text).bindings.values()}


def test_a_role_is_given_behind_the_last_binding_and_the_rest_stays_as_it_is() -> None:
    made = edited(FILE, replace(GIVES, ends=END))
    assert isinstance(made, str)
    added = [line for line in made.splitlines() if line not in FILE.splitlines()]
    assert added == [f'  - {{role: dev, person: "vic@example.com", ends: {LAST}, because: "Joins: the shop"}}']
    assert made.replace(added[0] + "\n", "") == FILE
    assert bound(made) - bound(FILE) == {("dev", "vic@example.com", END, "Joins: the shop")}


def test_an_end_within_a_day_is_an_exact_time() -> None:
    ends = Instant(END + HOUR)
    made = edited(FILE, replace(GIVES, ends=ends))
    assert isinstance(made, str)
    assert ("dev", "vic@example.com", ends, "Joins: the shop") in bound(made)


def test_a_role_is_taken_with_its_line_and_the_comments_around_stay() -> None:
    made = edited(HEAD + BLOCK, TAKES)
    assert made == HEAD + BLOCK.replace(BLOCK[BLOCK.index("  - role") : BLOCK.index("\n  # and her")], "")
    assert isinstance(made, str)
    assert "# those who found it" in made
    second = edited(HEAD + BLOCK, replace(TAKES, email="bob@example.com"))
    assert isinstance(second, str)
    assert "# and her deputy" in second
    assert "# the second" not in second
    assert second.endswith("# the end\n")


@pytest.mark.parametrize(
    "bindings",
    [
        f"bindings:\n  - {ADA}\n  - {BOB}\n",
        f"bindings:\n- {ADA}\n- {BOB}",
        f"bindings: [{ADA}, {BOB}]\n",
        f"bindings: [\n  {ADA},  # the first\n  {BOB}\n]\n",
        f"bindings:\n  - {BOB}\n  - {ADA}\n",
        f"bindings: [{BOB}, {ADA}]\n",
        f"bindings: # a comment: with a colon\n  - {ADA}\n",
        f"bindings: [{ADA}]\n",
        BLOCK,
        BLOCK.replace("\n", "\r\n"),
    ],
)
@pytest.mark.parametrize("after", ["", "# the end\n"])
def test_every_way_to_write_the_list(bindings: str, after: str) -> None:
    text = f"{HEAD}{bindings}" + (after if bindings.endswith("\n") else "")
    taken = edited(text, TAKES)
    assert isinstance(taken, str), taken
    assert {each[:2] for each in bound(text) - bound(taken)} == {("admin", "ada@example.com")}
    assert bound(taken) < bound(text)
    back = edited(taken, RoleEdit("ada@example.com", "admin", True, None, "again"))
    assert isinstance(back, str), back
    assert bound(back) - bound(taken) == {("admin", "ada@example.com", None, "again")}
    other = edited(back, RoleEdit("ada@example.com", "admin", True, END, "for a while"))
    assert isinstance(other, str), other
    assert bound(other) - bound(taken) == {("admin", "ada@example.com", END, "for a while")}
    assert edited(other, RoleEdit("ADA@example.com", "admin", True, END, " for a  while ")) == other


def test_a_file_without_bindings_gets_the_section() -> None:
    made = edited(HEAD.rstrip("\n"), GIVES)
    assert isinstance(made, str)
    assert bound(made) == {("dev", "vic@example.com", None, "Joins: the shop")}
    empty = edited(f"{HEAD}bindings: []\n# the end\n", GIVES)
    assert isinstance(empty, str)
    assert bound(empty) == bound(made)
    assert empty.endswith("# the end\n")


@pytest.mark.parametrize(
    ("text", "edit", "code"),
    [
        ("", GIVES, "access.unreadable"),
        ("version: 9", GIVES, "access.unreadable"),
        (FILE, replace(GIVES, role="pilot"), "role.unknown"),
        (FILE, replace(GIVES, email=""), "person.no_address"),
        (FILE, replace(GIVES, because=""), "role.reason"),
        (FILE, replace(GIVES, because="x" * 301), "role.reason"),
        (FILE, replace(GIVES, because="  "), "access.by_hand"),
        (FILE, replace(GIVES, email="no address"), "access.by_hand"),
        (FILE, replace(TAKES, role="dev"), "role.not_held"),
        (FILE, replace(TAKES, role="pilot"), "role.not_held"),
        ("{version: 1, roles: {dev: {purpose: x, owner: a@b.c, console: [audit]}}}", GIVES, "access.by_hand"),
        (f"{HEAD}bindings:\n  -\n    {ADA}\n", GIVES, "access.by_hand"),
        (f'{HEAD}"bindings" :\n  -\n    {ADA}\n  - {BOB}\n', TAKES, "access.by_hand"),
    ],
)
def test_what_cannot_be_is_refused(text: str, edit: RoleEdit, code: str) -> None:
    found = edited(text, edit)
    assert isinstance(found, Refused), found
    assert found.code == code


WORDS = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=("Cc", "Cf", "Cs")), min_size=1
)


@given(because=WORDS.filter(lambda text: len(" ".join(text.split())) > 0 and len(text) < 200), indent=st.integers(0, 4))
def test_whatever_the_reason_it_is_what_the_file_says_then_and_nothing_more(because: str, indent: int) -> None:
    text = f"{HEAD}bindings:\n{' ' * indent}- {ADA}\n"
    made = edited(text, replace(GIVES, because=because))
    if isinstance(made, Refused):
        assert made.code == "access.by_hand"
        return
    key = binding_id("dev", SubjectKind.PERSON, "vic@example.com")
    said = BindingDefinition(key, "dev", SubjectKind.PERSON, "vic@example.com", None, " ".join(because.split()))
    assert matrix(made) == replace(matrix(text), bindings={**matrix(text).bindings, key: said})
    assert edited(made, RoleEdit("vic@example.com", "dev", False)) == text
