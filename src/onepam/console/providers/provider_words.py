"""A provider in words: what differs, what it is told about us, what its word is worth, and what runs out."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256

from onepam.console.frame.page import Context
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import FirstFactor, ProviderRule
from onepam.domain.providers.setting import Provider
from onepam.identity.oidc import settings as oidc
from onepam.identity.providers import Settings, own_certificate_ends, runs_out
from onepam.identity.saml import settings as saml
from onepam.identity.saml.metadata import certificate_of
from onepam.identity.saml.settings import SamlSettings
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused

PROTOCOLS = {ProviderKind.OIDC: "OpenID Connect", ProviderKind.SAML: "SAML 2.0"}
SOON = 30 * DAY
MAX_SHOWN = 300

BASES = {
    "own": "both factors shown here",
    "attested": "second factor attested by the provider",
    "declared": "second factor declared",
    "stepped_up": "second factor shown here",
    "accepted": "no second factor, under a risk acceptance",
}

REFUSALS = {
    "sign_in.nobody": "may not sign in",
    "sign_in.no_factor": "no second factor",
    "sign_in.other_identity": "signs in in another way",
}
"""Why a message about somebody known was refused."""

_RUNS_OUT = {"certificate": "Signing certificate of the provider", "metadata": "Metadata of the provider"}
_SETTINGS = {
    "issuer": "Issuer",
    "client_id": "Client id",
    "scopes": "Scopes",
    "trusts_email": "Every address counts as vouched for",
    "userinfo": "The userinfo endpoint is asked too",
    "demands": "Claims that must be so",
    "max_age": "Oldest sign-in there, in seconds",
    "acr_values": "Asked for (acr_values)",
    "client_authentication": "How we prove to be the client",
    "claims": "Claim",
    "metadata_url": "Metadata is read from",
    "attributes": "Attribute",
    "name_id_format": "NameID format",
    "request_binding": "Requests go by",
    "contexts": "Asked for (AuthnContextClassRef)",
    "comparison": "Compared as",
    "entity_id": "Our entity id",
    "idp": "Metadata",
}


def addresses(kind: ProviderKind, console: str, provider: str) -> list[Context]:
    """Our addresses, as they are typed in at the provider."""
    if kind is ProviderKind.OIDC:
        found = [
            ("Redirect URI", oidc.redirect_uri(console, provider), "also: callback URL, sign-in redirect URI"),
            ("Post-logout redirect URI", oidc.post_logout_uri(console), "where people land after signing out"),
            (
                "Back-channel logout URI",
                oidc.backchannel_uri(console, provider),
                "if the provider can tell of sign-outs",
            ),
        ]
    else:
        found = [
            ("Entity ID", saml.metadata_url(console, provider), "also: audience URI, identifier"),
            ("ACS URL", saml.acs_url(console, provider), "also: reply URL, single sign-on URL; binding POST"),
            ("Single logout URL", saml.slo_url(console, provider), "optional"),
        ]
    return [{"name": name, "value": value, "hint": hint} for name, value, hint in found]


def factor_basis(rule: ProviderRule, declared_until: Instant | None) -> tuple[str, str]:
    """(state, words): what the second factor of its people rests on."""
    if rule.attests:
        return "proven", "by " + ", ".join(rule.attests)
    if declared_until is not None:
        return "due", "declared"
    return "plain", "with a factor of OnePAM's own"


def first_factor(rule: ProviderRule) -> str:
    """How somebody gets the first factor for a step-up."""
    return "by themselves, at the sign-in" if rule.first_factor is FirstFactor.SELF else "by an enrolment link only"


def expiries(stored: Provider, settings: Settings | Refused, now: Instant) -> list[Context]:
    """What of the provider runs out, soonest first. OpenID providers change their keys by themselves."""
    found = [(_RUNS_OUT[what], at) for what, at in runs_out(stored)]
    if isinstance(settings, SamlSettings):
        found.append(("Our own certificate", own_certificate_ends(settings)))
    return [
        {"what": what, "at": at, "days": max(0, (at - now) // DAY), "state": _state(at, now)}
        for what, at in sorted(found, key=lambda each: each[1])
    ]


def differences(current: Provider | None, wanted: Provider) -> list[Context]:
    """What a proposal changes: each setting as it is, and as it would be. Of a new provider all that is set."""
    before, after = dict(_all(current)) if current else {}, dict(_all(wanted))
    found = [
        {"what": what, "before": before.get(what, ""), "after": after.get(what, "")}
        for what in [*after, *(each for each in before if each not in after)]
        if before.get(what, "") != after.get(what, "")
    ]
    if current is not None and current.secret != wanted.secret:
        kind = "Client secret" if wanted.kind is ProviderKind.OIDC else "Our own keys"
        found.append({"what": kind, "before": "as it is", "after": "another one"})
    return found


def facts(stored: Provider) -> list[Context]:
    """Everything that is set, in words."""
    return [{"what": what, "is": value} for what, value in _all(stored)]


def _all(stored: Provider) -> Iterator[tuple[str, str]]:
    rule = stored.rule
    yield "Name", stored.name
    yield "Protocol", PROTOCOLS[stored.kind]
    for name, value in json.loads(stored.settings).items():
        yield from _setting(name, value)
    yield "Mail domains", ", ".join(rule.domains) or "none: people are found only once they are linked"
    yield "Attests a second factor", ", ".join(rule.attests) or "nothing"
    if rule.phishing_resistant:
        yield "Attests one that cannot be phished", ", ".join(rule.phishing_resistant)
    yield "Unknown people", "are added at their first sign-in, with no role" if rule.joins else "are not let in"
    yield "Groups in its messages", "feed the groups directory:NAME" if rule.groups else "are not used"
    yield "First factor for a step-up", first_factor(rule)


def _setting(name: str, value: Any) -> Iterator[tuple[str, str]]:
    called = _SETTINGS.get(name, name)
    if name == "idp":
        yield from _metadata(value)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield f"{called} {key}" if name != "demands" else f"{called}: {key}", _short(str(each)) or "none"
    elif isinstance(value, list):
        yield called, _short(" ".join(str(each) for each in value))
    elif value is True:
        yield called, "yes"
    else:
        yield called, _short(str(value))


def _metadata(idp: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Entity id of the provider", _short(str(idp.get("entity_id", "")))
    for each in idp.get("sso", ()):
        yield f"Sign-in address ({each['binding']})", _short(each["location"])
    for each in idp.get("slo", ()):
        yield f"Logout address ({each['binding']})", _short(each["location"])
    yield "Signing certificates", ", ".join(map(_fingerprint, idp.get("signing", ()))) or "none"


def _fingerprint(encoded: str) -> str:
    certificate = certificate_of("".join(encoded.split()))
    if isinstance(certificate, Refused):
        return "unreadable"
    digest = certificate.fingerprint(SHA256()).hex()
    return f"SHA-256 {digest[:16]}… until {certificate.not_valid_after_utc:%Y-%m-%d}"


def _state(at: Instant, now: Instant) -> str:
    return "finding" if at <= now else "due" if at - now < SOON else "proven"


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
