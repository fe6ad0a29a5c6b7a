"""Alters the rules one small piece at a time and asks whether a test tells.

    python scripts/mutate.py --all                 every file (a sample of each, by a pinned seed)
    python scripts/mutate.py --changed 20          the files that the newest 20 commits changed
    python scripts/mutate.py --seconds 90 src/onepam/domain/sessions/kill.py      begins none after 90 s

An alteration that no test notices is a *survivor*: it is printed, and the exit code is 1, unless it stands in
tests/mutation/survivors.txt with the reason why no test can or need tell. That list may only shrink: an entry that a
test tells, or whose line is gone, is a failure too.

The tests of a file are those of its room that name it. They run once unaltered, which says what each line is run by; an
alteration is tried with these only, in a fork of this process, which has imported what nobody alters.
"""

import argparse
import ast
import contextlib
import copy
import importlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType

import pytest
from coverage import CoverageData
from hypothesis import Phase, settings
from rich.progress import Progress

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "onepam"
ROOMS = ("domain", "ledger", "recording", "evidence/verifier")
FILES = ("app/open_session.py",)
NOT_ALTERED = ("__init__.py", "verify.py")
"""By name: what has no rules, and what is made of the parts beside it."""
SURVIVORS = ROOT / "tests" / "mutation" / "survivors.txt"
SEED = 20261128
OF_EACH = 25
"""How many alterations of a file are tried with `--all`; drawn by `SEED` and the file's name."""
MOST_TESTS = 60
"""How many tests an alteration is tried with; those of files that name the altered one come first."""
SECONDS = 120
AT_ONCE = 2

# Nobody reads what failed, so nothing is shrunk; the same examples each time.
settings.register_profile(
    "mutation", max_examples=40, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate)
)
settings.load_profile("mutation")

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One alteration: the file, the name of the function, what the line was and what it became, and its lines."""

    file: str
    where: str
    before: str
    after: str
    text: str
    lines: range

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
                replaced = _replaced(text, statement, altered)
                found.append(Mutant(file, where, before, after, replaced, _lines(statement)))
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


def _lines(statement: ast.stmt) -> range:
    """The lines of a statement; of a block, those of its head."""
    assert statement.end_lineno is not None
    first = next(iter(getattr(statement, "body", [])), None)
    return range(statement.lineno, first.lineno if isinstance(first, ast.stmt) else statement.end_lineno + 1)


def _replaced(text: str, old: ast.stmt, new: ast.stmt) -> str:
    lines = text.splitlines()
    assert old.end_lineno is not None
    indent = " " * old.col_offset
    altered = [indent + each for each in ast.unparse(ast.fix_missing_locations(new)).splitlines()]
    return "\n".join([*lines[: old.lineno - 1], *altered, *lines[old.end_lineno :]]) + "\n"


class _Loader(SourceFileLoader):
    """Imports one file as it was altered, from memory: the tree on disk stays as it is."""

    def __init__(self, fullname: str, path: str, text: str) -> None:
        super().__init__(fullname, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._text, self.path, "exec")


class _Finder(MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._path, self._text = str(ROOT / mutant.file), mutant.text
        self._name = _dotted(ROOT / mutant.file)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return spec_from_loader(fullname, _Loader(fullname, self._path, self._text))


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)


def near(path: Path) -> list[str]:
    """The test files of a file: those of its room that name it, or whose fixtures name its folder."""
    folder, dotted = ROOT / "tests" / path.relative_to(SOURCE).parts[0], _dotted(path)
    parent, _, last = dotted.rpartition(".")

    def names(test: Path) -> bool:
        text = test.read_text("utf-8")
        return dotted in text or f"from {parent} import {last}" in text

    every = sorted(folder.rglob("test_*.py"))
    shared = any(f"{parent}." in each.read_text("utf-8") for each in folder.rglob("conftest.py"))
    return [str(each.relative_to(ROOT)) for each in every if shared or names(each)] or [
        str(each.relative_to(ROOT)) for each in every
    ]


class Runs:
    """Which tests run which line, of a run in which nothing is altered. Raises `SystemExit` where one fails."""

    def __init__(self, paths: Iterable[Path], folder: Path) -> None:
        self._near = {str(path.relative_to(ROOT)): near(path) for path in paths}
        self._data: dict[str, CoverageData] = {}
        for room in sorted({path.relative_to(SOURCE).parts[0] for path in paths}):
            files = sorted({each for path, tests in self._near.items() for each in tests if f"/{room}/" in path})
            written, names = folder / f"{room}.coverage", folder / f"{room}.modules"
            os.environ["COVERAGE_FILE"] = str(written)
            told = _forked(
                [f"--cov={SOURCE / room}", "--cov-context=test", "--cov-report=", "--cov-fail-under=0", *files],
                folder / room,
                names_to=names,
            )
            if os.waitstatus_to_exitcode(os.waitpid(told, 0)[1]) != 0:
                sys.exit(f"the tests of {room} fail, and nothing was altered: {' '.join(files)}")
            self._data[room] = CoverageData(str(written))
            self._data[room].read()
            for name in names.read_text("utf-8").split():
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)

    def of(self, mutant: Mutant) -> list[str]:
        """The tests to try it with; none where no test runs it."""
        room = Path(mutant.file).relative_to("src/onepam").parts[0]
        by_line = self._data[room].contexts_by_lineno(str(ROOT / mutant.file))
        contexts = {each for line in mutant.lines for each in by_line.get(line, [])}
        tests = sorted({each.partition("|")[0].partition("[")[0] for each in contexts if each})
        mine = self._near[mutant.file]
        if "" in contexts:  # it is run while the module is imported
            return mine
        return sorted(tests, key=lambda test: test.partition("::")[0] not in mine)[:MOST_TESTS]


def _forked(arguments: list[str], temporary: Path, mutant: Mutant | None = None, names_to: Path | None = None) -> int:
    """A child that runs pytest; its id. `names_to` takes the modules that it imported, without those of this tree."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        os.setsid()
        quiet = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(quiet, number)
        sys.dont_write_bytecode = mutant is not None
        if mutant is not None:
            sys.meta_path.insert(0, _Finder(mutant))
        fixed = ["-q", "-x", "-p", "no:cacheprovider", "-m", "not conformance"]
        code = int(pytest.main([*fixed, f"--basetemp={temporary}", *arguments]))
        if names_to is not None:
            foreign = [each for each in sys.modules if each.partition(".")[0] not in ("onepam", "tests", "conftest")]
            names_to.write_text("\n".join(foreign), "utf-8")
    finally:
        os._exit(code)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the alterations: no test tells those `alive`; a test failed for those `told`.

    A test that no longer ends has told as well, but stands in neither: it may be the machine that is slow.
    """

    tried: int
    alive: list[Mutant]
    told: list[Mutant]


def outcome(drawn: Sequence[Mutant], runs: Runs, folder: Path, seconds: float) -> Outcome:
    """Tries them in their order; begins none after so many seconds."""
    alive, told, running = list[Mutant](), list[Mutant](), dict[int, tuple[Mutant, int, float]]()
    free, left, end = list(range(AT_ONCE)), list(reversed(drawn)), time.monotonic() + seconds
    tried = 0
    with Progress(auto_refresh=False) as bar:
        task = bar.add_task("alterations", total=len(drawn))
        while running or (left and time.monotonic() < end):
            while left and free and time.monotonic() < end:
                mutant = left.pop()
                tried += 1
                if not (tests := runs.of(mutant)):
                    alive.append(mutant)
                    continue
                slot = free.pop()
                child = _forked(tests, folder / str(slot), mutant)
                running[child] = (mutant, slot, time.monotonic() + SECONDS)
            done, status = os.waitpid(-1, os.WNOHANG) if running else (0, 0)
            if not done:
                time.sleep(0.01)
                for child, (_, _, deadline) in running.items():
                    if time.monotonic() > deadline:
                        os.killpg(child, signal.SIGKILL)
                continue
            mutant, slot, _ = running.pop(done)
            free.append(slot)
            if os.WIFEXITED(status):
                (told if os.WEXITSTATUS(status) else alive).append(mutant)
            bar.update(task, completed=tried - len(running))
            bar.refresh()
    return Outcome(tried, alive, told)


def chosen(arguments: argparse.Namespace) -> list[Path]:
    """The files to alter."""
    rooms = [[each for each in (SOURCE / room).rglob("*.py") if each.name not in NOT_ALTERED] for room in ROOMS]
    every = sorted(each for room in rooms for each in room) + [SOURCE / each for each in FILES]
    if not all(rooms) or not all(each.is_file() for each in every):
        raise SystemExit(f"{', '.join([*ROOMS, *FILES])}: one of these is not there any more")
    if arguments.all:
        return every
    if arguments.changed:
        # the oldest commit of a shallow clone looks as if it had added everything
        command = ["git", "-c", "log.showRoot=false", "log", f"-{arguments.changed}", "--name-only", "--format="]
        said = subprocess.check_output(command, cwd=ROOT, text=True)
        return [each for each in every if str(each.relative_to(ROOT)) in set(said.split())]
    return [Path(each).resolve() for each in arguments.files]


def drawn(paths: list[Path], of_each: int, most: int) -> list[Mutant]:
    """At most so many alterations of each file, and in all, the same ones each time."""
    found: list[Mutant] = []
    for path in paths:
        every = mutants(path)
        draw = random.Random(f"{SEED} {path.name}")
        found += sorted(draw.sample(every, min(of_each, len(every))), key=lambda each: each.key)
    return random.Random(SEED).sample(found, most) if len(found) > most else found


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
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no alteration after so many seconds")
    arguments = parser.parse_args()
    paths, known = chosen(arguments), excused()
    there = {each.key for path in paths for each in mutants(path)}
    todo = drawn(paths, arguments.of_each, arguments.most)
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs({ROOT / each.file for each in todo}, Path(folder))
        result = outcome(todo, runs, Path(folder), arguments.seconds)
    alive = {each.key for each in result.alive}
    files = {str(path.relative_to(ROOT)) for path in paths}
    gone = {key for key in known if key.partition(": ")[0] in files and key not in there}
    gone |= ({each.key for each in result.told} - alive) & known.keys()
    new = alive - known.keys()
    for key in sorted(alive):
        print(f"{'known   ' if key in known else 'SURVIVES'} {key}")
    for key in sorted(gone):
        print(f"TOLD     {key}: take it off the list")
    said = f"{result.tried} of {len(todo)} alterations tried"
    print(f"{said}, {result.tried - len(result.alive)} told by a test, {len(new)} new survivors")
    return 1 if new or gone else 0


if __name__ == "__main__":
    sys.exit(main())
