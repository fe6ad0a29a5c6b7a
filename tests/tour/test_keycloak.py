"""Through Keycloak, set up as docs/providers/keycloak.md says, into the console: what it attests, and its logouts."""

import json
from base64 import b32encode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from secrets import token_bytes

import pyotp
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from playwright.sync_api import Browser, Page

from onepam.boot.clock import wall_clock
from onepam.domain.access.proof import MfaBasis
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.signing_in.events import SignedIn, SignedOut
from onepam.identity.oidc.settings import backchannel_uri, post_logout_uri, redirect_uri
from onepam.identity.providers import keys_secret
from onepam.identity.saml import metadata
from onepam.identity.saml.keys import new_key
from onepam.identity.saml.metadata import IdpMetadata
from onepam.identity.saml.presets import PRESETS
from onepam.identity.saml.settings import SamlSettings, idp_mapping, parse
from onepam.kernel.secret import Secret
from tests.keycloak.keycloak import OTP_KEY, Keycloak, running_keycloak
from tests.tour.federated import ADA, BEN, RULE, Federated, company
from tests.tour.people import Person

pytestmark = pytest.mark.conformance

SECRET = "a secret of the client: 50% + &more="
DAY_SECONDS = 36_000


@pytest.fixture(scope="module")
def keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    with running_keycloak(tmp_path_factory.mktemp("keycloak") / "log") as found:
        found.person("ada", "ada@example.com", otp=True, groups=("Engineering",))
        found.person("ben", "ben@example.com", otp=False)
        yield found


@pytest.fixture(scope="module")
def corp(keycloak: Keycloak, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federated]:
    """Signs in by OpenID Connect."""
    with company(tmp_path_factory.mktemp("openid")) as found:
        keycloak.openid_client(
            redirect_uri(found.console, "corp"),
            post_logout_uri(found.console),
            backchannel_uri(found.console, "corp"),
            SECRET,
        )
        keycloak.references(DAY_SECONDS)
        settings = {"issuer": keycloak.issuer, "client_id": "onepam", "claims": {"groups": "groups"}}
        rule = replace(RULE, attests=("otp", "hwk"), groups=True)
        found.provider(ProviderKind.OIDC, settings, Secret(SECRET.encode()), rule)
        found.start(keycloak.port)
        yield found


@pytest.fixture(scope="module")
def saml(keycloak: Keycloak, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federated]:
    """Signs in by SAML."""
    with company(tmp_path_factory.mktemp("saml")) as found:
        idp = metadata.read(keycloak.metadata(), wall_clock())
        assert isinstance(idp, IdpMetadata), idp
        preset = PRESETS["keycloak"]
        names = {"email": preset.attributes.email, "name": preset.attributes.name, "groups": preset.attributes.groups}
        settings = {"idp": idp_mapping(idp), "attributes": names, "name_id_format": preset.name_id_format}
        keys = (new_key("localhost", wall_clock(), token_bytes),)
        known = parse("corp", found.console, settings, keys)
        assert isinstance(known, SamlSettings), known
        certificate = b64encode(keys[0].x509().public_bytes(Encoding.DER)).decode()
        keycloak.saml_client(known.entity_id, known.acs_url, known.slo_url, certificate)
        found.provider(ProviderKind.SAML, json.loads(json.dumps(settings)), keys_secret(keys), RULE)
        found.start(keycloak.port)
        yield found


def through(person: Person, name: str, *, otp: bool, asked: bool = True) -> None:
    """From the sign-in page through Keycloak's own pages; not `asked`, where its own session goes on."""
    page = person.go("/sign-in")
    page.get_by_role("link", name="Sign in through Corp").click()
    if not asked:
        return
    page.locator("#username").fill(name)
    page.locator("#password").fill(f"{name}-password")
    page.locator("#kc-login").click()
    if otp:
        page.locator("#otp").fill(fresh_code(page))
        page.locator("#kc-login").click()


USED: set[str] = set()


def fresh_code(page: Page) -> str:
    """A code of the app that Keycloak has not seen: it takes each once."""
    app = pyotp.TOTP(b32encode(OTP_KEY).decode())
    while (found := app.now()) in USED:
        page.wait_for_timeout(250)
    USED.add(found)
    return found


def last(found: Federated) -> SignedIn:
    return found.events(SignedIn)[-1]


def test_what_keycloak_attests_counts_also_when_it_does_not_ask_again(browser: Browser, corp: Federated) -> None:
    ada = Person(browser, corp.console, "Ada", "ada@example.com")
    through(ada, "ada", otp=True)
    ada.page.wait_for_url(corp.console + "/")
    assert (last(corp).person, last(corp).basis) == (ADA, MfaBasis.ATTESTED)
    assert {"pwd", "otp"} <= set(last(corp).methods)
    ada.page.wait_for_timeout(2_500)  # a reference without a maximum age is forgotten after a second
    ada.page.context.clear_cookies(domain="localhost")
    count = len(corp.events(SignedIn))
    through(ada, "ada", otp=True, asked=False)
    ada.page.wait_for_url(corp.console + "/")
    assert len(corp.events(SignedIn)) == count + 1
    assert "otp" in last(corp).methods
    assert last(corp).basis is MfaBasis.ATTESTED


def test_a_password_alone_attests_nothing(browser: Browser, corp: Federated) -> None:
    ben = Person(browser, corp.console, "Ben", "ben@example.com")
    through(ben, "ben", otp=False)
    ben.page.get_by_text("Choose your second factor").wait_for()
    assert BEN not in {each.person for each in corp.events(SignedIn)}


def test_signing_out_here_signs_out_there(browser: Browser, corp: Federated) -> None:
    ada = Person(browser, corp.console, "Ada", "ada@example.com")
    through(ada, "ada", otp=True)
    ada.page.wait_for_url(corp.console + "/")
    ada.sign_out()
    ada.page.get_by_text("You are signed out.").wait_for()
    ada.page.get_by_role("link", name="Sign in through Corp").click()
    ada.page.locator("#username").wait_for()


def test_logging_somebody_out_in_keycloak_ends_all_their_sessions(
    browser: Browser, corp: Federated, keycloak: Keycloak
) -> None:
    for _ in range(3):
        ada = Person(browser, corp.console, "Ada", "ada@example.com")
        through(ada, "ada", otp=True)
        ada.page.wait_for_url(corp.console + "/")
    (user,) = keycloak.ask("GET", "/corp/users?username=ada")
    keycloak.ask("POST", f"/corp/users/{user['id']}/logout")
    ours = {each.session for each in corp.events(SignedIn) if each.person == ADA}
    for _ in range(100):
        gone = {each.session for each in corp.events(SignedOut)}
        if ours <= gone:
            break
        ada.page.wait_for_timeout(100)
    assert ours <= {each.session for each in corp.events(SignedOut)}


def test_without_a_maximum_age_the_second_sign_in_steps_up(
    browser: Browser, corp: Federated, keycloak: Keycloak
) -> None:
    keycloak.references(0)
    try:
        ada = Person(browser, corp.console, "Ada", "ada@example.com")
        through(ada, "ada", otp=True)
        ada.page.wait_for_timeout(3_000)
        ada.page.context.clear_cookies(domain="localhost")
        count = len(corp.events(SignedIn))
        through(ada, "ada", otp=True, asked=False)
        ada.page.get_by_text("second factor").first.wait_for()
        assert len(corp.events(SignedIn)) == count
    finally:
        keycloak.references(DAY_SECONDS)


def test_saml_signs_in_attests_nothing_and_signs_out_at_both_ends(browser: Browser, saml: Federated) -> None:
    ada = Person(browser, saml.console, "Ada", "ada@example.com").with_authenticator()
    page = ada.page

    def stepped_up() -> None:
        through(ada, "ada", otp=True)
        page.get_by_text("second factor").first.wait_for()

    stepped_up()
    assert ADA not in {each.person for each in saml.events(SignedIn)}, "nothing of Keycloak's SAML attests a factor"
    assert page.url.startswith(saml.console)
