"""Whether a statement shows masked columns in no other way than as columns of its result, where they are masked.

A masked column may stand in the outermost list of what a statement gives, be compared with `=` or `IN` to literals and
parameters, be asked for NULL, and be written. Everything else is refused: what is computed of it, whole rows, stars in
what is computed further, unions, orders and groups by it, and every function that is not PostgreSQL's own and harmless.
"""

from collections.abc import Mapping
from typing import Any, Final

from onepam.kernel.errors import Refused
from onepam.protocols.postgres.catalogue import Catalogue, Relation
from onepam.protocols.postgres.functions import READING, own_operator
from onepam.protocols.postgres.statements import tree

Node = Mapping[str, Any]

_XML = ("table_to_xml", "schema_to_xml", "database_to_xml")
_SHOWING = "lo_get lo_open loread pg_stat_get_activity pg_stat_get_backend_activity"
TELLING: Final = frozenset((*_XML, *(f"{each}_and_xmlschema" for each in _XML), *_SHOWING.split()))
"""Functions that are harmless but for what they show."""

_MORE = (
    "nextval currval lastval setval set_config pg_notify pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock"
    " pg_try_advisory_lock pg_try_advisory_xact_lock pg_advisory_unlock_all"
)
HARMLESS: Final = (READING - TELLING) | frozenset(_MORE.split())
"""Functions that may be called: they read no table that they are not given."""

_SELECTS: Final = frozenset(("SelectStmt", "larg", "rarg"))
_CHANGES: Final = frozenset(("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"))
_ONWARD: Final = frozenset(("DeclareCursorStmt", "PrepareStmt", "ExplainStmt"))
_VALUES: Final = frozenset(("A_Const", "ParamRef", "TypeCast", "A_ArrayExpr", "List"))
_CODE: Final = frozenset(("DoStmt", "CallStmt"))
_SYSTEM: Final = frozenset(("ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"))


class _Unproven(Exception):
    """Why not, in words."""


def refusal(sql: str, known: Catalogue) -> Refused | None:
    """Why the text may not run where columns are masked; None where it may."""
    statements = tree(sql)
    if statements is None:
        return _refused("it cannot be read")
    try:
        for each in statements:
            for kind, body in each.get("stmt", {}).items():
                _Proof(known, kind, body).prove()
    except _Unproven as why:
        return _refused(str(why))
    return None


def outputs(view: str, known: Catalogue) -> frozenset[int] | None:
    """Which columns of a view, from 1, show masked ones; None where any may."""
    statements = tree(view)
    if statements is None or len(statements) != 1 or "SelectStmt" not in statements[0].get("stmt", {}):
        return None
    proof = _Proof(known, "SelectStmt", statements[0]["stmt"]["SelectStmt"])
    try:
        proof.prove()
    except _Unproven:
        return None
    return frozenset(proof.shown)


def _refused(why: str) -> Refused:
    return Refused(
        "statement.masked",
        f"columns are masked here, and what this statement does with them cannot be shown: {why}.",
        "Name the columns that you need, masked ones in no other place than the list of what is selected.",
    )


class _Proof:
    """Of one statement. `shown` are the places, from 1, of masked columns in what it gives."""

    def __init__(self, known: Catalogue, kind: str, body: Any) -> None:
        self._known, self._kind, self._body = known, kind, body
        self._ranges: dict[str, list[Relation]] = {}
        self._others: set[str] = set()
        self._named: set[str] = set()
        self._tainted = False
        self.shown: set[int] = set()

    def prove(self) -> None:
        """Raises `_Unproven`."""
        self._survey()
        waiting: list[tuple[str, Any, bool]] = [(self._kind, self._body, True)]
        while waiting:
            name, node, top = waiting.pop()
            if isinstance(node, list):
                waiting += ((name, each, top) for each in node)
            elif isinstance(node, dict):
                waiting += self._below(name, node, top)

    # --- What there is ----------------------------------------------------------------------------------------------

    def _survey(self) -> None:
        """The relations of the statement, by the names that it has for them, wherever they stand."""
        ranges, queries, waiting = list[Node](), set[str](), list[Any]([{self._kind: self._body}])
        while waiting:
            node = waiting.pop()
            if isinstance(node, list):
                waiting += node
                continue
            for name, below in node.items() if isinstance(node, dict) else ():
                if name == "RangeVar" or (name == "relation" and isinstance(below, dict) and "relname" in below):
                    ranges.append(below)
                elif name == "CommonTableExpr":
                    queries.add(below.get("ctename", ""))
                elif name in ("RangeSubselect", "RangeFunction", "RangeTableFunc", "JsonTable", "JoinExpr"):
                    self._others.add(below.get("alias", {}).get("aliasname", ""))
                if name != "lockingClause":  # it has names that stand elsewhere
                    waiting.append(below)
        for each in ranges:
            self._range(each, queries)

    def _range(self, given: Node, queries: set[str]) -> None:
        name, schema, alias = given["relname"], given.get("schemaname", ""), given.get("alias", {})
        found = self._known.named(schema, name)
        said = alias.get("aliasname", name)
        if not found:
            if schema or name not in queries:
                raise _Unproven(f"the relation {name} was not there when this session began")
            self._others.add(said)
        tainted = [each for each in found if each.tainted]
        self._ranges.setdefault(said, []).extend(found)
        self._tainted = self._tainted or bool(tainted)
        if tainted and "colnames" in alias:
            raise _Unproven("columns are given other names")
        for each in tainted:
            self._named.update(column for column in each.columns if each.masks(column))
            if each.masked is None and not each.columns:
                self._named.add("")

    # --- What is done with it ---------------------------------------------------------------------------------------

    def _below(self, name: str, node: Node, top: bool) -> list[tuple[str, Any, bool]]:
        """Looks at one node; what of the nodes below it is still to be looked at."""
        left = set(node)
        further: list[tuple[str, Any, bool]] = []
        if name in _SELECTS:
            left.discard("targetList")
            further = self._given(node.get("targetList", ()), top, node)
        elif name in _CHANGES:
            further = self._given(node.get("returningList", ()), top, None)
            left.discard("returningList")
        elif name in _ONWARD:
            left.discard("query")
            further = [("", node.get("query"), top)]
        elif name == "" and len(node) == 1:  # the query of another statement
            [(kind, body)] = node.items()
            return [(kind, body, top)]
        elif name == "ColumnRef":
            self._column(node)
            left.clear()
        elif self._harmless(name, node):
            left.clear()
        return [*further, *((each, node[each], False) for each in left if each != "lockingClause")]

    def _harmless(self, name: str, node: Node) -> bool:
        """Whether nothing below needs to be looked at. Raises where the node itself is none."""
        if name in _CODE:
            raise _Unproven("it runs code of its own")
        if own := own_operator(name, node):
            raise _Unproven(f"nobody knows what the operator {own} reads")
        if name == "FuncCall":
            self._call(node)
        elif name == "A_Expr":
            return self._compares(node)
        elif name == "NullTest":
            return "ColumnRef" in node.get("arg", {}) and self._is_column(node["arg"]["ColumnRef"])
        elif name == "JoinExpr" and self._tainted:
            self._join(node)
        elif name == "CopyStmt":
            self._copy(node)
        return False

    def _given(self, targets: Any, top: bool, select: Node | None) -> list[tuple[str, Any, bool]]:
        """A list of what is given. Masked columns may stand in the outermost one, alone."""
        further, hidden, stars, starred = list[tuple[str, Any, bool]](), dict[int, str](), False, False
        for place, each in enumerate(targets, 1):
            target = each.get("ResTarget", {})
            column = target.get("val", {}).get("ColumnRef") if isinstance(target.get("val"), dict) else None
            if column is None:
                further.append(("val", target.get("val"), False))
            elif "A_Star" in column["fields"][-1]:
                stars, starred = self._star(column["fields"], top, select) or stars, True
            elif top and self._is_masked(column):
                self._exists(column)
                hidden[place] = target.get("name", _names(column)[-1])
            else:
                self._column(column)
        if top:
            self.shown = set(hidden)
        if select is not None and (hidden or stars):
            self._order(select, hidden, starred)
        return further

    def _star(self, fields: Any, top: bool, select: Node | None) -> bool:
        """Whether a star may stand for masked columns. Raises where it may not."""
        names = [each["String"]["sval"] for each in fields[:-1]]
        if names:
            found = self._ranges.get(names[-1], [])
            if not found and names[-1] not in self._others and self._tainted:
                raise _Unproven(f"{names[-1]} is not known")
            hides = any(each.tainted for each in found)
        else:
            hides = self._tainted if select is None else self._from_tainted(select)
        if hides and not top:
            raise _Unproven("a star stands in what is computed further")
        return hides

    def _from_tainted(self, select: Node) -> bool:
        waiting = list(select.get("fromClause", ()))
        while waiting:
            node = waiting.pop()
            if "RangeVar" in node:
                given = node["RangeVar"]
                if any(each.tainted for each in self._known.named(given.get("schemaname", ""), given["relname"])):
                    return True
            elif "JoinExpr" in node:
                waiting += (node["JoinExpr"].get("larg", {}), node["JoinExpr"].get("rarg", {}))
            elif "RangeTableSample" in node:
                waiting.append(node["RangeTableSample"].get("relation", {}))
        return False

    def _order(self, select: Node, hidden: Mapping[int, str], starred: bool) -> None:
        """Raises where the order or the number of rows tells of a masked column. `starred`: a star, of whichever
        relation, stands among what is given, so that numbers mean other places than they seem to."""
        if "distinctClause" in select:
            raise _Unproven("rows are told apart by a masked column")
        by = [*(each.get("SortBy", {}).get("node", {}) for each in select.get("sortClause", ()))]
        by += select.get("groupClause", ())
        while by:
            each = by.pop()
            by += each.get("GroupingSet", {}).get("content", ())  # ROLLUP, CUBE, GROUPING SETS
            by += each.get("RowExpr", {}).get("args", ())  # (1, 2)
            number = each.get("A_Const", {}).get("ival", {}).get("ival") if "A_Const" in each else None
            if number is not None and (starred or number in hidden):
                raise _Unproven("rows are ordered or grouped by a masked column")
            if "ColumnRef" in each and _names(each["ColumnRef"])[-1:] in [[name] for name in hidden.values()]:
                raise _Unproven("rows are ordered or grouped by a masked column")

    # --- Columns ----------------------------------------------------------------------------------------------------

    def _column(self, column: Node) -> None:
        """A column in what is computed: none that is masked, and no whole row."""
        if not self._tainted:
            return
        names = _names(column)
        if "A_Star" in column["fields"][-1]:
            raise _Unproven("a star stands in what is computed")
        if self._is_masked(column):
            raise _Unproven(f"something is computed of {names[-1]}")
        self._exists(column)

    def _exists(self, column: Node) -> None:
        """Whatever looks like a column is one: not a whole row, nor a function of one."""
        names = _names(column)
        if any(each.tainted for each in self._ranges.get(names[-1], ())) or names[-1] in ("excluded", "old", "new"):
            raise _Unproven(f"{names[-1]} is a whole row")
        if len(names) == 1:
            return
        found = self._ranges.get(names[-2], [])
        if not found and names[-2] not in self._others:
            raise _Unproven(f"{names[-2]} is not known")
        for each in found:
            if each.tainted and each.columns and names[-1] not in each.columns and names[-1] not in _SYSTEM:
                raise _Unproven(f"{names[-1]} is no column of {each.name}")

    def _is_column(self, column: Node) -> bool:
        """It is a column of some relation, which is asked for no more than whether it is NULL or equal."""
        if not self._tainted:
            return False
        if "A_Star" in column["fields"][-1]:
            return False
        self._exists(column)
        return self._is_masked(column)

    def _is_masked(self, column: Node) -> bool:
        if not self._tainted or "A_Star" in column["fields"][-1]:
            return False
        names = _names(column)
        if len(names) == 1:
            return names[0] in self._named or "" in self._named
        found = self._ranges.get(names[-2])
        if found is None:
            return names[-2] not in self._others and names[-1] in self._named
        return any(each.masks(names[-1]) for each in found)

    def _compares(self, node: Node) -> bool:
        """`column = value` and `column IN (values)`: whoever guesses a value hears that it is so, and no more."""
        if node.get("kind") not in ("AEXPR_OP", "AEXPR_IN", "AEXPR_OP_ANY"):
            return False
        if [each.get("String", {}).get("sval") for each in node.get("name", ())] != ["="]:
            return False
        left, right = node.get("lexpr", {}), node.get("rexpr", {})
        for column, value in ((left, right), (right, left)):
            if "ColumnRef" in column and self._is_column(column["ColumnRef"]) and _constant(value):
                return True
        return False

    def _call(self, node: Node) -> None:
        names = [each.get("String", {}).get("sval", "") for each in node.get("funcname", ())]
        if names[:-1] not in ([], ["pg_catalog"]) or names[-1] not in HARMLESS:
            raise _Unproven(f"nobody knows what the function {names[-1]} reads")

    def _join(self, node: Node) -> None:
        if node.get("isNatural") or "alias" in node or "join_using_alias" in node:
            raise _Unproven("a join gives columns other names")
        if any(each.get("String", {}).get("sval", "") in self._named for each in node.get("usingClause", ())):
            raise _Unproven("tables are joined by a masked column")

    def _copy(self, node: Node) -> None:
        relation = node.get("relation")
        if node.get("is_from") or relation is None:
            return
        listed = [each.get("String", {}).get("sval", "") for each in node.get("attlist", ())]
        for each in self._known.named(relation.get("schemaname", ""), relation["relname"]):
            if each.tainted and (not listed or any(each.masks(name) for name in listed)):
                raise _Unproven("COPY gives masked columns as they are")


def _names(column: Node) -> list[str]:
    return [each["String"]["sval"] for each in column["fields"] if "String" in each] or [""]


def _constant(node: Any) -> bool:
    """Whether it is made of literals and parameters alone."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
            continue
        if not isinstance(each, dict) or len(each) != 1 or not each.keys() <= _VALUES:
            return False
        [(kind, below)] = each.items()
        if kind == "TypeCast":
            waiting.append(below.get("arg"))
        elif kind in ("List", "A_ArrayExpr"):
            waiting += below.get("items", below.get("elements", ()))
    return True
