"""Anything at all as a token, a header, claims, a query: a refusal or an assertion, never an exception."""

import asyncio
import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.egress.egress import Egress
from onepam.egress.fetch import Fetch
from onepam.identity.oidc.json_object import json_object
from onepam.identity.oidc.logout import LogoutNotice
from onepam.identity.oidc.relying_party import Begun, Received, RelyingParty
from onepam.kernel.errors import Refused
from tests.identity.oidc.flow import now
from tests.identity.oidc.hostile import (
    Hostile,
    b64,
    begun_at,
    finished,
    hostile_provider,
    minted,
    outcome_of,
)


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[tuple[asyncio.AbstractEventLoop, RelyingParty, Hostile, Begun]]:
    loop = asyncio.new_event_loop()
    with hostile_provider() as provider:
        fetch = Fetch(provider.egress)
        party = RelyingParty(fetch)
        begun = loop.run_until_complete(begun_at(party, provider))
        yield loop, party, provider, begun
        loop.run_until_complete(fetch.aclose())
    loop.close()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
CLAIM_NAMES = st.sampled_from(
    ("iss", "aud", "azp", "sub", "exp", "iat", "nbf", "nonce", "at_hash", "auth_time", "acr", "amr", "sid", "jti",
     "events", "email", "email_verified", "name", "groups", "realm_access", "_claim_names", "hasgroups")
)  # fmt: skip


@given(text=st.text() | st.binary().map(lambda data: f"{b64(data)}.{b64(data)}.{b64(data)}"))
def test_any_text_as_a_token(fuzzed: Any, text: str) -> None:
    loop, party, provider, begun = fuzzed
    assert isinstance(loop.run_until_complete(party.logout_notice(provider.settings(), text, begun.at)), Refused)


@settings(max_examples=200)
@given(header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "jku", "crit", "x"]), JSON, max_size=4))
def test_any_header(fuzzed: Any, header: dict[str, Any]) -> None:
    loop, party, provider, begun = fuzzed
    token = f"{b64(json.dumps({'alg': 'RS256', **header}).encode())}.{b64(b'{}')}.{b64(b'x' * 256)}"
    assert isinstance(loop.run_until_complete(party.logout_notice(provider.settings(), token, begun.at)), Refused)


@settings(max_examples=150)
@given(changes=st.dictionaries(CLAIM_NAMES, JSON, max_size=4))
def test_any_claims_under_a_good_signature(fuzzed: Any, changes: dict[str, Any]) -> None:
    loop, party, provider, begun = fuzzed
    token = minted(provider.claims(begun) | changes)
    fields = {"claims": {"user_name": "sub", "groups": "realm_access.roles", "email_verified": "email_verified"}}
    provider.gives(token)
    outcome = loop.run_until_complete(finished(party, provider, begun, **fields))
    assert isinstance(outcome, Received | Refused)
    noticed = loop.run_until_complete(party.logout_notice(provider.settings(), token, begun.at))
    assert isinstance(noticed, LogoutNotice | Refused)


@given(query=st.text() | st.binary().map(lambda data: "".join(f"%{byte:02x}" for byte in data)), tail=st.text())
def test_any_query(fuzzed: Any, query: str, tail: str) -> None:
    loop, party, provider, begun = fuzzed
    for sent in (query, f"state={begun.state}&{query}", f"state={begun.state}&error={tail}"):
        assert isinstance(loop.run_until_complete(party.finish(provider.settings(), sent, begun, begun.at)), Refused)


@given(data=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_as_json(data: bytes) -> None:
    assert isinstance(json_object(data), dict | None)


@pytest.mark.parametrize(
    "data",
    [b'{"a":NaN}', b'{"a":1e999}', b'{"a":%s}' % (b"9" * 30), b'{"a":"\\ud800"}', b'{"a":1,"a":2}', b"[" * 9_999],
)
def test_json_without_bounds(data: bytes) -> None:
    assert json_object(data) is None


def test_the_metadata_service_as_an_issuer() -> None:
    async def begin() -> Begun | Refused:
        fetch = Fetch(Egress())
        with hostile_provider() as provider:
            settings = provider.settings(issuer="https://169.254.169.254")
            outcome = await RelyingParty(fetch).begin(settings, secrets.token_bytes, now())
        await fetch.aclose()
        return outcome

    assert outcome_of(asyncio.run(begin())) == "fetch.address"
