"""Permissions: what a selector covers, which logins it admits, what is privileged."""

from dataclasses import fields, replace
from typing import Any

from onepam.domain.access.asked import Asking, Unasked
from onepam.domain.access.earlier import Asking1, Guardrails1, Permission1, Permission2, RoleSet1, RoleSet2
from onepam.domain.access.events import RoleSet
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.hours import Schedule
from onepam.domain.access.model import ConsoleRight, Substance
from onepam.domain.history.event import newest
from onepam.domain.matrix.matrix import RoleDefinition
from onepam.kernel.clock import HOUR
from tests.domain.given import ASKED, DEV, NOW, PROD


def test_a_selector_covers_what_carries_all_its_labels() -> None:
    both = replace(PROD, where={"env": "prod", "app": "web"})
    assert both.covers({"env": "prod", "app": "web", "team": "x"})
    assert not both.covers({"env": "prod"})
    assert not both.covers({"env": "prod", "app": "db"})
    assert not replace(PROD, where={}).covers({"env": "prod"})


def test_a_login_is_the_resources_and_the_permissions() -> None:
    assert PROD.admits("root", ("app", "root"))
    assert not PROD.admits("root", ("app",))
    assert not PROD.admits("db", ("db",))
    assert DEV.admits("db", ("db",))
    assert not DEV.admits("*", ("db",))


def test_administrative_or_production_is_privileged() -> None:
    assert PROD.privileged({"env": "prod"})
    assert not PROD.privileged({"env": "dev"})
    assert replace(DEV, administrative=True).privileged({})


def test_a_digest_covers_every_field_of_the_substance() -> None:
    changes: list[dict[str, Any]] = [
        {"person": "x"}, {"resource": "x"}, {"login": "x"}, {"role": "x"}, {"role_version": "x"}, {"permission": "x"},
        {"actions": ()}, {"duration": 1}, {"guardrails": Guardrails(())},
        {"schedule": Schedule()},
    ]  # fmt: skip
    assert {name for each in changes for name in each} == {field.name for field in fields(Substance)}
    digests = {replace(ASKED, **each).digest() for each in changes}
    assert len(digests | {ASKED.digest()}) == len(changes) + 1


GUARDED = Guardrails((StatementClass.READ,), 7, 8)
GUARDED_1 = Guardrails1((StatementClass.READ,), 7, 8)
ROLE = RoleSet("web", "v1", "the web", "ada", (), (ConsoleRight.AUDIT,), "chg_1", "eve")


def older(record: type[Any], new: Any, **others: Any) -> Any:
    """A record of an earlier version, that says what the new one does."""
    return record(**{each.name: getattr(new, each.name) for each in fields(record)} | others)


def test_what_was_on_request_before_was_asked_for_plainly() -> None:
    guarded = older(Permission1, PROD, guardrails=GUARDED_1)
    old = older(RoleSet1, ROLE, permissions=(older(Permission1, PROD), guarded))
    assert newest(old) == replace(ROLE, permissions=(PROD, replace(PROD, guardrails=GUARDED)))


def test_a_role_of_version_2_says_nothing_of_bytes_and_of_what_is_had_without_a_yes() -> None:
    asking = Asking("^OPS-", True, 1, 2, 3, 4, ("lead",))
    said = older(Permission2, PROD, guardrails=GUARDED_1, asking=older(Asking1, asking))
    old = older(RoleSet2, ROLE, permissions=(older(Permission2, PROD), said))
    assert newest(old) == replace(ROLE, permissions=(PROD, replace(PROD, guardrails=GUARDED, asking=asking)))
    assert (asking.first_use, asking.unasked, GUARDED.bytes, GUARDED.wait) == (False, None, None, None)


def test_a_role_keeps_its_version() -> None:
    asked = replace(PROD, asking=Asking(ticket="^OPS-", then=("lead",)), guardrails=GUARDED)
    role = RoleDefinition("web", "the web", "ada", (ConsoleRight.AUDIT,), (PROD, asked))
    assert role.version() == "336e3a9fbad7e91bbb3644b201193e4da352925154a916bb15b1908769540a2b"
    others = (
        replace(asked, asking=replace(asked.asks, first_use=True)),
        replace(asked, asking=replace(asked.asks, unasked=Unasked(HOUR, 3))),
        replace(asked, guardrails=replace(GUARDED, bytes=1)),
        replace(asked, guardrails=replace(GUARDED, wait=1)),
    )
    assert len({replace(role, permissions=(PROD, each)).version() for each in (asked, *others)}) == 1 + len(others)


def test_a_request_keeps_its_digest() -> None:
    asked = replace(ASKED, guardrails=GUARDED, schedule=Schedule(begins=NOW))
    assert asked.digest() == "a4d47b50ddcdd6a5c40af67885da254839b7c2fbcb441878a6d0c50f9b03038c"
    others = (
        replace(asked, guardrails=replace(GUARDED, bytes=1)),
        replace(asked, guardrails=replace(GUARDED, wait=1)),
        replace(asked, schedule=Schedule(begins=NOW, until=NOW)),
    )
    assert len({each.digest() for each in (asked, *others)}) == 1 + len(others)
