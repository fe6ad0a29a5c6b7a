"""The user of one session at a MariaDB or a MySQL: made by an account that may make users, and dropped until it is seen
gone.

Whoever makes one holds a lock of its name at the server (`GET_LOCK`) before `CREATE USER` is said. Whoever drops it
ends the connection that holds that lock, and takes it: so a `CREATE USER` that is still on its way, from a gateway that
died or hung up, comes no more once nobody is there.
"""

import asyncio
import hashlib
import logging
import re
from typing import Final

from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.session_users import LeftBecause
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.mysql import wire
from onepam.protocols.mysql.answers import Failed, Row, ask
from onepam.protocols.mysql.dial import CANCEL_SECONDS, TargetLeg, Who, dial
from onepam.protocols.mysql.grants import too_much
from onepam.protocols.mysql.startup import NOBODY, Greeting
from onepam.protocols.sql.session_users import (
    DIAL_SECONDS,
    DROP_SECONDS,
    MAKE_SECONDS,
    PAUSE_SECONDS,
    Account,
    StillThere,
    Tell,
    User,
    without_password,
)
from onepam.protocols.sql.target import Where

log = logging.getLogger(__name__)

LEAVE_SECONDS = 15.0
"""How long a server may take to hang up on us once we have said goodbye."""

_SETTINGS = ("SET SESSION sql_mode = ''", "SET SESSION lock_wait_timeout = 5", "SET SESSION TRANSACTION READ WRITE")
_BOUND = "SET SESSION max_statement_time = 15"
"""MariaDB's alone. What the account has by itself counts for nothing."""

_HOST: Final = re.compile(r"[A-Za-z0-9:.-]{1,60}", re.ASCII)
"""Whence the server says that we come: without the signs that would let in from elsewhere, too (`%` and `_`)."""

_MADE_FOR: Final = re.compile(r"[A-Za-z0-9_:.-]{1,60}", re.ASCII)
"""Whence a user may come that is dropped: releases before made some with a `_`, too."""

_OWN_RIGHTS = (
    "SELECT privilege_type FROM information_schema.user_privileges WHERE privilege_type IN "
    "('PROCESS', 'CONNECTION ADMIN', 'CONNECTION_ADMIN', 'SUPER') AND grantee = CONCAT('''', "
    "LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) - CHAR_LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1), "
    "'''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')"
)
_NO_RIGHTS = "the account needs PROCESS and CONNECTION ADMIN, to see and to end the connections of its users"

_DEFINED = " UNION ALL ".join(
    f"SELECT CONCAT({what}, ' ', {kind}_schema, '.', {kind}_name) FROM information_schema.{table} "
    "WHERE SUBSTRING_INDEX(definer, '@', 1) = {name}"
    for table, kind, what in (
        ("views", "table", "'view'"),
        ("routines", "routine", "LOWER(routine_type)"),
        ("triggers", "trigger", "'trigger'"),
        ("events", "event", "'event'"),
    )
)
MOST_NAMED = 20
"""Of what a user is the definer of, so much is named in the log."""

_NO_THREAD = 1094
_LOOK = "an administrator looks at what the account there may do"
_LESS = "an administrator takes what reaches the server's accounts from it, and from the roles that it has"


async def make(where: Where, account: Account, user: User, password: Secret, until: Instant) -> Refused | None:
    """As `Server.make`. One connection at a time is let in with it, from the address that we have there: its person may
    give it another password, and would come in beside the gateway. Such a server bounds a user's time by days alone: it
    is one."""
    leg = await _at(where, account.login, account.secret)
    if isinstance(leg, Refused):
        return leg
    try:
        refused = await _made(leg, user, password)
    except TimeoutError:
        refused = _refused("it does not answer")
    except StillThere as why:
        refused = _refused(without_password(why.words, _kept(leg.greeting, password)))
    finally:
        await _leave(leg)
    return refused or await _given(where, user, password)


async def _made(leg: TargetLeg, user: User, password: Secret) -> Refused | None:
    name, kept = _text(user.name), LeftBecause.KEPT
    if not _may_end(await _rows(leg, _OWN_RIGHTS, 1, kept)):
        return _refused(_NO_RIGHTS)
    if await _rows(leg, f"SELECT GET_LOCK({name}, 0)", 1, kept) != (("1",),) or await _hosts(leg, user):
        return _refused("somebody is at a user of this name")
    ((host,),) = await _rows(leg, "SELECT SUBSTRING_INDEX(USER(), '@', -1)", 1, kept)
    if not _HOST.fullmatch(host or ""):
        return _refused("it does not know by one name without a _ whence we come")
    who = f"{name}@{_text(host or '')}"
    bounds = "REQUIRE SSL WITH MAX_USER_CONNECTIONS 1 PASSWORD EXPIRE INTERVAL 1 DAY"
    await _rows(leg, f"CREATE USER {who} IDENTIFIED {_by(leg.greeting, password)} {bounds}", 0, kept)
    await _rows(leg, f"GRANT {_name(user.role)} TO {who}", 0, kept)
    return None


async def _given(where: Where, user: User, password: Secret) -> Refused | None:
    """As the user itself, who alone may say so without rights over all accounts: its role is there from the beginning
    of each connection. What it reaches by that is looked at."""
    leg = await _at(where, user.name, password)
    if isinstance(leg, Refused):
        return leg
    kept, role = LeftBecause.KEPT, _name(user.role)
    try:
        ((host,),) = await _rows(leg, "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', -1)", 1, kept)
        to = "" if _is_mariadb(leg.greeting) else f" TO {_text(user.name)}@{_text(host or '')}"
        await _rows(leg, f"SET DEFAULT ROLE {role}{to}", 0, kept)
        every = role if _is_mariadb(leg.greeting) else "ALL"  # also those that a MySQL gives to everybody
        await _rows(leg, f"SET ROLE {every}", 0, kept)
        grants = await _rows(leg, "SHOW GRANTS", 1, kept)
        public = await ask(leg, "SHOW GRANTS FOR PUBLIC", 1, MAKE_SECONDS)  # MariaDB has it from 10.11 on
        reached = [grant or "" for (grant,) in (*grants, *(() if isinstance(public, Failed) else public))]
        if (what := too_much(reached)) is not None:
            return Refused(
                SessionEnd.TARGET_REFUSING, f"a session may have no user of the role {user.role}: {what}", _LESS
            )
    except TimeoutError:
        return _refused("it does not answer")
    except StillThere as why:
        return _refused(why.words)
    finally:
        await _leave(leg)
    return None


async def drop(where: Where, account: Account, user: User, tell: Tell) -> LeftBecause | bool:
    """As `Server.drop`. What bears it as its definer stays as it is, and does not run without it: that is told."""
    leg = await _at(where, account.login, account.secret)
    if isinstance(leg, Refused):
        return LeftBecause.of(leg.code)
    try:
        async with asyncio.timeout(DROP_SECONDS):
            return await _dropped(leg, user, tell)
    except TimeoutError:
        return LeftBecause.CONNECTED
    except StillThere as why:
        log.warning("the user %s at %s is not dropped: %s", user.name, where.name, why.words)
        return why.because
    finally:
        await _leave(leg)


async def _dropped(leg: TargetLeg, user: User, tell: Tell) -> bool:
    name, kept = _text(user.name), LeftBecause.KEPT
    if not _may_end(await _rows(leg, _OWN_RIGHTS, 1, kept)):
        raise StillThere(kept, _NO_RIGHTS)
    await _shut_out(leg, user)  # whoever queues for the lock holds the dropping, and not the user in
    while await _rows(leg, f"SELECT GET_LOCK({name}, 0)", 1, kept) != (("1",),):
        for (maker,) in await _rows(leg, f"SELECT IS_USED_LOCK({name})", 1, kept):
            await _kill(leg, maker)
        await asyncio.sleep(PAUSE_SECONDS)
    hosts = await _shut_out(leg, user)  # one that was still on its way
    holds = kept
    if hosts and (defined := await _defined(leg, user)):
        log.warning("the user %s is the definer of %s", user.name, ", ".join(defined))
        await tell(LeftBecause.DEFINES)
        holds = LeftBecause.DEFINES  # a MySQL may drop none: it is told once, and not in turns with another reason
    for host in hosts:
        await _rows(leg, f"DROP USER {name}@{host}", 0, holds)
    if await _hosts(leg, user):
        raise StillThere(kept, "it is there after DROP USER")
    await _end(leg, name)  # who was about to come in as it was locked
    return bool(hosts)


async def _shut_out(leg: TargetLeg, user: User) -> list[str]:
    """Nobody is in as it, or comes in any more; whence it could come, as `_hosts`."""
    name, hosts = _text(user.name), await _hosts(leg, user)
    await _end(leg, name)  # one of them may hold what `ALTER USER` waits for (FLUSH TABLES WITH READ LOCK)
    for host in hosts:
        await _rows(leg, f"ALTER USER {name}@{host} ACCOUNT LOCK", 0, LeftBecause.KEPT)
    if hosts:
        await _end(leg, name)  # who came in meanwhile
    return hosts


async def stop(where: Where, account: Account, name: str, there: TargetLeg) -> None:
    """Ends what a user's connection does now. The account does it, for the user has no second connection. Whether it
    came in time nobody says."""
    thread, certificate = str(there.thread), there.certificate
    leg = await _at(where, account.login, account.secret, CANCEL_SECONDS)
    if isinstance(leg, Refused):
        return
    try:
        seen = f"SELECT id FROM information_schema.processlist WHERE id = {thread} AND BINARY user = {_text(name)}"
        if leg.certificate == certificate and await ask(leg, seen, 1, CANCEL_SECONDS) == ((thread,),):
            await ask(leg, f"KILL QUERY {thread}", 0, CANCEL_SECONDS)
    except TimeoutError:
        pass
    finally:
        leg.send(wire.packet(0, bytes((wire.QUIT,))))
        leg.close()


async def _hosts(leg: TargetLeg, user: User) -> list[str]:
    """Whence it may come, as texts of SQL: at once, where it was made once."""
    found = await _rows(leg, f"SELECT Host FROM mysql.user WHERE BINARY User = {_text(user.name)}", 1, LeftBecause.KEPT)
    if not all(_MADE_FOR.fullmatch(host or "") for (host,) in found):
        raise StillThere(LeftBecause.KEPT, "it may come from elsewhere than it was made for")
    return [_text(host or "") for (host,) in found]


async def _end(leg: TargetLeg, name: str) -> None:
    """Ends its connections until none is seen."""
    seen = f"SELECT id FROM information_schema.processlist WHERE BINARY user = {name}"
    while found := await _rows(leg, seen, 1, LeftBecause.CONNECTED):
        for (number,) in found:
            await _kill(leg, number)
        await asyncio.sleep(PAUSE_SECONDS)


async def _kill(leg: TargetLeg, number: str | None) -> None:
    if number is None or not number.isdigit():  # it has gone by itself
        return
    killed = await ask(leg, f"KILL CONNECTION {number}", 0, DROP_SECONDS)
    if isinstance(killed, Failed) and killed.number != _NO_THREAD:
        raise StillThere(LeftBecause.CONNECTED if killed.number else LeftBecause.DOWN, killed.words)


async def _defined(leg: TargetLeg, user: User) -> list[str]:
    """What bears it as its definer, as far as its role sees; where the server does not say so, nothing is known."""
    await ask(leg, f"SET ROLE {_name(user.role)}", 0, DROP_SECONDS)
    found = await ask(leg, f"{_DEFINED.format(name=_text(user.name))} LIMIT {MOST_NAMED}", 1, DROP_SECONDS)
    await ask(leg, "SET ROLE NONE", 0, DROP_SECONDS)
    if isinstance(found, Failed):
        log.warning("of what the user %s is the definer is not known: %s", user.name, found.words)
        return []
    return [each or "" for (each,) in found]


async def _rows(leg: TargetLeg, statement: str, columns: int, otherwise: LeftBecause) -> tuple[Row, ...]:
    found = await ask(leg, statement, columns, MAKE_SECONDS)
    if isinstance(found, Failed):
        raise StillThere(otherwise if found.number else LeftBecause.DOWN, found.words)
    return found


async def _at(where: Where, login: str, secret: Secret, seconds: float = DIAL_SECONDS) -> TargetLeg | Refused:
    def settings(greeting: Greeting) -> tuple[str, ...]:
        return (*_SETTINGS, _BOUND) if _is_mariadb(greeting) else _SETTINGS

    return await dial(where, Who(login, NOBODY, secret, settings), seconds)


async def _leave(leg: TargetLeg) -> None:
    """Until the server has hung up, and so counts the connection no more."""
    leg.heard, leg.lost = lambda _: None, lambda: None
    leg.hold(False)
    leg.send(wire.packet(0, bytes((wire.QUIT,))))
    try:
        async with asyncio.timeout(LEAVE_SECONDS):
            await leg.wait_closed()
    except TimeoutError:
        pass
    finally:
        leg.cut()


def _by(greeting: Greeting | None, password: Secret) -> str:
    """How it is known. MariaDB's log has no password, only what the server keeps of it; that of MySQL, where the other
    way is going away, has none by itself."""
    way = "BY PASSWORD" if _is_mariadb(greeting) else "WITH caching_sha2_password BY"
    return f"{way} {_text(_kept(greeting, password))}"


def _kept(greeting: Greeting | None, password: Secret) -> str:
    """What is said of the password."""
    if not _is_mariadb(greeting):
        return password.reveal().decode("ascii")
    once = hashlib.sha1(password.reveal(), usedforsecurity=False).digest()
    return f"*{hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()}"


def _is_mariadb(greeting: Greeting | None) -> bool:
    return greeting is not None and "MariaDB" in greeting.version


def _may_end(rights: tuple[Row, ...]) -> bool:
    """Whether the account sees the connections of others, and may end them; without the first it would see none, and
    take them for gone."""
    names = {name for (name,) in rights}
    return "PROCESS" in names and len(names) > 1


def _refused(words: str) -> Refused:
    return Refused(SessionEnd.TARGET_REFUSING, f"the target makes no user for this session: {words}", _LOOK)


def _name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _text(text: str) -> str:
    """Of signs that end no text: names and hosts of ours, and base64."""
    return f"'{text}'"
