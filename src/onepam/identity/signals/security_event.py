"""One Security Event Token: from its text to a `Signal`, if the transmitter signed it, for us.

SSF 1.0 section 4: `typ` is `secevent+jwt`; `iss`, `aud`, `iat` and `jti` are there; `sub` and `exp` are not, so that no
other kind of token can pass for one; `events` holds exactly one event; `sub_id` says whom it is about.
"""

from collections.abc import Mapping
from typing import Any

from onepam.domain.providers.signals import Signal, SignalKind, Subject
from onepam.identity.oidc.claims import MAX_SESSION_CHARACTERS, MAX_SUBJECT_CHARACTERS
from onepam.identity.oidc.discovery import ALGORITHMS
from onepam.identity.oidc.keys import KeyRing
from onepam.identity.oidc.tokens import SKEW, at_second, issued_for, verified
from onepam.kernel.clock import Instant, iso
from onepam.kernel.errors import Refused

TYPE = "secevent+jwt"
MEDIA_TYPE = "application/secevent+jwt"
MAX_UNIQUE_CHARACTERS = 255
MAX_REASON_CHARACTERS = 500
MAX_STATE_CHARACTERS = 1_000
MAX_EMAIL_CHARACTERS = 254

_CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
_SSF = "https://schemas.openid.net/secevent/ssf/event-type/"
EVENTS = {
    f"{_CAEP}session-revoked": SignalKind.SESSION_REVOKED,
    f"{_CAEP}credential-change": SignalKind.CREDENTIAL_CHANGE,
    f"{_SSF}verification": SignalKind.VERIFICATION,
    f"{_SSF}stream-updated": SignalKind.STREAM_UPDATED,
}
"""The events that are understood, by their URIs."""

_DETAILS = {
    SignalKind.CREDENTIAL_CHANGE: ("change_type", frozenset({"create", "revoke", "update", "delete"})),
    SignalKind.STREAM_UPDATED: ("status", frozenset({"enabled", "paused", "disabled"})),
}


async def checked(
    token: str, ring: KeyRing, issuer: str, audience: str, subject_issuers: frozenset[str], now: Instant
) -> Signal | Refused:
    """The signal of a token. `subject_issuers` are those under whose names the provider's people are known.

    Codes: those of `tokens.verified` and `tokens.issued_for`, `signal.claims`, `signal.event`, `signal.subject`.
    """
    signed = await verified(token, ring, ALGORITHMS, (TYPE,), now)
    if isinstance(signed, Refused):
        return signed
    claims = signed.claims
    if (wrong := issued_for(claims, issuer, audience)) is not None:
        return wrong
    issued, jti = at_second(claims, "iat"), _text(claims, "jti", MAX_UNIQUE_CHARACTERS)
    if issued is None or not jti:
        return Refused("signal.claims", "The token does not say which one it is, and when it was made (jti, iat).")
    if issued > now + SKEW:
        return Refused("signal.claims", f"The token is from the future ({iso(issued)}); here it is {iso(now)}.")
    if "exp" in claims or "sub" in claims:
        return Refused("signal.claims", "A security event has neither exp nor sub (SSF 1.0 section 4).")
    return _signal(claims, jti, issued, subject_issuers)


def _signal(claims: dict[str, Any], jti: str, issued: Instant, subject_issuers: frozenset[str]) -> Signal | Refused:
    events = claims.get("events")
    if not isinstance(events, Mapping) or len(events) != 1:
        return Refused("signal.event", "A security event token holds exactly one event.")
    uri, said = next(iter(events.items()))
    kind = EVENTS.get(uri)
    if kind is None or not isinstance(said, Mapping):
        return Refused("signal.event", "This kind of event is not understood here.")
    reason = _reason(said)
    if kind is SignalKind.VERIFICATION:
        state = _text(said, "state", MAX_STATE_CHARACTERS) if "state" in said else ""
        if state is None:
            return Refused("signal.event", "The verification's state is no text that can be kept.")
        return Signal(kind, jti, issued, Subject(), reason=reason, state=state)
    detail = _detail(kind, said)
    if isinstance(detail, Refused):
        return detail
    if kind is SignalKind.STREAM_UPDATED:
        return Signal(kind, jti, issued, Subject(), detail, reason)
    subject = _subject(claims.get("sub_id"), subject_issuers)
    return subject if isinstance(subject, Refused) else Signal(kind, jti, issued, subject, detail, reason)


def _detail(kind: SignalKind, said: Mapping[str, Any]) -> str | Refused:
    """What the event says beside its subject, in one of the words that its specification knows."""
    if kind not in _DETAILS:
        return ""
    name, words = _DETAILS[kind]
    detail = said.get(name)
    if isinstance(detail, str) and detail in words:
        return detail
    return Refused("signal.event", f"The event's {name} is none of {', '.join(sorted(words))}.")


def _subject(said: Any, issuers: frozenset[str]) -> Subject | Refused:
    """RFC 9493 and SSF section 3. A device, a tenant and the like are nobody here: the user and the session count."""
    if not isinstance(said, Mapping):
        return _nobody()
    if said.get("format") != "complex":
        return _user(said, issuers)
    session, user = said.get("session"), said.get("user")
    found = Subject() if user is None else _user(user, issuers)
    if isinstance(found, Refused):
        return found
    if session is None:
        return found
    named = _text(session, "id", MAX_SESSION_CHARACTERS) if _is(session, "opaque") else None
    return Subject(found.names_user, found.subject, found.email, named) if named else _nobody()


def _user(said: Any, issuers: frozenset[str]) -> Subject | Refused:
    if _is(said, "iss_sub"):
        issuer, subject = _text(said, "iss", MAX_SUBJECT_CHARACTERS), _text(said, "sub", MAX_SUBJECT_CHARACTERS)
        if not issuer or not subject:
            return _nobody()
        return Subject(True, subject if issuer in issuers else "")
    if _is(said, "opaque"):
        ident = _text(said, "id", MAX_SUBJECT_CHARACTERS)
        return Subject(True, ident) if ident else _nobody()
    if _is(said, "email"):
        email = _text(said, "email", MAX_EMAIL_CHARACTERS)
        # An address that only resembles somebody's (fullwidth letters, ligatures) names nobody.
        return Subject(True, "", email.lower() if email.isascii() else "") if email else _nobody()
    return _nobody()


def _is(said: Any, form: str) -> bool:
    return isinstance(said, Mapping) and said.get("format") == form


def _nobody() -> Refused:
    return Refused("signal.subject", "The subject is of no format that is understood: iss_sub, email, opaque, complex.")


def _reason(said: Mapping[str, Any]) -> str:
    """`reason_admin`: by language, or (before CAEP 1.0 was final) one text."""
    words = said.get("reason_admin", "")
    if isinstance(words, Mapping):
        words = words.get("en") or next(iter(words.values()), "")
    if not isinstance(words, str):
        return ""
    return "".join(each for each in words[:MAX_REASON_CHARACTERS] if each.isprintable())


def _text(said: Mapping[str, Any], name: str, most: int) -> str | None:
    """None where it is missing, empty, or no text that can be kept."""
    value = said.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= most and value.isprintable() else None
