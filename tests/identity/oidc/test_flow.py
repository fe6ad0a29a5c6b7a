"""Signing in and out at a real provider: code and PKCE over HTTP, its claims, its keys, its faults."""

import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from onepam.domain.providers.assertion import Assertion
from onepam.egress.egress import Egress
from onepam.egress.fetch import Fetch
from onepam.identity.oidc import discovery
from onepam.identity.oidc.logout import LogoutNotice
from onepam.identity.oidc.relying_party import SEEN_LATELY, Begun, Received, RelyingParty
from onepam.identity.oidc.settings import OidcSettings
from onepam.kernel.clock import MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from tests.identity.oidc.flow import CONSOLE, PROVIDER, REDIRECT_URI, Browser, logout_receiver, now, settings_for
from tests.oidc_provider.provider import Account, OidcProvider, running_oidc_provider

pytestmark = pytest.mark.anyio

BEA = Account(
    claims={
        "preferred_username": "bea", "email": "bea@example.com", "email_verified": True, "name": "Bea Lindt",
        "groups": ["Engineering", "On call"], "realm_access": {"roles": ["dba"]},
    },
    userinfo={"department": "shop"},
    amr=("pwd", "mfa"), acr="urn:example:two", age=40,
)  # fmt: skip


@pytest.fixture(scope="module")
def logout_tokens() -> Iterator[tuple[str, list[str]]]:
    with logout_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory, logout_tokens: tuple[str, list[str]]) -> Iterator[OidcProvider]:
    log = tmp_path_factory.mktemp("oidc") / "provider.log"
    with running_oidc_provider(
        log,
        redirect_uri=REDIRECT_URI,
        backchannel_logout_uri=logout_tokens[0],
        post_logout_redirect_uri=f"{CONSOLE}/sign-in",
        accounts={"bea-1": BEA},
    ) as running:
        yield running


@pytest.fixture
async def party(provider: OidcProvider) -> AsyncIterator[RelyingParty]:
    fetch = Fetch(provider.egress)
    yield RelyingParty(fetch)
    await fetch.aclose()


async def signed_in(
    party: RelyingParty, settings: OidcSettings, login: str = "bea-1", browser: Browser | None = None, **wanted: Any
) -> Received | Refused:
    begun = await party.begin(settings, secrets.token_bytes, now(), **wanted)
    assert isinstance(begun, Begun), begun
    query = await (browser or Browser()).signs_in(begun.url, login)
    return await party.finish(settings, query, begun, now())


async def test_nobody_is_sent_to_a_provider_that_stopped_answering(party: RelyingParty, provider: OidcProvider) -> None:
    """What it said of itself an hour ago is no reason to send a browser to a dead address."""
    settings, begins = settings_for(provider), now()
    later = Instant(begins + SEEN_LATELY)
    assert isinstance(await party.begin(settings, secrets.token_bytes, begins), Begun)
    provider.answer("/.well-known/openid-configuration", status=503)
    try:
        assert isinstance(await party.begin(settings, secrets.token_bytes, later), Refused)
        assert isinstance(await party.sign_out_url(settings, Instant(later + 1)), Refused)
    finally:
        provider.answer("/.well-known/openid-configuration")
    assert isinstance(await party.begin(settings, secrets.token_bytes, Instant(later + SEEN_LATELY)), Begun)


async def test_somebody_signs_in(party: RelyingParty, provider: OidcProvider) -> None:
    received = await signed_in(party, settings_for(provider, claims={"groups": "groups"}))
    assert isinstance(received, Received), received
    said = received.assertion
    assert said.unique
    assert said.provider_session
    assert 35 * SECOND < now() - said.authenticated_at < 60 * SECOND
    assert said == Assertion(
        PROVIDER, "bea-1", "bea", "bea@example.com", "Bea Lindt", ("Engineering", "On call"), ("pwd", "mfa"),
        "urn:example:two", said.authenticated_at, said.unique, said.provider_session,
    )  # fmt: skip
    assert received.claims["aud"] == provider.client_id
    assert "department" not in received.claims


async def test_an_answer_is_of_one_browser_and_of_use_once(party: RelyingParty, provider: OidcProvider) -> None:
    settings = settings_for(provider)
    mine, other = [await party.begin(settings, secrets.token_bytes, now()) for _ in range(2)]
    assert isinstance(mine, Begun)
    assert isinstance(other, Begun)
    query = await Browser().signs_in(mine.url, "bea-1")
    assert code(await party.finish(settings, query, other, now())) == "oidc.state"
    assert isinstance(await party.finish(settings, query, mine, now()), Received)
    assert code(await party.finish(settings, query, mine, now())) == "oidc.exchange"
    stolen = await Browser().signs_in(other.url, "bea-1")
    injected = stolen.replace(other.state, mine.state)  # somebody else's code under one's own state: PKCE
    assert code(await party.finish(settings, injected, mine, now())) == "oidc.exchange"


async def test_an_answer_of_another_provider(party: RelyingParty, provider: OidcProvider) -> None:
    settings = settings_for(provider)
    begun = await party.begin(settings, secrets.token_bytes, now())
    assert isinstance(begun, Begun)
    query = await Browser().signs_in(begun.url, "bea-1")
    fields = {name: values[0] for name, values in parse_qs(query).items()}
    assert fields["iss"] == provider.issuer
    for wrong in (fields | {"iss": "https://evil.example"}, {n: v for n, v in fields.items() if n != "iss"}):
        refused = await party.finish(settings, urlencode(wrong), begun, now())
        assert code(refused) == "oidc.issuer"
    elsewhere = replace(settings, provider="pro_other")
    assert code(await party.finish(elsewhere, query, begun, now())) == "oidc.state"
    twice = f"{query}&code=another"
    assert code(await party.finish(settings, twice, begun, now())) == "oidc.answer"
    assert (
        code(await party.finish(settings, f"state={begun.state}&iss={provider.issuer}", begun, now())) == "oidc.answer"
    )
    assert isinstance(await party.finish(settings, query, begun, now()), Received)


async def test_who_cancels_at_the_provider_is_told_so(party: RelyingParty, provider: OidcProvider) -> None:
    settings = settings_for(provider)
    begun = await party.begin(settings, secrets.token_bytes, now())
    assert isinstance(begun, Begun)
    query = await Browser().signs_in(begun.url, "", action="cancel")
    refused = await party.finish(settings, query, begun, now())
    assert isinstance(refused, Refused)
    assert refused.code == "oidc.provider_error"
    assert refused.message == (
        "The sign-in was cancelled, or the provider does not let you into this application. "
        "It says: the person cancelled"
    )
    silent = await party.begin(settings, secrets.token_bytes, now(), prompt="none")
    assert isinstance(silent, Begun)
    refused = await party.finish(settings, await Browser().signs_in(silent.url, ""), silent, now())
    assert isinstance(refused, Refused)
    assert refused.code == "oidc.provider_error"
    assert refused.message.startswith("The provider wants you to sign in there first.")


async def test_a_fresh_sign_in_is_asked_for_and_checked(party: RelyingParty, provider: OidcProvider) -> None:
    settings, browser = settings_for(provider), Browser()
    provider.person("old-1", claims={"preferred_username": "old"}, age=3600)
    assert isinstance(await signed_in(party, settings, "old-1", browser), Received)
    begun = await party.begin(settings, secrets.token_bytes, now(), max_age=600)
    assert isinstance(begun, Begun)
    page = await browser.goes_to(begun.url)
    assert not isinstance(page, str), "the provider asks again"
    plain = await party.begin(settings, secrets.token_bytes, now())
    assert isinstance(plain, Begun)
    query = await browser.signs_in(plain.url, "old-1")  # max_age taken out of the address on its way
    refused = await party.finish(settings, query, replace(plain, max_age=600), now())
    assert code(refused) == "oidc.auth_time"
    provider.person("new-1", claims={"preferred_username": "new"})
    received = await signed_in(party, settings, "new-1", max_age=600, prompt="login", acr_values=("urn:example:two",))
    assert isinstance(received, Received)
    assert parse_qs(urlsplit(begun.url).query)["max_age"] == ["600"]


@pytest.mark.parametrize("algorithm", ["PS256", "ES256", "ES384", "EdDSA", "RS256"])
async def test_algorithms_and_new_keys_without_a_restart(
    party: RelyingParty, provider: OidcProvider, algorithm: str
) -> None:
    provider.sign_with(algorithm)
    assert isinstance(await signed_in(party, settings_for(provider)), Received)


async def test_keys_rotate_without_a_restart(party: RelyingParty, provider: OidcProvider) -> None:
    """At most one look a minute for a key that is not known."""
    settings = settings_for(provider)
    assert isinstance(await signed_in(party, settings), Received)
    provider.rotate_keys()
    assert code(await signed_in(party, settings)) == "oidc.unknown_key"
    begun = await party.begin(settings, secrets.token_bytes, now())
    assert isinstance(begun, Begun)
    query = await Browser().signs_in(begun.url, "bea-1")
    soon = Instant(now() + 61 * SECOND)
    assert isinstance(await party.finish(settings, query, begun, soon), Received)


async def test_userinfo_adds_and_never_replaces(party: RelyingParty, provider: OidcProvider) -> None:
    provider.person(
        "uma-1",
        claims={"preferred_username": "uma", "email": "uma@example.com"},
        userinfo={"groups": ["Ops"], "email_verified": True, "email": "other@example.com", "amr": ["mfa"]},
        amr=("pwd",),
    )
    settings = settings_for(provider, userinfo=True, claims={"groups": "groups"})
    for kind in ("json", "signed"):
        provider.control(userinfo=kind)
        received = await signed_in(party, settings, "uma-1")
        assert isinstance(received, Received), received
        assert received.assertion.groups == ("Ops",)
        assert received.assertion.email is None, "another address is verified than the one in the ID token"
        assert received.assertion.methods == ("pwd",)
    provider.control(userinfo="json")
    without = await signed_in(party, settings_for(provider, claims={"groups": "groups"}), "uma-1")
    assert isinstance(without, Received)
    assert (without.assertion.groups, without.assertion.email) == ((), None)
    provider.person(
        "uma-1", claims={"preferred_username": "uma", "email": "uma@example.com"}, userinfo={"email_verified": True}
    )
    received = await signed_in(party, settings, "uma-1")
    assert isinstance(received, Received)
    assert received.assertion.email == "uma@example.com"


async def test_userinfo_about_somebody_else(party: RelyingParty, provider: OidcProvider) -> None:
    settings = settings_for(provider, userinfo=True)
    for body, expected in (
        (b'{"sub":"somebody"}', "oidc.userinfo"), (b"{}", "oidc.userinfo"), (b"[1]", "oidc.userinfo"),
    ):  # fmt: skip
        provider.answer("/me", body=body.decode())
        assert code(await signed_in(party, settings)) == expected
    provider.answer("/me", body="a.b.c", type="application/jwt")
    assert code(await signed_in(party, settings)) == "oidc.token"
    provider.answer("/me", status=503)
    assert code(await signed_in(party, settings)) == "oidc.userinfo"
    provider.answer("/me")


async def test_ways_to_prove_the_client(party: RelyingParty, provider: OidcProvider) -> None:
    for method in ("client_secret_basic", ""):
        assert isinstance(await signed_in(party, settings_for(provider, client_authentication=method)), Received)
    refused = await signed_in(party, settings_for(provider, secret="wrong"))
    assert isinstance(refused, Refused)
    assert refused.code == "oidc.client"
    assert "client id and secret" in refused.message


async def test_a_provider_that_is_down_slow_or_odd(provider: OidcProvider) -> None:
    settings = settings_for(provider)
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("/.well-known/openid-configuration", {"status": 503}, "oidc.discovery"),
        ("/.well-known/openid-configuration", {"status": 302, "location": "http://169.254.169.254/"}, "fetch.redirect"),
        ("/.well-known/openid-configuration", {"body": "x" * (discovery.LIMIT_BYTES + 1)}, "fetch.too_large"),
        ("/jwks", {"status": 500}, "oidc.keys"),
        ("/jwks", {"body": "{}"}, "oidc.keys"),
        ("/token", {"status": 502, "body": "<html>"}, "oidc.exchange"),
        ("/token", {"status": 200, "body": "{}"}, "oidc.exchange"),
        ("/token", {"status": 307, "location": "/elsewhere"}, "fetch.redirect"),
    )
    for path, instead, expected in cases:
        fetch = Fetch(provider.egress)
        party = RelyingParty(fetch)
        provider.answer(path, **instead)
        try:
            begun = await party.begin(settings, secrets.token_bytes, now())
            if isinstance(begun, Begun):
                assert path in ("/jwks", "/token")
                query = await Browser().signs_in(begun.url, "bea-1")
                assert code(await party.finish(settings, query, begun, now())) == expected, path
            else:
                assert begun.code == expected, path
        finally:
            provider.answer(path)
            await fetch.aclose()


async def test_what_is_known_serves_while_the_provider_is_down(party: RelyingParty, provider: OidcProvider) -> None:
    settings = settings_for(provider)
    begun = await party.begin(settings, secrets.token_bytes, now())
    provider.answer("/.well-known/openid-configuration", status=503)
    try:
        assert isinstance(await party.begin(settings, secrets.token_bytes, now()), Begun)
        later = Instant(now() + 61 * MINUTE)
        assert code(await party.begin(settings, secrets.token_bytes, later)) == "oidc.discovery"
    finally:
        provider.answer("/.well-known/openid-configuration")
    assert isinstance(begun, Begun)
    back = Instant(later + 6 * SECOND)
    assert isinstance(await party.begin(settings, secrets.token_bytes, back), Begun)


async def test_a_provider_at_an_address_that_is_not_let_out(provider: OidcProvider) -> None:
    fetch = Fetch(Egress())
    refused = await RelyingParty(fetch).begin(settings_for(provider), secrets.token_bytes, now())
    await fetch.aclose()
    assert code(refused) == "fetch.address"


async def test_signing_out_at_the_provider_by_the_browser(
    party: RelyingParty, provider: OidcProvider, logout_tokens: tuple[str, list[str]]
) -> None:
    settings, browser = settings_for(provider), Browser()
    received = await signed_in(party, settings, browser=browser)
    assert isinstance(received, Received)
    logout_tokens[1].clear()
    hinted = await party.sign_out_url(settings, now(), id_token=received.id_token, state="back")
    assert isinstance(hinted, str)
    assert "id_token_hint" in parse_qs(urlsplit(hinted).query)
    plain = await party.sign_out_url(settings, now(), state="back")
    assert isinstance(plain, str)
    assert "id_token_hint" not in parse_qs(urlsplit(plain).query)
    assert await browser.signs_out(hinted) == f"{CONSOLE}/sign-in?state=back"
    notice = await party.logout_notice(settings, logout_tokens[1][0], now())
    assert isinstance(notice, LogoutNotice), notice
    assert notice.session == received.assertion.provider_session
    page = await browser.goes_to((await started(party, settings)).url)
    assert not isinstance(page, str), "it asks for the login again"


async def test_the_provider_ends_a_session(
    party: RelyingParty, provider: OidcProvider, logout_tokens: tuple[str, list[str]]
) -> None:
    settings = settings_for(provider)
    received = await signed_in(party, settings)
    assert isinstance(received, Received)
    logout_tokens[1].clear()
    assert provider.sign_out("bea-1", received.assertion.provider_session)
    notice = await party.logout_notice(settings, logout_tokens[1][0], now())
    assert isinstance(notice, LogoutNotice), notice
    assert (notice.subject, notice.session) == ("bea-1", received.assertion.provider_session)
    assert notice.forget_at > notice.issued
    late = Instant(now() + 20 * MINUTE)
    assert code(await party.logout_notice(settings, logout_tokens[1][0], late)) == "oidc.clock"
    id_token = received.id_token.reveal().decode()
    assert code(await party.logout_notice(settings, id_token, now())) == "oidc.logout"


async def started(party: RelyingParty, settings: OidcSettings) -> Begun:
    begun = await party.begin(settings, secrets.token_bytes, now())
    assert isinstance(begun, Begun)
    return begun


def code(outcome: object) -> str:
    return outcome.code if isinstance(outcome, Refused) else f"accepted: {outcome!r}"
