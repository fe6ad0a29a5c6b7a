"""Through a real SAML provider into the console and onto a server, and out again at both ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from onepam.domain.access.proof import MfaBasis
from onepam.domain.sessions.events import SessionOpened
from onepam.domain.signing_in.events import SignedIn, SignedOut
from tests.saml_provider import MFA_CONTEXT, SamlProvider
from tests.tour.corps import saml_corp, through_saml
from tests.tour.federated import ADA, BEN, Federated
from tests.tour.people import Person
from tests.tour.terminal import login


@pytest.fixture(scope="module")
def corp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Federated, SamlProvider]]:
    with saml_corp(tmp_path_factory.mktemp("federated")) as found:
        yield found


def test_what_the_provider_attests_opens_a_server_and_signing_out_is_for_both(
    browser: Browser, corp: tuple[Federated, SamlProvider], tmp_path: Path
) -> None:
    found, _ = corp
    ada = Person(browser, found.console, "Ada", "ada@example.com")
    through_saml(ada, "ada")
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
    through_saml(ada, "ada")
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
    through_saml(ben, "ben")
    ben.page.get_by_text("Choose your second factor").wait_for()
    assert BEN not in {each.person for each in found.events(SignedIn)}
    assert ben.problems == []
