"""Whom an answer is for, when, and about whom: what of an authentic assertion is taken, and what is refused."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from lxml import etree

from onepam.identity.saml.response import check
from onepam.identity.saml.settings import PERSISTENT, TRANSIENT
from onepam.identity.saml.xml import SAML, SAMLP, Element, tag
from onepam.kernel.clock import HOUR, MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from tests.identity.saml.forge import (
    ATTACKER_KEY,
    EXPIRED_KEY,
    IDP,
    IDP_EC_KEY,
    IDP_ENCRYPTION_KEY,
    IDP_KEY,
    NOW,
    REQUEST,
    SETTINGS,
    Pair,
    assertion,
    believed,
    changed,
    encoded,
    refused,
    response,
    signed,
)

STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
GOOD = response(signed(assertion()))


def within(document: Element, name: str, namespace: str = SAML) -> Element:
    found = next(document.iter(tag(namespace, name)), None)
    assert found is not None
    return found


def assertion_with(change: Callable[[Element], object]) -> Element:
    """An answer whose assertion was changed before the provider signed it."""
    return response(signed(changed(assertion(), change)))


def put(name: str, attribute: str, value: str) -> Element:
    return assertion_with(lambda root: within(root, name).set(attribute, value))


def drop(name: str, attribute: str) -> Element:
    return assertion_with(lambda root: within(root, name).attrib.pop(attribute))


def without(name: str) -> Element:
    def change(root: Element) -> None:
        element = within(root, name)
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return assertion_with(change)


def twice(name: str) -> Element:
    def change(root: Element) -> None:
        element = within(root, name)
        element.addnext(etree.fromstring(etree.tostring(element, with_tail=False)))

    return assertion_with(change)


def test_what_is_taken() -> None:
    answer = believed(GOOD)
    found = answer.assertion
    assert (found.provider, found.subject, found.user_name) == ("idp_1", "alice", "alice")
    assert (found.email, found.name, found.groups) == ("alice@example.com", None, ("Engineering", "Sales"))
    assert (found.context, found.methods) == ("https://refeds.org/profile/mfa", ())
    assert (found.authenticated_at, found.unique, found.provider_session) == (NOW, "_assertion1", "_session1")
    assert found.name_id == f'{{"format":"{PERSISTENT}","value":"alice"}}'
    assert answer.session_ends is None
    assert answer.attributes == {"email": ("alice@example.com",), "groups": ("Engineering", "Sales")}


REFUSALS: dict[str, tuple[Callable[[], Element], str]] = {
    "another audience": (lambda: response(signed(assertion(audience="https://evil.example.com"))), "saml.audience"),
    "our audience in one restriction of two": (
        lambda: assertion_with(
            lambda root: etree.SubElement(
                etree.SubElement(within(root, "Conditions"), tag(SAML, "AudienceRestriction")), tag(SAML, "Audience")
            )
        ),
        "saml.audience",
    ),
    "no audience": (lambda: without("AudienceRestriction"), "saml.audience"),
    "audience that begins like ours": (
        lambda: response(signed(assertion(audience=SETTINGS.entity_id + "/2"))),
        "saml.audience",
    ),
    "another recipient": (lambda: response(signed(assertion(recipient="https://evil.example.com"))), "saml.recipient"),
    "no recipient": (lambda: drop("SubjectConfirmationData", "Recipient"), "saml.recipient"),
    "another destination": (
        lambda: response(signed(assertion()), destination="https://evil.example.com"),
        "saml.destination",
    ),
    "no destination": (lambda: response(signed(assertion()), destination=None), "saml.destination"),
    "another issuer of the response": (lambda: response(signed(assertion()), issuer="https://evil"), "saml.issuer"),
    "another issuer of the assertion": (lambda: response(signed(assertion(issuer="https://evil"))), "saml.issuer"),
    "signed response without issuer": (lambda: signed(response(assertion(), issuer=None)), "saml.issuer"),
    "response to another request": (
        lambda: response(signed(assertion()), in_response_to="_request2"),
        "saml.in_response_to",
    ),
    "assertion for another request": (
        lambda: response(signed(assertion(in_response_to="_request2"))),
        "saml.in_response_to",
    ),
    "assertion for no request": (lambda: response(signed(assertion(in_response_to=None))), "saml.in_response_to"),
    "unsolicited": (lambda: response(signed(assertion(in_response_to=None)), in_response_to=None), "saml.unsolicited"),
    "expired": (lambda: response(signed(assertion(not_after=Instant(NOW - MINUTE)))), "saml.expired"),
    "not yet": (
        lambda: response(signed(assertion(not_before=Instant(NOW + MINUTE + SECOND)))),
        "saml.early",
    ),
    "confirmation expired": (
        lambda: put("SubjectConfirmationData", "NotOnOrAfter", "2027-01-15T07:00:00Z"),
        "saml.expired",
    ),
    "confirmation without end": (lambda: drop("SubjectConfirmationData", "NotOnOrAfter"), "saml.malformed"),
    "confirmation with a beginning": (
        lambda: put("SubjectConfirmationData", "NotBefore", "2027-01-15T07:00:00Z"),
        "saml.malformed",
    ),
    "session over": (lambda: put("AuthnStatement", "SessionNotOnOrAfter", "2027-01-15T07:00:00Z"), "saml.expired"),
    "authenticated in the future": (
        lambda: put("AuthnStatement", "AuthnInstant", "2027-01-15T09:00:00Z"),
        "saml.early",
    ),
    "issued in the future": (lambda: put("Assertion", "IssueInstant", "2027-01-15T09:00:00Z"), "saml.early"),
    "time without zone": (lambda: put("Conditions", "NotOnOrAfter", "2027-01-15T09:00:00"), "saml.malformed"),
    "time in another zone": (
        lambda: put("Conditions", "NotOnOrAfter", "2027-01-15T09:00:00+01:00"),
        "saml.malformed",
    ),
    "time that is none": (lambda: put("Conditions", "NotOnOrAfter", "2027-13-45T09:00:00Z"), "saml.malformed"),
    "no AuthnInstant": (lambda: drop("AuthnStatement", "AuthnInstant"), "saml.malformed"),
    "not a bearer's": (
        lambda: response(signed(assertion(method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"))),
        "saml.malformed",
    ),
    "a condition nobody knows": (
        lambda: assertion_with(lambda root: etree.SubElement(within(root, "Conditions"), tag(SAML, "Condition"))),
        "saml.malformed",
    ),
    "no issuer": (lambda: without("Issuer"), "saml.malformed"),
    "no subject": (lambda: without("Subject"), "saml.malformed"),
    "no name": (lambda: without("NameID"), "saml.malformed"),
    "no conditions": (lambda: without("Conditions"), "saml.malformed"),
    "no authentication": (lambda: without("AuthnStatement"), "saml.malformed"),
    "two subjects": (lambda: twice("Subject"), "saml.malformed"),
    "two names": (lambda: twice("NameID"), "saml.malformed"),
    "two conditions": (lambda: twice("Conditions"), "saml.malformed"),
    "two authentications": (lambda: twice("AuthnStatement"), "saml.malformed"),
    "SAML 1.1 by its version": (lambda: put("Assertion", "Version", "1.1"), "saml.malformed"),
    "empty name": (lambda: response(signed(assertion(name_id=""))), "saml.malformed"),
    "a name of 513 characters": (lambda: response(signed(assertion(name_id="a" * 513))), "saml.malformed"),
    "a name with elements in it": (
        lambda: assertion_with(lambda root: etree.SubElement(within(root, "NameID"), "b")),
        "saml.malformed",
    ),
    "a name with a line end": (lambda: response(signed(assertion(name_id="alice\nadmin"))), "saml.name_id"),
    "a name with a tab": (lambda: response(signed(assertion(name_id="alice\tadmin"))), "saml.name_id"),
    "a name with white space before it": (lambda: response(signed(assertion(name_id=" admin"))), "saml.name_id"),
    "a name with white space after it": (lambda: response(signed(assertion(name_id="admin\u00a0"))), "saml.name_id"),
    "a name with an invisible character": (
        lambda: response(signed(assertion(name_id="ad\u200bmin"))),
        "saml.name_id",
    ),
    "a name that reads from right to left": (
        lambda: response(signed(assertion(name_id="\u202enimda"))),
        "saml.name_id",
    ),
    "an encrypted name": (
        lambda: assertion_with(lambda root: etree.SubElement(within(root, "Subject"), tag(SAML, "EncryptedID"))),
        "saml.name_id",
    ),
    "a name that changes each time": (lambda: response(signed(assertion(name_id_format=TRANSIENT))), "saml.transient"),
    "a session with an invisible character": (
        lambda: put("AuthnStatement", "SessionIndex", "s\u200b1"),
        "saml.malformed",
    ),
    "201 attributes": (
        lambda: response(signed(assertion(attributes={f"a{n}": ("x",) for n in range(201)}))),
        "saml.too_many_attributes",
    ),
    "5001 values": (
        lambda: response(signed(assertion(attributes={"groups": ("x",) * 5_001}))),
        "saml.too_many_attributes",
    ),
    "a value of 2001 characters": (
        lambda: response(signed(assertion(attributes={"note": ("x" * 2_001,)}))),
        "saml.malformed",
    ),
    "an attribute without a name": (
        lambda: response(signed(assertion(attributes={"": ("x",)}))),
        "saml.malformed",
    ),
    "no assertion": (lambda: signed(response()), "saml.malformed"),
    "no status": (
        lambda: changed(GOOD, lambda root: root.remove(within(root, "Status", SAMLP))),
        "saml.malformed",
    ),
    "not a response": (lambda: signed(assertion()), "saml.malformed"),
    "a response of SAML 1.1": (lambda: changed(GOOD, lambda root: root.set("Version", "1.1")), "saml.malformed"),
    "signed by a stranger": (lambda: response(signed(assertion(), ATTACKER_KEY)), "saml.signature"),
    "signed with the key for encryption": (
        lambda: response(signed(assertion(), IDP_ENCRYPTION_KEY)),
        "saml.signature",
    ),
    "signed response of a stranger": (lambda: signed(response(assertion()), ATTACKER_KEY), "saml.signature"),
}


def test_odd_groups_are_left_out_and_counted() -> None:
    odd = ("Sales\nadmin", "x" * 201, " x ", "")
    found = believed(response(signed(assertion(attributes={"groups": ("Ops", *odd, "Dev")})))).assertion
    assert (found.groups, found.left_out) == (("Ops", "Dev"), 3)
    many = tuple(f"team-{n}" for n in range(2_000))
    assert believed(response(signed(assertion(attributes={"groups": many})))).assertion.groups == many


@pytest.mark.parametrize(("document", "code"), REFUSALS.values(), ids=REFUSALS)
def test_refused(document: Callable[[], Element], code: str) -> None:
    assert refused(document()) == code


@pytest.mark.parametrize(
    ("detail", "code"),
    [
        ("AuthnFailed", "saml.authn_failed"),
        ("NoAuthnContext", "saml.no_authn_context"),
        ("RequestDenied", "saml.request_denied"),
        ("NoPassive", "saml.no_passive"),
        ("InvalidNameIDPolicy", "saml.name_id_policy"),
        ("UnknownPrincipal", "saml.unknown_principal"),
        ("RequestUnsupported", "saml.request_unsupported"),
        ("Whatever", "saml.status"),
        ("", "saml.status"),
    ],
)
def test_a_no_is_a_no_whatever_comes_with_it(detail: str, code: str) -> None:
    document = signed(
        response(signed(assertion()), status=STATUS + "Responder", detail=STATUS + detail if detail else "")
    )
    assert refused(document) == code


def test_success_within_failure_is_failure() -> None:
    document = response(signed(assertion()), status=STATUS + "Responder", detail=STATUS + "Success")
    assert refused(document) == "saml.status"


def test_no_request_no_answer() -> None:
    """A browser that asked for nothing has "" as its request, and so may a forged answer."""
    document = response(signed(assertion(in_response_to="")), in_response_to="")
    answer = check(SETTINGS, encoded(document), "", NOW)
    assert isinstance(answer, Refused)
    assert answer.code == "saml.in_response_to"


@pytest.mark.parametrize(("seconds", "accepted"), [(59, True), (60, False)])
def test_clocks_may_differ_by_so_much(seconds: int, accepted: bool) -> None:
    document = response(signed(assertion(not_after=Instant(NOW - seconds * SECOND))))
    assert (believed(document) is not None) if accepted else (refused(document) == "saml.expired")


@pytest.mark.parametrize(("skew", "accepted"), [(0, False), (30, True)])
def test_less_where_the_administrator_wants_less(skew: int, accepted: bool) -> None:
    document = response(signed(assertion(not_after=Instant(NOW - 10 * SECOND))))
    settings = replace(SETTINGS, skew_seconds=skew)
    assert (believed(document, settings) is not None) if accepted else (refused(document, settings) == "saml.expired")


def test_times_of_all_lengths() -> None:
    for ending in ("Z", ".1Z", ".123Z", ".1234567Z", "+00:00"):
        believed(put("Conditions", "NotOnOrAfter", f"2027-01-15T09:00:00{ending}"))


def test_one_good_confirmation_of_several() -> None:
    def change(root: Element) -> None:
        subject = within(root, "Subject")
        for method in ("urn:other", "urn:oasis:names:tc:SAML:2.0:cm:bearer"):
            other = etree.Element(tag(SAML, "SubjectConfirmation"), Method=method)
            subject.insert(1, other)

    believed(assertion_with(change))


def test_expired_metadata_believes_nothing() -> None:
    settings = replace(SETTINGS, idp=replace(SETTINGS.idp, valid_until=NOW))
    assert refused(GOOD, settings) == "saml.metadata_expired"
    believed(GOOD, settings, Instant(NOW - 1))


@pytest.mark.parametrize("key", [IDP_KEY, IDP_EC_KEY, EXPIRED_KEY], ids=["RSA", "EC", "its certificate has expired"])
def test_any_certificate_of_the_metadata_counts(key: Pair) -> None:
    believed(response(signed(assertion(), key)))


def test_the_message_id_tells_two_messages_apart() -> None:
    first = believed(response(signed(assertion(identifier="_a1")))).assertion
    again = believed(response(signed(assertion(identifier="_a1")), identifier="_r2")).assertion
    other = believed(response(signed(assertion(identifier="_a2")))).assertion
    assert first.unique == again.unique == "_a1" != other.unique


def test_when_the_session_should_end() -> None:
    answer = believed(put("AuthnStatement", "SessionNotOnOrAfter", "2027-01-15T16:00:00Z"))
    assert answer.session_ends == NOW + 8 * HOUR


def test_an_unsigned_response_may_leave_its_issuer_out() -> None:
    believed(response(signed(assertion()), issuer=None))
    believed(response(signed(assertion(issuer=f"\n {IDP} "))))


def test_request_id_is_the_browsers() -> None:
    answer = check(SETTINGS, encoded(GOOD), REQUEST + "x", NOW)
    assert isinstance(answer, Refused)
    assert answer.code == "saml.in_response_to"
