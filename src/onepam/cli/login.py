"""`onepam login`: code + PKCE on a loopback redirect (RFC 8252; RFC 7636, S256)."""

import getpass
import hmac
import platform
import secrets
import threading
from base64 import urlsafe_b64encode
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from onepam.cli.show import REFUSED, clean, note, stop

WAIT_SECONDS = 300.0
_PAGE = (
    "<!doctype html><meta charset=utf-8><meta name=color-scheme content='light dark'><title>OnePAM</title>"
    "<body style='font:1.1rem system-ui;max-width:32rem;margin:15vh auto;padding:0 1rem'><h1>{}</h1><p>{}"
)
_DONE = _PAGE.format("Signed in", "The command line has your sign-in. You can close this window.")
_REFUSED = _PAGE.format("Not signed in", "Nothing was opened. You can close this window.")


class _Waiting(ThreadingHTTPServer):
    """Answers one thing only: the redirect that carries our own state."""

    daemon_threads = True

    def __init__(self, state: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state = state
        self.code: str | None = None
        self.answered = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: _Waiting
    timeout = 10
    server_version, sys_version = "onepam", ""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        found = parse_qs(parts.query, max_num_fields=10)
        state = found.get("state", [""])[0]
        if parts.path != "/callback" or not hmac.compare_digest(state.encode(), self.server.state.encode()):
            self._reply(404, _REFUSED)
            return
        code = found.get("code", [""])[0]
        self._reply(200, _DONE if code else _REFUSED)
        if not self.server.answered.is_set():
            self.server.code = code or None
            self.server.answered.set()

    def _reply(self, status: int, page: str) -> None:
        data = page.encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing: the query holds the code."""


def code_from_browser(gateway: str, browser: bool) -> tuple[str, str, str]:
    """(code, verifier, redirect) once the person has allowed it in the browser."""
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    challenge = urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")
    with _Waiting(state) as server:
        redirect = f"http://127.0.0.1:{server.server_address[1]}/callback"
        asked = {"code_challenge": challenge, "redirect_uri": redirect, "state": state, "client": client_name()}
        address = f"{gateway}/cli/authorize?{urlencode(asked)}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        try:
            note("Sign in in your browser:" if browser else "Open this in a browser on this machine:")
            note(f"  {address}")
            if browser:
                import webbrowser

                if not webbrowser.open(address):
                    note("No browser opens here. On a machine without one, run: onepam login --device")
            if not server.answered.wait(WAIT_SECONDS):
                stop(REFUSED, "Nobody signed in within five minutes.", "Run again: onepam login")
        finally:
            server.shutdown()
        if server.code is None:
            stop(REFUSED, "The sign-in was refused in the browser.")
        return server.code, verifier, redirect


def client_name() -> str:
    """Which machine and account asks, for the person to recognise in the browser."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):
        account = "?"
    return clean(f"{account}@{platform.node()}")[:100]
