"""Designed and actual: each way in which they differ, and nothing where they agree."""

from dataclasses import replace

import pytest

from onepam.domain.access.decision import HeldGrant
from onepam.domain.access.separation import Separation
from onepam.domain.matrix.difference import GIVES_MORE, REVIEWED_WITHIN, Actual, Differs, Found, difference
from onepam.domain.matrix.matrix import Matrix
from onepam.kernel.clock import HOUR, Instant
from tests.domain.small_company import FILE, NOW, PEOPLE, base, substance

DESIGNED = base()
ROLES = dict.fromkeys(DESIGNED.roles, NOW)
ACTUAL = Actual(DESIGNED, PEOPLE, (), ROLES, ROLES)
EVES = next(each for each in DESIGNED.bindings.values() if each.role == "dev")
BOBS = next(each for each in DESIGNED.bindings.values() if each.subject == "bob")


def found(matrix: Matrix = DESIGNED, designed: Matrix | None = DESIGNED) -> tuple[Found, ...]:
    return difference(designed, replace(ACTUAL, matrix=matrix), NOW)


def test_where_they_agree_nothing_is_found() -> None:
    assert found() == found(designed=None) == ()
    assert all(each.words for each in Differs)
    assert Differs.WITHHELD not in GIVES_MORE


@pytest.mark.parametrize(
    ("matrix", "differs"),
    [
        (replace(DESIGNED, roles={**DESIGNED.roles, "more": replace(DESIGNED.roles["lead"], role="more")}),
         [Found(Differs.UNDECLARED, "more", detail="the role"), Found(Differs.NOBODY, "more")]),
        (replace(DESIGNED, roles={**DESIGNED.roles, "lead": replace(DESIGNED.roles["lead"], console=())}),
         [Found(Differs.OTHERWISE, "lead", detail="the role")]),
        (replace(DESIGNED, resources={**DESIGNED.resources, "x": replace(DESIGNED.resources["web"], resource="x")}),
         [Found(Differs.UNDECLARED, resource="x", detail="the resource")]),
        (replace(DESIGNED, separations={"s": Separation("s", ("lead", "admin"), "x")}),
         [Found(Differs.UNDECLARED, detail="the separation s")]),
        (replace(DESIGNED, groups={"engineers": {"eve": "access.yaml", "max": "access.yaml", "bob": "scim:okta"}}),
         [Found(Differs.UNDECLARED, person="max", detail="a member of engineers")]),
        (replace(DESIGNED, bindings={**DESIGNED.bindings, "b": replace(BOBS, binding="b", source="recover-access")}),
         [Found(Differs.UNDECLARED, "admin", "bob", detail="given by name, by recover-access")]),
        (replace(DESIGNED, bindings={**DESIGNED.bindings, "b": replace(EVES, binding="b", subject="others")}),
         [Found(Differs.UNDECLARED, "dev", detail="given to the group others, by access.yaml")]),
        (replace(DESIGNED, bindings={**DESIGNED.bindings, "b": replace(EVES, binding="b", role="gone")}), []),
        (replace(DESIGNED, withheld=frozenset({("max", "lead"), ("zoe", "lead"), ("max", "gone")})),
         [Found(Differs.WITHHELD, "lead", "max"), Found(Differs.NOBODY, "lead")]),
        (replace(DESIGNED, groups={}), [Found(Differs.NOBODY, "dev")]),
        (replace(DESIGNED, resources={}),
         [Found(Differs.OTHERWISE, resource="web", detail="the resource"),
          Found(Differs.NOTHING, "dev", detail="prod")]),
    ],
)  # fmt: skip
def test_each_way_to_differ_is_found(matrix: Matrix, differs: list[Found]) -> None:
    assert list(found(matrix)) == differs


def test_without_the_text_what_other_sources_gave_is_found_all_the_same() -> None:
    more = replace(DESIGNED, bindings={**DESIGNED.bindings, "b": replace(BOBS, binding="b", source="recover-access")})
    assert [each.differs for each in found(more, None)] == [Differs.UNDECLARED]


def test_who_is_not_here_holds_nothing_though_the_file_says_so() -> None:
    gone = tuple(replace(each, enabled=each.person not in ("bob", "max")) for each in PEOPLE)
    ended = replace(BOBS, ends=NOW)
    matrix = replace(DESIGNED, bindings={**DESIGNED.bindings, BOBS.binding: ended})
    told = difference(matrix, replace(ACTUAL, matrix=matrix, people=gone), NOW)
    assert told == (
        Found(Differs.ABSENT, "admin", "bob", detail="the binding has ended, too"),
        Found(Differs.ABSENT, "lead", "max"),
        Found(Differs.NOBODY, "lead"),
    )


def test_roles_that_are_kept_apart_and_held_together_are_found_of_who_is_here() -> None:
    apart = "separate:\n  s: {roles: [lead, dev], because: x}\n"
    both = base(FILE + "  - {role: lead, group: engineers, because: leads too}\n" + apart)
    assert difference(both, replace(ACTUAL, matrix=both), NOW) == (
        Found(Differs.APART, person="eve", detail="dev and lead (s)"),
    )
    gone = tuple(each for each in PEOPLE if each.person != "eve")
    assert Differs.APART not in {
        each.differs for each in difference(both, replace(ACTUAL, matrix=both, people=gone), NOW)
    }


@pytest.mark.parametrize(
    ("binding", "permission", "beyond"),
    [(EVES.binding, "prod", False), ("bnd_gone", "prod", True), (EVES.binding, "gone", True)],
)
def test_a_grant_that_rests_on_nothing_is_found(binding: str, permission: str, beyond: bool) -> None:
    asked = substance(permission=permission)
    grant = HeldGrant("grt", "req", asked, binding, "max", NOW, Instant(NOW + HOUR))
    told = difference(DESIGNED, replace(ACTUAL, grants=(grant, replace(grant, ends=NOW))), NOW)
    assert told == ((Found(Differs.BEYOND, "dev", "eve", "web", "a grant as app"),) if beyond else ())


def test_a_role_has_an_owner_who_is_here_and_a_review_within_a_year() -> None:
    gone = tuple(each for each in PEOPLE if each.person != "ada")
    told = difference(DESIGNED, replace(ACTUAL, people=gone), NOW)
    assert [each.role for each in told if each.differs is Differs.OWNER] == ["admin", "dev", "lead"]
    year = Instant(NOW - REVIEWED_WITHIN)
    old = replace(ACTUAL, since=dict.fromkeys(ROLES, year), reviewed={"admin": NOW, "dev": Instant(year + 1)})
    assert [(each.differs, each.role) for each in difference(DESIGNED, old, NOW)] == [(Differs.UNREVIEWED, "lead")]
