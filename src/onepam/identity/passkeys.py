"""Passkeys: WebAuthn (W3C Level 2) registration and sign-in with user verification, so one gesture is two factors.

Pure in and out: the caller makes the challenge, stores it bound to the browser's session, takes it out on the first
answer and passes it here. No attestation is asked for: what matters is the key, not its maker. Nothing that a browser
sends raises; it is `Refused`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import webauthn
from webauthn.helpers import base64url_to_bytes, parse_attestation_object, parse_client_data_json
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from onepam.kernel.errors import Refused
from onepam.kernel.ids import RandomBytes

MAX_RESPONSE_CHARACTERS = 32 * 1024
MAX_CREDENTIAL_ID_BYTES = 1023
"""WebAuthn Level 2, section 4, "Credential ID"."""

TIMEOUT_MILLISECONDS = 120_000
CHALLENGE_BYTES = 32

ResidentKey = Literal["required", "preferred"]


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks: `id` is the host name (`localhost` for a try), `origins` the exact origins pages are served from."""

    id: str
    name: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passkey:
    """What is stored of a passkey. Nothing in it is secret."""

    credential_id: bytes
    public_key: bytes
    """COSE_Key (RFC 9052 section 7)."""
    sign_count: int
    transports: tuple[str, ...]
    aaguid: str
    """The authenticator's model, unattested: for display only."""
    synced: bool
    """May be copied between devices by its provider; a security key's is not."""


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A verified sign-in. Store `sign_count` as the passkey's new one."""

    credential_id: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Presented:
    """Which passkey an answer claims to come from; only for the look-up, nothing is verified yet."""

    credential_id: bytes
    person_handle: bytes | None


def new_challenge(random: RandomBytes) -> bytes:
    """256 random bits, of use once."""
    return random(CHALLENGE_BYTES)


def registration_options(
    party: RelyingParty,
    challenge: bytes,
    person_handle: bytes,
    account: str,
    display_name: str,
    registered: Sequence[Passkey] = (),
    resident_key: ResidentKey = "required",
) -> str:
    """The JSON for `navigator.credentials.create()`.

    `person_handle`: 1 to 64 opaque bytes, no name or address. `registered`: the person's passkeys, which are not
    registered twice. A resident key is what signs in without a typed name.
    """
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=person_handle,
        user_name=account,
        user_display_name=display_name,
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement(resident_key),
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(registered),
    )
    return webauthn.options_to_json(options)


def verify_registration(party: RelyingParty, challenge: bytes, response: str) -> Passkey | Refused:
    """The new passkey. Codes: `passkey.malformed`, `passkey.attestation`, `passkey.refused`.

    That its `credential_id` is not registered yet, for anybody, is the caller's check.
    """
    credential = _json(response)
    if credential is None:
        return _malformed()
    try:
        inner = credential["response"]
        if _framed(inner):
            return _refused()
        form = parse_attestation_object(base64url_to_bytes(inner["attestationObject"])).fmt
        if form not in (AttestationFormat.NONE, AttestationFormat.PACKED):
            return Refused(
                "passkey.attestation",
                "The browser sent an attestation that was not asked for.",
                "Try another browser or security key.",
            )
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_verification=True,
        )
    except Exception:  # the library lets more than its own errors through on hostile CBOR and JSON
        return _refused()
    if len(verified.credential_id) > MAX_CREDENTIAL_ID_BYTES:
        return _malformed()
    return Passkey(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        transports=_transports(inner.get("transports")),
        aaguid=verified.aaguid,
        synced=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
    )


def authentication_options(party: RelyingParty, challenge: bytes, allowed: Sequence[Passkey] = ()) -> str:
    """The JSON for `navigator.credentials.get()`. Without `allowed`, the person picks among their passkeys here."""
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        allow_credentials=_descriptors(allowed),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def presented(response: str) -> Presented | Refused:
    """Which passkey to look up for `verify_authentication`. Code: `passkey.malformed`."""
    credential = _json(response)
    try:
        if credential is None:
            return _malformed()
        handle = credential["response"].get("userHandle")
        credential_id = base64url_to_bytes(credential["id"])
        person_handle = base64url_to_bytes(handle) if handle else None
    except Exception:  # whatever stands there in place of texts
        return _malformed()
    if not 0 < len(credential_id) <= MAX_CREDENTIAL_ID_BYTES:
        return _malformed()
    return Presented(credential_id, person_handle)


def verify_authentication(
    party: RelyingParty, challenge: bytes, response: str, passkey: Passkey, person_handle: bytes
) -> Authenticated | Refused:
    """A sign-in with `passkey`, registered by the person of `person_handle`.

    Codes: `passkey.malformed`; `passkey.refused` for a wrong challenge, origin, key, person or no user verification;
    `passkey.copied` when the signature is good but its counter did not rise: disable the passkey and look into it.
    """
    shown = presented(response)
    if isinstance(shown, Refused):
        return shown
    if shown.credential_id != passkey.credential_id or shown.person_handle not in (None, person_handle):
        return _refused()
    try:
        credential = json.loads(response)
        if _framed(credential["response"]):
            return _refused()
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # judged below, after the signature
            require_user_verification=True,
        )
    except Exception:  # the library lets more than its own errors through on hostile CBOR and JSON
        return _refused()
    count = verified.new_sign_count
    if passkey.sign_count and count <= passkey.sign_count:
        return Refused(
            "passkey.copied",
            "This passkey's counter went back, as if a copy of it were in use.",
            "Sign in another way and replace the passkey.",
        )
    return Authenticated(verified.credential_id, count)


def _json(response: str) -> dict[str, Any] | None:
    if len(response) > MAX_RESPONSE_CHARACTERS:
        return None
    try:
        value = json.loads(response)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _framed(response: dict[str, Any]) -> bool:
    """Whether the ceremony ran in a frame of another origin; the library does not look. Raises on malformed data."""
    return bool(parse_client_data_json(base64url_to_bytes(response["clientDataJSON"])).cross_origin)


def _descriptors(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=passkey.credential_id, transports=[AuthenticatorTransport(each) for each in passkey.transports]
        )
        for passkey in passkeys
    ]


def _transports(sent: object) -> tuple[str, ...]:
    known = {transport.value for transport in AuthenticatorTransport}
    return (
        tuple(sorted(known.intersection(each for each in sent if isinstance(each, str))))
        if isinstance(sent, list)
        else ()
    )


def _malformed() -> Refused:
    return Refused("passkey.malformed", "The browser's answer could not be read.", "Reload the page and try again.")


def _refused() -> Refused:
    return Refused(
        "passkey.refused",
        "The passkey could not be verified.",
        "Try again, and confirm with your fingerprint, face or PIN.",
    )
