"""The user of one session at a MySQL of its makers, as at MariaDB but for the names of some rights."""

from collections.abc import Iterator
from secrets import token_bytes

import pytest

from onepam.domain.sessions.session_users import LeftBecause
from onepam.kernel.errors import Refused
from onepam.protocols.mysql.answers import Failed, ask
from onepam.protocols.mysql.dial import TargetLeg
from onepam.protocols.sql.session_users import new_name
from onepam.protocols.sql.target import Where
from tests.conformance.databases.mysql_newer import mysql
from tests.protocols.mysql.server import Server, running_server
from tests.protocols.mysql.test_session_users import OWN, ROLE, SECONDS, Died, Dying, dropped, made, signed_in
from tests.protocols.postgres.server import PASSWORD

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with mysql() as kind, running_server(kind) as running:
        running.sql(
            f"CREATE ROLE `{ROLE}`; CREATE DATABASE held; GRANT ALL ON held.* TO `{ROLE}`;"
            f"CREATE USER owner IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;"
            "GRANT CREATE USER, PROCESS ON *.* TO owner;"
            "GRANT CONNECTION_ADMIN, ALLOW_NONEXISTENT_DEFINER ON *.* TO owner;"
            f"GRANT SELECT (User, Host) ON mysql.user TO owner; GRANT `{ROLE}` TO owner WITH ADMIN OPTION"
        )
        yield running


@pytest.fixture
def where(server: Server) -> Where:
    found = Where.of("127.0.0.1", server.port, "localhost", (server.shown.pin,))
    assert isinstance(found, Where)
    return found


def there(server: Server, name: str) -> bool:
    return server.sql(f"SELECT count(*) FROM mysql.user WHERE user = '{name}'").strip() != "0"


async def test_it_is_made_with_its_role_and_seen_gone(server: Server, where: Where) -> None:
    name = new_name(token_bytes)
    assert await made(where, name) is None
    leg = await signed_in(where, name, OWN)
    assert isinstance(leg, TargetLeg)
    assert await ask(leg, "SELECT CURRENT_ROLE()", 1, SECONDS) == ((f"`{ROLE}`@`%`",),)
    assert await ask(leg, "CREATE TABLE held.t (x INT)", 0, SECONDS) == ()
    assert await dropped(where, name) is True
    assert await dropped(where, name) is False
    assert not there(server, name)
    server.sql("DROP TABLE held.t")


@pytest.mark.parametrize("right", ["CREATE USER", "SUPER", "CONNECTION_ADMIN", "SYSTEM_USER", "ROLE_ADMIN", "ALL"])
async def test_a_role_that_reaches_the_accounts_gives_no_session(server: Server, where: Where, right: str) -> None:
    server.sql(
        "CREATE ROLE above; CREATE ROLE `of it`; GRANT above TO `of it`; GRANT `of it` TO owner WITH ADMIN OPTION"
    )
    server.sql(f"GRANT {right} ON *.* TO above")
    name = new_name(token_bytes)
    refused = await made(where, name, "of it")
    server.sql("DROP ROLE above, `of it`")
    assert isinstance(refused, Refused)
    assert refused.message.startswith("a session may have no user of the role of it: it has ")
    assert await dropped(where, name) is True


async def test_a_role_that_everybody_has_counts_too(server: Server, where: Where) -> None:
    server.sql(
        "CREATE ROLE everybodys; GRANT CREATE USER ON *.* TO everybodys; SET GLOBAL mandatory_roles = 'everybodys'"
    )
    name = new_name(token_bytes)
    refused = await made(where, name)
    server.sql("SET GLOBAL mandatory_roles = ''; DROP ROLE everybodys")
    assert isinstance(refused, Refused)
    assert "it has CREATE USER on *" in refused.message
    assert await dropped(where, name) is True


@pytest.mark.parametrize("how", ["unsent", "sent", "answered"])
async def test_whoever_makes_or_drops_it_may_die_at_each_step(
    server: Server, where: Where, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    step, steps = 0, 0
    while True:
        name = new_name(token_bytes)
        with monkeypatch.context() as patch:
            dying = Dying(patch, step, how)
            try:
                assert await made(where, name) is None
                assert await dropped(where, name) is True
                assert steps == step >= 20, "every step was died at"
                break
            except Died:
                steps = max(steps, dying.asked)
        assert await dropped(where, name) in (True, False)
        assert not there(server, name), step
        step += 1


async def test_a_definer_is_told_and_dropped_where_the_account_may_do_that(server: Server, where: Where) -> None:
    name, told = new_name(token_bytes), list[LeftBecause]()
    assert await made(where, name) is None
    leg = await signed_in(where, name)
    assert isinstance(leg, TargetLeg)
    assert not isinstance(await ask(leg, "CREATE VIEW held.v AS SELECT 1", 0, SECONDS), Failed)
    server.sql("REVOKE ALLOW_NONEXISTENT_DEFINER ON *.* FROM owner")
    assert await dropped(where, name, told) is LeftBecause.DEFINES
    server.sql("GRANT ALLOW_NONEXISTENT_DEFINER ON *.* TO owner")
    assert await dropped(where, name, told) is True
    assert told == [LeftBecause.DEFINES] * 2
    assert not there(server, name)
    server.sql("DROP VIEW held.v")
