"""The user of one session at a real MariaDB: whoever makes or drops it may die anywhere, and it is gone all the
same."""

import asyncio
from collections.abc import Iterator
from secrets import token_bytes

import pytest

from onepam.boot.clock import wall_clock
from onepam.domain.sessions.session_users import LeftBecause
from onepam.kernel.clock import HOUR, later
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.mysql import session_users, wire
from onepam.protocols.mysql.answers import Failed, Row, ask
from onepam.protocols.mysql.dial import TargetLeg, Who, dial
from onepam.protocols.mysql.session_users import drop, make
from onepam.protocols.mysql.startup import NOBODY
from onepam.protocols.sql import session_users as either
from onepam.protocols.sql.session_users import Account, User, new_name
from onepam.protocols.sql.target import Where
from tests.protocols.mysql.server import Server
from tests.protocols.postgres.server import PASSWORD

pytestmark = pytest.mark.anyio

SECONDS = 120
ROLE = "Readers of the app"
OWN = Secret(b"of this user alone")
RIGHTS = "CREATE USER, PROCESS, CONNECTION ADMIN"


@pytest.fixture(scope="module", autouse=True)
def ready(server: Server) -> Iterator[None]:
    server.sql(
        f"CREATE ROLE `{ROLE}`; CREATE DATABASE held; GRANT ALL ON held.* TO `{ROLE}`;"
        f"CREATE USER owner IDENTIFIED BY '{PASSWORD}' REQUIRE SSL; GRANT {RIGHTS} ON *.* TO owner;"
        f"GRANT SELECT (User, Host) ON mysql.user TO owner; GRANT `{ROLE}` TO owner WITH ADMIN OPTION;"
    )
    yield
    server.sql(f"DROP DATABASE held; DROP ROLE `{ROLE}`; DROP USER owner")


@pytest.fixture
def where(server: Server) -> Where:
    found = Where.of("127.0.0.1", server.port, "localhost", (server.shown.pin,))
    assert isinstance(found, Where)
    return found


ACCOUNT = Account("owner", Secret(PASSWORD.encode()))


async def made(where: Where, name: str, role: str = ROLE) -> Refused | None:
    return await make(where, ACCOUNT, User(name, role), OWN, later(wall_clock(), HOUR))


async def dropped(where: Where, name: str, told: list[LeftBecause] | None = None) -> LeftBecause | bool:
    async def tell(because: LeftBecause) -> None:
        (told if told is not None else []).append(because)

    return await drop(where, ACCOUNT, User(name, ROLE), tell)


def there(server: Server, name: str) -> bool:
    return server.sql(f"SELECT count(*) FROM mysql.global_priv WHERE user = '{name}'").strip() != "0"


async def signed_in(where: Where, name: str, secret: Secret = OWN) -> TargetLeg | Refused:
    return await dial(where, Who(name, NOBODY, secret), SECONDS)


async def said(leg: TargetLeg, *statements: str) -> None:
    for each in statements:
        found = await ask(leg, each, 0, SECONDS)
        assert not isinstance(found, Failed), (each, found)


class Died(Exception):
    """In the place of SIGKILL: nothing is done from here on, and the kernel closes the connections."""


class Dying:
    """Asks what is asked, and dies at one question: before it is sent, once it is, or once it is answered."""

    def __init__(self, patch: pytest.MonkeyPatch, at: int, how: str) -> None:
        self.asked, self._at, self._how, self._ask = 0, at, how, ask
        patch.setattr(session_users, "ask", self.ask)

    async def ask(self, leg: TargetLeg, text: str, columns: int, seconds: float) -> tuple[Row, ...] | Failed:
        number, self.asked = self.asked, self.asked + 1
        if number != self._at:
            return await self._ask(leg, text, columns, seconds)
        if self._how == "sent":
            leg.send(wire.packet(0, bytes((wire.QUERY,)) + text.encode()))
        elif self._how == "answered":
            await self._ask(leg, text, columns, seconds)
        leg.close()
        raise Died


async def test_a_user_lets_one_in_by_its_own_password_with_its_role(server: Server, where: Where) -> None:
    name = new_name(token_bytes)
    assert await made(where, name) is None
    legs = [await signed_in(where, name)]
    for secret, why in ((OWN, "max_user_connections"), (Secret(b"another"), "Access denied")):
        refused = await signed_in(where, name, secret)
        assert isinstance(refused, Refused)
        assert why in refused.message
    for leg in legs:
        assert isinstance(leg, TargetLeg)
        assert await ask(leg, "SELECT CURRENT_ROLE()", 1, SECONDS) == ((ROLE,),)
    kept = server.sql(f"SELECT host, priv FROM mysql.global_priv WHERE user = '{name}'")
    assert kept.split("\t")[0] in ("localhost", "127.0.0.1"), "from where we come"
    for each in ('"password_lifetime":1,', '"ssl_type":1,', f'"default_role":"{ROLE}"'):
        assert each in kept
    assert await dropped(where, name) is True
    for leg in legs:
        assert isinstance(leg, TargetLeg)
        leg.hold(False)
        async with asyncio.timeout(SECONDS):
            await leg.wait_closed()
    assert await dropped(where, name) is False
    assert not there(server, name)


@pytest.mark.parametrize(
    "right",
    ["CREATE USER ON *.*", "SUPER ON *.*", "CONNECTION ADMIN ON *.*", "SELECT ON mysql.* WITH GRANT OPTION",
     "INSERT ON `mys%`.*", "DELETE ON mysql.global_priv", "ALL ON *.*", "UPDATE (User) ON mysql.db",
     "FILE ON *.*"],
)  # fmt: skip
async def test_a_role_that_reaches_the_accounts_gives_no_session(server: Server, where: Where, right: str) -> None:
    """By itself, or by another one that it has."""
    server.sql("CREATE ROLE above; CREATE ROLE `of it`; GRANT above TO `of it`; GRANT SELECT ON mysql.* TO above")
    right, _, option = right.partition(" WITH ")
    server.sql(f"GRANT {right} TO above {'WITH ' + option if option else ''}")
    server.sql("GRANT `of it` TO owner WITH ADMIN OPTION")
    name = new_name(token_bytes)
    refused = await made(where, name, "of it")
    server.sql("DROP ROLE above, `of it`")
    assert isinstance(refused, Refused)
    assert refused.message.startswith("a session may have no user of the role of it: it has ")
    assert await dropped(where, name) is True


async def test_everything_else_may_be_given(server: Server, where: Where) -> None:
    server.sql("CREATE ROLE wide; CREATE ROLE far; GRANT ALL ON held.* TO far WITH GRANT OPTION; GRANT far TO wide;")
    server.sql("GRANT SELECT, RELOAD ON *.* TO wide; GRANT SELECT (User) ON mysql.user TO wide;")
    server.sql("CREATE TABLE held.c (`a``b) ON ``mysql``` INT); GRANT UPDATE (`a``b) ON ``mysql```) ON held.c TO wide")
    server.sql("CREATE PROCEDURE held.does() SELECT 1; GRANT EXECUTE ON PROCEDURE held.does TO wide")
    server.sql("GRANT wide TO owner WITH ADMIN OPTION; GRANT SELECT ON held.* TO PUBLIC")
    name = new_name(token_bytes)
    refused = await made(where, name, "wide")
    server.sql("REVOKE SELECT ON held.* FROM PUBLIC; DROP ROLE wide, far; DROP TABLE held.c; DROP PROCEDURE held.does")
    assert refused is None
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


@pytest.mark.claim(
    "only then the ledger says that it is gone", altered="at MariaDB the lock of whoever makes it was not asked for"
)
async def test_a_user_that_is_still_on_its_way_is_not_made_after_it_was_seen_gone(
    server: Server, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The maker waits at the server for a lock as its gateway dies."""
    name = new_name(token_bytes)

    async def dies(leg: TargetLeg, text: str, columns: int, seconds: float) -> tuple[Row, ...] | Failed:
        if not text.startswith("CREATE USER"):
            return await ask(leg, text, columns, seconds)
        leg.send(wire.packet(0, bytes((wire.QUERY,)) + b"DO SLEEP(600)"))  # in the place of one that takes so long
        leg.hold(True)
        monkeypatch.setattr(session_users, "_leave", forgets)
        raise Died

    async def forgets(leg: TargetLeg) -> None:
        """A gateway that is gone says no goodbye, and its kernel may be gone with it."""

    with monkeypatch.context() as patch:
        patch.setattr(session_users, "ask", dies)
        with pytest.raises(Died):
            await made(where, name)
    monkeypatch.undo()
    asked = f"SELECT IS_USED_LOCK('{name}') IS NULL"
    assert server.sql(asked).strip() == "0"
    assert await dropped(where, name) is False
    assert server.sql(asked).strip() == "1", "the maker's connection was ended"
    assert not server.sql("SELECT id FROM information_schema.processlist WHERE info = 'DO SLEEP(600)'").strip()


async def test_what_bears_it_as_its_definer_is_told_and_does_not_hold_it(server: Server, where: Where) -> None:
    name, told = new_name(token_bytes), list[LeftBecause]()
    assert await made(where, name) is None
    leg = await signed_in(where, name)
    assert isinstance(leg, TargetLeg)
    await said(leg, "CREATE TABLE held.t (x INT)", "CREATE TABLE held.log (x INT)")
    await said(leg, "CREATE DEFINER = CURRENT_ROLE VIEW held.roles AS SELECT * FROM held.t")
    await said(leg, "CREATE SQL SECURITY INVOKER VIEW held.invokers AS SELECT * FROM held.t")
    await said(
        leg,
        "CREATE VIEW held.v AS SELECT * FROM held.t",
        "CREATE PROCEDURE held.p() SELECT 1",
        "CREATE TRIGGER held.g BEFORE INSERT ON held.t FOR EACH ROW INSERT INTO held.log VALUES (1)",
        "CREATE EVENT held.e ON SCHEDULE EVERY 1 HOUR DO DELETE FROM held.t",
    )
    assert await dropped(where, name, told) is True
    assert told == [LeftBecause.DEFINES]
    for fails in ("SELECT * FROM held.v", "CALL held.p()", "INSERT INTO held.t VALUES (1)"):
        with pytest.raises(AssertionError, match="The user specified as a definer"):
            server.sql(fails)
    assert server.sql("SELECT * FROM held.roles; SELECT * FROM held.invokers") == ""
    assert not there(server, name)
    server.sql("DROP DATABASE held; CREATE DATABASE held")


async def test_a_definer_that_a_server_does_not_drop_is_left_for_that_reason_alone(
    server: Server, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two in turns each sweep would tell of both again."""
    name, told = new_name(token_bytes), list[LeftBecause]()

    async def refuses(leg: TargetLeg, text: str, columns: int, seconds: float) -> tuple[Row, ...] | Failed:
        failed = Failed(4006, "User is referenced as a definer account in a view")
        return failed if text.startswith("DROP USER") else await ask(leg, text, columns, seconds)

    assert await made(where, name) is None
    leg = await signed_in(where, name)
    assert isinstance(leg, TargetLeg)
    await said(leg, "CREATE VIEW held.v AS SELECT 1")
    with monkeypatch.context() as patch:
        patch.setattr(session_users, "ask", refuses)
        assert [await dropped(where, name, told) for _ in range(2)] == [LeftBecause.DEFINES] * 2
    assert told == [LeftBecause.DEFINES] * 2
    assert await dropped(where, name) is True
    server.sql("DROP VIEW held.v")


async def test_of_what_its_role_is_the_definer_nothing_is_told(server: Server, where: Where) -> None:
    name, told = new_name(token_bytes), list[LeftBecause]()
    assert await made(where, name) is None
    leg = await signed_in(where, name)
    assert isinstance(leg, TargetLeg)
    await said(leg, "CREATE TABLE held.t (x INT)", "CREATE DEFINER = CURRENT_ROLE VIEW held.v AS SELECT * FROM held.t")
    assert await dropped(where, name, told) is True
    assert told == []
    server.sql("DROP DATABASE held; CREATE DATABASE held")


async def test_a_user_can_alter_nothing_of_its_account_but_its_password(server: Server, where: Where) -> None:
    name = new_name(token_bytes)
    assert await made(where, name) is None
    leg = await signed_in(where, name)
    assert isinstance(leg, TargetLeg)
    for each in (
        "ALTER USER CURRENT_USER() WITH MAX_USER_CONNECTIONS 9", "ALTER USER CURRENT_USER() PASSWORD EXPIRE NEVER",
        f"RENAME USER {name}@localhost TO another@localhost", f"GRANT `{ROLE}` TO app",
    ):  # fmt: skip
        assert isinstance(await ask(leg, each, 0, SECONDS), Failed), each
    await said(leg, "SET PASSWORD = PASSWORD('its own')")
    assert await dropped(where, name) is True
    assert isinstance(await signed_in(where, name, Secret(b"its own")), Refused)


async def test_somebody_elses_account_is_left_alone(server: Server, where: Where) -> None:
    """One of the same beginning, one of the same name in capitals, and their connections."""
    name = new_name(token_bytes)
    others = [f"{name}x", name.upper()]
    for each in others:
        server.sql(f"CREATE USER {each}@localhost IDENTIFIED BY 'x'; CREATE USER {each}@127.0.0.1 IDENTIFIED BY 'x'")
    legs = [await signed_in(where, each, Secret(b"x")) for each in others]
    assert await made(where, name) is None
    assert await dropped(where, name) is True
    for leg, each in zip(legs, others, strict=True):
        assert isinstance(leg, TargetLeg)
        assert await ask(leg, "SELECT 1", 1, SECONDS) == (("1",),)
        leg.close()
        server.sql(f"DROP USER {each}@localhost; DROP USER {each}@127.0.0.1")


async def test_what_the_account_lacks_is_said_before_a_user_is_made(server: Server, where: Where) -> None:
    for right, what in (("PROCESS", "PROCESS and CONNECTION ADMIN"), ("CONNECTION ADMIN", "PROCESS and CONNECTION"),
                        ("CREATE USER", "CREATE USER privilege")):  # fmt: skip
        name = new_name(token_bytes)
        server.sql(f"REVOKE {right} ON *.* FROM owner")
        refused = await made(where, name)
        server.sql(f"GRANT {right} ON *.* TO owner")
        assert isinstance(refused, Refused)
        assert what in refused.message
        assert not there(server, name)
    assert isinstance(await made(where, name, "no such role"), Refused)
    assert await dropped(where, name) is True


async def test_what_holds_it_is_said(server: Server, where: Where) -> None:
    name = new_name(token_bytes)
    assert await made(where, name) is None
    leg = await signed_in(where, name)
    server.sql("REVOKE PROCESS ON *.* FROM owner")
    assert await dropped(where, name) is LeftBecause.KEPT, "it would see none of its connections"
    server.sql("GRANT PROCESS ON *.* TO owner; REVOKE CREATE USER ON *.* FROM owner")
    assert await dropped(where, name) is LeftBecause.KEPT
    server.sql("GRANT CREATE USER ON *.* TO owner")

    async def tell(because: LeftBecause) -> None:
        pass

    wrong = await drop(where, Account("owner", Secret(b"old")), User(name, ROLE), tell)
    assert wrong is LeftBecause.REFUSING
    nowhere = Where.of("127.0.0.1", 1, "localhost", (server.shown.pin,))
    assert isinstance(nowhere, Where)
    assert await dropped(nowhere, name) is LeftBecause.DOWN
    assert await dropped(where, name) is True
    assert isinstance(leg, TargetLeg)


async def test_connections_that_do_not_end_are_said(
    server: Server, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = new_name(token_bytes)
    assert await made(where, name) is None

    async def goes_on(leg: TargetLeg, text: str, columns: int, seconds: float) -> tuple[Row, ...] | Failed:
        return (("7",),) if "processlist" in text else await ask(leg, text, columns, seconds)

    with monkeypatch.context() as patch:
        patch.setattr(session_users, "DROP_SECONDS", 0.5)
        patch.setattr(session_users, "ask", goes_on)
        patch.setattr(either, "PAUSE_SECONDS", 0.01)
        found = await dropped(where, name)
    assert found is LeftBecause.CONNECTED
    assert await dropped(where, name) is True


async def test_one_that_somebody_dropped_by_hand_is_gone_with_its_connections(server: Server, where: Where) -> None:
    name = new_name(token_bytes)
    assert await made(where, name) is None
    leg = await signed_in(where, name)
    assert isinstance(leg, TargetLeg)
    (host,) = server.sql(f"SELECT host FROM mysql.global_priv WHERE user = '{name}'").split()
    server.sql(f"DROP USER {name}@{host}")
    assert await dropped(where, name) is False
    leg.hold(False)
    async with asyncio.timeout(SECONDS):
        await leg.wait_closed()


async def test_nobody_signs_in_once_its_connections_are_being_ended(
    server: Server, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And who was about to come in all the same is ended when it is gone."""
    name, tried, late = new_name(token_bytes), list[TargetLeg | Refused](), list[TargetLeg | Refused]()
    locked = False

    async def tries(leg: TargetLeg, text: str, columns: int, seconds: float) -> tuple[Row, ...] | Failed:
        nonlocal locked
        locked = locked or text.endswith("ACCOUNT LOCK")
        if locked and text.startswith("SELECT id FROM information_schema.processlist") and not tried:
            tried.append(await signed_in(where, name))
        if text.startswith("DROP USER"):
            await asyncio.to_thread(server.sql, f"ALTER USER {text.removeprefix('DROP USER ')} ACCOUNT UNLOCK")
            late.append(await signed_in(where, name))
        return await ask(leg, text, columns, seconds)

    assert await made(where, name) is None
    monkeypatch.setattr(session_users, "ask", tries)
    assert await dropped(where, name) is True
    (refused,), (leg,) = tried, late
    assert isinstance(refused, Refused)
    assert "account is locked" in refused.message
    assert isinstance(leg, TargetLeg)
    leg.hold(False)
    async with asyncio.timeout(SECONDS):
        await leg.wait_closed()
