"""What the state tables follow from, as a digest for each table and each event kind.

The digests are kept in the database. Where a release has others, rows that an older one made may not be what this one
would make, and the state is rebuilt (`store/engine/upgrade.py`). So they cover all that a row follows from: the table's
columns, the form of the kind's entries, its projection, and what the projection uses. Comments, docstrings and layout
do not count; neither does a kind or a table that is new, for no entry has gone by.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from types import FunctionType, ModuleType
from typing import Any

from onepam.domain.history.event import kinds
from onepam.domain.history.form import form
from onepam.store.engine import tables
from onepam.store.engine.projections import STATE_TABLES, projection_of

REGISTERING = ("projects", "nothing", "state")
BROUGHT = ("onepam.domain", "onepam.kernel", "onepam.store.project.")
MEMBERS = re.compile(r"(?<=one of )\[.*?\]")
"""Of enumerations: they may grow, and no entry has gone by that holds what is new."""
PLUMBING = "onepam.store.engine.projections"


def fingerprints() -> dict[str, str]:
    """`table NAME` and `kind NAME` to a digest (hex). Raises `OSError` where the program lies without its source."""
    engine = "".join(_text(ast.parse(inspect.getsource(part))) for part in (tables.StateTable, tables.plain))
    found = {"engine": _digest(engine)}
    for table in STATE_TABLES:
        found[f"table {table.name}"] = _digest(table.schema(indexed=False), *table.personal)
    for kind in kinds():
        found[f"kind {kind.name}"] = _digest(MEMBERS.sub("", form(kind)), *_made_by(projection_of(kind.record)))
    return found


def _digest(*texts: str) -> str:
    return sha256("\0".join(texts).encode("utf-8")).hexdigest()[:16]


def _made_by(projection: Any) -> Iterator[str]:
    """The projection's own text, and that of what its module shares."""
    module = inspect.getmodule(projection)
    if module is None:
        raise OSError(f"{projection.__name__} is of no module")
    functions, shared = _texts(module)
    yield functions.get(projection.__name__, "")
    yield shared


@cache
def _texts(module: ModuleType) -> tuple[dict[str, str], str]:
    """Of a module of projections: the text of each by its name, and of what else there is and what it brings in."""
    functions, shared = dict[str, str](), list[str]()
    tree = ast.parse(inspect.getsource(module))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and any(_registers(each) for each in node.decorator_list):
            functions[node.name] = _text(node)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(BROUGHT):
            shared += [_brought(getattr(module, each.asname or each.name)) for each in node.names]
        elif not isinstance(node, ast.Import | ast.ImportFrom) and not _is_apart(node):
            shared.append(_text(node))
    for each in ast.walk(tree):
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
            owner = vars(module).get(each.value.id)
            if isinstance(owner, ModuleType) and owner.__name__.startswith("onepam."):
                shared.append(_brought(getattr(owner, each.attr)))
    return functions, "\n".join(filter(None, shared))


def _is_apart(node: ast.stmt) -> bool:
    """What does not count here: a docstring, and what has a digest of its own."""
    return _is_docstring(node) or (isinstance(node, ast.Expr | ast.Assign) and _registers(node.value))


def _registers(node: ast.AST) -> bool:
    """Whether this is a call by which a projection or a table is registered: those have digests of their own."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REGISTERING


def _brought(value: Any) -> str:
    """A function of another module by its text, a constant by its value; types stand in the forms of the kinds."""
    if isinstance(value, FunctionType) and value.__module__ != PLUMBING:
        return _text(ast.parse(inspect.getsource(value)))
    return repr(value) if isinstance(value, str | int | tuple) else ""


def _text(node: ast.AST) -> str:
    """The text of a piece of program, without docstrings."""
    for each in ast.walk(node):
        body = getattr(each, "body", None)
        if isinstance(body, list) and len(body) > 1 and _is_docstring(body[0]):
            del body[0]
    return ast.unparse(node)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
