"""Users of databases for one session each, through a whole gateway, before a real PostgreSQL."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from onepam.app.sessions.target_secrets import prove_secret
from onepam.domain.access.session_users import SessionUsers
from onepam.domain.sessions.session_users import SessionUserDropped, SessionUserLeft, SessionUserMade
from onepam.domain.sessions.target_secrets import Kept, SecretSet, SecretUsed, about
from onepam.kernel.secret import Secret
from tests.gateway_fixture import SECONDS, Gateway, Person, outcome, running_gateway
from tests.protocols.postgres.server import PASSWORD, Server, running_server
from tests.protocols.ways import TARGET, Postgres
from tests.targets import free_port

pytestmark = pytest.mark.anyio

OWNER, ROLE = "pam_owner", "app_readers"
ROLES = f"""
CREATE ROLE {ROLE};
CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD '{PASSWORD}';
GRANT {ROLE} TO {OWNER} WITH ADMIN OPTION;
CREATE ROLE onepam_somebody;
CREATE DATABASE other;
GRANT CREATE ON DATABASE app TO {ROLE};
GRANT CREATE ON DATABASE other TO {ROLE};
"""
OURS = "SELECT count(*) FROM pg_roles WHERE rolname ~ '^onepam_[a-z2-7]{16}$';"


@dataclass
class Stand:
    """A gateway before a server at which users are made for sessions of the login."""

    gateway: Gateway
    server: Server
    way: Postgres

    @property
    def login(self) -> str:
        return self.gateway.target.login

    async def psql(self, person: Person, script: str, database: str = "app") -> tuple[str, str]:
        words = self.way.words(await self.way.token(person)).replace("dbname=app", f"dbname={database}")
        done = await outcome(await self.gateway.start("psql", "-X", "-A", "-t", "-q", "-d", words), script.encode())
        return done.stdout.decode().strip(), done.stderr

    async def gone(self, user: str) -> SessionUserDropped:
        """That a user is gone, once the ledger says so."""
        async with asyncio.timeout(SECONDS):
            while True:
                for each in self.gateway.events(SessionUserDropped):
                    if each.user == user:
                        return each
                await asyncio.sleep(0.05)

    async def sql(self, script: str) -> str:
        return (await asyncio.to_thread(self.server.sql, script)).strip()

    def made(self) -> list[SessionUserMade]:
        return self.gateway.events(SessionUserMade)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        running.sql(ROLES)
        yield running


@pytest.fixture(scope="module")
async def stand(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    folder, port = tmp_path_factory.mktemp("gateway"), server.port
    async with running_gateway(folder, egress=(f"127.0.0.1/32:{port}",), postgres_port=free_port()) as gateway:
        way, platform = Postgres(gateway, server), gateway.platform
        users = SessionUsers(OWNER, {gateway.target.login: ROLE})
        await gateway.record(way.resource(TARGET, session_users=users))
        kept, by = Kept("sec_1", 1), await gateway.person()
        sealed = platform.envelope.seal(Secret(PASSWORD.encode()), about(kept, TARGET, OWNER))
        await gateway.record(SecretSet("sec_1", 1, TARGET, OWNER, by.id, b64encode(sealed).decode("ascii")))
        assert await prove_secret(platform.ledger, kept) is None
        yield Stand(gateway, server, way)


async def test_a_session_has_a_user_of_its_own_that_is_gone_after_it(stand: Stand) -> None:
    person = await stand.gateway.person()
    said, errors = await stand.psql(
        person,
        "SELECT current_user, session_user, rolconnlimit, rolvaliduntil > now(), rolsuper OR rolcreaterole, "
        f"pg_has_role('{ROLE}', 'USAGE') FROM pg_roles WHERE rolname = current_user;",
    )
    made = stand.made()[-1]
    assert said == f"{made.user}|{made.user}|1|t|f|t", errors
    await stand.gone(made.user)
    assert await stand.sql(OURS) == "0"
    (ended,) = await stand.gateway.ended(person)
    assert (ended.session, made.role, made.made_by) == (made.session, ROLE, OWNER)
    assert not stand.gateway.events(SecretUsed), "the account's secret is leased to no session"
    assert not stand.gateway.events(SessionUserLeft)
