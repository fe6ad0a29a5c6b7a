"""Every hostile certificate that a client may show to our listener, and the one reason each is refused for."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import asyncssh
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from onepam.kernel.clock import HOUR, SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.vault.person_certificates import MAX_CERTIFICATE_BYTES, Claims, judge

SESSION = "cli_abcdefgh234567ab"
PERSON = "per_abcdefgh234567ab"
PRINCIPAL = f"onepam-person:{PERSON}".encode()
NOW = Instant(1_772_546_400 * SECOND)
START, END = NOW // SECOND - 30, NOW // SECOND + 3600
SOURCE = "192.0.2.1"

USER, HOST = 1, 2


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def public(key: Ed25519PrivateKey) -> bytes:
    """RFC 8709 section 4."""
    return string(b"ssh-ed25519") + string(key.public_key().public_bytes_raw())


PERSON_CA, TARGET_CA, HOST_CA, PERSONS_OWN, STRANGER = (Ed25519PrivateKey.generate() for _ in range(5))


@dataclass(frozen=True)
class Forged:
    """A certificate with any field as one likes (OpenSSH PROTOCOL.certkeys), signed by any key."""

    key: Ed25519PrivateKey = PERSONS_OWN
    signer: Ed25519PrivateKey = PERSON_CA
    kind: bytes = b"ssh-ed25519-cert-v01@openssh.com"
    type: int = USER
    key_id: bytes = SESSION.encode()
    principals: Sequence[bytes] = (PRINCIPAL,)
    valid_after: int = START
    valid_before: int = END
    critical: Mapping[bytes, bytes] = field(default_factory=dict)
    extensions: Mapping[bytes, bytes] = field(default_factory=lambda: {b"permit-pty": b""})
    signature_key: bytes | None = None
    """The blob shown as the signer, when it is not the signer's own."""
    signature_kind: bytes = b"ssh-ed25519"
    signature: bytes | None = None
    trailing: bytes = b""

    def body(self) -> bytes:
        return b"".join(
            (
                string(self.kind),
                string(bytes(32)),
                string(self.key.public_key().public_bytes_raw()),
                (7).to_bytes(8, "big"),
                self.type.to_bytes(4, "big"),
                string(self.key_id),
                string(b"".join(map(string, self.principals))),
                self.valid_after.to_bytes(8, "big"),
                self.valid_before.to_bytes(8, "big"),
                string(b"".join(string(name) + string(value) for name, value in self.critical.items())),
                string(b"".join(string(name) + string(value) for name, value in self.extensions.items())),
                string(b""),
                string(self.signature_key if self.signature_key is not None else public(self.signer)),
            )
        )

    def encode(self) -> bytes:
        signature = self.signature if self.signature is not None else self.signer.sign(self.body())
        return self.body() + string(string(self.signature_kind) + string(signature)) + self.trailing


GOOD = Forged()


def verdict(presented: bytes, at: Instant = NOW, source: str = SOURCE) -> str:
    outcome = judge(presented, public(PERSON_CA), at, source)
    if isinstance(outcome, Refused):
        assert outcome.message
        assert outcome.hint
        return outcome.code.removeprefix("certificate.")
    return "good"


def test_a_good_certificate_says_which_session_of_which_person() -> None:
    expected = Claims(SESSION, PERSON, Instant(END * SECOND))
    assert judge(GOOD.encode(), public(PERSON_CA), NOW, SOURCE) == expected


def test_the_forger_of_these_tests_writes_what_others_read() -> None:
    assert asyncssh.public_key.decode_ssh_certificate(GOOD.encode()).principals == [PRINCIPAL.decode()]  # type: ignore[attr-defined]


PERSONS_CERTIFICATE = GOOD.encode()
TARGETS_CERTIFICATE = replace(GOOD, signer=TARGET_CA, principals=[b"root"], key_id=b"ses_1").encode()
NESTED = replace(GOOD, key=STRANGER, signer=PERSONS_OWN, signature_key=PERSONS_CERTIFICATE)

HOSTILE = [
    # A certificate used as a CA (CVE-2025-49825): signed by the key of a good certificate ...
    ("foreign_ca", "signed by a person's own certified key", replace(GOOD, key=STRANGER, signer=PERSONS_OWN)),
    # ... showing that certificate itself as the signer ...
    ("malformed", "nested: signed by a good certificate", NESTED),
    ("foreign_ca", "nested, and its signature says so", replace(NESTED, signature_kind=GOOD.kind)),
    (
        "foreign_ca",
        "nested: signed by a certificate that carries our CA's own key",
        replace(GOOD, key=STRANGER, signature_key=replace(GOOD, key=PERSON_CA).encode(), signature_kind=GOOD.kind),
    ),
    # ... or our CA's name over a signature of somebody else.
    ("foreign_ca", "our CA shown, a stranger signed", replace(GOOD, signer=STRANGER, signature_key=public(PERSON_CA))),
    ("foreign_ca", "signed by itself", replace(GOOD, signer=PERSONS_OWN)),
    ("foreign_ca", "signed by the target CA", replace(GOOD, signer=TARGET_CA)),
    ("foreign_ca", "signed by the host CA", replace(GOOD, signer=HOST_CA)),
    ("foreign_ca", "signed by a stranger", replace(GOOD, signer=STRANGER)),
    ("foreign_ca", "a host certificate of the host CA", replace(GOOD, signer=HOST_CA, type=HOST)),
    ("malformed", "no signer", replace(GOOD, signature_key=b"")),
    ("foreign_ca", "an empty signature", replace(GOOD, signature=b"")),
    ("foreign_ca", "a signature of another certificate", replace(GOOD, signature=PERSON_CA.sign(b"other"))),
    ("host_certificate", "wrong type, our own CA", replace(GOOD, type=HOST)),
    ("malformed", "type 0", replace(GOOD, type=0)),
    ("malformed", "type 3", replace(GOOD, type=3)),
    ("malformed", "an unknown kind", replace(GOOD, kind=b"ssh-ed25519-cert-v02@openssh.com")),
    ("malformed", "a plain key's kind", replace(GOOD, kind=b"ssh-ed25519")),
    ("malformed", "another algorithm's kind", replace(GOOD, kind=b"ssh-rsa-cert-v01@openssh.com")),
    ("malformed", "a security key's kind", replace(GOOD, kind=b"sk-ssh-ed25519-cert-v01@openssh.com")),
    ("malformed", "trailing bytes", replace(GOOD, trailing=b"\x00")),
    ("principals", "no principals: anybody, for OpenSSH of old", replace(GOOD, principals=[])),
    ("principals", "an empty principal", replace(GOOD, principals=[b""])),
    ("principals", "two persons", replace(GOOD, principals=[PRINCIPAL, b"onepam-person:per_bbbbbbbbbbbbbbbb"])),
    ("principals", "the same twice", replace(GOOD, principals=[PRINCIPAL, PRINCIPAL])),
    ("principals", "a person and a login", replace(GOOD, principals=[PRINCIPAL, b"root"])),
    ("principals", "a login", replace(GOOD, principals=[b"root"])),
    ("principals", "a comma", replace(GOOD, principals=[PRINCIPAL + b",root"])),
    ("principals", "a comma first", replace(GOOD, principals=[b"root," + PRINCIPAL])),
    ("principals", "a newline", replace(GOOD, principals=[PRINCIPAL + b"\n"])),
    ("principals", "a zero byte", replace(GOOD, principals=[PRINCIPAL + b"\x00"])),
    ("principals", "a wildcard", replace(GOOD, principals=[b"onepam-person:*"])),
    ("principals", "everything", replace(GOOD, principals=[b"*"])),
    ("principals", "a prefix alone", replace(GOOD, principals=[b"onepam-person:"])),
    ("principals", "no prefix", replace(GOOD, principals=[PERSON.encode()])),
    ("principals", "capitals", replace(GOOD, principals=[PRINCIPAL.upper()])),
    ("principals", "not UTF-8", replace(GOOD, principals=[b"\xff" + PRINCIPAL])),
    ("principals", "300 of them", replace(GOOD, principals=[b"a"] * 300)),
    ("malformed", "a huge list of principals", replace(GOOD, principals=[PRINCIPAL] * 1000)),
    ("expired", "ended this very second", replace(GOOD, valid_before=NOW // SECOND)),
    ("expired", "ended long ago", replace(GOOD, valid_after=0, valid_before=1)),
    ("expired", "ends before it starts", replace(GOOD, valid_after=END, valid_before=START)),
    ("not_yet_valid", "begins in a minute", replace(GOOD, valid_after=NOW // SECOND + 60)),
    ("not_yet_valid", "begins at the end of time", replace(GOOD, valid_after=2**64 - 2, valid_before=2**64 - 1)),
    ("lifetime", "for ever", replace(GOOD, valid_after=0, valid_before=2**64 - 1)),
    ("lifetime", "a day", replace(GOOD, valid_before=START + 86_400)),
    ("critical_option", "unknown", replace(GOOD, critical={b"future-thing": b""})),
    ("critical_option", "force-command", replace(GOOD, critical={b"force-command": string(b"id")})),
    ("critical_option", "verify-required", replace(GOOD, critical={b"verify-required": b""})),
    (
        "critical_option",
        "unknown beside a good source-address",
        replace(GOOD, critical={b"source-address": string(b"192.0.2.0/24"), b"zz@example.com": b""}),
    ),
    ("malformed", "options out of order", replace(GOOD, critical={b"z": b"", b"a": b""})),
    ("malformed", "an option's value cut", replace(GOOD, critical={b"source-address": b"\x00\x00\x00\xffabc"})),
    ("source_address", "elsewhere", replace(GOOD, critical={b"source-address": string(b"198.51.100.0/24")})),
    ("source_address", "nowhere", replace(GOOD, critical={b"source-address": string(b"")})),
    ("source_address", "nowhere at all", replace(GOOD, critical={b"source-address": b""})),
    ("source_address", "not a network", replace(GOOD, critical={b"source-address": string(b"*")})),
    ("source_address", "not ASCII", replace(GOOD, critical={b"source-address": string("１92.0.2.1".encode())})),
    ("malformed", "an empty key id", replace(GOOD, key_id=b"")),
    ("malformed", "a key id of another shape", replace(GOOD, key_id=b"root")),
    ("malformed", "a key id with a newline", replace(GOOD, key_id=SESSION.encode() + b"\n")),
    ("malformed", "a key id not UTF-8", replace(GOOD, key_id=b"\xff\xfe")),
    ("malformed", "a long key id", replace(GOOD, key_id=SESSION.encode() * 100)),
    ("malformed", "a huge key id", replace(GOOD, key_id=b"a" * 1_000_000)),
]


@pytest.mark.parametrize(("code", "what", "forged"), HOSTILE, ids=[what for _, what, _ in HOSTILE])
def test_a_hostile_certificate_is_refused(code: str, what: str, forged: Forged) -> None:
    assert verdict(forged.encode()) == code, what


def test_the_certificate_of_a_target_session_is_refused() -> None:
    assert verdict(TARGETS_CERTIFICATE) == "foreign_ca"


@pytest.mark.parametrize(
    "presented",
    [
        b"",
        b"\x00\x00\x00\x00",
        b"\xff\xff\xff\xff",
        string(b"ssh-ed25519-cert-v01@openssh.com"),
        public(PERSONS_OWN),
        public(PERSON_CA),
        b"ssh-ed25519-cert-v01@openssh.com AAAA",
        bytes(MAX_CERTIFICATE_BYTES + 1),
    ],
    ids=len,
)
def test_what_is_no_certificate_is_refused(presented: bytes) -> None:
    assert verdict(presented) == "malformed"


def test_a_source_address_admits_only_its_networks() -> None:
    bound = replace(GOOD, critical={b"source-address": string(b"192.0.2.0/24,2001:db8::/32")}).encode()
    outcomes = {source: verdict(bound, source=source) for source in (SOURCE, "2001:db8::7", "198.51.100.1", "::1", "?")}
    assert outcomes == {
        SOURCE: "good",
        "2001:db8::7": "good",
        "198.51.100.1": "source_address",
        "::1": "source_address",
        "?": "source_address",
    }


def test_the_bounds_of_time_are_exact() -> None:
    at = {
        (START - 30) * SECOND - 1: "not_yet_valid",
        (START - 30) * SECOND: "good",
        END * SECOND - 1: "good",
        END * SECOND: "expired",
    }
    for moment, expected in at.items():
        assert verdict(GOOD.encode(), Instant(moment)) == expected
    longest = replace(GOOD, valid_before=START + 12 * 3600 + 30)
    assert verdict(longest.encode(), Instant(NOW + HOUR)) == "good"
    assert verdict(replace(longest, valid_before=longest.valid_before + 2).encode()) == "lifetime"


def test_every_altered_byte_is_refused() -> None:
    good = GOOD.encode()
    for position in range(len(good)):
        altered = bytearray(good)
        altered[position] ^= 1 << secrets.randbelow(8)
        assert verdict(bytes(altered)) in ("malformed", "foreign_ca"), position


def test_every_cut_is_refused() -> None:
    good = GOOD.encode()
    assert {verdict(good[:length]) for length in range(len(good))} <= {"malformed", "foreign_ca"}


@given(st.binary(max_size=400), st.sampled_from([b"ssh-ed25519", b"ssh-rsa", b"ecdsa-sha2-nistp256"]))
def test_garbage_is_refused_and_never_raises(garbage: bytes, algorithm: bytes) -> None:
    assert verdict(garbage) == "malformed"
    assert verdict(string(algorithm + b"-cert-v01@openssh.com") + garbage) in ("malformed", "foreign_ca")


@given(st.dictionaries(st.binary(min_size=1, max_size=20), st.binary(max_size=20), min_size=1, max_size=4))
def test_no_critical_option_but_source_address_is_ever_accepted(critical: dict[bytes, bytes]) -> None:
    options = {name: string(value) for name, value in sorted(critical.items()) if name != b"source-address"}
    expected = "critical_option" if options else "good"
    assert verdict(replace(GOOD, critical=options).encode()) == expected


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_no_principal_but_one_person_is_ever_accepted(principals: list[bytes]) -> None:
    expected = "good" if principals == [PRINCIPAL] else "principals"
    assert verdict(replace(GOOD, principals=principals).encode()) == expected
