"""Serves the sample pages on loopback with their real headers, for browser tests and for pictures."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from threading import Thread

from onepam.console.frame import rendering
from onepam.console.providers.at_provider_page import AtProviderPage
from onepam.console.sessions.sessions_page import PlayerFramePage
from tests.console.samples.company import shell
from tests.console.samples.pages import SAMPLES

CAST_LINES = [
    {"version": 3, "term": {"cols": 100, "rows": 28}},
    [0.4, "o", "\x1b[32mpostgres@db-orders-1\x1b[0m:~$ "],
    [1.7, "o", "psql orders\r\n"],
    [0.5, "o", 'psql (15.18)\r\nType "help" for help.\r\n\r\norders=# '],
    [3.6, "o", "\\di+ orders_created_idx\r\n"],
    [
        0.3,
        "o",
        "                          List of relations\r\n Schema |        Name        | Type  | Table  |  Size\r\n",
    ],
    [
        0.1,
        "o",
        (
            "--------+--------------------+-------+--------+---------\r\n"
            " public | orders_created_idx | index | orders | \x1b[33m2841 MB\x1b[0m\r\n(1 row)\r\n\r\norders=# "
        ),
    ],
    [4.4, "o", "reindex index concurrently orders_created_idx;\r\n"],
    [6.2, "o", "\x1b[32mREINDEX\x1b[0m\r\norders=# "],
    [2.1, "o", "\\q\r\n"],
    [0.1, "o", "\x1b[32mpostgres@db-orders-1\x1b[0m:~$ "],
    [5.1, "o", "df -h /var/lib/postgresql\r\n"],
    [
        0.2,
        "o",
        (
            "Filesystem      Size  Used Avail Use% Mounted on\r\n"
            "/dev/vdb1       500G  212G  288G  43% /var/lib/postgresql\r\n\x1b[32mpostgres@db-orders-1\x1b[0m:~$ "
        ),
    ],
    [3.3, "o", "exit\r\n"],
]
FOUND = {
    "results": [
        {
            "kind": "Person",
            "title": "Jonas Lindqvist",
            "detail": "Database operator",
            "href": "/people/per_jonas",
            "icon": "user",
        },
        {"kind": "Resource", "title": "db-orders-1", "detail": "env=prod", "href": "/~resource", "icon": "server"},
        {"kind": "Page", "title": "Role matrix", "detail": "", "href": "/roles", "icon": "grid-dots"},
    ]
}


LISTS = {"/": "/~home", "/sessions": "/~sessions", "/people": "/~people", "/requests": "/~requests"}
"""The addresses that the lists' own filters ask for."""


class Samples(BaseHTTPRequestHandler):
    """`/~NAME` is a sample; `/static`, `/player`, the recording and `/find` are as in the product."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        path = LISTS.get(path, path)
        file = rendering.STATIC.parent / path.lstrip("/")
        if path.startswith("/~") and path[2:] in SAMPLES:
            frame, context = SAMPLES[path[2:]]
            leaves = {"form-action": "https://example.okta.com"} if isinstance(context, AtProviderPage) else {}
            page = rendering.render(context, frame).encode()
            self.answer(page, "text/html; charset=utf-8", rendering.policy(leaves))
        elif path == "/player":
            self.answer(
                rendering.render(PlayerFramePage(), shell("/player")).encode(), "text/html", rendering.PLAYER_CSP
            )
        elif path.startswith("/static/") and file.is_file():
            self.answer(file.read_bytes(), guess_type(file.name)[0] or "application/octet-stream", "")
        elif path.endswith("recording.cast"):
            self.answer("\n".join(map(json.dumps, CAST_LINES)).encode(), "application/x-asciicast", "")
        elif path == "/find":
            self.answer(json.dumps(FOUND).encode(), "application/json", "")
        elif path == "/waiting":
            server = self.server
            assert isinstance(server, SampleServer)
            server.asked += 1
            if server.waiting is None:
                self.send_error(401 if server.ended else 503)
            else:
                self.answer(
                    json.dumps({"waiting": server.waiting, "changes": server.waiting // 2}).encode(),
                    "application/json",
                    "",
                )
        elif path == "/favicon.ico":
            self.answer(b"", "image/x-icon", "")
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        assert isinstance(server, SampleServer)
        server.posted.append((self.path, body.decode("utf-8", "replace")))
        self.answer(b"", "text/plain", "")

    def answer(self, body: bytes, kind: str, policy: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        if policy:
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class SampleServer(ThreadingHTTPServer):
    """`posted` holds the path and body of every form that was sent, in order; `asked`, how often an open page asked how
    much waits. The answer is `waiting`; None: there is none, or the sign-in has `ended`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Samples)
        self.posted: list[tuple[str, str]] = []
        self.asked, self.ended = 0, False
        self.waiting: int | None = 0

    @property
    def address(self) -> str:
        return f"http://localhost:{self.server_port}"


@contextmanager
def served() -> Iterator[SampleServer]:
    server = SampleServer()
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
