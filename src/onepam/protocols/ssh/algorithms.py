"""The algorithms that we speak, on both sides, and nothing weaker: no SHA-1, no DSA, no CBC, no group below 2048 bits.

A post-quantum hybrid comes first (FIPS 203 with X25519); clients held to FIPS find NIST's curves and the groups of
RFC 3526, also by group exchange (RFC 4419).
"""

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import asyncssh
from asyncssh import kex_dh
from asyncssh.kex import register_kex_alg
from asyncssh.misc import KeyExchangeFailed, ProtocolError
from asyncssh.packet import MPInt, PacketDecodeError, SSHPacket, UInt32
from asyncssh.public_key import SSHKeyPair, decode_ssh_certificate, decode_ssh_public_key, load_keypairs
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

VERSION = "OpenSSH_OnePAM"
"""Our name on the wire (RFC 4253, 4.2), on both sides. OpenSSH tells the end of a half-closed pipe
(`eow@openssh.com`) only to peers whose name begins so; we understand it and pass it on."""

KEX = (
    "mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", "diffie-hellman-group16-sha512",
    "diffie-hellman-group-exchange-sha256", "diffie-hellman-group14-sha256",
)  # fmt: skip
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr")
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256")
HOST_KEYS = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256",
)  # fmt: skip
SIGNATURES = (
    "ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com", "rsa-sha2-512", "rsa-sha2-256",
)  # fmt: skip
"""What a person's key may sign with, which is also what we announce (`server-sig-algs`, RFC 8308, 3.1)."""

MIN_GROUP_BITS = 2048
MAX_GROUP_BITS = 8192
MIN_RSA_BITS = 2048

HostKey = asyncssh.SSHKey | tuple[asyncssh.SSHKey, asyncssh.SSHCertificate]
"""One of our own keys, by itself or with its host certificate."""

_ADMITTED: Final = frozenset(each.encode("ascii") for each in SIGNATURES)
_CERTIFIED = b"-cert-v01@openssh.com"
_SHOWN: Final = tuple(name.encode("ascii") + end for end in (b"", _CERTIFIED) for name in HOST_KEYS)


def signs_strongly(key_data: bytes, signature: bytes) -> bool:
    """Whether a client's key, plain or certified, signed with one of `SIGNATURES`; an RSA key also has to be long
    enough (RFC 8332)."""
    try:
        algorithm = SSHPacket(signature).get_string()
        certified = is_certificate(key_data)
        key = decode_ssh_certificate(key_data).key if certified else decode_ssh_public_key(key_data)
    except (PacketDecodeError, asyncssh.KeyImportError):
        return False
    number = key.pyca_key
    return algorithm in _ADMITTED and not (isinstance(number, RSAPublicKey) and number.key_size < MIN_RSA_BITS)


def is_certificate(key_data: bytes) -> bool:
    """Whether a public key's bytes are those of a certificate."""
    return _CERTIFIED in key_data[:64]


def host_keys(keys: Sequence[HostKey]) -> "OrderedDict[bytes, SSHKeyPair]":
    """Each of our keys plain and, where it has a certificate, certified, by the algorithm it is shown under.

    A client that knows no certificates takes the plain key. Each algorithm has a key pair of its own: asyncssh keeps
    the algorithm in the pair, which many connections share.
    """
    shown: OrderedDict[bytes, SSHKeyPair] = OrderedDict()
    for algorithm in _SHOWN:
        for pair in load_keypairs(list(keys)):
            if algorithm in pair.host_key_algorithms and algorithm not in shown:
                pair.set_sig_algorithm(algorithm)
                shown[algorithm] = pair
    return shown


class StrongGroups(kex_dh._KexDHGex):
    """Group exchange (RFC 4419) with groups of RFC 3526 from 2048 bits on; asyncssh's own goes down to 1024."""

    def _send_request(self) -> None:
        self._gex_data = UInt32(MIN_GROUP_BITS) + UInt32(MIN_GROUP_BITS) + UInt32(MAX_GROUP_BITS)
        self.send_packet(self._request_type, self._gex_data)

    def _process_group(self, kind: int, number: int, packet: SSHPacket) -> None:
        bits = SSHPacket(packet.get_full_payload()[1:]).get_mpint().bit_length()
        if not MIN_GROUP_BITS <= bits <= MAX_GROUP_BITS:
            raise KeyExchangeFailed(f"a group of {bits} bits is offered, at least {MIN_GROUP_BITS} are needed")
        super()._process_group(kind, number, packet)

    def _process_request(self, kind: int, number: int, packet: SSHPacket) -> None:
        if self._conn.is_client() or self._p:
            raise ProtocolError("a group is asked for at the wrong time")
        self._gex_data = packet.get_remaining_payload()
        if kind == kex_dh.MSG_KEX_DH_GEX_REQUEST_OLD:
            preferred, most = packet.get_uint32(), MAX_GROUP_BITS
        else:
            _, preferred, most = packet.get_uint32(), packet.get_uint32(), packet.get_uint32()
        packet.check_end()
        groups = [each for each in kex_dh._dh_gex_groups if MIN_GROUP_BITS <= each[0] <= most]
        if not groups:
            raise KeyExchangeFailed(f"a group of at most {most} bits is wanted, at least {MIN_GROUP_BITS} are needed")
        _, generator, prime = next((each for each in groups if each[0] >= preferred), groups[-1])
        self._init_group(generator, prime)
        self._gex_data += MPInt(prime) + MPInt(generator)
        self.send_packet(self._group_type, MPInt(prime), MPInt(generator))

    _packet_handlers = {  # noqa: RUF012 - asyncssh's own form
        **kex_dh._KexDHGex._packet_handlers,
        kex_dh.MSG_KEX_DH_GEX_REQUEST_OLD: _process_request,
        kex_dh.MSG_KEX_DH_GEX_REQUEST: _process_request,
        kex_dh.MSG_KEX_DH_GEX_GROUP: _process_group,
    }


register_kex_alg(b"diffie-hellman-group-exchange-sha256", StrongGroups, sha256, (), False)
