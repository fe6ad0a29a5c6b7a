"""Rules of sign-ins and certificates: each clause broken once by a planted entry, and nothing else found."""

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.proof import MfaBasis
from onepam.domain.people.events import PersonAdded, PersonChanged, PersonDisabled, PersonKind
from onepam.domain.providers.events import IdentityLinked, ProviderRemoved
from onepam.domain.signing_in.events import (
    CertificateIssued,
    FactorKind,
    SignedOut,
    SignInKind,
    SteppedUp,
)
from onepam.domain.signing_in.exception_events import MfaExceptionAccepted, MfaExceptionProposed
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.ledger.lawful.state import State
from tests.ledger.lawful.story import Story
from tests.ledger.lawful.test_providers import with_provider

SHORT = {
    "NONE": "no second factor was shown, or one that is none",
    "UNDER": "a command line signs in under another session, and nothing else does",
}
ELSE = "it claims another second factor than the session that it was opened under"


def cli(told: Story, **other: Any) -> object:
    """A command line's session under ada's."""
    shown = told.rows[-1].time
    values: dict[str, Any] = {
        "kind": SignInKind.CLI,
        "parent": "sgn_ada",
        "mfa_at": Instant(shown - 1),
        "expires": Instant(shown + 12 * HOUR - 1),
        **other,
    }
    return told.signed_in("ada", "sgn_cli", **values)


def test_two_factors_a_command_line_and_their_ends() -> None:
    told = Story().ready("ada")
    told.add(cli(told))
    told.add(CertificateIssued("sgn_cli", "ada", 1, Instant(told.at() + HOUR), "SHA256:x"))
    told.add(SignedOut("sgn_cli", "ada", "signed_out", "ada"))
    assert told.said() == []


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"proven": (FactorKind.TOTP,)}, "these are not two factors"),
        ({"proven": (FactorKind.PASSWORD,)}, "these are not two factors|NONE"),
        ({"proven": (FactorKind.PASSKEY,)}, "no passkey of the person was used for it"),
        ({"basis": MfaBasis.ATTESTED}, "two factors of one's own do not count as attested"),
        ({"phishing_resistant": True}, "no factor that was shown is phishing-resistant"),
        ({"mfa_at": Instant(1)}, "the factors were not shown then"),
        ({"expires": 11 * HOUR}, "it lasts longer than any sign-in"),
        ({"provider": "idp"}, "no identity provider idp was in force"),
        ({"parent": "sgn_none"}, "UNDER|no session of that person ran, under which it was opened"),
    ],
)
def test_a_sign_in_takes_two_factors_of_the_person(other: dict[str, Any], why: str) -> None:
    told = Story().ready("ada")
    if "expires" in other:
        other = {"expires": Instant(told.at() + other["expires"])}
    at = told.add(told.used("eve"), told.signed_in("eve", "sgn_1", **other)) + 1
    assert told.said() == [(at, SHORT.get(each, each)) for each in why.split("|")]


def test_a_factor_is_used_for_it_and_a_password_is_there() -> None:
    told = Story().ready("ada")
    at = told.add(told.signed_in("eve", "sgn_1"))
    assert told.said() == [(at, "no totp of the person was used for it")]
    told = Story().found()
    told.enrol("joe", FactorKind.TOTP)
    at = told.add(told.used("joe"), told.signed_in("joe", "sgn_1")) + 1
    assert told.said() == [(at, "joe had no password")]


def test_who_left_signs_in_no_more() -> None:
    told = Story().ready("ada")
    told.add(PersonChanged("eve", "ada", None, None, Instant(told.at() + MINUTE)))
    told.wait(MINUTE)
    at = told.add(told.used("eve"), told.signed_in("eve", "sgn_1"))
    gone = "the end of the account eve had passed"
    assert told.said() == [(at, gone), (at + 1, gone)]


def test_nobody_who_does_not_exist_and_no_machine_signs_in() -> None:
    told = Story().ready("ada")
    told.add(PersonAdded("bot", PersonKind.SERVICE, "deploys", "ada", "max", Instant(told.at() + DAY)))
    at = told.add(told.signed_in("nobody", "sgn_1"))
    bot = told.add(told.signed_in("bot", "sgn_2"))
    assert told.said() == [
        (at, "there was no account nobody"),
        (bot, "bot had no password"),
        (bot, "no totp of the person was used for it"),
        (bot, "a service account signs in nowhere"),
    ]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"mfa_at": Instant(1)}, ELSE),
        ({"basis": MfaBasis.STEPPED_UP}, ELSE),
        ({"phishing_resistant": True}, ELSE),
        ({"kind": SignInKind.CONSOLE}, "UNDER|it lasts longer than any sign-in"),
    ],
)
def test_a_command_line_inherits_what_was_shown(other: dict[str, Any], why: str) -> None:
    told = Story().ready("ada")
    expires = Instant(2) if "mfa_at" in other else Instant(told.at() + 11 * HOUR)
    at = told.add(cli(told, **{"expires": expires, **other}))
    assert told.said() == [(at, SHORT.get(each, each)) for each in why.split("|")]


def test_sessions_that_have_run_out_are_forgotten() -> None:
    told = Story().ready("ada")
    told.wait(11 * HOUR)
    told.sign_in("ada", "sgn_two")
    at = told.add(cli(told, mfa_at=Instant(told.rows[-1].time - 1)))
    assert told.said() == [(at, "no session of that person ran, under which it was opened")]


def test_a_step_up_is_in_a_session_of_the_person_by_their_factor() -> None:
    told = Story().ready("ada")
    told.add(told.used("ada"), SteppedUp("sgn_ada", "ada", FactorKind.TOTP, told.at(), MfaBasis.OWN, False))
    assert told.said() == []
    none = "no such session of the person ran"
    at = told.add(told.used("eve"), SteppedUp("sgn_ada", "eve", FactorKind.TOTP, told.at(), MfaBasis.OWN, False)) + 1
    bare = told.add(SteppedUp("sgn_ada", "ada", FactorKind.TOTP, told.at(), MfaBasis.OWN, False))
    hard = told.add(told.used("ada"), SteppedUp("sgn_ada", "ada", FactorKind.TOTP, told.at(), MfaBasis.OWN, True)) + 1
    odd = told.add(
        told.used("ada"),
        SteppedUp("sgn_ada", "ada", FactorKind.TOTP, Instant(told.at() + DAY), MfaBasis.DECLARED, False),
    )
    assert told.said() == [
        (at, none),
        (bare, "no totp of the person was used for it"),
        (hard, "no factor that was shown is phishing-resistant"),
        (odd + 1, "a factor of one's own does not count as declared"),
        (odd + 1, "the factor was not shown then"),
    ]


def test_a_step_up_by_a_provider_is_attested() -> None:
    told = with_provider()
    told.add(IdentityLinked("idn_1", "idp", "ada", "address", None))
    told.add(SteppedUp("sgn_ada", "ada", FactorKind.PROVIDER, told.at(), MfaBasis.ATTESTED, False, "m"))
    assert told.said() == []
    at = told.add(SteppedUp("sgn_ada", "ada", FactorKind.PROVIDER, told.at(), MfaBasis.DECLARED, False, "n"))
    none = told.add(SteppedUp("sgn_bob", "bob", FactorKind.PROVIDER, told.at(), MfaBasis.ATTESTED, False, "o"))
    assert told.said() == [
        (at, "what a provider shows does not count as declared"),
        (none, "no identity provider of the person's attests a second factor"),
    ]


def test_a_sign_in_ends_by_its_person_an_administrator_or_a_cause() -> None:
    told = Story().ready("ada", "eve", "joe")
    at = told.add(SignedOut("sgn_eve", "joe", "signed_out", "joe"))
    assert told.said() == [(at, "it is a session of somebody else")]
    told = Story().ready("ada", "eve", "joe")
    at = told.add(SignedOut("sgn_eve", "eve", "x", "joe"))
    lone = "neither the account nor a provider ended with it"
    assert told.said() == [(at, "joe held no role with the right to administer"), (at, lone)]
    told = Story().ready("ada", "eve")
    at = told.add(SignedOut("sgn_eve", "eve", "x", "ada"))
    assert told.said() == [(at, lone)]
    told = Story().ready("ada", "eve")
    at = told.add(SignedOut("sgn_eve", "eve", "x", None))
    assert told.said() == [(at, "no provider, no signal and no end of the account says so")]
    told = Story().ready("ada", "eve")
    told.add(PersonDisabled("eve", "ada", "left", "administrator", None, None), SignedOut("sgn_eve", "eve", "x", "ada"))
    told.add(SignedOut("sgn_none", "nobody", "x", None))
    assert told.said() == []


def test_a_certificate_is_issued_under_a_session_and_does_not_outlive_it() -> None:
    told = Story().ready("ada", "eve")
    at = told.add(CertificateIssued("sgn_eve", "ada", 1, Instant(told.at() + HOUR), "SHA256:x"))
    long = told.add(CertificateIssued("sgn_ada", "ada", 1, Instant(told.at() + 11 * HOUR), "SHA256:x"))
    out = told.add(CertificateIssued("sgn_joe", "joe", 1, Instant(told.at() + MINUTE), "SHA256:x"))
    assert told.said() == [
        (at, "no such session of the person ran"),
        (long, "it outlives the session"),
        (out, "joe was not signed in"),
        (out, "no such session of the person ran"),
    ]


def by_provider(told: Story, basis: MfaBasis, **other: Any) -> object:
    """Eve through her provider."""
    values = {"proven": (FactorKind.PROVIDER,), "provider": "idp", "basis": basis, "methods": ("mfa",), **other}
    return told.signed_in("eve", str(values.pop("session", "sgn_1")), **values)


def test_a_sign_in_through_a_provider() -> None:
    told = with_provider()
    at = told.add(by_provider(told, MfaBasis.ATTESTED))
    assert told.said() == [(at, "eve had no identity at idp")]
    told = with_provider()
    told.add(IdentityLinked("idn_1", "idp", "eve", "address", None))
    told.add(by_provider(told, MfaBasis.ATTESTED))
    assert told.said() == []
    at = told.add(told.used("eve"), told.signed_in("eve", "sgn_2")) + 1
    assert told.said() == [(at, "the person signs in through an identity provider")]


@pytest.mark.parametrize(
    ("basis", "other", "why"),
    [
        (MfaBasis.ATTESTED, {"methods": ("pwd",)}, "the provider named no method that counts as a second factor"),
        (
            MfaBasis.ATTESTED,
            {"phishing_resistant": True},
            "the provider named no method that is phishing-resistant",
        ),
        (MfaBasis.ATTESTED, {"mfa_at": Instant(1)}, "the factors were not shown within 12 hours"),
        (MfaBasis.STEPPED_UP, {}, SHORT["NONE"]),
        (
            MfaBasis.STEPPED_UP,
            {"proven": (FactorKind.PROVIDER, FactorKind.TOTP)},
            "no totp of the person was used for it",
        ),
        (MfaBasis.DECLARED, {}, "nobody had declared that the provider demands a second factor"),
        (MfaBasis.ACCEPTED, {}, "nobody had accepted the risk of a sign-in without a second factor"),
        (MfaBasis.OWN, {}, "a provider proves no second factor as own"),
    ],
)
def test_what_a_provider_proves(basis: MfaBasis, other: dict[str, Any], why: str) -> None:
    told = with_provider()
    told.add(IdentityLinked("idn_1", "idp", "eve", "address", None))
    at = told.add(by_provider(told, basis, **other))
    assert told.said() == [(at, why)]


def test_a_factor_of_ones_own_beside_a_provider() -> None:
    told = with_provider()
    told.add(IdentityLinked("idn_1", "idp", "eve", "address", None))
    proven = (FactorKind.PROVIDER, FactorKind.TOTP)
    told.add(told.used("eve"), by_provider(told, MfaBasis.STEPPED_UP, proven=proven))
    assert told.said() == []


def test_an_accepted_risk_signs_in_without_a_second_factor() -> None:
    told = with_provider()
    told.sign_in("sue", "sgn_sue")
    shown = Instant(told.rows[-1].time - 1)
    told.add(IdentityLinked("idn_1", "idp", "eve", "address", None))
    ends = Instant(told.at() + DAY)
    told.add(MfaExceptionProposed("exc_1", "eve", ends, "ada"))
    told.add(MfaExceptionAccepted("exc_1", "eve", ends, "sue", shown))
    told.add(by_provider(told, MfaBasis.ACCEPTED))
    assert told.said() == []


def test_a_passkey_alone_is_two_factors() -> None:
    told = Story().found()
    told.enrol("joe", FactorKind.PASSKEY)
    told.add(
        told.used("joe", FactorKind.PASSKEY),
        told.signed_in("joe", "sgn_1", proven=(FactorKind.PASSKEY,), phishing_resistant=True),
    )
    assert told.said() == []


def test_a_sign_in_serves_once_and_so_does_the_factor_behind_it() -> None:
    told = with_provider()
    told.add(IdentityLinked("idn_1", "idp", "eve", "address", None))
    told.add(by_provider(told, MfaBasis.ATTESTED))
    told.add(SignedOut("sgn_1", "eve", "signed_out", "eve"))
    told.wait(HOUR)
    at = told.add(by_provider(told, MfaBasis.ATTESTED))
    assert told.said() == [(at, "what it rests on had served: there was such a sign-in already")]
    told = Story().ready("ada")
    at = told.add(told.used("ada"), told.signed_in("ada", "sgn_1"), told.signed_in("ada", "sgn_2"))
    assert told.said() == [(at + 2, "no totp of the person was used for it")]


def test_a_command_line_shows_what_its_session_had_and_outlives_no_account() -> None:
    told = Story().ready("ada")
    at = told.add(cli(told, proven=(FactorKind.PASSKEY,)))
    assert told.said() == [(at, ELSE)]
    told = Story().ready("ada", "bob")
    shown = next(row.time for row in told.rows if b'"sgn_ada"' in row.body)
    told.add(PersonChanged("ada", "bob", None, None, Instant(told.at() + HOUR), "Ada", "ada@example.com"))
    at = told.add(cli(told, mfa_at=Instant(shown - 1), expires=Instant(shown + 11 * HOUR)))
    assert told.said() == [(at, "it outlives the account")]


@pytest.mark.parametrize(
    ("basis", "other", "why"),
    [
        (
            MfaBasis.ATTESTED,
            {"proven": (FactorKind.PROVIDER, FactorKind.TOTP)},
            "it names factors beside the provider's, and was not stepped up",
        ),
        (
            MfaBasis.STEPPED_UP,
            {"proven": (FactorKind.PROVIDER, FactorKind.TOTP), "phishing_resistant": True},
            "no factor that was shown is phishing-resistant",
        ),
    ],
)
def test_what_a_sign_in_by_a_provider_claims(basis: MfaBasis, other: dict[str, Any], why: str) -> None:
    told = with_provider()
    told.add(IdentityLinked("idn_1", "idp", "eve", "address", None))
    at = told.add(told.used("eve"), by_provider(told, basis, **other)) + 1
    assert told.said() == [(at, why)]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (
            {"phishing_resistant": True},
            "no identity provider of the person's is trusted to say that it was phishing-resistant",
        ),
        ({"mfa_at": Instant(1)}, "the provider had not asked for it again"),
        ({"message": ""}, "it names no message, or one that had served"),
        ({"message": "sgn_ada"}, "it names no message, or one that had served"),
    ],
)
def test_a_step_up_by_a_provider_is_fresh_named_and_no_more_than_it_may_say(other: dict[str, Any], why: str) -> None:
    told = with_provider()
    told.add(IdentityLinked("idn_1", "idp", "ada", "address", None))
    stepped = SteppedUp("sgn_ada", "ada", FactorKind.PROVIDER, told.at(), MfaBasis.ATTESTED, False, "m")
    at = told.add(replace(stepped, **other))
    assert told.said() == [(at, why)]


def test_what_was_stepped_up_here_counts_as_such_where_a_provider_saw_the_first_factor() -> None:
    told = Story().ready("ada")
    at = told.add(told.used("ada"), SteppedUp("sgn_ada", "ada", FactorKind.TOTP, told.at(), MfaBasis.STEPPED_UP)) + 1
    assert told.said() == [(at, "a factor of one's own does not count as stepped_up")]


def test_sign_ins_end_with_their_provider() -> None:
    told = with_provider()
    told.add(IdentityLinked("idn_1", "idp", "eve", "address", None))
    told.add(by_provider(told, MfaBasis.ATTESTED))
    told.add(by_provider(told, MfaBasis.ATTESTED, session="sgn_2"))
    told.add(ProviderRemoved("idp", "ada", "gone"), SignedOut("sgn_1", "eve", "provider.ended", "ada"))
    told.add(SignedOut("sgn_2", "eve", "provider.ended", "ada"))
    assert told.said() == []


def test_what_served_is_forgotten_when_nobody_takes_it_any_more() -> None:
    state, table = State(), dict[Hashable, Instant]()
    assert state.serves(table, "a", 10)
    assert not state.serves(table, "a", 20)
    state.turn(0, Instant(10))
    assert state.serves(table, "b", 20)
    assert table == {"b": 20}
