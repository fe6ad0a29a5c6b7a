"""Factors as the ledger's payloads keep them: text for a passkey, for recovery codes and for a sealed TOTP seed."""

import json
from base64 import b64decode, b64encode
from typing import Protocol

from onepam.identity.passkeys import Passkey
from onepam.identity.recovery import StoredCodes
from onepam.kernel.errors import Corrupt
from onepam.kernel.secret import Secret


class Seal(Protocol):
    """The vault's envelope."""

    def seal(self, plaintext: Secret, about: bytes) -> bytes: ...

    def open(self, sealed: bytes, about: bytes) -> Secret: ...


def passkey_text(passkey: Passkey) -> str:
    """A passkey's public half."""
    return json.dumps(
        {
            "aaguid": passkey.aaguid,
            "id": b64encode(passkey.credential_id).decode("ascii"),
            "key": b64encode(passkey.public_key).decode("ascii"),
            "synced": passkey.synced,
            "transports": list(passkey.transports),
        }
    )


def read_passkey(text: str, sign_count: int) -> Passkey:
    """The passkey with the counter it showed last. Raises `Corrupt`."""
    try:
        value = json.loads(text)
        return Passkey(
            credential_id=b64decode(value["id"]),
            public_key=b64decode(value["key"]),
            sign_count=sign_count,
            transports=tuple(value["transports"]),
            aaguid=value["aaguid"],
            synced=value["synced"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"a stored passkey cannot be read: {error}") from None


def codes_text(codes: StoredCodes) -> str:
    """Recovery codes, as digests."""
    return json.dumps(
        {"digests": [each.hex() for each in codes.digests], "salt": codes.salt.hex(), "scheme": codes.scheme}
    )


def read_codes(text: str) -> StoredCodes:
    """The stored codes. Raises `Corrupt`."""
    try:
        value = json.loads(text)
        digests = tuple(bytes.fromhex(each) for each in value["digests"])
        return StoredCodes(value["scheme"], bytes.fromhex(value["salt"]), digests)
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"stored recovery codes cannot be read: {error}") from None


def sealed_seed(seed: Secret, person: str, seal: Seal) -> str:
    """A TOTP seed under the vault's key, bound to its person."""
    return b64encode(seal.seal(seed, f"totp/{person}".encode("ascii"))).decode("ascii")


def open_seed(text: str, person: str, seal: Seal) -> Secret:
    """The seed. Raises `Corrupt` when it was altered or is another person's."""
    return seal.open(b64decode(text), f"totp/{person}".encode("ascii"))
