"""Connecting a provider as administrators do it, against a real OpenID provider and real SAML metadata."""

import re
import secrets
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from html import unescape
from pathlib import Path

import pytest

from onepam.console.providers.provider_vendors import vendor_of
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import ProviderRule
from onepam.egress.egress import Admitted
from onepam.identity.saml.keys import new_key
from onepam.identity.saml.settings import SamlSettings
from onepam.kernel.clock import HOUR, Instant
from onepam.store.read import providers as rows
from tests.console.browsing import ORIGIN, Browser, Office, count, opened
from tests.identity.oidc.flow import Browser as ProviderBrowser
from tests.oidc_provider.provider import OidcProvider, running_oidc_provider

pytestmark = pytest.mark.anyio

OKTA, LAB = "idp_aaaaaaaaaaaaaaaa", "idp_bbbbbbbbbbbbbbbb"
EVE = {"preferred_username": "eve", "email": "eve@example.com", "email_verified": True, "name": "Eve Example"}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    with running_oidc_provider(
        tmp_path_factory.mktemp("oidc") / "log", redirect_uri=f"{ORIGIN}/sign-in/return/{OKTA}"
    ) as found:
        yield found


@pytest.fixture
async def office(tmp_path: Path, provider: OidcProvider) -> AsyncIterator[Office]:
    """The company today: providers live by the real clock."""
    async with opened(tmp_path, (Admitted.parse(f"127.0.0.1/32:{provider.port}"),)) as office:
        office.company.clock.now = Instant(int(time.time() * 1_000_000))
        yield office


def form(there: OidcProvider, **more: str) -> dict[str, str]:
    """What ada sends: the form as it is shown, and what she types."""
    shown = {name: value for name, value in vendor_of(ProviderKind.OIDC, "any-oidc").form().items() if value}
    return {
        **shown,
        "kind": "oidc", "preset": "any-oidc", "provider": OKTA, "name": "Okta", "issuer": there.issuer,
        "client_id": there.client_id, "secret": there.client_secret, "domains": "Example.com",
        "attests": "mfa", **more,
    }  # fmt: skip


async def proposed(ada: Browser, typed: dict[str, str]) -> str:
    """The change that the form made."""
    answer = await ada.post("/providers", **typed)
    assert answer.status_code == 303, answer.text[answer.text.find("alert-danger") :][:600]
    return str(answer.headers["Location"]).rpartition("/")[2]


async def signed_in_there(ada: Browser, change: str, login: str) -> str:
    """The page after a test sign-in at the provider."""
    going = await ada.post(f"/providers/{change}/test")
    assert going.status_code == 200
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', going.text)
    assert found, going.text
    assert "form-action 'self' http://127.0.0.1:" in going.headers["Content-Security-Policy"]
    query = await ProviderBrowser().signs_in(unescape(found[1]), login)
    return await ada.read(f"/sign-in/return/{OKTA}?{query}")


async def test_the_wizard_shows_exactly_what_to_type_at_the_vendor(office: Office) -> None:
    ada = await office.sign_in("ada")
    page = await ada.read("/providers/new")
    ways = re.findall(r'href="(/providers/new\?[^"]+)"', page)
    assert len(ways) == 10
    for way in ways:
        form_page = await ada.read(unescape(way))
        ident = re.search(r'name="provider" value="(idp_[a-z2-7]{16})"', form_page)
        assert ident, way
        assert f'data-copy="{ORIGIN}/sign-in/return/{ident[1]}"' in form_page
    assert "hd=example.com" in await ada.read("/providers/new?kind=oidc&preset=google-workspace")


async def test_a_provider_is_connected_by_two_administrators(office: Office, provider: OidcProvider) -> None:
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    change = await proposed(ada, form(provider))
    mine = await ada.read(f"/providers/proposed/{change}")
    assert "Nobody approves their own proposal" in mine
    assert provider.issuer in mine
    assert provider.client_secret not in mine
    assert "Nobody approves their own proposal" in await ada.refused(f"/approvals/{change}", decision="approve")
    assert "waits for another administrator: Okta" in await bob.read("/providers")
    assert f'action="/approvals/{change}"' in await bob.read(f"/providers/proposed/{change}")
    assert "in force" in await bob.approves(change, back="/providers")
    (found,) = await office.company.reader(rows.providers)
    assert found.provider.rule == ProviderRule(attests=("mfa",), domains=("example.com",), groups=True)
    assert found.provider.secret is not None
    assert provider.client_secret not in found.provider.secret + found.provider.settings
    assert "Okta" in await bob.read(f"/providers/{OKTA}")


async def test_a_change_shows_what_differs_and_keeps_the_secret(office: Office, provider: OidcProvider) -> None:
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    await bob.approves(await proposed(ada, form(provider)))
    first = await office.company.reader(rows.by_provider, None, OKTA)
    page = await bob.read(f"/providers/new?provider={OKTA}")
    assert 'value="example.com"' in page
    change = await proposed(bob, form(provider, secret="", attests="mfa otp"))
    second = await office.company.reader(rows.by_change, None, change)
    assert first is not None
    assert second is not None
    assert second.secret == first.secret
    page = await ada.read(f"/providers/proposed/{change}")
    changed = re.search(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    assert changed
    assert changed[1].count("<tr>") == 1
    assert "<del>mfa</del>" in changed[1]
    assert "<ins>mfa, otp</ins>" in changed[1]
    assert "Client secret" in await ada.read(
        f"/providers/proposed/{await proposed(bob, form(provider, secret='another one'))}"
    )
    no = await ada.done(f"/approvals/{change}", decision="deny", back="/providers")
    assert "It will not take effect" in no
    assert change not in no


async def test_a_proposal_is_changed_in_its_place(office: Office, provider: OidcProvider) -> None:
    ada = await office.sign_in("ada")
    first = await proposed(ada, form(provider, demands="tenant=a", max_age="60", acr_values="phr", joins="on"))
    page = await ada.read(f"/providers/new?change={first}")
    shown = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page)}
    assert shown["replaces"] == first
    assert (shown["demands"], shown["max_age"], shown["acr_values"]) == ("tenant=a", "60", "phr")
    assert re.search(r'name="joins" checked', page)
    assert shown["secret"] == ""
    second = await proposed(ada, form(provider, replaces=first, secret="", acr_values="phrh"))
    waiting = await office.company.reader(rows.proposals)
    assert [each.provider.change for each in waiting] == [second]
    assert waiting[0].provider.secret is not None
    assert (await ada.get("/providers/new?change=chg_nothing")).status_code == 404
    office.company.clock.advance(HOUR)
    answer = await ada.get("/providers/new?preset=okta&kind=oidc")
    assert answer.headers["Location"] == "/step-up?next=%2Fproviders%2Fnew%3Fpreset%3Dokta%26kind%3Doidc"


async def test_what_is_wrong_is_said_and_what_was_typed_stays(office: Office, provider: OidcProvider) -> None:
    ada = await office.sign_in("ada")
    for wrong, words in (
        ({"issuer": "https://127.0.0.1:1"}, "leads to an address that this gateway does not connect to"),
        ({"issuer": f"{provider.issuer}/elsewhere"}, "has no OpenID configuration"),
        ({"issuer": "okta"}, "The issuer is not an https address"),
        ({"attests": "pwd"}, "pwd names one factor or none"),
        ({"domains": "example"}, "mail domains, each like example.com"),
        ({"name": ""}, "name is empty"),
        ({"max_age": "soon"}, "max_age is a number of seconds"),
        ({"joins": "on", "domains": ""}, "only from mail domains"),
    ):
        answer = await ada.post("/providers", **form(provider, **wrong))
        assert answer.status_code == 422, wrong
        assert words in unescape(answer.text), wrong
        assert f'value="{provider.client_id}"' in answer.text
        assert provider.client_secret not in unescape(answer.text)
        assert re.search(r'name="kept_secret" value="[^"]+"', answer.text), "the secret has to be typed again"
    assert (await ada.post("/providers", **form(provider, provider="idp_../x"))).status_code == 422
    assert await office.company.reader(rows.proposals) == []


async def test_a_secret_typed_before_the_factor_was_shown_again_is_not_lost(
    office: Office, provider: OidcProvider
) -> None:
    ada = await office.sign_in("ada")
    office.company.clock.advance(HOUR)
    answer = await ada.post("/providers", **form(provider))
    assert answer.status_code == 422
    assert "Show it in a new tab" in answer.text
    kept = re.search(r'name="kept_secret" value="([^"]+)"', answer.text)
    assert kept
    ada = await office.sign_in("ada")
    change = await proposed(ada, form(provider, secret="", kept_secret=kept[1]))
    made = await office.company.reader(rows.by_change, None, change)
    assert made is not None
    assert made.secret == kept[1]
    answer = await ada.post("/providers", **form(provider, secret="", kept_secret=kept[1], provider=LAB))
    assert "The secret has lapsed" in answer.text


async def test_a_test_shows_what_came_and_opens_nothing(office: Office, provider: OidcProvider) -> None:
    provider.person("eve", claims={**EVE, "groups": ["Platform"]}, amr=("pwd", "mfa"))
    provider.person("guest", claims={"preferred_username": "guest", "email": "g@elsewhere.example", "groups": []})
    ada = await office.sign_in("ada")
    change = await proposed(ada, form(provider))
    opened_before = await office.company.reader(count, None, "sign_in.opened")
    page = await signed_in_there(ada, change, "eve")
    assert "Eve Example" in page
    assert "Attested by mfa" in page
    assert "Platform" in page
    assert "What is missing" not in page
    page = unescape(await signed_in_there(ada, change, "guest"))
    assert "this identity is not linked, and the provider vouches for no address" in page
    assert "people will step up here" in page
    assert "No address that the provider vouches for" in page
    assert "in no group" in page
    assert await office.company.reader(count, None, "sign_in.opened") == opened_before, "a test opens nothing"


async def test_a_test_is_of_its_own_browser(office: Office, provider: OidcProvider) -> None:
    provider.person("eve", claims=EVE)
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    change = await proposed(ada, form(provider))
    going = await ada.post(f"/providers/{change}/test")
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', going.text)
    assert found
    query = await ProviderBrowser().signs_in(unescape(found[1]), "eve")
    answer = await bob.get(f"/sign-in/return/{OKTA}?{query}")
    assert "Eve Example" not in answer.text
    assert (await bob.post("/providers/chg_nothing/test")).status_code == 404


def metadata(certificate: bytes, entity: str = "https://lab.example/idp") -> str:
    """A SAML provider's metadata with this certificate."""
    return f"""<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity}">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing">
<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>
{b64encode(certificate).decode()}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
 Location="https://lab.example/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>"""


async def ready(office: Office) -> SamlSettings:
    """The laboratory's provider as a sign-in uses it."""
    stored = await office.company.reader(rows.by_provider, None, LAB)
    assert stored is not None
    settings = office.services.providers.settings(stored)
    assert isinstance(settings, SamlSettings)
    return settings


def saml_form(**more: str) -> dict[str, str]:
    """What ada sends for the laboratory's provider."""
    shown = {name: value for name, value in vendor_of(ProviderKind.SAML, "any").form().items() if value}
    return {**shown, "kind": "saml", "preset": "any", "provider": LAB, "name": "Lab", **more}


async def test_a_saml_provider_gets_a_key_of_ours_which_is_changed_without_a_gap(office: Office) -> None:
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    theirs = new_key("lab.example", office.company.clock.now, secrets.token_bytes).certificate
    await bob.approves(await proposed(ada, saml_form(metadata=metadata(theirs))))
    settings = [await ready(office)]
    page = await ada.read("/providers")
    assert "1,094 days" in page
    assert "Signing certificate of the provider" in page
    assert f"{ORIGIN}/sign-in/metadata/{LAB}" in await ada.read(f"/providers/{LAB}")
    assert "Publish a second one beside it" in await ada.read(f"/providers/new?provider={LAB}")
    for how in ("add", "switch"):
        change = await proposed(ada, saml_form(our_key=how))
        assert "Our own keys" in await bob.read(f"/providers/proposed/{change}")
        await bob.approves(change)
        settings.append(await ready(office))
    first, both, second = (tuple(key.certificate for key in each.keys) for each in settings)
    assert both == (*first, *second), "both are published before the new one signs"
    assert {each.idp.entity_id for each in settings} == {"https://lab.example/idp"}
    going = await ada.post(f"/providers/{change}/test")
    assert "https://lab.example/sso?SAMLRequest=" in going.text
    assert "form-action 'self' https://lab.example" in going.headers["Content-Security-Policy"]


async def test_what_is_wrong_with_metadata_is_said(office: Office) -> None:
    ada = await office.sign_in("ada")
    for wrong, words in (
        ({}, "metadata is missing"),
        ({"metadata": "<html/>"}, "SAML"),
        ({"metadata": metadata(b"no certificate")}, "certificate"),
        ({"metadata_url": "https://127.0.0.1/metadata"}, "an address that this gateway does not connect to"),
        ({"metadata_url": "http://169.254.169.254/latest"}, "an address that this gateway does not connect to"),
        ({"metadata_url": "ftp://lab.example"}, "not an https address"),
    ):
        answer = await ada.post("/providers", **saml_form(**wrong))
        assert answer.status_code == 422, wrong
        alert = re.search(r'<div class="alert alert-danger".*?</div></div>', answer.text, re.DOTALL)
        assert alert, wrong
        assert words in unescape(alert[0]), alert[0]
    assert await office.company.reader(rows.proposals) == []


async def test_a_provider_that_does_not_answer_says_so(office: Office, provider: OidcProvider) -> None:
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    await bob.approves(await proposed(ada, form(provider)))
    assert "It cannot be used" not in await ada.read(f"/providers/{OKTA}")
    office.company.clock.advance(2 * HOUR)
    provider.answer("/.well-known/openid-configuration", status=503)
    try:
        assert "has no OpenID configuration" in await ada.read(f"/providers/{OKTA}")
    finally:
        provider.answer("/.well-known/openid-configuration")


async def test_a_declaration_and_a_removal(office: Office, provider: OidcProvider) -> None:
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    await bob.approves(await proposed(ada, form(provider, attests="")))
    page = await ada.read(f"/providers/{OKTA}")
    last = re.search(r'name="ends" value="([0-9-]+)"', page)
    assert last
    statement = {"statement": "Everybody has a key.", "policy": "MFA = always", "ends": last[1]}
    assert "ends within 365 days" in await ada.refused(f"/providers/{OKTA}/declare", **{**statement, "ends": "never"})
    page = await ada.done(f"/providers/{OKTA}/declare", **statement)
    assert "Everybody has a key." in page
    assert "Declared" in await ada.read("/providers")
    declared = re.search(r'action="(/providers/[^"]+/declarations/[^"]+/end)"', page)
    assert declared
    assert "step up again" in await bob.done(declared[1], reason="relaxed")
    assert "Removed; 0 sign-ins ended" in await bob.done(f"/providers/{OKTA}/remove", reason="moved")
    assert "No identity provider yet" in await ada.read("/providers")
    office.company.clock.advance(HOUR)
    answer = await bob.post(f"/providers/{OKTA}/remove", reason="moved")
    assert answer.headers["Location"] == f"/step-up?next=/providers/{OKTA}"
