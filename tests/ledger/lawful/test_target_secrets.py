"""Rules of the secrets of targets: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.sessions.target_secrets import SecretProven, SecretRetired, SecretSet, SecretUsed
from onepam.kernel.clock import MINUTE
from tests.ledger.lawful.story import Story
from tests.ledger.lawful.test_databases import ready, session

SET = SecretSet("sec_1", 1, "dev-1", "app", "ada")
NONE = "there was no such version"


def told() -> Story:
    """dev-1 is a database, and ada is signed in a moment ago."""
    story = ready()
    story.sign_in("ada")
    return story


def test_versions_follow_each_other() -> None:
    story = told()
    story.add(SET)
    story.add(SecretProven("sec_1", 1))
    story.add(replace(SET, version=2))
    story.add(SecretProven("sec_1", 2), SecretRetired("sec_1", 1, "replaced"))
    story.add(replace(SET, version=3))
    story.add(SecretRetired("sec_1", 3, "target.refusing"))
    story.add(SecretRetired("sec_1", 2, "removed", "ada"))
    assert story.said() == []


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"by": "eve"}, "eve held no role with the right to administer"),
        ({"resource": "web-1"}, "there was no database web-1 with the login app"),
        ({"resource": "none"}, "there was no database none with the login app"),
        ({"login": "ops"}, "there was no database dev-1 with the login ops"),
        ({"version": 2}, "it is not the next version"),
    ],
)
def test_who_sets_one_and_for_what(other: dict[str, Any], why: str) -> None:
    story = told()
    at = story.add(replace(SET, **other))
    assert story.said() == [(at, why)]


def test_a_factor_that_is_not_fresh_sets_none() -> None:
    story = told()
    story.wait(6 * MINUTE)
    at = story.add(SET)
    assert story.said() == [(at, "ada had shown no second factor within 5 minutes")]


def test_a_secret_stays_that_of_its_login() -> None:
    story = told()
    story.add(SET)
    story.add(SecretProven("sec_1", 1))
    at = story.add(replace(SET, login="root", version=2))
    assert story.said() == [(at, "it is the secret of another login")]


def test_a_login_has_one_secret_and_one_version_of_it_waits() -> None:
    for other, why in (
        ({"secret": "sec_2"}, "the login had another secret"),
        ({"version": 2}, "another version waited"),
    ):
        story = told()
        story.add(SET)
        at = story.add(replace(SET, **other))
        assert story.said() == [(at, why)]
    story = told()
    story.add(SET)
    story.add(SecretRetired("sec_1", 1, "replaced", "ada"), replace(SET, version=2))
    story.add(SecretProven("sec_1", 2))
    assert story.said() == []


def test_what_is_proven_takes_the_place_of_the_one_before() -> None:
    story = told()
    story.add(SET)
    story.add(SecretProven("sec_1", 1))
    story.add(replace(SET, version=2))
    at = story.add(SecretProven("sec_1", 2))
    assert story.said() == [(at, "the version before is in use still")]


@pytest.mark.parametrize(
    ("because", "by", "why"),
    [
        ("replaced", None, "no other version came in its place"),
        ("replaced", "ada", "no other version came in its place"),
        ("removed", None, "nobody took it away, and it was in use"),
        ("target.refusing", None, "nobody took it away, and it was in use"),
    ],
)
def test_why_one_is_retired(because: str, by: str | None, why: str) -> None:
    story = told()
    story.add(SET)
    story.add(SecretProven("sec_1", 1))
    at = story.add(SecretRetired("sec_1", 1, because, by))
    assert story.said() == [(at, why)]


def test_what_waits_is_not_removed_by_nobody() -> None:
    story = told()
    story.add(SET)
    at = story.add(SecretRetired("sec_1", 1, "removed"))
    assert story.said() == [(at, "nobody took it away, and it was in use")]


def test_what_did_not_wait_is_not_proven() -> None:
    for version, first in ((1, False), (2, True)):
        story = told()
        if first:
            story.add(SET)
        at = story.add(SecretProven("sec_1", version))
        assert story.said() == [(at, "no such version waited")]


def test_what_is_retired_is_not_retired_again_and_by_whom() -> None:
    story = told()
    story.add(SET)
    at = story.add(SecretRetired("sec_1", 1, "removed", "eve"))
    again = story.add(SecretRetired("sec_1", 1, "removed", "ada"))
    assert story.said() == [(at, "eve held no role with the right to administer"), (again, NONE)]
    story = told()
    at = story.add(SecretRetired("sec_1", 1, "removed", "ada"))
    assert story.said() == [(at, NONE)]


def test_it_is_given_to_a_session_of_its_login() -> None:
    story = ready()
    shown = story.rows[-1].time
    story.sign_in("ada")
    story.add(SET, replace(SET, secret="sec_2", login="root"))
    story.add(session(story, shown=shown))
    story.add(SecretUsed("sec_1", 1, "ses_1"))
    none = story.add(SecretUsed("sec_1", 1, "ses_9"))
    other = story.add(SecretUsed("sec_2", 1, "ses_1"))
    gone = story.add(SecretUsed("sec_3", 1, "ses_1"))
    newer = story.add(SecretUsed("sec_1", 2, "ses_1"))
    assert story.said() == [
        (none, "no such session was open"),
        (other, "it is the secret of another login"),
        (gone, NONE),
        (newer, NONE),
    ]


def test_the_version_in_use_is_given_and_to_a_session_in_its_time() -> None:
    story = ready()
    shown = story.rows[-1].time
    story.sign_in("ada")
    story.add(SET)
    story.add(SecretProven("sec_1", 1))
    story.add(replace(SET, version=2))
    opened = session(story, shown=shown)
    story.add(opened)
    waits = story.add(SecretUsed("sec_1", 2, "ses_1"))
    story.add(SecretUsed("sec_1", 1, "ses_1"))
    story.wait(opened.ends - story.at())
    late = story.add(SecretUsed("sec_1", 1, "ses_1"))
    assert story.said() == [(waits, "another version was in use"), (late, "no such session was open")]


def test_what_is_retired_is_given_to_nobody() -> None:
    story = ready()
    shown = story.rows[-1].time
    story.sign_in("ada")
    story.add(SET)
    story.add(SecretRetired("sec_1", 1, "target.refusing"))
    story.add(session(story, shown=shown))
    at = story.add(SecretUsed("sec_1", 1, "ses_1"))
    assert story.said() == [(at, NONE)]
