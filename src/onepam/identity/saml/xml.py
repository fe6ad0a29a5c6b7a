"""The one XML parser for what strangers send: UTF-8, small, flat, and with nothing in it but elements and text.

No document type, entity, processing instruction, CDATA section or comment gets past the text itself, so no two readers
can disagree about what a name says (`admin@example.com<!---->.evil.com`). No identifier occurs twice, whatever the
attribute is called, so a reference means one element.
"""

import re
from datetime import UTC, datetime, timedelta

from lxml import etree

from onepam.kernel.clock import Instant, instant
from onepam.kernel.errors import Refused

MAX_MESSAGE_BYTES = 256 * 1024
MAX_ELEMENTS = 10_000
MAX_METADATA_BYTES = 2 * 1024 * 1024
"""Of one organisation. The aggregate of a whole federation is larger, and is not what a sign-in should hang on."""
MAX_METADATA_ELEMENTS = 100_000
MAX_DEPTH = 40
MAX_ON_ONE_ELEMENT = 32
"""Attributes, and namespaces: what libraries do with them takes time by the square of their number."""

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
MD = "urn:oasis:names:tc:SAML:2.0:metadata"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"

REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

Element = etree._Element

_DECLARATION = re.compile(
    r"""<\?xml\s+version\s*=\s*(?:"1\.0"|'1\.0')"""
    r"""(?:\s+encoding\s*=\s*(?:"utf-8"|'utf-8'))?(?:\s+standalone\s*=\s*(?:"(?:yes|no)"|'(?:yes|no)'))?\s*\?>""",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_NCNAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,255}")
_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,12}))?(?:Z|\+00:00)")


def parse_message(data: bytes) -> Element | Refused:
    """The root of a protocol message. Code: `saml.malformed`."""
    if len(data) > MAX_MESSAGE_BYTES:
        return malformed(f"has more than {MAX_MESSAGE_BYTES // 1024} KiB")
    text = _text_of(data)
    return text if isinstance(text, Refused) else _parse(text, MAX_ELEMENTS)


def parse_metadata(data: bytes) -> Element | Refused:
    """The root of a metadata document, whose comments are left out. Code: `saml.malformed`."""
    if len(data) > MAX_METADATA_BYTES:
        return malformed(f"has more than {MAX_METADATA_BYTES // 1024 // 1024} MiB")
    text = _text_of(data)
    return text if isinstance(text, Refused) else _parse(_COMMENT.sub("", text), MAX_METADATA_ELEMENTS)


def parser() -> etree.XMLParser:
    """A parser that fetches nothing and expands nothing."""
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
    )


def alone(element: Element) -> bytes:
    """The element as a document of its own, with the namespaces that it inherits."""
    return etree.tostring(element, with_tail=False)


def tag(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}"


def children(element: Element, namespace: str, name: str) -> list[Element]:
    return element.findall(tag(namespace, name))


def only(element: Element, namespace: str, name: str) -> Element | None:
    """The child of that name if there is exactly one."""
    found = children(element, namespace, name)
    return found[0] if len(found) == 1 else None


def within(element: Element, namespace: str, name: str) -> list[Element]:
    """All of that name at any depth, `element` itself too."""
    return list(element.iter(tag(namespace, name)))


def text(element: Element | None) -> str:
    """The whole text of an element without children, else ""."""
    return "" if element is None or len(element) else element.text or ""


def word(element: Element | None) -> str:
    """The text of an element that holds an address or a name of a protocol: white space around it means nothing."""
    return text(element).strip(" \t\r\n")


def is_identifier(value: str) -> bool:
    return _NCNAME.fullmatch(value) is not None


def read_time(value: str) -> Instant | None:
    """An xs:dateTime, which SAML writes in UTC (core, section 1.3.3); to the microsecond."""
    match = _DATE_TIME.fullmatch(value)
    if match is None:
        return None
    try:
        second = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
        return instant(second + timedelta(microseconds=int((match[2] or "0")[:6].ljust(6, "0"))))
    except (ValueError, OverflowError):
        return None


def write_time(at: Instant) -> str:
    """To the second: what the oldest of readers understands."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at // 1_000_000)).strftime("%Y-%m-%dT%H:%M:%SZ")


def malformed(how: str) -> Refused:
    return Refused(
        "saml.malformed",
        f"The provider's message {how}.",
        "Try to sign in again. If it happens again, an administrator should look at the provider's settings.",
    )


def unique_identifiers(root: Element) -> bool:
    """No value of an attribute called ID, Id, id or xml:id occurs twice."""
    seen: set[str] = set()
    for element in root.iter():
        for name, value in element.attrib.items():
            if str(name).rpartition("}")[2].lower() == "id":
                if value in seen:
                    return False
                seen.add(str(value))
    return True


def _text_of(data: bytes) -> str | Refused:
    try:
        decoded = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return malformed("is not UTF-8 text")
    declaration = _DECLARATION.match(decoded)
    return decoded[declaration.end() :] if declaration else decoded


def _parse(body: str, most: int) -> Element | Refused:
    # `<` opens nothing but an element from here on; neither may it stand in an attribute or as text.
    if "<!" in body or "<?" in body:
        return malformed("has a document type, a comment, a processing instruction or a CDATA section in it")
    try:
        root = etree.fromstring(body.strip().encode("utf-8"), parser())
    except (etree.XMLSyntaxError, ValueError):
        return malformed("is not well-formed XML")
    if not _is_small(root, most):
        return malformed("has too many elements, attributes or namespaces, or nests them too deeply")
    if not unique_identifiers(root):
        return malformed("gives one identifier to two elements")
    return root


def _is_small(root: Element, most: int) -> bool:
    """At most so many elements, none of them too deep or with too much on it."""
    count, depth, namespaces = 0, 0, 0
    for event, item in etree.iterwalk(root, events=("start", "end", "start-ns")):
        if event == "end":
            depth -= 1
        elif not isinstance(item, Element):
            namespaces += 1
        else:
            count, depth = count + 1, depth + 1
            if count > most or depth > MAX_DEPTH or namespaces + len(item.attrib) > MAX_ON_ONE_ELEMENT:
                return False
            namespaces = 0
    return True
