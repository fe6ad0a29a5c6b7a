"""Permissions: what a selector covers, which logins it admits, what is privileged."""

from dataclasses import fields, replace
from typing import Any

from onepam.domain.access.guardrails import Guardrails
from onepam.domain.access.hours import Schedule
from onepam.domain.access.model import Permission1, RoleSet, RoleSet1, Substance
from onepam.domain.history.event import newest
from tests.domain.given import ASKED, DEV, PROD


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


def test_what_was_on_request_before_was_asked_for_plainly() -> None:
    values = {each.name: getattr(PROD, each.name) for each in fields(Permission1)}
    old = RoleSet1("web", "v1", "the web", "ada", (Permission1(**values),), (), "chg_1", None)
    read = newest(old)
    assert isinstance(read, RoleSet)
    assert read.permissions == (PROD,)
    assert {name: getattr(read, name) for name in old.__slots__ if name != "permissions"} == {
        name: getattr(old, name) for name in old.__slots__ if name != "permissions"
    }
