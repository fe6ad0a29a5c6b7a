"""Which literals and parameters of a text are bound to no masked column, read by PostgreSQL's own grammar.

By names alone: a column is masked by its own name, whatever table it stands in here, for which table a name means only
the target knows. What a function of somebody's own, `DO`, `EXECUTE` or an INSERT without its columns does with a value
cannot be told.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from onepam.protocols.postgres.functions import READING, own_operator
from onepam.protocols.postgres.statements import tree
from onepam.protocols.sql.masking import NOTHING, Shown

_UNTOLD: Final = frozenset(("DoStmt", "CallStmt", "ExecuteStmt", "CreateFunctionStmt", "funccall"))
_CODE: Final = frozenset(("DoStmt", "CreateFunctionStmt"))
_COMPARING: Final = frozenset(
    f"AEXPR_{each}" for each in ["OP", "IN", "LIKE", "ILIKE", "SIMILAR", "BETWEEN", "NOT_BETWEEN", "OP_ANY", "OP_ALL"]
)
_PLAIN: Final = READING | frozenset(["nextval", "currval", "lastval", "setval", "set_config", "pg_notify"])
"""Functions that put what they are given into no column."""

Node = Mapping[str, Any]


def bound(sql: str, names: frozenset[str]) -> Shown | None:
    """What of the text may be shown where columns of these names (in lower case) are masked; None for everything."""
    statements = tree(sql)
    if statements is None:
        return NOTHING
    found = _Found(names)
    found.walk(statements)
    if not found.touches:
        return None
    kinds = {name for each in statements for name in each.get("stmt", {})}
    told = frozenset(number for number, times in found.parameters.items() if found.told[number] == times)
    return Shown(frozenset(found.literals), told, bool(kinds) and kinds <= _CODE)


class _Found:
    """What a walk over the whole tree has found. `told`: how often each parameter was bound to what is not masked."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self.touches = False
        self.literals: set[int] = set()
        self.parameters: Counter[int] = Counter()
        self.told: Counter[int] = Counter()

    def walk(self, tree: Any) -> None:
        """Each node once, without recursion: a tree may be deep."""
        waiting = [tree]
        while waiting:
            node = waiting.pop()
            if isinstance(node, list):
                waiting += node
            elif isinstance(node, dict):
                for name, below in node.items():
                    self._node(name, below)
                    waiting.append(below)

    def _node(self, name: str, below: Any) -> None:
        if isinstance(below, str):
            self.touches = self.touches or (name in ("name", "sval", "colname") and below.lower() in self._names)
        elif (
            name in _UNTOLD
            or (name == "FuncCall" and _last(below.get("funcname")) not in _PLAIN)
            or (isinstance(below, dict) and own_operator(name, below))
        ):
            self.touches = True
        elif name == "ParamRef":
            self.parameters[below.get("number", 0)] += 1
        elif name == "A_Expr" and below.get("kind") in _COMPARING:
            self._compared(below)
        elif name == "InsertStmt":
            self._inserted(below)
        elif name == "MergeWhenClause":
            self.touches = self.touches or ("values" in below and "targetList" not in below)
        elif name in ("UpdateStmt", "onConflictClause"):
            self._assigned(below)
        elif name in ("limitCount", "limitOffset"):
            self._show(below)

    def _compared(self, expression: Node) -> None:
        """`column = 1`, `column IN (1, $2)`, and the other way round."""
        left, right = expression.get("lexpr"), expression.get("rexpr")
        for column, value in ((left, right), (right, left)):
            if self._open(column):
                listed = value.get("List", {}).get("items") if isinstance(value, dict) else value
                for each in listed if isinstance(listed, list) else [value]:
                    self._show(each)

    def _inserted(self, statement: Node) -> None:
        columns = [each.get("ResTarget", {}).get("name", "") for each in statement.get("cols", ())]
        if not columns:
            self.touches = True
            return
        select = statement.get("selectStmt", {}).get("SelectStmt", {})
        for row in select.get("valuesLists", ()):
            for column, value in zip(columns, row.get("List", {}).get("items", ()), strict=False):
                if column.lower() not in self._names:
                    self._show(value)

    def _assigned(self, statement: Node) -> None:
        for each in statement.get("targetList", ()):
            target = each.get("ResTarget", {})
            if target.get("name", "").lower() not in self._names and "indirection" not in target:
                self._show(target.get("val"))

    def _open(self, node: Any) -> bool:
        """Whether it is a column, and no masked one."""
        fields = node.get("ColumnRef", {}).get("fields") if isinstance(node, dict) else None
        return bool(fields) and _last(fields).lower() not in ("", *self._names)

    def _show(self, value: Any) -> None:
        """Of a literal or a parameter alone, also cast to a type, it is known to what it is bound."""
        while isinstance(value, dict) and "TypeCast" in value:
            value = value["TypeCast"].get("arg")
        if isinstance(value, dict) and "A_Const" in value:
            self.literals.add(value["A_Const"].get("location", 0))
        elif isinstance(value, dict) and "ParamRef" in value:
            self.told[value["ParamRef"].get("number", 0)] += 1


def _last(names: Any) -> str:
    """The last of several names, "" for a star."""
    return str(names[-1].get("String", {}).get("sval", "")) if names else ""
