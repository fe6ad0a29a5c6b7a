"""Secrets of targets: who sets one, and what becomes of its versions."""

from dataclasses import replace

import pytest

from onepam.domain.access.model import ResourceKind
from onepam.domain.access.session_users import SessionUsers
from onepam.domain.history.commit import Decided
from onepam.domain.sessions.target_secrets import (
    Kept,
    Leased,
    LeaseFacts,
    SecretFacts,
    SecretProven,
    SecretRetired,
    SecretSet,
    SecretStatus,
    SecretUsed,
    Version,
    VersionFacts,
    about,
    give_up,
    lease,
    prove,
    remove,
    store,
)
from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADMINISTRATOR, MANAGER, NOW, WEB, present

DATABASE = replace(WEB, kind=ResourceKind.POSTGRES)
CURRENT = Version("sec_1", 1, SecretStatus.CURRENT, "one")
WAITING = Version("sec_1", 2, SecretStatus.WAITING, "two")
NONE = SecretFacts(present("ada", ADMINISTRATOR), DATABASE, 0, None, ())
BOTH = replace(NONE, newest=2, secret="sec_1", versions=(CURRENT, WAITING))


def code(outcome: object) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.code


def test_what_is_sealed_is_about_one_version_of_one_login() -> None:
    assert about(Kept("sec_1", 2), "db-1", "app") == b"secret/sec_1/2/db-1/app"


def test_the_first_version_waits_and_the_next_takes_the_place_of_what_waits() -> None:
    first = store(NONE, Kept("sec_9", 1), "web-1", "app", "sealed", NOW)
    assert first == Decided((SecretSet("sec_9", 1, "web-1", "app", "ada", "sealed"),), Kept("sec_9", 1))
    third = store(BOTH, Kept("sec_1", 3), "web-1", "app", "sealed", NOW)
    assert third == Decided(
        (SecretRetired("sec_1", 2, "replaced", "ada"), SecretSet("sec_1", 3, "web-1", "app", "ada", "sealed")),
        Kept("sec_1", 3),
    )


@pytest.mark.parametrize(
    ("facts", "kept"),
    [(NONE, Kept("sec_9", 2)), (BOTH, Kept("sec_1", 2)), (BOTH, Kept("sec_1", 4)), (BOTH, Kept("sec_9", 3))],
)
def test_what_was_sealed_as_another_version_is_not_stored(facts: SecretFacts, kept: Kept) -> None:
    assert code(store(facts, kept, "web-1", "app", "sealed", NOW)) == "secret.changed"


@pytest.mark.parametrize(
    ("facts", "login", "refused"),
    [
        (replace(NONE, actor=present("max", MANAGER)), "app", "right.missing"),
        (replace(NONE, actor=replace(NONE.actor, mfa_at=Instant(NOW - 6 * MINUTE))), "app", "factor.stale"),
        (replace(NONE, resource=None), "app", "resource.unknown"),
        (replace(NONE, resource=WEB), "app", "secret.kind"),
        (NONE, "nobody", "access.login"),
    ],
)
def test_who_sets_one(facts: SecretFacts, login: str, refused: str) -> None:
    assert code(store(facts, Kept("sec_9", 1), "web-1", login, "sealed", NOW)) == refused


def test_the_account_that_makes_users_has_a_secret_and_their_logins_have_none() -> None:
    makes = replace(DATABASE, session_users=SessionUsers("owner", {"app": "readers"}))
    facts = replace(NONE, resource=makes)
    for login in ("owner", "root"):
        assert isinstance(store(facts, Kept("sec_9", 1), "web-1", login, "sealed", NOW), Decided)
    for login, refused, said in (("app", "secret.made", "owner"), ("nobody", "access.login", "owner")):
        found = store(facts, Kept("sec_9", 1), "web-1", login, "sealed", NOW)
        assert isinstance(found, Refused)
        assert (found.code, said in found.hint) == (refused, True)


def test_what_the_target_took_is_in_use_and_the_one_before_is_not() -> None:
    facts = VersionFacts((CURRENT, WAITING))
    proven = prove(facts, Kept("sec_1", 2))
    assert proven == Decided((SecretProven("sec_1", 2), SecretRetired("sec_1", 1, "replaced")), None)
    assert code(prove(facts, Kept("sec_1", 1))) == "secret.changed"
    assert code(prove(facts, Kept("sec_1", 3))) == "secret.changed"


def test_what_the_target_refused_is_retired_and_the_one_before_stays() -> None:
    facts = VersionFacts((CURRENT, WAITING))
    given_up = give_up(facts, Kept("sec_1", 2), "target.refusing")
    assert given_up == Decided((SecretRetired("sec_1", 2, "target.refusing"),), None)
    assert code(give_up(facts, Kept("sec_1", 1), "target.refusing")) == "secret.changed"
    assert code(give_up(facts, Kept("sec_1", 3), "target.refusing")) == "secret.changed"


def test_removing_takes_all_of_it() -> None:
    removed = remove(BOTH, "web-1", "app", NOW)
    assert removed == Decided(tuple(SecretRetired("sec_1", number, "removed", "ada") for number in (1, 2)), None)
    assert code(remove(NONE, "web-1", "app", NOW)) == "secret.unknown"
    assert code(remove(replace(BOTH, actor=present("max", MANAGER)), "web-1", "app", NOW)) == "right.missing"


def test_a_session_gets_what_is_in_use_else_what_waits() -> None:
    for versions, found in (((CURRENT, WAITING), CURRENT), ((WAITING, CURRENT), CURRENT), ((WAITING,), WAITING)):
        given = lease(LeaseFacts(True, versions), "ses_1", "web-1", "app")
        assert given == Decided(
            (SecretUsed("sec_1", found.version, "ses_1"),), Leased("sec_1", found.version, str(found.sealed))
        )
    assert code(lease(LeaseFacts(True, ()), "ses_1", "web-1", "app")) == "target.secret"
    erased = replace(CURRENT, sealed=None)
    assert code(lease(LeaseFacts(True, (erased,)), "ses_1", "web-1", "app")) == "target.secret"
    assert code(lease(LeaseFacts(False, (CURRENT,)), "ses_1", "web-1", "app")) == "session.ended"
