"""What a statement does, read from its text by PostgreSQL's own grammar (libpg_query, of PostgreSQL 17).

A net, not the boundary: that is what the login may do at the target, for no reader of texts knows what a view, a
trigger or a function of somebody's own does. The whole tree is looked at, so that neither a comment, a common table
expression nor an EXPLAIN hides a write; a function that PostgreSQL does not call harmless counts as one.
"""

import re
import resource
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from threading import Lock
from typing import Any, Final

import pgparse

from onepam.domain.access.guardrails import StatementClass
from onepam.protocols.postgres.functions import READING, own_operator
from onepam.protocols.sql.events import Freed

READ, WRITE, DDL, GRANT = StatementClass.READ, StatementClass.WRITE, StatementClass.DDL, StatementClass.GRANT
EXPORT, ADMIN, SEVERAL, OTHER = (
    StatementClass.EXPORT, StatementClass.ADMIN, StatementClass.SEVERAL, StatementClass.OTHER,
)  # fmt: skip

Classes = frozenset[StatementClass]
Node = Mapping[str, Any]

ANYTHING: Final = frozenset((WRITE, DDL, GRANT, EXPORT, ADMIN))
"""What a text in another language may do."""


def _stack() -> int:
    """Bytes that the stack of any thread of this process may have; where nothing bounds it, glibc gives 2 MiB."""
    soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
    return 2 << 20 if soft == resource.RLIM_INFINITY else soft


MOST_BYTES: Final = min(16 * 1024, _stack() // 128)
"""Longest text that is read. The grammar's library walks a tree of one level for each two bytes of a text like `1+1+1…`
on the stack, some 64 bytes a level, and ends the process where that is too small."""


def _each(kind: StatementClass, names: str) -> dict[str, Classes]:
    return dict.fromkeys(names.split(), frozenset((kind,)))


STATEMENTS: Final[Mapping[str, Classes]] = {
    **_each(READ, "SelectStmt VariableShowStmt ExplainStmt DeclareCursorStmt FetchStmt CopyStmt"),
    **_each(
        OTHER,
        "TransactionStmt VariableSetStmt ClosePortalStmt PrepareStmt ExecuteStmt DeallocateStmt DiscardStmt ListenStmt"
        " UnlistenStmt ConstraintsSetStmt",
    ),
    **_each(WRITE, "InsertStmt UpdateStmt DeleteStmt MergeStmt TruncateStmt NotifyStmt LockStmt CallStmt"),
    **_each(
        GRANT,
        "GrantStmt GrantRoleStmt AlterDefaultPrivilegesStmt AlterOwnerStmt CreateRoleStmt AlterRoleStmt"
        " AlterRoleSetStmt DropRoleStmt ReassignOwnedStmt DropOwnedStmt CreatePolicyStmt AlterPolicyStmt"
        " CreateUserMappingStmt AlterUserMappingStmt DropUserMappingStmt",
    ),
    **_each(
        ADMIN,
        "AlterSystemStmt CheckPointStmt LoadStmt VacuumStmt ReindexStmt ClusterStmt CreatedbStmt DropdbStmt"
        " AlterDatabaseStmt AlterDatabaseSetStmt AlterDatabaseRefreshCollStmt CreateTableSpaceStmt DropTableSpaceStmt"
        " AlterTableSpaceOptionsStmt AlterTableMoveAllStmt CreateExtensionStmt AlterExtensionStmt"
        " AlterExtensionContentsStmt CreateFdwStmt AlterFdwStmt CreateForeignServerStmt AlterForeignServerStmt"
        " CreatePublicationStmt AlterPublicationStmt CreateSubscriptionStmt AlterSubscriptionStmt DropSubscriptionStmt"
        " CreateEventTrigStmt AlterEventTrigStmt CreatePLangStmt CreateAmStmt CreateTransformStmt",
    ),
    **_each(
        DDL,
        "CreateStmt CreateTableAsStmt CreateSchemaStmt CreateSeqStmt AlterSeqStmt CreateDomainStmt AlterDomainStmt"
        " CreateEnumStmt AlterEnumStmt CreateRangeStmt CompositeTypeStmt AlterTypeStmt DefineStmt CreateFunctionStmt"
        " AlterFunctionStmt CreateTrigStmt RuleStmt ViewStmt IndexStmt AlterTableStmt RenameStmt DropStmt CommentStmt"
        " AlterObjectSchemaStmt AlterObjectDependsStmt SecLabelStmt RefreshMatViewStmt CreateForeignTableStmt"
        " ImportForeignSchemaStmt CreateCastStmt CreateConversionStmt CreateOpClassStmt CreateOpFamilyStmt"
        " AlterOpFamilyStmt AlterOperatorStmt CreateStatsStmt AlterStatsStmt AlterCollationStmt"
        " AlterTSDictionaryStmt AlterTSConfigurationStmt ReplicaIdentityStmt",
    ),
    "DoStmt": ANYTHING,
}
"""The statement's name in the tree -> what it does. A statement that is not here may do anything."""

FUNCTIONS: Final[Mapping[str, Classes]] = {
    **_each(
        EXPORT,
        "pg_read_file pg_read_file_old pg_read_binary_file pg_stat_file pg_ls_dir pg_ls_logdir pg_ls_waldir"
        " pg_ls_tmpdir pg_ls_archive_statusdir pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_replslotdir pg_file_write"
        " pg_current_logfile lo_export lo_import pg_hba_file_rules pg_ident_file_mappings pg_show_all_file_settings",
    ),
    **_each(
        ADMIN,
        "pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile pg_rotate_logfile_old pg_promote"
        " pg_switch_wal pg_create_restore_point pg_backup_start pg_backup_stop pg_start_backup pg_stop_backup"
        " pg_wal_replay_pause pg_wal_replay_resume pg_log_backend_memory_contexts pg_import_system_collations"
        " pg_stat_reset pg_stat_reset_shared pg_stat_reset_slru pg_stat_reset_replication_slot"
        " pg_stat_reset_single_table_counters pg_stat_reset_single_function_counters pg_stat_reset_subscription_stats"
        " pg_create_physical_replication_slot pg_create_logical_replication_slot pg_drop_replication_slot"
        " pg_copy_physical_replication_slot pg_copy_logical_replication_slot pg_replication_slot_advance"
        " pg_logical_slot_get_changes pg_logical_slot_get_binary_changes pg_logical_slot_peek_changes"
        " pg_logical_slot_peek_binary_changes pg_logical_emit_message pg_export_snapshot",
    ),
}
"""Functions that do more than write."""

REACHES_OUT: Final = frozenset((WRITE, EXPORT))
_OWN_SETTINGS = (
    "application_name client_min_messages datestyle intervalstyle timezone extra_float_digits bytea_output search_path"
    " xmloption xmlbinary lc_messages lc_monetary lc_numeric lc_time default_text_search_config quote_all_identifiers"
    " transaction_isolation default_transaction_isolation transaction_deferrable default_transaction_deferrable"
    " lock_timeout idle_in_transaction_session_timeout idle_session_timeout synchronize_seqscans row_security"
    " default_table_access_method default_tablespace default_toast_compression check_function_bodies jit geqo"
    " cursor_tuple_fraction from_collapse_limit join_collapse_limit plan_cache_mode work_mem escape_string_warning"
    " synchronous_commit"
)
OWN_SETTINGS: Final = frozenset(_OWN_SETTINGS.split())
"""Settings that change no more than how one's own session shows and plans. Of every other a change is an
administrator's: it may lift a bound, take another role, or make the server read texts as we do not."""


_BY_NAME: Final = re.compile(r"\b(?:prepare|execute)\b", re.IGNORECASE)
_ENDS: Final = frozenset(f"TRANS_STMT_{each}" for each in ("COMMIT", "ROLLBACK", "PREPARE"))
_READ_ONLY: Final = frozenset(("transaction_read_only", "default_transaction_read_only"))
_ON: Final = frozenset(("on", "true", "yes", "1"))
_ENCODINGS: Final = frozenset(("utf8", "unicode"))
_NO_LETTER: Final = re.compile(r"[^a-z0-9]")
"""What PostgreSQL leaves out of the name of an encoding, also the quotes that some drivers send."""


def classify(sql: str) -> Classes | None:
    """All that the statements of a text do; nothing for a text without any. None where it cannot be read."""
    statements = tree(sql)
    if statements is None:
        return None
    found = {SEVERAL} if len(statements) > 1 else set()
    waiting: list[Any] = list(statements)
    planned: list[Any] = []
    while waiting or planned:  # a planner runs functions that say of themselves that they are immutable
        only_planned = not waiting
        trees = planned if only_planned else waiting
        node = trees.pop()
        if isinstance(node, list):
            trees += node
            continue
        for name, below in node.items():
            if isinstance(below, dict | list):
                if not only_planned or name in _CALLS:
                    found |= _does(name, below)
                (planned if name == "ExplainStmt" and not _analyzes(below) else trees).append(below)
    return frozenset(found)


def by_name(sql: str) -> bool:
    """Whether a text that can be read prepares a statement by SQL, or executes one that was prepared: what runs then
    stands in another text."""
    if _BY_NAME.search(sql) is None:
        return False
    waiting: list[Any] = list(tree(sql) or ())
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            if not node.keys().isdisjoint(("PrepareStmt", "ExecuteStmt")):
                return True
            waiting += node.values()
    return False


def freed(sql: str) -> Freed | None:
    """Names of statements and portals that a text gives up, or gives another meaning; None where it cannot be read.

    Portals that ROLLBACK TO drops are not among them: a name of one means nothing until DECLARE takes it again.
    """
    trees = tree(sql)
    if trees is None:
        return None
    statements: set[str | None] = set()
    portals: set[str | None] = set()
    for each in trees:
        for name, said in each.get("stmt", {}).items():
            if name in ("DeallocateStmt", "PrepareStmt"):
                statements.add(said.get("name"))
            elif name in ("ClosePortalStmt", "DeclareCursorStmt"):
                portals.add(said.get("portalname"))
            elif name == "DiscardStmt" and said.get("target") == "DISCARD_ALL":
                statements.add(None)
                portals.add(None)
            elif name in ("CallStmt", "DoStmt") or said.get("kind") in _ENDS:
                portals.add(None)
    return Freed(_named(statements), _named(portals))


def _named(names: set[str | None]) -> frozenset[str] | None:
    return None if None in names else frozenset(each for each in names if each is not None)


def setting(name: str, value: str | None) -> Classes:
    """What it does to give a setting of the session this value; None where that is not a plain one."""
    name, value = name.lower(), (value or "").lower()
    if name in _READ_ONLY:
        return _OTHER if value in _ON else frozenset((OTHER, WRITE))
    if name == "client_encoding":
        return _OTHER if _NO_LETTER.sub("", value) in _ENCODINGS else _ADMIN
    if name == "standard_conforming_strings":
        return _OTHER if value in _ON else _ADMIN
    if name == "search_path":  # functions of PostgreSQL's names may be others behind another schema
        return _ADMIN if "pg_catalog" in value.partition(",")[2] else _OTHER
    return _OTHER if name in OWN_SETTINGS else _ADMIN


_OTHER, _ADMIN, _WRITE, _DDL = (frozenset((each,)) for each in (OTHER, ADMIN, WRITE, DDL))
_NOTHING: Final[Classes] = frozenset()
_FUNCTIONS: Final = frozenset(("FuncCall", "funccall"))
_OPERATORS: Final = frozenset(("A_Expr", "SubLink", "SortBy"))
_CALLS: Final = _FUNCTIONS | _OPERATORS


Trees = list[dict[str, Any]]

_READS: Final = Lock()
_READ: Final[OrderedDict[bytes, tuple[int, Trees | None]]] = OrderedDict()
"""What was read lately, by the digest of its text, with the text's size: what one asks of a text another does, too."""

MOST_TREES, MOST_READ_BYTES = 64, 64 * 1024
"""So many trees are kept, of texts of so many bytes together; a tree takes some hundred times as much."""


def tree(sql: str) -> Trees | None:
    """The statements of a text as the grammar reads them; None where it cannot be read. Nobody may change them."""
    text = sql.encode()
    if len(text) > MOST_BYTES or "\0" in sql:
        return None
    digest = sha256(text).digest()
    with _READS:
        if (known := _READ.get(digest)) is not None:
            _READ.move_to_end(digest)
            return known[1]
    statements = _parsed(sql)
    with _READS:
        _READ[digest] = (len(text), statements)
        size = sum(each for each, _ in _READ.values())
        while size > MOST_READ_BYTES or len(_READ) > MOST_TREES:
            size -= _READ.popitem(last=False)[1][0]
    return statements


def _parsed(sql: str) -> Trees | None:
    try:
        statements: Trees = pgparse.parse(sql)
    except (pgparse.PGQueryError, RecursionError, ValueError):
        return None
    return statements


def _does(name: str, below: Any) -> Classes:
    """What one node of the tree does, without those below it."""
    if name in _FUNCTIONS:
        return _function(below)
    if name in _OPERATORS:
        return _WRITE if own_operator(name, below) else _NOTHING
    if name == "intoClause":
        return _DDL
    if name == "lockingClause":
        return _WRITE
    if not name.endswith("Stmt") or name[0].islower():  # a field of that name holds a node of a name of its own
        return _NOTHING
    if name == "SelectStmt" and "valuesLists" in below:
        return _NOTHING
    if name == "CopyStmt":
        outside = below.get("is_program") or "filename" in below
        return frozenset((WRITE if below.get("is_from") else READ, *((EXPORT,) if outside else ())))
    if name == "TransactionStmt":
        return _transaction(below)
    if name == "VariableSetStmt":
        return _variable(below)
    return STATEMENTS.get(name, ANYTHING)


def _function(call: Node) -> Classes:
    names = [each.get("String", {}).get("sval", "") for each in call.get("funcname", ())]
    name = names[-1] if names else ""
    if name == "set_config" and names[:-1] in ([], ["pg_catalog"]):
        given = [_constant(each) for each in call.get("args", ())]
        if len(given) != 3 or not given[0]:
            return _ADMIN
        if given[1] is None:  # a parameter, say: asyncpg puts `jit` back so
            return _OTHER if given[0].lower() in OWN_SETTINGS - {"search_path"} else _ADMIN
        return setting(given[0], given[1])
    if name.startswith(("dblink", "postgres_fdw")):
        return REACHES_OUT
    if names[:-1] == ["information_schema"]:
        return _NOTHING
    if names[:-1] not in ([], ["pg_catalog"]):
        return _WRITE
    return FUNCTIONS.get(name) or (_NOTHING if name in READING else _WRITE)


def _transaction(statement: Node) -> Classes:
    if statement.get("kind", "").endswith(("_PREPARE", "_PREPARED")):
        return frozenset((OTHER, WRITE))
    return _OTHER | _modes(statement.get("options", ()))


def _modes(options: Any) -> Classes:
    """Of BEGIN and SET TRANSACTION: READ WRITE asks for more than may have been given."""
    found = [each.get("DefElem", {}) for each in options]
    return frozenset().union(
        *(setting(each["defname"], _constant(each.get("arg"))) for each in found if each.get("defname") in _READ_ONLY)
    )


def _variable(statement: Node) -> Classes:
    """What is reset is as the gateway began the session, whatever it was set to, but for what began with a
    transaction."""
    kind, name, args = statement.get("kind"), statement.get("name", ""), statement.get("args", ())
    if kind == "VAR_SET_MULTI":
        return _OTHER | _modes(args)
    if name.lower() == "transaction_read_only" and kind != "VAR_SET_VALUE":
        return _OTHER | _WRITE
    if kind != "VAR_SET_VALUE":
        return _OTHER if kind in ("VAR_RESET", "VAR_RESET_ALL", "VAR_SET_DEFAULT") else _ADMIN
    values = [_constant(each) for each in args]
    if name.lower() == "search_path":
        return setting(name, ", ".join(each or "" for each in values))
    return setting(name, values[0] if len(values) == 1 else None)


def _constant(node: Any) -> str | None:
    """The text of a constant, None for everything else."""
    constant = node.get("A_Const", {}) if isinstance(node, dict) else {}
    if "sval" in constant:
        return str(constant["sval"].get("sval", ""))
    if "ival" in constant:
        return str(constant["ival"].get("ival", 0))
    if "boolval" in constant:
        return "on" if constant["boolval"].get("boolval") else "off"
    return None


def _analyzes(explain: Any) -> bool:
    """Whether an EXPLAIN runs what it explains."""
    found = [each.get("DefElem", {}) for each in explain.get("options", ())]
    return any(each.get("defname") == "analyze" and not _off(each.get("arg")) for each in found)


def _off(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    [(kind, said)] = value.items()
    word = said.get("boolval", False) if kind == "Boolean" else said.get("sval", said.get("ival", 0))
    return str(word).lower() in ("off", "false", "0")
