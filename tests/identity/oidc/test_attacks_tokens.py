"""ID tokens that are forged, borrowed, stale or malformed, each refused for its own reason."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from onepam.identity.oidc.relying_party import RelyingParty
from onepam.identity.oidc.tokens import MAX_TOKEN_CHARACTERS
from onepam.kernel.clock import SECOND
from tests.identity.oidc.hostile import (
    ACCESS_TOKEN,
    CLIENT,
    EC,
    OTHER,
    RSA,
    Hostile,
    at_hash,
    b64,
    begun_at,
    finished,
    minted,
    outcome_of,
    public,
)

HS = RSA.as_pem(private=False)
"""The provider's public key, misused as a shared secret."""


@dataclass(frozen=True)
class Claimed:
    """Claims instead of the good ones (`...` removes one), and what becomes of it."""

    expected: str
    claims: Mapping[str, Any]


CLAIMS = {
    "as it should be": Claimed("accepted", {}),
    "several audiences, issued to us": Claimed("accepted", {"aud": [CLIENT, "other"], "azp": CLIENT}),
    "a float for a time": Claimed("accepted", {"auth_time": 1_700_000_000.5}),
    "another issuer": Claimed("oidc.issuer", {"iss": "https://evil.example"}),
    "an issuer with a slash more": Claimed("oidc.issuer", {"iss": "http://127.0.0.1/"}),
    "no issuer": Claimed("oidc.issuer", {"iss": ...}),
    "another audience": Claimed("oidc.audience", {"aud": "other"}),
    "no audience": Claimed("oidc.audience", {"aud": ...}),
    "an audience that is no text": Claimed("oidc.audience", {"aud": {"onepam": True}}),
    "a prefix of our id": Claimed("oidc.audience", {"aud": "onepam2"}),
    "many audiences": Claimed("oidc.audience", {"aud": [CLIENT, *(str(n) for n in range(50))], "azp": CLIENT}),
    "several audiences, for nobody": Claimed("oidc.audience", {"aud": [CLIENT, "other"]}),
    "issued to another victim": Claimed("oidc.audience", {"azp": "other"}),
    "another nonce": Claimed("oidc.nonce", {"nonce": "x" * 43}),
    "no nonce": Claimed("oidc.nonce", {"nonce": ...}),
    "a nonce that is no text": Claimed("oidc.nonce", {"nonce": ["x"]}),
    "no subject": Claimed("oidc.claim_missing", {"sub": ...}),
    "an empty subject": Claimed("oidc.claim_missing", {"sub": ""}),
    "a subject with a control": Claimed("oidc.claim_missing", {"sub": "root\n"}),
    "a long subject": Claimed("oidc.claim_missing", {"sub": "x" * 256}),
    "no expiry": Claimed("oidc.claim_missing", {"exp": ...}),
    "an expiry that is no time": Claimed("oidc.claim_missing", {"exp": "tomorrow"}),
    "an expiry without end": Claimed("oidc.claim_missing", {"exp": 10**18}),
    "true as a time": Claimed("oidc.claim_missing", {"exp": True}),
    "no time of issue": Claimed("oidc.claim_missing", {"iat": ...}),
    "a start that is no time": Claimed("oidc.claim_missing", {"nbf": "now"}),
    "expired long ago": Claimed("oidc.expired", {"exp": 1_700_000_000}),
    "issued long ago": Claimed("oidc.clock", {"iat": 1_700_000_000}),
    "the hash of another access token": Claimed("oidc.at_hash", {"at_hash": at_hash("another")}),
    "a hash that is none": Claimed("oidc.at_hash", {"at_hash": None}),
    "the right hash": Claimed("accepted", {"at_hash": at_hash(ACCESS_TOKEN)}),
    "an auth_time that is none": Claimed("oidc.auth_time", {"auth_time": "today"}),
    "an acr that is an object (it attests nothing)": Claimed("accepted", {"acr": {"mfa": True}}),
    "an amr that is an object (it attests nothing)": Claimed("accepted", {"amr": {"mfa": True}}),
    "an amr of objects (it attests nothing)": Claimed("accepted", {"amr": [{"mfa": True}]}),
    "a sid with a control": Claimed("oidc.claim", {"sid": "a\u0000"}),
    "nothing instead of an acr": Claimed("accepted", {"acr": None, "sid": None, "amr": None}),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", CLAIMS)
async def test_claims(victim: RelyingParty, hostile: Hostile, name: str) -> None:
    begun = await begun_at(victim, hostile)
    hostile.gives(minted(hostile.claims(begun, **CLAIMS[name].claims)))
    assert outcome_of(await finished(victim, hostile, begun)) == CLAIMS[name].expected


def header(**members: Any) -> str:
    return b64(json.dumps(members).encode())


def signatures(good: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Name -> token, what becomes of it. The provider publishes RSA as `one` and EC as `two`."""
    forged = minted(good, OTHER)
    honest = minted(good)
    head, body, signature = honest.split(".")
    other_body = b64(json.dumps(good | {"sub": "admin"}).encode())
    return {
        "as it should be": (honest, "accepted"),
        "by the other key": (minted(good, EC, "ES256", "two"), "accepted"),
        "with a type": (minted(good, typ="JWT"), "accepted"),
        "with a thumbprint": (minted(good, x5t="abc"), "accepted"),
        "alg none": (minted(good, algorithm="none"), "oidc.token"),
        "alg none with a signature": (f"{b64(b'{}')}.{body}.{signature}", "oidc.algorithm"),
        "alg none in capitals": (f"{header(alg='NONE', kid='one')}.{body}.xx", "oidc.algorithm"),
        "the public key as a shared secret": (minted(good, HS, "HS256"), "oidc.algorithm"),
        "an algorithm that is not announced": (minted(good, RSA, "RS512"), "oidc.algorithm"),
        "somebody else's key under the right id": (forged, "oidc.signature"),
        "another key of the provider": (minted(good, EC, "ES256", "one"), "oidc.unknown_key"),
        "an unknown key": (minted(good, kid="three"), "oidc.unknown_key"),
        "an id that is no text": (f"{header(alg='RS256', kid=['one'])}.{body}.{signature}", "oidc.token"),
        "an id that is a path": (minted(good, kid="../../dev/null"), "oidc.unknown_key"),
        "no id, one key fits": (minted(good, kid=None), "accepted"),
        "claims exchanged": (f"{head}.{other_body}.{signature}", "oidc.signature"),
        "a signature cut short": (f"{head}.{body}.{signature[:-8]}", "oidc.signature"),
        "no signature": (f"{head}.{body}.", "oidc.token"),
        "two parts": (f"{head}.{body}", "oidc.token"),
        "five parts, encrypted": (f"{head}.{body}.{signature}.{body}.{head}", "oidc.token"),
        "a line feed": (honest + "\n", "oidc.token"),
        "padding": (f"{head}=.{body}.{signature}", "oidc.token"),
        "nothing": ("", "oidc.token"),
        "a key set address": (minted(good, OTHER, jku="http://127.0.0.1/jwks"), "oidc.token"),
        "its own key": (minted(good, OTHER, jwk=public(OTHER)), "oidc.token"),
        "a certificate's address": (minted(good, OTHER, x5u="http://127.0.0.1/"), "oidc.token"),
        "its own certificate": (minted(good, OTHER, x5c=["MII"]), "oidc.token"),
        "an extension": (minted(good, crit=["exp"]), "oidc.token"),
        "an unencoded payload": (minted(good, b64=False), "oidc.token"),
        "a logout token's type": (minted(good, typ="logout+jwt"), "oidc.token"),
        "an access token's type": (minted(good, typ="at+jwt"), "oidc.token"),
        "claims that are a list": (minted(b"[]"), "oidc.token"),
        "claims twice": (minted(b'{"sub":"a","sub":"b"}'), "oidc.token"),
        "claims without bound": (minted(b'{"a":' * 50 + b"1" + b"}" * 50), "oidc.token"),
        "claims that are not UTF-8": (minted(b'{"sub":"\xff"}'), "oidc.token"),
        "too large": (minted(good | {"x": "y" * MAX_TOKEN_CHARACTERS}), "oidc.exchange"),
        "a long header": (minted(good, kid="one", x="y" * 5_000), "oidc.token"),
    }


@pytest.mark.anyio
async def test_signatures(victim: RelyingParty, hostile: Hostile) -> None:
    begun = await begun_at(victim, hostile)
    for name, (token, expected) in signatures(hostile.claims(begun)).items():
        hostile.gives(token)
        assert outcome_of(await finished(victim, hostile, begun)) == expected, name


@pytest.mark.anyio
async def test_clocks_may_differ_by_a_minute(victim: RelyingParty, hostile: Hostile) -> None:
    begun = await begun_at(victim, hostile)
    second = begun.at // SECOND
    for claims, expected in (
        ({"iat": second + 59, "nbf": second + 59}, "accepted"),
        ({"iat": second + 62}, "oidc.clock"),
        ({"nbf": second + 62}, "oidc.clock"),
        ({"iat": second - 59}, "accepted"),
        ({"iat": second - 62}, "oidc.clock"),
        ({"exp": second - 58}, "accepted"),
        ({"exp": second - 62}, "oidc.expired"),
        ({"auth_time": second + 62}, "oidc.auth_time"),
    ):
        hostile.gives(minted(hostile.claims(begun, **claims)))
        assert outcome_of(await finished(victim, hostile, begun)) == expected, claims


@pytest.mark.anyio
async def test_how_fresh_the_sign_in_must_be(victim: RelyingParty, hostile: Hostile) -> None:
    begun = await begun_at(victim, hostile, max_age=600)
    second = begun.at // SECOND
    for claims, expected in (
        ({"auth_time": second - 600}, "accepted"),
        ({"auth_time": second - 659}, "accepted"),
        ({"auth_time": second - 662}, "oidc.auth_time"),
        ({}, "oidc.auth_time"),
    ):
        hostile.gives(minted(hostile.claims(begun, **claims)))
        assert outcome_of(await finished(victim, hostile, begun)) == expected, claims
