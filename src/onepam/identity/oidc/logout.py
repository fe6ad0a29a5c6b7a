"""Signing out: at the provider by way of the browser, and here because the provider says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepam.identity.oidc.claims import MAX_SESSION_CHARACTERS, MAX_SUBJECT_CHARACTERS
from onepam.identity.oidc.discovery import Discovered
from onepam.identity.oidc.exchange import with_query
from onepam.identity.oidc.settings import OidcSettings
from onepam.identity.oidc.tokens import SKEW, at_second, in_time, issued_for
from onepam.kernel.clock import MINUTE, Instant, later
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret

EVENT = "http://schemas.openid.net/event/backchannel-logout"
OLDEST = 10 * MINUTE
"""A logout token older than this is refused, so that its `jti` need not be remembered for ever."""

MAX_UNIQUE_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class LogoutNotice:
    """The provider ended a session (`session`, its `sid`), or all of `subject`'s where no session is named.

    `unique` (`jti`) serves once; after `forget_at` the token is refused by its age anyway.
    """

    subject: str | None
    session: str | None
    unique: str
    issued: Instant
    forget_at: Instant


def sign_out_url(settings: OidcSettings, found: Discovered, id_token: Secret | None, state: str) -> str:
    """OpenID Connect RP-Initiated Logout 1.0 section 2."""
    parameters = {
        "id_token_hint": id_token.reveal().decode("ascii") if id_token else "",
        "client_id": settings.client_id,
        "post_logout_redirect_uri": settings.post_logout_uri,
        "state": state,
    }
    return with_query(found.end_session_endpoint, {name: value for name, value in parameters.items() if value})


def notice(settings: OidcSettings, claims: dict[str, Any], now: Instant) -> LogoutNotice | Refused:
    """The notice of a logout token whose signature holds (Back-Channel Logout 1.0 sections 2.4 and 2.6).

    Codes: those of `tokens.issued_for` and `tokens.in_time`, `oidc.logout`.
    """
    wrong = issued_for(claims, settings.issuer, settings.client_id)
    wrong = wrong or in_time(claims, now, Instant(now - OLDEST), expires=False)
    if wrong is not None:
        return wrong
    events = claims.get("events")
    if not isinstance(events, Mapping) or not isinstance(events.get(EVENT), Mapping) or "nonce" in claims:
        return Refused("oidc.logout", "This is no logout token.")
    unique = _text(claims, "jti", MAX_UNIQUE_CHARACTERS)
    subject, session = _text(claims, "sub", MAX_SUBJECT_CHARACTERS), _text(claims, "sid", MAX_SESSION_CHARACTERS)
    if not unique or subject == "" or session == "" or (subject is None and session is None):
        return Refused("oidc.logout", "The logout token does not say whose session ended.")
    issued = at_second(claims, "iat") or now
    return LogoutNotice(subject, session, unique, issued, later(issued, OLDEST + 2 * SKEW))


def _text(claims: Mapping[str, Any], name: str, most: int) -> str | None:
    """A claim's text; "" where it is none that can be kept, None where it is missing."""
    if name not in claims:
        return None
    value = claims[name]
    return value if isinstance(value, str) and len(value) <= most and value.isprintable() else ""
