"""Through a real OpenID provider into the console and onto a server: the second factor attested, and brought along."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from onepam.domain.federation import MfaBasis, ProviderKind
from onepam.domain.providers import IdentityLinked
from onepam.domain.sessions import SessionOpened
from onepam.domain.sign_in import SignedIn, SignedOut, SteppedUp
from onepam.identity.oidc.settings import backchannel_uri, post_logout_uri, redirect_uri
from onepam.kernel.secret import Secret
from tests.oidc_provider.provider import Account, OidcProvider, running_oidc_provider
from tests.tour.federated import ADA, BEN, PEOPLE, RULE, Federated, company
from tests.tour.people import Person
from tests.tour.terminal import login

ACCOUNTS = {
    user: Account(
        claims={
            "email": PEOPLE[person][1],
            "email_verified": True,
            "name": PEOPLE[person][0],
            "preferred_username": user,
        },
        amr=methods,
    )
    for user, person, methods in (("ada", ADA, ("pwd", "mfa")), ("ben", BEN, ("pwd",)))
}


@pytest.fixture(scope="module")
def corp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Federated, OidcProvider]]:
    folder = tmp_path_factory.mktemp("federated")
    with company(folder) as found:
        with running_oidc_provider(
            folder / "provider.log",
            redirect_uri=redirect_uri(found.console, "corp"),
            backchannel_logout_uri=backchannel_uri(found.console, "corp"),
            post_logout_redirect_uri=post_logout_uri(found.console),
            accounts=ACCOUNTS,
        ) as provider:
            settings = {"issuer": provider.issuer, "client_id": provider.client_id}
            secret = Secret(provider.client_secret.encode())
            found.provider(ProviderKind.OIDC, settings, secret, replace(RULE, attests=("mfa",)))
            found.start(provider.port)
            yield found, provider


def through(person: Person, user: str, start: str | None = "/sign-in") -> None:
    """From the sign-in page (None: it is open) through the provider's own page."""
    page = person.go(start) if start else person.page
    page.get_by_role("link", name="Sign in through Corp").click()
    page.locator("input[name=login]").fill(user)
    page.get_by_role("button", name="Sign in").click()


def test_what_the_provider_attests_opens_a_server_and_its_logout_ends_all(
    browser: Browser, corp: tuple[Federated, OidcProvider], tmp_path: Path
) -> None:
    found, provider = corp
    ada = Person(browser, found.console, "Ada", "ada@example.com")
    through(ada, "ada")
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
        through(ben, "ben", None)
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
