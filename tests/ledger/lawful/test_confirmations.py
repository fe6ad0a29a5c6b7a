"""Rules of confirmations in the browser: each clause broken once by a planted entry, and nothing else found."""

from onepam.domain.access.model import MfaRule
from onepam.domain.access.proof import MfaBasis, MfaProof
from onepam.domain.sessions.events import (
    ConfirmationAsked,
    ConfirmationFailed,
    ConfirmationGiven,
    ConfirmationUsed,
    EntryPoint,
)
from onepam.domain.signing_in.events import SignedOut
from onepam.kernel.clock import MINUTE, Instant
from tests.ledger.lawful.story import Story, resource_set
from tests.ledger.lawful.test_sessions import opened, ready


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
    assert told.said() == [(at, "nobody confirmed it"), (at + 1, "no such confirmation had been given")]


def test_a_confirmation_is_its_persons_in_time_and_fresh() -> None:
    told = ready()
    at = confirmed(told, wait=3 * MINUTE)
    assert told.said() == [
        (at - 1, "no such confirmation waited"),
        (at, "nobody confirmed it"),
        (at + 1, "no such confirmation had been given"),
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
    assert told.said() == [
        (at - 1, "no sign-in of the person ran behind it"),
        (at, "no sign-in of the person ran behind it"),
    ]


def test_a_confirmation_is_used_by_a_session_of_its_person() -> None:
    told = ready()
    shown = Instant(told.rows[-1].time - 1)
    told.add(ConfirmationAsked("cnf_1", "eve", "dev-1", "app", Instant(told.at() + 2 * MINUTE)))
    told.add(ConfirmationGiven("cnf_1", "eve", MfaProof("sgn_eve", ("totp",), shown)))
    at = told.add(ConfirmationUsed("cnf_1", "ses_1"))
    told.add(ConfirmationFailed("cnf_1", "eve", "confirmation.gone"))
    assert told.said() == [(at, "no such session was opened")]
    at = told.add(ConfirmationAsked("cnf_2", "nobody", "dev-1", "app", Instant(told.at() + 2 * MINUTE)))
    assert told.said()[1:] == [(at, "there was no account nobody")]


def test_a_target_that_takes_no_confirmation_and_asks_for_a_fresh_factor() -> None:
    told = ready()
    shown = told.rows[-1].time
    rule = MfaRule(phishing_resistant=True, fresh=True)
    told.change("chg_1", "ada", resource_set("dev-1", {"env": "dev"}, mfa=rule))
    told.add(ConfirmationAsked("cnf_1", "eve", "dev-1", "app", Instant(told.at() + 2 * MINUTE)))
    proof = MfaProof("sgn_eve", ("totp",), Instant(shown - 1), MfaBasis.ACCEPTED)
    told.add(ConfirmationGiven("cnf_1", "eve", proof))
    at = told.add(opened(told, entry=EntryPoint.SSH_KEY_CONFIRMED, mfa=proof), ConfirmationUsed("cnf_1", "ses_1"))
    assert told.said() == [
        (at, "the target takes no confirmation by a link from a terminal"),
        (at, "the target asks for a phishing-resistant factor"),
        (at, "the target asks for a factor of its own for each session"),
    ]


def test_confirmations_that_lapsed_are_forgotten() -> None:
    told = ready()
    told.add(ConfirmationAsked("cnf_1", "eve", "dev-1", "app", Instant(told.at() + 2 * MINUTE)))
    told.add(ConfirmationAsked("cnf_2", "eve", "dev-1", "app", Instant(told.at() + 2 * MINUTE)))
    told.wait(3 * MINUTE)
    told.add(ConfirmationAsked("cnf_3", "eve", "dev-1", "app", Instant(told.at() + 2 * MINUTE)))
    assert told.said() == []
