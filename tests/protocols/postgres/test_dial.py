"""Dialling a PostgreSQL: a real server with TLS and each way to sign in, and servers that are not what they claim."""

import asyncio
import logging
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.gateway.tasks import Tasks
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.postgres.dial import TargetLeg, Who, dial
from onepam.protocols.postgres.guarding import start
from onepam.protocols.postgres.signing_in import MOST_ITERATIONS, SigningIn
from onepam.protocols.sql.target import Where
from onepam.protocols.sql.tls import Pins, server_context
from tests.protocols.postgres.server import PASSWORD, Server, pair, running_server
from tests.targets import free_port

pytestmark = pytest.mark.anyio

SECONDS = 30.0
READING = Guardrails((StatementClass.READ, StatementClass.OTHER))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


def where(server: Server, *pins: str, name: str = "127.0.0.1") -> Where:
    return Where("127.0.0.1", server.port, name, Pins.of(pins or (server.shown.pin,)))


def who(login: str, secret: bytes = PASSWORD.encode()) -> Who:
    return Who(login, {"database": "postgres", "application_name": "the test"}, Secret(secret))


async def reached(at: Where, as_: Who) -> TargetLeg:
    leg = await dial(at, as_, SECONDS)
    assert isinstance(leg, TargetLeg), leg
    return leg


async def asked(leg: TargetLeg, sql: str) -> bytes:
    """What the server says to a simple query, up to its being ready."""
    said, ready = bytearray(leg.early), asyncio.Event()

    def take(data: bytes) -> None:
        said.extend(data)
        if re.search(rb"Z\0\0\0\x05[ITE]\Z", bytes(said)):
            ready.set()

    leg.heard = take
    leg.lost = ready.set
    leg.hold(False)
    leg.send(b"Q" + (len(sql) + 5).to_bytes(4, "big") + sql.encode() + b"\0")
    async with asyncio.timeout(SECONDS):
        await ready.wait()
    return bytes(said)


@pytest.mark.parametrize("login", ["app", "md5er", "plainer", "truster"])
async def test_a_password_lets_us_in(server: Server, login: str) -> None:
    leg = await reached(where(server), who(login))
    assert login.encode() in await asked(leg, "SELECT current_user, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    assert leg.process
    assert len(leg.key) == 4
    assert [each for each in leg.greeting if each.startswith(b"S") and b"server_version\0" in each]
    leg.close()
    await leg.wait_closed()


async def test_scram_is_bound_to_the_certificate(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate other than the one that is shown does not do: so the server has compared it."""
    monkeypatch.setattr(SigningIn, "_binding", lambda self: b"\0" * 32)
    refused = await dial(where(server), who("app"), SECONDS)
    assert isinstance(refused, Refused)
    assert "channel binding" in refused.message


async def test_a_certificate_lets_us_in(server: Server) -> None:
    """That of the login, by the server's authority; it holds no key in a file."""
    made = pair("certer", server.authority)
    leg = await reached(where(server), who("certer", made.certificate + made.key))
    assert b"certer" in await asked(leg, "SELECT current_user")
    leg.cut()
    refused = await dial(where(server), who("app", made.certificate + made.key), SECONDS)
    assert isinstance(refused, Refused)
    assert "wants a password for app" in refused.message
    refused = await dial(where(server), who("certer", made.certificate + pair("another").key), SECONDS)
    assert isinstance(refused, Refused)
    assert refused.code == "target.refusing"


@pytest.mark.parametrize("pinned", ["digest", "authority", "both", "a digest that is old, and the authority"])
async def test_a_server_is_known_by_its_pin(server: Server, pinned: str) -> None:
    old, ours, authority = pair("localhost").pin, server.shown.pin, server.authority.certificate.decode()
    pins = {"digest": (ours,), "authority": (authority,), "both": (ours, authority)}.get(pinned, (old, authority))
    (await reached(where(server, *pins), who("app"))).cut()


@pytest.mark.parametrize("pinned", ["digest", "authority", "name", "both"])
async def test_another_server_hears_nothing(server: Server, pinned: str) -> None:
    other = pair("localhost", authority=True)
    pins = {"digest": (other.pin,), "authority": (other.certificate.decode(),)}.get(
        pinned, (other.pin, other.certificate.decode())
    )
    pins = (server.authority.certificate.decode(),) if pinned == "name" else pins
    before = server.log.count("connection authorized: user=app")
    refused = await dial(
        where(server, *pins, name="db.example" if pinned == "name" else "127.0.0.1"), who("app"), SECONDS
    )
    assert isinstance(refused, Refused)
    assert refused.code == "target.certificate"
    assert server.log.count("connection authorized: user=app") == before


async def test_without_a_pin_nothing_is_dialled(server: Server) -> None:
    at = replace(where(server), pins=Pins.of(()), port=1)
    refused = await dial(at, who("app"), SECONDS)
    assert isinstance(refused, Refused)
    assert refused.code == "target.certificate"


@pytest.mark.parametrize("pin", ["sha256:00", "sha256:xyz", "no certificate", "-----BEGIN CERTIFICATE-----"])
def test_what_is_no_pin(pin: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Pins.of((pin,))


@pytest.mark.parametrize("login", ["app", "md5er", "plainer"])
async def test_a_wrong_secret(server: Server, login: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        refused = await dial(where(server), who(login, b"a secret that is old"), SECONDS)
    assert isinstance(refused, Refused)
    assert refused.code == "target.refusing"
    assert "does not admit us" in refused.message
    assert "that is old" not in f"{refused}{caplog.text}"


async def test_a_database_that_is_not_there(server: Server) -> None:
    refused = await dial(where(server), replace(who("app"), parameters={"database": "nowhere"}), SECONDS)
    assert isinstance(refused, Refused)
    assert refused.message == 'the target refused: database "nowhere" does not exist'
    assert "dbname=DATABASE" in refused.hint


async def test_a_server_without_tls() -> None:
    with running_server(tls=False) as plain:
        refused = await dial(where(plain), who("app"), SECONDS)
        assert isinstance(refused, Refused)
        assert refused.code == "target.plain"
        assert "connection authorized: user=app" not in plain.log


async def test_nobody_listens(server: Server) -> None:
    refused = await dial(replace(where(server), port=free_port()), who("app"), SECONDS)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.message) == ("target.down", "the target cannot be reached: Connection refused")


@pytest.mark.claim
async def test_under_guardrails_reset_leads_back_to_how_texts_are_read(server: Server) -> None:
    """The login's own settings at the target would make another text of the same bytes."""
    server.sql(f"CREATE ROLE sjis LOGIN PASSWORD '{PASSWORD}'; ALTER ROLE sjis SET client_encoding = 'SJIS';")
    server.sql("ALTER ROLE sjis SET standard_conforming_strings = off;")
    for guardrails, encoding, conforming in ((READING, b"UTF8", b"on"), (None, b"SJIS", b"off")):
        parameters = start({"database": "postgres"}, guardrails)
        assert not isinstance(parameters, Refused)
        leg = await reached(where(server), replace(who("sjis"), parameters=parameters))
        for reset in (
            "RESET ALL",
            "DISCARD ALL",
            "SET client_encoding TO DEFAULT",
            "SET SESSION AUTHORIZATION DEFAULT",
        ):
            said = await asked(leg, f"{reset};")
            assert b"ERROR" not in said
            leg.early = b""
            said = await asked(
                leg, "SELECT current_setting('client_encoding'), current_setting('standard_conforming_strings')"
            )
            row = (
                b"\0\2" + len(encoding).to_bytes(4, "big") + encoding + len(conforming).to_bytes(4, "big") + conforming
            )
            assert row in said, (guardrails, reset)
        leg.cut()


@asynccontextmanager
async def pretends(
    server: Server, *words: bytes | Callable[[list[bytes]], bytes]
) -> AsyncIterator[tuple[Where, list[bytes]]]:
    """A server with the pinned certificate that says each of the words after it has heard something in TLS."""
    heard: list[bytes] = []
    context = server_context(server.shown.certificate, server.shown.key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"S")
        await writer.start_tls(context)
        for word in words:
            heard.append(await reader.read(4096))
            writer.write(word(heard) if callable(word) else word)
        while await reader.read(4096):
            pass
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        yield replace(where(server), port=running.sockets[0].getsockname()[1]), heard


def message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4, "big") + body


CLEAR, SCRAM = message(b"R", b"\0\0\0\x03"), message(b"R", b"\0\0\0\x0aSCRAM-SHA-256\0\0")


@pytest.mark.claim
@pytest.mark.parametrize(
    ("asks", "said", "words"),
    [
        (CLEAR, PASSWORD, "the target does not admit us as app: 28P01"),
        (CLEAR, PASSWORD[::-1], "the target does not admit us as app: 28P01"),
        (SCRAM, f"wrong: {PASSWORD}", "the target does not admit us as app: 28P01"),
        (SCRAM, "x" * 190 + PASSWORD, "the target does not admit us as app: 28P01"),
        (SCRAM, "no\x1b[31m such\nrole", "the target does not admit us as app: no[31m suchrole"),
        (SCRAM, "x" * 500, f"the target does not admit us as app: {'x' * 200}"),
        (SCRAM, "", "the target does not admit us as app: 28P01"),
    ],
)
async def test_what_a_target_says_to_a_sign_in_never_holds_the_secret(
    server: Server, asks: bytes, said: str, words: str
) -> None:
    error = message(b"E", b"SFATAL\0C28P01\0M" + said.encode() + b"\0\0")
    async with pretends(server, asks, error) as (at, heard):
        refused = await dial(at, who("app"), SECONDS)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.message) == ("target.refusing", words)
    assert (PASSWORD.encode() in heard[1]) is (asks == CLEAR)


async def test_what_is_no_sqlstate_is_not_passed_on(server: Server) -> None:
    async with pretends(server, CLEAR, message(b"E", b"C" + PASSWORD.encode() + b"\0\0")) as (at, _):
        refused = await dial(at, who("app"), SECONDS)
    assert isinstance(refused, Refused)
    assert (refused.message, refused.hint) == ("the target refused: no SQLSTATE", "")


async def test_a_notice_that_holds_the_secret_is_left_out(server: Server) -> None:
    notices = message(b"N", b"Mwelcome\0\0") + message(b"N", b"M" + PASSWORD.encode() + b"\0\0")
    in_ = message(b"R", b"\0\0\0\0") + notices + message(b"Z", b"I")
    async with pretends(server, CLEAR, in_) as (at, _):
        leg = await reached(at, who("app"))
        leg.cut()
    assert leg.greeting == [message(b"N", b"Mwelcome\0\0")]


def first_of(heard: list[bytes], iterations: int) -> bytes:
    """A server's first message of SCRAM (RFC 5802)."""
    nonce = heard[-1].rpartition(b"r=")[2]
    return message(b"R", b"\0\0\0\x0br=" + nonce + b"x,s=c2FsdCBzYWx0IHNhbHQ=,i=%d" % iterations)


@pytest.mark.parametrize(("iterations", "taken"), [(MOST_ITERATIONS, True), (MOST_ITERATIONS + 1, False)])
async def test_how_much_a_target_may_have_computed(server: Server, iterations: int, taken: bool) -> None:
    refusing = message(b"E", b"SFATAL\0C28P01\0Mno\0\0")
    async with pretends(server, SCRAM, lambda heard: first_of(heard, iterations), refusing) as (at, _):
        refused = await dial(at, who("app"), SECONDS)
    assert isinstance(refused, Refused)
    words = "does not admit us as app: no" if taken else "wants more than 1,000,000 iterations of SCRAM"
    assert refused.message == f"the target {words}"


async def test_what_sign_ins_compute_keeps_nobody_else_waiting(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread cannot be cancelled: what waits for one is, and no other work of the process waits behind it."""
    computing, go_on, begun = threading.Event(), threading.Event(), []

    def answer(self: SigningIn, body: bytes) -> bytes:
        begun.append(body)
        computing.set()
        go_on.wait(SECONDS)
        return b""

    monkeypatch.setattr(SigningIn, "answer", answer)
    loop = asyncio.get_running_loop()
    dials = [asyncio.create_task(dial(where(server), who("app"), SECONDS)) for _ in range(40)]
    try:
        async with asyncio.timeout(SECONDS):
            while not computing.is_set():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            await asyncio.sleep(1)
            assert await loop.run_in_executor(None, lambda: "at once") == "at once"
        for each in dials:
            each.cancel()
        await asyncio.wait(dials, timeout=SECONDS)
        assert all(each.cancelled() for each in dials)
    finally:
        go_on.set()
    await asyncio.sleep(0.2)
    assert len(begun) == 2


@pytest.mark.parametrize(
    "secret", [b"p\x07w", "\u0627b".encode(), "\u00ad".encode(), "I\u00adX".encode(), "\u2168 \u00aa".encode()]
)
async def test_a_password_that_saslprep_forbids_is_what_postgresql_takes_it_for(server: Server, secret: bytes) -> None:
    """Both sides take it as it is then; what is allowed is prepared."""
    name = f"odd_{secret.hex()}"
    server.sql(f"CREATE ROLE {name} LOGIN PASSWORD '{secret.decode()}';")
    (await reached(where(server), who(name, secret))).cut()


def test_a_password_that_is_no_text() -> None:
    signing_in = SigningIn("app", Secret(b"\xff\xfe"), b"")
    first = signing_in.answer(SCRAM[5:])
    assert isinstance(first, bytes)
    assert isinstance(signing_in.answer(first_of([first], 4096)[5:]), bytes)


@asynccontextmanager
async def says(*words: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that says each of the words after it has heard something; its port, and what it heard."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for word in words:
            heard.append(await reader.read(4096))
            writer.write(word)
        while data := await reader.read(4096):
            heard.append(data)
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        yield running.sockets[0].getsockname()[1], heard


async def test_a_server_that_says_nothing(server: Server) -> None:
    async with says() as (port, _):
        refused = await dial(replace(where(server), port=port), who("app"), 0.3)
    assert isinstance(refused, Refused)
    assert refused.code == "target.hanging"


@pytest.mark.parametrize(
    ("word", "code"),
    [
        (b"N", "target.plain"),
        (b"", "target.hanging"),
        (b"S" + b"E\0\0\0\x04", "target.refusing"),
        (b"SSH-2.0-OpenSSH\r\n", "target.refusing"),
        (b"E\0\0\0\x09Munsupported\0\0", "target.refusing"),
    ],
)
async def test_what_comes_in_the_clear_is_taken_for_nothing(server: Server, word: bytes, code: str) -> None:
    """What somebody on the way has put behind the answer (CVE-2021-23222) least of all."""
    async with says(word) as (port, heard):
        refused = await dial(replace(where(server), port=port), who("app"), 0.5)
        assert isinstance(refused, Refused)
        assert refused.code == code
    assert [each for each in heard if each] == [b"\0\0\0\x08\x04\xd2\x16\x2f"]


async def test_a_dial_that_is_given_up_leaves_nothing(server: Server) -> None:
    for milliseconds in range(0, 30, 3):
        task = asyncio.create_task(dial(where(server), who("app"), SECONDS))
        await asyncio.sleep(milliseconds / 1000)
        task.cancel()
        await asyncio.wait((task,))
        if not task.cancelled() and isinstance(leg := task.result(), TargetLeg):
            leg.cut()
    async with asyncio.timeout(SECONDS):
        while server.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'").strip() != "0":  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_what_runs_is_cancelled(server: Server) -> None:
    leg, tasks = await reached(where(server), who("app")), Tasks()
    asking = asyncio.create_task(asked(leg, "SELECT pg_sleep(60)"))
    while server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'").strip() != "1":  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    leg.cancel(tasks)
    assert b"57014" in await asking
    leg.cut()
    await leg.wait_closed()
    assert await tasks.over(0)
