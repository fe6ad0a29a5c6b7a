"""Passkeys: a software authenticator that can lie about everything. Chromium's is in `test_passkeys_chromium`."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from onepam.identity.passkeys import (
    Authenticated,
    Passkey,
    Presented,
    RelyingParty,
    authentication_options,
    new_challenge,
    presented,
    registration_options,
    verify_authentication,
    verify_registration,
)
from onepam.kernel.errors import Refused

PARTY = RelyingParty("pam.example", "OnePAM", ("https://pam.example", "https://pam.example:8443"))
PERSON = b"per_abcdefgh234567ab"
CHALLENGE = bytes(range(32))
USER_PRESENT, USER_VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True)
class Authenticator:
    """A browser with an authenticator (WebAuthn Level 2, sections 5.8.1 and 6.1), honest unless told otherwise."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = b"credential-1"
    challenge: bytes = CHALLENGE
    origin: str = PARTY.origins[0]
    party_id: str = PARTY.id
    flags: int = USER_PRESENT | USER_VERIFIED
    count: int = 0
    client: dict[str, Any] = field(default_factory=dict)
    form: str = "none"
    statement: dict[str, Any] = field(default_factory=dict)
    person_handle: bytes | None = PERSON

    def _client_data(self, kind: str) -> bytes:
        data = {"type": kind, "challenge": base64url(self.challenge), "origin": self.origin, "crossOrigin": False}
        return json.dumps(data | self.client).encode()

    def _authenticator_data(self, flags: int, rest: bytes = b"") -> bytes:
        party = hashlib.sha256(self.party_id.encode()).digest()
        return party + bytes([flags]) + self.count.to_bytes(4, "big") + rest

    def create(self) -> str:
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(cose)
        data = self._authenticator_data(self.flags | ATTESTED, attested)
        response = {
            "clientDataJSON": base64url(self._client_data("webauthn.create")),
            "attestationObject": base64url(
                cbor2.dumps({"fmt": self.form, "attStmt": self.statement, "authData": data})
            ),
            "transports": ["usb", "nfc", "telepathy", 7],
        }
        return self._credential(response)

    def get(self) -> str:
        client, data = self._client_data("webauthn.get"), self._authenticator_data(self.flags)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": base64url(client),
            "authenticatorData": base64url(data),
            "signature": base64url(signature),
            "userHandle": None if self.person_handle is None else base64url(self.person_handle),
        }
        return self._credential(response)

    def _credential(self, response: dict[str, Any]) -> str:
        name = base64url(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


HONEST = Authenticator()


def registered(authenticator: Authenticator = HONEST) -> Passkey:
    passkey = verify_registration(PARTY, CHALLENGE, authenticator.create())
    assert isinstance(passkey, Passkey), passkey
    return passkey


def sign_in(authenticator: Authenticator, passkey: Passkey | None = None) -> Authenticated | str:
    outcome = verify_authentication(PARTY, CHALLENGE, authenticator.get(), passkey or registered(), PERSON)
    if isinstance(outcome, Refused):
        assert outcome.hint
        return outcome.code.removeprefix("passkey.")
    return outcome


def test_registration_asks_for_a_resident_key_and_user_verification() -> None:
    challenge = new_challenge(secrets.token_bytes)
    options = json.loads(registration_options(PARTY, challenge, PERSON, "ann@example", "Ann", [registered()]))
    assert options["rp"] == {"id": "pam.example", "name": "OnePAM"}
    assert urlsafe_b64decode(options["challenge"] + "==") == challenge
    assert options["attestation"] == "none"
    selection = options["authenticatorSelection"]
    assert (selection["residentKey"], selection["userVerification"]) == ("required", "required")
    assert [each["id"] for each in options["excludeCredentials"]] == [base64url(b"credential-1")]
    preferred = json.loads(registration_options(PARTY, challenge, PERSON, "a", "A", resident_key="preferred"))
    assert preferred["authenticatorSelection"]["residentKey"] == "preferred"


def test_sign_in_asks_for_user_verification() -> None:
    options = json.loads(authentication_options(PARTY, CHALLENGE))
    assert (options["userVerification"], options["rpId"]) == ("required", "pam.example")
    assert options["allowCredentials"] == []
    allowed = json.loads(authentication_options(PARTY, CHALLENGE, [registered()]))
    assert allowed["allowCredentials"][0]["transports"] == ["nfc", "usb"]


def test_a_passkey_is_registered_and_signs_in_at_every_origin() -> None:
    passkey = registered()
    assert (passkey.credential_id, passkey.sign_count, passkey.synced) == (b"credential-1", 0, False)
    assert passkey.transports == ("nfc", "usb")
    synced = replace(HONEST, flags=HONEST.flags | BACKUP_ELIGIBLE | BACKED_UP)
    assert registered(synced).synced
    for origin in PARTY.origins:
        assert sign_in(replace(HONEST, origin=origin)) == Authenticated(b"credential-1", 0)
    assert presented(HONEST.get()) == Presented(b"credential-1", PERSON)
    assert isinstance(sign_in(replace(HONEST, person_handle=None)), Authenticated)


BOTH = {
    "another challenge": replace(HONEST, challenge=bytes(32)),
    "another origin": replace(HONEST, origin="https://pam.example.evil.example"),
    "the origin's beginning": replace(HONEST, origin="https://pam.exampl"),
    "plain http": replace(HONEST, origin="http://pam.example"),
    "another relying party": replace(HONEST, party_id="evil.example"),
    "no user verification": replace(HONEST, flags=USER_PRESENT),
    "no user at all": replace(HONEST, flags=USER_VERIFIED),
    "a frame of another origin": replace(HONEST, client={"crossOrigin": True}),
    "an unknown ceremony": replace(HONEST, client={"type": "payment.get"}),
    "backed up without being eligible": replace(HONEST, flags=HONEST.flags | BACKED_UP),
}


@pytest.mark.parametrize("what", BOTH)
def test_a_lie_is_refused_at_registration_and_at_sign_in(what: str) -> None:
    outcome = verify_registration(PARTY, CHALLENGE, BOTH[what].create())
    assert isinstance(outcome, Refused)
    assert outcome.code == "passkey.refused"
    assert sign_in(BOTH[what]) == "refused"


def test_a_registration_is_no_sign_in_and_the_other_way_round() -> None:
    assert isinstance(verify_registration(PARTY, CHALLENGE, HONEST.get()), Refused)
    outcome = verify_authentication(PARTY, CHALLENGE, HONEST.create(), registered(), PERSON)
    assert isinstance(outcome, Refused)
    crossed = replace(HONEST, client={"type": "webauthn.create"})
    assert sign_in(crossed) == "refused"


@pytest.mark.parametrize("form", ["fido-u2f", "tpm", "android-safetynet", "apple", "android-key"])
def test_an_attestation_that_was_not_asked_for_is_refused(form: str) -> None:
    outcome = verify_registration(PARTY, CHALLENGE, replace(HONEST, form=form).create())
    assert isinstance(outcome, Refused)
    assert outcome.code == "passkey.attestation"


def test_a_none_attestation_with_a_statement_is_refused() -> None:
    outcome = verify_registration(PARTY, CHALLENGE, replace(HONEST, statement={"sig": b"x"}).create())
    assert isinstance(outcome, Refused)


def test_another_key_person_or_passkey_is_refused() -> None:
    stranger = Authenticator()
    assert sign_in(stranger, registered()) == "refused"
    assert sign_in(replace(HONEST, person_handle=b"per_somebodyelse")) == "refused"
    assert sign_in(replace(HONEST, credential_id=b"credential-2"), registered()) == "refused"
    assert sign_in(HONEST, replace(registered(), public_key=b"")) == "refused"


@pytest.mark.parametrize(
    ("stored", "sent", "outcome"),
    [
        (0, 0, Authenticated(b"credential-1", 0)),
        (0, 1, Authenticated(b"credential-1", 1)),
        (7, 8, Authenticated(b"credential-1", 8)),
        (7, 9000, Authenticated(b"credential-1", 9000)),
        (7, 7, "copied"),
        (7, 6, "copied"),
        (7, 0, "copied"),
    ],
)
def test_a_counter_that_does_not_rise_shows_a_copy(stored: int, sent: int, outcome: Authenticated | str) -> None:
    passkey = replace(registered(), sign_count=stored)
    assert sign_in(replace(HONEST, count=sent), passkey) == outcome


def test_a_copy_is_only_told_of_after_a_good_signature() -> None:
    passkey = replace(registered(), sign_count=7)
    assert sign_in(replace(Authenticator(), count=1), passkey) == "refused"


def broken(text: str, change: Callable[[dict[str, Any]], object]) -> str:
    value = json.loads(text)
    change(value)
    return json.dumps(value)


MALFORMED: list[str] = [
    "",
    "null",
    "[]",
    "7",
    '"x"',
    "{}",
    "[" * 20_000,
    "x" * 40_000,
    broken(HONEST.get(), lambda value: value.pop("response")),
    broken(HONEST.get(), lambda value: value.update(response=[])),
    broken(HONEST.get(), lambda value: value.update(response={})),
    broken(HONEST.get(), lambda value: value.update(id=7)),
    broken(HONEST.get(), lambda value: value.update(id="")),
    broken(HONEST.get(), lambda value: value.update(rawId="YQ")),
    broken(HONEST.get(), lambda value: value.update(id="é")),
    broken(HONEST.get(), lambda value: value.update(id="a" * 4000)),
    broken(HONEST.get(), lambda value: value.update(type="password")),
    broken(HONEST.get(), lambda value: value["response"].update(userHandle=7)),
    broken(HONEST.get(), lambda value: value["response"].update(clientDataJSON="")),
    broken(HONEST.get(), lambda value: value["response"].update(clientDataJSON=base64url(b"[" * 10_000))),
    broken(HONEST.get(), lambda value: value["response"].update(authenticatorData="AAAA")),
    broken(HONEST.get(), lambda value: value["response"].update(signature="")),
    broken(HONEST.create(), lambda value: value["response"].update(attestationObject="AAAA")),
    broken(HONEST.create(), lambda value: value["response"].update(attestationObject=base64url(b"\x9b" + b"\xff" * 8))),
    broken(HONEST.create(), lambda value: value["response"].update(attestationObject=base64url(b"\x81" * 5000))),
]


@pytest.mark.parametrize("response", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_answer_is_refused_and_never_raises(response: str) -> None:
    passkey = registered()
    assert isinstance(verify_registration(PARTY, CHALLENGE, response), Refused)
    assert isinstance(verify_authentication(PARTY, CHALLENGE, response, passkey, PERSON), Refused)
    assert isinstance(presented(response), Presented | Refused)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["create", "get"]), st.data())
def test_any_field_of_any_type_is_refused_and_never_raises(ceremony: str, data: st.DataObject) -> None:
    value = json.loads(HONEST.create() if ceremony == "create" else HONEST.get())
    field_name = data.draw(st.sampled_from([*value, *value["response"]]))
    holder = value if field_name in value else value["response"]
    original = holder[field_name]
    holder[field_name] = data.draw(JSON)
    response = json.dumps(value)
    outcome: object
    if ceremony == "create":
        outcome = verify_registration(PARTY, CHALLENGE, response)
    else:
        outcome = verify_authentication(PARTY, CHALLENGE, response, registered(), PERSON)
    harmless = field_name in ("transports", "userHandle") and not holder[field_name]
    assert isinstance(outcome, Refused) or harmless or field_name == "transports" or holder[field_name] == original


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_any_altered_byte_of_a_sign_in_is_refused(position: int, mask: int) -> None:
    for part in ("clientDataJSON", "authenticatorData", "signature"):
        value = json.loads(HONEST.get())
        data = bytearray(urlsafe_b64decode(value["response"][part] + "=="))
        data[position % len(data)] ^= mask
        value["response"][part] = base64url(bytes(data))
        outcome = verify_authentication(PARTY, CHALLENGE, json.dumps(value), registered(), PERSON)
        assert isinstance(outcome, Refused)
