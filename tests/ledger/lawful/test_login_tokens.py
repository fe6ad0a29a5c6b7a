"""Rules of login tokens: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.sessions.events import (
    EntryPoint,
    SessionOpened,
)
from onepam.domain.sessions.login_tokens import LoginTokenIssued, LoginTokenUsed
from onepam.kernel.clock import HOUR, MINUTE, Instant
from tests.ledger.lawful.story import Story
from tests.ledger.lawful.test_databases import ready, session

SIGN_IN = "no such sign-in of the person ran behind it"
WITHOUT = "no login token let it in"


def issued(told: Story, **other: Any) -> LoginTokenIssued:
    """Eve's, for dev-1."""
    token = LoginTokenIssued("tok_1", "eve", "dev-1", "app", "sgn_eve", Instant(told.at() + 10 * MINUTE))
    return replace(token, **other)


def by_token(told: Story, name: str = "ses_1", **other: Any) -> tuple[SessionOpened, LoginTokenUsed]:
    """Eve's session by it, and that it served."""
    opened = session(told, session=name, entry=EntryPoint.POSTGRES_TOKEN, **other)
    return opened, LoginTokenUsed("tok_1", name, opened.ends)


def test_a_token_opens_several_sessions_until_the_end_of_the_first() -> None:
    told = ready()
    shown = told.rows[-1].time
    told.add(issued(told))
    first, used = by_token(told, shown=shown)
    told.add(first, used)
    told.wait(30 * MINUTE)
    second, again = by_token(told, "ses_2", shown=shown, ends=first.ends)
    told.add(second, replace(again, ends=first.ends))
    assert told.said() == []


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"resource": "web-1"}, "there was no database web-1"),
        ({"resource": "none"}, "there was no database none"),
        ({"login": "ops"}, "the roles of eve gave no login ops there"),
        ({"person": "max"}, "the roles of max gave no login app there|SIGN_IN"),
        ({"sign_in": "sgn_max"}, "SIGN_IN"),
        ({"sign_in": "none"}, "SIGN_IN"),
        ({"person": "joe"}, "joe was not signed in|the roles of joe gave no login app there|SIGN_IN"),
    ],
)
def test_who_gets_a_token(other: dict[str, Any], why: str) -> None:
    told = ready()
    at = told.add(issued(told, **other))
    assert told.said() == [(at, each) for each in why.replace("SIGN_IN", SIGN_IN).split("|")]


def test_a_token_waits_ten_minutes_and_is_one() -> None:
    told = ready()
    at = told.add(issued(told, expires=Instant(told.at() + 10 * MINUTE + 1)))
    assert told.said() == [(at, "it waits longer than ten minutes")]
    told = ready()
    told.add(issued(told))
    at = told.add(issued(told))
    assert told.said() == [(at, "there was such a token already")]
    told.wait(11 * MINUTE)
    told.add(issued(told, token="tok_2"))
    again = told.add(issued(told))
    assert told.said() == [(each, "there was such a token already") for each in (at, again)]


def test_a_session_by_a_token_names_one() -> None:
    told = ready()
    at = told.add(by_token(told)[0])
    assert told.said() == [(at, WITHOUT)]


@pytest.mark.parametrize("after", [10 * MINUTE, None])
def test_a_token_serves_in_its_time(after: int | None) -> None:
    told = ready()
    shown = told.rows[-1].time
    if after is not None:
        told.add(issued(told))
        told.wait(after)
    opened, used = by_token(told, shown=shown)
    at = told.add(replace(opened, entry=EntryPoint.POSTGRES_CERTIFICATE), used)
    assert told.said() == [(at + 1, "no such token had been issued, or its time was over")]


def test_a_token_opens_the_session_that_it_names() -> None:
    told = ready()
    told.add(issued(told))
    at = told.add(LoginTokenUsed("tok_1", "ses_9", Instant(told.at() + HOUR)))
    assert told.said() == [(at, "no such session was opened")]
    told = ready()
    shown = told.rows[-1].time
    told.add(issued(told))
    opened, used = by_token(told, shown=shown)
    told.add(replace(opened, entry=EntryPoint.POSTGRES_CERTIFICATE))
    at = told.add(used)
    assert told.said() == [(at, "no such session was opened")]


def test_a_token_is_for_one_login_under_one_sign_in() -> None:
    told = ready()
    shown = told.rows[-1].time
    told.add(issued(told))
    at = told.add(*by_token(told, shown=shown, login="root"))
    assert told.said() == [(at + 1, "it was for something else")]
    told = ready()
    other = told.sign_in("eve", "sgn_other")
    shown = told.rows[-1].time
    told.add(issued(told))
    opened, used = by_token(told, shown=shown)
    at = told.add(replace(opened, mfa=replace(opened.mfa, session=other)), used)
    assert told.said() == [(at + 1, "the session was opened under another sign-in than the token")]


def test_what_its_first_use_said_holds() -> None:
    told = ready()
    shown = told.rows[-1].time
    told.add(issued(told))
    first, used = by_token(told, shown=shown)
    told.add(first, used)
    second, again = by_token(told, "ses_2", shown=shown)
    at = told.add(second, again)
    assert told.said() == [(at + 1, "its end had been fixed by its first use")]
    told = ready()
    shown = told.rows[-1].time
    told.add(issued(told))
    first, used = by_token(told, shown=shown, ends=Instant(told.at() + HOUR))
    told.add(first, used)
    second, again = by_token(told, "ses_2", shown=shown, ends=Instant(first.ends + 1))
    at = told.add(second, replace(again, ends=first.ends))
    assert told.said() == [(at + 1, "the session outlives the token")]


@pytest.mark.claim
@pytest.mark.parametrize("other", [-1, 1, 7 * HOUR])
def test_the_end_of_a_token_is_that_of_the_first_session_that_it_opened(other: int) -> None:
    told = ready()
    shown = told.rows[-1].time
    told.add(issued(told))
    first, used = by_token(told, shown=shown)
    at = told.add(first, replace(used, ends=Instant(first.ends + other)))
    assert told.said() == [(at + 1, "its first use gave it another end than that of the session")]
