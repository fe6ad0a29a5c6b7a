"""The secret of a target, set and used through a whole gateway: it is in nothing that anybody gets to see or finds."""

import asyncio
import os
import re
import resource
import signal
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import md5, sha1, sha256
from pathlib import Path
from secrets import token_bytes
from struct import pack

import httpx2
import pytest

from onepam.boot.clock import wall_clock
from onepam.domain.access.model import ConsoleRight
from onepam.domain.sessions.events import SessionClosed
from onepam.domain.sessions.target_secrets import SecretUsed
from onepam.domain.signing_in.events import FactorKind, SignedIn, SignInKind
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.ids import new_id
from tests.gateway_fixture import SECONDS, Gateway, Person
from tests.gateway_process import Process, elsewhere, started
from tests.protocols.mysql import messages as my
from tests.protocols.mysql.server import running_server as running_mariadb
from tests.protocols.mysql.way import Mysql
from tests.protocols.postgres.server import PASSWORD, running_server
from tests.protocols.postgres.test_serve import TLS, password, start
from tests.protocols.ways import TARGET, Postgres, login_token
from tests.targets import free_port

pytestmark = pytest.mark.anyio

OTHER = "db-2"
WRONG = "canary that the target refuses"
PAGES = ("/", "/sessions", "/resources", f"/resources/{TARGET}", f"/resources/{OTHER}", "/ledger")


def forms(word: str) -> set[bytes]:
    """A word as it is, and as what is made of it without a key."""
    data = word.encode()
    found = {data, data.hex().encode(), b64encode(data).rstrip(b"="), data[::-1], word.encode("utf-16-le")}
    once = sha1(data, usedforsecurity=False).digest()
    found |= {once.hex().encode(), sha1(once, usedforsecurity=False).hexdigest().encode()}
    return found | {md5(data, usedforsecurity=False).hexdigest().encode(), sha256(data).hexdigest().encode()}


def seen(where: bytes) -> list[bytes]:
    return [each for word in (PASSWORD, WRONG) for each in forms(word) if each in where]


async def signed_in(gateway: Gateway, person: Person, kind: SignInKind) -> str:
    """The token of another sign-in of the person."""
    token, now = "opc_" + token_bytes(24).hex()[:43], wall_clock()
    digest, factors = sha256(token.encode()).hexdigest(), (FactorKind.PASSWORD, FactorKind.TOTP)
    opened = SignedIn(
        new_id("sgn", token_bytes), person.id, kind, factors, now, Instant(now + HOUR), None,
        token_digest=digest, source="127.0.0.1", agent="test",
    )  # fmt: skip
    await gateway.record(opened)
    return token


async def all_bytes(way: Postgres, person: Person) -> bytes:
    """Whatever a client of the person gets, within TLS: from its first byte to the end of what it asked."""
    context = ssl.create_default_context(cafile=str(way.root))
    reader, writer = await asyncio.open_connection("127.0.0.1", way.port)
    writer.write(TLS)
    async with asyncio.timeout(SECONDS):
        assert await reader.readexactly(1) == b"S"
        await writer.start_tls(context, server_hostname="localhost", ssl_handshake_timeout=SECONDS)
        writer.write(start(user=f"{way.gateway.target.login}@{TARGET}", database="postgres"))
        writer.write(password(await way.token(person)))
        text = b"SELECT usename, passwd FROM pg_user; SHOW ALL\0"
        writer.write(b"Q" + (4 + len(text)).to_bytes(4, "big") + text + b"X\0\0\0\x04")
        return await reader.read()


async def all_mysql_bytes(way: Mysql, person: Person) -> bytes:
    """The same of MySQL's door."""
    context = ssl.create_default_context(cafile=str(way.root))
    token, user = await login_token(way.gateway, person, OTHER), f"{way.gateway.target.login}@{OTHER}"
    reader, writer = await asyncio.open_connection("127.0.0.1", way.port)
    async with asyncio.timeout(SECONDS):
        head = await reader.readexactly(4)
        heard = head + await reader.readexactly(int.from_bytes(head[:3], "little"))
        writer.write(my.packet(1, pack("<IIB23x", 0x8AAA05, 1 << 24, 45)))
        await writer.start_tls(context, server_hostname="localhost", ssl_handshake_timeout=SECONDS)
        start = pack("<IIB23x", 0x8AA205, 1 << 24, 45) + user.encode() + b"\0"
        writer.write(my.packet(2, start + bytes([len(token) + 1]) + token.encode() + b"\0mysql_clear_password\0"))
        for text in (b"SHOW VARIABLES", b"SELECT * FROM information_schema.processlist"):
            writer.write(my.query(text))
        writer.write(my.packet(0, b"\x01"))
        return heard + await reader.read()


@contextmanager
def dumps_allowed() -> Iterator[None]:
    """As on a machine on which core dumps are wanted."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


def aborted(process: Process) -> bool:
    """Ends it as a fault in a library would; whether the system made an image of its memory."""
    limits = Path(f"/proc/{process.popen.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits), limits
    process.popen.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.popen.pid, 0)
    process.popen.returncode = -os.WTERMSIG(status)
    assert process.popen.returncode == -signal.SIGABRT
    return os.WCOREDUMP(status)


async def test_nobody_sees_the_secret_of_a_target(tmp_path: Path) -> None:
    with running_server() as server, running_mariadb() as other, elsewhere(tmp_path) as (gateway, egress):
        config = replace(gateway.platform.config, postgres_port=free_port(), mysql_port=free_port())
        gateway.platform.config = config
        way, mysql, login = Postgres(gateway, server), Mysql(gateway, other), gateway.target.login
        await asyncio.to_thread(server.sql, f"CREATE ROLE \"{login}\" LOGIN PASSWORD '{PASSWORD}'")
        await asyncio.to_thread(other.sql, f"CREATE OR REPLACE USER `{login}`@`127.0.0.1` IDENTIFIED BY '{PASSWORD}'")
        await gateway.record(way.resource(TARGET), mysql.resource(OTHER))
        admin = await gateway.person(console=(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT))
        cookie, token = [await signed_in(gateway, admin, kind) for kind in (SignInKind.CONSOLE, SignInKind.CLI)]
        egress += [f"127.0.0.1/32:{each.port}" for each in (server, other)]
        with dumps_allowed():
            process = started(tmp_path, egress=egress, postgres_port=way.port, mysql_port=mysql.port)

        shown: dict[str, bytes] = {}
        bearer, cookies = {"Authorization": f"Bearer {token}"}, {"Cookie": f"onepam_session={cookie}"}
        async with httpx2.AsyncClient(base_url=process.console, timeout=SECONDS, trust_env=False) as web:
            for resource, value, status in [
                (each, *tried) for each in (TARGET, OTHER) for tried in ((WRONG, 409), (PASSWORD, 201))
            ]:
                body = {"resource": resource, "login": login, "value": value}
                answer = await web.post("/api/v1/secrets", json=body, headers=bearer)
                assert answer.status_code == status, answer.text
                shown[f"POST /secrets: {resource} {status}"] = answer.content
            shown["client"] = await all_bytes(way, admin)
            assert b"server_version" in shown["client"]
            shown["client of MySQL"] = await all_mysql_bytes(mysql, admin)
            assert b"lower_case_table_names" in shown["client of MySQL"]
            closed = [each.session for each in await gateway.ended(admin, 2) if isinstance(each, SessionClosed)]
            assert len(gateway.events(SecretUsed)) == len(closed) == 2
            await asyncio.to_thread(server.sql, f"ALTER ROLE \"{login}\" PASSWORD 'another'")
            await asyncio.to_thread(other.sql, f"ALTER USER `{login}`@`127.0.0.1` IDENTIFIED BY 'another'")
            shown["refused client"] = await all_bytes(way, admin)
            assert b"FATAL" in shown["refused client"]
            shown["refused client of MySQL"] = await all_mysql_bytes(mysql, admin)
            assert b"does not admit us" in shown["refused client of MySQL"]
            sessions = [f"/sessions/{each}" for each in closed]
            asked = ("/secrets", "/sessions", *sessions, *(f"{each}/statements" for each in sessions))
            for path in (f"/api/v1{each}" for each in asked):
                shown[path] = (await web.get(path, headers=bearer)).content
            for path in (*PAGES, *sessions):
                answer = await web.get(path, headers=cookies)
                assert answer.status_code in (200, 404), (path, answer.status_code)
                shown[path] = answer.content
        assert not await asyncio.to_thread(aborted, process), "an image of its memory was made"
        shown["log"] = process.log.read_bytes()
        assert_unseen(tmp_path, gateway, closed, shown)


def assert_unseen(folder: Path, gateway: Gateway, sessions: list[str], shown: dict[str, bytes]) -> None:
    """Neither in what was shown, nor in recordings, ledger and files."""
    shown["recordings"] = "\n".join(repr(gateway.recorded(each)) for each in sessions).encode()
    assert b"pg_user" in shown["recordings"]
    assert b"SHOW VARIABLES" in shown["recordings"]
    shown["ledger"] = "\n".join(map(repr, gateway.events(object))).encode()
    for file in (each for each in folder.rglob("*") if each.is_file()):
        shown[str(file.relative_to(folder))] = file.read_bytes()
    assert seen(f"said: {PASSWORD}".encode()), "what is looked for would be found"
    assert {name: found for name, data in shown.items() if (found := seen(data))} == {}
    assert len(shown) > 20
    assert list(Path.cwd().glob("core*")) == []
