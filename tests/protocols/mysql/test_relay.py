"""What clients do at the door and through it, before a real MariaDB."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from struct import pack

import pytest

from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.mysql import dial as dial_module
from onepam.protocols.mysql import guarding
from onepam.protocols.mysql.dial import TargetLeg, Who, dial
from onepam.protocols.mysql.startup import NOBODY
from onepam.protocols.sql.events import Allowance
from onepam.protocols.sql.target import Where
from onepam.protocols.sql.tls import Pins
from onepam.recording.statements import Outcome
from tests.protocols.mysql import messages as my
from tests.protocols.mysql.server import Server
from tests.protocols.mysql.small import Small
from tests.protocols.postgres.server import PASSWORD, pair
from tests.protocols.postgres.small import STOLEN, TOKEN, Journal
from tests.targets import free_port

pytestmark = pytest.mark.anyio

SECONDS = 60.0


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SECONDS):
        while not await holds():  # noqa: ASYNC110 - the server knows it
            await asyncio.sleep(0.05)


# Through it ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["app", "edder"])
async def test_a_statement_is_answered_and_recorded(small: Small, login: str) -> None:
    """The stock client, without a flag; the target takes our secret by mysql_native_password, or by ed25519."""
    answered = await small.mariadb("SELECT CURRENT_USER(), DATABASE();", "app", user=f"{login}@db-1")
    assert answered == (0, f"{login}@%\tapp\n", "")
    ((text, _, done),) = [each for each in small.journals[0].statements() if "CURRENT_USER" in each[0]]
    assert done is not None
    assert (text, done.outcome, done.rows) == ("SELECT CURRENT_USER(), DATABASE()", Outcome.OK, 1)


async def test_a_token_is_taken_in_clear_from_who_says_so(small: Small) -> None:
    assert (await small.mariadb("SELECT 5;", "--default-auth=mysql_clear_password"))[1] == "5\n"


async def test_16_mib_either_way(small: Small) -> None:
    """D3."""
    script = f"SELECT LENGTH('{'z' * 17_000_000}'); SELECT REPEAT('y', 17000000);"
    status, said, errors = await small.mariadb(script, "--max-allowed-packet=64M")
    assert (status, errors, said.startswith("17000000\n"), len(said)) == (0, "", True, 17_000_010)


async def test_files_of_the_clients_are_not_asked_for(small: Small) -> None:
    status, _, errors = await small.mariadb(
        "CREATE TEMPORARY TABLE t (s TEXT); LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t;",
        "app",
        "--local-infile=1",
    )
    assert (status, re.search("local (infile|data)", errors) is not None) == (1, True)


async def test_a_dump_is_the_same_as_directly(small: Small) -> None:
    small.server.sql("CREATE TABLE app.dumped (i INT, s TEXT); INSERT INTO app.dumped VALUES (1, 'a'), (2, NULL)")
    _, through, errors = await small.run(
        *small.client("--compact", "--no-tablespaces", "app", "dumped", program="mysqldump")
    )
    socket = f"--socket={small.server.socket}"
    _, direct, _ = await small.run("mysqldump", "--no-defaults", socket, "-uroot", "--compact", "-y", "app", "dumped")
    assert (through, errors) == (direct, "")
    assert "(2,NULL)" in through


@pytest.mark.parametrize("ours", [True, False])
async def test_ones_own_statement_is_killed_by_the_number_that_the_gateway_or_the_server_gave(
    small: Small, ours: bool
) -> None:
    """As Ctrl-C in `mariadb` does it, or by CONNECTION_ID(); the number of somebody else's connection at the server is
    nobody's here."""
    other = asyncio.create_task(small.mariadb("SELECT SLEEP(600);"))
    (thread,) = await sleeping(small)
    for foreign in (f"{thread}000", small.server.sql("SELECT CONNECTION_ID()").strip()):
        assert "OnePAM: KILL ends what is your own" in (await small.mariadb(f"KILL QUERY {foreign}"))[2]
    assert (await small.mariadb(f"KILL QUERY {small.doors[0].thread if ours else thread};"))[0] == 0
    status, said, errors = await other
    assert (status, said) in ((0, "1\n"), (1, "")), errors
    assert small.journals[0].statements()[-1][2] is not None


async def sleeping(small: Small) -> list[int]:
    """The server's numbers of the connections that sleep in a statement."""
    found: list[int] = []

    async def some() -> bool:
        text = "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(600%' AND user <> 'root'"
        found[:] = [int(each) for each in (await asyncio.to_thread(small.server.sql, text)).split()]
        return bool(found)

    await until(some)
    return found


async def _none(small: Small) -> bool:
    text = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(600%' AND user <> 'root'"
    return (await asyncio.to_thread(small.server.sql, text)).strip() == "0"


async def test_what_runs_is_killed_at_the_server_with_its_session(small: Small) -> None:
    client = asyncio.create_task(small.mariadb("SELECT SLEEP(600);"))
    await sleeping(small)
    small.doors[0].part("the access was taken")
    small.relays[0].abort()
    await until(lambda: _none(small))
    assert "OnePAM: the access was taken." in (await client)[2]
    ((_, _, done),) = [each for each in small.journals[0].statements() if "SLEEP" in each[0]]
    assert done is not None
    assert done.outcome is Outcome.UNFINISHED


async def test_what_waits_at_the_server_is_over_where_its_client_has_gone(small: Small) -> None:
    """As it is without us: a server looks every few seconds whether somebody is there who waits."""
    client = await asyncio.create_subprocess_exec(*small.client("--execute", "SELECT SLEEP(600)"))
    await sleeping(small)
    client.kill()
    await client.wait()
    await until(lambda: _none(small))


async def test_rows_beyond_what_is_allowed(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is cancelled at the server, and the session goes on."""
    monkeypatch.setattr(guarding, "allowance", lambda *of: Allowance(rows=100))
    script = "SELECT seq FROM seq_1_to_100000000;\nSELECT 5;"
    _, said, errors = await small.mariadb(script, "app", "--force", "--quick")
    assert "OnePAM: This access allows 100 rows of a statement." in errors
    assert said.endswith("\n5\n")


@pytest.mark.parametrize("capped", [True, False])
async def test_a_kill_hits_no_statement_but_the_one_that_ran(
    small: Small, monkeypatch: pytest.MonkeyPatch, capped: bool
) -> None:
    """It goes over another connection, and may be there when the statement is over by itself: what the client has sent
    behind it waits until the server has heard the KILL, and so does a KILL when nothing runs."""
    heard, may = asyncio.Event(), asyncio.Event()

    async def late(*_: object) -> None:
        heard.set()
        await may.wait()

    monkeypatch.setattr(dial_module, "_stop", late)
    if capped:
        monkeypatch.setattr(guarding, "allowance", lambda *of: Allowance(rows=100))
    reader, writer = await entered(small)
    first = b"SELECT seq, REPEAT('x', 99) FROM app.seq_1_to_50000" if capped else b"SELECT SLEEP(600)"
    writer.write(my.query(first) + my.query(b"SELECT 5"))
    if not capped:
        (thread,) = await sleeping(small)
        assert (await small.mariadb(f"KILL QUERY {small.doors[0].thread};"))[0] == 0
    async with asyncio.timeout(SECONDS):
        await heard.wait()
    if not capped:
        await asyncio.to_thread(small.server.sql, f"KILL QUERY {thread}")
    (journal, *_) = small.journals

    async def over() -> bool:
        return any(done is not None for _, _, done in journal.statements())

    await until(over)
    assert len(journal.statements()) == 1
    may.set()
    async with asyncio.timeout(SECONDS):
        assert (await reader.readuntil(my.packet(4, b"\x015"))).endswith(my.packet(4, b"\x015"))
    heard.clear()
    await until(lambda: _done(journal, 2))
    assert (await small.mariadb(f"KILL QUERY {small.doors[0].thread};"))[0] == 0
    assert not heard.is_set()
    writer.close()


async def _done(journal: Journal, count: int) -> bool:
    return [done is not None for _, _, done in journal.statements()] == [True] * count


async def entered(small: Small) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client of bytes that is in."""
    reader, writer = await secured(small)
    writer.write(my.packet(2, START + b"app@db-1\0" + b"\x20" + b"s" * 32 + b"caching_sha2_password\0"))
    assert await packet(reader) == b"\x01\x04"
    writer.write(my.packet(4, TOKEN.encode() + b"\0"))
    assert (await packet(reader))[0] == 0
    return reader, writer


# At the door ---------------------------------------------------------------------------------------------------------


async def test_a_wrong_token_and_an_unknown_target(small: Small) -> None:
    assert "OnePAM: This token opens nothing." in (await small.mariadb("SELECT 1", token="guess"))[2]
    assert "OnePAM: There is no such target" in (await small.mariadb("SELECT 1", user="app@db-2"))[2]
    assert small.refused == []
    assert "OnePAM: This token opens nothing." in (await small.mariadb("SELECT 1", token=STOLEN))[2]
    assert "OnePAM: Say as whom and where to" in (await small.mariadb("SELECT 1", user="app"))[2]
    assert len(small.refused) == 2


async def test_nothing_is_asked_for_in_the_clear(small: Small) -> None:
    plain = [each for each in small.client("--skip-ssl", "-e", "SELECT 1") if "ssl-" not in each or "skip" in each]
    assert "Connect with TLS" in (await small.run(*plain))[2]


START = pack("<IIB23x", 0x8AA205, 1 << 24, 45)
SECURE = pack("<IIB23x", 0x8AA205 | 0x800, 1 << 24, 45)


async def secured(small: Small) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", small.port)
    assert (await packet(reader))[0] == 0x0A
    writer.write(my.packet(1, SECURE))
    context = ssl.create_default_context(cafile=str(small.root))
    await writer.start_tls(context, server_hostname="localhost", ssl_handshake_timeout=SECONDS)
    return reader, writer


async def packet(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(SECONDS):
        head = await reader.readexactly(4)
        return await reader.readexactly(int.from_bytes(head[:3], "little"))


async def test_the_password_itself_is_asked_for_every_time(small: Small) -> None:
    """D4: whatever a client answers to the first question, nothing lets a later one in by it; another plugin is
    switched away from."""
    for _ in range(2):
        reader, writer = await secured(small)
        writer.write(my.packet(2, START + b"app@db-1\0" + b"\x20" + b"s" * 32 + b"caching_sha2_password\0"))
        assert await packet(reader) == b"\x01\x04"
        writer.write(my.packet(4, TOKEN.encode() + b"\0"))
        assert (await packet(reader))[0] == 0
        writer.close()
    reader, writer = await secured(small)
    writer.write(my.packet(2, START + b"app@db-1\0" + b"\x14" + b"s" * 20 + b"mysql_native_password\0"))
    assert (await packet(reader)).startswith(b"\xfecaching_sha2_password\0")
    writer.write(my.packet(4, b"s" * 32))
    assert await packet(reader) == b"\x01\x04"
    writer.write(my.packet(6, b"guess\0"))
    assert b"opens nothing" in await packet(reader)


async def test_nothing_of_a_client_counts_before_it_is_in(small: Small) -> None:
    """A token in the clear, what comes behind the request for TLS in the clear, statements that come with a proof that
    is none, and an AuthSwitchRequest in the place of a password."""
    proof = START + b"app@db-1\0" + bytes([len(TOKEN) + 1]) + TOKEN.encode() + b"\0mysql_clear_password\0"
    for clear, said in ((my.packet(1, proof), b"Connect with TLS"), (my.packet(1, SECURE) + my.packet(2, proof), b"")):
        reader, writer = await asyncio.open_connection("127.0.0.1", small.port)
        await packet(reader)
        writer.write(clear)
        async with asyncio.timeout(SECONDS):
            assert said in await reader.read()
    guess = START + b"app@db-1\0" + b"\6guess\0mysql_clear_password\0"
    late = START + b"app@db-1\0" + b"\x20" + b"s" * 32 + b"caching_sha2_password\0"
    for sent in (guess, late):
        reader, writer = await secured(small)
        writer.write(my.packet(2, sent))
        if sent is late:
            assert await packet(reader) == b"\x01\x04"
            writer.write(my.packet(4, b"\xfemysql_native_password\0" + b"n" * 20))
        writer.write(my.query(b"SELECT 1"))
        assert b"opens nothing" in await packet(reader)
        async with asyncio.timeout(SECONDS):
            assert await reader.read() == b""
    assert small.journals == []


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\n\r\n", my.packet(0, b"x"), my.packet(1, b"short"), my.packet(2, SECURE), b"\1\0\1\1"]
)
async def test_what_is_no_start(small: Small, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", small.port)
    await packet(reader)
    writer.write(sent)
    assert (await packet(reader))[:1] == b"\xff"
    assert await reader.read() == b""


# Dialling ------------------------------------------------------------------------------------------------------------


async def dialled(server: Server, *pins: str, secret: str = PASSWORD, port: int = 0) -> TargetLeg | Refused:
    where = Where("127.0.0.1", port or server.port, "localhost", Pins.of(pins or (server.shown.pin,)))
    leg = await dial(where, Who("app", NOBODY, Secret(secret.encode())), SECONDS)
    if isinstance(leg, TargetLeg):
        leg.cut()
        await leg.wait_closed()
    return leg


async def test_only_the_pinned_server_gets_the_secret(server: Server) -> None:
    assert isinstance(await dialled(server), TargetLeg)
    assert isinstance(await dialled(server, server.authority.certificate.decode()), TargetLeg)
    for pin in (pair("localhost").pin, pair("another", authority=True).certificate.decode()):
        refused = await dialled(server, pin)
        assert isinstance(refused, Refused)
        assert refused.code == "target.certificate"


async def test_why_a_dial_fails(server: Server) -> None:
    found = [await dialled(server, secret="wrong"), await dialled(server, port=free_port())]
    assert [each.code for each in found if isinstance(each, Refused)] == ["target.refusing", "target.down"]
    assert isinstance(found[0], Refused)
    assert "does not admit us as app" in found[0].message


def greets(low: int, high: int) -> bytes:
    """A server's first word, with what it can."""
    fixed = pack("<I8sBHBHH", 1, b"12345678", 0, low, 45, 2, high) + b"\x15" + b"\0" * 10
    return my.packet(0, b"\x0a5.5.5\0" + fixed + b"123456789012\0mysql_native_password\0")


@pytest.mark.parametrize(
    ("greeting", "code"),
    [
        (greets(0x8A0A, 0xF) + my.packet(1, b"more"), "target.refusing"),
        (greets(0x8A0A, 0xF) + b"m", "target.refusing"),
        (greets(0x8A0A, 0xE), "target.refusing"),
        (greets(0x8200, 8), "target.plain"),
        (my.packet(0, b"\xff\x10\x04Too many connections"), "target.refusing"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "target.refusing"),
        (my.packet(0, b"\x0a5.5.5\0") + b"more", "target.refusing"),
    ],
)  # fmt: skip
async def test_what_is_no_server_that_we_know(server: Server, greeting: bytes, code: str) -> None:
    """Nothing was sent to it."""
    heard: list[bytes] = []
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        with suppress(ConnectionError):  # it is cut
            heard.append(await reader.read())
        writer.close()
        over.set()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        refused = await dialled(server, port=listening.sockets[0].getsockname()[1])
    assert isinstance(refused, Refused)
    assert refused.code == code
    async with asyncio.timeout(SECONDS):
        await over.wait()
    assert heard in ([], [b""])
