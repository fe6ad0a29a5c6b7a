"""Our own key towards a provider: it signs requests and opens encrypted assertions. RSA: all providers take it."""

from dataclasses import dataclass
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from onepam.identity.saml.signature import PrivateKey
from onepam.kernel.clock import Instant, moment
from onepam.kernel.errors import Refused
from onepam.kernel.ids import RandomBytes
from onepam.kernel.secret import Secret

RSA_BITS = 3072
CERTIFICATE_DAYS = 3 * 365
"""Providers that look at the date at all want one; before it, a second key is published beside the first."""


@dataclass(frozen=True, slots=True)
class SpKey:
    """A key of ours (PKCS #8, DER) and its self-signed certificate (DER). Only the key is secret."""

    private: Secret
    certificate: bytes

    def opened(self) -> PrivateKey:
        """The key itself. Raises `ValueError` unless it is RSA or EC and the certificate's own."""
        # Checking the primes anew takes 150 ms; the key is one that `new_key` made and the vault kept.
        key = serialization.load_der_private_key(
            self.private.reveal(), password=None, unsafe_skip_rsa_key_validation=True
        )
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise ValueError("a service provider's key is RSA or EC")
        if key.public_key() != self.x509().public_key():
            raise ValueError("key and certificate are not of one pair")
        return key

    def x509(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.certificate)


def new_key(host: str, now: Instant, random: RandomBytes) -> SpKey:
    """A fresh RSA key with a certificate for `host` (only a name for people), valid for three years.

    `random` makes the serial number; the key's own randomness is OpenSSL's.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64] or "onepam")])
    start = moment(now) - timedelta(minutes=5)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(random(16), "big") >> 1 | 1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=CERTIFICATE_DAYS))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SpKey(Secret(private), certificate.public_bytes(serialization.Encoding.DER))


def provider_certificate(der: bytes) -> x509.Certificate | Refused:
    """A certificate of a provider whose key is strong enough. Code: `saml.certificate`."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
    except (ValueError, TypeError, x509.UnsupportedGeneralNameType):
        return _unfit("cannot be read")
    if isinstance(key, rsa.RSAPublicKey):
        return certificate if 2048 <= key.key_size <= 8192 else _unfit(f"has an RSA key of {key.key_size} bits")
    if isinstance(key, ec.EllipticCurvePublicKey):
        strong = isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1)
        return certificate if strong else _unfit(f"has a key on the curve {key.curve.name}")
    return _unfit("has a key that is neither RSA nor EC")


def _unfit(why: str) -> Refused:
    return Refused(
        "saml.certificate",
        f"A certificate of the provider {why}.",
        "Give the provider a signing certificate with RSA (2048 to 8192 bits) or EC (P-256, P-384, P-521).",
    )
