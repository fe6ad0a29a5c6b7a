"""Providers that publish odd keys, point inwards, contradict themselves, dawdle or flood."""

import secrets
from typing import Any

import pytest

from onepam.identity.oidc import discovery
from onepam.identity.oidc.relying_party import Received, RelyingParty
from onepam.kernel.clock import MINUTE, SECOND, Instant
from tests.identity.oidc.flow import now
from tests.identity.oidc.hostile import (
    ACCESS_TOKEN,
    CLIENT,
    OTHER,
    RSA,
    Answer,
    Hostile,
    at_hash,
    b64,
    begun_at,
    finished,
    minted,
    outcome_of,
    public,
)

KEY_SETS: dict[str, tuple[Any, str]] = {
    "the key": ([public(RSA)], "accepted"),
    "the key for that algorithm": ([public(RSA, alg="RS256")], "accepted"),
    "the key for another algorithm": ([public(RSA, alg="PS256")], "oidc.unknown_key"),
    "the key for encryption": ([public(RSA, use="enc")], "oidc.unknown_key"),
    "the key for other operations": ([public(RSA, use=..., key_ops=["sign"])], "oidc.unknown_key"),
    "two keys under one id": ([public(RSA), public(OTHER)], "oidc.unknown_key"),
    "a private key": ([RSA.as_dict(private=True) | {"kid": "one"}], "oidc.keys"),
    "a shared secret": ([{"kty": "oct", "k": "c2VjcmV0", "kid": "one"}], "oidc.unknown_key"),
    "a short key": ([public(RSA, n=b64(b"\xff" * 128))], "oidc.unknown_key"),
    "a slightly short key": ([public(RSA, n=b64(b"\x7f" + b"\xff" * 255))], "oidc.unknown_key"),
    "a slow exponent": ([public(RSA, e="A" * 200)], "oidc.unknown_key"),
    "a key that is none": ([public(RSA, n="AA")], "oidc.unknown_key"),
    "parts that are no text": ([public(RSA, n=5), public(RSA, kid=7), 3], "oidc.unknown_key"),
    "no keys": ([], "oidc.unknown_key"),
    "many keys": ([public(RSA)] * 51, "oidc.keys"),
    "no list": ({}, "oidc.keys"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", KEY_SETS)
async def test_key_sets(victim: RelyingParty, hostile: Hostile, name: str) -> None:
    keys, expected = KEY_SETS[name]
    hostile.answers["/jwks"] = Answer({"keys": keys})
    begun = await begun_at(victim, hostile)
    hostile.gives(minted(hostile.claims(begun)))
    assert outcome_of(await finished(victim, hostile, begun)) == expected


@pytest.mark.anyio
async def test_unknown_keys_do_not_make_us_a_hammer(victim: RelyingParty, hostile: Hostile) -> None:
    """One look at the keys a minute, whoever asks; a known key needs none."""
    begun = await begun_at(victim, hostile)
    settings, at = hostile.settings(), begun.at
    for number in range(20):
        token = minted({"iss": hostile.issuer}, OTHER, kid=f"unknown-{number}")
        assert outcome_of(await victim.logout_notice(settings, token, Instant(at + number))) == "oidc.unknown_key"
    assert hostile.asked.count("/jwks") == 1
    await victim.logout_notice(settings, token, Instant(at + MINUTE))
    assert hostile.asked.count("/jwks") == 2


@pytest.mark.anyio
async def test_token_answers(victim: RelyingParty, hostile: Hostile) -> None:
    begun = await begun_at(victim, hostile)
    good = minted(hostile.claims(begun))
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"token_type": "DPoP"}, "oidc.exchange"),
        ({"token_type": ...}, "oidc.exchange"),
        ({"id_token": ...}, "oidc.exchange"),
        ({"id_token": 5}, "oidc.exchange"),
        ({"id_token": "é"}, "oidc.exchange"),
        ({"access_token": ["x"]}, "oidc.exchange"),
        ({"access_token": "a\r\nX-Injected: 1"}, "oidc.exchange"),
        ({"access_token": ...}, "accepted"),
        ({"token_type": "bearer"}, "accepted"),
    )
    for changes, expected in cases:
        hostile.gives(**{"id_token": good, **changes})
        assert outcome_of(await finished(victim, hostile, begun)) == expected, changes
    hostile.gives(minted(hostile.claims(begun, at_hash=at_hash(ACCESS_TOKEN))), access_token=...)
    assert outcome_of(await finished(victim, hostile, begun)) == "oidc.at_hash"


CONFIGURATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "as it should be": ({}, "accepted"),
    "no optional parts": ({"userinfo_endpoint": None, "id_token_signing_alg_values_supported": None}, "accepted"),
    "another issuer": ({"issuer": "https://evil.example"}, "oidc.discovery"),
    "no issuer": ({"issuer": None}, "oidc.discovery"),
    "no token endpoint": ({"token_endpoint": None}, "oidc.discovery"),
    "no keys": ({"jwks_uri": None}, "oidc.discovery"),
    "keys at a file": ({"jwks_uri": "file:///etc/passwd"}, "oidc.discovery"),
    "an endpoint with credentials": ({"token_endpoint": "https://a:b@c/"}, "oidc.discovery"),
    "an endpoint that is a script": ({"authorization_endpoint": "javascript:alert(1)"}, "oidc.discovery"),
    "an endpoint that is no text": ({"authorization_endpoint": ["https://x/"]}, "oidc.discovery"),
    "an endpoint with a line feed": ({"authorization_endpoint": "https://x/\nSet-Cookie: a"}, "oidc.discovery"),
    "no code flow": ({"response_types_supported": ["id_token"]}, "oidc.discovery"),
    "plain PKCE": ({"code_challenge_methods_supported": ["plain"]}, "oidc.discovery"),
    "shared secrets only": ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "oidc.discovery"),
    "algorithms that are no list": ({"id_token_signing_alg_values_supported": "RS256"}, "oidc.discovery"),
    "lists of anything": ({"scopes_supported": [{}, 3], "acr_values_supported": 5}, "accepted"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", CONFIGURATIONS)
async def test_configurations(victim: RelyingParty, hostile: Hostile, name: str) -> None:
    changes, expected = CONFIGURATIONS[name]
    hostile.answers["/.well-known/openid-configuration"] = Answer(hostile.configuration(**changes))
    outcome = await victim.begin(hostile.settings(), secrets.token_bytes, now())
    assert outcome_of(outcome) == expected


@pytest.mark.anyio
async def test_endpoints_are_no_way_around_the_egress_rule(victim: RelyingParty, hostile: Hostile) -> None:
    """A provider that points inwards: the metadata service, link-local and loopback stay closed."""
    for target in ("https://169.254.169.254/latest", "https://[fe80::1]/x", "https://127.0.0.1:1/x", "https://[::1]/x"):
        for endpoint in ("token_endpoint", "jwks_uri", "userinfo_endpoint"):
            said = hostile.configuration(**{endpoint: target})
            hostile.answers["/.well-known/openid-configuration"] = Answer(said)
            fresh = RelyingParty(victim._fetch)
            begun = await begun_at(fresh, hostile)
            hostile.gives(minted(hostile.claims(begun)))
            outcome = await finished(fresh, hostile, begun, userinfo=True)
            assert outcome_of(outcome) == "fetch.address", (endpoint, target)


@pytest.mark.anyio
async def test_less_protected_endpoints_than_the_issuer() -> None:
    said = Hostile(443).configuration(issuer="https://idp.example")
    assert outcome_of(discovery._discovered(said, "https://idp.example")) == "oidc.discovery"
    safe = {name: value.replace("http:", "https:") if isinstance(value, str) else value for name, value in said.items()}
    assert outcome_of(discovery._discovered(safe, "https://idp.example")) == "accepted"


@pytest.mark.anyio
async def test_demanded_claims_come_from_the_signed_token(victim: RelyingParty, hostile: Hostile) -> None:
    fields = {"demands": {"hd": "example.com"}, "userinfo": True}
    hostile.answers["/me"] = Answer({"sub": "somebody", "hd": "example.com"})
    for claims, expected in (
        ({"hd": "example.com"}, "accepted"),
        ({"hd": "evil.example"}, "oidc.demand"),
        ({}, "oidc.demand"),
    ):
        begun = await begun_at(victim, hostile, **fields)
        assert "hd=example.com" in begun.url
        hostile.gives(minted(hostile.claims(begun, **claims)))
        assert outcome_of(await finished(victim, hostile, begun, **fields)) == expected


@pytest.mark.anyio
async def test_signed_userinfo(victim: RelyingParty, hostile: Hostile) -> None:
    begun = await begun_at(victim, hostile)
    hostile.gives(minted(hostile.claims(begun)))
    for token, expected in (
        (minted({"sub": "somebody"}), "accepted"),
        (minted({"sub": "somebody", "aud": CLIENT, "iss": hostile.issuer}), "accepted"),
        (minted({"sub": "somebody"}, OTHER), "oidc.signature"),
        (minted({"sub": "somebody"}, algorithm="none"), "oidc.token"),
        (minted({"sub": "somebody", "aud": "other"}), "oidc.audience"),
        (minted({"sub": "somebody", "iss": "https://evil.example"}), "oidc.issuer"),
        (minted({"sub": "another"}), "oidc.userinfo"),
        ("\ud800".encode("utf-8", "surrogatepass"), "oidc.token"),
    ):
        hostile.answers["/me"] = Answer(token, type="application/jwt")
        assert outcome_of(await finished(victim, hostile, begun, userinfo=True)) == expected
    hostile.gives(minted(hostile.claims(begun)), access_token=...)
    assert outcome_of(await finished(victim, hostile, begun, userinfo=True)) == "oidc.exchange"


@pytest.mark.anyio
async def test_a_second_factor_is_attested_by_the_signed_token_alone(victim: RelyingParty, hostile: Hostile) -> None:
    claims = {"sub": "somebody", "amr": ["mfa"], "acr": "phr", "auth_time": 1_700_000_000, "sid": "s", "name": "Bea"}
    hostile.answers["/me"] = Answer(claims)
    begun = await begun_at(victim, hostile)
    hostile.gives(minted(hostile.claims(begun)))
    received = await finished(victim, hostile, begun, userinfo=True)
    assert isinstance(received, Received)
    found = received.assertion
    assert (found.methods, found.context, found.provider_session, found.name) == ((), "", "", "Bea")
    assert found.authenticated_at == begun.at


@pytest.mark.anyio
async def test_a_failure_is_remembered_for_five_seconds(victim: RelyingParty, hostile: Hostile) -> None:
    well_known, at = "/.well-known/openid-configuration", now()
    hostile.answers[well_known] = Answer(b"x" * (discovery.LIMIT_BYTES + 1))
    assert outcome_of(await victim.begin(hostile.settings(), secrets.token_bytes, at)) == "fetch.too_large"
    hostile.answers[well_known] = Answer(hostile.configuration())
    for seconds, expected in ((4, "fetch.too_large"), (5, "accepted")):
        outcome = await victim.begin(hostile.settings(), secrets.token_bytes, Instant(at + seconds * SECOND))
        assert outcome_of(outcome) == expected
    assert hostile.asked.count(well_known) == 2
