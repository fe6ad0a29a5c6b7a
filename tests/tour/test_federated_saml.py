"""Through a real SAML provider into the console and onto a server, and out again at both ends."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from secrets import token_bytes

import pytest
from playwright.sync_api import Browser, expect

from onepam.boot.clock import wall_clock
from onepam.domain.federation import MfaBasis, ProviderKind
from onepam.domain.sessions import SessionOpened
from onepam.domain.sign_in import SignedIn, SignedOut
from onepam.identity.providers import keys_secret
from onepam.identity.saml import metadata
from onepam.identity.saml.keys import new_key
from onepam.identity.saml.metadata import IdpMetadata
from onepam.identity.saml.settings import SamlSettings, idp_mapping, parse
from onepam.identity.saml.sp_metadata import sp_metadata
from tests.saml_provider import MFA_CONTEXT, SamlProvider, running_saml_provider
from tests.tour.federated import ADA, BEN, RULE, Federated, company
from tests.tour.people import Person
from tests.tour.terminal import login


@pytest.fixture(scope="module")
def corp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Federated, SamlProvider]]:
    folder = tmp_path_factory.mktemp("federated")
    with company(folder) as found, running_saml_provider(folder / "idp") as provider:
        idp = metadata.read(provider.metadata(), wall_clock())
        assert isinstance(idp, IdpMetadata), idp
        names = {"subject": "uid", "user_name": "uid", "email": "email", "name": "name", "groups": "groups"}
        settings = {"idp": idp_mapping(idp), "attributes": names}
        keys = (new_key("localhost", wall_clock(), token_bytes),)
        known = parse("corp", found.console, settings, keys)
        assert isinstance(known, SamlSettings), known
        provider.trust(sp_metadata(known))
        rule = replace(RULE, attests=(MFA_CONTEXT,))
        found.provider(ProviderKind.SAML, json.loads(json.dumps(settings)), keys_secret(keys), rule)
        found.start()
        yield found, provider


def through(person: Person, user: str) -> None:
    """From the sign-in page through the provider's own page."""
    page = person.go("/sign-in")
    page.get_by_role("link", name="Sign in through Corp").click()
    page.locator("input[name=username]").fill(user)
    page.locator("input[name=password]").fill(f"{user}-password")
    page.locator("input[name=password]").press("Enter")


def test_what_the_provider_attests_opens_a_server_and_signing_out_is_for_both(
    browser: Browser, corp: tuple[Federated, SamlProvider], tmp_path: Path
) -> None:
    found, _ = corp
    ada = Person(browser, found.console, "Ada", "ada@example.com")
    through(ada, "ada")
    ada.page.wait_for_url(found.console + "/")
    opened = found.events(SignedIn)[-1]
    assert (opened.person, opened.basis, opened.provider) == (ADA, MfaBasis.ATTESTED, "corp")
    assert MFA_CONTEXT in opened.methods

    login(ada, found.console, tmp_path)
    done = found.ssh(tmp_path, "through-corp")
    assert (done.returncode, done.stdout) == (0, "through-corp\n"), done.stderr
    proof = found.events(SessionOpened)[-1].mfa
    assert (proof.basis, proof.provider, proof.factors) == (MfaBasis.ATTESTED, "corp", ("provider",))

    page = ada.page
    ada.sign_out()
    page.get_by_text("You are signed out.").wait_for()
    page.get_by_role("link", name="Sign in through Corp").click()
    expect(page.locator("input[name=username]")).to_be_visible()
    assert ada.problems == []


def test_the_providers_logout_ends_the_sessions_here(
    browser: Browser, corp: tuple[Federated, SamlProvider], tmp_path: Path
) -> None:
    found, provider = corp
    ada = Person(browser, found.console, "Ada", "ada@example.com")
    through(ada, "ada")
    ada.page.wait_for_url(found.console + "/")
    session = found.events(SignedIn)[-1].session
    login(ada, found.console, tmp_path)
    ada.page.goto(
        f"{provider.url}/saml2/idp/SingleLogoutService.php?ReturnTo={provider.url}/module.php/core/frontpage_welcome.php"
    )
    ada.page.wait_for_timeout(1_000)
    ended = {each.session for each in found.events(SignedOut) if each.because == "provider.logout"}
    assert session in ended
    assert found.ssh(tmp_path, "too-late").returncode == 255
    ada.go("/")
    expect(ada.page.get_by_role("link", name="Sign in through Corp")).to_be_visible()


def test_without_a_second_factor_one_of_ours_is_enrolled(
    browser: Browser, corp: tuple[Federated, SamlProvider]
) -> None:
    found, _ = corp
    ben = Person(browser, found.console, "Ben", "ben@example.com")
    through(ben, "ben")
    ben.page.get_by_text("Choose your second factor").wait_for()
    assert BEN not in {each.person for each in found.events(SignedIn)}
    assert ben.problems == []
