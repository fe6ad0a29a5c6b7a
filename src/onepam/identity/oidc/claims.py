"""From a provider's claims to the one `Assertion` that the rest of the product knows."""

from collections.abc import Mapping
from typing import Any

from onepam.domain.people.groups import kept_groups
from onepam.domain.providers.assertion import Assertion
from onepam.identity.oidc.settings import OidcSettings
from onepam.identity.oidc.tokens import at_second
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.limits import MAX_NAME_CHARACTERS
from onepam.kernel.text import plain_text

MAX_SUBJECT_CHARACTERS = 255
"""OpenID Connect Core section 2, `sub`."""

MAX_EMAIL_CHARACTERS = 254
MAX_METHODS = 32
MAX_METHOD_CHARACTERS = 100
MAX_CONTEXT_CHARACTERS = 300
MAX_SESSION_CHARACTERS = 255

_YES = (True, "true", "True", 1, "1")
"""How providers write that an address is verified; OpenID Connect says `true`."""


def subject_of(claims: Mapping[str, Any]) -> str | Refused:
    """`sub`. Code: `oidc.claim_missing`."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS or not subject.isprintable():
        return Refused("oidc.claim_missing", "The provider does not say who signed in (sub).")
    return subject


def unmet(settings: OidcSettings, claims: Mapping[str, Any]) -> Refused | None:
    """Which of the administrator's demands an ID token does not meet. Code: `oidc.demand`."""
    for name, value in settings.demands:
        if claims.get(name) != value:
            return Refused(
                "oidc.demand",
                f"The provider does not say that {name} is {value}, which this sign-in demands.",
                "Sign in with an account of your company.",
            )
    return None


def reduced(settings: OidcSettings, claims: Mapping[str, Any], unique: str, now: Instant) -> Assertion | Refused:
    """The assertion of checked claims. Codes: `oidc.claim_missing`, `oidc.claim`, `oidc.groups_overage`.

    `claims` are those of the ID token, and of the userinfo endpoint where they do not meet.
    """
    subject = subject_of(claims)
    if isinstance(subject, Refused):
        return subject
    user_name = _user_name(settings, claims)
    if isinstance(user_name, Refused):
        return user_name
    groups = _groups(settings.claims.groups, claims)
    if isinstance(groups, Refused):
        return groups
    context, session = ("" if (said := claims.get(name)) is None else said for name in ("acr", "sid"))
    if not _bounded(session, MAX_SESSION_CHARACTERS):  # it could not end this session by a logout message
        return Refused("oidc.claim", "The provider's sid is not a text that can be kept.")
    return Assertion(
        provider=settings.provider,
        subject=subject,
        user_name=user_name,
        email=_email(settings, claims),
        name=_name(value_at(claims, settings.claims.name)),
        groups=groups[0],
        methods=_methods(claims.get("amr")),
        context=context if _bounded(context, MAX_CONTEXT_CHARACTERS) else "",
        authenticated_at=min(at_second(claims, "auth_time") or now, now),
        unique=unique,
        provider_session=session,
        left_out=groups[1],
    )


def value_at(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of that very name, else what the path with dots leads to; None where there is nothing."""
    if not name or name in claims:
        return claims.get(name) if name else None
    value: Any = claims
    for step in name.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    return value


def _user_name(settings: OidcSettings, claims: Mapping[str, Any]) -> str | Refused:
    name = settings.claims.user_name
    value = value_at(claims, name)
    if not isinstance(value, str) or not value:
        return Refused(
            "oidc.claim_missing",
            f"The provider does not send the claim {name}, which is to say the user name.",
            "Have it send that claim, or choose another one in the provider's settings.",
        )
    plain = plain_text(value, MAX_NAME_CHARACTERS, what=f"claim {name}")
    return Refused("oidc.claim", plain.message) if isinstance(plain, Refused) else plain


def _email(settings: OidcSettings, claims: Mapping[str, Any]) -> str | None:
    """The address, where the provider vouches for it; one that it calls unverified is never believed."""
    value = value_at(claims, settings.claims.email)
    vouched = value_at(claims, settings.claims.email_verified)
    if not isinstance(value, str) or not (vouched in _YES if vouched is not None else settings.trusts_email):
        return None
    local, at, domain = value.rpartition("@")
    fit = bool(local and at and domain) and "@" not in local and len(value) <= MAX_EMAIL_CHARACTERS
    return value if fit and value.isprintable() and " " not in value else None


def _name(value: Any) -> str | None:
    plain = plain_text(value, MAX_NAME_CHARACTERS, what="name") if isinstance(value, str) and value else None
    return plain if isinstance(plain, str) else None


def _groups(name: str, claims: Mapping[str, Any]) -> tuple[tuple[str, ...] | None, int] | Refused:
    """None where no claim is to say them; a claim that is missing says that there are none, as providers leave it out.
    Odd values are left out, and counted.

    Entra ID leaves out a long list, too, and points elsewhere: that is refused.
    """
    if not name:
        return None, 0
    elsewhere = claims.get("_claim_names")
    if (isinstance(elsewhere, Mapping) and name in elsewhere) or (name == "groups" and claims.get("hasgroups")):
        return Refused(
            "oidc.groups_overage",
            "You are in more groups than the provider puts into a sign-in, so it sends none of them.",
            "Its administrator: send only the groups assigned to this application, or bring groups by SCIM instead.",
        )
    value = value_at(claims, name)
    if value is None:
        return (), 0
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list):
        return (), 1
    return kept_groups(listed)


def _methods(value: Any) -> tuple[str, ...]:
    """The methods that are plain text; what is odd attests nothing, and spoils nothing."""
    listed = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    plain = [each for each in listed if each and _bounded(each, MAX_METHOD_CHARACTERS)]
    return tuple(dict.fromkeys(plain))[:MAX_METHODS]


def _bounded(value: Any, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most and value.isprintable()
