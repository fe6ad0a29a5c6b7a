"""What an administrator decided about one OpenID provider, read from the plain JSON in which it is stored."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret

GOOGLE = "https://accounts.google.com"

MAX_URL_CHARACTERS = 2_000
MAX_NAME_CHARACTERS = 256
MAX_SECRET_BYTES = 4_096
MAX_ITEMS = 20
MAX_AGE_SECONDS = 30 * 24 * 3600

SCOPES = ("openid", "profile", "email")

CLIENT_AUTHENTICATIONS = ("", "client_secret_basic", "client_secret_post", "none")
"""How we prove to be the client; "" takes what the provider's discovery offers, the first of these that it does."""

_SCOPE = re.compile(r"[!#-\[\]-~]{1,100}", re.ASCII)  # RFC 6749 section 3.3
_ACR = re.compile(r"[!-~]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Which claims say what: a name as it is, or a path with dots into objects (`realm_access.roles`).

    "" means that nothing says it. `email_verified` is the claim by which the provider vouches for the address.
    """

    user_name: str = "preferred_username"
    email: str = "email"
    email_verified: str = "email_verified"
    name: str = "name"
    groups: str = ""


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """One provider, ready for use. `secret` None: a public client, PKCE alone."""

    provider: str
    issuer: str
    client_id: str
    secret: Secret | None
    redirect_uri: str
    post_logout_uri: str
    scopes: tuple[str, ...] = SCOPES
    claims: ClaimNames = ClaimNames()
    trusts_email: bool = False
    """Addresses count as vouched for where no claim speaks of it: a directory where nobody picks their own."""
    userinfo: bool = False
    """Ask the userinfo endpoint for the claims that the ID token does not carry."""
    demands: tuple[tuple[str, str], ...] = ()
    """Claims of the ID token that must have exactly this value, such as Google's `hd`."""
    max_age: int | None = None
    """Seconds since the person last showed their factors to the provider; it asks again when that is longer ago."""
    acr_values: tuple[str, ...] = ()
    client_authentication: str = ""


def redirect_uri(console: str, provider: str) -> str:
    return f"{console.rstrip('/')}/sign-in/return/{provider}"


def backchannel_uri(console: str, provider: str) -> str:
    return f"{console.rstrip('/')}/sign-in/backchannel/{provider}"


def post_logout_uri(console: str) -> str:
    return f"{console.rstrip('/')}/sign-in"


def parse(provider: str, console: str, mapping: Mapping[str, Any], secret: Secret | None) -> OidcSettings | Refused:
    """The settings of stored JSON. Code: `oidc.settings`.

    Fields: `issuer`, `client_id`; optional `scopes`, `claims` (the names in `ClaimNames`), `trusts_email`, `userinfo`,
    `demands` (claim -> value), `max_age`, `acr_values`, `client_authentication`. An unknown field is refused, since a
    misspelt setting would be a lost one.
    """
    try:
        return _settings(provider, console, dict(mapping), secret)
    except _Unfit as unfit:
        return Refused("oidc.settings", str(unfit), "Correct the provider's settings.")


class _Unfit(ValueError):
    """Says in one sentence what is wrong with the settings."""


def _settings(provider: str, console: str, fields: dict[str, Any], secret: Secret | None) -> OidcSettings:
    settings = OidcSettings(
        provider=provider,
        issuer=_issuer(fields.pop("issuer", None)),
        client_id=_text(fields.pop("client_id", None), "client id", MAX_NAME_CHARACTERS),
        secret=secret,
        redirect_uri=redirect_uri(console, provider),
        post_logout_uri=post_logout_uri(console),
        scopes=_words(fields.pop("scopes", SCOPES), "scopes", _SCOPE),
        claims=_claims(fields.pop("claims", {})),
        trusts_email=_flag(fields.pop("trusts_email", False), "trusts_email"),
        userinfo=_flag(fields.pop("userinfo", False), "userinfo"),
        demands=_demands(fields.pop("demands", {})),
        max_age=_max_age(fields.pop("max_age", None)),
        acr_values=_words(fields.pop("acr_values", []), "acr_values", _ACR),
        client_authentication=fields.pop("client_authentication", ""),
    )
    if fields:
        raise _Unfit(f"The settings have unknown fields: {', '.join(sorted(str(each)[:40] for each in fields))}.")
    if settings.client_authentication not in CLIENT_AUTHENTICATIONS:
        raise _Unfit(f"The client authentication is one of {', '.join(CLIENT_AUTHENTICATIONS[1:])}.")
    if secret is None and settings.client_authentication in ("client_secret_basic", "client_secret_post"):
        raise _Unfit("This client authentication needs the client secret.")
    if secret is not None and not 0 < len(secret.reveal()) <= MAX_SECRET_BYTES:
        raise _Unfit(f"The client secret is empty or longer than {MAX_SECRET_BYTES:,} bytes.")
    if "openid" not in settings.scopes:
        raise _Unfit("The scopes must contain openid.")
    if settings.issuer == GOOGLE and "hd" not in dict(settings.demands):
        raise _Unfit("Google signs in anybody with a Google account: demand your own domain by the claim hd.")
    return settings


def _text(value: Any, what: str, most: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= most or not value.isprintable() or value != value.strip():
        raise _Unfit(f"The {what} is missing, longer than {most:,} characters, or has odd characters.")
    return value


def _issuer(value: Any) -> str:
    issuer = _text(value, "issuer", MAX_URL_CHARACTERS)
    if not fit_url(issuer) or "?" in issuer or "#" in issuer:
        raise _Unfit("The issuer is not an https address without query and fragment.")
    return issuer


def fit_url(url: str) -> bool:
    """An absolute https address, or an http one, which only an exception of the operator lets out (`gateway.fetch`)."""
    if len(url) > MAX_URL_CHARACTERS or not url.isascii() or any(character <= " " for character in url):
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname) and "@" not in parts.netloc


def _words(value: Any, what: str, shape: re.Pattern[str]) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) > MAX_ITEMS:
        raise _Unfit(f"The field {what} is not a list of at most {MAX_ITEMS} words.")
    if not all(isinstance(each, str) and shape.fullmatch(each) for each in value):
        raise _Unfit(f"The field {what} has something that is not one word.")
    return tuple(dict.fromkeys(value))


def _flag(value: Any, what: str) -> bool:
    if not isinstance(value, bool):
        raise _Unfit(f"The field {what} is true or false.")
    return value


def _max_age(value: Any) -> int | None:
    if value is not None and (type(value) is not int or not 0 <= value <= MAX_AGE_SECONDS):
        raise _Unfit(f"max_age is a number of seconds, at most {MAX_AGE_SECONDS:,}.")
    return value


def _demands(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping) or len(value) > MAX_ITEMS:
        raise _Unfit(f"The field demands is not an object of at most {MAX_ITEMS} claims.")
    return tuple(
        (_text(name, "name of a demanded claim", MAX_NAME_CHARACTERS), _text(text, f"demanded {name}", 1_000))
        for name, text in sorted(value.items(), key=lambda item: str(item[0]))
    )


def _claims(value: Any) -> ClaimNames:
    known = set(ClaimNames.__dataclass_fields__)
    if not isinstance(value, Mapping) or not set(value) <= known:
        raise _Unfit(f"The field claims names claims for {', '.join(sorted(known))} and nothing else.")
    for name, claim in value.items():
        if not isinstance(claim, str) or len(claim) > MAX_NAME_CHARACTERS or not claim.isprintable():
            raise _Unfit(f"The claim for {name} is not the name of one.")
    names = ClaimNames(**value)
    if not names.user_name:
        raise _Unfit("A claim must say the user name.")
    return names
