"""The web side's listener: what it bounds, how it refuses, and that others are served meanwhile."""

import asyncio
import contextlib
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from onepam.api.bounds import MAX_ROSTER_BODY_BYTES
from onepam.boot.config import Config
from onepam.boot.doors import Doors, bound
from onepam.boot.web import connection as http_connection
from onepam.boot.web import fair_requests
from onepam.boot.web.server import web_server
from onepam.console.roster.roster import MOST_FORM_BYTES
from onepam.gateway.crowd import Limits
from onepam.scim import request as scim
from tests.boot.test_web import certificate

pytestmark = pytest.mark.anyio

SECONDS = 120.0
GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


class App:
    """Answers at once, holds what `/hold` asks, sends much for `/much`, and reads every body."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.sources: Counter[str] = Counter()
        self.holding = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for name in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{name}.complete"})
            return
        self.sources[scope["client"][0]] += 1
        while scope["method"] == "POST":
            message = await receive()
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                break
        if scope["path"] == "/hold":
            self.holding += 1
            await self.release.wait()
        body = b"x" * (4 << 20) if scope["path"] == "/much" else b"fine\n"
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": body})


class Served:
    """A listener that runs, and raw connections to it."""

    def __init__(self, app: App, doors: Doors, port: int, folder: Path, tls: ssl.SSLContext | None) -> None:
        self.app = app
        self.doors = doors
        self.port = port
        self.folder = folder
        self.tls = tls

    async def connect(self, source: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        name = "localhost" if self.tls else None
        return await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(source, 0), ssl=self.tls, server_hostname=name
        )

    async def ask(self, *pieces: bytes, source: str = "127.0.0.1") -> bytes:
        """All that is answered to these bytes until the other side ends, or says nothing more."""
        reader, writer = await self.connect(source)
        try:
            for piece in pieces:
                writer.write(piece)
            answer = b""
            async with asyncio.timeout(SECONDS):
                while not answer.endswith(b"fine\n") and (more := await reader.read(65536)):
                    answer += more
            return answer
        except ConnectionError:
            return answer
        finally:
            writer.transport.abort()


@asynccontextmanager
async def served(folder: Path, *, tls: bool = False, proxies: tuple[str, ...] = ()) -> AsyncIterator[Served]:
    app, context, files = App(), None, {}
    if tls:
        files = dict(zip(("tls_certificate", "tls_key"), map(str, certificate(folder)), strict=True))
        context = ssl.create_default_context(cafile=files["tls_certificate"])
    config = Config(folder, trusted_proxies=proxies, **files)  # type: ignore[arg-type]
    doors = Doors(config.proxies)
    with bound("the console", "127.0.0.1", 0, "console_port") as listening:
        port = listening.getsockname()[1]
        wrapped: ASGIApp = app
        async with web_server(wrapped, listening, config, doors):
            yield Served(app, doors, port, folder, context)


async def until(so: Callable[[], bool]) -> None:
    """Waits for a state."""
    async with asyncio.timeout(SECONDS):
        while not so():  # noqa: ASYNC110 - many things change it
            await asyncio.sleep(0.02)


def status(answer: bytes) -> bytes:
    return answer.split(b" ", 2)[1] if answer else b""


async def test_a_head_is_bounded_in_bytes_and_in_lines(tmp_path: Path) -> None:
    async with served(tmp_path) as there:
        assert status(await there.ask(GET)) == b"200"
        fits = b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"x" * 30_000 + b"\r\n\r\n"
        assert status(await there.ask(fits)) == b"200"
        for head in (
            b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"x" * (1 << 20),
            b"GET /" + b"x" * (1 << 20) + b" HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: localhost\r\n" + b"x: y\r\n" * 200 + b"\r\n",
            b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"x" * 40_000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"x" * (1 << 20),
        ):
            answer = await there.ask(head)
            assert status(answer) == b"431", (head[:40], answer)
            assert b"connection: close" in answer


async def test_trailers_count_as_a_part_of_the_head(tmp_path: Path) -> None:
    async with served(tmp_path) as there:
        chunked = b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n0\r\n"
        assert status(await there.ask(chunked + b"x: y\r\n\r\n")) == b"200"
        assert status(await there.ask(chunked + b"x: y\r\n" * 50_000)) == b"431"


async def test_what_is_no_request_is_400(tmp_path: Path) -> None:
    async with served(tmp_path) as there:
        assert status(await there.ask(b"\x16\x03\x01 hello\r\n\r\n")) == b"400"


async def test_one_host_is_named(tmp_path: Path) -> None:
    """RFC 9112, 3.2."""
    async with served(tmp_path) as there:
        for hosts, wanted in (
            (b"", b"400"),
            (b"host: a\r\nhost: a\r\n", b"400"),
            (b"host: a\r\nHost: b\r\n", b"400"),
            (b"host: a\r\n", b"200"),
        ):
            assert status(await there.ask(b"GET / HTTP/1.1\r\n" + hosts + b"\r\n")) == wanted, hosts
        assert there.app.sources.total() == 1
        assert status(await there.ask(b"GET / HTTP/1.0\r\n\r\n")) == b"200"
        assert status(await there.ask(b"GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n")) == b"400"


async def test_the_line_of_a_chunk_is_bounded(tmp_path: Path) -> None:
    chunked = b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
    async with served(tmp_path) as there:
        chunks = b"".join(b"1;name=%s\r\nx\r\n" % (b"v" * 1000) for _ in range(100))
        assert status(await there.ask(chunked + chunks + b"0\r\n\r\n")) == b"200"
        assert status(await there.ask(chunked + b"10000\r\n" + b"x" * 65536 + b"\r\n0\r\n\r\n")) == b"200"
        for line in (b"1;name=" + b"v" * 9000 + b"\r\nx\r\n0\r\n\r\n", b"1;name=" + b"v" * 1_000_000):
            assert status(await there.ask(chunked + line)) == b"400"


async def test_a_body_that_no_route_takes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    head = b"POST / HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: %d\r\n\r\n"
    assert max(MOST_FORM_BYTES, MAX_ROSTER_BODY_BYTES, scim.MAX_BODY_BYTES) == http_connection.MOST_BODY_BYTES
    async with served(tmp_path) as there:
        for length in (http_connection.MOST_BODY_BYTES + 1, 10**15):
            assert status(await there.ask(head % length)) == b"413"
        assert not there.app.sources
        assert status(await there.ask(head % 5 + b"12345")) == b"100"


@pytest.mark.parametrize("head", [b"content-length: 999999999\r\n\r\n", b"a: "])
async def test_what_is_only_dropped_is_read_at_a_walk(tmp_path: Path, head: bytes) -> None:
    async with served(tmp_path) as there:
        reader, writer = await there.connect()
        began, sent = time.monotonic(), 0
        writer.write(b"POST / HTTP/1.1\r\nhost: localhost\r\n" + head)
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"x" * 65536)
                await writer.drain()
                sent += 65536
        pieces = (time.monotonic() - began) / http_connection.DROP_SECONDS + 1
        assert sent < pieces * 256 * 1024 + (16 << 20), "and what the kernel holds of both sides"
        writer.transport.abort()
        del reader


async def test_time_for_head_and_body(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "HEAD_SECONDS", 1.0)
    monkeypatch.setattr(http_connection, "BODY_SECONDS", 1.0)
    async with served(tmp_path) as there:
        assert await there.ask() == b""  # nothing said, nothing answered
        assert status(await there.ask(b"GET / HTTP/1.1\r\nx: ")) == b"408"
        assert await there.ask(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nx") == b""
        reader, writer = await there.connect()
        writer.write(b"GET /hold HTTP/1.1\r\nhost: x\r\n\r\n")
        await until(lambda: there.app.holding > 0)
        await asyncio.sleep(3)
        there.app.release.set()  # time that we take is not the client's
        assert status(await asyncio.wait_for(reader.readline(), SECONDS)) == b"200"
        writer.close()


async def test_a_body_that_keeps_coming_may_take_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "BODY_SECONDS", 2.0)
    async with served(tmp_path) as there:
        reader, writer = await there.connect()
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 131072\r\n\r\n")
        for _ in range(16):
            writer.write(b"x" * 8192)
            await writer.drain()
            await asyncio.sleep(0.3)
        assert status(await asyncio.wait_for(reader.readline(), SECONDS)) == b"200"
        writer.close()


async def test_whoever_does_not_read_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "READ_SECONDS", 1.0)
    async with served(tmp_path) as there:
        _, writer = await there.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /much HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        await until(lambda: bool(there.app.sources) and not len(there.doors.web))
        writer.transport.abort()
        assert status(await there.ask(GET)) == b"200"


async def test_few_requests_wait_behind_one_that_is_being_answered(tmp_path: Path) -> None:
    async with served(tmp_path) as there:
        reader, writer = await there.connect()
        writer.write(b"GET /hold HTTP/1.1\r\nhost: x\r\n\r\n" + GET * http_connection.MOST_PIPELINED)
        there.app.release.set()
        async with asyncio.timeout(SECONDS):
            for _ in range(1 + http_connection.MOST_PIPELINED):
                assert status(await reader.readuntil(b"fine\n")) == b"200"
        writer.close()
        there.app.release.clear()
        reader, writer = await there.connect()
        writer.write(b"GET /hold HTTP/1.1\r\nhost: x\r\n\r\n" + GET * 5000)
        await until(lambda: there.app.holding == 2)
        there.app.release.set()
        answers = await asyncio.wait_for(reader.read(), SECONDS)
        assert answers.count(b"HTTP/1.1 200") == answers.count(b"fine\n") == 1 + http_connection.MOST_PIPELINED
        writer.close()


@pytest.mark.parametrize("tls", [False, True])
async def test_a_refusal_follows_the_answers_to_what_was_asked_before(tmp_path: Path, tls: bool) -> None:
    async with served(tmp_path, tls=tls) as there:
        reader, writer = await there.connect()
        writer.write(b"GET /hold HTTP/1.1\r\nhost: x\r\n\r\n" + GET + b"nonsense\r\n\r\n" + GET)
        await until(lambda: there.app.holding == 1)
        there.app.release.set()
        answers = await asyncio.wait_for(reader.read(), SECONDS)
        assert [status(each) for each in answers.split(b"HTTP/1.1")[1:]] == [b"200", b"200", b"400"]
        writer.close()


async def test_requests_of_one_address_are_bounded_and_others_are_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fair_requests, "FROM_ADDRESS", 3)
    monkeypatch.setattr(fair_requests, "FROM_NETWORK", 5)
    monkeypatch.setattr(fair_requests, "MOST", 8)
    hold = b"GET /hold HTTP/1.1\r\nhost: x\r\n\r\n"
    async with served(tmp_path) as there:

        async def held(source: str, count: int) -> None:
            before = there.app.holding
            for _ in range(count):
                _, writer = await there.connect(source)
                writer.write(hold)
                writers.append(writer)
            await until(lambda: there.app.holding == before + count)

        writers: list[asyncio.StreamWriter] = []
        await held("127.0.1.1", 3)
        answer = await there.ask(GET, source="127.0.1.1")
        assert status(answer) == b"429"
        assert b"retry-after: 2" in answer
        assert status(await there.ask(GET, source="127.0.1.2")) == b"200"
        await held("127.0.1.2", 2)
        assert status(await there.ask(GET, source="127.0.1.3")) == b"429"
        assert status(await there.ask(GET, source="127.0.2.1")) == b"200"
        await held("127.0.3.1", 3)
        assert status(await there.ask(GET, source="127.0.2.1")) == b"503"
        there.app.release.set()
        async with asyncio.timeout(SECONDS):
            while status(await there.ask(GET, source="127.0.1.1")) != b"200":  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        for writer in writers:
            writer.close()


async def test_behind_a_trusted_proxy_the_real_client_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the proxy, from whose one address everybody comes: neither its connections nor its requests."""
    monkeypatch.setattr(fair_requests, "FROM_ADDRESS", 2)
    async with served(tmp_path, proxies=("127.0.0.0/24",)) as there:

        def request(path: bytes, client: bytes) -> bytes:
            return b"GET " + path + b" HTTP/1.1\r\nhost: x\r\nx-forwarded-for: " + client + b"\r\n\r\n"

        writers = []
        for _ in range(2):
            _, writer = await there.connect()
            writer.write(request(b"/hold", b"203.0.113.9"))
            writers.append(writer)
        await until(lambda: there.app.holding == 2)
        assert len(there.doors.web) == 0
        assert status(await there.ask(request(b"/", b"203.0.113.9"))) == b"429"
        assert status(await there.ask(request(b"/", b"203.0.114.9"))) == b"200"
        assert there.app.sources.keys() == {"203.0.113.9", "203.0.114.9"}
        there.app.release.set()
        for writer in writers:
            writer.close()


@pytest.mark.parametrize(
    ("said", "client"),
    [
        (b"2001:DB8:0::7", "2001:db8::7"),
        (b"::ffff:203.0.113.9", "203.0.113.9"),
        (b"203.0.113.9, ::ffff:127.0.0.7", "203.0.113.9"),
        (b"198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (b"fe80::1%<b>", "fe80::1"),
        (b"nonsense", "127.0.0.1"),
        (b"", "127.0.0.1"),
    ],
)
async def test_an_address_behind_a_proxy_is_written_in_one_form(tmp_path: Path, said: bytes, client: str) -> None:
    """A proxy of a trusted network is none of the clients, in whatever form its address comes."""
    async with served(tmp_path, proxies=("127.0.0.0/24",)) as there:
        head = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: " + said + b"\r\n\r\n"
        assert status(await there.ask(head)) == b"200"
        assert there.app.sources.keys() == {client}


async def test_a_crowd_of_connections_gives_way_to_another_network(tmp_path: Path) -> None:
    async with served(tmp_path) as there:
        there.doors.web._limits = Limits(most=12, kept=2, from_address=8, from_network=9)
        held = [await there.connect(f"127.0.1.{1 + number % 2}") for number in range(20)]
        await until(lambda: there.doors.web.turned_away == 11)
        assert len(there.doors.web) == 9
        assert status(await there.ask(GET, source="127.0.2.1")) == b"200"
        for _, writer in held:
            writer.transport.abort()


async def test_who_is_turned_away_is_told(tmp_path: Path) -> None:
    async with served(tmp_path) as there:
        there.doors.web._limits = Limits(most=12, kept=2, from_address=1, from_network=9)
        _, writer = await there.connect("127.0.1.1")
        await until(lambda: len(there.doors.web) > 0)
        answer = await there.ask(source="127.0.1.1")
        head, _, body = answer.partition(b"\r\n\r\n")
        assert status(answer) == b"503"
        assert f"content-length: {len(body)}".encode() in head
        writer.close()


async def test_handshakes_that_do_not_end_keep_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half-open TLS: connections that say nothing, or begin a handshake and stop."""
    monkeypatch.setattr("onepam.gateway.listener.HANDSHAKE_SECONDS", 2.0)
    async with served(tmp_path, tls=True) as there:
        half = []
        for number in range(60):
            _, writer = await asyncio.open_connection(
                "127.0.0.1", there.port, local_addr=(f"127.0.1.{1 + number % 5}", 0)
            )
            if number % 2:
                writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            half.append(writer)
        await until(lambda: len(there.doors.web) == 60)
        assert status(await there.ask(GET, source="127.0.2.1")) == b"200"
        await until(lambda: len(there.doors.web) == 0)
        for writer in half:
            writer.close()
