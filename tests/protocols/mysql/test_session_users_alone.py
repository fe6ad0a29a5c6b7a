"""A session's user at a real MariaDB comes in once at a time, and is not held by what it does."""

import asyncio
import re
from secrets import token_bytes

import pytest

from onepam.domain.sessions.session_users import LeftBecause
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.mysql import session_users
from onepam.protocols.mysql.answers import Failed, Row, ask
from onepam.protocols.mysql.dial import TargetLeg
from onepam.protocols.sql.session_users import new_name
from onepam.protocols.sql.target import Where
from tests.protocols.mysql import test_session_users as others
from tests.protocols.mysql.server import Server
from tests.protocols.mysql.test_session_users import ACCOUNT, SECONDS, dropped, made, said, signed_in, there

pytestmark = pytest.mark.anyio
ready, where = others.ready, others.where


async def test_what_one_of_its_connections_holds_does_not_hold_the_user(server: Server, where: Where) -> None:
    """A statement may run on without its client, and hold what is asked for to lock an account."""
    server.sql("CREATE ROLE `who flushes`; GRANT RELOAD ON *.* TO `who flushes`")
    server.sql("GRANT `who flushes` TO owner WITH ADMIN OPTION")
    name = new_name(token_bytes)
    assert await made(where, name, "who flushes") is None
    leg = await signed_in(where, name)
    assert isinstance(leg, TargetLeg)
    await said(leg, "FLUSH TABLES WITH READ LOCK")
    assert await dropped(where, name) is True
    assert not there(server, name)
    server.sql("DROP ROLE `who flushes`")


@pytest.mark.claim(
    "by one connection at a time", altered="two were let in, of which a person could have had the second"
)
async def test_who_gives_its_user_a_password_comes_in_no_second_time(server: Server, where: Where) -> None:
    """And what runs is ended all the same, for the account does that."""
    name = new_name(token_bytes)
    assert await made(where, name) is None
    leg = await signed_in(where, name)
    assert isinstance(leg, TargetLeg)
    await said(leg, "SET PASSWORD = PASSWORD('its own')")
    second = await signed_in(where, name, Secret(b"its own"))
    assert isinstance(second, Refused)
    assert "max_user_connections" in second.message
    asked = asyncio.create_task(ask(leg, "SELECT BENCHMARK(1000000000000, MD5(1))", 1, SECONDS))
    runs = f"SELECT info FROM information_schema.processlist WHERE user = '{name}'"
    while "BENCHMARK" not in await asyncio.to_thread(server.sql, runs):
        pass
    await session_users.stop(where, ACCOUNT, "another", leg)
    assert not asked.done(), "it is nobody else's"
    await session_users.stop(where, ACCOUNT, name, leg)
    await asked  # it was ended, and would take days
    assert await ask(leg, "SELECT 1", 1, SECONDS) == (("1",),), "and its session was not"
    assert await dropped(where, name) is True


async def test_whoever_queues_for_its_lock_does_not_hold_the_user_in(
    server: Server, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any account of the server may ask for a lock of that name, again and again."""
    name = new_name(token_bytes)
    assert await made(where, name) is None
    leg = await signed_in(where, name)
    assert isinstance(leg, TargetLeg)

    async def queued(leg: TargetLeg, text: str, columns: int, seconds: float) -> tuple[Row, ...] | Failed:
        if "GET_LOCK" in text:
            raise TimeoutError
        return await ask(leg, text, columns, seconds)

    with monkeypatch.context() as patch:
        patch.setattr(session_users, "ask", queued)
        assert await dropped(where, name) is LeftBecause.CONNECTED
    leg.hold(False)
    async with asyncio.timeout(SECONDS):
        await leg.wait_closed()
    refused = await signed_in(where, name)
    assert isinstance(refused, Refused)
    assert "locked" in refused.message
    assert await dropped(where, name) is True


async def test_a_server_that_repeats_the_password_is_not_repeated(
    where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in `You have an error in your SQL syntax … near`, whose words begin and end anywhere."""
    name, words = new_name(token_bytes), list[str]()

    async def repeats(leg: TargetLeg, text: str, columns: int, seconds: float) -> tuple[Row, ...] | Failed:
        if not text.startswith("CREATE USER"):
            return await ask(leg, text, columns, seconds)
        [kept] = re.findall(r"'(\*[0-9A-F]{40})'", text)
        words.append(text[: text.index(kept) + 8])
        return Failed(1064, words[0])

    monkeypatch.setattr(session_users, "ask", repeats)
    refused = await made(where, name)
    assert isinstance(refused, Refused)
    assert words
    assert refused.message == "the target makes no user for this session: its words repeat a part of the password"


async def test_from_a_host_whose_name_lets_in_others_nobody_is_made(
    server: Server, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the host of an account `_` is any sign; names of containers have it."""

    async def called(leg: TargetLeg, text: str, columns: int, seconds: float) -> tuple[Row, ...] | Failed:
        return (
            (("a_gateway.net",),) if "USER()" in text and "LEFT" not in text else await ask(leg, text, columns, seconds)
        )

    monkeypatch.setattr(session_users, "ask", called)
    name = new_name(token_bytes)
    refused = await made(where, name)
    assert isinstance(refused, Refused)
    assert refused.message.endswith("it does not know by one name without a _ whence we come")
    assert not there(server, name)
    server.sql(f"CREATE USER {name}@'a_gateway.net'")  # as a release before made it
    assert await dropped(where, name) is True
