"""A provider's answer to a sign-in (profiles, section 4.1.4): believed in whole, or refused.

Only an answer to a request of ours counts; nothing is taken that a provider sends unasked. There is exactly one
assertion in the document, anywhere in it. The response is signed, or the assertion, or both; every signature that is
there must hold, and what is read is what was signed.
"""

import binascii
from base64 import b64decode, b64encode

from onepam.identity.saml.assertion import Received, read_assertion
from onepam.identity.saml.encryption import decrypted
from onepam.identity.saml.metadata import expired
from onepam.identity.saml.settings import SamlSettings
from onepam.identity.saml.signature import unbelievable, verified
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
    tag,
    within,
    word,
)
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

_STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
SUCCESS = _STATUS + "Success"

_WORDS = {
    "AuthnFailed": (
        "saml.authn_failed",
        "The provider could not authenticate you.",
        "Try again; the provider's own page says what was wrong.",
    ),
    "NoAuthnContext": (
        "saml.no_authn_context",
        "The provider cannot authenticate you in the way that was asked for, such as with a second factor.",
        "Register a second factor at the provider. An administrator can change what is asked for.",
    ),
    "RequestDenied": (
        "saml.request_denied",
        "The provider refused this sign-in.",
        "An administrator of the provider can give you this application.",
    ),
    "NoPassive": ("saml.no_passive", "The provider would have had to ask you something.", "Try to sign in again."),
    "InvalidNameIDPolicy": (
        "saml.name_id_policy",
        "The provider cannot give the kind of name that was asked for.",
        "An administrator should ask for another NameID format, or for none.",
    ),
    "UnknownPrincipal": (
        "saml.unknown_principal",
        "The provider does not know you.",
        "An administrator of the provider can add you.",
    ),
    "RequestUnsupported": (
        "saml.request_unsupported",
        "The provider does not support this request.",
        "An administrator should compare the provider's settings with the page on SAML.",
    ),
}
_ONCE = frozenset(
    {
        tag(SAML, "Issuer"),
        tag(DS, "Signature"),
        tag(SAMLP, "Extensions"),
        tag(SAMLP, "Status"),
        tag(SAML, "Assertion"),
        tag(SAML, "EncryptedAssertion"),
    }
)


def check(settings: SamlSettings, form_value: str, request_id: str, now: Instant) -> Received | Refused:
    """What the form field `SAMLResponse` says, if it answers the request `request_id`.

    The caller keeps `assertion.unique`, since an assertion serves once. Codes all begin with `saml.`.
    """
    if settings.idp.valid_until is not None and settings.idp.valid_until <= now:
        return expired()
    root = read_form(form_value)
    if isinstance(root, Refused):
        return root
    fault = _shape(root)
    if fault:
        return malformed(fault)
    authentic = bool(children(root, DS, "Signature"))
    if authentic:
        believed = verified(root, settings.idp.signing)
        if isinstance(believed, Refused):
            return believed
        root = believed
    refused = _envelope(settings, root, request_id, authentic=authentic)
    if refused:
        return refused
    assertion = _assertion(settings, root, authentic=authentic)
    return assertion if isinstance(assertion, Refused) else read_assertion(settings, assertion, request_id, now)


def read_form(form_value: str) -> Element | Refused:
    """The root of a message posted by a form: base64, in lines or not, in its one canonical spelling."""
    if len(form_value) > MAX_MESSAGE_BYTES * 3 // 2:
        return malformed(f"has more than {MAX_MESSAGE_BYTES // 1024} KiB")
    packed = "".join(form_value.split())
    try:
        data = b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        return malformed("is not base64")
    if b64encode(data).decode("ascii") != packed:
        return malformed("is not base64 in its one canonical spelling")
    return parse_message(data)


def status_refused(root: Element) -> Refused | None:
    """What the provider says went wrong, in words; None for success."""
    status = only(root, SAMLP, "Status")
    code = None if status is None else only(status, SAMLP, "StatusCode")
    if code is None:
        return malformed("has no status")
    value = code.get("Value", "")
    if value == SUCCESS:
        return None
    detail = only(code, SAMLP, "StatusCode")
    for uri in ("" if detail is None else detail.get("Value", ""), value):
        known = _WORDS.get(uri.removeprefix(_STATUS)) if uri.startswith(_STATUS) else None
        if known:
            return Refused(*known)
    return Refused(
        "saml.status",
        "The provider answered that the sign-in did not succeed.",
        "The provider's log says why. An administrator should compare its settings with the page on SAML.",
    )


def issuer_refused(settings: SamlSettings, issuer: Element | None) -> Refused | None:
    """None where the issuer is the provider itself."""
    if word(issuer) == settings.idp.entity_id:
        return None
    return Refused(
        "saml.issuer",
        "The message is from another provider than the one that was asked.",
        "An administrator should read the metadata of the provider again: its entity id differs.",
    )


def _shape(root: Element) -> str:
    """What is wrong with the document as a whole, or ""."""
    if root.tag != tag(SAMLP, "Response"):
        return "is not a SAML response"
    if root.get("Version") != "2.0" or not is_identifier(root.get("ID", "")):
        return "is not a SAML 2.0 response"
    names = [str(child.tag) for child in root]
    if not _ONCE.issuperset(names) or len(set(names)) != len(names):
        return "has parts that do not belong there, or has one twice"
    found = [*within(root, SAML, "Assertion"), *within(root, SAML, "EncryptedAssertion")]
    if (
        len(found) > 1
        or any(each.getparent() is not root for each in found)
        or len(within(root, SAMLP, "Response")) > 1
    ):
        return "has more than one assertion in it, or hides it"
    holders = {root, *found}
    if any(signature.getparent() not in holders for signature in within(root, DS, "Signature")):
        return "has a signature where none belongs"
    return ""


def _envelope(settings: SamlSettings, root: Element, request_id: str, *, authentic: bool) -> Refused | None:
    issuer = only(root, SAML, "Issuer")
    if issuer is not None or authentic:
        refused = issuer_refused(settings, issuer)
        if refused:
            return refused
    if root.get("Destination") != settings.acs_url:
        return Refused(
            "saml.destination",
            "The provider's message was meant for another address.",
            f"At the provider, the assertion consumer service (reply URL) is {settings.acs_url}",
        )
    if root.get("InResponseTo") is None:
        return Refused(
            "saml.unsolicited",
            "The provider sent you here without having been asked.",
            "Start at the sign-in page here; sign-in from the provider's own portal is not accepted.",
        )
    if not request_id or root.get("InResponseTo") != request_id:
        return Refused(
            "saml.in_response_to",
            "The provider's message answers another sign-in than the one of this browser.",
            "Start again at the sign-in page, in one tab.",
        )
    return status_refused(root)


def _assertion(settings: SamlSettings, root: Element, *, authentic: bool) -> Element | Refused:
    """The one assertion: opened if it was encrypted, and as it was signed."""
    encrypted = only(root, SAML, "EncryptedAssertion")
    assertion = only(root, SAML, "Assertion")
    if encrypted is not None:
        opened = decrypted(encrypted, [key.opened() for key in settings.keys], authentic=authentic)
        if isinstance(opened, Refused):
            return opened
        signatures = within(opened, DS, "Signature")
        if (
            opened.tag != tag(SAML, "Assertion")
            or len(within(opened, SAML, "Assertion")) != 1
            or within(opened, SAML, "EncryptedAssertion")
            or any(signature.getparent() is not opened for signature in signatures)
        ):
            return malformed("has something else encrypted than one assertion")
        assertion = opened
    if assertion is None:
        return malformed("has no assertion")
    if children(assertion, DS, "Signature"):
        return verified(assertion, settings.idp.signing)
    if authentic:
        return assertion
    return unbelievable(
        "there is none",
        "An administrator should set the provider to sign the assertion, the response, or both.",
    )
