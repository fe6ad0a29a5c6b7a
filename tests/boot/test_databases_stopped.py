"""A gateway that is stopped or killed in the middle of what runs at databases: the recordings, and what the server has
left."""

import asyncio
import contextlib
import signal
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.sessions.target_secrets import prove_secret
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed, SessionOpened
from onepam.domain.sessions.target_secrets import Kept, SecretSet, about
from onepam.kernel.secret import Secret
from onepam.recording.statements import StatementText
from tests.gateway_fixture import SECONDS, Gateway, Person
from tests.gateway_process import elsewhere, started
from tests.protocols.postgres.server import PASSWORD, Server, running_server
from tests.protocols.ways import TARGET, Postgres
from tests.targets import free_port

pytestmark = pytest.mark.anyio

WORK = {
    "idle": "BEGIN; SELECT 'idle'",
    "asleep": "SELECT 'asleep', pg_sleep(600)",
    "rows": "SELECT 'rows', generate_series(1, 1000000000)",
    "copy": "COPY kept FROM STDIN",
}


async def secret(gateway: Gateway, person: Person) -> None:
    platform, login = gateway.platform, gateway.target.login
    sealed = platform.envelope.seal(Secret(PASSWORD.encode()), about(Kept("sec_1", 1), TARGET, login))
    await gateway.record(SecretSet("sec_1", 1, TARGET, login, person.id, b64encode(sealed).decode("ascii")))
    assert await prove_secret(platform.ledger, Kept("sec_1", 1)) is None


class AtWork:
    """A psql that goes on until it is ended."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._said = asyncio.create_task(self._read())

    @classmethod
    async def on(cls, way: Postgres, person: Person, script: str) -> "AtWork":
        words = way.words(await way.token(person))
        process = await way.gateway.start("psql", "-X", "-q", "-v", "FETCH_COUNT=100", words)
        assert process.stdin is not None
        process.stdin.write(f"{script};\n".encode() + b"1\n" * 10 * script.startswith("COPY"))
        return cls(process)

    async def _read(self) -> str:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        said, _ = await asyncio.gather(self._process.stderr.read(), _drained(self._process.stdout))
        return said.decode("utf-8", "replace")

    async def said(self) -> str:
        """What it said on standard error, once it has ended; it looks at its connection when its input ends."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        async with asyncio.timeout(SECONDS):
            await self._process.wait()
            return await self._said


async def _drained(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass


async def backends(server: Server, login: str, count: int) -> None:
    """Until the server has so many of the login."""
    asked = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{login}'"
    async with asyncio.timeout(SECONDS):
        while (await asyncio.to_thread(server.sql, asked)).strip() != str(count):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def recorded(gateway: Gateway, person: Person, script: str) -> None:
    """Until the recording on disk has what runs."""
    wanted = script.rsplit("; ", maxsplit=1)[-1].encode()
    async with asyncio.timeout(SECONDS):
        while True:
            for each in gateway.events(SessionOpened, person):
                with contextlib.suppress(OSError):
                    frames = gateway.recorded(each.session)
                    if any(isinstance(frame, StatementText) and wanted in frame.text for frame in frames):
                        return
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_in_the_middle_of_what_runs(tmp_path: Path, how: str) -> None:
    """A stop cancels what runs. Who is killed can cancel nothing: what waits for its client ends at once, and what does
    not, when the server looks (`client_connection_check_interval`)."""
    with running_server() as server, elsewhere(tmp_path) as (gateway, egress):
        gateway.platform.config = replace(gateway.platform.config, postgres_port=free_port())
        way, login = Postgres(gateway, server), gateway.target.login
        server.sql(f"CREATE ROLE \"{login}\" LOGIN PASSWORD '{PASSWORD}'; CREATE TABLE kept (n int);"
                   f'GRANT INSERT ON kept TO "{login}"')  # fmt: skip
        if how == "killed":
            server.sql("ALTER SYSTEM SET client_connection_check_interval = '1s'")
            server.sql("SELECT pg_reload_conf()")
        await gateway.record(way.resource(TARGET))
        people = {name: await gateway.person() for name in WORK}
        await secret(gateway, people["idle"])
        settings = {"egress": [*egress, f"127.0.0.1/32:{server.port}"], "postgres_port": way.port}
        process = started(tmp_path, **settings)
        clients = {name: await AtWork.on(way, people[name], script) for name, script in WORK.items()}
        for name, script in WORK.items():
            await recorded(gateway, people[name], script)
        await backends(server, login, len(WORK))

        process.popen.send_signal(signal.SIGTERM if how == "stopped" else signal.SIGKILL)
        await asyncio.to_thread(process.popen.wait, SECONDS)
        await backends(server, login, 0)
        said = {name: await client.said() for name, client in clients.items()}
        assert server.sql("SELECT count(*) FROM kept").strip() == "0", "a COPY that was not ended kept nothing"
        if how == "stopped":
            for name in ("asleep", "copy"):
                assert SessionEnd.GATEWAY_STOPPED.told in said[name], said
        again = started(tmp_path, **settings)
        for name, person in people.items():
            (closed,) = await gateway.ended(person)
            assert isinstance(closed, SessionClosed)
            because = SessionEnd.GATEWAY_STOPPED if how == "stopped" else SessionEnd.GATEWAY_DIED
            assert (name, closed.because, closed.verified) == (name, because, how == "stopped")
            assert (closed.gap is None) is (how == "stopped")
            texts = [each.text for each in gateway.recorded(closed.session) if isinstance(each, StatementText)]
            assert any(WORK[name].rsplit("; ", maxsplit=1)[-1].encode() in text for text in texts)
        await asyncio.to_thread(again.stop)
