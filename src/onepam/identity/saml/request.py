"""What we send: requests to sign in, and messages in general, by redirect or by a form that a browser posts."""

import zlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from lxml import etree

from onepam.identity.saml.metadata import Endpoint
from onepam.identity.saml.settings import SamlSettings
from onepam.identity.saml.signature import algorithm_of, sign_octets, signed
from onepam.identity.saml.xml import POST, SAML, SAMLP, Element, tag, write_time
from onepam.kernel.clock import Instant
from onepam.kernel.ids import RandomBytes

MAX_RELAY_STATE_BYTES = 80
"""Bindings, section 3.4.3."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the browser to `url`."""

    url: str


@dataclass(frozen=True, slots=True)
class PostForm:
    """Let the browser post `fields` to `action` by itself."""

    action: str
    fields: tuple[tuple[str, str], ...]


Sending = Redirect | PostForm


def new_request_id(random: RandomBytes) -> str:
    """128 random bits as an XML name. Bind it to the browser's session: the answer must name it."""
    return "_" + random(16).hex()


def authn_request(
    settings: SamlSettings,
    request_id: str,
    now: Instant,
    *,
    relay_state: str = "",
    force: bool = False,
    contexts: Sequence[str] | None = None,
    comparison: str | None = None,
) -> Sending:
    """A signed request to sign somebody in (core, section 3.4.1).

    `force` demands that the provider asks for the factors again. `contexts` and `comparison` replace the settings' own,
    as a step-up may want. Raises `ValueError` for a `relay_state` of more than 80 bytes.
    """
    endpoint = settings.sso()
    request = message(settings, "AuthnRequest", request_id, now, endpoint.location)
    request.set("ProtocolBinding", POST)
    request.set("AssertionConsumerServiceURL", settings.acs_url)
    if force:
        request.set("ForceAuthn", "true")
    policy = etree.SubElement(request, tag(SAMLP, "NameIDPolicy"), {"AllowCreate": "true"})
    if settings.name_id_format:
        policy.set("Format", settings.name_id_format)
    wanted = settings.contexts if contexts is None else tuple(contexts)
    if wanted:
        requested = etree.SubElement(
            request, tag(SAMLP, "RequestedAuthnContext"), {"Comparison": comparison or settings.comparison}
        )
        for context in wanted:
            etree.SubElement(requested, tag(SAML, "AuthnContextClassRef")).text = context
    return send(settings, endpoint, request, "SAMLRequest", relay_state)


def message(settings: SamlSettings, kind: str, identifier: str, now: Instant, destination: str) -> Element:
    """The frame of a protocol message of ours."""
    root = etree.Element(
        tag(SAMLP, kind),
        {"ID": identifier, "Version": "2.0", "IssueInstant": write_time(now), "Destination": destination},
        nsmap={"samlp": SAMLP, "saml": SAML},
    )
    etree.SubElement(root, tag(SAML, "Issuer")).text = settings.entity_id
    return root


def send(settings: SamlSettings, endpoint: Endpoint, root: Element, parameter: str, relay_state: str = "") -> Sending:
    """The message signed and packed for the endpoint's binding. `parameter` is `SAMLRequest` or `SAMLResponse`."""
    if len(relay_state.encode("utf-8")) > MAX_RELAY_STATE_BYTES:
        raise ValueError(f"RelayState has more than {MAX_RELAY_STATE_BYTES} bytes")
    key = settings.keys[0]
    destination = root.get("Destination", "")
    if endpoint.binding == "post":
        data = etree.tostring(signed(root, key.opened(), key.x509()))
        fields = [(parameter, b64encode(data).decode("ascii"))]
        return PostForm(destination, tuple(fields + ([("RelayState", relay_state)] if relay_state else [])))
    private = key.opened()
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflate.compress(etree.tostring(root)) + deflate.flush()
    pairs = [(parameter, b64encode(packed).decode("ascii"))]
    if relay_state:
        pairs.append(("RelayState", relay_state))
    pairs.append(("SigAlg", algorithm_of(private)))
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
    signature = b64encode(sign_octets(query.encode("ascii"), private)).decode("ascii")
    joint = "&" if "?" in destination else "?"
    return Redirect(f"{destination}{joint}{query}&Signature={quote(signature, safe='')}")
