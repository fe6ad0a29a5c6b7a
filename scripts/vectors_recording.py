"""The vectors of recordings: a file written without the product's sealer, so that it does not hang on a compressor.

Its zstd frames hold raw blocks (RFC 8878, section 3.1.1.2), as any compressor may write them.
"""

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onepam.app.sessions.check_recordings import root_of_results
from onepam.domain.sessions.events import SealedHead
from onepam.domain.sessions.recordings import Checked, Condition
from onepam.gateway.sealing import root_of_heads
from onepam.kernel.clock import Instant
from onepam.recording.frames import (
    ChannelClosed,
    ChannelOpened,
    Closed,
    FileOperation,
    Frame,
    Input,
    Marker,
    Omitted,
    Opened,
    Output,
    Resize,
    Signal,
    Stream,
    TypedInput,
    encode,
)
from onepam.recording.open import Reader
from onepam.recording.statements import Executed, Finished, Form, Outcome, Parameter, StatementText
from onepam.vault.envelope import Envelope

SESSION = "ses_vectorvectorvect"
KEY, MASTER = bytes(range(32)), bytes(range(32, 64))
MASTER_ID = "mk_vectorvectorvect"

FIRST: tuple[Frame, ...] = (
    Opened(0, SESSION, "per_eve", "web-1", "deploy", "ssh", Instant(1_772_546_400_000_000)),
    ChannelOpened(1_000, 0, "pty", "", "xterm", 80, 24),
)
THEN: tuple[Frame, ...] = (
    Output(2_000, 0, Stream.STDOUT, "caf\u00e9\r\n".encode()),
    TypedInput(3_000, 0, 5),
    Resize(4_000, 0, 120, 40),
)
LAST: tuple[Frame, ...] = (
    ChannelOpened(1_100_000, 1, "exec", "base64:L3Nydi9jYWbp"),
    Input(1_110_000, 1, b"yes\n"),
    Output(1_120_000, 1, Stream.STDERR, b"no\n"),
    Omitted(1_130_000, 1, Stream.STDOUT, 1_000_000),
    Signal(1_140_000, 1, "INT"),
    Signal(1_145_000, 1, "BREAK", 500),
    Marker(1_150_000, "the session ends in 5 minutes"),
    ChannelClosed(1_160_000, 1, None, "INT", 4, sha256(b"yes\n").hexdigest(), 1_000_000, "11" * 32, 3, "22" * 32),
    ChannelOpened(1_170_000, 2, "sftp"),
    FileOperation(1_180_000, 2, 1, "open", "/srv/a", "asked", detail="read"),
    FileOperation(1_190_000, 2, 1, "open", "/srv/a", "ok", size=3, sha256=sha256(b"abc").hexdigest()),
    ChannelClosed(1_200_000, 2, 0),
    StatementText(1_201_000, 1, b"SELECT $1, ", True),
    StatementText(1_201_000, 1, b"$2, $3"),
    Executed(
        1_202_000, 1, 1, Form.EXTENDED, (Parameter(b"caf\xe9"), Parameter(None), Parameter(1_000_000, binary=True))
    ),
    Finished(1_203_000, 1, Outcome.SUSPENDED, b"T", 2, 17),
    StatementText(1_204_000, 2, b"DROP TABLE t"),
    Executed(1_204_000, 2, 2, Form.SIMPLE),
    Finished(1_205_000, 2, Outcome.REFUSED, b"T", words="42501 DDL is not allowed"),
    Closed(
        1_210_000,
        "client.closed",
        {
            "opened": 1,
            "channels": 3,
            "outputs": 2,
            "inputs": 1,
            "resizes": 1,
            "stdin": 1,
            "omissions": 1,
            "signals": 2,
            "markers": 1,
            "files": 2,
            "channel_ends": 2,
            "statements": 2,
            "executions": 2,
            "finishes": 2,
            "frames": 24,
            "bytes": 10,
            "omitted_bytes": 1_000_000,
            "rows": 2,
            "row_bytes": 17,
        },
    ),
)

_FRAME = bytes.fromhex("28b52ffd")


def _block(data: bytes, *, last: bool) -> bytes:
    return (len(data) << 3 | last).to_bytes(3, "little") + data


def _record(number: int, chunk: int, block: int, plain: bytes, *, final: bool) -> dict[str, Any]:
    bound = HEADER + chunk.to_bytes(8, "big") + block.to_bytes(4, "big") + bytes([final])
    nonce = number.to_bytes(12, "big")
    sealed = AESGCM(KEY).encrypt(nonce, plain, bound)
    data = bytes([final]) + len(sealed).to_bytes(4, "big") + sealed
    return {
        "associated_data": bound.hex(),
        "chunk": chunk,
        "nonce": nonce.hex(),
        "plaintext": plain.hex(),
        "record": data.hex(),
    }


HEADER = b"onepam recording 1\n" + bytes([1, 1, 1, len(SESSION)]) + SESSION.encode()


def recording() -> dict[str, Any]:
    """A whole file of two chunks, each in two ways; its heads; a wrapped key; the roots of a seal and of a check."""
    first, then, last = (b"".join(map(encode, each)) for each in (FIRST, THEN, LAST))
    begun = _FRAME + b"\x00\x30" + _block(first, last=False)  # in a window of 64 KiB, the length not said
    alone = _FRAME + b"\x60" + (len(last) - 256).to_bytes(2, "little") + _block(last, last=True)
    records = [
        _record(0, 1, 0, begun, final=False),
        _record(1, 1, 1, _block(then, last=True), final=True),
        _record(2, 2, 0, alone, final=True),
    ]
    heads = [sha256(HEADER).digest()]
    for chunk in (1, 2):
        sealed = "".join(each["record"] for each in records if each["chunk"] == chunk)
        heads.append(sha256(heads[-1] + bytes.fromhex(sealed)).digest())
    file = HEADER.hex() + "".join(each["record"] for each in records)
    _is_read(bytes.fromhex(file), heads)
    moved = (SealedHead("ses_a", 3, "aa" * 32), SealedHead(SESSION, 2, heads[-1].hex()))
    checked = (Checked("ses_a", Condition.CUT, "it ends at chunk 1"), Checked(SESSION, Condition.WHOLE))
    results = [{"condition": str(e.condition), "found": e.found, "session": e.session} for e in checked]
    return {
        "chunks": [(first + then).hex(), last.hex()],
        "file": file,
        "header": HEADER.hex(),
        "heads": [each.hex() for each in heads],
        "key": KEY.hex(),
        "records": records,
        "sealed": {"heads": [asdict(each) for each in moved], "root": root_of_heads(moved)},
        "checked": {"results": results, "root": root_of_results(checked)},
        "wrapped": {"key": KEY.hex(), "master_key": MASTER.hex(), "master_key_id": MASTER_ID, "wrapped": _wrapped()},
    }


def _is_read(file: bytes, heads: Sequence[bytes]) -> None:
    reader = Reader([file], KEY, named=SESSION)
    assert list(reader) == [*FIRST, *THEN, *LAST]
    assert (reader.gap, reader.head.seq, reader.head.digest) == (None, 2, heads[-1])


class _Master:
    """One master key, and a nonce that is no secret here."""

    current = MASTER_ID

    def wrap(self, key_id: str, data_key: bytes, associated: bytes) -> bytes:
        nonce = b"n" * 12
        return nonce + AESGCM(MASTER).encrypt(nonce, data_key, associated)

    def unwrap(self, key_id: str, wrapped: bytes, associated: bytes) -> bytes:
        return AESGCM(MASTER).decrypt(wrapped[:12], wrapped[12:], associated)


def _wrapped() -> str:
    about = f"recording/{SESSION}".encode()
    made, wrapped = Envelope(_Master(), lambda count: KEY[:count]).new_data_key(about)
    assert made.reveal() == KEY
    return wrapped.hex()
