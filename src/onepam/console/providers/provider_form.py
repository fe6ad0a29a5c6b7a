"""The form in which a provider is proposed: its fields as text, to and from what the ledger keeps."""

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import FirstFactor, ProviderRule
from onepam.domain.providers.setting import Provider
from onepam.identity.oidc.settings import ClaimNames
from onepam.identity.saml.settings import Attributes

Form = Mapping[str, str]

MAX_FIELD_CHARACTERS = 4_000
DEFAULT_SCOPES = "openid profile email"
_WORDS = re.compile(r"[\s,;]+")
_LISTS = ("domains", "attests", "phishing_resistant", "scopes", "acr_values", "contexts")
_FLAGS = ("joins", "groups", "trusts_email", "userinfo")
_TEXTS = ("name", "issuer", "client_id", "max_age", "client_authentication", "metadata_url")
_CHOICES = ("first_factor", "name_id_format", "request_binding", "comparison", "entity_id")
CLAIMS = tuple(each.name for each in fields(ClaimNames))
ATTRIBUTES = tuple(each.name for each in fields(Attributes))
FIELDS = (
    *_LISTS, *_FLAGS, *_TEXTS, *_CHOICES, "demands",
    *(f"claim_{each}" for each in CLAIMS), *(f"attribute_{each}" for each in ATTRIBUTES),
)  # fmt: skip


def listed(text: str) -> list[str]:
    """Words between white space, commas and semicolons, each once."""
    return list(dict.fromkeys(each for each in _WORDS.split(text[:MAX_FIELD_CHARACTERS]) if each))


def typed(form: Form) -> dict[str, str]:
    """The fields as somebody typed them, bounded."""
    return {name: form.get(name, "").strip()[:MAX_FIELD_CHARACTERS] for name in FIELDS}


def rule(form: Form) -> ProviderRule:
    """What the provider's word is worth here. What cannot be phished also attests."""
    hard = listed(form.get("phishing_resistant", ""))
    return ProviderRule(
        attests=tuple(dict.fromkeys([*listed(form.get("attests", "")), *hard])),
        phishing_resistant=tuple(hard),
        domains=tuple(dict.fromkeys(each.lower().removeprefix("@") for each in listed(form.get("domains", "")))),
        joins=form.get("joins") == "on",
        groups=form.get("groups") == "on",
        first_factor=FirstFactor.LINK if form.get("first_factor") == FirstFactor.LINK else FirstFactor.SELF,
    )


def oidc_settings(form: Form) -> dict[str, Any]:
    """The settings of an OpenID provider; what is as by default is left out."""
    found: dict[str, Any] = {"issuer": form.get("issuer", "").strip(), "client_id": form.get("client_id", "").strip()}
    if scopes := listed(form.get("scopes", "")):
        found["scopes"] = scopes
    known = ClaimNames()
    claims = {each: form.get(f"claim_{each}", getattr(known, each)).strip() for each in CLAIMS}
    if claims != {each: getattr(known, each) for each in CLAIMS}:
        found["claims"] = claims
    found |= {flag: True for flag in ("trusts_email", "userinfo") if form.get(flag) == "on"}
    if demands := dict(each.partition("=")[::2] for each in listed(form.get("demands", ""))):
        found["demands"] = demands
    if max_age := form.get("max_age", "").strip():
        found["max_age"] = int(max_age) if max_age.isascii() and max_age.isdigit() and len(max_age) < 12 else max_age
    if acr_values := listed(form.get("acr_values", "")):
        found["acr_values"] = acr_values
    if how := form.get("client_authentication", ""):
        found["client_authentication"] = how
    return found


def saml_settings(form: Form, idp: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a SAML provider with its metadata; what is as by default is left out."""
    found: dict[str, Any] = {"idp": dict(idp)}
    attributes = {each: form.get(f"attribute_{each}", "").strip() for each in ATTRIBUTES}
    if any(attributes.values()):
        found["attributes"] = {name: value for name, value in attributes.items() if value}
    found |= {
        name: form[name].strip()
        for name in ("entity_id", "name_id_format", "request_binding", "comparison", "metadata_url")
        if form.get(name, "").strip()
    }
    if contexts := listed(form.get("contexts", "")):
        found["contexts"] = contexts
    return found


def form_of(stored: Provider) -> dict[str, str]:
    """A provider in the form's own fields, to be changed."""
    known = json.loads(stored.settings)
    made: dict[str, str] = dict.fromkeys(FIELDS, "")
    made |= {
        "name": stored.name,
        "domains": "\n".join(stored.rule.domains),
        "attests": " ".join(stored.rule.attests),
        "phishing_resistant": " ".join(stored.rule.phishing_resistant),
        "joins": "on" if stored.rule.joins else "",
        "groups": "on" if stored.rule.groups else "",
        "first_factor": stored.rule.first_factor.value,
    }
    made |= {name: str(known[name]) for name in (*_TEXTS, *_CHOICES) if name in known}
    made |= {name: " ".join(known[name]) for name in ("scopes", "acr_values", "contexts") if name in known}
    made |= {name: "on" for name in ("trusts_email", "userinfo") if known.get(name)}
    made["demands"] = " ".join(f"{name}={value}" for name, value in known.get("demands", {}).items())
    if stored.kind is ProviderKind.OIDC:
        made["scopes"] = made["scopes"] or DEFAULT_SCOPES
        claims = ClaimNames(**known.get("claims", {}))
        made |= {f"claim_{each}": getattr(claims, each) for each in CLAIMS}
    else:
        made |= {f"attribute_{name}": value for name, value in known.get("attributes", {}).items()}
    return made
