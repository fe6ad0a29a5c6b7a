"""What an administrator decided about one provider, read from plain JSON, and what follows from it."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from onepam.identity.saml.keys import SpKey
from onepam.identity.saml.metadata import (
    BINDINGS,
    MAX_ENTITY_ID_CHARACTERS,
    Endpoint,
    IdpMetadata,
    certificate_of,
    complete,
    unfit_url,
)  # fmt: skip
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
EMAIL_ADDRESS = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
NAME_ID_FORMATS = ("", PERSISTENT, EMAIL_ADDRESS, UNSPECIFIED, TRANSIENT)
"""What may be asked for; "" asks for nothing and takes what the provider sends."""

MAX_SKEW_SECONDS = 60
MAX_KEYS = 2
MAX_ATTRIBUTE_NAME_CHARACTERS = 512
COMPARISONS = ("exact", "minimum", "better", "maximum")


@dataclass(frozen=True, slots=True)
class Attributes:
    """Which of the provider's attributes say what. "" means: the NameID for the first two, nothing for the others."""

    subject: str = ""
    user_name: str = ""
    email: str = ""
    name: str = ""
    groups: str = ""
    methods: str = ""
    """Where the provider lists how it authenticated somebody, beside the AuthnContextClassRef."""


@dataclass(frozen=True, slots=True)
class SamlSettings:
    """One provider, ready for use. `keys`: the first one signs, all are published, all decrypt."""

    provider: str
    entity_id: str
    acs_url: str
    slo_url: str
    idp: IdpMetadata
    keys: tuple[SpKey, ...]
    attributes: Attributes = Attributes()
    name_id_format: str = ""
    request_binding: str = "redirect"
    contexts: tuple[str, ...] = ()
    """AuthnContextClassRef values that each request asks for; none: the provider's own choice."""
    comparison: str = "exact"
    skew_seconds: int = MAX_SKEW_SECONDS
    read_from: str = ""
    """Where the provider's metadata is read, "" where it was pasted."""

    def sso(self) -> Endpoint:
        """Where requests go: by the chosen binding, or by the one that the provider has."""
        return next((each for each in self.idp.sso if each.binding == self.request_binding), self.idp.sso[0])

    def slo(self) -> Endpoint | None:
        """Where our logout messages go, if the provider takes any."""
        return next(
            (each for each in self.idp.slo if each.binding == self.request_binding), next(iter(self.idp.slo), None)
        )


def acs_url(console: str, provider: str) -> str:
    return f"{console.rstrip('/')}/sign-in/return/{provider}"


def slo_url(console: str, provider: str) -> str:
    return f"{console.rstrip('/')}/sign-in/logout/{provider}"


def metadata_url(console: str, provider: str) -> str:
    """Also our entity id towards that provider, unless another one was chosen."""
    return f"{console.rstrip('/')}/sign-in/metadata/{provider}"


def idp_mapping(idp: IdpMetadata) -> dict[str, object]:
    """A provider's metadata as plain JSON, for `parse`'s field `idp`."""
    mapping: dict[str, object] = {
        "entity_id": idp.entity_id,
        "sso": [_endpoint_mapping(each) for each in idp.sso],
        "slo": [_endpoint_mapping(each) for each in idp.slo],
        "signing": [b64encode(each.public_bytes(Encoding.DER)).decode("ascii") for each in idp.signing],
        "encryption": [b64encode(each.public_bytes(Encoding.DER)).decode("ascii") for each in idp.encryption],
    }
    if idp.valid_until is not None:
        mapping["valid_until"] = int(idp.valid_until)
    if idp.refresh_after is not None:
        mapping["refresh_after"] = int(idp.refresh_after)
    return mapping


def parse(provider: str, console: str, mapping: Mapping[str, object], keys: Sequence[SpKey]) -> SamlSettings | Refused:
    """The settings of stored JSON. Codes: `saml.settings`, and those of `metadata.complete`.

    Fields: `idp` (see `idp_mapping`); optional `entity_id` (ours), `attributes` (the names in `Attributes`),
    `name_id_format`, `request_binding` ("redirect" or "post"), `contexts`, `comparison`, `skew_seconds` (at most 60),
    `metadata_url` (the provider's).
    """
    try:
        settings = _settings(provider, console, _Fields(mapping, "settings"), tuple(keys))
        idp = complete(settings.idp)
        if isinstance(idp, Refused):
            return idp
        for key in settings.keys:
            key.opened()
    except _Unreadable as unreadable:
        return unreadable.refused
    except (ValueError, TypeError):
        return _refused("Our own key for this provider cannot be used.", "Make a new key for it.")
    return settings


class _Unreadable(Exception):
    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.message)
        self.refused = refused


def _refused(message: str, hint: str = "") -> Refused:
    return Refused("saml.settings", message, hint)


class _Fields:
    """Typed reading of a JSON object; what is unknown is refused, since a misspelt setting would be a lost one."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping):
            raise _Unreadable(_refused(f"The provider's {where} are not an object."))
        self.where = where
        self._rest = dict(value)

    def take(self, name: str, default: object) -> object:
        value = self._rest.pop(name, default)
        if type(value) is not type(default) and not (isinstance(value, tuple) and isinstance(default, list)):
            raise _Unreadable(_refused(f"The field {name} of the provider's {self.where} has the wrong type."))
        return value

    def text(self, name: str, *, most: int = 2_000, among: Sequence[str] = (), default: str = "") -> str:
        value = str(self.take(name, default))
        if len(value) > most or not value.isprintable() or (among and value not in among):
            choice = f" It is one of: {', '.join(repr(each) for each in among)}." if among else ""
            raise _Unreadable(_refused(f"The field {name} of the provider's {self.where} is not usable.{choice}"))
        return value

    def items(self, name: str, most: int) -> list[object]:
        value = self.take(name, [])
        assert isinstance(value, list | tuple)
        if len(value) > most:
            raise _Unreadable(_refused(f"The field {name} of the provider's {self.where} has more than {most} items."))
        return list(value)

    def texts(self, name: str, most: int, length: int) -> tuple[str, ...]:
        found = []
        for value in self.items(name, most):
            if not isinstance(value, str) or not 0 < len(value) <= length or not value.isprintable():
                raise _Unreadable(_refused(f"The field {name} of the provider's {self.where} is not a list of texts."))
            found.append(value)
        return tuple(found)

    def time(self, name: str) -> Instant | None:
        value = self.take(name, 0)
        return Instant(value) if isinstance(value, int) and value else None

    def end(self) -> None:
        if self._rest:
            unknown = ", ".join(sorted(str(each)[:40] for each in self._rest))
            raise _Unreadable(_refused(f"The provider's {self.where} have unknown fields: {unknown}."))


def _settings(provider: str, console: str, fields: _Fields, keys: tuple[SpKey, ...]) -> SamlSettings:
    if not 1 <= len(keys) <= MAX_KEYS:
        raise _Unreadable(_refused(f"A provider needs one key of ours, or {MAX_KEYS} while they change."))
    names = _Fields(fields.take("attributes", {}), "attributes")
    attributes = Attributes(
        *(
            names.text(each, most=MAX_ATTRIBUTE_NAME_CHARACTERS)
            for each in ("subject", "user_name", "email", "name", "groups", "methods")
        )
    )
    names.end()
    skew = fields.take("skew_seconds", MAX_SKEW_SECONDS)
    if not isinstance(skew, int) or not 0 <= skew <= MAX_SKEW_SECONDS:
        raise _Unreadable(_refused(f"Clocks may differ by at most {MAX_SKEW_SECONDS} seconds."))
    settings = SamlSettings(
        provider=provider,
        entity_id=fields.text("entity_id", most=MAX_ENTITY_ID_CHARACTERS) or metadata_url(console, provider),
        acs_url=acs_url(console, provider),
        slo_url=slo_url(console, provider),
        idp=_idp(_Fields(fields.take("idp", {}), "metadata")),
        keys=keys,
        attributes=attributes,
        name_id_format=fields.text("name_id_format", among=NAME_ID_FORMATS),
        request_binding=fields.text("request_binding", among=tuple(BINDINGS.values()), default="redirect"),
        contexts=fields.texts("contexts", 10, 500),
        comparison=fields.text("comparison", among=COMPARISONS, default="exact"),
        skew_seconds=skew,
        read_from=fields.text("metadata_url"),
    )
    fields.end()
    if settings.read_from and unfit_url(settings.read_from):
        raise _Unreadable(_refused("The address of the provider's metadata cannot be used.", "It must be https."))
    if unfit_url(settings.acs_url):
        raise _Unreadable(
            _refused("The console's address is not one that a provider may send people to.", "Set console_url.")
        )
    return settings


def _idp(fields: _Fields) -> IdpMetadata:
    idp = IdpMetadata(
        entity_id=fields.text("entity_id", most=MAX_ENTITY_ID_CHARACTERS),
        sso=tuple(_endpoint(each) for each in fields.items("sso", 2)),
        slo=tuple(_endpoint(each) for each in fields.items("slo", 2)),
        signing=tuple(_certificate(each) for each in fields.items("signing", 20)),
        encryption=tuple(_certificate(each) for each in fields.items("encryption", 20)),
        valid_until=fields.time("valid_until"),
        refresh_after=fields.time("refresh_after"),
    )
    fields.end()
    return idp


def _endpoint_mapping(endpoint: Endpoint) -> dict[str, object]:
    return {"binding": endpoint.binding, "location": endpoint.location, "answer": endpoint.answer}


def _endpoint(value: object) -> Endpoint:
    fields = _Fields(value, "addresses")
    endpoint = Endpoint(
        fields.text("binding", among=tuple(BINDINGS.values()), default="redirect"),
        fields.text("location"),
        fields.text("answer"),
    )
    fields.end()
    return endpoint


def _certificate(value: object) -> x509.Certificate:
    certificate = certificate_of("".join(value.split()) if isinstance(value, str) else "")
    if isinstance(certificate, Refused):
        raise _Unreadable(certificate)
    return certificate
