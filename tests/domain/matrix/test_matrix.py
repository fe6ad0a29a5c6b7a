"""Whom a binding gives its role, and what it is called."""

from dataclasses import replace

from onepam.domain.access.asked import Asking
from onepam.domain.access.model import SubjectKind
from onepam.domain.matrix.matrix import RoleDefinition, binding_id
from tests.domain import given
from tests.domain.matrices import BASE, DEV, bind, matrix


def test_a_binding_gives_its_role_to_its_person_or_to_the_members_of_its_group() -> None:
    company = replace(BASE, groups={"team": {"max": "access.yaml"}})
    team = bind("dev", "team", SubjectKind.GROUP)
    assert [company.gives(bind("dev", "eve"), each) for each in ("eve", "max")] == [True, False]
    assert [company.gives(team, each) for each in ("eve", "max", "team")] == [False, True, False]
    assert not company.gives(bind("dev", "nobody", SubjectKind.GROUP), "max")
    assert not company.gives(bind("dev", "team"), "max")


def test_a_role_that_does_not_exist_is_given_to_nobody() -> None:
    company = replace(BASE, groups={"team": {"max": "access.yaml"}})
    assert not company.gives(bind("gone", "eve"), "eve")
    assert not company.gives(bind("gone", "team", SubjectKind.GROUP), "max")


def test_a_binding_is_called_the_same_for_ever() -> None:
    assert binding_id("dev", SubjectKind.PERSON, "eve") == "bnd_6g7ennegjua3or23"


def test_what_is_withheld_from_somebody_nothing_gives_them() -> None:
    team = bind("dev", "team", SubjectKind.GROUP)
    made = matrix(DEV, bind("dev", "eve"), team, groups={"team": {"eve": "x", "max": "x"}})
    taken = replace(made, withheld=frozenset({("eve", "dev"), ("max", "lead")}))
    own = bind("dev", "eve")
    assert (made.gives(own, "eve"), made.members(own), made.members(team)) == (True, ("eve",), ("eve", "max"))
    assert (taken.gives(own, "eve"), taken.members(own), taken.members(team)) == (False, (), ("max",))
    assert taken.gives(team, "max")
    assert made.digest() != taken.digest()


def test_a_role_that_is_asked_for_plainly_keeps_the_version_that_it_always_had() -> None:
    plainly = RoleDefinition("web", "the web", "ada", (), (given.PROD, given.DEV))
    assert plainly.version() == "2e125c838ab335e5e0c6850a666e4070fa1f5eeeafb3bee2f74b6283a7deed43"
    asked = replace(plainly, permissions=(replace(given.PROD, asking=Asking(approvals=2)), given.DEV))
    assert asked.version() != plainly.version()
