"""Rules of identity providers, identities and streams: each clause broken once, and nothing else found."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.proof import MfaBasis
from onepam.domain.matrix.events import ChangeProposed
from onepam.domain.people.events import GroupMemberAdded, PersonAdded, PersonChanged, PersonKind
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import (
    IdentityLinked,
    IdentityUnlinked,
    MfaDeclarationEnded,
    MfaDeclared,
    ProviderLoggedOut,
    ProviderProposed,
    ProviderRejected,
    ProviderRemoved,
    ProviderRule,
    ProviderSet,
)
from onepam.domain.providers.keys import ProviderKeysRead
from onepam.domain.providers.signals import (
    Delivery,
    SignalKind,
    SignalReceived,
    SignalStreamProposed,
    SignalStreamRejected,
    SignalStreamRemoved,
    SignalStreamSet,
)
from onepam.domain.signing_in.events import FactorKind, SignedOut
from onepam.kernel.clock import DAY, MINUTE, Instant
from tests.ledger.lawful.story import Story, binding

RULE = ProviderRule(attests=("mfa",), domains=("example.com",), joins=True, groups=True)
WANTED = ProviderProposed("pch_1", "idp", ProviderKind.OIDC, "Company", "{}", RULE, "ada")
AGREED = ProviderSet("pch_1", "idp", ProviderKind.OIDC, "Company", "{}", RULE, "ada", "bob")
STREAM = SignalStreamProposed("sch_1", "str_1", "Okta", "iss", "aud", Delivery.PUSH, "idp", "", "", "ada")
STREAM_SET = SignalStreamSet("sch_1", "str_1", "Okta", "iss", "aud", Delivery.PUSH, "idp", "", "", "ada", "bob")
NONE = "there was no such provider"


def with_provider(told: Story | None = None) -> Story:
    """A provider in force, that ada proposed and bob approved."""
    told = told or Story().ready("ada", "bob")
    told.add(WANTED)
    told.add(AGREED)
    return told


def test_two_administrators_set_a_provider_and_it_is_changed_and_removed() -> None:
    told = with_provider()
    told.add(replace(WANTED, change="pch_2", name="Other"))
    told.add(replace(AGREED, change="pch_2", name="Other"))
    told.add(ProviderKeysRead("idp", "pch_3", "pch_2", "{}"))
    told.add(IdentityLinked("idn_1", "idp", "eve", "address", None))
    zoe = PersonAdded("zoe", PersonKind.EMPLOYEE, "joined", None, None, None, origin="claims:idp")
    told.add(zoe, IdentityLinked("idn_2", "idp", "zoe", "joined", None))
    told.add(GroupMemberAdded("directory:x", "zoe", "claims:idp", None))
    told.add(PersonChanged("zoe", None, None, None, None))
    told.add(ProviderRemoved("idp", "ada", "gone"))
    assert told.said() == []


@pytest.mark.parametrize(
    ("who", "readdressed", "because", "unlawful"),
    [
        ("eve", True, "address", True),
        ("eve", False, "address", False),
        ("zoe", True, "address", False),
    ],
)
def test_an_address_of_one_administrator_makes_nobody_somebody_trusted(
    who: str, readdressed: bool, because: str, unlawful: bool
) -> None:
    told = with_provider()
    told.add(PersonAdded("zoe", PersonKind.EMPLOYEE, "hired", "ada", None, None))
    told.add(PersonChanged(who, "ada", None, None, None, readdressed=readdressed))
    at = told.add(IdentityLinked("idn_1", "idp", who, because, None))
    why = "one administrator had changed the address of somebody trusted"
    assert told.said() == [(at, why)] * unlawful


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        (replace(WANTED, change="pch_2", by="joe"), "joe was not signed in"),
        (replace(AGREED, by="ada"), "ada had proposed it"),
        (replace(AGREED, change="pch_9"), "no such proposal waited"),
        (replace(AGREED, settings='{"a":1}'), "it is not what was proposed"),
        (replace(AGREED, proposed_by="max"), "it is not what was proposed"),
        (ProviderRejected("pch_1", "idp", "joe", "denied"), "joe was not signed in"),
        (
            ProviderRejected("pch_1", "idp", None, "lapsed"),
            "it is on nobody's word, had not lapsed, and its people were there",
        ),
        (MfaDeclared("dcl_1", "idp", "yes", "0", Instant(1_780_000_000_000_000), "ada", Instant(0)), NONE),
        (MfaDeclarationEnded("dcl_1", "idp", "no", "ada"), "there was no such declaration"),
        (ProviderKeysRead("idp", "pch_2", "pch_1", "{}"), NONE),
        (ProviderLoggedOut("idp", "0", 0), NONE),
        (IdentityLinked("idn_1", "idp", "eve", "address", None), NONE),
        (IdentityUnlinked("idn_1", "eve", "x", "ada"), "they had no such identity"),
    ],
)
def test_a_provider_is_not_for_one_to_set(planted: object, why: str) -> None:
    told = Story().ready("ada", "bob")
    told.add(WANTED)
    at = told.add(planted)
    assert told.said() == [(at, why)]


def test_what_is_removed_is_there_and_leaves_no_proposal() -> None:
    told = Story().ready("ada", "bob")
    at = told.add(ProviderRemoved("idp", "ada", "gone"))
    then = told.add(SignalStreamRemoved("str_1", "bob", "x"))
    assert told.said() == [(at, NONE), (then, "there was no such stream")]
    told = with_provider()
    told.add(replace(WANTED, change="pch_2"))
    at = told.add(ProviderRemoved("idp", "ada", "gone"))
    assert told.said() == [(at, "a proposal of that provider was left")]
    told = with_provider()
    told.add(replace(WANTED, change="pch_2"))
    told.add(ProviderRemoved("idp", "ada", "gone"), ProviderRejected("pch_2", "idp", "ada", "provider.removed"))
    assert told.said() == []


def test_who_came_in_by_a_provider_does_not_remove_it() -> None:
    told = with_provider()
    told.add(IdentityLinked("idn_1", "idp", "max", "address", None))
    told.change("chg_1", "ada", binding("bnd_max", "administrator", "max"))
    came = {"proven": (FactorKind.PROVIDER,), "provider": "idp", "basis": MfaBasis.ATTESTED, "methods": ("mfa",)}
    told.add(told.signed_in("max", "sgn_1", **came))
    at = told.add(ProviderRemoved("idp", "max", "gone"))
    assert told.said() == [(at, "max had come in by it")]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"kind": ProviderKind.SAML}, "a provider keeps its protocol"),
        (
            {"provider": "idp2"},
            "the provider idp spoke for one of its domains already",
        ),
        (
            {"rule": replace(RULE, phishing_resistant=("hwk",))},
            "what attests a factor that cannot be phished attests none at all",
        ),
        ({"rule": replace(RULE, domains=())}, "it may bring people in, and speaks for no domain"),
    ],
)
def test_a_provider_is_fit_to_be_set(other: Any, why: str) -> None:
    told = with_provider()
    told.add(replace(WANTED, change="pch_2", **other))
    at = told.add(replace(AGREED, change="pch_2", **other))
    assert told.said() == [(at, why)]


def test_settings_take_a_fresh_factor() -> None:
    told = Story().ready("ada", "bob")
    told.wait(6 * MINUTE)
    at = told.add(WANTED)
    assert told.said() == [(at, "ada had shown no second factor within 5 minutes")]


def test_what_changed_since_is_not_set() -> None:
    told = Story().ready("ada", "bob")
    told.add(WANTED)
    told.add(replace(WANTED, change="pch_2"))
    told.add(AGREED)
    at = told.add(replace(AGREED, change="pch_2"))
    assert told.said() == [(at, "it had changed since it was proposed")]
    told = with_provider()
    at = told.add(ProviderKeysRead("idp", "pch_3", "pch_0", "{}"))
    assert told.said() == [(at, "the provider had changed since")]


def test_declarations() -> None:
    told = with_provider()
    ends = Instant(told.at() + DAY)
    told.add(MfaDeclared("dcl_1", "idp", "yes", "0", ends, "ada", told.now))
    told.add(IdentityLinked("idn_1", "idp", "eve", "address", None))
    proven = (FactorKind.PROVIDER,)
    declared = told.signed_in("eve", "sgn_1", proven=proven, provider="idp", basis=MfaBasis.DECLARED)
    told.add(declared)
    assert told.said() == []
    told.add(IdentityLinked("idn_2", "idp", "ada", "address", None))
    at = told.add(told.signed_in("ada", "sgn_2", proven=proven, provider="idp", basis=MfaBasis.DECLARED))
    assert told.said() == [(at, "ada held something administrative, which a second factor of their own opens")]
    told.change("chg_1", "ada", binding("bnd_eve", "administrator", "eve"))
    at = told.add(ChangeProposed("chg_2", "d0", "d1", True, "eve", "more", "text"))
    assert told.said()[1:] == [(at, "nobody had seen a second factor of eve")]
    told.add(MfaDeclarationEnded("dcl_1", "idp", "no", "bob"))
    over = told.add(MfaDeclared("dcl_3", "idp", "yes", "0", Instant(told.at() - 1), "bob", told.now))
    long = told.add(MfaDeclared("dcl_2", "idp", "yes", "0", Instant(told.at() + 366 * DAY), "bob", told.now))
    assert told.said()[2:] == [(over, "its end had come already"), (long, "it lasts longer than a year")]


def test_a_stream_names_people_as_a_provider_does() -> None:
    told = Story().ready("ada", "bob")
    told.add(STREAM)
    at = told.add(STREAM_SET)
    assert told.said() == [(at, NONE)]


def test_a_providers_word_ends_sign_ins_and_its_rule_says_what_it_may() -> None:
    told = with_provider()
    told.sign_in("eve", "sgn_eve")
    told.add(ProviderLoggedOut("idp", "0", 1), SignedOut("sgn_eve", "eve", "provider.logout", None))
    assert told.said() == []
    told = Story().ready("ada", "bob")
    told.add(replace(WANTED, rule=ProviderRule()))
    told.add(replace(AGREED, rule=ProviderRule()))
    at = told.add(PersonAdded("zoe", PersonKind.EMPLOYEE, "joined", None, None, None, origin="claims:idp"))
    then = told.add(GroupMemberAdded("directory:x", "zoe", "claims:idp", None))
    ends = told.add(PersonChanged("zoe", None, None, None, Instant(told.at() + DAY)))
    assert told.said() == [
        (at, "the identity provider idp may bring nobody in"),
        (then, "the identity provider idp may say nothing of groups"),
        (ends, "no directory that leads the account wrote it, nor does the roster say so"),
    ]


def test_identities() -> None:
    told = with_provider()
    at = told.add(IdentityLinked("idn_1", "idp", "nobody", "address", None))
    told.add(IdentityUnlinked("idn_1", "nobody", "x", "ada"))
    told.add(IdentityLinked("idn_2", "idp", "eve", "address", None))
    then = told.add(IdentityUnlinked("idn_2", "eve", "x", None))
    assert told.said() == [(at, "there was no account nobody"), (then, "it is on nobody's word")]


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        (IdentityLinked("idn_2", "idp", "eve", "address", None), "they had an identity there already"),
        (IdentityLinked("idn_2", "idp", "max", "joined", None), "nobody had joined"),
        (IdentityUnlinked("idn_1", "max", "x", "ada"), "they had no such identity"),
    ],
)
def test_an_identity_is_one_persons_and_the_only_one(planted: object, why: str) -> None:
    told = with_provider()
    told.add(IdentityLinked("idn_1", "idp", "eve", "address", None))
    at = told.add(planted)
    assert told.said() == [(at, why)]


def test_a_stream_is_set_by_two_and_ends_sign_ins() -> None:
    told = with_provider()
    told.add(STREAM)
    told.add(STREAM_SET)
    told.sign_in("eve", "sgn_eve")
    received = SignalReceived("str_1", "0", SignalKind.SESSION_REVOKED, "", "eve", 1, Instant(0))
    told.add(received, SignedOut("sgn_eve", "eve", "session.revoked", None))
    told.add(replace(STREAM, change="sch_2"))
    told.add(SignalStreamRejected("sch_2", "str_1", "ada", "withdrawn"))
    told.add(SignalStreamRemoved("str_1", "bob", "x"))
    assert told.said() == []
    at = told.add(received)
    assert told.said() == [(at, "there was no such stream")]


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        (replace(STREAM, change="sch_2", by="joe"), "joe was not signed in"),
        (replace(STREAM_SET, by="ada"), "ada had proposed it"),
        (replace(STREAM_SET, issuer="evil"), "it is not what was proposed"),
        (
            SignalStreamRejected("sch_1", "str_1", None, "x"),
            "it is on nobody's word, had not lapsed, and its people were there",
        ),
    ],
)
def test_a_stream_is_not_for_one_to_set(planted: object, why: str) -> None:
    told = with_provider()
    told.add(STREAM)
    at = told.add(planted)
    assert told.said() == [(at, why)]


@pytest.mark.parametrize(("because", "by"), [("administrator", "ada"), ("address", "ada"), ("scim", None)])
def test_nobody_but_a_provider_makes_an_identity_somebodys(because: str, by: str | None) -> None:
    told = with_provider()
    at = told.add(IdentityLinked("idn_1", "idp", "eve", because, by))
    assert told.said() == [(at, "nothing but a provider's message makes an identity somebody's")]
