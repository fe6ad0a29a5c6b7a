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
from hashlib import md5, sha256
from pathlib import Path
from secrets import token_bytes

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
from tests.protocols.postgres.server import PASSWORD, running_server
from tests.protocols.postgres.test_serve import TLS, password, start
from tests.protocols.ways import TARGET, Postgres
from tests.targets import free_port

pytestmark = pytest.mark.anyio

WRONG = "canary that the target refuses"
PAGES = ("/", "/sessions", "/resources", f"/resources/{TARGET}", "/ledger")


def forms(word: str) -> set[bytes]:
    """A word as it is, and as what is made of it without a key."""
    data = word.encode()
    found = {data, data.hex().encode(), b64encode(data).rstrip(b"="), data[::-1], word.encode("utf-16-le")}
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
    with running_server() as server, elsewhere(tmp_path) as (gateway, egress):
        gateway.platform.config = replace(gateway.platform.config, postgres_port=free_port())
        way, login = Postgres(gateway, server), gateway.target.login
        await asyncio.to_thread(server.sql, f"CREATE ROLE \"{login}\" LOGIN PASSWORD '{PASSWORD}'")
        await gateway.record(way.resource(TARGET))
        admin = await gateway.person(console=(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT))
        cookie, token = [await signed_in(gateway, admin, kind) for kind in (SignInKind.CONSOLE, SignInKind.CLI)]
        with dumps_allowed():
            process = started(tmp_path, egress=[*egress, f"127.0.0.1/32:{server.port}"], postgres_port=way.port)

        shown: dict[str, bytes] = {}
        bearer, cookies = {"Authorization": f"Bearer {token}"}, {"Cookie": f"onepam_session={cookie}"}
        async with httpx2.AsyncClient(base_url=process.console, timeout=SECONDS, trust_env=False) as web:
            body = {"resource": TARGET, "login": login}
            for value, status in ((WRONG, 409), (PASSWORD, 201)):
                answer = await web.post("/api/v1/secrets", json={**body, "value": value}, headers=bearer)
                assert answer.status_code == status, answer.text
                shown[f"POST /secrets: {status}"] = answer.content
            shown["client"] = await all_bytes(way, admin)
            assert b"server_version" in shown["client"]
            (closed,) = await gateway.ended(admin)
            assert isinstance(closed, SessionClosed)
            assert len(gateway.events(SecretUsed)) == 1
            await asyncio.to_thread(server.sql, f"ALTER ROLE \"{login}\" PASSWORD 'another'")
            shown["refused client"] = await all_bytes(way, admin)
            assert b"FATAL" in shown["refused client"]
            asked = ("/api/v1/secrets", "/api/v1/sessions", f"/api/v1/sessions/{closed.session}")
            for path in (*asked, f"/api/v1/sessions/{closed.session}/statements"):
                shown[path] = (await web.get(path, headers=bearer)).content
            for path in (*PAGES, f"/sessions/{closed.session}"):
                answer = await web.get(path, headers=cookies)
                assert answer.status_code in (200, 404), (path, answer.status_code)
                shown[path] = answer.content
        shown["recording"] = "\n".join(map(repr, gateway.recorded(closed.session))).encode()
        assert b"pg_user" in shown["recording"]
        assert not await asyncio.to_thread(aborted, process), "an image of its memory was made"
        shown["log"] = process.log.read_bytes()
        shown["ledger"] = "\n".join(map(repr, gateway.events(object))).encode()
        for file in (each for each in tmp_path.rglob("*") if each.is_file()):
            shown[str(file.relative_to(tmp_path))] = file.read_bytes()
        assert seen(f"said: {PASSWORD}".encode()), "what is looked for would be found"
        assert {name: found for name, data in shown.items() if (found := seen(data))} == {}
        assert len(shown) > 20
        assert list(Path.cwd().glob("core*")) == []
