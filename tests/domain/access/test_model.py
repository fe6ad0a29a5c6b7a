"""Permissions: what a selector covers, which logins it admits, what is privileged."""

from dataclasses import fields, replace
from typing import Any

from onepam.domain.access.guardrails import Guardrails
from onepam.domain.access.model import Substance
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
    ]  # fmt: skip
    assert {name for each in changes for name in each} == {field.name for field in fields(Substance)}
    digests = {replace(ASKED, **each).digest() for each in changes}
    assert len(digests | {ASKED.digest()}) == len(changes) + 1
