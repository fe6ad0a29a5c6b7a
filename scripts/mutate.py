"""Alters the rules one small piece at a time and asks whether a test tells.

    python scripts/mutate.py --all                 every file (a sample of each, by a pinned seed)
    python scripts/mutate.py --changed 20          the files that the newest 20 commits changed
    python scripts/mutate.py src/onepam/domain/kill.py

An alteration that no test notices is a *survivor*: it is printed, and the exit code is 1, unless it stands in
tests/mutation/survivors.txt with the reason why no test can or need tell. That list may only shrink: an entry that no
longer survives, or whose line is gone, is a failure too, when all alterations of its file were tried.
"""

import argparse
import ast
import copy
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from rich.progress import track

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "onepam"
ROOMS = ("domain", "ledger", "recording")
FILES = ("evidence/verifier/verify.py", "app/open_session.py")
SURVIVORS = ROOT / "tests" / "mutation" / "survivors.txt"
SEED = 20261128
OF_EACH = 25
"""How many alterations of a file are tried with `--all`; drawn by `SEED` and the file's name."""
SECONDS = 120

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One alteration: the file, the name of the function, what the line was and what it became."""

    file: str
    where: str
    before: str
    after: str
    text: str

    @property
    def key(self) -> str:
        """How it stands in the list of survivors: without line numbers, which move."""
        return f"{self.file}: {self.where}: {self.before} -> {self.after}"


def mutants(path: Path) -> list[Mutant]:
    """Every alteration of a file, in its order."""
    text = path.read_text("utf-8")
    file = str(path.relative_to(ROOT))
    found: list[Mutant] = []
    for where, statement in _statements(ast.parse(text)):
        before = _line(statement)
        for altered in _altered(statement):
            after = _line(altered)
            if after != before:
                found.append(Mutant(file, where, before, after, _replaced(text, statement, altered)))
    return found


def _statements(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """The statements inside functions, innermost first, with the name of their function."""

    def walk(node: ast.AST, name: str) -> Iterator[tuple[str, ast.stmt]]:
        for child in ast.iter_child_nodes(node):
            inner = name
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = f"{name}.{child.name}".strip(".")
            elif isinstance(child, ast.stmt) and name:
                yield name, child
            yield from walk(child, inner)

    yield from walk(tree, "")


def _altered(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statement with one thing changed; of a block, its head only."""
    inside = {id(each) for field in ("body", "orelse", "handlers", "finalbody", "cases")
              for part in getattr(statement, field, []) for each in ast.walk(part)}  # fmt: skip
    count = sum(1 for _ in ast.walk(statement))
    for position in range(count):
        changed = copy.deepcopy(statement)
        node = list(ast.walk(changed))[position]
        if id(list(ast.walk(statement))[position]) in inside:
            continue
        yield from (changed for done in (_change(node),) if done)


def _change(node: ast.AST) -> bool:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _SWAPS:
            node.ops = [_SWAPS[type(op)]()]  # type: ignore[list-item]
        case ast.BoolOp(op=op) | ast.BinOp(op=op) if type(op) in _SWAPS:
            node.op = _SWAPS[type(op)]()  # type: ignore[assignment]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), operand)
        case ast.Constant(value=bool() as value):
            node.value = not value
        case ast.Constant(value=int() as value):
            node.value = value + 1
        case ast.If(test=test):
            node.test = ast.BoolOp(ast.And(), [ast.Constant(False), test])
        case _:
            return False
    return True


def _line(statement: ast.stmt) -> str:
    return ast.unparse(ast.fix_missing_locations(statement)).splitlines()[0]


def _replaced(text: str, old: ast.stmt, new: ast.stmt) -> str:
    lines = text.splitlines()
    assert old.end_lineno is not None
    indent = " " * old.col_offset
    altered = [indent + each for each in ast.unparse(ast.fix_missing_locations(new)).splitlines()]
    return "\n".join([*lines[: old.lineno - 1], *altered, *lines[old.end_lineno :]]) + "\n"


def tests_of(path: Path) -> list[str]:
    """The test files that know a file: of the same name first, else all that import it."""
    room, module = path.relative_to(SOURCE).parts[0], path.stem
    dotted = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
    parent, _, last = dotted.rpartition(".")
    known = [
        each
        for each in sorted((ROOT / "tests").rglob("test_*.py"))
        if (text := each.read_text("utf-8")) and (dotted in text or f"from {parent} import {last}" in text)
    ]
    near = [each for each in known if each.parent.name == room or each.stem == f"test_{module}"]
    return [str(each) for each in (near or known)] or [str(ROOT / "tests" / room)]


def survives(mutant: Mutant) -> bool:
    """Whether the tests pass although the file is altered: it is imported from memory, the tree stays as it is."""
    path = ROOT / mutant.file
    environment = {**os.environ, "ONEPAM_MUTANT_FILE": str(path), "ONEPAM_MUTANT_TEXT": mutant.text,
                   "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "tests.mutation.altered", "-p", "no:cacheprovider",
               "--no-header", "-m", "not conformance", *tests_of(path)]  # fmt: skip
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def chosen(arguments: argparse.Namespace) -> list[Path]:
    """The files to alter."""
    every = sorted(each for room in ROOMS for each in (SOURCE / room).rglob("*.py") if each.name != "__init__.py")
    every += [SOURCE / each for each in FILES]
    if arguments.all:
        return every
    if arguments.changed:
        said = subprocess.check_output(
            ["git", "log", f"-{arguments.changed}", "--name-only", "--format="], cwd=ROOT, text=True
        )
        return [each for each in every if str(each.relative_to(ROOT)) in set(said.split())]
    return [Path(each).resolve() for each in arguments.files]


def drawn(paths: list[Path], most: int) -> list[Mutant]:
    """At most so many alterations of each file, the same ones each time."""
    found: list[Mutant] = []
    for path in paths:
        every = mutants(path)
        draw = random.Random(f"{SEED} {path.name}")
        found += sorted(draw.sample(every, min(most, len(every))), key=lambda each: each.key)
    return found


def excused() -> dict[str, str]:
    """The survivors that are known, with their reasons."""
    lines = SURVIVORS.read_text("utf-8").splitlines() if SURVIVORS.exists() else []
    kept = [line.partition("  # ") for line in lines if line and not line.startswith("#")]
    return {key.strip(): why.strip() for key, _, why in kept}


def main() -> int:
    """Tries the alterations; see the module's words."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--changed", type=int, default=0, metavar="COMMITS")
    parser.add_argument("--of-each", type=int, default=OF_EACH)
    parser.add_argument("--most", type=int, default=1_000_000, help="alterations in all, drawn by the seed")
    arguments = parser.parse_args()
    tried = drawn(chosen(arguments), arguments.of_each)
    if len(tried) > arguments.most:
        tried = random.Random(SEED).sample(tried, arguments.most)
    known = excused()
    with ProcessPoolExecutor(2, mp_context=get_context("forkserver")) as pool:
        alive = list(track(pool.map(survives, tried), total=len(tried), description="alterations"))
    left = sorted({each.key for each, lives in zip(tried, alive, strict=True) if lives})
    gone = sorted({each.key for each, lives in zip(tried, alive, strict=True) if not lives} & known.keys())
    for key in left:
        print(f"{'known   ' if key in known else 'SURVIVES'} {key}")
    for key in gone:
        print(f"TOLD     {key}: take it off the list")
    new = set(left) - known.keys()
    print(f"{len(tried)} alterations, {len(tried) - len(left)} told by a test, {len(new)} new survivors")
    return 1 if new or gone else 0


if __name__ == "__main__":
    sys.exit(main())
