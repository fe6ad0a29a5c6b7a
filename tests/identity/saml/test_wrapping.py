"""Signature wrapping: a document with a genuine signature in it, and other words around it.

XSW1 to XSW8 are those of "On Breaking SAML: Be Whoever You Want to Be" (Somorovsky et al., USENIX Security 2012), with
the numbers that SAML Raider gave them. The genuine assertion is about alice; each attack says "admin".
"""

import copy
from collections.abc import Callable

import pytest
from lxml import etree

from onepam.identity.saml.assertion import Received
from onepam.identity.saml.xml import DS, SAML, SAMLP, Element, tag
from onepam.kernel.errors import Refused
from tests.identity.saml.forge import (
    ATTACKER_KEY,
    assertion,
    believed,
    changed,
    received,
    refused,
    response,
    signature_of,
    signed,
)

SIGNED_RESPONSE = signed(response(assertion()))
SIGNED_ASSERTION = response(signed(assertion()))
SIGNED_BOTH = signed(response(signed(assertion())))


def evil(identifier: str = "_evil") -> Element:
    return assertion(identifier=identifier, name_id="admin", attributes={"email": ("admin@example.com",)})


def genuine(document: Element) -> Element:
    found = document.find(tag(SAML, "Assertion"))
    assert found is not None
    return found


def unsigned(element: Element) -> Element:
    return changed(element, lambda each: each.remove(signature_of(each)))


def in_object(signature: Element, *content: Element) -> None:
    etree.SubElement(signature, tag(DS, "Object")).extend(content)


def xsw1() -> Element:
    """Evil response; its signature is the genuine one's, which lies in that signature's Object."""
    document = changed(response(evil(), identifier="_evil_response"), lambda _: None)
    signature = copy.deepcopy(signature_of(SIGNED_RESPONSE))
    document.insert(1, signature)
    in_object(signature, unsigned(SIGNED_RESPONSE))
    return document


def xsw2() -> Element:
    """Evil response; the genuine one, unsigned, before the signature that is its."""
    document = response(evil(), identifier="_evil_response")
    document.insert(1, unsigned(SIGNED_RESPONSE))
    document.insert(2, copy.deepcopy(signature_of(SIGNED_RESPONSE)))
    return document


def xsw3() -> Element:
    """Evil assertion before the genuine one."""
    document = copy.deepcopy(SIGNED_ASSERTION)
    document.insert(document.index(genuine(document)), evil())
    return document


def xsw4() -> Element:
    """The genuine assertion within the evil one."""
    document = response(evil())
    genuine(document).append(copy.deepcopy(genuine(SIGNED_ASSERTION)))
    return document


def xsw5() -> Element:
    """Evil assertion with the genuine signature; the genuine assertion, unsigned, behind it."""
    document = response(evil(), unsigned(genuine(SIGNED_ASSERTION)))
    genuine(document).insert(1, copy.deepcopy(signature_of(genuine(SIGNED_ASSERTION))))
    return document


def xsw6() -> Element:
    """Evil assertion with the genuine signature, which holds the genuine assertion in its Object."""
    document = response(evil())
    signature = copy.deepcopy(signature_of(genuine(SIGNED_ASSERTION)))
    genuine(document).insert(1, signature)
    in_object(signature, unsigned(genuine(SIGNED_ASSERTION)))
    return document


def xsw7() -> Element:
    """Evil assertion in Extensions, before the genuine one."""
    document = copy.deepcopy(SIGNED_ASSERTION)
    extensions = etree.Element(tag(SAMLP, "Extensions"))
    extensions.append(evil())
    document.insert(1, extensions)
    return document


def xsw8() -> Element:
    """Evil assertion signed with the genuine signature, whose Object holds the genuine assertion; same identifier."""
    document = response(evil("_assertion1"))
    signature = copy.deepcopy(signature_of(genuine(SIGNED_ASSERTION)))
    genuine(document).insert(1, signature)
    in_object(signature, unsigned(genuine(SIGNED_ASSERTION)))
    return document


def injected_after() -> Element:
    return changed(SIGNED_ASSERTION, lambda document: document.append(evil()))


def injected_into_signed_response() -> Element:
    return changed(SIGNED_RESPONSE, lambda document: document.append(evil()))


def injected_signed_by_the_attacker() -> Element:
    return changed(SIGNED_ASSERTION, lambda document: document.append(signed(evil(), ATTACKER_KEY)))


def in_advice() -> Element:
    document = copy.deepcopy(SIGNED_ASSERTION)
    etree.SubElement(genuine(document), tag(SAML, "Advice")).append(evil())
    return document


def in_an_attribute() -> Element:
    document = response(evil())
    value = etree.SubElement(
        etree.SubElement(
            etree.SubElement(genuine(document), tag(SAML, "AttributeStatement")),
            tag(SAML, "Attribute"),
            {"Name": "x"},
        ),
        tag(SAML, "AttributeValue"),
    )
    value.append(copy.deepcopy(genuine(SIGNED_ASSERTION)))
    return document


def in_the_key_info() -> Element:
    document = response(evil())
    signature = copy.deepcopy(signature_of(genuine(SIGNED_ASSERTION)))
    genuine(document).insert(1, signature)
    key_info = signature.find(tag(DS, "KeyInfo"))
    assert key_info is not None
    key_info.append(unsigned(genuine(SIGNED_ASSERTION)))
    return document


def genuine_in_an_evil_namespace() -> Element:
    """Two assertions, of which the signed one is of SAML 1.1 by its name."""
    document = copy.deepcopy(SIGNED_ASSERTION)
    old = etree.SubElement(document, "{urn:oasis:names:tc:SAML:1.0:assertion}Assertion")
    old.append(evil())
    return document


def signature_moved_to_the_response() -> Element:
    document = response(evil())
    document.insert(1, copy.deepcopy(signature_of(genuine(SIGNED_ASSERTION))))
    return document


def response_signature_on_the_assertion() -> Element:
    document = response(evil("_response1"), identifier="_other")
    genuine(document).insert(1, copy.deepcopy(signature_of(SIGNED_RESPONSE)))
    return document


def two_signatures() -> Element:
    document = response(evil("_assertion1"))
    for _ in range(2):
        genuine(document).insert(1, copy.deepcopy(signature_of(genuine(SIGNED_ASSERTION))))
    return document


def nested_response() -> Element:
    return response(copy.deepcopy(SIGNED_RESPONSE), evil())


def second_good_assertion_of_another() -> Element:
    """Both signed by the provider: which of them is meant, is not ours to guess."""
    return response(signed(assertion()), signed(assertion(identifier="_assertion2", name_id="admin")))


def swapped_subject() -> Element:
    def change(document: Element) -> None:
        next(document.iter(tag(SAML, "NameID"))).text = "admin"

    return changed(SIGNED_ASSERTION, change)


def swapped_in_signed_both() -> Element:
    """The response's signature would hold no more, so it is dropped; the assertion's is not taken for it."""

    def change(document: Element) -> None:
        document.remove(signature_of(document))
        next(document.iter(tag(SAML, "NameID"))).text = "admin"

    return changed(SIGNED_BOTH, change)


@pytest.mark.parametrize(
    "attack",
    [
        xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8,
        injected_after, injected_into_signed_response, injected_signed_by_the_attacker, in_advice, in_an_attribute,
        in_the_key_info, genuine_in_an_evil_namespace, signature_moved_to_the_response,
        response_signature_on_the_assertion, two_signatures, nested_response, second_good_assertion_of_another,
        swapped_subject, swapped_in_signed_both,
    ],
    ids=lambda attack: attack.__name__,
)  # fmt: skip
def test_wrapped_is_refused(attack: Callable[[], Element]) -> None:
    document = attack()
    assert "admin" in etree.tostring(document, encoding="unicode")
    assert refused(document) in {"saml.malformed", "saml.signature"}


@pytest.mark.parametrize(
    "document", [SIGNED_RESPONSE, SIGNED_ASSERTION, SIGNED_BOTH], ids=["response", "assertion", "both"]
)
def test_genuine_is_believed(document: Element) -> None:
    assert believed(document).assertion.subject == "alice"


@pytest.mark.parametrize("document", [SIGNED_RESPONSE, SIGNED_ASSERTION], ids=["response", "assertion"])
def test_without_its_signature(document: Element) -> None:
    def strip(root: Element) -> None:
        for signature in list(root.iter(tag(DS, "Signature"))):
            parent = signature.getparent()
            assert parent is not None
            parent.remove(signature)

    assert refused(changed(document, strip)) == "saml.signature"


def test_both_signatures_must_hold() -> None:
    """A good signature of the response does not excuse a bad one of the assertion, nor the other way round."""
    inner_bad = signed(response(signed(assertion(), ATTACKER_KEY)))
    outer_bad = signed(response(signed(assertion())), ATTACKER_KEY)
    assert refused(inner_bad) == "saml.signature"
    assert refused(outer_bad) == "saml.signature"


def test_what_is_outside_of_the_signed_assertion_changes_nothing() -> None:
    def change(document: Element) -> None:
        document.set("Consent", "urn:evil")
        document.insert(1, etree.Element(tag(SAMLP, "Extensions")))

    answer = received(changed(SIGNED_ASSERTION, change))
    assert not isinstance(answer, Refused)
    assert isinstance(answer, Received)
    assert answer.assertion == believed(SIGNED_ASSERTION).assertion


@pytest.mark.parametrize("document", [SIGNED_RESPONSE, SIGNED_ASSERTION], ids=["response", "assertion"])
def test_a_signature_where_none_belongs(document: Element) -> None:
    def change(root: Element) -> None:
        extensions = etree.Element(tag(SAMLP, "Extensions"))
        extensions.append(etree.Element(tag(DS, "Signature")))
        root.insert(1, extensions)

    assert refused(changed(document, change)) == "saml.malformed"
