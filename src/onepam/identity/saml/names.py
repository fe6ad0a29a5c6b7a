"""The name of a person in an assertion, which a logout must repeat (core, section 2.2.3)."""

import unicodedata
from dataclasses import dataclass

from lxml import etree

from onepam.identity.saml.xml import SAML, Element, children, malformed, only, tag, text
from onepam.kernel import canonical
from onepam.kernel.errors import Refused

UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
MAX_NAME_ID_CHARACTERS = 512
_FIELDS = {"format": "Format", "qualifier": "NameQualifier", "sp_qualifier": "SPNameQualifier"}


@dataclass(frozen=True, slots=True)
class NameId:
    """A NameID as it was sent; "" where a part was not."""

    value: str
    format: str = ""
    qualifier: str = ""
    sp_qualifier: str = ""

    def encoded(self) -> str:
        """One text for all parts: what `Assertion.name_id` holds and `decode_name_id` reads."""
        parts = {"value": self.value, **{each: getattr(self, each) for each in _FIELDS if getattr(self, each)}}
        return canonical.encode(parts).decode("utf-8")

    def same(self, other: "NameId", idp: str, sp: str) -> bool:
        """Names the same, where a missing format is `unspecified` and missing qualifiers are the two parties."""
        return (self.value, self.format or UNSPECIFIED, self.qualifier or idp, self.sp_qualifier or sp) == (
            other.value,
            other.format or UNSPECIFIED,
            other.qualifier or idp,
            other.sp_qualifier or sp,
        )

    def write(self, parent: Element) -> None:
        """Append it to a message."""
        element = etree.SubElement(parent, tag(SAML, "NameID"))
        for each, attribute in _FIELDS.items():
            if getattr(self, each):
                element.set(attribute, getattr(self, each))
        element.text = self.value


def decode_name_id(encoded: str) -> NameId | None:
    """What `NameId.encoded` wrote; None for anything else."""
    try:
        parts = canonical.decode(encoded.encode("utf-8"))
        return NameId(**parts) if all(isinstance(part, str) for part in parts.values()) else None
    except (canonical.NotCanonical, TypeError, AttributeError, UnicodeEncodeError):
        return None


def read_name_id(parent: Element) -> NameId | Refused:
    """The NameID in a subject or a logout request. Codes: `saml.name_id`, `saml.malformed`."""
    if children(parent, SAML, "EncryptedID"):
        return Refused(
            "saml.name_id",
            "The provider encrypts the name by itself, which we do not read.",
            "An administrator should let the provider encrypt the whole assertion instead.",
        )
    element = only(parent, SAML, "NameID")
    if element is None:
        return malformed("names nobody (NameID)")
    name = NameId(text(element), *(element.get(attribute, "") for attribute in _FIELDS.values()))
    if not name.value or len(name.value) > MAX_NAME_ID_CHARACTERS:
        return malformed("has a name (NameID) that is empty, or has more than 512 characters")
    if not all(is_plain(each) for each in (name.value, name.format, name.qualifier, name.sp_qualifier)):
        return Refused(
            "saml.name_id",
            "The name that the provider gives has invisible characters in it, or begins or ends with white space.",
            "An administrator of the provider should correct the account's name.",
        )
    return name


def is_plain(value: str) -> bool:
    """Nothing invisible in it and no white space around it, so that two names that look alike are alike."""
    return value == value.strip() and not any(
        character != " " and unicodedata.category(character)[0] in "CZ" for character in value
    )
