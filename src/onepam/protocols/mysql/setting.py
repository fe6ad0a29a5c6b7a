"""What `SET` does: to the session alone, to how a text is read and what bounds it, or to the server."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from onepam.domain.access.guardrails import StatementClass
from onepam.protocols.mysql.calling import called
from onepam.protocols.mysql.functions import named
from onepam.protocols.mysql.lexing import Kind, Part, Token, words
from onepam.protocols.mysql.parsing import parses

Classes = frozenset[StatementClass]

CHARSETS: Final = frozenset(("utf8", "utf8mb3", "utf8mb4", "latin1", "ascii", "binary"))
"""Character sets of clients in which a byte of ASCII is itself, also beside others."""

MODES: Final = named(
    "STRICT_TRANS_TABLES STRICT_ALL_TABLES NO_ZERO_IN_DATE NO_ZERO_DATE ERROR_FOR_DIVISION_BY_ZERO"
    " NO_AUTO_CREATE_USER NO_ENGINE_SUBSTITUTION ONLY_FULL_GROUP_BY NO_AUTO_VALUE_ON_ZERO PIPES_AS_CONCAT"
    " TRADITIONAL ALLOW_INVALID_DATES NO_UNSIGNED_SUBTRACTION PAD_CHAR_TO_FULL_LENGTH TIME_TRUNCATE_FRACTIONAL"
)
"""Parts of `sql_mode` by which no text is read in another way."""

_OWN: Final = named(
    "autocommit time_zone character_set_results collation_connection net_read_timeout net_write_timeout"
    " wait_timeout interactive_timeout lock_wait_timeout innodb_lock_wait_timeout sql_auto_is_null"
    " sql_safe_updates sql_select_limit sql_big_selects sql_quote_show_create sql_warnings sql_notes"
    " group_concat_max_len div_precision_increment foreign_key_checks unique_checks last_insert_id insert_id"
    " transaction_isolation tx_isolation default_week_format lc_time_names lc_messages optimizer_switch"
    " profiling session_track_schema session_track_gtids session_track_state_change"
    " session_track_system_variables session_track_transaction_info query_cache_type"
    " information_schema_stats_expiry terminology_use_previous windowing_use_high_precision show_create_table_verbosity"
)
"""Settings of one's own session that bound nothing."""

_READ_ONLY: Final = frozenset(("transaction_read_only", "tx_read_only"))
_READ_BY: Final = frozenset(("character_set_client", "character_set_connection"))
_SCOPES: Final = {"SESSION": True, "LOCAL": True, "GLOBAL": False, "PERSIST": False, "PERSIST_ONLY": False}
_OTHER, _WRITE, _ADMIN, _GRANT = (
    frozenset((each,))
    for each in (StatementClass.OTHER, StatementClass.WRITE, StatementClass.ADMIN, StatementClass.GRANT)
)
_ON: Final = frozenset(("1", "ON", "TRUE"))
_NAMED: Final = frozenset(("NAMES", "CHARSET"))


def transaction(part: Part) -> Classes:
    """How a transaction is: `READ WRITE` asks for more than may have been given."""
    said = words(part)
    return _OTHER | _WRITE if ("READ", "WRITE") in pairwise(said) else _OTHER


def sets(part: Part) -> Classes | None:
    """What the statement does; None where it cannot be told."""
    said = words(part)
    if said[1:2] == ["STATEMENT"]:
        return None
    if said[1:2] == ["PASSWORD"] or said[1:3] == ["DEFAULT", "ROLE"]:
        return _GRANT
    if said[1:2] == ["ROLE"] or said[1:3] == ["RESOURCE", "GROUP"]:
        return _ADMIN
    if "TRANSACTION" in said[1:3]:
        return _ADMIN if _SCOPES.get(said[1]) is False else transaction(part[2:])
    found: Classes = _OTHER
    for each in _listed(part[1:]):
        does = _assigned(each)
        if does is None:
            return None
        found |= does
    return found | called(part)


def _listed(part: Part) -> Iterator[Part]:
    """What stands between commas."""
    depth, start = 0, 0
    for place, each in enumerate(part):
        if each.kind is Kind.SIGN:
            depth += {"(": 1, ")": -1}.get(each.text, 0)
            if each.text == "," and not depth:
                yield part[start:place]
                start = place + 1
    yield part[start:]


def _assigned(part: Part) -> Classes | None:
    """`SESSION name = value`, `@@name := value`, `@name = value`, `NAMES value`."""
    said = words(part)
    if said[:1] and said[0] in _NAMED:
        return _charset(part[1:])
    if said[:2] == ["CHARACTER", "SET"]:
        return _charset(part[2:])
    own = True
    if len(part) > 1 and said[0] in _SCOPES and part[1].kind in (Kind.WORD, Kind.NAME):
        own, part = _SCOPES[said[0]], part[1:]
    if len(part) < 3 or part[1].text not in ("=", ":="):
        return None
    name, values = part[0], part[2:]
    if not parses((Token(Kind.WORD, "SELECT", 0, 0), *_quoted(values))):
        return None
    reads = frozenset((StatementClass.READ,)) if "SELECT" in words(values) else frozenset[StatementClass]()
    if name.kind is Kind.VARIABLE and not name.text.startswith("@@"):
        return reads
    return reads | (_variable(_name(name), values) if own else _ADMIN)


def _quoted(values: Part) -> Part:
    """A value that is a word alone, such as ON, DEFAULT or utf8mb4, as a text."""
    alone = len(values) == 1 and values[0].kind is Kind.WORD
    return (Token(Kind.STRING, "''", 0, 0),) if alone else values


def _name(token: Token) -> str:
    """The name of a setting of the session, "" for what is none."""
    name = token.text.lower()
    if token.kind is Kind.VARIABLE:
        name = name.removeprefix("@@")
        name = name.removeprefix("session.").removeprefix("local.")
    return name.strip("`") if token.kind in (Kind.WORD, Kind.NAME, Kind.VARIABLE) else ""


def _variable(name: str, values: Part) -> Classes:
    if name in _OWN:
        return _OTHER
    value = _constant(values)
    if name in _READ_ONLY:
        return _OTHER if value in _ON else _OTHER | _WRITE
    if name in _READ_BY:
        return _OTHER if value is not None and value.lower() in CHARSETS else _ADMIN
    if name == "sql_mode":
        return _OTHER if all(_is_mode(each) for each in values) else _ADMIN
    return _ADMIN


def _is_mode(token: Token) -> bool:
    """Whether it is a part of `'STRICT_ALL_TABLES'` or of `CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')`, as drivers say
    it: no two names that are harmless make one that is not."""
    if token.kind is Kind.SIGN:
        return token.text in ("(", ")", ",")
    if token.kind is Kind.VARIABLE:
        return _name(token) == "sql_mode"
    said = _constant((token,))
    return said is not None and (said == "CONCAT" or {each.strip() for each in said.upper().split(",")} <= MODES | {""})


def _charset(values: Part) -> Classes:
    """`utf8mb4`, `'utf8mb4' COLLATE utf8mb4_bin`."""
    if len(values) == 3 and values[1].text == "COLLATE":
        values = values[:1]
    value = _constant(values)
    return _OTHER if value is not None and value.lower() in CHARSETS else _ADMIN


def _constant(values: Part) -> str | None:
    """A text without escapes, a number or a word alone."""
    if len(values) != 1 or values[0].kind not in (Kind.WORD, Kind.STRING, Kind.NUMBER):
        return None
    text = values[0].text
    if values[0].kind is not Kind.STRING:
        return text
    return text[1:-1] if "\\" not in text and text[0] not in text[1:-1] else None
