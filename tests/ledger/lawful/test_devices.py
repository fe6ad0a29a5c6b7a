"""Rules of terminals without a browser: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.signing_in.events import (
    DeviceAllowed,
    DeviceRefused,
    FactorEnrolled,
    FactorKind,
    SignedOut,
    SignInKind,
    SteppedUp,
)
from onepam.kernel.clock import HOUR, MINUTE, Instant
from tests.ledger.lawful.story import Story

KEY = FactorEnrolled("fac_key", "ada", FactorKind.SSH_KEY, "1", None, "ada")
NO_CONSOLE = "no console session of the person ran, under which it was said"
NOT_HERS = "the key that the terminal has shown was not the person's"
VOID, ANSWERED = "the terminal's sign-in was void", "it had been answered, or had lapsed"
ELSE = "the terminal had been let in by somebody else, under another session, or it had lapsed"


def allowed(told: Story, session: str = "cli_1", **other: Any) -> DeviceAllowed:
    """Ada lets a terminal in."""
    known = DeviceAllowed(session, "ada", "sgn_ada", Instant(told.at() + 2 * MINUTE), "")
    return replace(known, **other)


def taken(told: Story, shown: int, **other: Any) -> object:
    """The terminal takes its session."""
    values: dict[str, Any] = {
        "kind": SignInKind.CLI,
        "parent": "sgn_ada",
        "mfa_at": Instant(shown - 1),
        "expires": Instant(shown + 12 * HOUR - 1),
        **other,
    }
    return told.signed_in("ada", "cli_1", **values)


HARD = (FactorKind.PASSWORD, FactorKind.TOTP, FactorKind.PASSKEY)


def hard(told: Story) -> int:
    """Ada shows a passkey; when."""
    told.add(FactorEnrolled("fac_ada_passkey", "ada", FactorKind.PASSKEY, "1", None, "ada"))
    at = told.at()
    shown = SteppedUp("sgn_ada", "ada", FactorKind.PASSKEY, at, phishing_resistant=True)
    told.add(told.used("ada", FactorKind.PASSKEY), shown)
    return at + 1


def test_a_terminal_is_let_in_and_takes_its_session() -> None:
    told = Story().ready("ada")
    shown = told.rows[-1].time
    told.add(KEY)
    told.add(allowed(told, key="fac_key"))
    told.add(taken(told, shown))
    told.add(DeviceRefused("cli_2", "ada", "device.wrong_code"))
    assert told.said() == []


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"person": "nobody"}, "there was no account nobody"),
        ({"person": "eve"}, NO_CONSOLE),
        ({"parent": "sgn_none"}, NO_CONSOLE),
        ({"key": "fac_none"}, NOT_HERS),
        ({"expires": 3 * MINUTE}, "it waits longer than two minutes"),
    ],
)
def test_it_is_let_in_by_whoever_is_there(other: dict[str, Any], why: str) -> None:
    told = Story().ready("ada")
    if "expires" in other:
        other = {"expires": Instant(told.at() + other["expires"])}
    at = told.add(allowed(told, **other))
    assert (at, why) in told.said()
    assert {each for each, _ in told.said()} == {at}


def test_another_persons_key_or_another_factor_says_nothing_of_whose_terminal_it_is() -> None:
    for key in (
        replace(KEY, person="eve", by="eve"),
        FactorEnrolled("fac_key", "ada", FactorKind.TOTP, "1", None, "ada"),
    ):
        told = Story().ready("ada", "eve")
        told.add(key)
        at = told.add(allowed(told, key="fac_key"))
        assert told.said() == [(at, NOT_HERS)]


def test_by_a_fresh_factor_in_the_console_once() -> None:
    told = Story().ready("ada")
    told.wait(6 * MINUTE)
    at = told.add(allowed(told))
    assert told.said() == [(at, "the second factor was not fresh")]
    told = Story().ready("ada")
    told.add(allowed(told))
    at = told.add(allowed(told))
    assert told.said() == [(at, "there was such a sign-in already")]
    told = Story().ready("ada")
    shown = told.rows[-1].time
    told.add(taken(told, shown))
    at = told.add(allowed(told, session="cli_2", parent="cli_1"))
    assert told.said() == [(at, NO_CONSOLE)]
    told = Story().ready("ada")
    told.add(SignedOut("sgn_ada", "ada", "signed_out", "ada"))
    at = told.add(allowed(told))
    assert told.said() == [(at, NO_CONSOLE)]


def test_the_session_is_of_whoever_let_it_in_and_does_not_resist_phishing() -> None:
    told = Story().ready("ada")
    shown = hard(told)
    told.add(allowed(told))
    told.add(taken(told, shown, proven=HARD, phishing_resistant=False))
    assert told.said() == []
    told = Story().ready("ada")
    shown = hard(told)
    told.add(allowed(told))
    at = told.add(taken(told, shown, proven=HARD, phishing_resistant=True))
    assert told.said() == [(at, "a terminal without a browser inherits no phishing-resistant factor")]
    told = Story().ready("ada", "eve")
    shown = next(each.time for each in told.rows if b'"sgn_ada"' in each.body)
    told.add(allowed(told, person="eve", parent="sgn_eve"))
    at = told.add(taken(told, shown))
    assert told.said() == [(at, ELSE)]
    told = Story().ready("ada")
    shown = told.rows[-1].time
    told.add(allowed(told))
    told.wait(2 * MINUTE)
    at = told.add(taken(told, shown))
    assert told.said() == [(at, ELSE)]


def test_what_lapsed_is_void_whoever_is_let_in_since() -> None:
    told = Story().ready("ada")
    shown = hard(told)
    told.add(allowed(told))
    told.add(allowed(told, "cli_2"))
    told.wait(3 * MINUTE)
    told.add(allowed(told, "cli_3"))
    assert told.said() == []
    late = told.add(taken(told, shown, proven=HARD, phishing_resistant=True))
    again = told.add(allowed(told, "cli_2"))
    assert told.said() == [(late, VOID), (again, "there was such a sign-in already")]


def test_what_was_refused_is_void() -> None:
    told = Story().ready("ada")
    shown = told.rows[-1].time
    told.add(DeviceRefused("cli_1", "ada", "device.wrong_code"))
    at = told.add(allowed(told))
    late = told.add(taken(told, shown))
    assert told.said() == [(at, "there was such a sign-in already"), (late, VOID)]


def test_what_was_answered_is_not_refused_and_what_is_refused_is_not_taken() -> None:
    told = Story().ready("ada")
    shown = told.rows[-1].time
    told.add(allowed(told))
    at = told.add(DeviceRefused("cli_1", "ada", "device.not_me"))
    again = told.add(DeviceRefused("cli_1", "ada", "device.not_me"))
    late = told.add(taken(told, shown))
    signed = told.add(DeviceRefused("sgn_ada", "ada", "device.not_me"))
    assert told.said() == [(at, ANSWERED), (again, ANSWERED), (late, VOID), (signed, ANSWERED)]


def test_a_refusal_is_somebodys() -> None:
    told = Story().ready("ada")
    at = told.add(DeviceRefused("cli_3", "eve", "device.not_me"))
    assert told.said() == [(at, "eve was not signed in")]
