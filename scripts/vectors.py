"""Writes tests/golden/vectors/*.json, to try an implementation of docs/format.md against: `python scripts/vectors.py`.

Keys and salts are fixed, so the same files come out again. The page quotes them (scripts/format_doc.py). Once the
format is frozen they never change, and new cases get files of their own.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "golden" / "vectors"
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from onepam.evidence.verifier import canonical as verifier  # noqa: E402
from onepam.evidence.verifier.ed25519 import L, P, ed25519  # noqa: E402
from onepam.evidence.verifier.refusal import Refused  # noqa: E402
from onepam.kernel.canonical import NotCanonical, decode, encode, tagged  # noqa: E402
from onepam.kernel.clock import FOREVER, Instant, iso  # noqa: E402
from scripts.vectors_log import LOG, batches, entries, notes, pack, tiles, tree  # noqa: E402
from scripts.vectors_recording import recording  # noqa: E402

_VALUES: tuple[Any, ...] = (
    None,
    [True, False, 0, -1, 9007199254740991, -9007199254740991],
    {"b": 1, "a": [], "B": {}, "10": 1, "9": 2},
    'quote " backslash \\ slash / delete \x7f separator \u2028 tab \t newline \n escape \x1b',
    "caf\u00e9 \u20ac \U0001f511",
)
_REFUSED = (
    (b'{"b":1,"a":2}', "keys out of order"),
    (b'{"a":1,"a":1}', "a key twice"),
    (b'{"\xc3\xa9":1}', "a key that is not ASCII"),
    (b"1.0", "a fraction"),
    (b"1e2", "an exponent"),
    (b"-0", "minus zero"),
    (b"01", "a leading zero"),
    (b"9007199254740992", "an integer of 2^53"),
    (b"NaN", "no JSON"),
    (b'"\\u0041"', "an escape that is not needed"),
    (b'"\\/"', "an escape that is not needed"),
    (b'"\\u001B"', "an escape in upper case"),
    (b'"\t"', "a control character as it is"),
    (b'"\\ud800"', "a lone surrogate"),
    (b'"\xed\xa0\x80"', "no UTF-8"),
    (b"\xef\xbb\xbf1", "a byte order mark"),
    (b"[1, 2]", "white space"),
    (b"1\n", "white space behind"),
    (b"1 2", "something behind"),
    (b"[1,]", "a comma too many"),
    (b"[" * 33 + b"]" * 33, "33 levels"),
    (b"", "nothing"),
)
_TIMES = (0, 1_772_546_400_000_000, 1_772_546_400_000_001, 1_798_761_599_999_999)
_NO_TIMES = (
    "2026-03-03T14:00:00Z",
    "2026-03-03T14:00:00.000000+00:00",
    "2026-03-03 14:00:00.000000Z",
    "2026-02-30T14:00:00.000000Z",
    "2026-03-03T24:00:00.000000Z",
    "2026-03-03T14:00:00.0000000Z",
)


def canonical() -> dict[str, Any]:
    """Values with their one encoding, texts that are none, and bytes as text."""
    for text, why in _REFUSED:
        try:
            decode(text)
        except NotCanonical:
            continue
        raise AssertionError(f"taken: {why}")
    deepest = b"[" * 32 + b"]" * 32
    assert encode(decode(deepest)) == deepest
    return {
        "encodings": [{"bytes": encode(each).hex(), "value": each} for each in _VALUES],
        "also": [deepest.hex()],
        "refused": [{"bytes": text.hex(), "why": why} for text, why in _REFUSED],
        "bytes": [
            {"bytes": each.hex(), "text": tagged(each)}
            for each in (b"/srv/caf\xc3\xa9", b"/srv/caf\xe9", b"base64:x", b"")
        ],
    }


def times() -> dict[str, Any]:
    """Microseconds and their text, and texts that are none."""
    for text in _NO_TIMES:
        try:
            verifier.instant(text, "")
        except Refused:
            continue
        raise AssertionError(f"taken: {text}")
    return {
        "times": [{"microseconds": each, "text": iso(Instant(each))} for each in _TIMES],
        "no_end": FOREVER,
        "refused": list(_NO_TIMES),
    }


def signatures() -> dict[str, Any]:
    """Ed25519: signatures that hold, and some that lax verifiers take."""
    message = b"onepam"
    good = LOG.sign(message)
    s = int.from_bytes(good[32:], "little")
    identity, no_other = (1).to_bytes(32, "little"), (P + 1).to_bytes(32, "little")
    cases = (
        (LOG.public, message, good, "holds"),
        (LOG.public, b"", LOG.sign(b""), "holds, over nothing"),
        (LOG.public, b"onepan", good, "of another message"),
        (LOG.public, message, good[:32] + (s + L).to_bytes(32, "little"), "S is not below L"),
        (LOG.public, message, good[:63], "63 bytes"),
        (identity, message, identity + bytes(32), "a key of small order"),
        (no_other, message, identity + bytes(32), "a key in another encoding"),
        (LOG.public, message, no_other + good[32:], "R in another encoding"),
    )
    told = [
        {"message": text.hex(), "public": key.hex(), "signature": signature.hex(), "what": what}
        for key, text, signature, what in cases
    ]
    holds = [ed25519(key, text, signature) for key, text, signature, _ in cases]
    assert holds == [what.startswith("holds") for *_, what in cases]
    return {"signatures": [one | {"holds": it} for one, it in zip(told, holds, strict=True)]}


VECTORS: dict[str, Callable[[], dict[str, Any]]] = {
    "canonical": canonical,
    "time": times,
    "entry": entries,
    "tree": tree,
    "tiles": tiles,
    "ed25519": signatures,
    "note": notes,
    "batch": batches,
    "recording": recording,
    "pack": pack,
}


def page(name: str) -> str:
    """One file, as it should be."""
    return json.dumps(VECTORS[name](), indent=1, sort_keys=True) + "\n"


def main() -> None:
    """Writes all files."""
    FOLDER.mkdir(exist_ok=True)
    for name in VECTORS:
        (FOLDER / f"{name}.json").write_text(page(name), "ascii")


if __name__ == "__main__":
    main()
