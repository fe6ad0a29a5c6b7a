"""Every hostile certificate that a client of a database may show, and the one reason each is refused for."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.kernel.clock import HOUR, SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.vault.authorities import Authorities
from onepam.vault.database_clients import ClientCertificate, ClientClaims, judge, person_of
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys

SESSION, PERSON = "cli_abcdefgh234567ab", "per_abcdefgh234567ab"
NOW = Instant(1_772_546_400 * SECOND)
AT = datetime.fromtimestamp(NOW // SECOND, UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    folder: Path = tmp_path_factory.mktemp("authorities")
    keys = FileKeys.create(folder / "keys", secrets.token_bytes)
    return Authorities(folder, Envelope(keys, secrets.token_bytes), secrets.token_bytes)


def issued(authorities: Authorities, at: Instant = NOW, lifetime: int = HOUR) -> bytes:
    made = authorities.database_client(at).issue(pem(KEY), SESSION, PERSON, at, lifetime)
    assert isinstance(made, ClientCertificate)
    return x509.load_pem_x509_certificate(made.certificate.encode()).public_bytes(Encoding.DER)


def forged(authorities: Authorities, **changed: Any) -> bytes:
    """A certificate that is ours in all but what is changed."""
    ours = authorities.database_client(NOW)
    names = changed.get("names", [(NameOID.USER_ID, PERSON), (NameOID.COMMON_NAME, SESSION)])
    made = (
        x509.CertificateBuilder()
        .issuer_name(changed.get("issuer", ours._root.subject))
        .subject_name(x509.Name([x509.NameAttribute(*each) for each in names]))
        .public_key(KEY.public_key())
        .serial_number(7)
        .not_valid_before(AT + changed.get("after", timedelta(seconds=-30)))
        .not_valid_after(AT + changed.get("before", timedelta(hours=1)))
    )
    for extension, critical in changed.get("extensions", [(x509.ExtendedKeyUsage([CLIENT]), True)]):
        made = made.add_extension(extension, critical=critical)
    return made.sign(changed.get("signer", ours._key), hashes.SHA256()).public_bytes(Encoding.DER)


def verdict(authorities: Authorities, presented: bytes, at: Instant = NOW) -> str:
    outcome = judge(presented, authorities.database_client(at).root, at)
    if isinstance(outcome, Refused):
        assert outcome.message
        assert outcome.hint
        return outcome.code.removeprefix("certificate.")
    return "good"


def test_a_good_certificate_says_which_session_of_which_person(authorities: Authorities) -> None:
    presented = issued(authorities)
    assert judge(presented, authorities.database_client(NOW).root, NOW) == ClientClaims(SESSION, PERSON)
    assert person_of(presented) == PERSON
    assert verdict(authorities, forged(authorities)) == "good", "the forger of these tests writes what is read"


STRANGER = ec.generate_private_key(ec.SECP256R1())
SEVERAL = [(NameOID.USER_ID, PERSON), (NameOID.USER_ID, PERSON), (NameOID.COMMON_NAME, SESSION)]
RESTRICTED = [
    (x509.ExtendedKeyUsage([CLIENT]), True),
    (x509.NameConstraints([x509.DNSName("example.com")], None), True),
]
HOSTILE: list[tuple[str, str, dict[str, Any]]] = [
    ("foreign_ca", "a stranger signed in our name", {"signer": STRANGER}),
    ("foreign_ca", "signed by a person's own certified key", {"signer": KEY}),
    ("foreign_ca", "another's name", {"issuer": x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Somebody")])}),
    ("purpose", "a server's", {"extensions": [(x509.ExtendedKeyUsage([SERVER]), True)]}),
    ("purpose", "of both", {"extensions": [(x509.ExtendedKeyUsage([CLIENT, SERVER]), True)]}),
    ("purpose", "of none", {"extensions": []}),
    ("critical_option", "a restriction that we do not know", {"extensions": RESTRICTED}),
    ("principals", "nobody", {"names": [(NameOID.COMMON_NAME, SESSION)]}),
    ("principals", "two people", {"names": SEVERAL}),
    ("principals", "a login", {"names": [(NameOID.USER_ID, "root"), (NameOID.COMMON_NAME, SESSION)]}),
    ("malformed", "no session", {"names": [(NameOID.USER_ID, PERSON)]}),
    ("malformed", "another form", {"names": [(NameOID.USER_ID, PERSON), (NameOID.COMMON_NAME, "1")]}),
    ("expired", "it ended now", {"before": timedelta()}),
    ("not_yet_valid", "it begins later", {"after": timedelta(seconds=31)}),
    ("lifetime", "for a day", {"before": timedelta(days=1)}),
]


@pytest.mark.parametrize(("code", "changed"), [(code, changed) for code, _, changed in HOSTILE],
                         ids=[f"{code}: {words}" for code, words, _ in HOSTILE])  # fmt: skip
def test_hostile(authorities: Authorities, code: str, changed: dict[str, Any]) -> None:
    assert verdict(authorities, forged(authorities, **changed)) == code


def test_of_the_authority_of_listeners_it_is_none_of_ours(authorities: Authorities) -> None:
    shown = authorities.database(NOW).issue(("localhost",), NOW)
    presented = x509.load_pem_x509_certificate(shown.certificate).public_bytes(Encoding.DER)
    assert verdict(authorities, presented) == "foreign_ca"


def test_it_ends_to_the_second(authorities: Authorities) -> None:
    presented = issued(authorities, lifetime=12 * HOUR)
    assert verdict(authorities, presented, Instant(NOW + 12 * HOUR - 1)) == "good"
    assert verdict(authorities, presented, Instant(NOW + 12 * HOUR)) == "expired"
    assert verdict(authorities, presented, Instant(NOW - 60 * SECOND)) == "good"
    assert verdict(authorities, presented, Instant(NOW - 61 * SECOND)) == "not_yet_valid"


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 4096), st.integers(0, 255)), max_size=4), st.integers(0, 4096), st.binary())
def test_no_bytes_are_a_fault(
    authorities: Authorities, changes: list[tuple[int, int]], length: int, after: bytes
) -> None:
    good = issued(authorities)
    presented = bytearray(good)
    for at, byte in changes:
        presented[at % len(good)] = byte
    whole = bytes(presented[:length]) + after
    assert (verdict(authorities, whole) == "good") is (whole == good)


def test_a_long_one_and_one_of_another_version_are_not_read(authorities: Authorities) -> None:
    third = b"\xa0\x03\x02\x01\x02"
    assert third in issued(authorities)
    assert verdict(authorities, issued(authorities).replace(third, third[:-1] + b"\x07")) == "malformed"
    assert verdict(authorities, bytes(9000)) == "malformed"


def test_which_keys_and_whom_it_certifies(authorities: Authorities) -> None:
    authority = authorities.database_client(NOW)
    others = pem(ec.generate_private_key(ec.SECP384R1())), pem(ed25519.Ed25519PrivateKey.generate())
    for key in (*others, "", "no key", pem(KEY).replace("M", "N", 1)):
        refused = authority.issue(key, SESSION, PERSON, NOW)
        assert isinstance(refused, Refused)
        assert refused.code == "certificate.subject"
    for session, person, lifetime in (("x", PERSON, HOUR), (SESSION, "Eve", HOUR), (SESSION, PERSON, 12 * HOUR + 1)):
        with pytest.raises(ValueError, match=r"certificate|id of"):
            authority.issue(pem(KEY), session, person, NOW, lifetime)


def test_both_authorities_are_kept_and_wrapped_again(tmp_path: Path) -> None:
    keys = FileKeys.create(tmp_path / "keys", secrets.token_bytes)
    envelope = Envelope(keys, secrets.token_bytes)
    first = Authorities(tmp_path, envelope, secrets.token_bytes)
    roots = first.database(NOW).root, first.database_client(NOW).root
    assert roots[0] != roots[1]
    keys.rotate()
    assert first.rewrap() == 6
    again = Authorities(tmp_path, envelope, secrets.token_bytes)
    assert (again.database(NOW).root, again.database_client(NOW).root) == roots
