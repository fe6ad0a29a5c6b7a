"""Ed25519 verification (RFC 8032, section 5.1.7), points in extended coordinates (X, Y, Z, T) (section 5.1.4).

Some hundred times slower than a library, and enough: of each key the multiples are kept by which it verifies.
"""

from __future__ import annotations

import functools
import hashlib
from typing import List, Optional, Tuple

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point = Tuple[int, int, int, int]
NEUTRAL = (0, 1, 1, 0)


def _add(a: Point, b: Point) -> Point:
    s, t = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    u, v = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = t - s, v - u, v + u, t + s
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(k: int, point: Point) -> Point:
    total = NEUTRAL
    while k:
        if k & 1:
            total = _add(total, point)
        point, k = _add(point, point), k >> 1
    return total


def _encode(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decode(data: bytes) -> Optional[Point]:
    """The point so encoded (RFC 8032, section 5.1.3); None where the encoding is not the only one of its point."""
    y, sign = int.from_bytes(data, "little") & ((1 << 255) - 1), data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def _multiples(point: Point) -> List[List[Point]]:
    """Row i has d * 16^i * point for each digit d from 0 to 15: of a multiple below 2^256 one of each row is added."""
    rows = []
    for _ in range(64):
        row = [NEUTRAL]
        for _ in range(15):
            row.append(_add(row[-1], point))
        rows.append(row)
        point = _add(row[-1], point)
    return rows


def _sum(k: int, rows: List[List[Point]], total: Point) -> Point:
    """`total` and k times the point of these rows."""
    for row in rows:
        if k & 15:
            total = _add(total, row[k & 15])
        k >>= 4
    return total


@functools.lru_cache(256)
def _negated(key: bytes) -> Optional[List[List[Point]]]:
    """The multiples of -A; None where the key encodes no point canonically, or one of small order."""
    a = _decode(key)
    if a is None or _encode(_times(8, a)) == _encode(NEUTRAL):
        return None
    return _multiples((P - a[0], a[1], a[2], P - a[3]))


BASE = _decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or NEUTRAL
OF_BASE = _multiples(BASE)


def ed25519(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature (64 bytes) over the message is the key's (32 bytes). Without cofactor. S < L; A and R
    canonically encoded; keys of small order are refused."""
    if len(key) != 32 or len(signature) != 64:
        return False
    s, minus_a = int.from_bytes(signature[32:], "little"), _negated(key)
    if s >= L or minus_a is None:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    return _encode(_sum(s, OF_BASE, _sum(k, minus_a, NEUTRAL))) == signature[:32]
