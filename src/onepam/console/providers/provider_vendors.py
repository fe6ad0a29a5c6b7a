"""The vendors that the wizard offers: what the presets of both protocols know of each, in one shape."""

from dataclasses import asdict, dataclass

from onepam.console.frame.page import Context
from onepam.console.providers.provider_form import DEFAULT_SCOPES, FIELDS
from onepam.domain.providers.assertion import ProviderKind
from onepam.identity.oidc import presets as oidc
from onepam.identity.oidc import settings as oidc_settings
from onepam.identity.saml import presets as saml
from onepam.identity.saml import settings as saml_settings


@dataclass(frozen=True, slots=True)
class Vendor:
    """One card. `fields` are the form's first values, `example` an issuer or metadata address as this vendor writes it.

    `gaps` say what this provider does not say or do. `steps` are what to do at the vendor, with our addresses to fill.
    """

    key: str
    name: str
    kind: ProviderKind
    example: str
    gaps: tuple[str, ...]
    steps: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    demands: tuple[str, ...] = ()

    def form(self) -> dict[str, str]:
        """The form as it is first shown."""
        return {**dict.fromkeys(FIELDS, ""), "first_factor": "self", **dict(self.fields)}

    def context(self, console: str, provider: str) -> Context:
        """The vendor for a page, with the exact addresses in its steps."""
        ours = {
            "redirect_uri": saml_settings.acs_url(console, provider),
            "backchannel_uri": oidc_settings.backchannel_uri(console, provider),
            "post_logout_uri": oidc_settings.post_logout_uri(console),
            "acs": saml_settings.acs_url(console, provider),
            "entity_id": saml_settings.metadata_url(console, provider),
            "metadata": saml_settings.metadata_url(console, provider),
            "slo": saml_settings.slo_url(console, provider),
        }
        steps = [_step(step, ours) for step in self.steps]
        return {
            "key": self.key, "name": self.name, "example": self.example, "gaps": list(self.gaps), "steps": steps,
            "demands": list(self.demands),
        }  # fmt: skip


def vendors() -> list[Context]:
    """The cards: one for each vendor, with its protocols."""
    cards: dict[str, Context] = {}
    for vendor in _ALL:
        name = _CARDS.get(vendor.name, vendor.name)
        card = cards.setdefault(name, {"name": name, "initials": name[0], "ways": []})
        card["ways"].append({"kind": vendor.kind.value, "preset": vendor.key})
    return list(cards.values())


def vendor_of(kind: ProviderKind, key: str) -> Vendor:
    """By its key; any other provider where there is none."""
    of_kind = [each for each in _ALL if each.kind is kind]
    return next((each for each in of_kind if each.key == key), of_kind[-1])


def _step(step: str, ours: dict[str, str]) -> list[Context]:
    """A step in pieces: words, and values to copy."""
    pieces: list[Context] = []
    rest = step
    while rest:
        before, brace, after = rest.partition("{")
        if before:
            pieces.append({"text": before, "ours": False})
        name, _, rest = after.partition("}")
        if brace:
            pieces.append({"text": ours[name], "ours": True})
    return pieces


def _of_oidc(preset: oidc.Preset) -> Vendor:
    claims = tuple((f"claim_{name}", value) for name, value in asdict(preset.claims).items())
    fields = {
        "name": "" if preset is oidc.OTHER else preset.name,
        "issuer": preset.issuer_hint if preset is oidc.GOOGLE_WORKSPACE else "",
        "scopes": " ".join(preset.scopes) or DEFAULT_SCOPES,
        "userinfo": "on" if preset.userinfo else "",
        "attests": " ".join(preset.attests),
        "phishing_resistant": " ".join(preset.phishing_resistant),
        "groups": "on" if preset.claims.groups else "",
    }
    return Vendor(
        preset.kind, preset.name, ProviderKind.OIDC, preset.issuer_hint, preset.gaps, preset.steps,
        (*fields.items(), *claims), preset.demands,
    )  # fmt: skip


def _of_saml(key: str, preset: saml.Preset) -> Vendor:
    attributes = tuple((f"attribute_{name}", value) for name, value in asdict(preset.attributes).items())
    fields = {
        "name": "" if key == "any" else preset.name,
        "name_id_format": preset.name_id_format,
        "attests": " ".join(preset.second_factor),
        "groups": "on" if preset.attributes.groups else "",
    }
    return Vendor(
        key, preset.name, ProviderKind.SAML, _METADATA.get(key, "https://HOST/metadata"), (preset.attestation,),
        preset.steps, (*fields.items(), *attributes),
    )  # fmt: skip


_CARDS = {
    oidc.OTHER.name: "Another provider",
    saml.PRESETS["any"].name: "Another provider",
}
_METADATA = {
    "okta": "https://COMPANY.okta.com/app/APP-ID/sso/saml/metadata",
    "keycloak": "https://HOST/realms/REALM/protocol/saml/descriptor",
    "entra": "https://login.microsoftonline.com/TENANT-ID/federationmetadata/2007-06/federationmetadata.xml",
}
_ALL = (*map(_of_oidc, oidc.PRESETS), *(_of_saml(key, preset) for key, preset in saml.PRESETS.items()))
