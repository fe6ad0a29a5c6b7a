"""Logout messages: only signed, only from the provider, only for us, and only now."""

from base64 import b64decode, b64encode
from dataclasses import replace
from urllib.parse import parse_qs, quote

import pytest
from cryptography.hazmat.primitives import serialization
from lxml import etree

from onepam.identity.saml.keys import SpKey
from onepam.identity.saml.logout import (
    LoggedOut,
    LogoutNotice,
    inflate,
    logout_request,
    logout_response,
    read_logout_form,
    read_logout_query,
)
from onepam.identity.saml.metadata import Endpoint
from onepam.identity.saml.names import NameId, decode_name_id
from onepam.identity.saml.request import PostForm, Redirect, send
from onepam.identity.saml.settings import PERSISTENT
from onepam.identity.saml.signature import octets_verified
from onepam.identity.saml.xml import SAML, SAMLP, Element, tag, write_time
from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from tests.identity.saml.forge import (
    ATTACKER_KEY,
    IDP,
    IDP_EC_KEY,
    IDP_ENCRYPTION_KEY,
    IDP_KEY,
    NOW,
    OUR_KEY,
    SETTINGS,
    Pair,
    changed,
    signed,
)
from tests.identity.saml.test_wrapping import evil

STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
NAME = NameId("alice", PERSISTENT, IDP, SETTINGS.entity_id)


def request(indexes: tuple[str, ...] = ("_session1",), **changes: str | None) -> Element:
    root = etree.Element(tag(SAMLP, "LogoutRequest"), nsmap={"samlp": SAMLP, "saml": SAML})
    attributes: dict[str, str | None] = {
        "ID": "_logout1",
        "Version": "2.0",
        "IssueInstant": write_time(NOW),
        "Destination": SETTINGS.slo_url,
        **changes,
    }
    for name, value in attributes.items():
        if value is not None:
            root.set(name, value)
    etree.SubElement(root, tag(SAML, "Issuer")).text = IDP
    NAME.write(root)
    for index in indexes:
        etree.SubElement(root, tag(SAMLP, "SessionIndex")).text = index
    return root


def answer(status: str = "Success", detail: str = "") -> Element:
    root = request()
    for child in list(root)[1:]:
        root.remove(child)
    root.tag = tag(SAMLP, "LogoutResponse")
    root.set("InResponseTo", "_ours")
    code = etree.SubElement(etree.SubElement(root, tag(SAMLP, "Status")), tag(SAMLP, "StatusCode"))
    code.set("Value", STATUS + status)
    if detail:
        etree.SubElement(code, tag(SAMLP, "StatusCode"), {"Value": STATUS + detail})
    return root


def form(root: Element, parameter: str = "SAMLRequest", relay: str = "") -> dict[str, str]:
    return {parameter: b64encode(etree.tostring(root)).decode(), **({"RelayState": relay} if relay else {})}


def query(root: Element, by: Pair = IDP_KEY, parameter: str = "SAMLRequest", relay: str = "") -> str:
    """What the provider's redirect has behind its question mark, which our own sender makes with the provider's key."""
    private = by.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = SpKey(Secret(private), by.certificate.public_bytes(serialization.Encoding.DER))
    sent = send(replace(SETTINGS, keys=(key,)), Endpoint("redirect", ""), root, parameter, relay)
    assert isinstance(sent, Redirect)
    return sent.url.partition("?")[2]


def notice(found: object) -> LogoutNotice:
    assert isinstance(found, LogoutNotice), found
    return found


def code(found: object) -> str:
    assert isinstance(found, Refused), found
    assert found.hint
    return found.code


def test_a_form_ends_the_sessions_it_names() -> None:
    found = notice(read_logout_form(SETTINGS, form(signed(request()), relay="r"), NOW))
    assert (found.provider, found.session_indexes, found.request_id) == ("idp_1", ("_session1",), "_logout1")
    assert (found.name_id, found.relay_state) == (NAME, "r")
    assert found.ends(NAME.encoded(), "_session1")
    assert not found.ends(NAME.encoded(), "_session2")
    assert not found.ends(replace(NAME, value="bob").encoded(), "_session1")
    assert not found.ends("", "_session1")


@pytest.mark.parametrize("key", [IDP_KEY, IDP_EC_KEY], ids=["RSA", "EC"])
def test_a_redirect_ends_them_too(key: Pair) -> None:
    found = notice(read_logout_query(SETTINGS, query(request(), key, relay="a b&c"), NOW))
    assert (found.session_indexes, found.relay_state) == (("_session1",), "a b&c")


def test_without_an_index_all_sessions_end() -> None:
    found = notice(read_logout_form(SETTINGS, form(signed(request(()))), NOW))
    assert found.ends(NAME.encoded(), "_session1")
    assert found.ends(NAME.encoded(), "")


@pytest.mark.parametrize(
    ("name", "same"),
    [
        (NAME, True),
        (NameId("alice", PERSISTENT), True),
        (replace(NAME, format=""), False),
        (replace(NAME, qualifier="https://other"), False),
        (replace(NAME, sp_qualifier="https://other"), False),
    ],
)
def test_what_a_name_leaves_out_is_the_two_parties(name: NameId, same: bool) -> None:
    found = notice(read_logout_form(SETTINGS, form(signed(request())), NOW))
    assert found.ends(name.encoded(), "_session1") is same


def test_names_come_back_as_they_were() -> None:
    assert decode_name_id(NAME.encoded()) == NAME
    assert decode_name_id(NameId("ä\U0001f600").encoded()) == NameId("ä\U0001f600")
    for odd in ("", "{}", "[]", '{"value":1}', '{"value":"a","x":"y"}', "alice", '{"value": "a"}', "\ud800"):
        assert decode_name_id(odd) is None


FORMS: dict[str, tuple[dict[str, str], str]] = {
    "not signed": (form(request()), "saml.signature"),
    "signed by a stranger": (form(signed(request(), ATTACKER_KEY)), "saml.signature"),
    "signed with the key for encryption": (form(signed(request(), IDP_ENCRYPTION_KEY)), "saml.signature"),
    "changed": (
        {"SAMLRequest": b64encode(etree.tostring(signed(request())).replace(b"alice", b"admin")).decode()},
        "saml.signature",
    ),
    "for another address": (form(signed(request(Destination="https://evil.example.com"))), "saml.destination"),
    "for no address": (form(signed(request(Destination=None))), "saml.destination"),
    "too old": (form(signed(request(IssueInstant=write_time(Instant(NOW - 7 * MINUTE))))), "saml.expired"),
    "from the future": (form(signed(request(IssueInstant=write_time(Instant(NOW + 2 * MINUTE))))), "saml.expired"),
    "over": (form(signed(request(NotOnOrAfter=write_time(Instant(NOW - MINUTE))))), "saml.expired"),
    "at no time": (form(signed(request(IssueInstant=None))), "saml.malformed"),
    "until no time": (form(signed(request(NotOnOrAfter="soon"))), "saml.malformed"),
    "of SAML 1.1": (form(signed(request(Version="1.1"))), "saml.malformed"),
    "an answer as a request": (form(signed(answer())), "saml.malformed"),
    "a request as an answer": (form(signed(request()), "SAMLResponse"), "saml.malformed"),
    "101 indexes": (form(signed(request(("s",) * 101))), "saml.malformed"),
    "an empty index": (form(signed(request(("",)))), "saml.malformed"),
    "a request about nobody": (form(signed(changed(request(), lambda root: root.remove(root[1])))), "saml.malformed"),
    "an assertion": (form(signed(evil())), "saml.malformed"),
    "a long relay state": (form(signed(request()), relay="r" * 81), "saml.malformed"),
    "both a request and an answer": (
        form(signed(request())) | form(signed(answer()), "SAMLResponse"),
        "saml.malformed",
    ),
    "nothing": ({}, "saml.malformed"),
    "no base64": ({"SAMLRequest": "%"}, "saml.malformed"),
}


@pytest.mark.parametrize(("fields", "expected"), FORMS.values(), ids=FORMS)
def test_a_form_that_ends_nothing(fields: dict[str, str], expected: str) -> None:
    assert code(read_logout_form(SETTINGS, fields, NOW)) == expected


def test_another_issuer() -> None:
    other = replace(SETTINGS, idp=replace(SETTINGS.idp, entity_id="https://other"))
    assert code(read_logout_form(other, form(signed(request())), NOW)) == "saml.issuer"


GOOD = query(request())


def parameters(**changes: str | None) -> str:
    """The good query with some of its raw parameters replaced (None: left out)."""
    raw = dict(pair.split("=", 1) for pair in GOOD.split("&"))
    return "&".join(f"{name}={value}" for name, value in (raw | changes).items() if value is not None)


QUERIES: dict[str, tuple[str, str]] = {
    "not signed": (parameters(Signature=None, SigAlg=None), "saml.signature"),
    "without a signature": (parameters(Signature=None), "saml.signature"),
    "without a method": (parameters(SigAlg=None), "saml.signature"),
    "with an empty signature": (parameters(Signature=""), "saml.signature"),
    "signed by a stranger": (query(request(), ATTACKER_KEY), "saml.signature"),
    "signed with the key for encryption": (query(request(), IDP_ENCRYPTION_KEY), "saml.signature"),
    "with a relay state put in": (parameters(RelayState="x"), "saml.signature"),
    "changed": (parameters(SAMLRequest=quote(b64encode(b"x").decode(), safe="")), "saml.signature"),
    "by SHA-1": (parameters(SigAlg=quote("http://www.w3.org/2000/09/xmldsig#rsa-sha1", safe="")), "saml.signature"),
    "by HMAC": (
        parameters(SigAlg=quote("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", safe="")),
        "saml.signature",
    ),
    "by another method than its own": (
        parameters(SigAlg=quote("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", safe="")),
        "saml.signature",
    ),
    "its method written otherwise": (parameters(SigAlg=parse_qs(GOOD)["SigAlg"][0]), "saml.signature"),
    "one thing twice": (GOOD + "&SAMLRequest=x", "saml.malformed"),
    "a relay state twice": (GOOD + "&RelayState=x&RelayState=y", "saml.malformed"),
    "both a request and an answer": (GOOD + "&SAMLResponse=x", "saml.malformed"),
    "another packing": (GOOD + "&SAMLEncoding=urn:none", "saml.malformed"),
    "signature that is no base64": (parameters(Signature="%25"), "saml.malformed"),
    "nothing": ("", "saml.malformed"),
    "line ends in it": (GOOD + "\n", "saml.malformed"),
    "a long one": (GOOD + "&x=" + "y" * 300_000, "saml.malformed"),
    "an answer as a request": (query(answer()), "saml.malformed"),
}


@pytest.mark.parametrize(("text", "expected"), QUERIES.values(), ids=QUERIES)
def test_a_query_that_ends_nothing(text: str, expected: str) -> None:
    assert code(read_logout_query(SETTINGS, text, NOW)) == expected


def test_parameters_that_are_not_signed_change_nothing() -> None:
    assert notice(read_logout_query(SETTINGS, "x=1&" + GOOD + "&y=2", NOW)).request_id == "_logout1"


def test_a_signed_bomb_does_not_unpack() -> None:
    root = request()
    root.set("Consent", " " * 400_000)
    assert code(read_logout_query(SETTINGS, query(root), NOW)) == "saml.malformed"


def read_answer(status: str, detail: str = "") -> LogoutNotice | LoggedOut | Refused:
    return read_logout_form(SETTINGS, form(signed(answer(status, detail)), "SAMLResponse", "r"), NOW)


def test_the_providers_answer() -> None:
    assert read_answer("Success") == LoggedOut("_ours", "r", whole=True)
    assert read_answer("Success", "PartialLogout") == LoggedOut("_ours", "r", whole=False)
    assert read_answer("Responder", "PartialLogout") == LoggedOut("_ours", "r", whole=False)
    assert code(read_answer("Responder")) == "saml.logout_failed"
    assert code(read_answer("Responder", "RequestDenied")) == "saml.logout_failed"
    without = answer()
    without.remove(without[-1])
    assert code(read_logout_form(SETTINGS, form(signed(without), "SAMLResponse"), NOW)) == "saml.logout_failed"


def unpacked(sending: object, parameter: str) -> tuple[Element, str]:
    """Our message, and where it goes; its signature in the address was checked."""
    assert isinstance(sending, Redirect)
    address, _, text = sending.url.partition("?")
    octets, _, signature = text.rpartition("&Signature=")
    fields = parse_qs(text, keep_blank_values=True)
    made = b64decode(fields["Signature"][0])
    assert signature
    assert octets_verified(octets.encode(), made, fields["SigAlg"][0], [OUR_KEY.x509()]) is None
    data = inflate(b64decode(fields[parameter][0]))
    assert data is not None
    root = etree.fromstring(data)
    assert root.get("Destination") == address
    return root, address


def test_our_request() -> None:
    sending = logout_request(SETTINGS, "_ours", NOW, name_id=NAME.encoded(), provider_session="_session1")
    root, address = unpacked(sending, "SAMLRequest")
    assert address == "https://idp.example.com/slo"
    assert (root.get("ID"), root.findtext(tag(SAMLP, "SessionIndex"))) == ("_ours", "_session1")
    name = root.find(tag(SAML, "NameID"))
    assert name is not None
    assert name.text == "alice"
    assert dict(name.attrib) == {
        "Format": PERSISTENT,
        "NameQualifier": IDP,
        "SPNameQualifier": SETTINGS.entity_id,
    }


@pytest.mark.parametrize("whole", [True, False])
def test_our_answer(whole: bool) -> None:
    found = notice(read_logout_form(SETTINGS, form(signed(request()), relay="r"), NOW))
    root, address = unpacked(logout_response(SETTINGS, found, "_answer", NOW, whole=whole), "SAMLResponse")
    assert address == "https://idp.example.com/slo-answer"
    assert root.get("InResponseTo") == "_logout1"
    values = [each.get("Value") for each in root.iter(tag(SAMLP, "StatusCode"))]
    assert values == [STATUS + "Success"] + ([] if whole else [STATUS + "PartialLogout"])


def test_by_form_where_the_provider_takes_forms() -> None:
    settings = replace(SETTINGS, idp=replace(SETTINGS.idp, slo=(Endpoint("post", "https://idp.example.com/slo"),)))
    sending = logout_request(settings, "_ours", NOW, name_id=NAME.encoded(), relay_state="r")
    assert isinstance(sending, PostForm)
    assert sending.action == "https://idp.example.com/slo"
    assert dict(sending.fields)["RelayState"] == "r"


def test_a_provider_without_logout() -> None:
    settings = replace(SETTINGS, idp=replace(SETTINGS.idp, slo=()))
    assert code(logout_request(settings, "_ours", NOW, name_id=NAME.encoded())) == "saml.no_logout"
    found = notice(read_logout_form(SETTINGS, form(signed(request())), NOW))
    assert code(logout_response(settings, found, "_answer", NOW)) == "saml.no_logout"
    assert code(logout_request(SETTINGS, "_ours", NOW, name_id="")) == "saml.no_logout"
