"""Login tokens: who is given one, and when it admits."""

from dataclasses import replace

import pytest

from onepam.domain.access.model import Action, Mode, ResourceKind
from onepam.domain.history.commit import Decided
from onepam.domain.sessions.login_tokens import (
    FIRST_USE,
    INVALID,
    MOST_LIVE,
    MOST_WAITING,
    Issue,
    Issued,
    IssueFacts,
    LoginTokenIssued,
    TokenFacts,
    admits,
    issue,
)
from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ENGINEER, LATER, NOW, PROD, WEB, access, present

QUERY = replace(PROD, actions=(Action.QUERY,), mode=Mode.STANDING)
DATABASE = replace(WEB, kind=ResourceKind.POSTGRES)
FACTS = IssueFacts(
    present("eve"), replace(access(replace(ENGINEER, permissions=(QUERY,))), resource=DATABASE), MOST_WAITING - 1
)
WANTED = Issue("tok_1", "web-1", "root", "d", "192.0.2.1")
TOKEN = TokenFacts("eve", "web-1", "root", "sgn_eve", "192.0.2.1", Instant(NOW + 1), None, MOST_LIVE - 1)


def test_a_token_is_issued_for_what_is_open() -> None:
    made = issue(FACTS, "sgn_eve", WANTED, NOW)
    expires = Instant(NOW + FIRST_USE)
    assert made == Decided(
        (LoginTokenIssued("tok_1", "eve", "web-1", "root", "sgn_eve", expires, "d", "192.0.2.1"),),
        Issued(expires, ResourceKind.POSTGRES),
    )


def test_a_token_does_not_outlive_the_sign_in() -> None:
    actor = replace(FACTS.actor, signed_in_until=Instant(NOW + MINUTE))
    made = issue(replace(FACTS, actor=actor), "sgn_eve", WANTED, NOW)
    assert isinstance(made, Decided)
    assert made.result.expires == NOW + MINUTE


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(FACTS, actor=replace(FACTS.actor, enabled=False)), "person.disabled"),
        (replace(FACTS, access=access()), "access.needs_approval"),
        (replace(FACTS, access=replace(FACTS.access, resource=None)), "resource.unknown"),
        (
            replace(FACTS, access=access(replace(ENGINEER, permissions=(replace(PROD, mode=Mode.STANDING),)))),
            "login_token.kind",
        ),
        (replace(FACTS, waiting=MOST_WAITING), "login_token.many"),
    ],
)
def test_who_gets_none(facts: IssueFacts, code: str) -> None:
    refused = issue(facts, "sgn_eve", WANTED, NOW)
    assert isinstance(refused, Refused)
    assert refused.code == code


def asked(token: TokenFacts | None, *, person: str = "eve", target: str = "web-1", login: str = "root") -> str:
    refused = admits(token, person, target, login, "192.0.2.1", NOW)
    return refused.code if refused is not None else ""


def test_a_token_admits_in_its_time() -> None:
    assert asked(TOKEN) == ""
    assert asked(replace(TOKEN, expires=NOW)) == INVALID.code
    used = replace(TOKEN, expires=NOW, ends=Instant(NOW + 1))
    assert asked(used) == ""
    assert asked(replace(used, expires=LATER, ends=NOW)) == INVALID.code


def test_a_token_admits_one_person_to_one_login_from_one_address() -> None:
    assert asked(None) == INVALID.code
    assert asked(TOKEN, person="max") == INVALID.code
    assert asked(TOKEN, target="web-2") == INVALID.code
    assert asked(TOKEN, login="app") == INVALID.code
    assert asked(replace(TOKEN, source="192.0.2.2")) == INVALID.code
    assert asked(replace(TOKEN, source=None)) == INVALID.code


def test_so_many_connections_at_a_time() -> None:
    assert asked(replace(TOKEN, live=MOST_LIVE)) == "login_token.busy"
