"""Every statement that the product gives to a database, read from its source.

A statement is the argument of a call by which one is run. It is put together here as the program would: from literals,
from the constants and functions of its module, from what its function assigns and what it is called with there, in
each way that there is. What is made by more than that is told by `made`. A call whose statement cannot be told is a
fault, so none is left out.
"""

import ast
import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import onepam
from onepam.store import db

SOURCE = Path(onepam.__file__).parent
RUNS = {"rows": 1, "row": 1, "streamed": 1, "execute": 0, "query": 0}
"""What runs a statement, and which of its arguments that is."""

RUNNERS = ("store/db.py:rows", "store/db.py:row", "store/db.py:streamed", "store/engine/history.py:query")
"""These are given one."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Made = Mapping[str, Mapping[str, Sequence[str]]]

MOST = 64
"""The ways in which one statement may be put together."""


@dataclass(frozen=True, slots=True, order=True)
class Statement:
    """`place` is file and function, as in `store/read/console.py:kept`."""

    place: str
    sql: str


class Unclear(Exception):
    """What a statement is cannot be told from the source."""


def statements(made: Made) -> list[Statement]:
    """All of them, each way of each. `made` is what the source does not tell: by place, a part as it is written there,
    or `*` for whatever is run there, and what it may be. Raises `Unclear` with every call that gives none."""
    found, unclear, used = set[Statement](), list[str](), set[str]()
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text("utf-8")
        if "protocols" in path.parts or not any(f"{name}(" in text for name in RUNS):
            continue  # protocols see no store: what runs there is somebody else's statement
        file = path.relative_to(SOURCE)
        module = _Module(".".join(("onepam", *file.with_suffix("").parts)), ast.parse(text))
        for function, call in module.calls:
            place = f"{file.as_posix()}:{function.name if function else ''}"
            argument = module.statement(call)
            if argument is None or place in RUNNERS:
                continue
            used.add(place)
            told = made.get(place, {})
            try:
                for passed in [{}] if "*" in told else module.passed(function):
                    ways = told["*"] if "*" in told else _Parts(module, function, told, passed).ways(argument)
                    found.update(Statement(place, sql) for sql in ways)
            except Unclear as error:
                unclear.append(f"{place}, line {call.lineno}: {error}")
    unclear += [f"{place}: made, and not there" for place in made.keys() - used]
    if unclear:
        raise Unclear("\n".join(unclear))
    return sorted(found)


class _Module:
    """A file of the product: its names, its text, and each call in it with the outermost function around."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self._name = name
        self.calls = list(_calls(tree, None))

    @cached_property
    def names(self) -> ModuleType:
        """The module itself."""
        return importlib.import_module(self._name)

    def statement(self, call: ast.Call) -> ast.expr | None:
        """What the call runs; None where it runs nothing."""
        match call.func:
            case ast.Name("rows" | "row" | "streamed" as name):
                return call.args[RUNS[name]] if getattr(self.names, name, None) is getattr(db, name) else None
            case ast.Attribute(_, "execute" | "query" as name):
                return call.args[RUNS[name]]
            case _:
                return None

    def passed(self, function: Function | None) -> list[dict[str, tuple[Function | None, ast.expr]]]:
        """What the calls of this file give to the parameters of a function and of those in it, together: each with the
        function that gives it."""
        every: list[dict[str, tuple[Function | None, ast.expr]]] = [{}]
        for inner in (each for each in (ast.walk(function) if function else ()) if isinstance(each, Function)):
            calls = [
                {name: (caller, value) for name, value in _bound(inner, call).items()}
                for caller, call in self.calls
                if isinstance(call.func, ast.Name) and call.func.id == inner.name
            ]
            every = [outer | given for outer in every for given in calls or [{}]]
        return every


def _bound(function: Function, call: ast.Call) -> dict[str, ast.expr]:
    names = [each.arg for each in function.args.args]
    defaults = function.args.defaults
    return (
        dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
        | dict(zip(names, call.args, strict=False))
        | {each.arg: each.value for each in call.keywords if each.arg}
    )


def _calls(node: ast.AST, function: Function | None) -> Iterator[tuple[Function | None, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield function, child
        yield from _calls(child, function or (child if isinstance(child, Function) else None))


class _Parts:
    """The ways in which an expression of a function may turn out; `passed` is what a call gives its parameters."""

    def __init__(
        self,
        module: _Module,
        function: Function | None,
        made: Mapping[str, Sequence[str]],
        passed: Mapping[str, tuple[Function | None, ast.expr]],
    ) -> None:
        self._module, self._made, self._passed = module, made, passed
        self._known: dict[str, list[ast.expr]] = {}
        self._turns: dict[str, list[ast.expr]] = {}
        self._within: list[ast.expr] = []
        self._alike: dict[str, Any] = {}
        for node in ast.walk(function) if function else ():
            match node:
                case ast.Assign([ast.Name(name)], value):
                    self._known.setdefault(name, []).append(value)
                case ast.For(ast.Name(name), ast.Tuple(values)) | ast.comprehension(ast.Name(name), ast.Tuple(values)):
                    self._turns[name] = values
                case _:
                    pass

    def ways(self, node: ast.expr) -> list[Any]:
        """All values; raises `Unclear` for what only running it could tell."""
        found: list[Any] = []
        found += (each for each in self._ways(node) if each not in found)
        if not 0 < len(found) <= MOST:
            raise Unclear(f"{len(found)} ways of {ast.unparse(node)}")
        return found

    def _ways(self, node: ast.expr) -> Iterator[Any]:
        match node:
            case _ if ast.unparse(node) in self._made:
                yield from self._made[ast.unparse(node)]
            case ast.Constant(value):
                yield value
            case ast.Name(name):
                yield from self._named(name)
            case ast.JoinedStr(values):
                yield from self._joined(node, values)
            case ast.FormattedValue(value):
                yield from self.ways(value)
            case ast.IfExp(_, body, orelse):
                yield from (*self.ways(body), *self.ways(orelse))
            case ast.BinOp(left, ast.Add(), right):
                yield from (before + after for before, after in product(self.ways(left), self.ways(right)))
            case ast.Subscript(value, _):
                yield from (each for table in self.ways(value) for each in table.values())
            case ast.Attribute(value, name):
                yield from (getattr(each, name) for each in self.ways(value))
            case ast.Call(ast.Attribute(value, "format"), arguments):
                every = product(self.ways(value), *map(self.ways, arguments))
                yield from (text.format(*parts) for text, *parts in every)
            case ast.Call(ast.Name(name), arguments, []) if hasattr(self._module.names, name):
                every = product(*map(self.ways, arguments))
                yield from (getattr(self._module.names, name)(*given) for given in every)
            case _:
                raise Unclear(ast.unparse(node))

    def _joined(self, node: ast.expr, values: list[ast.expr]) -> Iterator[str]:
        """What has several values has the same one in all parts of a text."""
        named = [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]
        alike = [name for name in dict.fromkeys(named) if named.count(name) > 1 and name not in self._alike]
        for chosen in product(*(self.ways(ast.Name(name)) for name in alike)):
            self._alike |= dict(zip(alike, chosen, strict=True))
            for texts in product(*map(self.ways, values)):
                yield "".join(map(str, texts))
            for name in alike:
                del self._alike[name]

    def _named(self, name: str) -> Iterator[Any]:
        if name in self._alike:
            yield self._alike[name]
        elif name in self._known:
            for each in self._known[name]:
                if each not in self._within:  # f"... AND {where}" adds to what `where` was before
                    self._within.append(each)
                    yield from self.ways(each)
                    self._within.remove(each)
        elif name in self._turns:
            for each in self._turns[name]:
                yield from self.ways(each)
        elif name in self._passed:
            caller, value = self._passed[name]
            yield from _Parts(self._module, caller, self._made, {}).ways(value)
        elif hasattr(self._module.names, name):
            yield getattr(self._module.names, name)
        else:
            raise Unclear(f"where does {name} come from?")
