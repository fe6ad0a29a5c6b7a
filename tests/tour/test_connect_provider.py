"""Two administrators connect a real OpenID provider in their browsers: wizard, test, approval, then a sign-in."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, expect

from onepam.domain.access.events import BindingAdded
from onepam.domain.access.model import ConsoleRight, SubjectKind
from onepam.domain.access.proof import MfaBasis
from onepam.domain.providers.events import ProviderProposed, ProviderSet
from onepam.domain.signing_in.events import FactorKind, SignedIn, SignInKind
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import HOUR, Instant
from tests.api.office import now
from tests.gateway_fixture import role_set
from tests.oidc_provider.provider import Account, OidcProvider, running_oidc_provider
from tests.saml_provider import MFA_CONTEXT, running_saml_provider
from tests.tour.federated import PEOPLE, Federated, company
from tests.tour.people import Person

ADA, BEN = PEOPLE
ACCOUNT = Account(
    claims={"email": "ada@example.com", "email_verified": True, "name": "Ada Lindt", "preferred_username": "ada"},
    amr=("pwd", "mfa"),
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Federated, OidcProvider]]:
    folder = tmp_path_factory.mktemp("connect")
    with (
        company(folder) as found,
        running_oidc_provider(
            folder / "log", redirect_uri="https://nowhere.example/", accounts={"ada": ACCOUNT}
        ) as provider,
    ):
        found.record(
            role_set("administrator", console=(ConsoleRight.ADMINISTER,)),
            *(
                BindingAdded(
                    f"bnd_a_{person}", "administrator", SubjectKind.PERSON, person, None, "file", "work", "chg_1", None
                )
                for person in PEOPLE
            ),
        )
        found.start(provider.port)
        yield found, provider


def register(provider: OidcProvider, redirect: str) -> None:
    """What ada types in at the provider."""
    client = {"client_id": provider.client_id, "client_secret": provider.client_secret, "redirect_uris": [redirect]}
    flow = {"response_types": ["code"], "grant_types": ["authorization_code"]}
    assert provider.control(clients=[client | flow])


def signed_in(browser: Browser, found: Federated, person: str) -> Person:
    """The person's browser, signed in with factors of ours just now."""
    token, at = new_token("opc", secrets.token_bytes), now()
    found.record(
        SignedIn(
            session=f"sgn_{person}",
            person=person,
            kind=SignInKind.CONSOLE,
            proven=(FactorKind.PASSWORD, FactorKind.TOTP),
            mfa_at=at,
            expires=Instant(at + HOUR),
            parent=None,
            token_digest=token_digest(token).hex(),
            source="127.0.0.1",
            agent="test",
        )
    )
    name, email = PEOPLE[person]
    window = Person(browser, found.console, name, email)
    window.context.add_cookies(
        [{"name": "onepam_session", "value": token.reveal().decode("ascii"), "url": found.console}]
    )
    return window


def test_a_provider_is_connected_tested_and_approved(browser: Browser, office: tuple[Federated, OidcProvider]) -> None:
    found, provider = office
    ada, ben = signed_in(browser, found, ADA), signed_in(browser, found, BEN)
    page = ada.go("/")
    page.get_by_role("link", name="Connect your identity provider").click()
    page.get_by_role("link", name="Another provider by OpenID Connect").click()
    redirect = page.locator("dl.addresses .copyable").first.get_attribute("data-copy")
    assert redirect is not None
    register(provider, redirect)
    page.locator("input[name=name]").fill("Corp")
    page.locator("input[name=issuer]").fill(provider.issuer)
    page.locator("input[name=client_id]").fill(provider.client_id)
    page.locator("input[name=secret]").fill(provider.client_secret)
    page.locator("input[name=domains]").fill("example.com")
    page.get_by_role("button", name="Propose, then test").click()
    page.get_by_role("button", name="Test").click()
    page.locator("input[name=login]").fill("ada")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Attested by mfa")).to_be_visible()
    expect(page.get_by_text("by the address, and would then be linked")).to_be_visible()
    page.get_by_role("link", name="On to the approval").click()
    expect(page.get_by_text("Nobody approves their own proposal.")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)

    page = ben.go("/providers")
    page.get_by_role("link", name="Look at it").click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved, and in force.")).to_be_visible()
    agreed = found.events(ProviderSet)[-1]
    assert (agreed.proposed_by, agreed.by, agreed.name) == (ADA, BEN, "Corp")
    assert len(found.events(ProviderProposed)) == 1

    new = Person(browser, found.console, "Ada", "ada@example.com")
    page = new.go("/sign-in")
    page.get_by_role("link", name="Sign in through Corp").click()
    page.locator("input[name=login]").fill("ada")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(found.console + "/")
    opened = found.events(SignedIn)[-1]
    assert (opened.person, opened.basis, opened.provider) == (ADA, MfaBasis.ATTESTED, agreed.provider)
    expect(ben.go("/providers").get_by_text("Ada Lindt, second factor attested by the provider")).to_be_visible()
    assert [*ada.problems, *ben.problems, *new.problems] == []


def test_a_saml_provider_is_proposed_and_tested(
    browser: Browser, office: tuple[Federated, OidcProvider], tmp_path: Path
) -> None:
    """From the pasted metadata through the provider's own page back to what its answer says; it opens nothing."""
    found, _ = office
    ada = signed_in(browser, found, ADA)
    page = ada.go("/providers/new")
    with running_saml_provider(tmp_path) as provider:
        page.get_by_role("link", name="Another provider by SAML").click()
        page.locator("input[name=name]").fill("Campus")
        page.locator("textarea[name=metadata]").fill(provider.metadata().decode())
        page.locator("input[name=domains]").fill("campus.example.com")
        page.locator("input[name=attests]").fill(MFA_CONTEXT)
        page.get_by_text("More settings").click()
        for name in ("email", "name", "groups"):
            page.locator(f"input[name=attribute_{name}]").fill(name)
        page.get_by_role("button", name="Propose, then test").click()
        page.wait_for_url("**/providers/proposed/*")
        proposed = found.events(ProviderProposed)[-1]
        ours = httpx2.get(f"{found.console}/sign-in/metadata/{proposed.provider}")
        assert ours.status_code == 200
        provider.trust(ours.content)
        page.get_by_role("button", name="Test").click()
        page.locator("input[name=username]").fill("ada")
        page.locator("input[name=password]").fill("ada-password")
        page.locator("input[name=password]").press("Enter")
        expect(page.get_by_text("Who would be signed in")).to_be_visible()
        expect(page.get_by_text("ada@example.com").first).to_be_visible()
        expect(page.locator(".test-answers").get_by_text(MFA_CONTEXT).first).to_be_visible()
        expect(page.locator(".label-chip", has_text="On call")).to_be_visible()
        page.get_by_role("link", name="On to the approval").click()
        expect(page.get_by_text("Nobody approves their own proposal.")).to_be_visible()
    assert [each.name for each in found.events(ProviderSet)].count("Campus") == 0
    assert not [each for each in found.events(SignedIn) if each.provider == proposed.provider]
    assert ada.problems == []
