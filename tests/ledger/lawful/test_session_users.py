"""Rules of users that are made for sessions: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.events import ResourceSet
from onepam.domain.access.model import ResourceKind
from onepam.domain.access.session_users import SessionUsers
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed, SessionFailed
from onepam.domain.sessions.session_users import LeftBecause, SessionUserDropped, SessionUserLeft, SessionUserMade
from onepam.domain.sessions.target_secrets import SecretProven, SecretRetired, SecretSet, SecretUsed
from onepam.kernel.clock import HOUR, MINUTE, SECOND, Instant
from tests.ledger.lawful.story import Story, resource_set
from tests.ledger.lawful.test_databases import ROLE, session

USERS = SessionUsers("owner", {"app": "readers"})
DATABASE: ResourceSet = replace(
    resource_set("dev-1", {"env": "dev"}), kind=ResourceKind.POSTGRES, port=5432, session_users=USERS
)
SET = SecretSet("sec_1", 1, "dev-1", "owner", "ada")
DROPPED = SessionUserDropped("onepam_1", "ses_1", "dev-1")
LEFT = SessionUserLeft("onepam_1", "ses_1", "dev-1", LeftBecause.KEPT)
LEFT_BEHIND = 20
UNTOLD = "one of an earlier session was neither dropped nor said to be left behind"


def ready(*more: object) -> Story:
    """dev-1 makes a user for each session of app, and not of root; the vault has the secret of whom makes it; eve's
    session is open."""
    told = Story().ready("ada", "max")
    told.change("chg_9", "ada", DATABASE, ROLE)
    told.sign_in("ada")
    told.add(SET)
    told.add(SecretProven("sec_1", 1))
    for each in more:
        told.add(each)
    told.sign_in("eve", "sgn_eve")
    told.add(session(told))
    return told


def made(told: Story, **other: Any) -> SessionUserMade:
    values: dict[str, Any] = {
        "user": "onepam_1",
        "session": "ses_1",
        "resource": "dev-1",
        "login": "app",
        "role": "readers",
        "made_by": "owner",
        "secret": "sec_1",
        "version": 1,
        "until": Instant(told.at() + HOUR),
    }
    return SessionUserMade(**{**values, **other})


def closed(**counts: int) -> SessionClosed:
    return SessionClosed("ses_1", SessionEnd.CLIENT_LEFT, "0" * 64, 1, counts, True)


def again(told: Story, name: str = "ses_2") -> None:
    """Eve opens another session."""
    told.sign_in("eve", f"sgn_{name}")
    mfa = session(told).mfa
    told.add(session(told, session=name, mfa=replace(mfa, session=f"sgn_{name}")))


def test_one_is_made_and_dropped_and_another_is_left_behind() -> None:
    told = ready()
    told.add(made(told))
    told.add(closed(finishes=1))
    told.add(DROPPED)
    again(told)
    told.add(made(told, user="onepam_2", session="ses_2"))
    told.add(SessionFailed("ses_2", SessionEnd.TARGET_REFUSING))
    told.add(replace(LEFT, user="onepam_2", session="ses_2"))
    told.add(replace(LEFT, user="onepam_2", session="ses_2", because=LeftBecause.OWNS))
    told.add(replace(DROPPED, user="onepam_2", session="ses_2"))
    assert told.said() == []


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"session": "none"}, "no such session was open"),
        ({"made_by": "other"}, "the resource makes no such user for the login"),
        ({"role": "writers"}, "the resource makes no such user for the login"),
        ({"secret": "sec_2"}, "there was no such version"),
        ({"version": 2}, "there was no such version"),
    ],
)
def test_what_is_made(other: dict[str, Any], why: str) -> None:
    told = ready()
    at = told.add(made(told, **other))
    found = told.said()
    assert (at, why) in found
    assert {where for where, _ in found} == {at}
    assert len(found) == 1 + ("made_by" in other)


def test_it_is_the_session_of_that_login_there() -> None:
    told = ready()
    users = SessionUsers("owner", {"app": "readers", "root": "readers"})
    told.sign_in("ada")
    told.change("chg_10", "ada", replace(DATABASE, session_users=users))
    at = told.add(made(told, login="root"))
    assert told.said() == [(at, "the session is of something else")]


def test_where_no_users_are_made_none_is() -> None:
    told = ready()
    told.sign_in("ada")
    told.change("chg_10", "ada", replace(DATABASE, session_users=None))
    at = told.add(made(told))
    assert told.said() == [(at, "the resource makes no such user for the login")]


def test_the_secret_is_that_in_use_of_whom_makes_it() -> None:
    told = ready()
    told.add(replace(SET, version=2))
    waits = told.add(made(told, version=2))
    assert told.said() == [(waits, "another version was in use")]
    told = ready(replace(SET, secret="sec_2", login="root"))
    other = told.add(made(told, secret="sec_2"))
    assert told.said() == [(other, "it is the secret of another login")]
    told = ready()
    told.sign_in("ada")
    told.add(SecretRetired("sec_1", 1, "removed", "ada"))
    gone = told.add(made(told))
    assert told.said() == [(gone, "there was no such version")]


def test_a_session_has_one_in_its_time() -> None:
    told = ready()
    told.add(made(told))
    at = told.add(made(told, user="onepam_2"))
    assert told.said() == [(at, "the session had a user")]
    told = ready()
    ends = Instant(told.at() - SECOND + HOUR)
    at = told.add(made(told, until=Instant(ends + 5 * MINUTE + 1)))
    assert told.said() == [(at, "it lets somebody in after its session")]
    told = ready()
    told.add(made(told, until=Instant(ends + 5 * MINUTE)))
    assert told.said() == []
    told.wait(HOUR)
    late = told.add(made(told, user="onepam_2"))
    assert told.said() == [(late, "no such session was open")]


def test_a_name_is_used_once() -> None:
    told = ready()
    told.add(made(told))
    told.add(closed())
    told.add(DROPPED)
    again(told)
    at = told.add(made(told, session="ses_2"))
    assert told.said() == [(at, "there was such a user before")]


def left_behind(told: Story, count: int, because: LeftBecause = LeftBecause.KEPT) -> None:
    for number in range(count):
        name = f"old_{number}"
        again(told, name)
        told.add(made(told, user=name, session=name))
        told.add(SessionFailed(name, SessionEnd.TARGET_REFUSING))
        told.add(SessionUserLeft(name, name, "dev-1", because))


@pytest.mark.parametrize("more", [0, 1])
def test_with_too_many_left_behind_none_is_made(more: int) -> None:
    told = ready()
    left_behind(told, LEFT_BEHIND - 1 + more)
    again(told)
    at = told.add(made(told, session="ses_2"))
    assert told.said() == [(at, "too many were left behind there")] * more


def test_what_may_be_where_the_resource_was_does_not_count() -> None:
    told = ready()
    left_behind(told, LEFT_BEHIND, LeftBecause.MOVED)
    again(told)
    told.add(made(told, session="ses_2"))
    assert told.said() == []


def test_none_is_made_while_one_is_not_accounted_for() -> None:
    for waited, why in ((HOUR - 4 * SECOND, []), (HOUR - 3 * SECOND, [UNTOLD])):
        told = ready()
        told.add(made(told))
        told.add(closed())
        told.wait(waited)
        again(told)
        at = told.add(made(told, user="onepam_2", session="ses_2"))
        assert told.said() == [(at, each) for each in why]
    told = ready()
    told.add(made(told))
    told.add(closed())
    told.add(LEFT)
    told.wait(HOUR)
    again(told)
    told.add(made(told, user="onepam_2", session="ses_2"))
    assert told.said() == []


@pytest.mark.parametrize("entry", [DROPPED, LEFT])
@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"user": "postgres"}, "no such user was there"),
        ({"session": "ses_2"}, "it is the user of another session"),
        ({"resource": "web-1"}, "it is the user of another session"),
    ],
)
def test_what_is_dropped_or_left_behind_was_made(entry: Any, other: dict[str, Any], why: str) -> None:
    told = ready()
    told.add(made(told))
    at = told.add(replace(entry, **other))
    assert told.said() == [(at, why)]


def test_what_is_gone_is_gone() -> None:
    for entry in (DROPPED, LEFT):
        told = ready()
        told.add(made(told))
        told.add(DROPPED)
        at = told.add(entry)
        assert told.said() == [(at, "no such user was there")]


def test_statements_run_as_a_user_that_was_made_for_the_session() -> None:
    told = ready()
    at = told.add(closed(finishes=1))
    assert told.said() == [(at, "statements ran in it, and no user was made for it")]
    for counts in ({}, {"finishes": 0}):
        told = ready()
        told.add(closed(**counts))
        assert told.said() == []


def test_such_a_session_is_given_no_secret() -> None:
    told = ready(replace(SET, secret="sec_2", login="app"))
    at = told.add(SecretUsed("sec_2", 1, "ses_1"))
    assert told.said() == [(at, "a user is made for each session of the login")]
