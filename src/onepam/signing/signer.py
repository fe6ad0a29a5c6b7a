"""The signer: a process of its own that holds the ledger's key and never signs a history that denies an earlier one.

Its state, the last signed (size, root), lies outside the database and is durable before a signature is given out.

    {"op":"sign","size":S,"root":HEX,"consistency":[HEX...],"time":T} -> {"note":NOTE} | {"refused":{...}}
    {"op":"last"} -> {"size":S,"root":HEX}          {"op":"vkey"} -> {"vkey":VKEY}

Each is one line of canonical JSON of at most 1 MiB on a unix socket that only its owner may open.
"""

import asyncio
import os
import signal
import socket
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onepam.kernel import canonical
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt, Refused, Unavailable
from onepam.ledger.checkpoint import Checkpoint, sign_checkpoint
from onepam.ledger.merkle import EMPTY_ROOT, HASH_BYTES, MAX_PROOF_HASHES, MAX_SIZE, verify_consistency
from onepam.ledger.note import ED25519, BadNote, VerifierKey
from onepam.signing.files import create_key, create_private, load_key, locked, read_private, replace_private

MAX_LINE_BYTES = 1024 * 1024
MAX_STATE_BYTES = 4096
MAX_CONNECTIONS = 16
IDLE_SECONDS = 10.0

_HEX = set("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Signed:
    """The newest tree head that was signed. `time` is when the ledger asked for it, for people who read the file."""

    size: int
    root: bytes
    time: int

    def encode(self, origin: str) -> bytes:
        return canonical.encode({"origin": origin, "root": self.root.hex(), "size": self.size, "time": self.time})


class Signer:
    """Decides and signs, one request at a time."""

    def __init__(self, key: Ed25519PrivateKey, state_path: Path, origin: str) -> None:
        self._private = key
        self._state_path = state_path
        self._origin = origin
        self.key = VerifierKey(origin, ED25519, key.public_key().public_bytes_raw())
        self._last = _read_state(state_path, origin)

    def answer(self, line: bytes) -> bytes:
        """The reply to one request, both without their newline. Never raises for what a request says."""
        try:
            request = canonical.decode(line)
            if not isinstance(request, dict):
                raise TypeError
            match request.pop("op", None):
                case "sign":
                    reply = self._sign(_wanted(request), [_hash(step) for step in request["consistency"]])
                case "last" if not request:
                    reply = {"root": self._last.root.hex(), "size": self._last.size}
                case "vkey" if not request:
                    reply = {"vkey": self.key.encode()}
                case _:
                    raise TypeError
        except (canonical.NotCanonical, TypeError, KeyError, ValueError):
            reply = _refusal(Refused("signer.malformed", "The request is not one that the signer knows."))
        return canonical.encode(reply)

    def _sign(self, wanted: Signed, proof: list[bytes]) -> dict[str, Any]:
        last = self._last
        if wanted.size < last.size:
            message = f"The ledger has {wanted.size} entries, and {last.size} were signed already."
            return _refusal(Refused("signer.rolled_back", message, "Compare the ledger with its witness and backups."))
        if not verify_consistency(last.size, last.root, wanted.size, wanted.root, proof):
            message = f"The ledger of {wanted.size} entries is not shown to continue the signed one of {last.size}."
            return _refusal(Refused("signer.forked", message, "Compare the ledger with its witness and backups."))
        checkpoint = Checkpoint(self._origin, wanted.size, wanted.root)
        try:
            replace_private(self._state_path, wanted.encode(self._origin))
        except OSError as error:
            message = f"The signer could not write its state: {error.strerror}."
            return _refusal(Refused("signer.state", message, "Free space or repair the disk of the signer."))
        self._last = wanted
        return {"note": sign_checkpoint(checkpoint, self.key, self._private.sign).decode()}


def create_signer(key_path: Path, state_path: Path, origin: str) -> str:
    """A new key with the state of an empty ledger; its vkey. Raises `FileExistsError`, `BadNote` for a bad origin.

    The signer does not start without a state: one that got lost must not let history begin anew.
    """
    VerifierKey(origin, ED25519, bytes(32))
    create_private(state_path, Signed(0, EMPTY_ROOT, 0).encode(origin))
    create_key(key_path)
    return VerifierKey(origin, ED25519, load_key(key_path).public_key().public_bytes_raw()).encode()


def run_signer(key_path: Path, state_path: Path, socket_path: Path, origin: str, *, group: bool = False) -> None:
    """Serves until SIGTERM or SIGINT. Only one process may hold a state. With `group` the socket is the group's, too:
    it lies in a folder that says who else may come there.

    Raises `FileNotFoundError` for a missing key or state, `Corrupt` for a bad one, `Unavailable` if it is held.
    """
    with locked(state_path.with_name(state_path.name + ".lock")):
        signer = Signer(load_key(key_path), state_path, origin)
        listener = _listen(socket_path, group)
        try:
            asyncio.run(_serve(signer, listener))
        finally:
            with suppress(FileNotFoundError):
                socket_path.unlink()


def _listen(path: Path, group: bool) -> socket.socket:
    """A unix socket of mode 0600 from its first moment: the mode is set before the name exists. The group's is added
    afterwards."""
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise Unavailable(f"{path} is there and is not a socket")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    os.fchmod(listener.fileno(), 0o600)
    listener.bind(str(path))
    if group:
        path.chmod(0o660)
    listener.listen(MAX_CONNECTIONS)
    return listener


async def _serve(signer: Signer, listener: socket.socket) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    connections: set[asyncio.StreamWriter] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        try:
            if len(connections) <= MAX_CONNECTIONS:
                await _converse(signer, reader, writer)
        finally:
            connections.discard(writer)
            writer.close()

    async with await asyncio.start_unix_server(converse, sock=listener, limit=MAX_LINE_BYTES):
        await stop.wait()
        for writer in connections:
            writer.close()


async def _converse(signer: Signer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers line by line until the other side ends, idles, or sends more than a line may hold."""
    with suppress(TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        while True:
            async with asyncio.timeout(IDLE_SECONDS):
                line = await reader.readuntil(b"\n")
            writer.write(signer.answer(line[:-1]) + b"\n")
            async with asyncio.timeout(IDLE_SECONDS):
                await writer.drain()


class SignerClient:
    """Asks the signer; one connection a question. Every call raises `Unavailable` within `timeout` seconds."""

    def __init__(self, socket_path: Path, timeout: float = 5.0) -> None:
        self._path = str(socket_path)
        self._timeout = timeout

    def vkey(self) -> VerifierKey:
        """The key that verifies what this signer signs."""
        try:
            return VerifierKey.parse(str(self._ask({"op": "vkey"}).get("vkey")))
        except BadNote as error:
            raise Unavailable(f"the signer at {self._path}: {error}") from None

    def last(self) -> tuple[int, bytes]:
        """(size, root) of the newest tree head it signed; the next consistency proof begins there."""
        reply = self._ask({"op": "last"})
        try:
            return _size(reply["size"]), _hash(reply["root"])
        except (KeyError, TypeError, ValueError):
            raise Unavailable(f"the signer at {self._path} gave no answer that makes sense") from None

    def sign(self, size: int, root: bytes, consistency: list[bytes], at: Instant) -> bytes | Refused:
        """The checkpoint of `size` entries as a signed note, or why not. `consistency` is the proof from `last()`."""
        steps = [step.hex() for step in consistency]
        reply = self._ask({"op": "sign", "size": size, "root": root.hex(), "consistency": steps, "time": at})
        match reply:
            case {"note": str(note)}:
                return note.encode()
            case {"refused": {"code": str(code), "message": str(message), "hint": str(hint)}}:
                return Refused(code, message, hint)
            case _:
                raise Unavailable(f"the signer at {self._path} gave no answer that makes sense")

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        deadline = time.monotonic() + self._timeout
        data = bytearray()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(self._timeout)
                connection.connect(self._path)
                connection.sendall(canonical.encode(request) + b"\n")
                while not data.endswith(b"\n") and len(data) <= MAX_LINE_BYTES:
                    connection.settimeout(max(deadline - time.monotonic(), 0.001))
                    more = connection.recv(65536)
                    if not more:
                        break
                    data += more
            reply = canonical.decode(bytes(data[:-1]))
        except (OSError, canonical.NotCanonical) as error:
            raise Unavailable(f"the signer at {self._path} does not answer: {error}") from None
        if not isinstance(reply, dict):
            raise Unavailable(f"the signer at {self._path} gave no answer that makes sense")
        return reply


def _read_state(path: Path, origin: str) -> Signed:
    data = read_private(path, MAX_STATE_BYTES)
    try:
        state = canonical.decode(data)
        if state.pop("origin") != origin:
            raise Corrupt(f"{path} belongs to another ledger than {origin}")
        return _wanted(state, consistency=False)
    except (canonical.NotCanonical, AttributeError, KeyError, TypeError, ValueError):
        raise Corrupt(f"{path} is not the state of a signer") from None


def _wanted(fields: dict[str, Any], consistency: bool = True) -> Signed:
    """The tree head in a request or a state. Raises `KeyError`, `TypeError` or `ValueError`."""
    names = {"size", "root", "time"} | ({"consistency"} if consistency else set())
    if set(fields) != names:
        raise ValueError("unknown or missing fields")
    if consistency and not (type(fields["consistency"]) is list and len(fields["consistency"]) <= MAX_PROOF_HASHES):
        raise ValueError("not a proof")
    return Signed(_size(fields["size"]), _hash(fields["root"]), _size(fields["time"]))


def _size(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_SIZE:
        raise ValueError("not a number")
    return value


def _hash(value: Any) -> bytes:
    if type(value) is not str or len(value) != 2 * HASH_BYTES or not set(value) <= _HEX:
        raise ValueError("not a hash in hex")
    return bytes.fromhex(value)


def _refusal(refused: Refused) -> dict[str, Any]:
    return {"refused": {"code": refused.code, "hint": refused.hint, "message": refused.message}}
