"""The witness over HTTP, with bounds: bodies, connections, and the time that one request may take."""

import io
import re
import signal
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from secrets import randbelow
from socketserver import ThreadingTCPServer
from typing import Any

from onepam.files.lock import locked
from onepam.gateway.crowd import Crowd, Known, Limits, Place
from onepam.kernel.clock import Clock
from onepam.ledger.note import VerifierKey
from onepam.signing.key_file import load_key
from onepam.signing.witness import MAX_REQUEST_BYTES, Answer, Witness

MAX_CONNECTIONS = 64
LIMITS = Limits(most=MAX_CONNECTIONS, kept=0, from_address=16, from_network=32)
REQUEST_SECONDS = 10.0
_LATEST = re.compile(r"/([0-9a-f]{64})/checkpoint")


@dataclass(frozen=True, slots=True)
class WitnessConfig:
    """`folder` keeps the state and must exist; `logs` maps each origin to the vkeys that sign its checkpoints."""

    name: str
    key_path: Path
    folder: Path
    logs: Mapping[str, tuple[str, ...]]
    host: str = "127.0.0.1"
    port: int = 0


def run_witness(config: WitnessConfig, clock: Clock) -> None:
    """Serves until SIGTERM or SIGINT. Only one process may hold a folder.

    Raises `FileNotFoundError` for a missing key, `Corrupt` for a bad key or state, `BadNote` for a bad name or vkey,
    `Unavailable` if the folder is held, `OSError` if the address is taken.
    """
    with locked(config.folder / "lock", f"another process holds {config.folder}"):
        logs = {origin: [VerifierKey.parse(vkey) for vkey in vkeys] for origin, vkeys in config.logs.items()}
        witness = Witness(config.name, load_key(config.key_path), config.folder, logs, clock)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):  # before it listens: whoever can reach it can end it in order
            signal.signal(number, lambda *_: stop.set())
        with WitnessServer((config.host, config.port), witness) as server:
            threading.Thread(target=_shut, args=(server, stop), daemon=True).start()
            server.serve_forever(poll_interval=0.1)


def _shut(server: "WitnessServer", stop: threading.Event) -> None:
    stop.wait()
    server.shutdown()


class WitnessServer(ThreadingTCPServer):
    """At most `MAX_CONNECTIONS` at a time, and some of one address and network; of more, one of the most crowded
    network is closed at once."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        self.witness = witness
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._crowd = Crowd(LIMITS, Known(), randbelow)
        self._one = threading.Lock()
        self._places: dict[object, Place] = {}
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._one:
            place = self._crowd.arrive(client_address[0])
            if isinstance(place, Place):
                self._places[request] = place
                place.give_way = lambda: _cut(request)
        if isinstance(place, Place):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._one:
                self._places.pop(request).leave()

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that broke ends; nothing was cosigned that is not on disk."""


def _cut(connection: socket.socket) -> None:
    """Its thread notices, and ends it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Timed(io.RawIOBase):
    """Reads a connection until a deadline, however slowly its bytes drip."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.deadline = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WitnessServer

    def setup(self) -> None:
        super().setup()
        self._timed = _Timed(self.connection)
        self.rfile = io.BufferedReader(self._timed)

    def handle_one_request(self) -> None:
        self._timed.deadline = time.monotonic() + REQUEST_SECONDS
        with suppress(ConnectionError):
            super().handle_one_request()
            return
        self.close_connection = True

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != "/add-checkpoint":
            self._refuse(404, b"not found\n")
        elif not (length.isascii() and length.isdigit() and len(length) < 10):
            self._refuse(411, b"a request has a Content-Length\n")
        elif int(length) > MAX_REQUEST_BYTES:
            self._refuse(413, b"the request is too large\n")
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                self._answer(self.server.witness.add_checkpoint(body))
            else:
                self.close_connection = True

    def do_GET(self) -> None:
        match = _LATEST.fullmatch(self.path)
        self._answer(self.server.witness.latest(match[1]) if match else Answer(404, b"not found\n"))

    def _refuse(self, status: int, message: bytes) -> None:
        """Refuses without reading the body, after which the connection is of no use."""
        self.close_connection = True
        self._answer(Answer(status, message))

    def _answer(self, answer: Answer) -> None:
        self.connection.settimeout(REQUEST_SECONDS)
        self.send_response_only(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
        """Requests carry nothing that a log should keep; what was cosigned is in the folder."""
