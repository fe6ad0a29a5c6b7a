"""Sign-in and sign-out with a real identity provider."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from onepam.identity.saml import metadata
from onepam.identity.saml.assertion import Received
from onepam.identity.saml.keys import SpKey, new_key
from onepam.identity.saml.logout import (
    LoggedOut,
    LogoutNotice,
    logout_request,
    logout_response,
    read_logout_form,
    read_logout_query,
)
from onepam.identity.saml.request import PostForm, Redirect, Sending, authn_request, new_request_id
from onepam.identity.saml.response import check
from onepam.identity.saml.settings import SamlSettings, idp_mapping, parse
from onepam.identity.saml.sp_metadata import sp_metadata
from onepam.kernel.clock import HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from tests.saml_provider import MFA_CONTEXT, PASSWORD_CONTEXT, PERSISTENT, USERS, SamlProvider
from tests.saml_provider.browser import Arrived, Browser

CONSOLE = "http://localhost:8443"
ATTRIBUTES = {"user_name": "email", "email": "email", "name": "name", "groups": "groups", "methods": "authnmethods"}


@pytest.fixture(scope="module")
def key() -> SpKey:
    return new_key("localhost", now(), secrets.token_bytes)


@pytest.fixture
def provider(started_provider: SamlProvider) -> SamlProvider:
    started_provider.choices = type(started_provider.choices)()
    started_provider.set()
    return started_provider


@pytest.fixture
def browser(provider: SamlProvider) -> Iterator[Browser]:
    browser = Browser(provider.url)
    yield browser
    browser.close()


def now() -> Instant:
    return Instant(time.time_ns() // 1000)


def configured(provider: SamlProvider, *keys: SpKey, **more: object) -> SamlSettings:
    """Both sides know each other, each by the other's metadata."""
    idp = metadata.read(provider.metadata(), now())
    assert isinstance(idp, metadata.IdpMetadata), idp
    settings = parse("idp_test", CONSOLE, {"idp": idp_mapping(idp), "attributes": ATTRIBUTES, **more}, keys)
    assert isinstance(settings, SamlSettings), settings
    provider.trust(sp_metadata(settings))
    return settings


def sent(browser: Browser, sending: Sending, user: str | None = None) -> Arrived:
    login = (USERS[user].name, USERS[user].password) if user else None
    if isinstance(sending, Redirect):
        return browser.get(sending.url, login)
    assert isinstance(sending, PostForm)
    return browser.post(sending.action, dict(sending.fields), login)


def signed_in(settings: SamlSettings, browser: Browser, user: str | None, relay_state: str = "") -> Received | Refused:
    request_id = new_request_id(secrets.token_bytes)
    arrived = sent(browser, authn_request(settings, request_id, now(), relay_state=relay_state), user)
    assert arrived.url == settings.acs_url
    assert arrived.fields.get("RelayState", "") == relay_state
    return check(settings, arrived.fields["SAMLResponse"], request_id, now())


@pytest.mark.parametrize("binding", ["redirect", "post"])
@pytest.mark.parametrize(
    "signs",
    [
        {"sign_assertion": True, "sign_response": False},
        {"sign_assertion": False, "sign_response": True},
        {"sign_assertion": True, "sign_response": True},
        {"sign_assertion": True, "sign_response": True, "encrypt": True},
        {"sign_assertion": False, "sign_response": True, "encrypt": True},
    ],
    ids=["assertion", "response", "both", "both and encrypted", "response and encrypted"],
)
def test_signs_in(provider: SamlProvider, browser: Browser, key: SpKey, binding: str, signs: dict[str, object]) -> None:
    provider.set(**signs)
    settings = configured(provider, key, request_binding=binding, name_id_format=PERSISTENT)
    received = signed_in(settings, browser, "ada", "state-1")
    assert isinstance(received, Received), received
    assertion = received.assertion
    assert (assertion.provider, assertion.subject) == ("idp_test", "u-1001")
    assert (assertion.user_name, assertion.email, assertion.name) == ("ada@example.com", "ada@example.com", "Ada Lindt")
    assert assertion.groups == ("Engineering", "On call")
    assert assertion.context == MFA_CONTEXT
    assert assertion.methods == ("http://schemas.microsoft.com/claims/multipleauthn",)
    assert abs(assertion.authenticated_at - now()) < MINUTE
    assert assertion.unique
    assert assertion.provider_session
    assert received.attributes["uid"] == ("u-1001",)
    assert received.session_ends is None or received.session_ends > now() + HOUR


def test_the_context_is_each_persons_own(provider: SamlProvider, browser: Browser, key: SpKey) -> None:
    received = signed_in(configured(provider, key), browser, "ben")
    assert isinstance(received, Received), received
    assert (received.assertion.context, received.assertion.methods) == (PASSWORD_CONTEXT, ())


def test_two_sign_ins_are_two_messages(provider: SamlProvider, browser: Browser, key: SpKey) -> None:
    settings = configured(provider, key)
    first, second = signed_in(settings, browser, "ada"), signed_in(settings, browser, None)
    assert isinstance(first, Received)
    assert isinstance(second, Received), "the second time the provider asks for no password"
    assert first.assertion.unique != second.assertion.unique


def test_force_asks_for_the_factors_again(provider: SamlProvider, browser: Browser, key: SpKey) -> None:
    settings = configured(provider, key)
    assert isinstance(signed_in(settings, browser, "ada"), Received)
    request = authn_request(settings, new_request_id(secrets.token_bytes), now(), force=True)
    with pytest.raises(AssertionError, match="asks for a password again"):
        sent(browser, request)


def test_the_provider_checks_our_signature(provider: SamlProvider, browser: Browser, key: SpKey) -> None:
    settings = configured(provider, key)
    stranger = replace(settings, keys=(new_key("elsewhere", now(), secrets.token_bytes),))
    with pytest.raises(AssertionError, match="Unable to validate signature"):
        sent(browser, authn_request(stranger, new_request_id(secrets.token_bytes), now()), "ada")


def test_provider_changes_its_key_without_a_gap(provider: SamlProvider, browser: Browser, key: SpKey) -> None:
    provider.set(published=("one", "two"))
    settings = configured(provider, key)
    assert len(settings.idp.signing) == 2
    assert isinstance(signed_in(settings, browser, "ada"), Received)
    provider.set(signing_key="two", published=("two",))
    assert isinstance(signed_in(settings, browser, None), Received)


def test_a_new_key_that_nobody_announced(provider: SamlProvider, browser: Browser, key: SpKey) -> None:
    settings = configured(provider, key)
    provider.set(signing_key="two", published=("two",))
    refused = signed_in(settings, browser, "ada")
    assert isinstance(refused, Refused)
    assert refused.code == "saml.signature"


def test_we_change_our_key_without_a_gap(provider: SamlProvider, browser: Browser, key: SpKey) -> None:
    new = new_key("localhost", now(), secrets.token_bytes)
    provider.set(encrypt=True, sign_response=True)
    configured(provider, key)
    both = configured(provider, new, key)  # the provider reads both, and encrypts for the first that it finds
    assert isinstance(signed_in(both, browser, "ada"), Received)
    assert isinstance(signed_in(replace(both, keys=(key, new)), browser, None), Received)


def test_cbc_is_not_opened_in_a_response_that_is_not_signed(
    provider: SamlProvider, browser: Browser, key: SpKey
) -> None:
    provider.set(encrypt=True)
    refused = signed_in(configured(provider, key), browser, "ada")
    assert isinstance(refused, Refused)
    assert refused.code == "saml.encryption"


def test_the_providers_no_is_said_in_words(provider: SamlProvider, browser: Browser, key: SpKey) -> None:
    settings = configured(provider, key)
    provider.set(refuses=True)
    refused = signed_in(settings, browser, "ada")
    assert isinstance(refused, Refused)
    assert refused.code == "saml.no_authn_context"


def test_an_answer_serves_no_other_browser(provider: SamlProvider, browser: Browser, key: SpKey) -> None:
    settings = configured(provider, key)
    arrived = sent(browser, authn_request(settings, "_one", now()), "ada")
    refused = check(settings, arrived.fields["SAMLResponse"], "_two", now())
    assert isinstance(refused, Refused)
    assert refused.code == "saml.in_response_to"


def test_sign_in_from_the_providers_portal_is_refused(provider: SamlProvider, browser: Browser, key: SpKey) -> None:
    settings = configured(provider, key)
    start = f"{provider.url}/saml2/idp/SSOService.php?spentityid={settings.entity_id}"
    arrived = browser.get(start, ("ada", USERS["ada"].password))
    refused = check(settings, arrived.fields["SAMLResponse"], "_one", now())
    assert isinstance(refused, Refused)
    assert refused.code == "saml.unsolicited"


def read_logout(settings: SamlSettings, arrived: Arrived) -> LogoutNotice | LoggedOut | Refused:
    address, _, query = arrived.url.partition("?")
    assert address == settings.slo_url
    if arrived.fields:
        return read_logout_form(settings, arrived.fields, now())
    return read_logout_query(settings, query, now())


@pytest.mark.parametrize("binding", ["redirect", "post"])
def test_signing_out_here_signs_out_there(provider: SamlProvider, browser: Browser, key: SpKey, binding: str) -> None:
    settings = configured(provider, key, request_binding=binding)
    received = signed_in(settings, browser, "ada")
    assert isinstance(received, Received), received
    who = received.assertion
    request = logout_request(
        settings, "_out", now(), name_id=who.name_id, provider_session=who.provider_session, relay_state="state-2"
    )
    assert not isinstance(request, Refused), request
    assert read_logout(settings, sent(browser, request)) == LoggedOut("_out", "state-2", whole=True)
    with pytest.raises(AssertionError, match="asks for a password again"):
        signed_in(settings, browser, None)


def test_signing_out_there_signs_out_here(provider: SamlProvider, browser: Browser, key: SpKey) -> None:
    settings = configured(provider, key)
    received = signed_in(settings, browser, "ada")
    assert isinstance(received, Received), received
    who = received.assertion
    done = f"{provider.url}/logout.php"
    arrived = browser.get(f"{provider.url}/saml2/idp/SingleLogoutService.php?ReturnTo={done}")
    notice = read_logout(settings, arrived)
    assert isinstance(notice, LogoutNotice), notice
    assert notice.ends(who.name_id, who.provider_session)
    assert not notice.ends(who.name_id, "another session")
    assert not notice.ends(who.name_id.replace("u-1001", "u-1002"), who.provider_session)
    answer = logout_response(settings, notice, "_answer", now())
    assert not isinstance(answer, Refused), answer
    with pytest.raises(AssertionError, match=r"no form at .*/logout\.php"):
        sent(browser, answer)


def test_too_late(provider: SamlProvider, browser: Browser, key: SpKey) -> None:
    settings = configured(provider, key)
    arrived = sent(browser, authn_request(settings, "_one", now()), "ada")
    refused = check(settings, arrived.fields["SAMLResponse"], "_one", Instant(now() + HOUR))
    assert isinstance(refused, Refused)
    assert refused.code == "saml.expired"
