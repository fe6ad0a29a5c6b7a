"""The signer: a process of its own that holds the ledger's key, follows what is written, and signs only that.

It goes past a batch only if a node in force wrote it (`ledger/authors.py`), and never signs a history that denies an
earlier one. How far it came lies outside the database (`signing/stream.py`), durable before a signature is given out.

    {"op":"follow","from":N,"entries":[BASE64...],"bodies":{INDEX:BASE64...},"batches":[[FIRST,LAST,NODE,BASE64]...]}
        -> {"size":N} or {"refused":{...}}; the entries from N on, each as header || SHA-256(body)
    {"op":"sign","size":S,"root":HEX,"time":T} -> {"note":NOTE} | {"refused":{...}}
    {"op":"certify","key":VKEY} -> {"certificate":NOTE,"number":N} | {"refused":{...}}
    {"op":"last"} -> {"followed":N,"root":HEX,"size":S}          {"op":"vkey"} -> {"vkey":VKEY}

Each is one line of canonical JSON of at most 1 MiB on a unix socket that only its owner may open.
"""

import asyncio
import os
import secrets
import signal
import socket
import stat
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onepam.files.lock import locked
from onepam.files.private_file import read_private, replace_private
from onepam.kernel import canonical
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt, Refused, Unavailable
from onepam.ledger.authors import Batch, certificate_text
from onepam.ledger.checkpoint import Checkpoint, sign_checkpoint
from onepam.ledger.merkle import HASH_BYTES
from onepam.ledger.note import ED25519, BadNote, Note, VerifierKey, sign
from onepam.signing.author import Certificate
from onepam.signing.key_file import create_key, create_new, load_key
from onepam.signing.stream import MAX_STATE_BYTES, State, Stream, beginning, bytes_of, number_of

MAX_LINE_BYTES = 1024 * 1024
MAX_CONNECTIONS = 16
IDLE_SECONDS = 10.0
KEPT_EVERY = 20_000
"""After so many entries that are only followed their place is kept, so that a stop half-way through a backlog costs no
more than these."""
NODE_PREFIX = "nod_"


class Signer:
    """Decides and signs, one request at a time."""

    def __init__(
        self, key: Ed25519PrivateKey, state_path: Path, origin: str, seconds: Callable[[], float] = time.time
    ) -> None:
        """`seconds` is the clock, since 1970."""
        self._seconds = seconds
        self._private = key
        self._state_path = state_path
        self._origin = origin
        self.key = VerifierKey(origin, ED25519, key.public_key().public_bytes_raw())
        self._state = _read_state(state_path, origin)
        self._stream = Stream(self.key, self._state.followed)

    def answer(self, line: bytes) -> bytes:
        """The reply to one request, both without their newline. Never raises for what a request says."""
        try:
            request = canonical.decode(line)
            if not isinstance(request, dict):
                raise TypeError
            match request.pop("op", None):
                case "follow" if set(request) == {"from", "entries", "bodies", "batches"}:
                    reply = self._follow(request)
                case "sign" if set(request) == {"size", "root", "time"}:
                    size, root, at = request["size"], request["root"], request["time"]
                    reply = self._sign(number_of(size), bytes_of(root, HASH_BYTES), number_of(at))
                case "certify" if set(request) == {"key"}:
                    reply = self._certify(VerifierKey.parse(request["key"]))
                case "last" if not request:
                    signed = self._state.signed
                    reply = {"followed": self._stream.place.size, "root": signed.root().hex(), "size": signed.size}
                case "vkey" if not request:
                    reply = {"vkey": self.key.encode()}
                case _:
                    raise TypeError
        except (AttributeError, TypeError, KeyError, ValueError):
            reply = _refusal(Refused("signer.malformed", "The request is not one that the signer knows."))
        except OSError as error:
            message = f"The signer could not write its state: {error.strerror}."
            reply = _refusal(Refused("signer.state", message, "Free space or repair the disk of the signer."))
        return canonical.encode(reply)

    def _follow(self, request: dict[str, Any]) -> dict[str, Any]:
        begin = number_of(request["from"])
        for place in (self._stream.place, self._state.signed):
            if begin == place.size and begin != self._stream.next:
                self._stream = Stream(self.key, place)
        if begin != self._stream.next:
            message = f"The signer has followed the ledger to entry {self._stream.next}, not to {begin}."
            return _refusal(Refused("signer.place", message))
        entries = [b64decode(each, validate=True) for each in request["entries"]]
        bodies = {int(index): b64decode(body, validate=True) for index, body in request["bodies"].items()}
        batches = [
            Batch(number_of(first), number_of(last), str(node), b64decode(signature, validate=True))
            for first, last, node, signature in request["batches"]
        ]
        try:
            refused = self._stream.follow(entries, bodies, batches)
        except ValueError:
            self._stream = Stream(self.key, self._state.signed)
            raise
        if self._stream.place.size - max(self._state.followed.size, self._state.signed.size) >= KEPT_EVERY:
            self._keep(replace(self._state, followed=self._stream.place))
        return _refusal(refused) if refused is not None else {"size": self._stream.next}

    def _sign(self, size: int, root: bytes, at: int) -> dict[str, Any]:
        signed, place = self._state.signed, self._stream.place
        if size < signed.size:
            message = f"The ledger has {size} entries, and {signed.size} were signed already."
            return _refusal(Refused("signer.rolled_back", message, "Compare the ledger with its witness and backups."))
        place = signed if size == signed.size else place
        if size != place.size:
            message = f"The signer has followed the ledger to entry {place.size}, not to {size}."
            return _refusal(Refused("signer.place", message))
        if root != place.root():
            self._stream = Stream(self.key, signed)
            message = f"The ledger of {size} entries is not the one that the signer has followed."
            return _refusal(Refused("signer.forked", message, "Compare the ledger with its witness and backups."))
        self._keep(replace(self._state, signed=place, followed=self._stream.place, time=at))
        return {"note": sign_checkpoint(Checkpoint(self._origin, size, root), self.key, self._private.sign).decode()}

    def _certify(self, key: VerifierKey) -> dict[str, Any]:
        """Whoever reaches the socket is let write the ledger. The number is the time where that is more, so that a
        signer whose memory was put back from a copy gives none a second time."""
        if key.algorithm != ED25519 or not key.name.startswith(NODE_PREFIX):
            raise ValueError("not a node's key")
        number = max(self._state.number + 1, int(self._seconds()))
        self._keep(replace(self._state, number=number))
        text = certificate_text(self._origin, number, key)
        note = Note(text, (sign(text, self.key, self._private.sign),))
        return {"certificate": note.encode().decode(), "number": number}

    def _keep(self, state: State) -> None:
        replace_private(self._state_path, state.encode(self._origin), secrets.token_bytes)
        self._state = state


def create_signer(key_path: Path, state_path: Path, origin: str, *, continues: bool = False) -> str:
    """A new key with the state of an empty ledger; its vkey. Raises `FileExistsError`, `BadNote` for a bad origin.
    With `continues` it judges a ledger from the seam on at which that took the name `origin`.

    The signer does not start without a state: one that got lost must not let history begin anew.
    """
    VerifierKey(origin, ED25519, bytes(32))
    create_new(state_path, beginning(origin, continues=continues).encode(origin))
    create_key(key_path)
    return VerifierKey(origin, ED25519, load_key(key_path).public_key().public_bytes_raw()).encode()


def run_signer(key_path: Path, state_path: Path, socket_path: Path, origin: str, *, group: bool = False) -> None:
    """Serves until SIGTERM or SIGINT. Only one process may hold a state. With `group` the socket is the group's, too:
    it lies in a folder that says who else may come there.

    Raises `FileNotFoundError` for a missing key or state, `Corrupt` for a bad one, `Unavailable` if it is held.
    """
    with locked(state_path.with_name(state_path.name + ".lock"), f"another process holds {state_path}"):
        signer = Signer(load_key(key_path), state_path, origin)
        asyncio.run(_serve(signer, socket_path, group))


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


def _forget(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()


async def _serve(signer: Signer, socket_path: Path, group: bool) -> None:
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

    listener = _listen(socket_path, group)  # from now on it can be reached, and a signal is heard already
    try:
        async with await asyncio.start_unix_server(converse, sock=listener, limit=MAX_LINE_BYTES):
            await stop.wait()
            for writer in connections:
                writer.close()
    finally:
        _forget(socket_path)
    # The loop closes its end of the wake-up pipe before it gives up the signals: one in between would be written into
    # a descriptor that is no longer its own.
    signal.set_wakeup_fd(-1)


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

    def last(self) -> "Last":
        """Of what it signed last, and how far it has followed the ledger."""
        reply = self._ask({"op": "last"})
        try:
            size, followed = number_of(reply["size"]), number_of(reply["followed"])
            return Last(size, bytes_of(reply["root"], HASH_BYTES), followed)
        except (KeyError, TypeError, ValueError):
            raise self._nonsense() from None

    def follow(
        self, begin: int, entries: Sequence[bytes], bodies: Iterable[tuple[int, bytes]], batches: Iterable[Batch]
    ) -> Refused | None:
        """Shows it the entries from `begin` on, each as header || SHA-256(body), and the batches that end among them.

        None when it has gone past all of these. `begin` is where it has followed to, or what it signed last: then it
        begins anew from there.
        """
        reply = self._ask(
            {
                "op": "follow",
                "from": begin,
                "entries": [_base64(each) for each in entries],
                "bodies": {str(index): _base64(body) for index, body in bodies},
                "batches": [[each.first, each.last, each.node, _base64(each.signature)] for each in batches],
            }
        )
        match reply:
            case {"size": int(size)} if size == begin + len(entries):
                return None
            case {"refused": _}:
                return self._refused(reply)
            case _:
                raise self._nonsense()

    def sign(self, size: int, root: bytes, at: Instant) -> bytes | Refused:
        """The checkpoint of `size` entries, which it has followed, as a signed note; or why not."""
        match self._ask({"op": "sign", "size": size, "root": root.hex(), "time": at}):
            case {"note": str(note)}:
                return note.encode()
            case reply:
                return self._refused(reply)

    def certify(self, key: VerifierKey) -> Certificate | Refused:
        """The certificate of a node's key."""
        match self._ask({"op": "certify", "key": key.encode()}):
            case {"certificate": str(note), "number": int(number)}:
                return Certificate(number, note)
            case reply:
                return self._refused(reply)

    def _refused(self, reply: dict[str, Any]) -> Refused:
        match reply:
            case {"refused": {"code": str(code), "message": str(message), "hint": str(hint)}}:
                return Refused(code, message, hint)
            case _:
                raise self._nonsense()

    def _nonsense(self) -> Unavailable:
        return Unavailable(f"the signer at {self._path} gave no answer that makes sense")

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
            raise self._nonsense()
        return reply


class Last(NamedTuple):
    """What a signer signed last, and how many entries it has followed, those beyond included."""

    size: int
    root: bytes
    followed: int


def _read_state(path: Path, origin: str) -> State:
    try:
        return State.decode(read_private(path, MAX_STATE_BYTES), origin)
    except Corrupt as error:
        raise Corrupt(f"{path}: {error}") from None


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _refusal(refused: Refused) -> dict[str, Any]:
    return {"refused": {"code": refused.code, "hint": refused.hint, "message": refused.message}}
