"""Users of databases for one session each, through a whole gateway, before a real PostgreSQL."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask
from onepam.domain.access.session_users import SessionUsers
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed, SessionFailed
from onepam.domain.sessions.session_users import LeftBecause, SessionUserLeft
from onepam.domain.sessions.target_secrets import SecretUsed
from onepam.recording.statements import StatementText
from onepam.store.read.alarms import alarms
from onepam.store.read.session_users import counted, left_users, user_of
from tests.boot.session_user_stand import OWNER, ROLE, Stand, secret
from tests.gateway_fixture import SECONDS, STANDING, Person, outcome, running_gateway
from tests.gateway_process import elsewhere, started
from tests.protocols.postgres.server import PASSWORD, Server, running_server
from tests.protocols.ways import TARGET, Postgres
from tests.targets import free_port

pytestmark = pytest.mark.anyio

OTHERS = "onepam_aaaaaaaaaaaaaaaa"
"""Somebody else's role, with a name as ours are."""

ROLES = f"""
CREATE ROLE {ROLE};
CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD '{PASSWORD}';
GRANT {ROLE} TO {OWNER} WITH ADMIN OPTION;
CREATE ROLE {OTHERS};
CREATE DATABASE other;
CREATE DATABASE closed;
REVOKE CONNECT ON DATABASE closed FROM PUBLIC;
GRANT CREATE ON DATABASE app TO {ROLE};
GRANT CREATE ON DATABASE other TO {ROLE};
"""
OURS = f"SELECT count(*) FROM pg_roles WHERE rolname ~ '^onepam_' AND rolname <> '{OTHERS}';"


class AtPostgres(Stand[Postgres]):
    """A stand before a real PostgreSQL."""

    async def psql(self, person: Person, script: str, database: str = "app") -> tuple[str, str]:
        words = self.way.words(await self.way.token(person)).replace("dbname=postgres", f"dbname={database}")
        done = await outcome(await self.gateway.start("psql", "-X", "-A", "-t", "-q", "-d", words), script.encode())
        return done.stdout.decode().strip(), done.stderr

    async def hold(self, user: str) -> asyncio.subprocess.Process:
        """A connection of the user's past the gateway, which works until it is ended."""
        where = f"host={self.way.server.folder} port={self.way.server.port} dbname=app user={user}"
        process = await self.gateway.start("psql", "-X", "-A", "-t", "-q", where)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"SELECT 'held';\nSELECT pg_sleep(600);\n")
        async with asyncio.timeout(SECONDS):
            assert (await process.stdout.readline()).strip() == b"held"
        return process

    async def working(self, person: Person, script: str = "") -> tuple[asyncio.subprocess.Process, str]:
        """A psql that goes on until its input ends, and the user that it is."""
        process = await self.gateway.start("psql", "-X", "-A", "-t", "-q", self.way.words(await self.way.token(person)))
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{script}SELECT current_user;\n".encode())
        async with asyncio.timeout(SECONDS):
            user = (await process.stdout.readline()).decode().strip()
        assert user, (await outcome(process)).stderr
        return process, user


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        running.sql(ROLES)
        yield running


@asynccontextmanager
async def standing(server: Server, folder: Path) -> AsyncIterator[AtPostgres]:
    egress = (f"127.0.0.1/32:{server.port}",)
    async with running_gateway(folder, egress=egress, postgres_port=free_port()) as gateway:
        found = AtPostgres(gateway, Postgres(gateway, server))
        await found.declare()
        await secret(gateway, await gateway.person())
        yield found


@pytest.fixture(scope="module")
async def stand(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AtPostgres]:
    async with standing(server, tmp_path_factory.mktemp("gateway")) as found:
        yield found


async def test_a_session_has_a_user_of_its_own_that_is_gone_after_it(stand: AtPostgres) -> None:
    person = await stand.gateway.person()
    asked = (
        "SELECT current_user, session_user, rolconnlimit, rolvaliduntil > now(), rolsuper OR rolcreaterole, "
        f"pg_has_role('{ROLE}', 'USAGE') FROM pg_roles WHERE rolname = current_user;"
    )
    said, errors = await stand.psql(person, asked)
    (made,) = stand.made(person)
    assert said == f"{made.user}|{made.user}|1|t|f|t", errors
    await stand.gone(made.user)
    assert await stand.sql(OURS) == "0"
    (ended,) = await stand.gateway.ended(person)
    assert (ended.session, made.role, made.made_by) == (made.session, ROLE, OWNER)
    texts = [each.text for each in stand.gateway.recorded(made.session) if isinstance(each, StatementText)]
    assert texts == [asked.encode()], "what the gateway does for itself is not the person's"
    assert await stand.gateway.platform.reader(user_of, None, made.session) == (made.user, ROLE)
    assert await stand.gateway.platform.reader(user_of, None, "none") == ("", "")
    assert not stand.gateway.events(SecretUsed), "the account's secret is leased to no session"
    assert "PASSWORD 'SCRAM-SHA-256$4096:" in stand.way.server.log


async def test_what_it_owns_is_given_to_its_role_and_its_grants_are_taken_back(stand: AtPostgres) -> None:
    person = await stand.gateway.person()
    for database in ("app", "other"):
        script = "CREATE SCHEMA made; CREATE TABLE made.t (x int);"
        script += "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;"
        _, errors = await stand.psql(person, script, database)
        assert not errors
    users = [each.user for each in stand.made(person)]
    assert len(set(users)) == 2
    for user in users:
        await stand.gone(user)
    asked = (
        "SELECT nspowner::regrole, relowner::regrole FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE nspname = 'made';"
    )
    for database in ("app", "other"):
        assert await stand.sql(f"\\c {database}\n{asked}") == f"{ROLE}|{ROLE}"
    assert await stand.sql(OURS) == "0"


async def test_its_connections_are_ended_and_the_ones_of_others_are_not(stand: AtPostgres) -> None:
    person, other = await stand.gateway.person(), await stand.gateway.person()
    process, user = await stand.working(person)
    beside, another = await stand.working(other)
    assert user != another
    await stand.sql(f"ALTER ROLE {user} CONNECTION LIMIT 5")
    held = await stand.hold(user)
    await outcome(process)
    await stand.gone(user)
    assert "terminating connection due to administrator command" in (await outcome(held, None)).stderr
    assert await stand.sql(OURS) == "1", "the user of the other session"
    assert await stand.sql(f"SELECT count(*) FROM pg_roles WHERE rolname = '{OTHERS}'") == "1"
    await stand.sweep()
    assert await stand.sql(OURS) == "1", "a sweep leaves alone what goes on"
    beside_done = await outcome(beside, b"SELECT 6 * 7;")
    assert beside_done.stdout.decode().strip() == "42"
    await stand.gone(another)


async def test_each_connection_of_a_pool_has_its_own_under_guardrails_and_a_mask(stand: AtPostgres) -> None:
    reads = Guardrails((StatementClass.READ, StatementClass.OTHER), 10)
    person = await stand.gateway.person(replace(STANDING, guardrails=reads))
    await stand.sql(
        "\\c app\nCREATE TABLE IF NOT EXISTS people (name text, email text); TRUNCATE people;\n"
        f"INSERT INTO people VALUES ('Joe', 'joe@example.com'); GRANT SELECT ON people TO {ROLE};"
    )
    await stand.declare(mask=Mask(("email",)))
    try:
        words = stand.way.words(await stand.way.token(person)).replace("dbname=postgres", "dbname=app")
        script = b"SELECT current_user, name, email FROM people; SHOW default_transaction_read_only;"
        clients = [await stand.gateway.start("psql", "-X", "-A", "-t", "-q", words) for _ in range(5)]
        done = await asyncio.gather(*(outcome(each, script) for each in clients))
    finally:
        await stand.declare()
    users = {each.user for each in stand.made(person)}
    assert {each.stdout.decode() for each in done} == {f"{user}|Joe|[masked]\non\n" for user in users}, done[0].stderr
    assert len(users) == 5
    for user in users:
        await stand.gone(user)
    assert await stand.sql(OURS) == "0"


async def test_what_cannot_be_dropped_is_left_behind_told_and_swept_later(stand: AtPostgres) -> None:
    person = await stand.gateway.person()
    process, user = await stand.working(person)
    await stand.sql(f"\\c closed\nCREATE TABLE kept (x int); ALTER TABLE kept OWNER TO {user};")
    await outcome(process)
    left = await stand.left(user)
    assert left.because is LeftBecause.OWNS
    found = await stand.gateway.platform.reader(left_users, None, TARGET)
    assert [(each.user, each.because) for each in found] == [(user, LeftBecause.OWNS)]
    assert "session_users" in [each.kind for each in await stand.gateway.platform.reader(alarms)]
    assert await stand.gateway.platform.reader(counted) == (1, 1)
    said, _ = await stand.psql(person, "SELECT 1")
    assert said == "1", "one left behind stops nobody"
    await stand.sweep()
    assert sum(each.user == user for each in stand.gateway.events(SessionUserLeft)) == 1, "said once"
    await stand.sql(f"GRANT CONNECT ON DATABASE closed TO {OWNER}")
    await stand.sweep()
    await stand.gone(user)
    assert await stand.sql("\\c closed\nSELECT relowner::regrole FROM pg_class WHERE relname = 'kept'") == ROLE
    assert "session_users" not in [each.kind for each in await stand.gateway.platform.reader(alarms)]
    assert await stand.sql(OURS) == "0"


async def test_a_server_that_is_down_at_the_end_is_swept_when_it_is_back(stand: AtPostgres) -> None:
    person, server = await stand.gateway.person(), stand.way.server
    (process, user), (other, lost) = await stand.working(person), await stand.working(person)
    await asyncio.to_thread(server.stop)
    try:
        for each in (process, other):
            await outcome(each)
        told = {(await stand.left(each)).because for each in (user, lost)}
    finally:
        await asyncio.to_thread(server.again)
    assert told <= {LeftBecause.DOWN, LeftBecause.REFUSING}, "as it stops, it refuses"
    assert await stand.sql(OURS) == "2"
    await stand.sql(f"DROP ROLE {lost}")
    await stand.declare(address="localhost")
    await stand.sweep()
    await stand.gone(user)
    assert await stand.sql(OURS) == "0"
    await stand.left(lost, LeftBecause.MOVED)  # it may be elsewhere
    await stand.declare()
    await stand.sweep()
    await stand.gone(lost)


async def test_an_account_that_may_not_make_users_and_one_whose_secret_is_gone_open_nothing(stand: AtPostgres) -> None:
    person = await stand.gateway.person()
    await stand.sql(f"ALTER ROLE {OWNER} NOCREATEROLE")
    _, errors = await stand.psql(person, "SELECT 1")
    await stand.sql(f"ALTER ROLE {OWNER} CREATEROLE")
    assert "the target makes no user for this session: permission denied to create role" in errors
    (made,) = stand.made(person)
    await stand.gone(made.user)
    (failed,) = await stand.gateway.ended(person)
    assert isinstance(failed, SessionFailed)
    users = SessionUsers("nobody", {stand.login: ROLE})
    await stand.declare(session_users=users)
    _, errors = await stand.psql(person, "SELECT 1")
    await stand.declare()
    assert f"the vault holds no secret for nobody on {TARGET}" in errors
    assert len(stand.made(person)) == 1


async def test_who_would_be_another_user_by_now_is_another_session(stand: AtPostgres) -> None:
    person = await stand.gateway.person()
    process, user = await stand.working(person)
    await stand.sql("CREATE ROLE app_writers")
    await stand.declare(session_users=SessionUsers(OWNER, {stand.login: "app_writers"}))
    (closed,) = await stand.gateway.ended(person)
    assert isinstance(closed, SessionClosed)
    assert closed.because is SessionEnd.ACCESS_NARROWED
    await outcome(process)
    await stand.gone(user)
    await stand.declare()


async def test_a_gateway_that_is_stopped_leaves_no_user(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onepam.boot.platform.STOP_SECONDS", SECONDS)  # what it does not get in time, the next start
    async with standing(server, tmp_path) as stand:
        process, user = await stand.working(await stand.gateway.person())
        await stand.sql(f"SELECT 1 / count(*) FROM pg_roles WHERE rolname = '{user}'")
    await outcome(process)
    assert server.sql(OURS).strip() == "0"


DYING = """
import os, runpy, signal, sys
from onepam.protocols.postgres import session_users, wire

ask = session_users.ask

async def dies(leg, text, seconds):
    if not text.startswith("CREATE ROLE"):
        return await ask(leg, text, seconds)
    leg.send(wire.message(wire.QUERY, text.encode() + b"\\0"))
    os.kill(os.getpid(), signal.SIGKILL)

session_users.ask = dies
sys.argv = ["up", *sys.argv[4:]]
runpy.run_module("onepam.boot.commands.up", run_name="__main__", alter_sys=True)
"""
"""A gateway that dies when it has had a user made, and hears no answer."""


async def test_what_a_gateway_that_is_killed_leaves_is_swept_by_its_next_start(server: Server, tmp_path: Path) -> None:
    """Once as a user is made, once in the midst of a session."""
    with elsewhere(tmp_path) as (gateway, egress):
        gateway.platform.config = replace(gateway.platform.config, postgres_port=free_port())
        stand, person = AtPostgres(gateway, Postgres(gateway, server)), await gateway.person()
        await stand.declare()
        await secret(gateway, person)
        settings = {"egress": [*egress, f"127.0.0.1/32:{server.port}"], "postgres_port": stand.way.port}
        (tmp_path / "dying.py").write_text(DYING)
        dying = started(tmp_path, (sys.executable, str(tmp_path / "dying.py")), **settings)
        _, errors = await stand.psql(person, "SELECT 1")
        assert errors
        assert await asyncio.to_thread(dying.popen.wait, SECONDS) == -signal.SIGKILL
        (made,) = stand.made(person)

        killed = started(tmp_path, **settings)
        await stand.gone(made.user)
        process, user = await stand.working(person)
        assert user != made.user
        await asyncio.to_thread(killed.kill)
        await outcome(process)
        assert await stand.sql(OURS) == "1"
        again = started(tmp_path, **settings)
        await stand.gone(user)
        assert await stand.sql(OURS) == "0"
        ends = await gateway.ended(person, 2)
        assert [each.because for each in ends if isinstance(each, SessionClosed)] == [SessionEnd.GATEWAY_DIED] * 2
        await asyncio.to_thread(again.stop)
