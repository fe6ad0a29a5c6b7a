"""Sending a browser to an identity provider, with what its answer must fit sealed into the browser."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from onepam.app.providers.take_provider_keys import take_provider_keys
from onepam.console.frame.rendering import policy
from onepam.console.frame.visit import Visit
from onepam.console.providers.at_provider_page import AtProviderPage
from onepam.domain.providers.keys import ProviderKeysRead
from onepam.domain.providers.setting import Provider
from onepam.identity.oidc.relying_party import Begun
from onepam.identity.oidc.settings import GOOGLE, OidcSettings
from onepam.identity.providers import Settings
from onepam.identity.saml.request import PostForm, authn_request, new_request_id
from onepam.identity.saml.settings import SamlSettings
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id


async def leave(
    visit: Visit,
    settings: Settings,
    name: str,
    flow: Mapping[str, Any],
    *,
    force: bool = False,
    fresh: bool = False,
) -> Response | Refused:
    """Sends the browser to sign in at the provider; `force`: it shall ask for the factors again;
    `fresh`: and prove that it did.

    The flow then also holds `provider`, and `begun` (OpenID Connect: see `begun_in`) or `request` (SAML: the id of our
    request, which the answer must name). Codes: `fetch.*`, `oidc.discovery`.
    """
    services = visit.services
    if isinstance(settings, OidcSettings):
        begun = await services.openid.begin(
            settings,
            services.random,
            visit.wall,
            prompt=_again(settings) if force else "",
            max_age=0 if fresh else None,
        )
        if isinstance(begun, Refused):
            return begun
        kept = {
            "state": begun.state,
            "nonce": begun.nonce,
            "verifier": begun.verifier,
            "max_age": begun.max_age,
            "at": begun.at,
        }
        return visit.keep(going(visit, name, begun.url, ()), {**flow, "provider": settings.provider, "begun": kept})
    request = new_request_id(services.random)
    sending = authn_request(settings, request, visit.wall, force=force)
    if isinstance(sending, PostForm):
        response = going(visit, name, sending.action, sending.fields)
    else:
        response = going(visit, name, sending.url, ())
    return visit.keep(response, {**flow, "provider": settings.provider, "request": request})


async def read_keys_again(visit: Visit, stored: Provider, settings: SamlSettings) -> SamlSettings | None:
    """A signature does not fit: perhaps the provider has another key by now. Its settings, if so."""
    services = visit.services
    text = await services.metadata.again(settings, stored.settings, visit.wall)
    if not isinstance(text, str):
        return None
    read = ProviderKeysRead(stored.provider, new_id("chg", services.random), stored.change, text)
    if await take_provider_keys(services.ledger, read) is not None:
        return None
    known = services.providers.settings(replace(stored, change=read.change, settings=text))
    return known if isinstance(known, SamlSettings) else None


def _again(settings: OidcSettings) -> str:
    """How the provider is told to ask again: Google refuses `login`, and lets people choose instead."""
    return "select_account" if settings.issuer == GOOGLE else "login"


def begun_in(flow: Mapping[str, Any]) -> Begun | None:
    """What an OpenID Connect flow began; None in any other flow."""
    kept = flow.get("begun")
    if not isinstance(kept, dict):
        return None
    return Begun(
        str(flow.get("provider", "")), kept["state"], kept["nonce"], kept["verifier"], kept["max_age"], kept["at"]
    )


def going(
    visit: Visit,
    name: str,
    url: str,
    fields: tuple[tuple[str, str], ...],
    says: str = "You sign in there, and come back.",
) -> Response:
    """A page that goes on by itself: a redirect after a form would have to pass the form's own `form-action`."""
    parts = urlsplit(url)
    return visit.page(
        AtProviderPage(
            called=name,
            says=says,
            address=url,
            fields=list(fields),
        ),
        csp=policy({"form-action": f"'self' {parts.scheme}://{parts.netloc}"}),
    )
