"""What is tried on the tables of state, and on the database as one: its schema, its own rows, its pages."""

import asyncio
import sqlite3
from contextlib import closing

from onepam.app.people.add_person import add_person
from onepam.boot.platform import Platform
from onepam.domain.access.authority import Actor
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import FOREVER, HOUR
from onepam.ledger.verdict import ExitCode
from tests.lawful import meant_unlawful
from tests.tampering.installed import Copy
from tests.tampering.table import Found, Unfindable, attack, by_sql

STATE = "state"
UNEXPLAINED = Found("state: .* a row that the ledger does not explain")
ADA = "(SELECT person FROM person WHERE email = 'ada@example.com')"
SIGN_IN = f"""
    INSERT INTO sign_in (session, person, kind, proven, mfa_at, opened, expires, basis, provider, methods,
                         phishing_resistant, valid_from, valid_until)
    VALUES ('sgn_slipped', ?, 'console', '["passkey"]', ?, ?, ?, 'own', '', '[]', 0, ?, {FOREVER})"""
MEMBER = "INSERT INTO group_member (grp, person, source, valid_from, valid_until) "

by_sql("a row slipped in", STATE, f"{MEMBER} VALUES ('root', 'per_mallory', 'file', 1, {FOREVER})", UNEXPLAINED)
by_sql(
    "a row deleted",
    STATE,
    "DELETE FROM person WHERE email = 'ada@example.com'",
    Found("a row that the ledger demands is gone"),
)
by_sql("the end of a row", STATE, f"UPDATE person SET valid_until = valid_until - 1 WHERE person = {ADA}", UNEXPLAINED)


@attack(
    "a row slipped in for a moment, used, and taken out",
    STATE,
    Found("UNLAWFUL .* was not signed in", ExitCode.UNLAWFUL),
)
def _(copy: Copy) -> None:
    """Ada has never signed in; the gateway is made to believe it while somebody is added in her name."""

    async def used() -> None:
        async with Platform(copy.of.config(copy.data)).running() as platform:
            with closing(sqlite3.connect(copy.database, isolation_level=None)) as db:
                (ada,) = db.execute(f"SELECT {ADA}").fetchone()
                (now,) = db.execute("SELECT time FROM head").fetchone()
                db.execute(SIGN_IN, (ada, now, now, now + HOUR, now))
                known = Attributes("Mal Lory", "mal@example.com")
                slipped = Actor(ada, "sgn_slipped", "192.0.2.1")
                added = await add_person(platform.ledger, slipped, "per_mallory", PersonKind.EMPLOYEE, known, "hired")
                assert added is None, added
                db.execute("DELETE FROM sign_in WHERE session = 'sgn_slipped'")

    asyncio.run(used())
    meant_unlawful(copy.database)


SCHEMA = "schema"
WRITABLE = "PRAGMA writable_schema = ON;"
by_sql(
    "a trigger",
    SCHEMA,
    "CREATE TRIGGER quiet AFTER INSERT ON entry WHEN 0 BEGIN DELETE FROM entry; END",
    Found("database: there is a trigger 'quiet'"),
)
by_sql(
    "a trigger under a name of SQLite's own",
    SCHEMA,
    "CREATE TRIGGER quiet AFTER INSERT ON entry WHEN 0 BEGIN DELETE FROM entry; END;"
    f"{WRITABLE} UPDATE sqlite_schema SET name = 'sqlite_quiet', sql = replace(sql, 'quiet', 'sqlite_quiet') "
    "WHERE name = 'quiet'",
    Found("database: there is a trigger 'sqlite_quiet'"),
)
by_sql(
    "a view in the place of a table",
    SCHEMA,
    "ALTER TABLE entry RENAME TO e2; CREATE VIEW entry AS SELECT * FROM e2",
    Found("entry is a view, and not a table"),
)
by_sql(
    "a view of evidence that says something else",
    SCHEMA,
    "DROP VIEW ev_accounts_v1; CREATE VIEW ev_accounts_v1 AS SELECT 1",
    Found("database: the view"),
)
by_sql("a table more", SCHEMA, "CREATE TABLE more (x)", Found("database: there is a table 'more'"))
by_sql(
    "a table of another program (virtual)",
    SCHEMA,
    "CREATE VIRTUAL TABLE more USING fts5(x)",
    Found("database: there is a table 'more'"),
)
by_sql("a table deleted", SCHEMA, "DROP TABLE person", Found("database: the table person is gone"))
by_sql(
    "a column more",
    SCHEMA,
    "ALTER TABLE person ADD COLUMN more TEXT",
    Found("database: the table person is not as this release makes it"),
)
by_sql("an index deleted", SCHEMA, "DROP INDEX entry_by_kind", Found("database: the index entry_by_kind is gone"))
by_sql(
    "an index on something else",
    SCHEMA,
    "DROP INDEX entry_by_kind; CREATE INDEX entry_by_kind ON entry (class)",
    Found("database: the index entry_by_kind is not as"),
)
by_sql(
    "the text of a table in SQLite's own catalogue",
    SCHEMA,
    f"{WRITABLE} UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (one = 1)', '') WHERE name = 'head'",
    Found("database: the table head is not as"),
)
by_sql(
    "an index that leads to another table's rows",
    SCHEMA,
    f"CREATE INDEX beside ON payload (person); {WRITABLE} UPDATE sqlite_schema SET rootpage = "
    "(SELECT rootpage FROM sqlite_schema WHERE name = 'beside') WHERE name = 'entry_by_kind'; "
    "DELETE FROM sqlite_schema WHERE name = 'beside'",
    Found("database: "),
)
by_sql(
    "two tables exchanged in SQLite's own catalogue",
    SCHEMA,
    f"{WRITABLE} CREATE TEMP TABLE pages AS SELECT name, rootpage FROM sqlite_schema WHERE name IN ('head', 'batch'); "
    "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM pages WHERE pages.name <> sqlite_master.name) "
    "WHERE name IN ('head', 'batch')",
    Found("database: "),
)
by_sql("the number of the layout", SCHEMA, "PRAGMA user_version = 3", Found("layout 3"))

RELEASE = "release"
by_sql(
    "the digests of the migrations", RELEASE, "UPDATE migration SET digest = 'x'", Found("the migrations are not those")
)
by_sql("the row of the release deleted", RELEASE, "DELETE FROM release", Found("the row of the release is gone"))
by_sql("how the release makes state", RELEASE, "UPDATE release SET state = '{}'", Found("not what this release writes"))
by_sql(
    "the stamp of the release",
    RELEASE,
    "UPDATE release SET stamp = 'x'",
    Found("the stamp of the release does not follow from its row"),
)

PAGES = "pages"


@attack("an empty database", PAGES, Found("database: it is empty"))
def _(copy: Copy) -> None:
    for each in copy.data.glob("ledger.db*"):
        each.unlink()
    copy.database.touch()


@attack("a page of noise", PAGES, Found("cannot be read|database disk image is malformed"))
def _(copy: Copy) -> None:
    copy.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(sqlite3.connect(copy.database)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'entry'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    content = bytearray(copy.database.read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    copy.database.write_bytes(content)


@attack(
    "a prepared state beside the database",
    PAGES,
    Unfindable("nobody reads it: a rebuild begins by removing it"),
)
def _(copy: Copy) -> None:
    copy.database.with_name("ledger.db.beside").write_bytes(copy.database.read_bytes())
