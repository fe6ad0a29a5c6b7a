"""Settings as the ledger stores them: plain JSON there and back, and nothing in it that means nothing."""

import json
from base64 import b64decode
from dataclasses import fields, replace
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from lxml import etree

from onepam.identity.saml.keys import CERTIFICATE_DAYS, SpKey, new_key
from onepam.identity.saml.presets import PRESETS, Preset
from onepam.identity.saml.request import PostForm, Redirect, authn_request, new_request_id
from onepam.identity.saml.settings import (
    PERSISTENT,
    Attributes,
    SamlSettings,
    acs_url,
    idp_mapping,
    metadata_url,
    parse,
    slo_url,
)
from onepam.identity.saml.signature import ECDSA_SHA256, octets_verified, verified
from onepam.identity.saml.xml import SAML, SAMLP, tag
from onepam.kernel.clock import DAY, Instant, instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import RandomBytes
from onepam.kernel.secret import Secret
from tests.identity.saml.forge import CONSOLE, IDP_EC_KEY, NOW, OUR_KEY, SETTINGS
from tests.identity.saml.test_logout import unpacked

IDP_JSON = idp_mapping(replace(SETTINGS.idp, valid_until=Instant(NOW + DAY), refresh_after=Instant(NOW + 1)))


def parsed(mapping: object, *keys: SpKey) -> SamlSettings | Refused:
    return parse("idp_1", CONSOLE, mapping, keys or (OUR_KEY,))  # type: ignore[arg-type]


def good(**chosen: object) -> SamlSettings:
    found = parsed(json.loads(json.dumps({"idp": IDP_JSON, **chosen})))
    assert isinstance(found, SamlSettings), found
    return found


def test_there_and_back() -> None:
    found = good(attributes={"email": "email", "groups": "groups", "name": "name", "methods": "methods"})
    idp = replace(SETTINGS.idp, valid_until=Instant(NOW + DAY), refresh_after=Instant(NOW + 1))
    assert found == replace(SETTINGS, idp=idp)


def test_all_that_can_be_chosen() -> None:
    found = good(
        entity_id="urn:ours",
        name_id_format=PERSISTENT,
        request_binding="post",
        contexts=["urn:mfa"],
        comparison="minimum",
        skew_seconds=0,
    )
    assert (found.entity_id, found.name_id_format, found.request_binding) == ("urn:ours", PERSISTENT, "post")
    assert (found.contexts, found.comparison, found.skew_seconds) == (("urn:mfa",), "minimum", 0)
    assert found.attributes == Attributes()


@pytest.mark.parametrize("console", [CONSOLE, CONSOLE + "/"])
def test_our_addresses(console: str) -> None:
    assert acs_url(console, "idp_1") == "https://pam.example.com/sign-in/return/idp_1"
    assert slo_url(console, "idp_1") == "https://pam.example.com/sign-in/logout/idp_1"
    assert metadata_url(console, "idp_1") == "https://pam.example.com/sign-in/metadata/idp_1"


def idp_with(**chosen: object) -> dict[str, object]:
    return {"idp": {**IDP_JSON, **chosen}}


@pytest.mark.parametrize(
    "mapping",
    [
        [],
        {},
        {"idp": IDP_JSON, "unknown": 1},
        {"idp": []},
        {"idp": IDP_JSON, "skew_seconds": 61},
        {"idp": IDP_JSON, "skew_seconds": -1},
        {"idp": IDP_JSON, "skew_seconds": True},
        {"idp": IDP_JSON, "skew_seconds": "60"},
        {"idp": IDP_JSON, "request_binding": "soap"},
        {"idp": IDP_JSON, "name_id_format": "urn:x"},
        {"idp": IDP_JSON, "comparison": "roughly"},
        {"idp": IDP_JSON, "contexts": "urn:x"},
        {"idp": IDP_JSON, "contexts": [1]},
        {"idp": IDP_JSON, "contexts": [""]},
        {"idp": IDP_JSON, "contexts": ["x\n"]},
        {"idp": IDP_JSON, "contexts": ["x"] * 11},
        {"idp": IDP_JSON, "entity_id": "x" * 1_025},
        {"idp": IDP_JSON, "entity_id": None},
        {"idp": IDP_JSON, "attributes": {"mail": "x"}},
        {"idp": IDP_JSON, "attributes": {"email": 1}},
        {"idp": IDP_JSON, "attributes": {"email": "x" * 513}},
        {"idp": IDP_JSON, "attributes": []},
        idp_with(unknown=1),
        idp_with(signing=[]),
        idp_with(signing=["AAAA"]),
        idp_with(signing=[1]),
        idp_with(sso=[]),
        idp_with(sso=["x"]),
        idp_with(sso=[{"binding": "soap", "location": "https://x"}]),
        idp_with(sso=[{"binding": "post", "location": "javascript:alert(1)"}]),
        idp_with(sso=[{"binding": "post", "location": "https://x", "more": 1}]),
        idp_with(valid_until="2027"),
        idp_with(entity_id=""),
    ],
)
def test_refused(mapping: object) -> None:
    found = parsed(mapping)
    assert isinstance(found, Refused), found
    assert found.code in {"saml.settings", "saml.metadata", "saml.url", "saml.certificate"}
    assert found.message.endswith(".")


def test_an_address_of_ours_that_no_provider_may_use() -> None:
    found = parse("idp_1", "http://pam.example.com", {"idp": IDP_JSON}, (OUR_KEY,))
    assert isinstance(found, Refused)
    assert found.code == "saml.settings"


def test_our_keys() -> None:
    assert isinstance(parsed({"idp": IDP_JSON}, OUR_KEY, OUR_KEY), SamlSettings)
    broken = SpKey(Secret(b"x"), OUR_KEY.certificate)
    stranger = SpKey(OUR_KEY.private, new_key("x", NOW, bytes_of(1)).certificate)
    private = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    other_kind = SpKey(Secret(private), OUR_KEY.certificate)
    for key in (broken, stranger, other_kind, SpKey(OUR_KEY.private, b"x")):
        found = parsed({"idp": IDP_JSON}, key)
        assert isinstance(found, Refused)
        assert found.code == "saml.settings"
    assert isinstance(parse("idp_1", CONSOLE, {"idp": IDP_JSON}, ()), Refused)
    assert isinstance(parsed({"idp": IDP_JSON}, OUR_KEY, OUR_KEY, OUR_KEY), Refused)


def bytes_of(value: int) -> RandomBytes:
    return lambda count: bytes([value]) * count


def test_a_new_key() -> None:
    certificate = OUR_KEY.x509()
    assert certificate.subject.rfc4514_string() == "CN=pam.example.com"
    assert instant(certificate.not_valid_before_utc) < NOW
    assert instant(certificate.not_valid_after_utc) - NOW > (CERTIFICATE_DAYS - 1) * DAY
    assert OUR_KEY.opened().key_size == 3072
    assert "Secret(***)" in repr(OUR_KEY)


def test_a_request_by_redirect() -> None:
    settings = good(name_id_format=PERSISTENT, contexts=["urn:mfa", "urn:phr"], comparison="minimum")
    sending = authn_request(settings, "_ours", NOW, relay_state="a&b=c", force=True)
    root, address = unpacked(sending, "SAMLRequest")
    assert isinstance(sending, Redirect)
    assert address == "https://idp.example.com/sso"
    assert parse_qs(sending.url.partition("?")[2])["RelayState"] == ["a&b=c"]
    assert dict(root.attrib) == {
        "ID": "_ours",
        "Version": "2.0",
        "IssueInstant": "2027-01-15T08:00:00Z",
        "Destination": address,
        "ProtocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        "AssertionConsumerServiceURL": settings.acs_url,
        "ForceAuthn": "true",
    }
    assert root.findtext(tag(SAML, "Issuer")) == settings.entity_id
    policy, context = root.find(tag(SAMLP, "NameIDPolicy")), root.find(tag(SAMLP, "RequestedAuthnContext"))
    assert policy is not None
    assert dict(policy.attrib) == {"AllowCreate": "true", "Format": PERSISTENT}
    assert context is not None
    assert context.get("Comparison") == "minimum"
    assert [each.text for each in context] == ["urn:mfa", "urn:phr"]


def test_a_step_up_asks_for_its_own_context() -> None:
    root, _ = unpacked(authn_request(good(), "_ours", NOW, contexts=["urn:x"], comparison="exact"), "SAMLRequest")
    context = root.find(tag(SAMLP, "RequestedAuthnContext"))
    assert context is not None
    assert [context.get("Comparison"), context[0].text] == ["exact", "urn:x"]
    root, _ = unpacked(authn_request(good(contexts=["urn:y"]), "_ours", NOW, contexts=[]), "SAMLRequest")
    assert root.find(tag(SAMLP, "RequestedAuthnContext")) is None
    assert root.get("ForceAuthn") is None


def test_an_address_with_a_query_of_its_own() -> None:
    settings = parsed(idp_with(sso=[{"binding": "redirect", "location": "https://idp.example.com/sso?app=1"}]))
    assert isinstance(settings, SamlSettings)
    sending = authn_request(settings, "_ours", NOW)
    assert isinstance(sending, Redirect)
    assert sending.url.startswith("https://idp.example.com/sso?app=1&SAMLRequest=")


def test_a_request_by_form() -> None:
    sending = authn_request(good(request_binding="post"), "_ours", NOW, relay_state="r")
    assert isinstance(sending, PostForm)
    assert sending.action == "https://idp.example.com/sso"
    posted = dict(sending.fields)
    assert set(posted) == {"SAMLRequest", "RelayState"}
    root = etree.fromstring(b64decode(posted["SAMLRequest"]))
    assert [str(each.tag).rpartition("}")[2] for each in root][:2] == ["Issuer", "Signature"]
    assert not isinstance(verified(root, [OUR_KEY.x509()]), Refused)
    without = authn_request(good(request_binding="post"), "_ours", NOW)
    assert isinstance(without, PostForm)
    assert [name for name, _ in without.fields] == ["SAMLRequest"]


def test_the_other_binding_where_the_provider_has_not_the_chosen_one() -> None:
    settings = parsed({**idp_with(sso=[{"binding": "post", "location": "https://idp.example.com/"}])})
    assert isinstance(settings, SamlSettings)
    assert isinstance(authn_request(settings, "_ours", NOW), PostForm)


def test_relay_state_has_its_bound() -> None:
    authn_request(good(), "_ours", NOW, relay_state="ä" * 40)
    with pytest.raises(ValueError, match="80 bytes"):
        authn_request(good(), "_ours", NOW, relay_state="ä" * 41)


def test_request_ids() -> None:
    assert new_request_id(bytes_of(255)) == "_" + "f" * 32


def test_an_ec_key_signs_too() -> None:
    private = IDP_EC_KEY.key
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    key = SpKey(
        Secret(
            private.private_bytes(
                serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        ),
        IDP_EC_KEY.certificate.public_bytes(serialization.Encoding.DER),
    )
    settings = parsed({"idp": IDP_JSON}, key)
    assert isinstance(settings, SamlSettings)
    sending = authn_request(settings, "_ours", NOW)
    assert isinstance(sending, Redirect)
    assert parse_qs(sending.url)["SigAlg"] == [ECDSA_SHA256]
    assert octets_verified(b"x", b"y" * 96, ECDSA_SHA256, [key.x509()]) is not None
    assert octets_verified(b"x", b"y", ECDSA_SHA256, [key.x509()]) is not None


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_presets_are_settings(preset: Preset) -> None:
    names = {each.name: getattr(preset.attributes, each.name) for each in fields(Attributes)}
    settings = good(attributes=names, name_id_format=preset.name_id_format)
    assert settings.attributes == preset.attributes
    places = {"acs": "1", "entity_id": "2", "metadata": "3", "slo": "4"}
    assert all("{" not in step.format(**places) for step in preset.steps)
    assert not preset.second_factor or preset.attributes.methods or preset.name.endswith("SAML 2.0 provider")
