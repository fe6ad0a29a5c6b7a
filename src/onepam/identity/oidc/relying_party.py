"""The relying party: a sign-in from its first address to the assertion, and signing out (OpenID Connect Core 1.0).

It keeps what providers publish (configuration, keys), nothing of a sign-in: what `begin` gives, the caller binds to the
browser's session, takes out on the first answer, and hands to `finish`.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from onepam.domain.providers.assertion import Assertion
from onepam.egress.fetch import Fetch
from onepam.identity.oidc import exchange, logout
from onepam.identity.oidc.claims import reduced, subject_of, unmet
from onepam.identity.oidc.discovery import FRESH_FOR, Discovered, Remembered, discover, shown
from onepam.identity.oidc.exchange import Tokens
from onepam.identity.oidc.keys import KeyRing
from onepam.identity.oidc.logout import LogoutNotice
from onepam.identity.oidc.settings import OidcSettings
from onepam.identity.oidc.tokens import SKEW, Signed, at_second, in_time, issued_for, verified
from onepam.identity.tokens import pkce_challenge
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import RandomBytes
from onepam.kernel.secret import Secret

MAX_QUERY_CHARACTERS = 16 * 1024
MAX_HINT_CHARACTERS = 300
MAX_PROVIDERS = 100
SEEN_LATELY = 15 * SECOND
"""A browser is sent to a provider only if it answered us at most so long ago (microseconds): else we say that it is
down, instead of the browser's own error page."""

PROMPTS = ("", "login", "select_account", "consent", "none")

_ERRORS = {
    "access_denied": ("The sign-in was cancelled, or the provider does not let you into this application.", ""),
    "login_required": ("The provider wants you to sign in there first.", "Sign in again."),
    "interaction_required": ("The provider wants to ask you something first.", "Sign in again."),
    "account_selection_required": ("The provider wants you to choose an account.", "Sign in again."),
    "consent_required": ("The provider wants your consent.", "Sign in again, or ask its administrator to consent."),
    "invalid_scope": (
        "The provider does not know one of the scopes.",
        "Correct the scopes in the provider's settings.",
    ),
    "unauthorized_client": ("The provider does not allow this client to sign people in.", "Check the client there."),
    "temporarily_unavailable": ("The provider is overloaded or under maintenance.", "Try again in a few minutes."),
    "server_error": ("The provider has a problem of its own.", "Try again in a few minutes."),
    "unmet_authentication_requirements": (
        "The provider could not sign you in as strongly as was asked for.",
        "Enrol a second factor at the provider.",
    ),
}
"""Error codes of RFC 6749 section 4.1.2.1, Core section 3.1.2.6, and of Unmet Authentication Requirements 1.0."""

_ONLY_SIGNED = frozenset(
    {"iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "at_hash", "auth_time", "acr", "amr", "sid"}
)
"""Claims about the sign-in itself: the ID token's alone, never the userinfo endpoint's."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in on its way. To be kept on the server, bound to the browser's session, of use once, for ten minutes."""

    provider: str
    state: str
    nonce: str
    verifier: str = field(repr=False)
    max_age: int | None
    at: Instant
    url: str = ""
    """Where the browser goes; not needed afterwards."""


@dataclass(frozen=True, slots=True)
class Received:
    """A finished sign-in: what it says, all claims for the test page, and the hint for signing out at the provider."""

    assertion: Assertion
    claims: Mapping[str, Any]
    id_token: Secret


class RelyingParty:
    """Signs people in at any number of providers, whose settings come with each call."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._discovered: OrderedDict[str, Remembered[Discovered]] = OrderedDict()
        self._rings: OrderedDict[str, KeyRing] = OrderedDict()

    async def discovered(self, settings: OidcSettings, now: Instant, oldest: int = FRESH_FOR) -> Discovered | Refused:
        """What the provider says of itself, from at most `oldest` microseconds ago."""
        known = self._discovered.pop(settings.issuer, None)
        known = known or Remembered(partial(discover, self._fetch, settings.issuer))
        self._discovered[settings.issuer] = known
        if len(self._discovered) > MAX_PROVIDERS:
            self._discovered.popitem(last=False)
        return await known.get(now, oldest)

    async def begin(
        self,
        settings: OidcSettings,
        random: RandomBytes,
        now: Instant,
        *,
        prompt: str = "",
        login_hint: str = "",
        max_age: int | None = None,
        acr_values: tuple[str, ...] = (),
    ) -> Begun | Refused:
        """The address to send the browser to. Codes: `fetch.*`, `oidc.discovery`.

        `prompt` is one of `PROMPTS`. `max_age` (seconds) and `acr_values` go before those of the settings, for a
        resource that wants a fresh or a stronger factor.
        """
        found = await self.discovered(settings, now, SEEN_LATELY)
        if isinstance(found, Refused):
            return found
        state, nonce, verifier = (_unguessable(random) for _ in range(3))
        oldest = settings.max_age if max_age is None else max_age
        wanted = {
            "response_type": "code",
            "client_id": settings.client_id,
            "redirect_uri": settings.redirect_uri,
            "scope": " ".join(settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": pkce_challenge(verifier),
            "code_challenge_method": "S256",
            "prompt": prompt if prompt in PROMPTS else "",
            "max_age": "" if oldest is None else str(oldest),
            "acr_values": " ".join(acr_values or settings.acr_values),
            "login_hint": login_hint[:MAX_HINT_CHARACTERS],
        }
        wanted |= {
            name: value for name, value in settings.demands if name == "hd"
        }  # Google then offers that domain only
        url = exchange.with_query(
            found.authorization_endpoint, {name: value for name, value in wanted.items() if value}
        )
        return Begun(settings.provider, state, nonce, verifier, oldest, now, url)

    async def finish(self, settings: OidcSettings, query: str, begun: Begun, now: Instant) -> Received | Refused:
        """Who came back with this query string, for what this very browser began. Codes: `oidc.*`, `fetch.*`.

        That `begun` is of this browser, is not older than the caller allows, and is used once, is the caller's part.
        """
        found = await self.discovered(settings, now)
        if isinstance(found, Refused):
            return found
        code = _code(query, settings, begun, found)
        if isinstance(code, Refused):
            return code
        tokens = await exchange.exchange(self._fetch, settings, found, code, begun.verifier)
        if isinstance(tokens, Refused):
            return tokens
        signed = await verified(tokens.id_token, self._ring(found), found.algorithms, ("", "jwt"), now)
        if isinstance(signed, Refused):
            return signed
        wrong = _wrong(signed, settings, begun, tokens, now)
        if wrong is not None:
            return wrong
        claims: dict[str, Any] = signed.claims
        if settings.userinfo and found.userinfo_endpoint:
            more = await self._userinfo(settings, found, tokens, claims, now)
            if isinstance(more, Refused):
                return more
            claims = _joined(settings, claims, more)
        assertion = reduced(settings, claims, begun.nonce, now)
        if isinstance(assertion, Refused):
            return assertion
        return Received(assertion, claims, Secret(tokens.id_token.encode("ascii")))

    async def sign_out_url(
        self, settings: OidcSettings, now: Instant, *, id_token: Secret | None = None, state: str = ""
    ) -> str | Refused | None:
        """Where the browser goes to sign out at the provider too; None where the provider has no such place.

        The own session is ended before, whatever comes of this. (OpenID Connect RP-Initiated Logout 1.0 section 2.)
        """
        found = await self.discovered(settings, now, SEEN_LATELY)
        if isinstance(found, Refused):
            return found
        return logout.sign_out_url(settings, found, id_token, state) if found.end_session_endpoint else None

    async def logout_notice(self, settings: OidcSettings, logout_token: str, now: Instant) -> LogoutNotice | Refused:
        """What a back-channel logout token says (OpenID Connect Back-Channel Logout 1.0 section 2.6).

        Answer 200 or, when refused, 400. That its `unique` was not seen before is the caller's check.
        """
        found = await self.discovered(settings, now)
        if isinstance(found, Refused):
            return found
        signed = await verified(logout_token, self._ring(found), found.algorithms, ("", "jwt", "logout+jwt"), now)
        return signed if isinstance(signed, Refused) else logout.notice(settings, signed.claims, now)

    def _ring(self, found: Discovered) -> KeyRing:
        ring = self._rings.pop(found.jwks_uri, None) or KeyRing(self._fetch, found.jwks_uri)
        self._rings[found.jwks_uri] = ring
        if len(self._rings) > MAX_PROVIDERS:
            self._rings.popitem(last=False)
        return ring

    async def _userinfo(
        self, settings: OidcSettings, found: Discovered, tokens: Tokens, claims: Mapping[str, Any], now: Instant
    ) -> Mapping[str, Any] | Refused:
        """The userinfo endpoint's claims, plain or signed, if they are about the same subject (Core section 5.3)."""
        if tokens.access_token is None:
            return Refused("oidc.exchange", "The provider gave no access token for its userinfo endpoint.")
        answer = await exchange.userinfo(self._fetch, found, tokens.access_token)
        if isinstance(answer, str):
            signed = await verified(answer, self._ring(found), found.algorithms, ("", "jwt"), now)
            if isinstance(signed, Refused):
                return signed
            stated = {name: signed.claims[name] for name in ("iss", "aud") if name in signed.claims}
            due = {"iss": settings.issuer, "aud": settings.client_id}
            wrong = issued_for(due | stated, settings.issuer, settings.client_id)
            if wrong is not None:
                return wrong
            answer = signed.claims
        if isinstance(answer, Refused):
            return answer
        if answer.get("sub") != claims.get("sub"):
            return Refused("oidc.userinfo", "The provider's userinfo endpoint speaks of somebody else (sub).")
        return answer


def _joined(settings: OidcSettings, signed: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """What both say; the ID token goes first, and "verified" is of the address that it was said of."""
    foreign = _ONLY_SIGNED
    if settings.claims.email in signed and more.get(settings.claims.email) != signed[settings.claims.email]:
        foreign |= {settings.claims.email_verified}
    return {name: value for name, value in more.items() if name not in foreign} | dict(signed)


def _unguessable(random: RandomBytes) -> str:
    """256 random bits, in 43 characters of base64url."""
    return urlsafe_b64encode(random(32)).rstrip(b"=").decode("ascii")


def _code(query: str, settings: OidcSettings, begun: Begun, found: Discovered) -> str | Refused:
    """The code of an authorization answer that belongs to `begun` (Core section 3.1.2.5, RFC 9207)."""
    answer = _parameters(query)
    if answer is None:
        return Refused("oidc.answer", "The provider's answer cannot be read.", "Sign in again.")
    state = answer.get("state", "")
    own = begun.provider == settings.provider and hmac.compare_digest(
        state.encode("utf-8"), begun.state.encode("ascii")
    )
    if not own:
        return Refused(
            "oidc.state",
            "This answer does not belong to a sign-in that this browser began.",
            "Sign in again, in one tab; links from other people are never followed here.",
        )
    issuer = answer.get("iss")
    if (issuer is not None or found.sends_issuer) and issuer != settings.issuer:
        return Refused("oidc.issuer", "The answer comes from another provider than the one that was asked.")
    if "error" in answer:
        return _provider_error(answer)
    if not answer.get("code"):
        return Refused("oidc.answer", "The provider's answer has no code.", "Sign in again.")
    return answer["code"]


def _parameters(query: str) -> dict[str, str] | None:
    """Each parameter once (RFC 6749 section 3.1)."""
    if len(query) > MAX_QUERY_CHARACTERS or not query.isascii():
        return None
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError:
        return None
    found = dict(pairs)
    return found if len(found) == len(pairs) else None


def _provider_error(answer: Mapping[str, str]) -> Refused:
    code = answer["error"]
    message, hint = _ERRORS.get(
        code, (f"The provider refused: {shown(code)}.", "Try again; then ask its administrator.")
    )
    said = answer.get("error_description", "")
    return Refused("oidc.provider_error", f"{message} It says: {shown(said)}" if said else message, hint)


def _wrong(signed: Signed, settings: OidcSettings, begun: Begun, tokens: Tokens, now: Instant) -> Refused | None:
    """What is wrong with an ID token whose signature holds (Core sections 3.1.3.7 and 3.1.3.8)."""
    claims = signed.claims
    wrong = issued_for(claims, settings.issuer, settings.client_id) or in_time(claims, now, begun.at, expires=True)
    if wrong is not None:
        return wrong
    subject = subject_of(claims)
    if isinstance(subject, Refused):
        return subject
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode("utf-8"), begun.nonce.encode("ascii")):
        return Refused("oidc.nonce", "The ID token belongs to another sign-in.", "Sign in again.")
    if "at_hash" in claims and claims["at_hash"] != _half_hash(signed.algorithm, tokens.access_token):
        return Refused("oidc.at_hash", "The ID token belongs to another access token.")
    return _too_old(claims, begun.max_age, now) or unmet(settings, claims)


def _half_hash(algorithm: str, access_token: str | None) -> str | None:
    """`at_hash` (Core section 3.1.3.6): the left half of the algorithm's own hash; Ed25519's is SHA-512."""
    if access_token is None:
        return None
    name = "sha512" if algorithm.startswith("Ed") else f"sha{algorithm[2:]}"
    digest = hashlib.new(name, access_token.encode("utf-8")).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")


def _too_old(claims: Mapping[str, Any], max_age: int | None, now: Instant) -> Refused | None:
    """`auth_time` against `max_age`, which makes the claim mandatory (Core section 3.1.2.1)."""
    shown_at = at_second(claims, "auth_time")
    if "auth_time" in claims and (shown_at is None or shown_at > now + SKEW):
        return Refused("oidc.auth_time", "The provider gives no sensible time for the sign-in (auth_time).")
    if max_age is None:
        return None
    if shown_at is None:
        return Refused(
            "oidc.auth_time",
            "The provider does not say when you last showed your factors to it (auth_time), though it was asked.",
            "Its administrator: add auth_time to the ID token.",
        )
    if shown_at + max_age * SECOND + SKEW < now:
        return Refused(
            "oidc.auth_time", "The provider let you in by an older sign-in than is allowed here.", "Sign in again."
        )
    return None
