"""Our calls to a provider: the code for tokens (RFC 6749 section 4.1.3), and the userinfo endpoint."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

from onepam.egress.fetch import Fetch, Fetched
from onepam.identity.oidc.discovery import Discovered, object_of, shown
from onepam.identity.oidc.json_object import json_object
from onepam.identity.oidc.settings import OidcSettings
from onepam.identity.oidc.tokens import MAX_TOKEN_CHARACTERS
from onepam.kernel.errors import Refused

LIMIT_BYTES = 256 * 1024
MAX_CODE_CHARACTERS = 8 * 1024

_ERRORS = {
    "invalid_client": (
        "The provider does not accept our client id and secret.",
        "An administrator must correct them in the provider's settings; a secret may have expired.",
    ),
    "invalid_grant": (
        "The provider does not accept the code: it is used up, too old, or not for us.",
        "Sign in again.",
    ),
    "unauthorized_client": ("The provider does not allow this client to use codes.", "Check the client there."),
    "invalid_request": ("The provider does not understand our request.", "Check the client's settings on both sides."),
}


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a code was exchanged for."""

    id_token: str = field(repr=False)
    access_token: str | None = field(repr=False)


async def exchange(
    fetch: Fetch, settings: OidcSettings, found: Discovered, code: str, verifier: str
) -> Tokens | Refused:
    """Codes: `fetch.*`, `oidc.exchange`, `oidc.client`."""
    if len(code) > MAX_CODE_CHARACTERS:
        return Refused("oidc.answer", "The provider's answer cannot be read.", "Sign in again.")
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": settings.redirect_uri,
        "code_verifier": verifier,
    }
    method = _authentication(settings, found)
    if isinstance(method, Refused):
        return method
    headers = {"Accept": "application/json"}
    secret = settings.secret.reveal().decode("utf-8", "replace") if settings.secret else ""
    if method == "client_secret_basic":
        pair = f"{quote_plus(settings.client_id)}:{quote_plus(secret)}"
        headers["Authorization"] = "Basic " + b64encode(pair.encode("ascii")).decode("ascii")
    else:
        form["client_id"] = settings.client_id
        if method == "client_secret_post":
            form["client_secret"] = secret
    fetched = await fetch.post(found.token_endpoint, form=form, headers=headers, limit_bytes=LIMIT_BYTES)
    if isinstance(fetched, Refused):
        return Refused(fetched.code, f"The provider could not be asked: {fetched.message}", fetched.hint)
    return _tokens(fetched)


def _authentication(settings: OidcSettings, found: Discovered) -> str | Refused:
    if settings.client_authentication:
        return settings.client_authentication
    if settings.secret is None:
        return "none"
    for method in ("client_secret_basic", "client_secret_post"):
        if method in found.authentications:
            return method
    return Refused("oidc.client", "The provider takes a client secret neither as Basic nor in the form.")


def _tokens(fetched: Fetched) -> Tokens | Refused:
    answer = json_object(fetched.body)
    if fetched.status != 200 or answer is None:
        code = answer.get("error") if answer else None
        message, hint = _ERRORS.get(str(code)) or (
            f"The provider did not give tokens for the code (status {fetched.status}, {shown(code)})."
            if code
            else f"The provider did not give tokens for the code (status {fetched.status}).",
            "Try again; then ask its administrator.",
        )
        said = answer.get("error_description") if answer else None
        kind = "oidc.client" if code == "invalid_client" else "oidc.exchange"
        return Refused(kind, f"{message} It says: {shown(said)}" if said else message, hint)
    id_token, access_token = answer.get("id_token"), answer.get("access_token")
    if str(answer.get("token_type", "")).lower() != "bearer":
        return Refused("oidc.exchange", "The provider gave tokens of a kind that was not asked for.")
    if not isinstance(id_token, str) or len(id_token) > MAX_TOKEN_CHARACTERS or not id_token.isascii():
        return Refused("oidc.exchange", "The provider gave no ID token.", "Its client must allow the scope openid.")
    if access_token is not None and not _sendable(access_token):
        return Refused("oidc.exchange", "The provider gave an access token that cannot be one.")
    return Tokens(id_token, access_token)


def _sendable(token: Any) -> bool:
    return isinstance(token, str) and 0 < len(token) <= MAX_TOKEN_CHARACTERS and token.isascii() and token.isprintable()


async def userinfo(fetch: Fetch, found: Discovered, access_token: str) -> dict[str, Any] | str | Refused:
    """The endpoint's claims, or its signed token where it sends one. Codes: `fetch.*`, `oidc.userinfo`."""
    fetched = await fetch.get(
        found.userinfo_endpoint,
        headers={"Authorization": f"Bearer {access_token}", "Accept": "application/json, application/jwt"},
        limit_bytes=LIMIT_BYTES,
    )
    if isinstance(fetched, Refused):
        return Refused(fetched.code, f"The provider's userinfo could not be asked: {fetched.message}", fetched.hint)
    if fetched.status == 200 and fetched.content_type == "application/jwt":
        return fetched.body.decode("ascii", "replace").strip()
    answer = object_of(fetched)
    if answer is None:
        return Refused("oidc.userinfo", f"The provider's userinfo endpoint does not answer (status {fetched.status}).")
    return answer


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """An endpoint's address with more parameters; its own are kept (RFC 6749 section 3.1)."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"
