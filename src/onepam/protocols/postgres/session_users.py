"""The user of one session at a PostgreSQL: made by an account that may make roles, and dropped until it is seen gone.

A connection that makes one bears its name (`application_name`). Whoever drops it ends that connection first: so a
`CREATE ROLE` that is still on its way, from a gateway that died or hung up, comes no more once nobody is there.
"""

import asyncio
import hashlib
import hmac
import logging
from base64 import b64encode

from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.session_users import LeftBecause
from onepam.kernel.clock import Instant, iso
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.answers import Failed, ask
from onepam.protocols.postgres.catalogue import Row
from onepam.protocols.postgres.dial import TargetLeg, Who, dial
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

ITERATIONS = 4096
"""Of SCRAM, as PostgreSQL has it by itself. The password is of 256 random bits: nobody guesses it whatever they are."""

_DATABASE = "postgres"
_SETTINGS = {
    "client_encoding": "UTF8",
    "standard_conforming_strings": "on",
    "search_path": "pg_catalog",
    "default_transaction_read_only": "off",
    "statement_timeout": "15000",
    "lock_timeout": "5000",
}
"""In milliseconds where it is a time. What the account has by itself counts for nothing."""


_REACHED = (
    "WITH RECURSIVE reached AS (SELECT oid FROM pg_roles WHERE rolname = {role} UNION "
    "SELECT m.roleid FROM pg_auth_members m JOIN reached r ON m.member = r.oid) "
    "SELECT 1 FROM pg_roles JOIN reached USING (oid) WHERE rolsuper OR rolcreaterole"
)
_TOO_MUCH = "an administrator takes CREATEROLE and SUPERUSER from it, and from the roles that it is a member of"
"""Whoever may alter roles could give its user, or another session's, another name, under which nobody looks for it."""


async def make(where: Where, account: Account, user: User, password: Secret, until: Instant) -> Refused | None:
    """Makes it: it lets one connection in at a time, and none after `until`. What is refused may be there all the same,
    where the connection was lost meanwhile."""
    leg = await _at(where, account, _DATABASE, f"OnePAM makes {user.name}")
    if isinstance(leg, Refused):
        return leg
    verifier = await asyncio.to_thread(scram_verifier, password, user.name.encode())
    kept = verifier.partition(":")[2]
    try:
        made = await ask(leg, _REACHED.format(role=_text(user.role)), MAKE_SECONDS)
        if not isinstance(made, Failed) and made:
            return Refused(SessionEnd.TARGET_REFUSING, f"a session may have no user of the role {user.role}", _TOO_MUCH)
        if not isinstance(made, Failed):
            made = await ask(
                leg,
                f"CREATE ROLE {_name(user.name)} LOGIN CONNECTION LIMIT 1 PASSWORD {_text(verifier)} "
                f"VALID UNTIL {_text(iso(until))} IN ROLE {_name(user.role)}",
                MAKE_SECONDS,
            )
    except TimeoutError:
        made = Failed("", "it does not answer")
    finally:
        _leave(leg)
    if isinstance(made, Failed):
        words = f"the target makes no user for this session: {without_password(made.words, kept)}"
        return Refused(SessionEnd.TARGET_REFUSING, words, "an administrator looks at what the account there may do")
    return None


async def drop(where: Where, account: Account, user: User, tell: Tell | None = None) -> LeftBecause | bool:
    """As `Server.drop`. What it owns is given to its role, so there is nothing to tell."""
    leg = await _at(where, account, _DATABASE, f"OnePAM drops {user.name}")
    if isinstance(leg, Refused):
        return LeftBecause.of(leg.code)
    try:
        async with asyncio.timeout(DROP_SECONDS):
            return await _dropped(leg, where, account, user)
    except TimeoutError:
        return LeftBecause.CONNECTED
    except StillThere as why:
        log.warning("the user %s at %s is not dropped: %s", user.name, where.name, why.words)
        return why.because
    finally:
        _leave(leg)


async def _dropped(leg: TargetLeg, where: Where, account: Account, user: User) -> bool:
    name, text, kept = _name(user.name), _text(user.name), LeftBecause.KEPT
    maker = f"usename = current_user AND application_name = {_text(f'OnePAM makes {user.name}')}"
    await _end(leg, maker)
    if not await _rows(leg, f"SELECT 1 FROM pg_roles WHERE rolname = {text}", kept):
        return False
    await _rows(leg, f"ALTER ROLE {name} NOLOGIN", kept)
    await _rows(leg, f"GRANT {name} TO CURRENT_USER", kept)
    await _end(leg, f"usename = {text}")
    owns = (
        "SELECT DISTINCT coalesce(d.datname, current_database()) FROM pg_shdepend s LEFT JOIN pg_database d "
        "ON d.oid = s.dbid WHERE s.refclassid = 'pg_authid'::regclass "
        f"AND s.refobjid = (SELECT oid FROM pg_roles WHERE rolname = {text})"
    )
    for (database,) in await _rows(leg, owns, kept):
        await _give(where, account, user, database or "")
    await _rows(leg, f"DROP ROLE {name}", kept)
    if await _rows(leg, f"SELECT 1 FROM pg_roles WHERE rolname = {text}", kept):
        raise StillThere(kept, "it is there after DROP ROLE")
    return True


async def _end(leg: TargetLeg, which: str) -> None:
    """Ends connections until none is seen."""
    own = "pid <> pg_backend_pid()"
    while await _rows(  # noqa: ASYNC110 - it is the server's table
        leg,
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {which} AND {own}",
        LeftBecause.CONNECTED,
    ):
        await asyncio.sleep(PAUSE_SECONDS)


async def _give(where: Where, account: Account, user: User, database: str) -> None:
    """Gives what it owns in a database to its role; what it only was granted is taken from it."""
    there = await _at(where, account, database, f"OnePAM drops {user.name}")
    if isinstance(there, Refused):
        raise StillThere(LeftBecause.OWNS, there.message)
    try:
        name = _name(user.name)
        await _open_schemas(there, user)
        await _rows(there, f"REASSIGN OWNED BY {name} TO {_name(user.role)}", LeftBecause.OWNS)
        # whoever is a member of a table's owner counts as one who may still grant, and what it granted would stay
        await _rows(there, f"REVOKE {_name(user.role)} FROM {name}", LeftBecause.OWNS)
        await _rows(there, f"DROP OWNED BY {name}", LeftBecause.OWNS)
    finally:
        _leave(there)


async def _open_schemas(there: TargetLeg, user: User) -> None:
    """Lets the role make things where the user has some: only such a role may be given them, and a schema's owner may
    have taken that from itself."""
    closed = (
        "SELECT nspname FROM pg_namespace n JOIN pg_roles o ON o.oid = n.nspowner "
        f"WHERE o.rolname IN ({_text(user.name)}, {_text(user.role)}) AND nspname !~ '^pg_' "
        f"AND NOT has_schema_privilege({_text(user.role)}, n.oid, 'CREATE')"
    )
    names = [_name(schema or "") for (schema,) in await _rows(there, closed, LeftBecause.OWNS)]
    if names:
        opens = f"GRANT USAGE, CREATE ON SCHEMA {', '.join(names)} TO {_name(user.role)}"
        await _rows(there, opens, LeftBecause.OWNS)


async def _rows(leg: TargetLeg, statement: str, otherwise: LeftBecause) -> tuple[Row, ...]:
    found = await ask(leg, statement, DROP_SECONDS)
    if isinstance(found, Failed):
        raise StillThere(LeftBecause.DOWN if not found.sqlstate else otherwise, found.words)
    return found


async def _at(where: Where, account: Account, database: str, called: str) -> TargetLeg | Refused:
    parameters = {"database": database, "application_name": called, **_SETTINGS}
    return await dial(where, Who(account.login, parameters, account.secret), DIAL_SECONDS)


def _leave(leg: TargetLeg) -> None:
    leg.send(wire.message(wire.TERMINATE, b""))
    leg.close()


def scram_verifier(password: Secret, salt: bytes) -> str:
    """What a server keeps of a password (RFC 5803, PostgreSQL's `pg_authid.rolpassword`), so that its log has no
    password. `salt` is never the same for two users."""
    salted = hashlib.pbkdf2_hmac("sha256", password.reveal(), salt, ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    server = hmac.digest(salted, b"Server Key", "sha256")
    stored = hashlib.sha256(client).digest()
    parts = [b64encode(each).decode("ascii") for each in (salt, stored, server)]
    return f"SCRAM-SHA-256${ITERATIONS}:{parts[0]}${parts[1]}:{parts[2]}"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
