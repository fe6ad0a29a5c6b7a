"""The signature of MariaDB's `client_ed25519`: Ed25519 (RFC 8032) whose private scalar comes from a password of any
length instead of a seed of 32 bytes, which is why no library's own will do.

The arithmetic is not of constant time: a signature is made once for a sign-in, within TLS to a pinned server.
"""

import hashlib
from typing import Final

_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P

Point = tuple[int, int, int, int]
"""Extended coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z (RFC 8032, 5.1.4)."""

_BASE_Y: Final = 4 * pow(5, -1, _P) % _P
_BASE_X: Final = 15112221349535400772501151409588531511454012693041857206046113283949847762202
_BASE: Final[Point] = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)


def _add(p: Point, q: Point) -> Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % _P
    b = (p[1] + p[0]) * (q[1] + q[0]) % _P
    c = 2 * p[3] * q[3] * _D % _P
    d = 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int) -> bytes:
    """The base point so many times, as RFC 8032 writes it (5.1.2)."""
    found, power = (0, 1, 1, 0), _BASE
    while scalar:
        if scalar & 1:
            found = _add(found, power)
        power = _add(power, power)
        scalar >>= 1
    inverse = pow(found[2], -1, _P)
    x, y = found[0] * inverse % _P, found[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _number(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def signature(password: bytes, message: bytes) -> bytes:
    """64 bytes: of this message, by whoever knows the password."""
    digest = hashlib.sha512(password).digest()
    scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | 1 << 254
    public = _times(scalar)
    nonce = _number(digest[32:], message) % _L
    point = _times(nonce)
    return point + ((nonce + _number(point, public, message) * scalar) % _L).to_bytes(32, "little")
