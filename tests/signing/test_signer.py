"""The real process on a real socket; SIGKILL where it hurts most."""

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from onepam.kernel import canonical
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt, Refused, Unavailable
from onepam.ledger.checkpoint import open_checkpoint
from onepam.ledger.merkle import EMPTY_ROOT, Frontier, consistency_proof, perfect_root
from onepam.ledger.note import BadNote, VerifierKey
from onepam.signing.files import create_private, load_key, locked, read_private
from onepam.signing.signer import MAX_LINE_BYTES, Signer, SignerClient, create_signer, run_signer

ORIGIN = "log.example/a"
LEAVES = [sha256(b"%d" % index).digest() for index in range(100)]
FORK = [*LEAVES[:5], bytes(32), *LEAVES[6:]]
NOW = Instant(1_772_546_400_000_000)


def root(size: int, leaves: list[bytes] = LEAVES) -> bytes:
    frontier = Frontier()
    frontier.extend(leaves[:size])
    return frontier.root()


def proof(old: int, size: int, leaves: list[bytes] = LEAVES) -> list[bytes]:
    return consistency_proof(lambda level, at: perfect_root(leaves[at << level : (at + 1) << level]), old, size)


class Process:
    """`run_signer` in a process of its own; `before` is code that runs in it first."""

    def __init__(self, folder: Path, before: str = "") -> None:
        self.socket = folder / "signer.sock"
        code = (
            "import sys; from pathlib import Path; import onepam.signing.signer as signer\n"
            f"{before}\n"
            "key, state, socket, origin = sys.argv[1:]\n"
            "signer.run_signer(Path(key), Path(state), Path(socket), origin)\n"
        )
        arguments = [str(folder / "key.pem"), str(folder / "state"), str(self.socket), ORIGIN]
        self.process = subprocess.Popen([sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE)
        self.client = SignerClient(self.socket)
        end = time.monotonic() + 20
        while not self.listening() and self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)

    def listening(self) -> bool:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            return True
        return False

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=20)
        return self.process.returncode


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    with ExitStack() as running:

        def begin(before: str = "") -> Process:
            process = Process(tmp_path, before)
            running.callback(process.process.communicate)
            running.callback(process.process.kill)
            return process

        yield begin


@pytest.fixture
def vkey(tmp_path: Path) -> VerifierKey:
    return VerifierKey.parse(create_signer(tmp_path / "key.pem", tmp_path / "state", ORIGIN))


def test_it_signs_what_grows_and_nothing_else(start: Callable[..., Process], vkey: VerifierKey, tmp_path: Path) -> None:
    running = start()
    client = running.client
    assert stat.S_IMODE(running.socket.stat().st_mode) == 0o600
    assert client.vkey() == vkey
    assert client.last() == (0, EMPTY_ROOT)
    for old, size in ((0, 0), (0, 7), (7, 8), (8, 100)):
        note = client.sign(size, root(size), proof(old, size), NOW)
        assert isinstance(note, bytes)
        signed = open_checkpoint(note, [vkey], ORIGIN).checkpoint
        assert (signed.size, signed.root) == (size, root(size)) == client.last()
    assert client.sign(100, root(100), [], NOW) == note
    for size, value, steps in (
        (99, root(99), []),
        (0, EMPTY_ROOT, []),
        (100, root(100, FORK), []),
        (100, root(100), proof(8, 100)),
    ):
        refused = client.sign(size, value, steps, NOW)
        assert isinstance(refused, Refused)
        assert refused.code == ("signer.rolled_back" if size < 100 else "signer.forked")
    assert client.last() == (100, root(100))
    assert running.end() == 0
    assert not running.socket.exists()
    assert start().client.last() == (100, root(100))


def test_a_fork_is_refused_after_a_restart_too(start: Callable[..., Process], vkey: VerifierKey) -> None:
    running = start()
    assert isinstance(running.client.sign(10, root(10), [], NOW), bytes)
    assert running.end(signal.SIGKILL) == -signal.SIGKILL
    assert running.socket.exists()
    again = start().client
    for steps in ([], proof(10, 20), proof(10, 20, FORK)):
        refused = again.sign(20, root(20, FORK), steps, NOW)
        assert isinstance(refused, Refused)
        assert refused.code == "signer.forked"
    assert isinstance(again.sign(20, root(20), proof(10, 20), NOW), bytes)


DIE = "import os, signal\nreal = signer.replace_private\n"


def test_killed_between_its_state_and_its_answer_it_signs_the_same_again(
    start: Callable[..., Process], vkey: VerifierKey
) -> None:
    running = start(DIE + "def die(*a): real(*a); os.kill(os.getpid(), signal.SIGKILL)\nsigner.replace_private = die")
    with pytest.raises(Unavailable):
        running.client.sign(10, root(10), [], NOW)
    assert running.process.wait(20) == -signal.SIGKILL
    again = start().client
    assert again.last() == (10, root(10))
    refused = again.sign(10, root(10, FORK), [], NOW)
    assert isinstance(refused, Refused)
    note = again.sign(10, root(10), [], NOW)
    assert isinstance(note, bytes)
    assert open_checkpoint(note, [vkey]).checkpoint.size == 10


def test_killed_before_its_state_is_in_place_it_has_signed_nothing(
    start: Callable[..., Process], vkey: VerifierKey
) -> None:
    running = start("import os, signal\nsigner.os.replace = lambda *a: os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(Unavailable):
        running.client.sign(10, root(10), [], NOW)
    assert running.process.wait(20) == -signal.SIGKILL
    again = start().client
    assert again.last() == (0, EMPTY_ROOT)
    assert isinstance(again.sign(12, root(12, FORK), [], NOW), bytes)


def test_a_state_that_cannot_be_written_gives_no_signature(start: Callable[..., Process], vkey: VerifierKey) -> None:
    full = "import errno\ndef full(*a): raise OSError(errno.ENOSPC, 'No space left on device')\n"
    client = start(full + "signer.replace_private = full").client
    refused = client.sign(10, root(10), [], NOW)
    assert isinstance(refused, Refused)
    assert refused.code == "signer.state"
    assert client.last() == (0, EMPTY_ROOT)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"sign",
        b"[]",
        b"{}",
        b'{"op":"shell"}',
        b'{"op": "vkey"}',
        b'{"op":"vkey","x":1}',
        b'{"op":"last","x":1}',
        b'{"op":"sign"}',
        b'{"op":"sign","size":1}',
    ],
)
def test_what_is_not_a_request_is_refused(line: bytes, tmp_path: Path, vkey: VerifierKey) -> None:
    reply = canonical.decode(Signer(load_key(tmp_path / "key.pem"), tmp_path / "state", ORIGIN).answer(line))
    assert reply["refused"]["code"] == "signer.malformed"


@pytest.mark.parametrize(
    "change",
    [
        {"size": "1"},
        {"size": True},
        {"size": -1},
        {"time": None},
        {"root": "00"},
        {"root": "  " * 32},
        {"root": 1},
        {"consistency": "x"},
        {"consistency": ["x"]},
        {"consistency": ["00" * 32] * 64},
        {"more": 1},
    ],
)
def test_a_request_is_read_strictly(change: dict[str, object], tmp_path: Path, vkey: VerifierKey) -> None:
    signer = Signer(load_key(tmp_path / "key.pem"), tmp_path / "state", ORIGIN)
    request = {"op": "sign", "size": 1, "root": "00" * 32, "consistency": [], "time": 1}
    assert "note" in canonical.decode(signer.answer(canonical.encode(request)))
    reply = canonical.decode(signer.answer(canonical.encode(request | change)))
    assert reply["refused"]["code"] == "signer.malformed"


def test_long_lines_and_slow_clients_harm_nobody_else(start: Callable[..., Process], vkey: VerifierKey) -> None:
    running = start()
    with ExitStack() as others:
        slow = []
        for _ in range(10):
            connection = others.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(str(running.socket))
            connection.sendall(b'{"op"')
            slow.append(connection)
        with socket.socket(socket.AF_UNIX) as greedy, suppress(OSError):
            greedy.connect(str(running.socket))
            greedy.settimeout(5)
            greedy.sendall(b"x" * (MAX_LINE_BYTES + 70_000))
            assert greedy.recv(100) == b""
        assert running.client.last() == (0, EMPTY_ROOT)
        assert running.end() == 0


def test_more_connections_than_allowed_are_closed(start: Callable[..., Process], vkey: VerifierKey) -> None:
    running = start()
    with ExitStack() as others:
        for _ in range(16):
            connection = others.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(str(running.socket))
            connection.sendall(b'{"op":"vkey"}\n')
            assert connection.recv(10_000).startswith(b'{"vkey"')
        with pytest.raises(Unavailable):
            running.client.last()


def test_only_one_process_holds_a_state(start: Callable[..., Process], vkey: VerifierKey, tmp_path: Path) -> None:
    running = start()
    with pytest.raises(Unavailable, match="another process"):
        run_signer(tmp_path / "key.pem", tmp_path / "state", tmp_path / "other.sock", ORIGIN)
    assert running.client.vkey() == vkey


def test_it_does_not_start_on_what_it_cannot_trust(tmp_path: Path, vkey: VerifierKey) -> None:
    key, state, path = tmp_path / "key.pem", tmp_path / "state", tmp_path / "s"
    with pytest.raises(Corrupt, match="another ledger"):
        run_signer(key, state, path, "log.example/b")
    path.write_text("a file of somebody")
    with pytest.raises(Unavailable, match="not a socket"):
        run_signer(key, state, path, ORIGIN)
    path.unlink()
    for file in (key, state):
        file.chmod(0o640)
        with pytest.raises(Corrupt, match="chmod 600"):
            run_signer(key, state, path, ORIGIN)
        file.chmod(0o600)
    for content in (b"{}", b"[]", b"x", b'{"origin":"log.example/a"}', b"x" * 5000):
        state.write_bytes(content)
        with pytest.raises(Corrupt):
            run_signer(key, state, path, ORIGIN)
    state.unlink()
    with pytest.raises(FileNotFoundError):
        run_signer(key, state, path, ORIGIN)
    key.unlink()
    with pytest.raises(FileNotFoundError):
        run_signer(key, state, path, ORIGIN)
    assert not path.exists()


def test_keys_are_private_ed25519_files(tmp_path: Path, vkey: VerifierKey) -> None:
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        create_signer(tmp_path / "key.pem", tmp_path / "state", ORIGIN)
    with pytest.raises(BadNote):
        create_signer(tmp_path / "k", tmp_path / "s", "a name with spaces")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "key.pem")
    with pytest.raises(Corrupt, match="cannot be opened"):
        load_key(link)
    with pytest.raises(FileExistsError):
        create_private(link, b"")
    other = ec.generate_private_key(ec.SECP256R1())
    create_private(tmp_path / "ec", other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    create_private(tmp_path / "no", b"no key")
    for name in ("ec", "no"):
        with pytest.raises(Corrupt, match="key"):
            load_key(tmp_path / name)
    with pytest.raises(Corrupt, match="larger"):
        read_private(tmp_path / "no", 3)
    with locked(tmp_path / "lock"), pytest.raises(Unavailable), locked(tmp_path / "lock"):
        raise AssertionError("held twice")


@pytest.mark.parametrize(
    "reply", [b"", b"x", b"[]\n", b"{}\n", b'{"vkey":"x","size":true,"root":"00"}\n', b"x" * (MAX_LINE_BYTES + 2), None]
)
def test_a_signer_that_answers_nonsense_or_nothing_is_unavailable(reply: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "s"
    done = threading.Event()

    def serve(listener: socket.socket) -> None:
        for _ in range(3):
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(reply) if reply is not None else done.wait(1)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        client = SignerClient(path, timeout=0.2 if reply is None else 5)
        for ask in (client.vkey, client.last, lambda: client.sign(1, bytes(32), [], NOW)):
            with pytest.raises(Unavailable):
                ask()
        done.set()
        thread.join()
    path.unlink()
    with pytest.raises(Unavailable, match="does not answer"):
        client.last()


def test_the_state_is_readable_by_people(tmp_path: Path, vkey: VerifierKey) -> None:
    signer = Signer(load_key(tmp_path / "key.pem"), tmp_path / "state", ORIGIN)
    request = {"op": "sign", "size": 1, "root": LEAVES[0].hex(), "consistency": [], "time": NOW}
    signer.answer(canonical.encode(request))
    expected = {"origin": ORIGIN, "root": LEAVES[0].hex(), "size": 1, "time": NOW}
    assert canonical.decode((tmp_path / "state").read_bytes()) == expected
    assert sorted(os.listdir(tmp_path)) == ["key.pem", "state"]
