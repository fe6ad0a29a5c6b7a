"""Logout tokens that would end sessions of others, or end them twice."""

from typing import Any

import pytest

from onepam.identity.oidc.logout import EVENT, LogoutNotice
from onepam.identity.oidc.relying_party import RelyingParty
from onepam.kernel.clock import SECOND
from tests.identity.oidc.flow import now
from tests.identity.oidc.hostile import (
    CLIENT,
    OTHER,
    RSA,
    Hostile,
    minted,
    outcome_of,
)

HS = RSA.as_pem(private=False)
"""The provider's public key, misused as a shared secret."""


LOGOUTS: dict[str, tuple[dict[str, Any], str]] = {
    "as it should be": ({}, "accepted"),
    "of all sessions": ({"sid": ...}, "accepted"),
    "of one session": ({"sub": ...}, "accepted"),
    "without an expiry, as older ones": ({"exp": ...}, "accepted"),
    "of nobody": ({"sub": ..., "sid": ...}, "oidc.logout"),
    "with a nonce": ({"nonce": "x"}, "oidc.logout"),
    "without events": ({"events": ...}, "oidc.logout"),
    "with another event": ({"events": {"https://example.com/other": {}}}, "oidc.logout"),
    "with an event that is no object": ({"events": {EVENT: True}}, "oidc.logout"),
    "with events as a list": ({"events": [EVENT]}, "oidc.logout"),
    "without an id": ({"jti": ...}, "oidc.logout"),
    "with an empty id": ({"jti": ""}, "oidc.logout"),
    "with a sid that is no text": ({"sid": 5}, "oidc.logout"),
    "with a long sid": ({"sid": "x" * 300}, "oidc.logout"),
    "of another issuer": ({"iss": "https://evil.example"}, "oidc.issuer"),
    "for another client": ({"aud": "other"}, "oidc.audience"),
    "without a time": ({"iat": ...}, "oidc.claim_missing"),
    "of the future": ({"iat": 4_000_000_000}, "oidc.clock"),
    "of the past": ({"iat": 1_700_000_000}, "oidc.clock"),
    "expired": ({"exp": 1_700_000_000}, "oidc.expired"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", LOGOUTS)
async def test_logout_tokens(victim: RelyingParty, hostile: Hostile, name: str) -> None:
    changes, expected = LOGOUTS[name]
    second = now() // SECOND
    claims = {
        "iss": hostile.issuer, "aud": CLIENT, "iat": second, "exp": second + 120, "jti": "j-1", "sub": "somebody",
        "sid": "s-1", "events": {EVENT: {}},
    }  # fmt: skip
    token = minted({name: value for name, value in (claims | changes).items() if value is not ...}, typ="logout+jwt")
    outcome = await victim.logout_notice(hostile.settings(), token, now())
    assert outcome_of(outcome) == expected
    if isinstance(outcome, LogoutNotice):
        assert (outcome.subject or outcome.session) in ("somebody", "s-1")


@pytest.mark.anyio
async def test_logout_tokens_signed_by_somebody_else(victim: RelyingParty, hostile: Hostile) -> None:
    claims = {
        "iss": hostile.issuer,
        "aud": CLIENT,
        "iat": now() // SECOND,
        "jti": "j",
        "sub": "s",
        "events": {EVENT: {}},
    }
    for token, expected in (
        (minted(claims, OTHER), "oidc.signature"),
        (minted(claims, algorithm="none"), "oidc.token"),
        (minted(claims, HS, "HS256"), "oidc.algorithm"),
        (minted(claims, typ="secevent+jwt"), "oidc.token"),
        (minted(claims), "accepted"),
    ):
        assert outcome_of(await victim.logout_notice(hostile.settings(), token, now())) == expected
