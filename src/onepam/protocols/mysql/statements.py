"""What a statement does, read from its text: by the words that the servers tell statements apart by, every function
that is called, and, for what holds expressions, a parser (`parsing.py`) that must know all of it.

A net, not the boundary: that is what the login may do at the target, for no reader of texts knows what a view, a
trigger or a function of somebody's own does. What is not known here does not pass (`None`).
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Final

from onepam.domain.access.guardrails import StatementClass
from onepam.protocols.mysql.calling import called
from onepam.protocols.mysql.executable import variants
from onepam.protocols.mysql.functions import named
from onepam.protocols.mysql.lexing import Kind, Part, Token, split, tokens, words
from onepam.protocols.mysql.making import ANYTHING, ROUTINES, makes
from onepam.protocols.mysql.parsing import parses
from onepam.protocols.mysql.setting import sets, transaction

READ, WRITE, DDL, GRANT = StatementClass.READ, StatementClass.WRITE, StatementClass.DDL, StatementClass.GRANT
EXPORT, ADMIN, SEVERAL, OTHER = (
    StatementClass.EXPORT, StatementClass.ADMIN, StatementClass.SEVERAL, StatementClass.OTHER,
)  # fmt: skip

Classes = frozenset[StatementClass]
Reading = Callable[[Part], Classes | None]

MOST_BYTES: Final = 64 * 1024
"""Longest text that is read."""

_SHARING: Final = (("FOR", "UPDATE"), ("FOR", "SHARE"), ("LOCK", "IN"))
"""Words of a query that locks rows."""

_FILES: Final = frozenset(("OUTFILE", "DUMPFILE"))
_FORMS: Final = named("CHARACTER SET FIELDS COLUMNS TERMINATED OPTIONALLY ENCLOSED ESCAPED BY LINES STARTING")
"""What says how a file is written."""

_QUERIES: Final = frozenset(("SELECT", "WITH", "TABLE"))
_CHANGES: Final = frozenset(("INSERT", "REPLACE", "UPDATE", "DELETE"))
_NAMES: Final = re.compile("prepare|execute", re.IGNORECASE | re.ASCII)
_RUNS_OTHERS: Final = frozenset(("PREPARE", "EXECUTE"))


@lru_cache(maxsize=256)
def classify(sql: str) -> Classes | None:
    """All that the statements of a text do; nothing for a text without any. None where it cannot be read."""
    texts = variants(sql) if len(sql) <= MOST_BYTES else None
    found = [_classes(each) for each in texts or ()]
    if not found or None in found:
        return None
    return frozenset().union(*(each for each in found if each is not None))


def _classes(sql: str) -> Classes | None:
    found = _tokens(sql)
    if found is None:
        return None
    if _is_compound(found):
        return _whole(found)
    parts = list(split(found))
    classes = {SEVERAL} if len(parts) > 1 else set()
    for each in parts:
        does = _does(each)
        if does is None:
            return None
        classes |= does
    return frozenset(classes)


def by_name(sql: str) -> bool:
    """Whether a text that can be read prepares a statement by SQL, or executes one: what runs then stands in another
    text."""
    if _NAMES.search(sql) is None:
        return False
    texts = variants(sql) or () if len(sql) <= MOST_BYTES else ()
    return any(each[0].text in _RUNS_OTHERS for text in texts for each in split(_tokens(text) or ()))


def _tokens(sql: str) -> Part | None:
    text = sql.encode("utf-8", "surrogatepass")
    return None if len(text) > MOST_BYTES else tokens(text)


def _does(part: Part) -> Classes | None:
    place = 0
    while place < len(part) - 1 and part[place].text == "(":
        place += 1
    first = part[place]
    if first.kind is not Kind.WORD or (place and first.text not in _QUERIES):
        return None
    reading = _READINGS.get(first.text)
    return None if reading is None else reading(part)


def _is_compound(found: Part) -> bool:
    """Whether semicolons may stand within its first statement."""
    said = words(found[:24])
    if said[:1] == ["BEGIN"]:
        return said[1:2] not in ([], ["WORK"]) and found[1].text != ";"
    return said[:1] in (["CREATE"], ["ALTER"]) and not ROUTINES.isdisjoint(said)


def _whole(found: Part) -> Classes | None:
    """A body ends where only a server tells, so that what stands behind a semicolon may be anything."""
    end = len(found) - 1 if found[-1].text == ";" else len(found)
    does = _does(found[:end])
    more = any(each.text == ";" and each.kind is Kind.SIGN for each in found[:end])
    return does | ANYTHING | {SEVERAL} if does is not None and more else does


# What holds expressions ----------------------------------------------------------------------------------------------


def _expressions(part: Part, does: Classes) -> Classes | None:
    said = words(part)
    if not _FILES.isdisjoint(said):
        does |= {EXPORT}
    if "PROCEDURE" in said or not parses(_without_file(part) if EXPORT in does else part):
        return None
    if any(pair in _SHARING for pair in pairwise(said)):
        does |= {WRITE}
    return does | called(part)


def _without_file(part: Part) -> Part:
    """Without `INTO OUTFILE 'name'` and how it is written, which the parser does not know."""
    said = words(part)
    start = next(place for place, each in enumerate(said) if each in _FILES)
    end = start + 1
    while end < len(part) and (part[end].kind is Kind.STRING or said[end] in _FORMS or said[end - 1] == "SET"):
        end += 1
    return (*part[: start - 1], *part[end:]) if said[start - 1] == "INTO" else ()


def _query(part: Part) -> Classes | None:
    return _expressions(part, _READ)


def _change(part: Part) -> Classes | None:
    reads = not {"SELECT", "TABLE"}.isdisjoint(words(part)[1:])
    return _expressions(part, _WRITE | _READ if reads else _WRITE)


def _with(part: Part) -> Classes | None:
    """What follows the named queries, which stand between parentheses, says what it is."""
    depth = 0
    for each in part[1:]:
        if each.kind is Kind.SIGN:
            depth += {"(": 1, ")": -1}.get(each.text, 0)
        elif not depth and each.kind is Kind.WORD and each.text in _CHANGES | _QUERIES:
            return _expressions(part, _READ | _WRITE if each.text in _CHANGES else _READ)
    return _query(part)


def _do(part: Part) -> Classes | None:
    """`DO f(1)` is `SELECT f(1)` that gives nothing."""
    return _query((Token(Kind.WORD, "SELECT", 0, 0), *part[1:]))


def _call(part: Part) -> Classes | None:
    return _WRITE | called(part)


def _show(part: Part) -> Classes | None:
    return (_ADMIN if {"BINLOG", "RELAYLOG"} & set(words(part)[1:2]) else _READ) | called(part)


def _handler(part: Part) -> Classes | None:
    return _READ | called(part)


def _explain(part: Part) -> Classes | None:
    """What it explains does not run, but for its functions; with ANALYZE it does."""
    said, place = words(part), 1
    runs = False
    while place < len(part) and said[place] in ("EXTENDED", "PARTITIONS", "ANALYZE", "FORMAT"):
        runs = runs or said[place] == "ANALYZE"
        place += 3 if said[place] == "FORMAT" and part[place + 1 : place + 2] and part[place + 1].text == "=" else 1
    inner = part[place:]
    if not inner or said[place] in ("FOR", "INTO", "FORMAT"):
        return None
    if said[place] not in _CHANGES | _QUERIES and inner[0].text != "(":
        return _READ if not runs and all(each.text not in ("(", ";") for each in inner) else None
    does = _does(inner)
    if does is None or runs:
        return None if does is None else does | _READ
    return _READ | called(inner)


def _analyze(part: Part) -> Classes | None:
    """MariaDB runs what stands behind it; of a table both servers count."""
    said = words(part)
    if not {"TABLE", "TABLES"}.isdisjoint(said[1:3]):
        return _ADMIN
    place = 4 if said[1:2] == ["FORMAT"] and part[2:3] and part[2].text == "=" else 1
    if said[place : place + 1] and said[place] in _CHANGES | _QUERIES:
        does = _does(part[place:])
        return None if does is None else does | _READ
    return None


# What holds none -----------------------------------------------------------------------------------------------------


def _start(part: Part) -> Classes | None:
    said = words(part)
    if said[1:2] != ["TRANSACTION"]:
        return _ADMIN
    return transaction(part[2:])


def _begin(part: Part) -> Classes | None:
    return _OTHER if words(part)[1:] in ([], ["WORK"]) else ANYTHING


def _load(part: Part) -> Classes | None:
    said = words(part)
    if said[1:2] not in (["DATA"], ["XML"]):
        return _ADMIN
    return (_WRITE if "LOCAL" in said[2:4] else _WRITE | {EXPORT}) | called(part)


def _lock(part: Part) -> Classes | None:
    return _WRITE if words(part)[1:2] in (["TABLE"], ["TABLES"]) else _ADMIN


def _unlock(part: Part) -> Classes | None:
    return _OTHER if words(part)[1:2] in (["TABLE"], ["TABLES"]) else _ADMIN


def _table(part: Part) -> Classes | None:
    """`TABLE name`, which the parser does not know, and nothing behind it."""
    names = [each for each in part[1:] if each.kind in (Kind.WORD, Kind.NAME)]
    signs = [each.text for each in part[1:] if each.kind not in (Kind.WORD, Kind.NAME)]
    return _READ if (len(names), signs) in ((1, []), (2, ["."])) else None


def _plain(*classes: StatementClass) -> Reading:
    found = frozenset(classes)
    return lambda part: found


def _each(words: str, reading: Reading) -> dict[str, Reading]:
    return dict.fromkeys(words.split(), reading)


_OTHER, _ADMIN, _WRITE, _READ = (frozenset((each,)) for each in (OTHER, ADMIN, WRITE, READ))
_READINGS: Final[Mapping[str, Reading]] = {
    "SELECT": _query,
    **_each("INSERT REPLACE UPDATE DELETE", _change),
    **_each("EXPLAIN DESCRIBE DESC", _explain),
    **_each("COMMIT ROLLBACK SAVEPOINT RELEASE USE DEALLOCATE SIGNAL RESIGNAL GET KILL", _plain(OTHER)),
    **_each("XA", _plain(OTHER, WRITE)),
    **_each("TRUNCATE", _plain(WRITE)),
    **_each("HELP CHECKSUM", _plain(READ)),
    **_each("GRANT REVOKE", _plain(GRANT)),
    **_each("PREPARE EXECUTE", lambda part: ANYTHING),
    **_each(
        "FLUSH RESET PURGE CHANGE SHUTDOWN RESTART INSTALL UNINSTALL BINLOG CLONE BACKUP CACHE OPTIMIZE REPAIR CHECK"
        " IMPORT STOP",
        _plain(ADMIN),
    ),
    **_each("CREATE ALTER DROP RENAME", makes),
    "WITH": _with, "TABLE": _table, "DO": _do, "CALL": _call, "SHOW": _show, "HANDLER": _handler, "ANALYZE": _analyze,
    "START": _start, "BEGIN": _begin, "LOAD": _load, "LOCK": _lock, "UNLOCK": _unlock, "SET": sets,
}  # fmt: skip
"""The first word of a statement -> what it does. A statement whose first word is not here does not pass."""
