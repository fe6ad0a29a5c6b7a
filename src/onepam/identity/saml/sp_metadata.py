"""Our own metadata, for a provider to read."""

from base64 import b64encode

from lxml import etree

from onepam.identity.saml.settings import SamlSettings
from onepam.identity.saml.xml import DS, MD, POST, REDIRECT, SAMLP, XENC, XENC11, tag

_ENCRYPTION = (XENC11 + "aes256-gcm", XENC11 + "aes128-gcm", XENC + "rsa-oaep-mgf1p")


def sp_metadata(settings: SamlSettings) -> bytes:
    """Our own metadata, for the provider to read; of two keys of ours both, while they change."""
    root = etree.Element(
        tag(MD, "EntityDescriptor"), {"entityID": settings.entity_id}, nsmap={"md": MD, "ds": DS, "xenc": XENC}
    )
    role = etree.SubElement(
        root,
        tag(MD, "SPSSODescriptor"),
        {"AuthnRequestsSigned": "true", "WantAssertionsSigned": "true", "protocolSupportEnumeration": SAMLP},
    )
    for use in ("signing", "encryption"):
        for key in settings.keys:
            descriptor = etree.SubElement(role, tag(MD, "KeyDescriptor"), {"use": use})
            x509_data = etree.SubElement(etree.SubElement(descriptor, tag(DS, "KeyInfo")), tag(DS, "X509Data"))
            encoded = b64encode(key.certificate).decode("ascii")
            etree.SubElement(x509_data, tag(DS, "X509Certificate")).text = encoded
            for method in (
                (XENC11 + "aes256-gcm", XENC11 + "aes128-gcm", XENC + "rsa-oaep-mgf1p") if use == "encryption" else ()
            ):
                etree.SubElement(descriptor, tag(MD, "EncryptionMethod"), {"Algorithm": method})
    for binding in (REDIRECT, POST):
        etree.SubElement(role, tag(MD, "SingleLogoutService"), {"Binding": binding, "Location": settings.slo_url})
    if settings.name_id_format:
        etree.SubElement(role, tag(MD, "NameIDFormat")).text = settings.name_id_format
    etree.SubElement(
        role,
        tag(MD, "AssertionConsumerService"),
        {"Binding": POST, "Location": settings.acs_url, "index": "0", "isDefault": "true"},
    )
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
