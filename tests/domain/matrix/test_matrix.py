"""Whom a binding gives its role, and what it is called."""

from dataclasses import replace

from onepam.domain.access.model import SubjectKind
from onepam.domain.matrix.matrix import binding_id
from tests.domain.matrices import BASE, bind


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
