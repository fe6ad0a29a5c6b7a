"""What `CREATE`, `ALTER`, `DROP` and `RENAME` do: to tables and what is made of them, to accounts, or to the server."""

from typing import Final

from onepam.domain.access.guardrails import StatementClass
from onepam.protocols.mysql.calling import called
from onepam.protocols.mysql.functions import named
from onepam.protocols.mysql.lexing import Kind, Part, words

Classes = frozenset[StatementClass]

ROUTINES: Final = frozenset(("PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"))
"""What has a body of statements."""

_SCHEMA: Final = ROUTINES | {"TABLE", "TABLES", "VIEW", "INDEX", "DATABASE", "SCHEMA", "SEQUENCE"}
_ACCOUNTS: Final = frozenset(("USER", "ROLE"))
_SERVERS: Final = frozenset(("SERVER", "TABLESPACE", "LOGFILE", "INSTANCE", "RESOURCE", "REFERENCE", "UNDO"))
_BEFORE: Final = named(
    "OR REPLACE TEMPORARY UNIQUE FULLTEXT SPATIAL VECTOR ONLINE OFFLINE IGNORE ALGORITHM UNDEFINED MERGE"
    " TEMPTABLE SQL SECURITY INVOKER DEFINER AGGREGATE IF NOT EXISTS WAIT NOWAIT"
)
"""Words that may stand before what is made."""

_ENGINES: Final = named("innodb myisam aria memory heap archive blackhole merge mrg_myisam rocksdb ndbcluster")
"""Engines that keep what they are given in the server itself."""

_OUTSIDE: Final = frozenset(("CONNECTION", "DIRECTORY", "IMPORT"))
_SELECTS: Final = frozenset(("SELECT", "WITH", "TABLE", "VALUES"))
_BOUNDS: Final = (["LESS"], ["IN"])
"""What follows VALUES where a partition is described."""

_DDL, _GRANT, _ADMIN, _EXPORT, _READ, _OTHER, _WRITE = (
    frozenset((each,))
    for each in (
        StatementClass.DDL, StatementClass.GRANT, StatementClass.ADMIN, StatementClass.EXPORT, StatementClass.READ,
        StatementClass.OTHER, StatementClass.WRITE,
    )
)  # fmt: skip

ANYTHING: Final = _WRITE | _DDL | _GRANT | _EXPORT | _ADMIN
"""What a text that runs another one may do, and a body of statements."""


def makes(part: Part) -> Classes | None:
    """What the statement does; None where it cannot be told."""
    said, place = words(part), 1
    definer = False
    while place < len(part) and (said[place] in _BEFORE or part[place].text == "="):
        if said[place] == "DEFINER" and part[place + 1 : place + 2] and part[place + 1].text == "=":
            definer, place = True, _behind_account(part, place + 2)
        else:
            place += 1
    what = said[place] if place < len(part) else ""
    if what in _ACCOUNTS:
        return _GRANT
    if what == "PREPARE" and said[0] == "DROP":
        return _OTHER
    if what in _SERVERS or "SONAME" in said:
        return _ADMIN
    if what not in _SCHEMA:
        return None
    found = (_DDL | _GRANT if definer else _DDL) | (called(part) & _EXPORT)
    if what in ROUTINES:
        return found if _has_no_body(said, what) else found | ANYTHING
    if _outside(part, said):
        found |= _EXPORT
    first = next((spot for spot in range(place + 1, len(part)) if _selects(said, spot)), None)
    return found if first is None or what == "VIEW" else found | _READ | called(part[first:])


def _has_no_body(said: list[str], what: str) -> bool:
    """Whether no statement stands in it: `RETURN` has but an expression, and a routine's body is never altered."""
    if said[0] == "CREATE":
        return what == "FUNCTION" and "RETURN" in said
    return said[0] != "ALTER" or what in ("PROCEDURE", "FUNCTION")


def _selects(said: list[str], spot: int) -> bool:
    """Whether the rows of a table begin there that is made of a query."""
    return said[spot] in _SELECTS and (said[spot] != "VALUES" or said[spot + 1 : spot + 2] not in _BOUNDS)


def _behind_account(part: Part, place: int) -> int:
    """Behind `user@host`, `'user'@'host'`, `CURRENT_USER`, `CURRENT_USER()` or a role."""
    place += 1
    if place < len(part) and part[place].kind is Kind.VARIABLE:
        return place + 1
    if [each.text for each in part[place : place + 2]] == ["(", ")"]:
        return place + 2
    return place


def _outside(part: Part, said: list[str]) -> bool:
    """Whether a table's rows are those of a file or of another server."""
    if not _OUTSIDE.isdisjoint(said):
        return True
    for place, each in enumerate(said):
        if each == "ENGINE":
            rest = [one.text.strip("'\"`").lower() for one in part[place + 1 : place + 3] if one.text != "="]
            if not rest or rest[0] not in _ENGINES:
                return True
    return False
