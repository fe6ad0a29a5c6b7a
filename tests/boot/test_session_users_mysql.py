"""Users of databases for one session each, through a whole gateway, before a real MariaDB."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed
from onepam.domain.sessions.session_users import LeftBecause, SessionUserLeft
from onepam.domain.sessions.target_secrets import SecretUsed
from onepam.recording.statements import StatementText
from onepam.store.read.alarms import alarms
from tests.boot.session_user_stand import OWNER, ROLE, Stand, secret
from tests.gateway_fixture import SECONDS, STANDING, Person, outcome, running_gateway
from tests.gateway_process import elsewhere, started
from tests.protocols.mysql.server import Server, running_server
from tests.protocols.mysql.way import Mysql
from tests.protocols.postgres.server import PASSWORD
from tests.protocols.ways import TARGET, login_token
from tests.targets import free_port

pytestmark = pytest.mark.anyio

OTHERS = "onepam_aaaaaaaaaaaaaaaa"
"""Somebody else's account, with a name as ours are."""

ACCOUNTS = f"""
CREATE ROLE {ROLE};
GRANT ALL ON app.* TO {ROLE};
CREATE USER {OWNER} IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;
GRANT CREATE USER, PROCESS, CONNECTION ADMIN ON *.* TO {OWNER};
GRANT SELECT (User, Host) ON mysql.user TO {OWNER};
GRANT {ROLE} TO {OWNER} WITH ADMIN OPTION;
CREATE USER {OTHERS}@localhost;
CREATE TABLE app.people (name TEXT, email TEXT);
INSERT INTO app.people VALUES ('Joe', 'joe@example.com');
"""
OURS = f"SELECT COUNT(*) FROM mysql.global_priv WHERE user LIKE 'onepam\\_%' AND user <> '{OTHERS}'"


class AtMariadb(Stand[Mysql]):
    """A stand before a real MariaDB."""

    async def client(self, person: Person) -> asyncio.subprocess.Process:
        """A `mariadb` that goes on until its input ends."""
        token = await login_token(self.gateway, person, TARGET)
        return await self.gateway.start(
            "mariadb", "--no-defaults", "--batch", "--skip-column-names", "--unbuffered", "--host=localhost",
            "--protocol=tcp", f"--port={self.way.port}", f"--user={self.login}@{TARGET}", f"--password={token}",
            f"--ssl-ca={self.way.root}", "--ssl-verify-server-cert", "app",
        )  # fmt: skip

    async def mariadb(self, person: Person, script: str) -> tuple[str, str]:
        done = await outcome(await self.client(person), script.encode())
        return done.stdout.decode().strip(), done.stderr

    async def working(self, person: Person, script: str = "") -> tuple[asyncio.subprocess.Process, str]:
        """A client that goes on, and what it says last of the script or else which user it is."""
        process = await self.client(person)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{script}SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1);\n".encode())
        async with asyncio.timeout(SECONDS):
            user = (await process.stdout.readline()).decode().strip()
        assert user, (await outcome(process)).stderr
        return process, user


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        running.sql(ACCOUNTS)
        yield running


@pytest.fixture(scope="module")
async def stand(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AtMariadb]:
    egress, folder = (f"127.0.0.1/32:{server.port}",), tmp_path_factory.mktemp("gateway")
    async with running_gateway(folder, egress=egress, mysql_port=free_port()) as gateway:
        found = AtMariadb(gateway, Mysql(gateway, server))
        await found.declare()
        await secret(gateway, await gateway.person())
        yield found


async def test_a_session_has_a_user_of_its_own_that_is_gone_after_it(stand: AtMariadb) -> None:
    person = await stand.gateway.person()
    asked = "SELECT CURRENT_USER(), CURRENT_ROLE(), DATABASE()"
    said, errors = await stand.mariadb(person, f"{asked};")
    (made,) = stand.made(person)
    user, role, database = said.split("\t")
    assert (user.split("@")[0], role, database) == (made.user, ROLE, "app"), errors
    await stand.gone(made.user)
    assert await stand.sql(OURS) == "0"
    await stand.gateway.ended(person)
    assert (made.role, made.made_by) == (ROLE, OWNER)
    texts = [each.text for each in stand.gateway.recorded(made.session) if isinstance(each, StatementText)]
    assert asked.encode() in texts
    assert not [each for each in texts if b"USER " in each or b"ROLE " in each], "nothing of what the gateway does"
    assert not stand.gateway.events(SecretUsed), "the account's secret is leased to no session"


async def test_each_connection_has_its_own_under_guardrails_and_a_mask(stand: AtMariadb) -> None:
    reads = Guardrails((StatementClass.READ, StatementClass.OTHER), 10)
    person = await stand.gateway.person(replace(STANDING, guardrails=reads))
    await stand.declare(mask=Mask(("email",)))
    try:
        script = "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1), name, email FROM people; SELECT @@tx_read_only;"
        done = await asyncio.gather(*(stand.mariadb(person, script) for _ in range(3)))
    finally:
        await stand.declare()
    users = [each.user for each in stand.made(person)]
    assert {said for said, _ in done} == {f"{user}\tJoe\t[masked]\n1" for user in users}, done[0][1]
    assert len(set(users)) == 3
    for user in users:
        await stand.gone(user)
    assert await stand.sql(OURS) == "0"


async def test_one_of_a_persons_sessions_cancels_another(stand: AtMariadb) -> None:
    """The gateway signs in a second time as the user, for that."""
    person = await stand.gateway.person()
    process = await stand.client(person)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"status\nSELECT 1;\nSELECT SLEEP(600);\n")
    async with asyncio.timeout(SECONDS):
        while not (line := (await process.stdout.readline()).decode()).startswith("Connection id:"):
            assert line
        sleeps = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"
        while await stand.sql(sleeps) != "1":  # noqa: ASYNC110 - it is the server's table
            await asyncio.sleep(0.05)
    _, errors = await stand.mariadb(person, f"KILL QUERY {line.split()[-1]};")
    assert errors == ""
    assert "Query execution was interrupted" in (await outcome(process)).stderr
    for each in stand.made(person):
        await stand.gone(each.user)


async def test_what_cannot_be_dropped_is_left_behind_told_and_swept_later(stand: AtMariadb) -> None:
    person = await stand.gateway.person()
    process, user = await stand.working(person)
    await stand.sql(f"REVOKE CREATE USER ON *.* FROM {OWNER}")
    await outcome(process)
    assert (await stand.left(user)).because is LeftBecause.KEPT
    assert "session_users" in [each.kind for each in await stand.gateway.platform.reader(alarms)]
    await stand.sweep()
    assert sum(each.user == user for each in stand.gateway.events(SessionUserLeft)) == 1, "said once"
    await stand.sql(f"GRANT CREATE USER ON *.* TO {OWNER}")
    await stand.sweep()
    await stand.gone(user)
    assert await stand.sql(OURS) == "0"
    assert await stand.sql(f"SELECT COUNT(*) FROM mysql.global_priv WHERE user = '{OTHERS}'") == "1"


async def test_what_it_was_the_definer_of_is_told_and_it_is_gone(stand: AtMariadb) -> None:
    person = await stand.gateway.person()
    _, errors = await stand.mariadb(person, "CREATE VIEW names AS SELECT name FROM people;")
    assert errors == ""
    (made,) = stand.made(person)
    await stand.gone(made.user)
    assert (await stand.left(made.user)).because is LeftBecause.DEFINES
    assert await stand.sql(OURS) == "0"
    assert "session_users" not in [each.kind for each in await stand.gateway.platform.reader(alarms)]


async def test_what_a_gateway_that_is_killed_leaves_is_swept_by_its_next_start(server: Server, tmp_path: Path) -> None:
    with elsewhere(tmp_path) as (gateway, egress):
        gateway.platform.config = replace(gateway.platform.config, mysql_port=free_port())
        stand, person = AtMariadb(gateway, Mysql(gateway, server)), await gateway.person()
        await stand.declare()
        await secret(gateway, person)
        settings = {"egress": [*egress, f"127.0.0.1/32:{server.port}"], "mysql_port": stand.way.port}
        killed = started(tmp_path, **settings)
        process, user = await stand.working(person)
        await asyncio.to_thread(killed.kill)
        await outcome(process)
        assert await stand.sql(OURS) == "1"
        again = started(tmp_path, **settings)
        await stand.gone(user)
        assert await stand.sql(OURS) == "0"
        (ended,) = await gateway.ended(person)
        assert isinstance(ended, SessionClosed)
        assert ended.because is SessionEnd.GATEWAY_DIED
        await asyncio.to_thread(again.stop)
