"""The witness: on another host, cosigns checkpoints that continue what it saw before (https://c2sp.org/tlog-witness).

`POST /add-checkpoint` answers 200 with cosignature lines, 400 malformed, 403 no valid signature of a trusted key,
404 unknown origin, 409 with the size it knows (`text/x.tlog.size`), 422 not shown to be consistent.
`GET /<hex SHA-256 of the origin>/checkpoint` gives the newest cosigned one. Integrity rests on signatures, not on TLS.
"""

import secrets
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onepam.files.private_file import read_private, replace_private
from onepam.kernel.clock import SECOND, Clock
from onepam.kernel.errors import Corrupt, Refused, Unavailable
from onepam.ledger.checkpoint import Checkpoint, open_checkpoint, parse_size
from onepam.ledger.merkle import EMPTY_ROOT, HASH_BYTES, MAX_PROOF_HASHES, verify_consistency
from onepam.ledger.note import (
    COSIGNATURE_V1,
    MAX_NOTE_BYTES,
    BadNote,
    Note,
    Signature,
    VerifierKey,
    base64_bytes,
    parse_signatures,
    sign,
)
from onepam.signing.key_file import create_key, load_key

MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 32 + MAX_PROOF_HASHES * 45


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


class Witness:
    """Decides and cosigns. `logs` are the trusted keys of each origin; `folder` keeps the newest checkpoint of each."""

    def __init__(
        self, name: str, key: Ed25519PrivateKey, folder: Path, logs: Mapping[str, Sequence[VerifierKey]], clock: Clock
    ) -> None:
        """Raises `Corrupt` when a kept checkpoint is not one that this witness cosigned, `BadNote` for a bad name."""
        self.key = VerifierKey(name, COSIGNATURE_V1, key.public_key().public_bytes_raw())
        self._private = key
        self._folder = folder
        self._logs = logs
        self._clock = clock
        self._lock = Lock()
        self._known = {origin: self._kept(origin) for origin in logs}

    def add_checkpoint(self, body: bytes) -> Answer:
        """The answer to the body of a `POST /add-checkpoint`; the new state is durable before it returns."""
        try:
            old, proof, note = _parse_request(body)
            new = Checkpoint.parse(note.text)
        except BadNote as error:
            return Answer(400, f"{error}\n".encode())
        keys = self._logs.get(new.origin)
        if keys is None:
            return Answer(404, b"unknown origin\n")
        try:
            trusted = {(verified.key.name, verified.key.key_id) for verified in note.verify(keys)}
        except BadNote as error:
            return Answer(403, f"{error}\n".encode())
        if old > new.size:
            return Answer(400, b"the old size is larger than the checkpoint's\n")
        note = Note(note.text, tuple(s for s in note.signatures if (s.name, s.key_id) in trusted))
        with self._lock:
            return self._judge(old, proof, new, note)

    def latest(self, origin_hash: str) -> Answer:
        """The answer to `GET /<origin hash>/checkpoint`."""
        for origin in self._logs:
            if _name(origin) == origin_hash and self._known[origin].size >= 0:
                return Answer(200, read_private(self._folder / origin_hash, MAX_NOTE_BYTES))
        return Answer(404, b"no checkpoint\n")

    def _judge(self, old: int, proof: Sequence[bytes], new: Checkpoint, note: Note) -> Answer:
        known = self._known[new.origin]
        if old != max(known.size, 0):
            return Answer(409, f"{max(known.size, 0)}\n".encode(), "text/x.tlog.size")
        if not verify_consistency(old, known.root, new.size, new.root, proof):
            return Answer(422, b"the checkpoint is not shown to continue the one before\n")
        cosignature = sign(note.text, self.key, self._private.sign, at=self._clock() // SECOND)
        path = self._folder / _name(new.origin)
        try:
            replace_private(path, note.signed(cosignature).encode(), secrets.token_bytes)
        except OSError:
            return Answer(500, b"the witness could not write its state\n")
        self._known[new.origin] = new
        return Answer(200, cosignature.line().encode())

    def _kept(self, origin: str) -> Checkpoint:
        """The newest checkpoint that was cosigned; of size -1 if none was."""
        path = self._folder / _name(origin)
        try:
            return open_checkpoint(read_private(path, MAX_NOTE_BYTES), [self.key], origin).checkpoint
        except FileNotFoundError:
            return Checkpoint(origin, -1, EMPTY_ROOT)
        except BadNote as error:
            raise Corrupt(f"{path} is not a checkpoint of {origin} that this witness cosigned: {error}") from None


def create_witness(key_path: Path, name: str) -> str:
    """A new key for a witness; its vkey. Raises `FileExistsError`, `BadNote` for a bad name."""
    VerifierKey(name, COSIGNATURE_V1, bytes(32))
    create_key(key_path)
    return VerifierKey(name, COSIGNATURE_V1, load_key(key_path).public_key().public_bytes_raw()).encode()


@dataclass(frozen=True, slots=True)
class Behind:
    """The witness knows the log at another size than the proof began with."""

    size: int


class WitnessClient:
    """Asks one witness. Each wait is at most `timeout` seconds; redirects and proxies are not followed."""

    def __init__(self, url: str, key: VerifierKey, timeout: float = 5.0) -> None:
        """`url` is the submission prefix. Raises `ValueError` unless it is http or https with a host."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("the address of a witness is http(s)://host[:port][/prefix]")
        self.key = key
        self._connection = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port, self._prefix = parts.hostname, parts.port, parts.path.rstrip("/")
        self._timeout = timeout

    def submit(
        self, note: bytes, old: int, prove: Callable[[int, int], Iterable[bytes]]
    ) -> tuple[Signature, int] | Refused:
        """The verified cosignature of a checkpoint and its time (seconds since 1970).

        `old` is the size that we believe the witness to know, `prove(old, new)` the consistency proof. Where it knows
        another size of at most the checkpoint's, it is asked once more from there. Raises `Unavailable`.
        """
        new = Checkpoint.parse(Note.parse(note).text)
        answer = self.add_checkpoint(note, old, prove(old, new.size))
        if isinstance(answer, Behind) and answer.size <= new.size:
            answer = self.add_checkpoint(note, answer.size, prove(answer.size, new.size))
        if isinstance(answer, Behind):
            message = f"The witness {self.key.name} has seen {answer.size} entries; this checkpoint has {new.size}."
            return Refused("witness.rolled_back", message, "Compare the ledger with the witness's checkpoint.")
        return answer

    def add_checkpoint(self, note: bytes, old: int, proof: Iterable[bytes]) -> tuple[Signature, int] | Behind | Refused:
        """One `POST /add-checkpoint`. Raises `Unavailable` when the witness cannot be reached or makes no sense."""
        lines = "".join(b64encode(step).decode("ascii") + "\n" for step in proof)
        status, body = self._ask("POST", "/add-checkpoint", f"old {old}\n{lines}\n".encode() + note)
        text = body.decode("utf-8", "replace")
        try:
            if status == 200:
                return self._cosignature(Note.parse(note).text, text)
            if status == 409:
                return Behind(parse_size(text.removesuffix("\n")))
        except BadNote as error:
            raise Unavailable(f"the witness {self.key.name} answers nonsense: {error}") from None
        if status in (400, 403, 404, 422):
            code = "witness.forked" if status == 422 else "witness.refused"
            return Refused(code, f"The witness {self.key.name} refuses with {status}: {text[:200].strip()}")
        raise Unavailable(f"the witness {self.key.name} answers with status {status}")

    def latest(self, origin: str) -> bytes | None:
        """The newest checkpoint of `origin` that this witness cosigned, as a note; None where it has seen none.

        Nothing is verified here. Raises `Unavailable` when the witness cannot be reached.
        """
        status, body = self._ask("GET", f"/{_name(origin)}/checkpoint")
        if status == 404:
            return None
        if status != 200:
            raise Unavailable(f"the witness {self.key.name} answers with status {status}")
        return body

    def _cosignature(self, text: str, lines: str) -> tuple[Signature, int]:
        for signature in parse_signatures(lines):
            if (signature.name, signature.key_id) == (self.key.name, self.key.key_id):
                verified = self.key.verify(text, signature.value)
                if verified is not None and verified.at:
                    return signature, verified.at
        raise BadNote("no cosignature of its key that holds")

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = self._connection(self._host, self._port, timeout=self._timeout)
        try:
            connection.request(method, self._prefix + path, body, {"Content-Type": "text/plain"})
            response = connection.getresponse()
            return response.status, response.read(MAX_NOTE_BYTES)
        except (OSError, HTTPException) as error:
            raise Unavailable(f"the witness {self.key.name} does not answer: {error}") from None
        finally:
            connection.close()


def _parse_request(body: bytes) -> tuple[int, list[bytes], Note]:
    """(old size, proof, note) of a request's body. Raises `BadNote`."""
    head, separator, note = body.partition(b"\n\n")
    try:
        first, *steps = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise BadNote("a request begins with ASCII lines") from None
    if not separator or not first.startswith("old ") or len(steps) > MAX_PROOF_HASHES:
        raise BadNote("a request is an old size, up to 63 hashes, an empty line and a checkpoint")
    proof = [base64_bytes(step) for step in steps]
    if any(len(step) != HASH_BYTES for step in proof):
        raise BadNote("a hash has 32 bytes")
    return parse_size(first[4:]), proof, Note.parse(note)


def _name(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()
