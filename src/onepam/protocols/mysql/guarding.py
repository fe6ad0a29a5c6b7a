"""What guardrails mean for one session of MySQL or MariaDB: what its statements may do, what its start may ask for, and
the settings that the server is given before anything of the client's runs."""

import re
from dataclasses import replace
from functools import lru_cache, partial
from typing import Final

from onepam.app.open_session import Opened
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask
from onepam.domain.access.patterns import Patterns
from onepam.domain.sessions.ends import SessionEnd
from onepam.kernel.clock import MILLISECOND, SECOND
from onepam.kernel.errors import Refused
from onepam.protocols.mysql.bound import bound
from onepam.protocols.mysql.catalogue import Catalogue
from onepam.protocols.mysql.lexing import literals
from onepam.protocols.mysql.masked_columns import refusal
from onepam.protocols.mysql.startup import Greeting, Start
from onepam.protocols.mysql.statements import by_name, classify
from onepam.protocols.sql.events import Allowance
from onepam.protocols.sql.guarding import guarded, hides, only_reads, within
from onepam.protocols.sql.masking import Masking

_CHARSETS: Final = {
    **dict.fromkeys((45, 46, *range(224, 248), 255), "utf8mb4"),
    **dict.fromkeys((33, 76, 83, *range(192, 216), 223), "utf8"),
    **dict.fromkeys((5, 8, 15, 31, 47, 48, 49, 94), "latin1"),
    **dict.fromkeys((11, 65), "ascii"),
    63: "binary",
}
"""Numbers of collations -> the character set, where a byte of ASCII in it is always itself."""

_JOINS: Final = re.compile(rb"(?:\s|#[^\n]*\n|--[^\n]*\n|/\*.*?\*/)*+", re.DOTALL)
"""Between two texts that are one for the servers."""

_OTHERWISE: Final = (
    "ANSI_QUOTES", "ANSI", "NO_BACKSLASH_ESCAPES", "ORACLE", "MSSQL", "DB2", "POSTGRESQL", "MAXDB", "MYSQL323",
    "MYSQL40",
)  # fmt: skip
"""Parts of `sql_mode` by which a text is read in another way, and names for several parts; of two that begin alike the
longer one first."""


_OTHER: Final = frozenset((StatementClass.OTHER,))
_TIME: Final = re.compile(
    r"\s*(?:/\*M!100100 )?SET (?:@@|@@SESSION\.|SESSION )?MAX_(?:STATEMENT|EXECUTION)_TIME ?= ?[0-9.]+(?: \*/)?[;\s]*",
    re.IGNORECASE | re.ASCII,
)
"""Sets how long a statement of one's own may take, and nothing else; dumping programs begin so."""


def allowance(guardrails: Guardrails | None, mask: Mask | None = None) -> Allowance:
    """What the statements of a session may do, and what of them is not recorded as it is."""
    found = Allowance(masking=None if mask is None else _masking(mask))
    timed = guardrails is not None and guardrails.timeout is not None
    return within(guardrails, found, classify if timed else _untimed, by_name)


def _untimed(sql: str) -> frozenset[StatementClass] | None:
    """What a text does where this access bounds no time."""
    return _OTHER if _TIME.fullmatch(sql) else classify(sql)


def of_session(opened: Opened, known: Catalogue | None) -> Allowance:
    """What a session's statements may do and show. `known` is there where `looks` asks for it."""
    found = replace(allowance(guarded(opened), opened.mask), results=opened.results)
    if known is None:
        return found
    if not hides(opened):
        return replace(found, named=known.may_show, unmasked=True)
    return replace(found, named=known.masks, proves=partial(refusal, known=known))


@lru_cache(maxsize=64)
def _masking(mask: Mask) -> Masking:
    """What holds for all sessions under one mask."""
    names = frozenset(each.rpartition(".")[2] for each in mask.columns)
    patterns = Patterns.of(mask.patterns) if mask.patterns else None
    return Masking(patterns, partial(bound, names=names) if names else None, literals, _JOINS)


def unfit(asked: Start, guardrails: Guardrails | None, mask: Mask | None) -> Refused | None:
    """Why a client that began so opens no session: what it sends could not be read."""
    if (guardrails is None and mask is None) or asked.collation in _CHARSETS:
        return None
    return Refused(
        SessionEnd.CLIENT_SETTING,
        "this client asks for a character set in which its statements cannot be read",
        "connect with utf8mb4",
    )


def settings(asked: Start, guardrails: Guardrails | None, mask: Mask | None, greeting: Greeting) -> tuple[str, ...]:
    """Statements of ours that come before the client's: how texts are read, and what the server itself bounds."""
    if guardrails is None and mask is None:
        return ()
    mode = "@@SESSION.sql_mode"
    for each in _OTHERWISE:
        mode = f"REPLACE({mode}, '{each}', '')"
    found = [f"SET SESSION sql_mode = {mode}", f"SET character_set_client = {_CHARSETS[asked.collation]}"]
    if guardrails is None:
        return tuple(found)
    if guardrails.timeout is not None:
        if "MariaDB" in greeting.version:
            found.append(f"SET SESSION max_statement_time = {guardrails.timeout / SECOND}")
        else:
            found.append(f"SET SESSION max_execution_time = {max(guardrails.timeout // MILLISECOND, 1)}")
    if only_reads(guardrails):
        found.append("SET SESSION TRANSACTION READ ONLY")
    return tuple(found)
