"""Signatures of `ssh-keygen -Y sign` (OpenSSH's PROTOCOL.sshsig): that somebody holds a key, shown outside SSH."""

import binascii
import hashlib
from base64 import b64decode

from asyncssh.misc import ProtocolError
from asyncssh.packet import PacketDecodeError, SSHPacket, String
from asyncssh.public_key import decode_ssh_public_key

from onepam.identity.ssh_keys import PublicKey

MAX_CHARACTERS = 4096
_HEAD, _TAIL = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_MAGIC, _VERSION = b"SSHSIG", 1
_DIGESTS = {b"sha512": hashlib.sha512, b"sha256": hashlib.sha256}
_SHA1 = b"ssh-rsa"
"""The one algorithm of RSA that hashes with SHA-1; the format forbids it, too."""


def signed_by(key: PublicKey, armoured: str, message: bytes, namespace: str) -> bool:
    """Whether this is the key's signature of the message, made for this namespace and no other."""
    text = armoured.strip()
    if len(text) > MAX_CHARACTERS or not text.startswith(_HEAD) or not text.endswith(_TAIL):
        return False
    try:
        raw = b64decode("".join(text[len(_HEAD) : -len(_TAIL)].split()), validate=True)
        if not raw.startswith(_MAGIC):
            return False
        packet = SSHPacket(raw[len(_MAGIC) :])
        version, blob, space = packet.get_uint32(), packet.get_string(), packet.get_string()
        reserved, digest, signature = packet.get_string(), packet.get_string(), packet.get_string()
        packet.check_end()
        algorithm = SSHPacket(signature).get_string()
    except (binascii.Error, PacketDecodeError, ProtocolError, ValueError):
        return False
    if version != _VERSION or blob != key.blob or space != namespace.encode("ascii") or reserved:
        return False
    if digest not in _DIGESTS or algorithm == _SHA1:
        return False
    hashed = _DIGESTS[digest](message).digest()
    signed = _MAGIC + String(space) + String(reserved) + String(digest) + String(hashed)
    return bool(decode_ssh_public_key(key.blob).verify(signed, signature))
