"""Calls that leave the gateway: to the judged address only, encrypted, bounded, and no further than asked."""

import asyncio
import re
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from onepam.egress.egress import Admitted, Egress
from onepam.egress.fetch import Fetch, Fetched
from onepam.kernel.errors import Refused

pytestmark = pytest.mark.anyio


@dataclass
class Server:
    """A server of raw answers: `answer` gets the writer after each request; `requests` are their heads and bodies."""

    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    def url(self, path: str = "/", scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    @property
    def admitted(self) -> Egress:
        return Egress((Admitted.parse(f"127.0.0.1/32:{self.port}"),))


Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def says(body: bytes = b"hello", status: str = "200 OK", *headers: str) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        lines = [
            f"HTTP/1.1 {status}",
            "Content-Type: Text/Plain; charset=utf-8",
            f"Content-Length: {len(body)}",
            *headers,
        ]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return answer


@asynccontextmanager
async def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server()
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int((re.findall(rb"(?i)content-length: (\d+)", head) or [0])[0])
                server.requests.append(head + await reader.readexactly(length))
                await answer(writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def fetching(egress: Egress, ca_file: Path | None = None) -> AsyncIterator[Fetch]:
    fetch = Fetch(egress, ca_file)
    try:
        yield fetch
    finally:
        await fetch.aclose()


def code(outcome: Fetched | Refused) -> str:
    return outcome.code if isinstance(outcome, Refused) else "fetched"


async def test_get_and_post() -> None:
    async with serving(says(b"hello", "200 OK", "X-Seen: Yes")) as server, fetching(server.admitted) as fetch:
        got = await fetch.get(server.url("/a?b=c#part"), headers={"Accept": "text/plain"})
        assert isinstance(got, Fetched), got
        assert (got.status, got.content_type, got.body) == (200, "text/plain", b"hello")
        assert got.headers["x-seen"] == "Yes"
        head = server.requests[0]
        assert head.startswith(b"GET /a?b=c HTTP/1.1\r\n")
        for line in (f"Host: 127.0.0.1:{server.port}", "Accept: text/plain", "Accept-Encoding: identity"):
            assert f"\r\n{line}\r\n".encode() in head
        await fetch.post(server.url(), form={"a": "1 &", "ü": "="})
        assert b"\r\nContent-Type: application/x-www-form-urlencoded\r\n" in server.requests[1]
        assert server.requests[1].endswith(b"\r\n\r\na=1+%26&%C3%BC=%3D")
        await fetch.post(server.url(), content=b"{}", content_type="application/json")
        assert b"\r\nContent-Type: application/json\r\n" in server.requests[2]
        assert server.requests[2].endswith(b"\r\n\r\n{}")
        assert server.connections == 1, "one connection serves all three"


async def test_any_status_is_an_answer_except_a_redirect() -> None:
    for status, expected in (("404 Not Found", "fetched"), ("500 Oh", "fetched"), ("304 Not Modified", "fetched")):
        async with serving(says(b"", status)) as server, fetching(server.admitted) as fetch:
            assert code(await fetch.get(server.url())) == expected
    for status in ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"):
        answer = says(b"", status, "Location: http://169.254.169.254/latest/meta-data/")
        async with serving(answer) as server, fetching(server.admitted) as fetch:
            assert code(await fetch.get(server.url())) == "fetch.redirect"
            assert len(server.requests) == 1


async def test_where_nothing_goes() -> None:
    async with serving(says()) as server, fetching(Egress()) as fetch:
        for url, expected in (
            (server.url(), "fetch.address"),
            (server.url(host="localhost"), "fetch.address"),
            (server.url(host="0x7f000001"), "fetch.address"),
            (server.url(scheme="https"), "fetch.address"),
            ("https://169.254.169.254/latest/meta-data/", "fetch.address"),
            ("https://[::1]/", "fetch.address"),
            ("https://[::ffff:169.254.169.254]/", "fetch.address"),
            ("https://[fe80::1]/", "fetch.address"),
            ("http://192.0.2.1/", "fetch.plain"),
            ("https://no-such-name.invalid/", "fetch.unresolved"),
        ):
            outcome = await fetch.get(url)
            assert code(outcome) == expected, url
        assert server.connections == 0


async def test_unencrypted_only_where_the_operator_admits_that_address_and_port() -> None:
    async with serving(says()) as server:
        for admitted, expected in (
            (f"127.0.0.0/8:{server.port}", "fetched"),
            (f"127.0.0.1/32:{server.port + 1}", "fetch.address"),
            (f"127.0.0.2/32:{server.port}", "fetch.address"),
        ):
            async with fetching(Egress((Admitted.parse(admitted),))) as fetch:
                assert code(await fetch.get(server.url())) == expected


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "ftp://example.com/", "file:///etc/passwd", "https:///path", "https://a:b@example.com/", "https://a@b/",
        "https://example.com:x/", "https://example.com:0/", "https://example.com:99999/", "https://ex ample.com/",
        "https://example.com/\r\nX: 1", "https://exämple.com/", "https://[::1/", f"https://example.com/{'a' * 9_000}",
        "https://example.com/\x00",
    ],
)  # fmt: skip
async def test_what_is_no_address(url: str) -> None:
    async with fetching(Egress()) as fetch:
        assert code(await fetch.get(url)) == "fetch.url"


async def test_a_name_is_resolved_once_and_that_address_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that changes its mind between the question and the call gains nothing."""
    asked = []

    async def resolve(self: Egress, host: str, port: int) -> str:
        asked.append((host, port))
        return "127.0.0.1"

    monkeypatch.setattr(Egress, "resolve", resolve)
    async with serving(says()) as server, fetching(server.admitted) as fetch:
        assert code(await fetch.get(f"http://idp.example:{server.port}/")) == "fetched"
        assert asked == [("idp.example", server.port)]
        assert f"\r\nHost: idp.example:{server.port}\r\n".encode() in server.requests[0]
        assert code(await fetch.get(f"http://other.example:{server.port}/")) == "fetched"
        assert server.connections == 2, "a connection made for one name never serves another"


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving(says()) as server, fetching(server.admitted) as fetch:
        assert code(await fetch.get(server.url())) == "fetched"


async def test_large_answers_are_cut_while_they_come() -> None:
    async def floods(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
            await writer.drain()

    async with serving(floods) as server, fetching(server.admitted) as fetch:
        outcome = await fetch.get(server.url(), limit_bytes=10_000)
        assert code(outcome) == "fetch.too_large"
    async with serving(says(b"x" * 100)) as server, fetching(server.admitted) as fetch:
        assert code(await fetch.get(server.url(), limit_bytes=100)) == "fetched"
        assert code(await fetch.get(server.url(), limit_bytes=99)) == "fetch.too_large"


async def test_the_whole_call_has_one_deadline() -> None:
    async def drips(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with serving(drips) as server, fetching(server.admitted) as fetch:
        started = asyncio.get_running_loop().time()
        assert code(await fetch.get(server.url(), timeout_seconds=0.3)) == "fetch.timeout"
        assert asyncio.get_running_loop().time() - started < 5


async def test_odd_answers() -> None:
    async def garbage(writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        writer.close()

    async def breaks_off(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        writer.close()

    async def without_end(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X: " + b"y" * 1000 + b"\r\n")
            await writer.drain()

    for answer in (garbage, breaks_off, without_end, says(b"\x1f\x8b", "200 OK", "Content-Encoding: gzip")):
        async with serving(answer) as server, fetching(server.admitted) as fetch:
            assert code(await fetch.get(server.url(), timeout_seconds=5)) == "fetch.protocol"


async def test_a_server_that_is_down(loopback_port: int) -> None:
    async with fetching(Egress((Admitted.parse(f"127.0.0.1/32:{loopback_port}"),))) as fetch:
        outcome = await fetch.get(f"http://127.0.0.1:{loopback_port}/")
    assert outcome == Refused(
        "fetch.down", "127.0.0.1 is down, or cannot be reached from here.", "Check it, and try again."
    )


async def test_a_header_that_would_split_the_request() -> None:
    async with serving(says()) as server, fetching(server.admitted) as fetch:
        assert code(await fetch.get(server.url(), headers={"X": "a\r\nY: b"})) == "fetch.protocol"
        assert code(await fetch.get(server.url(), headers={"X": "→"})) == "fetch.protocol"
        assert server.requests == []


async def test_many_at_once() -> None:
    async with serving(says()) as server, fetching(server.admitted) as fetch:
        outcomes = await asyncio.gather(*(fetch.get(server.url()) for _ in range(60)))
        assert {code(each) for each in outcomes} == {"fetched"}
        assert server.connections <= 20


# --- TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> "Authority":
    return Authority(tmp_path_factory.mktemp("ca"))


class Authority:
    """A certificate authority, and servers' certificates from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed("Test CA", self.key, None, days=1)
        self.file = folder / "ca.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, name: x509.GeneralName, days: int = 1) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed("server", key, name, days)
        file = self.folder / f"{threading.get_ident()}-{certificate.serial_number}.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _signed(
        self, subject: str, key: ec.EllipticCurvePrivateKey, name: x509.GeneralName | None, days: int
    ) -> x509.Certificate:
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
        until = datetime.now(UTC) + timedelta(days=days)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(until, datetime.now(UTC)) - timedelta(days=3))
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=name is None, path_length=None), critical=True)
        )
        if name is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        return builder.sign(self.key, hashes.SHA256())


async def test_certificates_are_checked_by_name(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(self: Egress, host: str, port: int) -> str:
        return "127.0.0.1"

    monkeypatch.setattr(Egress, "resolve", resolve)
    context = authority.server(x509.DNSName("idp.example"))
    async with serving(says(), context) as server:
        async with fetching(Egress(), authority.file) as fetch:
            assert code(await fetch.get(server.url(scheme="https", host="idp.example"))) == "fetched"
            outcome = await fetch.get(server.url(scheme="https", host="evil.example"))
            assert isinstance(outcome, Refused)
            assert outcome.code == "fetch.tls"
            assert "evil.example" in outcome.message
        async with fetching(Egress()) as fetch:
            outcome = await fetch.get(server.url(scheme="https", host="idp.example"))
            assert isinstance(outcome, Refused)
            assert outcome.code == "fetch.tls"
            assert "unable to get local issuer certificate" in outcome.message
        assert len(server.requests) == 1


async def test_certificates_for_an_address_and_expired_ones(authority: Authority) -> None:
    name = x509.IPAddress(ip_address("127.0.0.1"))
    for days, expected in ((1, "fetched"), (-1, "fetch.tls")):
        async with serving(says(), authority.server(name, days)) as server:
            async with fetching(server.admitted, authority.file) as fetch:
                assert code(await fetch.get(server.url(scheme="https"))) == expected


async def test_a_server_that_speaks_no_tls() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with fetching(Egress((Admitted.parse(f"127.0.0.1/32:{port}"),))) as fetch:
        outcome = await fetch.get(f"https://127.0.0.1:{port}/")
    listening.close()
    assert code(outcome) == "fetch.tls"
