"""Over real HTTP on loopback: every status of the specification, forks, restarts, and clients that misbehave."""

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onepam.gateway.crowd import Limits
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Corrupt, Refused, Unavailable
from onepam.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from onepam.ledger.merkle import EMPTY_ROOT, Frontier, consistency_proof, perfect_root
from onepam.ledger.note import ED25519, BadNote, Note, VerifierKey, sign
from onepam.signing import witness_server
from onepam.signing.key_file import create_new, load_key
from onepam.signing.witness import MAX_REQUEST_BYTES, Behind, Witness, WitnessClient, create_witness
from onepam.signing.witness_server import WitnessConfig, WitnessServer, run_witness

LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
LOG = VerifierKey("log.example/a", ED25519, LOG_KEY.public_key().public_bytes_raw())
NAME = "witness.example/w"
NOW = Instant(1_772_546_400 * SECOND)
LEAVES = [sha256(b"%d" % index).digest() for index in range(100)]
FORK = [*LEAVES[:5], bytes(32), *LEAVES[6:]]


def root(size: int, leaves: list[bytes] = LEAVES) -> bytes:
    frontier = Frontier()
    frontier.extend(leaves[:size])
    return frontier.root()


def prove(old: int, size: int, leaves: list[bytes] = LEAVES) -> list[bytes]:
    return consistency_proof(lambda level, at: perfect_root(leaves[at << level : (at + 1) << level]), old, size)


def checkpoint(size: int, leaves: list[bytes] = LEAVES, origin: str = LOG.name) -> bytes:
    return sign_checkpoint(Checkpoint(origin, size, root(size, leaves)), LOG, LOG_KEY.sign)


def request(old: object, proof: list[bytes], note: bytes) -> bytes:
    lines = "".join(b64encode(step).decode() + "\n" for step in proof)
    return f"old {old}\n{lines}\n".encode() + note


class Running:
    """A witness in this process, on an ephemeral port."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "key.pem").exists():
            create_witness(folder / "key.pem", NAME)
        self.witness = Witness(NAME, load_key(folder / "key.pem"), folder, {LOG.name: [LOG], "b": []}, lambda: NOW)
        self.server = WitnessServer(("127.0.0.1", 0), self.witness)
        self.port = self.server.server_address[1]
        self.client = WitnessClient(f"http://127.0.0.1:{self.port}/", self.witness.key)

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes, str | None]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers["Content-Type"]
        finally:
            connection.close()

    def add(self, body: bytes) -> int:
        return self.ask("POST", "/add-checkpoint", body)[0]


@contextmanager
def serving(folder: Path) -> Iterator[Running]:
    running = Running(folder)
    thread = threading.Thread(target=running.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield running
    finally:
        running.server.shutdown()
        thread.join()
        running.server.server_close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with serving(tmp_path) as running:
        yield running


def test_it_cosigns_what_grows(running: Running, tmp_path: Path) -> None:
    for old, size in ((0, 0), (0, 5), (5, 5), (5, 64), (64, 100)):
        result = running.client.add_checkpoint(checkpoint(size), old, prove(old, size))
        assert isinstance(result, tuple)
        signature, at = result
        assert at == NOW // SECOND
        note = Note.parse(checkpoint(size)).signed(signature).encode()
        assert len(open_checkpoint(note, [LOG, running.witness.key], LOG.name).verified) == 2
        assert running.ask("GET", f"/{sha256(LOG.name.encode()).hexdigest()}/checkpoint") == (
            200,
            note,
            "text/plain; charset=utf-8",
        )
    state = tmp_path / sha256(LOG.name.encode()).hexdigest()
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert running.ask("GET", f"/{sha256(b'b').hexdigest()}/checkpoint")[0] == 404
    assert running.ask("GET", f"/{'0' * 64}/checkpoint")[0] == 404
    assert running.ask("GET", "/../key.pem")[0] == 404
    assert running.ask("POST", "/sign-subtree")[0] == 404
    assert running.ask("PUT", "/add-checkpoint")[0] == 501


def test_every_status_of_the_specification(running: Running) -> None:
    assert running.add(request(0, [], checkpoint(10))) == 200
    foreign = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"1")
    text = Checkpoint(LOG.name, 20, root(20)).text()
    other = VerifierKey(LOG.name, ED25519, foreign.public_key().public_bytes_raw())
    unsigned = Note(text, (sign(text, other, foreign.sign),))
    false = unsigned.signed(sign(text + "x", LOG, LOG_KEY.sign))
    both = unsigned.signed(sign(text, LOG, LOG_KEY.sign))
    growth = prove(10, 20)
    assert running.add(request(10, growth, checkpoint(20, origin="c"))) == 404
    assert running.add(request(10, growth, checkpoint(20, origin="b"))) == 403
    assert running.add(request(10, growth, unsigned.encode())) == 403
    assert running.add(request(10, growth, false.encode())) == 403
    assert running.add(request(21, growth, checkpoint(20))) == 400
    assert running.ask("POST", "/add-checkpoint", request(9, prove(9, 20), checkpoint(20))) == (
        409,
        b"10\n",
        "text/x.tlog.size",
    )
    assert running.add(request(0, [], checkpoint(20))) == 409
    assert running.add(request(10, [], checkpoint(20))) == 422
    assert running.add(request(10, growth, checkpoint(20, FORK))) == 422
    assert running.add(request(10, prove(10, 20, FORK), checkpoint(20, FORK))) == 422
    assert running.add(request(10, [], checkpoint(10, FORK))) == 422
    assert running.add(request(10, [bytes(32)], checkpoint(10))) == 422
    assert running.add(request(10, growth, both.encode())) == 200
    kept = Note.parse(running.ask("GET", f"/{sha256(LOG.name.encode()).hexdigest()}/checkpoint")[1])
    assert [signature.key_id for signature in kept.signatures] == [LOG.key_id, running.witness.key.key_id]


def test_the_first_checkpoint_needs_no_proof_and_takes_none(running: Running) -> None:
    assert running.add(request(0, [bytes(32)], checkpoint(10))) == 422
    empty = sign_checkpoint(Checkpoint(LOG.name, 0, bytes(32)), LOG, LOG_KEY.sign)
    assert running.add(request(0, [], empty)) == 422
    assert running.add(request(3, prove(3, 10), checkpoint(10))) == 409
    assert Checkpoint(LOG.name, 0, EMPTY_ROOT).text() in Note.parse(checkpoint(0)).text
    assert running.add(request(0, [], checkpoint(0))) == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0",
        b"old 0\n\n",
        b"old 0\n" + checkpoint(10),
        b"new 0\n\n" + checkpoint(10),
        b"old 00\n\n" + checkpoint(10),
        b"old -1\n\n" + checkpoint(10),
        b"old 0\r\n\n" + checkpoint(10),
        b"old 0\nx\n\n" + checkpoint(10),
        b"old 0\nAAAA\n\n" + checkpoint(10),
        "old 0\né\n\n".encode() + checkpoint(10),
        request(0, [bytes(32)] * 64, checkpoint(10)),
        b"old 0\n\n" + checkpoint(10)[:-1],
        request(0, [], Note("a\n", (sign("a\n", LOG, LOG_KEY.sign),)).encode()),
    ],
)
def test_a_malformed_request_is_refused(running: Running, body: bytes) -> None:
    assert running.add(body) == 400


def test_a_fork_is_refused_after_a_restart_too(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        assert running.add(request(0, [], checkpoint(10))) == 200
    with serving(tmp_path) as running:
        assert running.add(request(0, [], checkpoint(20, FORK))) == 409
        assert running.add(request(10, prove(10, 20, FORK), checkpoint(20, FORK))) == 422
        assert running.add(request(10, prove(10, 20), checkpoint(20))) == 200


def test_a_state_that_is_not_ours_stops_the_start(tmp_path: Path) -> None:
    running = Running(tmp_path)
    running.server.server_close()
    state = tmp_path / sha256(LOG.name.encode()).hexdigest()
    for content in (b"", checkpoint(10)):
        state.unlink(missing_ok=True)
        create_new(state, content)
        with pytest.raises(Corrupt, match="cosigned"):
            Running(tmp_path)


def test_a_state_that_cannot_be_written_gives_no_cosignature(running: Running, tmp_path: Path) -> None:
    (tmp_path / sha256(LOG.name.encode()).hexdigest() / "in its place").mkdir(parents=True)
    assert running.add(request(0, [], checkpoint(10))) == 500
    with pytest.raises(Unavailable, match="500"):
        running.client.add_checkpoint(checkpoint(10), 0, [])
    assert running.ask("GET", f"/{sha256(LOG.name.encode()).hexdigest()}/checkpoint")[0] == 404


def test_of_two_at_once_only_one_history_wins(running: Running) -> None:
    statuses: list[int] = []
    bodies = [request(0, [], checkpoint(10, leaves)) for leaves in (LEAVES, FORK) * 8]
    threads = [threading.Thread(target=lambda body=body: statuses.append(running.add(body))) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [409] * 15


def test_bodies_are_bounded(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_REQUEST_BYTES + 1))
        assert connection.recv(100).startswith(b"HTTP/1.1 413")
    for header in (b"", b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n"):
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
            connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\n" + header + b"\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 411")
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 10\r\n\r\nold")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""


def test_a_connection_serves_several_requests(running: Running) -> None:
    connection = HTTPConnection("127.0.0.1", running.port, timeout=10)
    for old, size in ((0, 5), (5, 9)):
        connection.request("POST", "/add-checkpoint", request(old, prove(old, size), checkpoint(size)))
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()
    connection.close()


def test_dripping_clients_are_cut_off(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness_server, "REQUEST_SECONDS", 0.3)
    sent = 0
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection, suppress(OSError):
        while sent < 1_000:
            connection.sendall(b"P")
            sent += 1
            time.sleep(0.05)
    assert sent < 1_000
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 10\r\n\r\nold")
        assert connection.recv(100) == b""


def test_more_connections_than_allowed_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness_server, "LIMITS", Limits(most=4, kept=0, from_address=2, from_network=3))
    with serving(tmp_path) as running, ExitStack() as others:
        for _ in range(2):
            connection = others.enter_context(socket.create_connection(("127.0.0.1", running.port), timeout=10))
            connection.sendall(b"GET /x HTTP/1.1\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 404")
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as third:
            with suppress(ConnectionError):
                assert third.recv(100) == b""
        for source in ("127.0.1.1", "127.0.2.1", "127.0.3.1"):  # the last displaces one of the most crowded network
            with socket.create_connection(("127.0.0.1", running.port), 10, (source, 0)) as other:
                other.sendall(b"GET /x HTTP/1.1\r\nConnection: close\r\n\r\n")
                assert other.recv(1000).startswith(b"HTTP/1.1 404")


def test_the_client_finds_the_size_that_the_witness_knows(running: Running) -> None:
    first = running.client.submit(checkpoint(10), 0, prove)
    assert isinstance(first, tuple)
    again = running.client.submit(checkpoint(20), 3, prove)
    assert isinstance(again, tuple)
    assert running.client.add_checkpoint(checkpoint(30), 0, []) == Behind(20)
    back = running.client.submit(checkpoint(15), 10, prove)
    assert isinstance(back, Refused)
    assert (back.code, "20" in back.message) == ("witness.rolled_back", True)
    fork = running.client.submit(checkpoint(30, FORK), 20, lambda old, new: prove(old, new, FORK))
    assert isinstance(fork, Refused)
    assert fork.code == "witness.forked"
    unknown = running.client.submit(checkpoint(30, origin="c"), 20, prove)
    assert isinstance(unknown, Refused)
    assert unknown.code == "witness.refused"


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/witness"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"x\n"),
        (200, b"\xff\n"),
        (200, "— witness.example/w AAAAAAAA\n".encode()),
        (409, b""),
        (409, b"ten\n"),
        (302, b""),
        (500, b""),
    ],
)
def test_an_answer_that_makes_no_sense_is_a_fault(status: int, body: bytes, running: Running) -> None:
    with answering(status, body) as url, pytest.raises(Unavailable):
        WitnessClient(url, running.witness.key).add_checkpoint(checkpoint(10), 0, [])


def test_a_cosignature_over_something_else_is_a_fault(running: Running) -> None:
    result = running.client.add_checkpoint(checkpoint(10), 0, [])
    assert isinstance(result, tuple)
    with answering(200, result[0].line().encode()) as url:
        client = WitnessClient(url, running.witness.key)
        assert client.add_checkpoint(checkpoint(10), 0, []) == result
        with pytest.raises(Unavailable, match="no cosignature"):
            client.add_checkpoint(checkpoint(11), 0, [])


def test_a_witness_that_is_not_there_is_a_fault(loopback_port: int, running: Running) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        WitnessClient(f"http://127.0.0.1:{loopback_port}", running.witness.key).add_checkpoint(checkpoint(1), 0, [])
    assert WitnessClient("https://[::1]:1/x", running.witness.key).key == running.witness.key
    for url in ("file:///etc/passwd", "http://", "http://a/?x", "http://a/#x"):
        with pytest.raises(ValueError, match="address of a witness"):
            WitnessClient(url, running.witness.key)


def test_the_process(tmp_path: Path, loopback_port: int) -> None:
    """Starts, cosigns, survives SIGKILL, ends on SIGTERM, and is alone in its folder."""
    key = VerifierKey.parse(create_witness(tmp_path / "key.pem", NAME))
    config = WitnessConfig(NAME, tmp_path / "key.pem", tmp_path, {LOG.name: (LOG.encode(),)}, port=loopback_port)
    code = (
        "import sys, time; from pathlib import Path\n"
        "from onepam.signing.witness_server import WitnessConfig, run_witness\n"
        "folder, name, origin, vkey, port = sys.argv[1:]\n"
        "config = WitnessConfig(name, Path(folder, 'key.pem'), Path(folder), {origin: (vkey,)}, port=int(port))\n"
        "run_witness(config, lambda: int(time.time() * 1_000_000))\n"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path), NAME, LOG.name, LOG.encode(), str(loopback_port)]
    client = WitnessClient(f"http://127.0.0.1:{loopback_port}", key)

    def submitted(size: int) -> bool:
        with suppress(Unavailable):
            result = client.submit(checkpoint(size), 0, prove)
            assert isinstance(result, tuple)
            return abs(result[1] - time.time()) < 60
        return False

    for size, number in ((10, signal.SIGKILL), (20, signal.SIGTERM)):
        process = subprocess.Popen(arguments)
        try:
            end = time.monotonic() + 20
            while not submitted(size) and time.monotonic() < end:
                time.sleep(0.02)
            assert isinstance(client.submit(checkpoint(size), size, prove), tuple)
            with pytest.raises(Unavailable, match="another process"):
                run_witness(config, lambda: NOW)
            process.send_signal(number)
            assert process.wait(20) == (0 if number == signal.SIGTERM else -number)
        finally:
            process.kill()
            process.wait()
    assert sorted(os.listdir(tmp_path)) == sorted(["key.pem", "lock", sha256(LOG.name.encode()).hexdigest()])


def test_a_witness_needs_a_key_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(BadNote):
        create_witness(tmp_path / "key.pem", "a name with spaces")
    create_witness(tmp_path / "key.pem", NAME)
    with pytest.raises(FileExistsError):
        create_witness(tmp_path / "key.pem", NAME)
