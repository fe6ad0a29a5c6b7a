"""The company with a real provider beside it, by OpenID Connect or SAML, and the way through the provider's page."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_bytes

from onepam.boot.clock import wall_clock
from onepam.domain.providers.assertion import ProviderKind
from onepam.identity.oidc.settings import backchannel_uri, post_logout_uri, redirect_uri
from onepam.identity.providers import keys_secret
from onepam.identity.saml import metadata
from onepam.identity.saml.keys import new_key
from onepam.identity.saml.metadata import IdpMetadata
from onepam.identity.saml.settings import SamlSettings, idp_mapping, parse
from onepam.identity.saml.sp_metadata import sp_metadata
from onepam.kernel.secret import Secret
from tests.oidc_provider.provider import Account, OidcProvider, running_oidc_provider
from tests.saml_provider import MFA_CONTEXT, SamlProvider, running_saml_provider
from tests.tour.federated import ADA, BEN, PEOPLE, RULE, Federated, company
from tests.tour.people import Person

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


@contextmanager
def oidc_corp(folder: Path) -> Iterator[tuple[Federated, OidcProvider]]:
    """Ada's second factor is attested, Ben's is not."""
    with (
        company(folder) as found,
        running_oidc_provider(
            folder / "provider.log",
            redirect_uri=redirect_uri(found.console, "corp"),
            backchannel_logout_uri=backchannel_uri(found.console, "corp"),
            post_logout_redirect_uri=post_logout_uri(found.console),
            accounts=ACCOUNTS,
        ) as provider,
    ):
        settings = {"issuer": provider.issuer, "client_id": provider.client_id}
        secret = Secret(provider.client_secret.encode())
        found.provider(ProviderKind.OIDC, settings, secret, replace(RULE, attests=("mfa",)))
        found.start(provider.port)
        yield found, provider


def through_oidc(person: Person, user: str, start: str | None = "/sign-in") -> None:
    """From the sign-in page (None: it is open) through the provider's own page."""
    page = person.go(start) if start else person.page
    page.get_by_role("link", name="Sign in through Corp").click()
    page.locator("input[name=login]").fill(user)
    page.get_by_role("button", name="Sign in").click()


@contextmanager
def saml_corp(folder: Path) -> Iterator[tuple[Federated, SamlProvider]]:
    """Ada's second factor is attested, Ben's is not."""
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


def through_saml(person: Person, user: str) -> None:
    """From the sign-in page through the provider's own page."""
    page = person.go("/sign-in")
    page.get_by_role("link", name="Sign in through Corp").click()
    page.locator("input[name=username]").fill(user)
    page.locator("input[name=password]").fill(f"{user}-password")
    page.locator("input[name=password]").press("Enter")
