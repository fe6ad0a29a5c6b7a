"""Which literals and parameters of a text are bound to no masked column.

By names alone: a column is masked by its own name, whatever table it stands in here. What a function of somebody's own,
`CALL`, `EXECUTE` or an INSERT without its columns does with a value cannot be told.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from sqlglot import exp

from onepam.protocols.mysql.calling import strangers
from onepam.protocols.mysql.lexing import Kind, Part, name, split, tokens, words
from onepam.protocols.mysql.making import ROUTINES
from onepam.protocols.mysql.parsing import place, tree
from onepam.protocols.mysql.statements import classify
from onepam.protocols.sql.masking import NOTHING, Shown

_UNTOLD: Final = frozenset(("CALL", "EXECUTE", "PREPARE", "LOAD", "HANDLER"))
_COMPARING: Final = (
    exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.RegexpLike, exp.In, exp.Between,
)  # fmt: skip


def bound(sql: str, names: frozenset[str]) -> Shown | None:
    """What of the text may be shown where columns of these names (in lower case) are masked; None for everything."""
    found = tokens(sql.encode("utf-8", "surrogatepass"))
    if found is None or classify(sql) is None:
        return NOTHING
    parts = list(split(found))
    if not any(_touches(each, names) for each in parts):
        return None
    numbers = {each.start: number for number, each in enumerate((e for e in found if e.kind is Kind.PLACE), 1)}
    literals, told = set[int](), set[int]()
    for each in parts:
        for shown in _shown(each, names):
            token = each[shown]
            if token.kind is Kind.PLACE:
                told.add(numbers[token.start])
            else:
                literals.add(token.start)
    return Shown(frozenset(literals), frozenset(told))


def _touches(part: Part, names: frozenset[str]) -> bool:
    """Whether a masked column may have to do with a statement."""
    if part[0].text in _UNTOLD or any(True for _ in strangers(part)) or any(name(each) in names for each in part):
        return True
    said = words(part)
    if said[0] == "CREATE" and not ROUTINES.isdisjoint(said):
        return True
    return said[0] in ("INSERT", "REPLACE") and not _names_columns(part)


def _names_columns(part: Part) -> bool:
    """Whether an INSERT says which columns it puts its values into."""
    found = tree(part)
    return found is not None and isinstance(found.this, exp.Schema)


def _shown(part: Part, names: frozenset[str]) -> Iterator[int]:
    """The places of literals and parameters that are bound to another column, and to nothing else."""
    found = tree(part)
    if found is None:
        return
    for node in found.walk():
        yield from _bound(node, names)


def _bound(node: exp.Expr, names: frozenset[str]) -> Iterator[int]:
    if isinstance(node, _COMPARING):
        sides = list(node.iter_expressions())
        if sum(isinstance(each, exp.Column) for each in sides) == 1 and all(_is_value(e, names) for e in sides):
            yield from _values(sides)
    elif isinstance(node, (exp.Limit, exp.Offset)):
        yield from _values([node.expression])
    elif isinstance(node, exp.Insert):
        yield from _inserted(node, names)


def _inserted(node: exp.Insert, names: frozenset[str]) -> Iterator[int]:
    if not isinstance(node.this, exp.Schema) or not isinstance(node.expression, exp.Values):
        return
    columns = [each.name.casefold() for each in node.this.expressions]
    for row in node.expression.expressions:
        for column, value in zip(columns, row.expressions, strict=False):
            if column not in names:
                yield from _values([value])


def _is_value(node: exp.Expr, names: frozenset[str]) -> bool:
    """A column that is not masked, or a literal or a parameter alone."""
    if isinstance(node, exp.Column):
        return node.name.casefold() not in names
    return _one(node) is not None


def _values(nodes: Sequence[exp.Expr]) -> Iterator[int]:
    for each in nodes:
        found = _one(each)
        if found is not None:
            yield found


def _one(node: exp.Expr | None) -> int | None:
    """The place of a literal or a parameter alone, also of a negative number."""
    if isinstance(node, exp.Neg):
        node = node.this
    return None if node is None else place(node)
