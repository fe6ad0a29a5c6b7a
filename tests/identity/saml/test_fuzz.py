"""Mutations of a genuine answer: it says what it said, or it is refused; nothing that a stranger sends raises."""

import copy
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from onepam.identity.saml.encryption import decrypted
from onepam.identity.saml.logout import inflate, read_logout_form, read_logout_query
from onepam.identity.saml.metadata import read
from onepam.identity.saml.names import decode_name_id
from onepam.identity.saml.response import check
from onepam.identity.saml.settings import SamlSettings, idp_mapping, parse
from onepam.identity.saml.xml import DS, SAML, SAMLP, XENC, Element, parse_message, parse_metadata, read_time, tag
from onepam.kernel.errors import Refused
from tests.identity.saml.forge import (
    CONSOLE,
    IDP,
    NOW,
    OUR_KEY,
    REQUEST,
    SETTINGS,
    assertion,
    believed,
    encoded,
    received,
    response,
    signed,
)
from tests.identity.saml.test_encryption import encrypted
from tests.identity.saml.test_logout import GOOD as LOGOUT_QUERY
from tests.identity.saml.test_metadata import entity

GENUINE = [
    response(signed(assertion())),
    signed(response(assertion())),
    signed(response(signed(assertion()))),
    response(encrypted(signed(assertion()))),
]
SAID = believed(GENUINE[0])
assert all(received(document) == SAID for document in GENUINE)
BYTES = [etree.tostring(document) for document in GENUINE]

quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
pieces = st.sampled_from(
    [
        b"", b" ", b"\n", b"<", b">", b"/", b'"', b"'", b"&", b"&#97;", b"&#x41;", b"\x00", b"\xff", b"=", b"A",
        b"<a/>", b"<a>", b"</a>", b"<!---->", b"<?x?>", b"<![CDATA[", b"]]>", b"<!DOCTYPE a>",
        b"admin", b"alice", b"_assertion1", b"_response1", b'ID="_assertion1"', b"2099-01-01T00:00:00Z",
        b'xmlns="urn:e"', b'xmlns:saml="urn:e"', b'xml:base="x"',
    ]
)  # fmt: skip


def holds(document: bytes) -> None:
    answer = received(document)
    assert isinstance(answer, Refused) or answer == SAID


@quick
@given(st.integers(0, 3), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), pieces), min_size=1, max_size=4))
def test_bytes_changed(which: int, edits: list[tuple[float, int, bytes]]) -> None:
    data = BYTES[which]
    for at, length, piece in edits:
        start = int(at * len(data))
        data = data[:start] + piece + data[start + length :]
    holds(data)


def elements(root: Element) -> list[Element]:
    return [each for each in root.iter() if isinstance(each.tag, str)]


def delete(one: Element, _: Element) -> None:
    parent = one.getparent()
    if parent is not None:
        parent.remove(one)


def rename(one: Element, other: Element) -> None:
    one.tag = other.tag


def move_into(one: Element, other: Element) -> None:
    other.append(copy.deepcopy(one))


def move_before(one: Element, other: Element) -> None:
    if other.getparent() is not None:
        other.addprevious(copy.deepcopy(one))


def replace_by(one: Element, other: Element) -> None:
    parent = one.getparent()
    if parent is not None and one not in set(other.iterancestors()):
        parent.replace(one, copy.deepcopy(other))


def take_text(one: Element, other: Element) -> None:
    one.text = other.text


def take_attributes(one: Element, other: Element) -> None:
    for name, value in other.attrib.items():
        one.set(name, value)


def drop_attributes(one: Element, _: Element) -> None:
    one.attrib.clear()


def say_admin(one: Element, _: Element) -> None:
    one.text = "admin"


def wrap(one: Element, other: Element) -> None:
    parent = one.getparent()
    if parent is not None:
        around = etree.Element(other.tag)
        parent.replace(one, around)
        around.append(one)


CHANGES: list[Callable[[Element, Element], None]] = [
    delete, rename, move_into, move_before, replace_by, take_text, take_attributes, drop_attributes, say_admin, wrap,
]  # fmt: skip


@quick
@given(
    st.integers(0, 3),
    st.lists(st.tuples(st.sampled_from(CHANGES), st.floats(0, 0.999), st.floats(0, 0.999)), min_size=1, max_size=5),
)
def test_elements_moved_about(which: int, edits: list[tuple[Callable[[Element, Element], None], float, float]]) -> None:
    root = copy.deepcopy(GENUINE[which])
    for change, at, other in edits:
        found = elements(root)
        change(found[int(at * len(found))], found[int(other * len(found))])
    holds(etree.tostring(root))


@quick
@given(st.floats(0, 0.999), st.floats(0, 0.999), st.booleans())
def test_an_evil_assertion_put_anywhere(at: float, signature_at: float, before: bool) -> None:
    root = copy.deepcopy(GENUINE[0])
    evil = assertion(identifier="_evil", name_id="admin")
    found = elements(root)
    place = found[int(at * len(found))]
    if before and place.getparent() is not None:
        place.addprevious(evil)
    else:
        place.append(evil)
    signature = next(root.iter(tag(DS, "Signature")))
    found = [each for each in elements(root) if each not in set(signature.iter())]
    found[int(signature_at * len(found))].insert(1, copy.deepcopy(signature))
    holds(etree.tostring(root))


@quick
@given(st.binary(max_size=400), st.text(max_size=200))
def test_nothing_raises(data: bytes, text: str) -> None:
    holds(data)
    assert isinstance(check(SETTINGS, text, REQUEST, NOW), Refused)
    assert isinstance(read_logout_form(SETTINGS, {"SAMLRequest": text}, NOW), Refused)
    assert isinstance(read_logout_query(SETTINGS, text, NOW), Refused)
    assert isinstance(read(data, NOW), Refused)
    parse_message(data)
    parse_metadata(text.encode("utf-8", "replace"))
    inflate(data)
    decode_name_id(text)
    read_time(text)


@quick
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), pieces), min_size=1, max_size=3))
def test_metadata_changed(edits: list[tuple[float, int, bytes]]) -> None:
    data = entity().encode()
    for at, length, piece in edits:
        start = int(at * len(data))
        data = data[:start] + piece + data[start + length :]
    read(data, NOW)


@quick
@given(st.floats(0, 1), st.integers(0, 30), st.text("abcXYZ019%&=+/", max_size=5))
def test_a_logout_address_changed(at: float, length: int, piece: str) -> None:
    start = int(at * len(LOGOUT_QUERY))
    text = LOGOUT_QUERY[:start] + piece + LOGOUT_QUERY[start + length :]
    found = read_logout_query(SETTINGS, text, NOW)
    assert isinstance(found, Refused) or found == read_logout_query(SETTINGS, LOGOUT_QUERY, NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10), lambda each: st.lists(each, max_size=3)
)


@quick
@given(
    st.dictionaries(
        st.sampled_from(["idp", "attributes", "contexts", "skew_seconds", "comparison", "entity_id", "x"]), JSON
    ),
    st.dictionaries(st.sampled_from(["entity_id", "sso", "slo", "signing", "valid_until", "x"]), JSON),
)
def test_settings_of_any_shape(mapping: dict[str, object], idp: dict[str, object]) -> None:
    for candidate in (mapping, {**mapping, "idp": {**idp_mapping(SETTINGS.idp), **idp}}):
        assert isinstance(parse("idp_1", CONSOLE, candidate, [OUR_KEY]), Refused | SamlSettings)


@quick
@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from([XENC, DS, SAML, SAMLP]))
def test_encrypted_data_of_any_shape(algorithm: str, value: str, namespace: str) -> None:
    holder = encrypted(signed(assertion()))
    try:
        for element in holder.iter(tag(XENC, "EncryptionMethod")):
            element.set("Algorithm", algorithm)
        for element in holder.iter(tag(XENC, "CipherValue")):
            element.text = value
            element.tag = tag(namespace, "CipherValue")
    except ValueError:  # not a text that XML can hold
        return
    assert isinstance(decrypted(holder, [OUR_KEY.opened()], authentic=True), Refused)


def test_the_genuine_ones_are_about_one_person() -> None:
    assert SAID.assertion.subject == "alice"
    assert encoded(GENUINE[0])
    assert SETTINGS.idp.entity_id == IDP
