"""The product's own sources, as the tests of the house read them."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "src" / "onepam"
PURE = ("kernel", "domain", "ledger", "recording")


@cache
def kept_files() -> tuple[Path, ...]:
    """What git keeps, or would keep when added."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return tuple(path for path in (ROOT / name for name in sorted(set(names)) if name) if path.is_file())


def modules(*rooms: str) -> list[Path]:
    """The Python files below these rooms of the package, at any depth; of all of it without any.

    Raises `LookupError` for a room that has none.
    """
    every = [path for path in kept_files() if path.suffix == ".py" and _room(path)]
    if empty := set(rooms) - {_room(path) for path in every}:
        raise LookupError(f"there are no modules in {', '.join(sorted(empty))}")
    if not every:
        raise LookupError("there are no modules")
    return [path for path in every if not rooms or _room(path) in rooms]


def tree(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), name(path))


def name(path: Path) -> str:
    """A path as people write it: from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


def _room(path: Path) -> str:
    """The room of a file of the package: `ledger`, or the file's own name at the top; empty outside the package."""
    return path.relative_to(PACKAGE).parts[0] if path.is_relative_to(PACKAGE) else ""
