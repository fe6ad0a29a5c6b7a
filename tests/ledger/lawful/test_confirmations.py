"""Rules of confirmations in the browser: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.model import MfaRule
from onepam.domain.access.proof import MfaBasis, MfaProof
from onepam.domain.people.events import PersonDisabled
from onepam.domain.sessions.events import (
    ConfirmationAsked,
    ConfirmationFailed,
    ConfirmationGiven,
    ConfirmationUsed,
    EntryPoint,
)
from onepam.domain.signing_in.events import SignedOut
from onepam.kernel.clock import MINUTE, SECOND, Instant
from tests.ledger.lawful.story import Story, binding, resource_set
from tests.ledger.lawful.test_sessions import ROOT_BECAUSE, opened, ready

NOT_GIVEN = "no such confirmation had been given, or it had lapsed"


def confirmed(told: Story, give: bool = True, who: str = "eve", wait: int = 0) -> int:
    """A confirmed session of eve's; the position of its opening."""
    shown = Instant(told.rows[-1].time - 1)
    told.add(ConfirmationAsked("cnf_1", "eve", "dev-1", "app", Instant(told.at() + 2 * MINUTE)))
    told.wait(wait)
    proof = MfaProof(f"sgn_{who}", ("password", "totp"), shown)
    if give:
        told.add(ConfirmationGiven("cnf_1", who, proof))
    return told.add(
        opened(told, entry=EntryPoint.SSH_KEY_CONFIRMED, mfa=proof),
        ConfirmationUsed("cnf_1", "ses_1"),
    )


def test_a_confirmation_opens_a_session_once() -> None:
    told = ready()
    confirmed(told)
    assert told.said() == []
    told = ready()
    at = confirmed(told, give=False)
    assert told.said() == [(at, "nobody confirmed it"), (at + 1, NOT_GIVEN)]


def test_a_confirmation_is_its_persons_in_time_and_fresh() -> None:
    told = ready()
    at = confirmed(told, wait=3 * MINUTE)
    assert told.said() == [
        (at - 1, "no such confirmation waited"),
        (at, "nobody confirmed it"),
        (at + 1, NOT_GIVEN),
    ]
    told = ready(last="joe")
    told.sign_in("eve", "sgn_eve")
    at = confirmed(told, who="joe")
    assert (at - 1, "it asks somebody else") in told.said()
    told = ready()
    told.wait(6 * MINUTE)
    at = confirmed(told)
    assert told.said() == [(at - 1, "the second factor was not fresh")]
    told = ready()
    told.add(SignedOut("sgn_eve", "eve", "signed_out", "eve"))
    told.sign_in("eve", "sgn_two")
    at = confirmed(told)
    assert told.said() == [(at - 1, "no sign-in of the person ran behind it")]


def asked(told: Story, name: str = "cnf_1", **other: object) -> ConfirmationAsked:
    """Eve's on dev-1."""
    values: dict[str, object] = {"person": "eve", "resource": "dev-1", "login": "app", **other}
    return ConfirmationAsked(name, expires=Instant(told.at() + 2 * MINUTE), **values)  # type: ignore[arg-type]


def proof() -> MfaProof:
    """Of eve's sign-in, where she signed in last."""
    return replace(opened(ready()).mfa)


def given(told: Story, **other: Any) -> ConfirmationGiven:
    """That, under her sign-in (which is not the newest entry by now)."""
    at = next(row.time for row in told.rows if row.kind == "sign_in.opened" and b'"sgn_eve"' in row.body)
    return ConfirmationGiven("cnf_1", "eve", replace(proof(), at=Instant(at - 1), **other))


def test_a_confirmation_is_used_once_in_time_by_the_session_that_it_was_given_for() -> None:
    told = ready()
    told.add(asked(told))
    told.add(given(told))
    at = told.add(ConfirmationUsed("cnf_1", "ses_1"))
    assert told.said() == [(at, "no such session was opened")]
    told = ready()
    at = told.add(ConfirmationFailed("cnf_1", "eve", "confirmation.gone"))
    assert told.said() == [(at, "no such confirmation waited")]

    told = ready()
    told.add(asked(told))
    yes = given(told)
    told.add(yes)
    session = opened(told, entry=EntryPoint.SSH_KEY_CONFIRMED, mfa=yes.mfa)
    at = told.add(session, ConfirmationUsed("cnf_1", "ses_1"), ConfirmationUsed("cnf_1", "ses_1"))
    assert told.said() == [(at + 2, "it had served")]

    told = ready()
    told.add(asked(told))
    told.add(given(told))
    told.wait(2 * MINUTE)
    at = told.add(replace(session, session="ses_1"), ConfirmationUsed("cnf_1", "ses_1"))
    assert told.said() == [(at, "nobody confirmed it"), (at + 1, NOT_GIVEN)]


@pytest.mark.parametrize(
    ("other", "mfa", "why"),
    [
        ({"login": "root"}, {}, "it was for something else"),
        ({"resource": "web-1"}, {}, "it was for something else"),
        ({}, {"at": Instant(1)}, "the session claims another second factor than it was given under"),
        ({}, {"phishing_resistant": True}, "the session claims another second factor than it was given under"),
    ],
)
def test_a_session_is_what_was_confirmed(other: dict[str, Any], mfa: dict[str, Any], why: str) -> None:
    told = ready("ops")
    told.add(asked(told))
    yes = given(told)
    told.add(yes)
    at = told.add(
        opened(told, entry=EntryPoint.SSH_KEY_CONFIRMED, mfa=replace(yes.mfa, **mfa), **other),
        ConfirmationUsed("cnf_1", "ses_1"),
    )
    assert (at + 1, why) in told.said()
    assert {each for each, _ in told.said()} <= {at, at + 1}


def test_a_session_of_somebody_elses_confirmation() -> None:
    told = ready("ops")
    shown = told.rows[-1].time
    told.add(asked(told))
    told.add(given(told))
    at = told.add(
        opened(told, "ops", entry=EntryPoint.SSH_KEY_CONFIRMED, because=ROOT_BECAUSE, login="root", privileged=True),
        ConfirmationUsed("cnf_1", "ses_1"),
    )
    assert shown
    assert [each for each in told.said() if each[0] == at + 1] == [(at + 1, "it was for something else")]


def test_a_confirmation_is_asked_for_what_the_person_could_open() -> None:
    told = ready()
    at = told.add(asked(told, person="nobody"))
    assert told.said() == [(at, "there was no account nobody")]
    for other, why in (
        ({"resource": "none"}, "there was no resource none"),
        ({"login": "root"}, "the roles of eve gave no login root there"),
        ({"resource": "web-1"}, "the roles of eve gave no login app there"),
    ):
        told = ready()
        at = told.add(asked(told, **other))
        assert told.said() == [(at, why)]
    told = ready()
    at = told.add(replace(asked(told), expires=Instant(told.at() + 3 * MINUTE)))
    assert told.said() == [(at, "it waits longer than two minutes")]
    told = ready()
    told.add(asked(told))
    at = told.add(asked(told))
    assert told.said() == [(at, "there was such a confirmation already")]
    told = ready("max")
    told.approve(told.ask())
    told.wait(10 * SECOND)
    told.add(asked(told, resource="web-1"))
    assert told.said() == []
    told = ready()
    over = binding("bnd_over", "engineer", "eve", Instant(told.at() + SECOND))
    told.change("chg_1", "ada", binding("bnd_none", "none", "eve"), over)
    told.wait(SECOND)
    at = told.add(asked(told, login="root"))
    assert told.said()[-1] == (at, "the roles of eve gave no login root there")


def test_a_confirmation_is_given_once_under_the_factor_that_the_sign_in_has() -> None:
    told = ready()
    told.add(asked(told))
    told.add(given(told))
    at = told.add(given(told))
    assert told.said() == [(at, "no such confirmation waited")]
    for other in ({"phishing_resistant": True}, {"basis": MfaBasis.STEPPED_UP}, {"factors": ("passkey",)}):
        told = ready()
        told.add(asked(told))
        at = told.add(given(told, **other))
        assert told.said() == [(at, "it claims another second factor than the sign-in")]


def test_a_sign_in_that_has_ended_since_leaves_a_confirmation_that_was_given() -> None:
    told = ready()
    told.add(asked(told))
    yes = given(told)
    told.add(yes)
    told.add(SignedOut("sgn_eve", "eve", "signed_out", "eve"))
    told.add(opened(told, entry=EntryPoint.SSH_KEY_CONFIRMED, mfa=yes.mfa), ConfirmationUsed("cnf_1", "ses_1"))
    assert told.said() == []


def test_a_confirmation_is_voided_by_whoever_was_signed_in_or_with_the_account() -> None:
    told = ready()
    told.add(asked(told))
    at = told.add(ConfirmationFailed("cnf_1", "joe", "confirmation.wrong_person"))
    assert told.said() == [(at, "joe was not signed in")]
    told = ready()
    told.add(asked(told))
    told.add(
        PersonDisabled("eve", "ada", "left", "administrator", None, None),
        ConfirmationFailed("cnf_1", "eve", "person.disabled"),
    )
    told = ready()
    told.add(asked(told))
    told.add(ConfirmationFailed("cnf_1", "ada", "confirmation.wrong_person"))
    assert told.said() == []


def test_a_target_that_takes_no_confirmation_and_asks_for_a_factor_that_opened_nothing_before() -> None:
    told = ready()
    told.change(
        "chg_1",
        "ada",
        resource_set("dev-1", {"env": "dev"}, mfa=MfaRule(phishing_resistant=True)),
    )
    told.add(asked(told))
    yes = given(told)
    told.add(yes)
    at = told.add(opened(told, entry=EntryPoint.SSH_KEY_CONFIRMED, mfa=yes.mfa), ConfirmationUsed("cnf_1", "ses_1"))
    assert told.said() == [
        (at, "the target takes no confirmation by a link from a terminal"),
        (at, "the target asks for a phishing-resistant factor"),
    ]
    told = ready()
    told.add(opened(told, session="ses_0"))
    told.change("chg_1", "ada", resource_set("dev-1", {"env": "dev"}, mfa=MfaRule(fresh=True)))
    told.add(asked(told))
    at = told.add(given(told))
    assert told.said() == [(at, "the target asks for a factor of its own for each session")]


def test_confirmations_that_lapsed_are_forgotten() -> None:
    told = ready()
    told.add(ConfirmationAsked("cnf_1", "eve", "dev-1", "app", Instant(told.at() + 2 * MINUTE)))
    told.add(ConfirmationAsked("cnf_2", "eve", "dev-1", "app", Instant(told.at() + 2 * MINUTE)))
    told.wait(3 * MINUTE)
    told.add(ConfirmationAsked("cnf_3", "eve", "dev-1", "app", Instant(told.at() + 2 * MINUTE)))
    assert told.said() == []
