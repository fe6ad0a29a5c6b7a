"""Through a real OpenID provider into the console and onto a server: the second factor attested, and brought along."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from onepam.domain.access.proof import MfaBasis
from onepam.domain.providers.events import IdentityLinked
from onepam.domain.sessions.events import SessionOpened
from onepam.domain.signing_in.events import EnrolmentOpened, SignedIn, SignedOut, SteppedUp
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import HOUR, Instant
from tests.api.office import now
from tests.oidc_provider.provider import OidcProvider
from tests.tour.corps import oidc_corp, through_oidc
from tests.tour.federated import ADA, BEN, Federated
from tests.tour.people import Person
from tests.tour.terminal import by_key, login, register_key

CLEO, DORA = "per_cleocleocleocleo", "per_doradoradoradora"


@pytest.fixture(scope="module")
def corp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Federated, OidcProvider]]:
    with oidc_corp(tmp_path_factory.mktemp("federated")) as found:
        yield found


def test_what_the_provider_attests_opens_a_server_and_its_logout_ends_all(
    browser: Browser, corp: tuple[Federated, OidcProvider], tmp_path: Path
) -> None:
    found, provider = corp
    ada = Person(browser, found.console, "Ada", "ada@example.com")
    through_oidc(ada, "ada")
    ada.page.wait_for_url(found.console + "/")
    assert [each.because for each in found.events(IdentityLinked)] == ["address"]
    opened = found.events(SignedIn)[-1]
    assert (opened.person, opened.basis, opened.provider) == (ADA, MfaBasis.ATTESTED, "corp")

    login(ada, found.console, tmp_path)
    done = found.ssh(tmp_path, "through-corp")
    assert (done.returncode, done.stdout) == (0, "through-corp\n"), done.stderr
    proof = found.events(SessionOpened)[-1].mfa
    assert (proof.basis, proof.provider, proof.factors) == (MfaBasis.ATTESTED, "corp", ("provider",))

    page = ada.go("/step-up?next=/factors")
    page.get_by_role("link", name="Confirm at Corp").click()
    page.locator("input[name=login]").fill("ada")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(found.console + "/factors")
    stepped = found.events(SteppedUp)[-1]
    assert (stepped.person, stepped.basis) == (ADA, MfaBasis.ATTESTED)

    assert opened.provider_session
    assert provider.sign_out("ada", opened.provider_session)
    ended = [each for each in found.events(SignedOut) if each.because == "provider.logout"]
    assert {each.session for each in ended} == {each.session for each in found.events(SignedIn)}
    assert found.ssh(tmp_path, "too-late").returncode == 255
    ada.go("/")
    expect(ada.page.get_by_role("link", name="Sign in through Corp")).to_be_visible()
    assert ada.problems == []


def test_what_it_does_not_attest_is_stepped_up_with_a_factor_of_ours(
    browser: Browser, corp: tuple[Federated, OidcProvider], tmp_path: Path
) -> None:
    found, _ = corp
    ben = Person(browser, found.console, "Ben", "ben@example.com").with_authenticator()
    page = ben.page

    def for_the_first_time() -> None:
        """One sign-in at the provider, a factor of ours, and on to what the terminal asked for."""
        through_oidc(ben, "ben", None)
        page.get_by_text("Choose your second factor").wait_for()
        page.get_by_role("button", name="Create a passkey").click()
        page.get_by_text("Your recovery codes").wait_for()
        page.locator("input[name=kept]").check()
        page.get_by_role("button", name="Finish").click()
        page.wait_for_url("**/cli/authorize?**")

    login(ben, found.console, tmp_path, for_the_first_time)
    opened = next(each for each in found.events(SignedIn) if each.person == BEN)
    assert (opened.basis, opened.phishing_resistant) == (MfaBasis.STEPPED_UP, True)
    assert opened.proven == ("provider", "passkey")
    done = found.ssh(tmp_path, "stepped-up")
    assert (done.returncode, done.stdout) == (0, "stepped-up\n"), done.stderr
    proof = found.events(SessionOpened)[-1].mfa
    assert (proof.basis, proof.provider, proof.factors) == (MfaBasis.STEPPED_UP, "corp", ("provider", "passkey"))

    ben.sign_out()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You are signed out.").wait_for()

    page.get_by_text("Sign in another way").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("You sign in through Corp.")).to_be_visible()
    assert ben.problems == []


def test_an_app_steps_up_and_confirms_a_registered_key(
    browser: Browser, corp: tuple[Federated, OidcProvider], tmp_path: Path
) -> None:
    found, provider = corp
    found.add(CLEO, "Cleo Nardi")
    claims = {"email": "cleo@example.com", "email_verified": True, "name": "Cleo Nardi", "preferred_username": "cleo"}
    provider.person("cleo", claims=claims, amr=("pwd",))
    cleo = Person(browser, found.console, "Cleo", "cleo@example.com")
    through_oidc(cleo, "cleo")
    cleo.enrol_app()
    page = cleo.page
    page.wait_for_url(found.console + "/")

    cleo.context.clear_cookies(name="onepam_session")
    cleo.go("/sign-in").get_by_role("link", name="Sign in through Corp").click()
    page.locator("input[name=code]").fill(cleo.code(1))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(found.console + "/")
    opened = found.events(SignedIn)[-1]
    assert (opened.person, opened.basis, opened.proven) == (CLEO, MfaBasis.STEPPED_UP, ("provider", "totp"))
    assert not opened.phishing_resistant

    register_key(cleo, tmp_path)
    assert by_key(cleo, found.by_key(tmp_path, "confirmed-here")) == "confirmed-here\n"
    proof = found.events(SessionOpened)[-1].mfa
    assert (proof.basis, proof.provider, proof.factors) == (MfaBasis.STEPPED_UP, "corp", ("provider", "totp"))
    assert cleo.problems == []


def test_when_the_provider_is_down_it_is_said_and_others_go_on(
    browser: Browser, corp: tuple[Federated, OidcProvider]
) -> None:
    """The gateway is started anew while the provider is down: nothing of it is known from before."""
    found, provider = corp
    ada = Person(browser, found.console, "Ada", "ada@example.com")
    through_oidc(ada, "ada")
    ada.page.wait_for_url(found.console + "/")
    token = new_token("enr", secrets.token_bytes)
    link = EnrolmentOpened("enr_dora", DORA, Instant(now() + HOUR), "x", None, token_digest(token).hex())
    found.add(DORA, "Dora Built-In")
    found.record(link)
    assert found.process is not None
    found.process.kill()
    provider.answer("/.well-known/openid-configuration", status=503)
    found.start(provider.port)

    ada.go("/factors")
    expect(ada.page.get_by_role("heading", name="My factors")).to_be_visible()
    late = Person(browser, found.console, "Ben", "ben@example.com")
    late.go("/sign-in").get_by_role("link", name="Sign in through Corp").click()
    expect(late.page.get_by_text("Corp cannot be reached")).to_be_visible()
    expect(late.page.get_by_text("Sessions that are open go on.")).to_be_visible()
    dora = Person(browser, found.console, "Dora", "dora@example.com").with_authenticator()
    dora.enrol_with_passkey(f"{found.console}/enrol/{token.reveal().decode('ascii')}")
    dora.go("/sign-in").get_by_text("Sign in another way").click()
    dora.page.get_by_role("button", name="Sign in with a passkey").click()
    dora.page.wait_for_url(found.console + "/")
    assert dora.problems == []
