"""The user of one session at a real PostgreSQL: whoever makes or drops it may die anywhere, and it is gone all the
same."""

import asyncio
import os
import signal
from collections.abc import Iterator
from secrets import token_bytes

import pytest

from onepam.boot.clock import wall_clock
from onepam.domain.sessions.session_users import LeftBecause
from onepam.kernel.clock import HOUR, later
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.postgres import session_users, wire
from onepam.protocols.postgres.answers import Failed, ask
from onepam.protocols.postgres.catalogue import Row
from onepam.protocols.postgres.dial import TargetLeg, Who, dial
from onepam.protocols.postgres.session_users import drop, make, scram_verifier
from onepam.protocols.sql.session_users import Account, User, new_name
from onepam.protocols.sql.target import Where
from tests.protocols.postgres.server import PASSWORD, Server, running_server

pytestmark = pytest.mark.anyio

SECONDS = 120
ROLE = "Readers of the app"
OWN = Secret(b"of this user alone")


def declare(server: Server) -> None:
    """What an administrator does once, as docs/databases.md says it."""
    server.sql(
        f"CREATE ROLE \"{ROLE}\"; CREATE ROLE owner LOGIN CREATEROLE PASSWORD '{PASSWORD}'; "
        f'GRANT "{ROLE}" TO owner WITH ADMIN OPTION; GRANT CREATE ON SCHEMA public TO "{ROLE}";'
    )


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        declare(running)
        yield running


@pytest.fixture
def where(server: Server) -> Where:
    found = Where.of("127.0.0.1", server.port, "localhost", (server.shown.pin,))
    assert isinstance(found, Where)
    return found


ACCOUNT = Account("owner", Secret(PASSWORD.encode()))


async def made(where: Where, name: str) -> Refused | None:
    return await make(where, ACCOUNT, User(name, ROLE), OWN, later(wall_clock(), HOUR))


async def dropped(where: Where, name: str) -> LeftBecause | bool:
    return await drop(where, ACCOUNT, User(name, ROLE))


def there(server: Server, name: str) -> bool:
    return server.sql(f"SELECT count(*) FROM pg_roles WHERE rolname = '{name}'").strip() == "1"


async def signed_in(where: Where, name: str, secret: Secret = OWN) -> TargetLeg | Refused:
    return await dial(where, Who(name, {"database": "postgres"}, secret), SECONDS)


class Died(Exception):
    """In the place of SIGKILL: nothing is done from here on, and the kernel closes the connections."""


class Dying:
    """Asks what is asked, and dies at one question: before it is sent, once it is, or once it is answered."""

    def __init__(self, patch: pytest.MonkeyPatch, at: int, how: str) -> None:
        self.asked, self._at, self._how, self._ask = 0, at, how, ask
        patch.setattr(session_users, "ask", self.ask)

    async def ask(self, leg: TargetLeg, text: str, seconds: float) -> tuple[Row, ...] | Failed:
        number, self.asked = self.asked, self.asked + 1
        if number != self._at:
            return await self._ask(leg, text, seconds)
        if self._how == "sent":
            leg.send(wire.message(wire.QUERY, text.encode() + b"\0"))
        elif self._how == "answered":
            await self._ask(leg, text, seconds)
        leg.close()
        raise Died


async def test_a_user_lets_one_in_by_its_own_password_and_owns_nothing_when_it_is_gone(
    server: Server, where: Where
) -> None:
    name = new_name(token_bytes)
    assert await made(where, name) is None
    leg = await signed_in(where, name)
    assert isinstance(leg, TargetLeg)
    for secret, why in ((OWN, "too many connections"), (Secret(b"another"), "password authentication failed")):
        refused = await signed_in(where, name, secret)
        assert isinstance(refused, Refused)
        assert why in refused.message
    assert server.sql(f"SELECT rolcanlogin, rolinherit FROM pg_roles WHERE rolname = '{name}'").strip() == "t|t"
    verifier = scram_verifier(OWN, name.encode())
    assert server.sql(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{name}'").strip() == verifier
    assert await dropped(where, name) is True
    leg.hold(False)
    async with asyncio.timeout(SECONDS):
        await leg.wait_closed()
    assert await dropped(where, name) is False
    assert not there(server, name)


@pytest.mark.parametrize("attribute", ["CREATEROLE", "SUPERUSER"])
@pytest.mark.parametrize("beyond", [False, True])
async def test_of_a_role_that_may_alter_roles_no_user_is_made(
    server: Server, where: Where, attribute: str, beyond: bool
) -> None:
    name = new_name(token_bytes)
    server.sql(f'CREATE ROLE above {attribute}; CREATE ROLE between; CREATE ROLE "of it"; GRANT between TO "of it";')
    server.sql("GRANT above TO between;" if beyond else f'ALTER ROLE "of it" {attribute};')
    server.sql('GRANT "of it" TO owner WITH ADMIN OPTION;')
    refused = await make(where, ACCOUNT, User(name, "of it"), OWN, later(wall_clock(), HOUR))
    server.sql('DROP ROLE above, between, "of it";')
    assert isinstance(refused, Refused)
    assert refused.message == "a session may have no user of the role of it"
    assert not there(server, name)


async def test_nobody_signs_in_after_its_time(server: Server, where: Where) -> None:
    name = new_name(token_bytes)
    assert await make(where, ACCOUNT, User(name, ROLE), OWN, later(wall_clock(), -HOUR)) is None
    assert isinstance(await signed_in(where, name), Refused)
    assert await dropped(where, name) is True


async def test_nobody_signs_in_once_its_connections_are_being_ended(
    server: Server, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, tried = new_name(token_bytes), list[TargetLeg | Refused]()

    async def tries(leg: TargetLeg, text: str, seconds: float) -> tuple[Row, ...] | Failed:
        found = await ask(leg, text, seconds)
        if "pg_terminate_backend" in text and f"usename = '{name}'" in text:
            tried.append(await signed_in(where, name))
        return found

    assert await made(where, name) is None
    monkeypatch.setattr(session_users, "ask", tries)
    assert await dropped(where, name) is True
    assert tried
    assert all(isinstance(each, Refused) and "is not permitted to log in" in each.message for each in tried)


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
                server.sql(f"SET ROLE {name}; CREATE TABLE t_{name} (x int)")
                assert await dropped(where, name) is True
                assert steps == step >= 9, "every step was died at"
                break
            except Died:
                steps = max(steps, dying.asked)
        assert await dropped(where, name) in (True, False)
        assert not there(server, name), step
        step += 1
    owners = server.sql("SELECT DISTINCT relowner::regrole FROM pg_class WHERE relname ~ '^t_onepam_'").split("\n")
    assert owners[0] == f'"{ROLE}"'


@pytest.mark.claim(
    "said to be gone only once its server has said so", altered="the maker's connection was not ended before the look"
)
@pytest.mark.claim(
    "only then the ledger says that it is gone", altered="the maker's connection was not ended before the look"
)
async def test_a_user_that_is_still_on_its_way_is_not_made_after_it_was_seen_gone(
    server: Server, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The maker's server stands still as the statement comes, and its gateway dies."""
    name, stopped = new_name(token_bytes), list[int]()
    asked = f"SELECT pid FROM pg_stat_activity WHERE application_name = 'OnePAM makes {name}'"

    async def dies(leg: TargetLeg, text: str, seconds: float) -> tuple[Row, ...] | Failed:
        stopped.append(int(server.sql(asked)))
        os.kill(stopped[0], signal.SIGSTOP)
        leg.send(wire.message(wire.QUERY, text.encode() + b"\0"))
        leg.close()
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(session_users, "ask", dies)
        with pytest.raises(Died):
            await made(where, name)
    looked = asyncio.Event()

    async def looks(leg: TargetLeg, text: str, seconds: float) -> tuple[Row, ...] | Failed:
        found = await ask(leg, text, seconds)
        looked.set()
        return found

    monkeypatch.setattr(session_users, "ask", looks)
    dropping = asyncio.ensure_future(dropped(where, name))
    async with asyncio.timeout(SECONDS):
        await looked.wait()
    assert not dropping.done(), "it waits for the maker's connection to end"
    os.kill(stopped[0], signal.SIGCONT)
    assert await dropping in (True, False)
    assert server.sql(asked).strip() == ""
    assert not there(server, name)


async def test_nothing_that_a_user_may_do_to_what_it_owns_or_was_granted_holds_it(server: Server, where: Where) -> None:
    """It closes its schemas to its role, and grants on what its role has."""
    server.sql(f'GRANT CREATE ON DATABASE postgres TO "{ROLE}"')
    name = new_name(token_bytes)
    assert await made(where, name) is None
    leg = await signed_in(where, name)
    assert isinstance(leg, TargetLeg)
    for each in (
        "CREATE SCHEMA own",
        "CREATE FUNCTION own.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "REVOKE ALL ON SCHEMA own FROM CURRENT_USER",
        f'SET ROLE "{ROLE}"',
        "CREATE SCHEMA roles",
        f"GRANT ALL ON SCHEMA roles TO {name}",
        "CREATE TABLE roles.t (x int)",
        f"GRANT ALL ON roles.t TO {name} WITH GRANT OPTION",
        f'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO "{name}"',
        f'REVOKE ALL ON SCHEMA roles FROM "{ROLE}"',
        "RESET ROLE",
        "CREATE DOMAIN roles.d AS int",
        "GRANT SELECT ON roles.t TO PUBLIC",
    ):
        assert not isinstance(await ask(leg, each, SECONDS), Failed), each
    assert await dropped(where, name) is True
    assert not there(server, name)
    owners = "SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE oid = 'own.f'::regproc"
    assert server.sql(owners).strip() == ROLE


async def test_what_the_account_has_by_itself_counts_for_nothing(server: Server, where: Where) -> None:
    name = new_name(token_bytes)
    server.sql("ALTER ROLE owner SET default_transaction_read_only = on")
    refused, gone = await made(where, name), await dropped(where, name)
    server.sql("ALTER ROLE owner RESET ALL")
    assert (refused, gone) == (None, True)


async def test_one_that_owns_nothing_is_dropped_without_its_role(server: Server, where: Where) -> None:
    server.sql("CREATE ROLE fleeting; GRANT fleeting TO owner WITH ADMIN OPTION")
    user = User(new_name(token_bytes), "fleeting")
    assert await make(where, ACCOUNT, user, OWN, later(wall_clock(), HOUR)) is None
    server.sql("DROP ROLE fleeting")
    assert await drop(where, ACCOUNT, user) is True


async def test_what_holds_it_is_said(server: Server, where: Where) -> None:
    name = new_name(token_bytes)
    assert await made(where, name) is None
    server.sql("ALTER ROLE owner NOCREATEROLE")
    assert await dropped(where, name) is LeftBecause.KEPT
    refused = await made(where, new_name(token_bytes))
    server.sql("ALTER ROLE owner CREATEROLE")
    assert isinstance(refused, Refused)
    assert "the target makes no user for this session: permission denied to create role" in refused.message
    wrong = await drop(where, Account("owner", Secret(b"old")), User(name, ROLE))
    assert wrong is LeftBecause.REFUSING
    nowhere = Where.of("127.0.0.1", 1, "localhost", (server.shown.pin,))
    assert isinstance(nowhere, Where)
    assert await dropped(nowhere, name) is LeftBecause.DOWN
    assert await dropped(where, name) is True


async def test_a_server_that_repeats_what_it_keeps_of_the_password_is_not_repeated(
    where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = new_name(token_bytes)
    stored = scram_verifier(OWN, name.encode()).partition(":")[2]

    async def repeats(leg: TargetLeg, text: str, seconds: float) -> tuple[Row, ...] | Failed:
        if "CREATE ROLE" not in text:
            return await ask(leg, text, seconds)
        return Failed("42601", text[: text.index(stored) + 8])

    monkeypatch.setattr(session_users, "ask", repeats)
    refused = await made(where, name)
    assert isinstance(refused, Refused)
    assert refused.message == "the target makes no user for this session: its words repeat a part of the password"


async def test_connections_that_do_not_end_are_said(
    server: Server, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = new_name(token_bytes)
    assert await made(where, name) is None
    leg = await signed_in(where, name)
    assert isinstance(leg, TargetLeg)
    os.kill(leg.process, signal.SIGSTOP)
    with monkeypatch.context() as patch:
        patch.setattr(session_users, "DROP_SECONDS", 0.5)
        found = await dropped(where, name)
    os.kill(leg.process, signal.SIGCONT)
    assert found is LeftBecause.CONNECTED
    assert await dropped(where, name) is True
