"""Single logout (profiles, section 4.4): told by the provider, or telling it. Each message is signed, or it is nothing.

A provider's request ends sessions, so it is believed like an assertion: only signed, from the provider, for our
address, and fresh. The answer to our own request says only whether the provider did its part.
"""

import binascii
import re
import zlib
from base64 import b64decode
from dataclasses import dataclass
from urllib.parse import unquote_plus

from lxml import etree

from onepam.identity.saml.names import NameId, decode_name_id, is_plain, read_name_id
from onepam.identity.saml.request import Sending, message, send
from onepam.identity.saml.response import SUCCESS, issuer_refused, read_form, status_refused
from onepam.identity.saml.settings import SamlSettings
from onepam.identity.saml.signature import octets_verified, unbelievable, verified
from onepam.identity.saml.xml import (
    DS,
    MAX_MESSAGE_BYTES,
    SAML,
    SAMLP,
    Element,
    children,
    is_identifier,
    malformed,
    only,
    parse_message,
    read_time,
    tag,
    within,
    word,
)
from onepam.kernel.clock import MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused

MAX_AGE = 5 * MINUTE
"""Of a logout message that sets no end itself."""
MAX_SESSION_INDEXES = 100
PARTIAL = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"

_SIGNED = ("SAMLRequest", "SAMLResponse", "RelayState", "SigAlg")
_QUERY = re.compile(r"[!-~]*")


@dataclass(frozen=True, slots=True)
class LogoutNotice:
    """The provider ends somebody's sessions. Keep `request_id`: the answer must name it, and it serves once.

    `session_indexes` empty means all sessions of that person.
    """

    provider: str
    name_id: NameId
    session_indexes: tuple[str, ...]
    request_id: str
    relay_state: str
    idp: str
    sp: str

    def ends(self, name_id: str, provider_session: str) -> bool:
        """Does it end a session that was begun with these two fields of an `Assertion`?"""
        name = decode_name_id(name_id)
        if name is None or not self.name_id.same(name, self.idp, self.sp):
            return False
        return not self.session_indexes or provider_session in self.session_indexes


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The provider's answer to our logout request. `whole` is False where it could not end everything (partial)."""

    request_id: str
    relay_state: str
    whole: bool


def read_logout_form(
    settings: SamlSettings, fields: dict[str, str], now: Instant
) -> LogoutNotice | LoggedOut | Refused:
    """A logout message of the provider that a browser posted: `SAMLRequest` or `SAMLResponse`, perhaps `RelayState`."""
    parameter = _parameter(fields)
    if parameter is None:
        return malformed("is no logout message")
    root = read_form(fields[parameter])
    if isinstance(root, Refused):
        return root
    signatures = within(root, DS, "Signature")
    if not signatures or any(signature.getparent() is not root for signature in signatures):
        return unbelievable("there is none, or not where it belongs")
    believed = verified(root, settings.idp.signing)
    if isinstance(believed, Refused):
        return believed
    return _read(settings, parameter, believed, fields.get("RelayState", ""), now)


def read_logout_query(settings: SamlSettings, query: str, now: Instant) -> LogoutNotice | LoggedOut | Refused:
    """A logout message of the provider by redirect. `query` is the address's query exactly as it came, not decoded."""
    if len(query) > MAX_MESSAGE_BYTES or not _QUERY.fullmatch(query):
        return malformed("is too long for an address")
    raw: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name in raw:
            return malformed("says one thing twice")
        raw[name] = value
    fields = {name: unquote_plus(value, errors="replace") for name, value in raw.items()}
    parameter = _parameter(fields)
    if parameter is None or fields.get("SAMLEncoding", _DEFLATE) != _DEFLATE:
        return malformed("is no logout message")
    if not fields.get("Signature") or not fields.get("SigAlg"):
        return unbelievable("there is none")
    # What was signed is what was sent, character by character, in the order of the binding (section 3.4.4.1).
    octets = "&".join(f"{name}={raw[name]}" for name in _SIGNED if name in raw).encode("ascii")
    signature, packed = _base64(fields["Signature"]), _base64(fields[parameter])
    if signature is None or packed is None:
        return malformed("is not base64")
    refused = octets_verified(octets, signature, fields["SigAlg"], settings.idp.signing)
    if refused:
        return refused
    data = inflate(packed)
    root = malformed("does not unpack") if data is None else parse_message(data)
    return root if isinstance(root, Refused) else _read(settings, parameter, root, fields.get("RelayState", ""), now)


def inflate(packed: bytes) -> bytes | None:
    """Raw DEFLATE, whole, with nothing behind it, and not larger than a message may be; else None."""
    unpacker = zlib.decompressobj(-15)
    try:
        data = unpacker.decompress(packed, MAX_MESSAGE_BYTES + 1)
    except zlib.error:
        return None
    whole = unpacker.eof and not unpacker.unused_data and not unpacker.unconsumed_tail
    return data if whole and len(data) <= MAX_MESSAGE_BYTES else None


def logout_request(
    settings: SamlSettings,
    request_id: str,
    now: Instant,
    *,
    name_id: str,
    provider_session: str = "",
    relay_state: str = "",
) -> Sending | Refused:
    """Ask the provider to end its session; the two names are an `Assertion`'s. Code: `saml.no_logout`."""
    endpoint, name = settings.slo(), decode_name_id(name_id)
    if endpoint is None or name is None:
        return Refused(
            "saml.no_logout",
            "The provider offers no single logout.",
            "You are signed out here. Sign out at the provider itself as well.",
        )
    request = message(settings, "LogoutRequest", request_id, now, endpoint.location)
    name.write(request)
    if provider_session:
        etree.SubElement(request, tag(SAMLP, "SessionIndex")).text = provider_session
    return send(settings, endpoint, request, "SAMLRequest", relay_state)


def logout_response(
    settings: SamlSettings, notice: LogoutNotice, response_id: str, now: Instant, *, whole: bool = True
) -> Sending | Refused:
    """Our answer to the provider; `whole` unless something of the person's lives on. Code: `saml.no_logout`."""
    endpoint = settings.slo()
    if endpoint is None:
        return Refused("saml.no_logout", "The provider takes no answer to its logout.", "The sessions here have ended.")
    response = message(settings, "LogoutResponse", response_id, now, endpoint.answer or endpoint.location)
    response.set("InResponseTo", notice.request_id)
    code = etree.SubElement(etree.SubElement(response, tag(SAMLP, "Status")), tag(SAMLP, "StatusCode"))
    code.set("Value", SUCCESS)
    if not whole:
        etree.SubElement(code, tag(SAMLP, "StatusCode"), {"Value": PARTIAL})
    return send(settings, endpoint, response, "SAMLResponse", notice.relay_state)


_DEFLATE = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"


def _parameter(fields: dict[str, str]) -> str | None:
    found = [name for name in ("SAMLRequest", "SAMLResponse") if name in fields]
    return found[0] if len(found) == 1 else None


def _base64(value: str) -> bytes | None:
    try:
        return b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _read(
    settings: SamlSettings, parameter: str, root: Element, relay_state: str, now: Instant
) -> LogoutNotice | LoggedOut | Refused:
    """An authentic logout message."""
    wanted = "LogoutRequest" if parameter == "SAMLRequest" else "LogoutResponse"
    if root.tag != tag(SAMLP, wanted) or root.get("Version") != "2.0" or not is_identifier(root.get("ID", "")):
        return malformed("is no logout message")
    if len(relay_state.encode("utf-8")) > 80:
        return malformed("has a RelayState of more than 80 bytes")
    refused = issuer_refused(settings, only(root, SAML, "Issuer")) or _addressed(settings, root, now)
    if refused:
        return refused
    if wanted == "LogoutResponse":
        return _logged_out(root, relay_state)
    name_id = read_name_id(root)
    if isinstance(name_id, Refused):
        return name_id
    indexes = _indexes(root)
    if indexes is None:
        return malformed("names its sessions in a way that is not accepted")
    return LogoutNotice(
        settings.provider,
        name_id,
        indexes,
        root.get("ID", ""),
        relay_state,
        settings.idp.entity_id,
        settings.entity_id,
    )


def _indexes(root: Element) -> tuple[str, ...] | None:
    found = tuple(word(each) for each in children(root, SAMLP, "SessionIndex"))
    return None if len(found) > MAX_SESSION_INDEXES or not all(each and is_plain(each) for each in found) else found


def _addressed(settings: SamlSettings, root: Element, now: Instant) -> Refused | None:
    if root.get("Destination") != settings.slo_url:
        return Refused(
            "saml.destination",
            "The provider's logout message was meant for another address.",
            f"At the provider, the single logout address is {settings.slo_url}",
        )
    issued, end = read_time(root.get("IssueInstant", "")), root.get("NotOnOrAfter")
    ends = issued if end is None else read_time(end)
    if issued is None or ends is None:
        return malformed("has a time that is not one in UTC")
    skew = settings.skew_seconds * SECOND
    last = issued + MAX_AGE if end is None else ends
    if issued > now + skew or last <= now - skew:
        return Refused(
            "saml.expired",
            "The provider's logout message is too old, or from the future.",
            "The clocks of both sides differ, or the message was sent before. Both should follow NTP.",
        )
    return None


def _logged_out(root: Element, relay_state: str) -> LoggedOut | Refused:
    refused = status_refused(root)
    code = root.find(f"{tag(SAMLP, 'Status')}/{tag(SAMLP, 'StatusCode')}/{tag(SAMLP, 'StatusCode')}")
    partial = code is not None and code.get("Value") == PARTIAL
    if refused is not None and not partial:
        return Refused(
            "saml.logout_failed",
            "The provider did not end its own session.",
            "You are signed out here. Sign out at the provider itself as well.",
        )
    return LoggedOut(root.get("InResponseTo", ""), relay_state, not partial)
