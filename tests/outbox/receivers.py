"""Real receivers: an SMTP server with TLS and a password, a webhook's receiver, and rsyslog with TLS."""

import json
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from standardwebhooks import Webhook

from tests.targets import free_port

PASSWORD = "correct horse battery"
SILENT = "no answer to this one"
OK = "250 OK"


@dataclass
class Post:
    """An SMTP server's mailbox. `at` is called at each step of a delivery, and may answer instead of the server."""

    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    at: Callable[[str, str], str | None] = lambda step, to: None

    @property
    def ids(self) -> list[tuple[str, str]]:
        """To whom, and which message, in the order of arrival."""
        return [(to, str(message["Message-ID"])) for to, message in self.taken]

    async def handle_EHLO(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.at("EHLO", "")
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.at("MAIL", "") or OK

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.at("RCPT", address) or OK

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        to, content = envelope.rcpt_tos[0], envelope.content
        assert isinstance(content, bytes)
        if (answer := self.at("DATA", to)) is not None:
            return answer
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        self.taken.append((to, message))
        self.at("taken", to)
        return OK

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.at("QUIT", "")
        return "221 Bye"


def _password(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"onepam", PASSWORD.encode())
    silent = isinstance(data, LoginPassword) and data.password == SILENT.encode()
    return AuthResult(success=right, handled=silent)  # what is "handled" and no success gets no answer at all


@contextmanager
def post_office(post: Post, tls: tuple[Path, Path], port: int, *, implicit: bool = False) -> Iterator[None]:
    """aiosmtpd on localhost: STARTTLS and a password are demanded, or TLS from the first byte."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*tls)
    extra: dict[str, Any] = (
        {"ssl_context": context}
        if implicit
        else {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": _password}
    )
    office = Controller(post, hostname="127.0.0.1", port=port, server_hostname="localhost", **extra)
    office.start()
    try:
        yield
    finally:
        office.stop()


@dataclass
class Hook:
    """What a webhook's receiver verified with somebody else's library, in the order of arrival."""

    secret: str
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    forged: int = 0
    status: int = 204


@contextmanager
def hook_receiver(hook: Hook, tls: tuple[Path, Path], port: int) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                Webhook(hook.secret).verify(body, {name.lower(): value for name, value in self.headers.items()})
                if hook.status < 300:
                    hook.taken.append((self.headers["webhook-id"], json.loads(body)))
            except Exception:
                hook.forged += 1
            self.send_response(hook.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*tls)
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


_RSYSLOG = """
global(workDirectory="{folder}" defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{certificate}"
       defaultNetstreamDriverCertFile="{certificate}" defaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="parts" type="list" option.jsonf="on") {{
    property(outname="pri" name="pri" format="jsonf")
    property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
    property(outname="host" name="hostname" format="jsonf")
    property(outname="app" name="app-name" format="jsonf")
    property(outname="msgid" name="msgid" format="jsonf")
    property(outname="data" name="structured-data" format="jsonf")
    property(outname="text" name="msg" format="jsonf")
}}
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="all")
ruleset(name="all") {{ action(type="omfile" file="{log}" template="parts") }}
"""


@dataclass
class Log:
    """Where rsyslog writes what it understood."""

    file: Path

    @property
    def taken(self) -> list[dict[str, str]]:
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text("utf-8").splitlines()]


@contextmanager
def rsyslog(folder: Path, tls: tuple[Path, Path], port: int) -> Iterator[Log]:
    """The stock rsyslogd, in the foreground."""
    folder.mkdir(exist_ok=True)
    log = Log(folder / "taken.json")
    certificate, key = tls
    config = folder / "rsyslog.conf"
    config.write_text(_RSYSLOG.format(folder=folder, certificate=certificate, key=key, port=port, log=log.file))
    process = subprocess.Popen(
        ["/usr/sbin/rsyslogd", "-n", "-f", str(config), "-i", str(folder / "pid")], stderr=subprocess.PIPE, text=True
    )
    try:
        _listening(port, process)
        yield log
    finally:
        process.terminate()
        process.wait(20)
        if process.stderr:
            process.stderr.close()


def _listening(port: int, process: subprocess.Popen[str]) -> None:
    import socket

    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("rsyslog does not listen")


__all__ = ["Hook", "Log", "Post", "free_port", "hook_receiver", "post_office", "rsyslog"]
