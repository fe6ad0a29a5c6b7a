"""What a pure floor must not do, found in the syntax tree: read a clock, draw randomness, touch a file."""

import ast
import sys
from collections.abc import Iterator

ALLOWED = {"kernel": {"msgspec"}, "domain": {"msgspec", "yaml"}, "ledger": {"cryptography", "zstandard"},
           "recording": {"cryptography", "zstandard"}}  # fmt: skip
"""Third-party packages that a pure floor may import beside the standard library."""

BUILTINS = {"open", "input", "print", "exec", "eval", "compile", "__import__", "breakpoint"}
CLOCK = {"now", "utcnow", "today", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "time_ns"}
RANDOM = {"urandom", "getrandbits", "token_bytes", "token_hex", "token_urlsafe", "uuid1", "uuid4"}
KEYS = {"generate", "generate_key", "generate_private_key"}
FILES = {"read_text", "read_bytes", "write_text", "write_bytes", "unlink", "mkdir", "iterdir"}


def impurities(module: ast.Module) -> Iterator[str]:
    """Each call that reaches outside, with its line. A method of a parameter that bears such a name counts too."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            called = _called(node.func)
            if isinstance(node.func, ast.Name) and called in BUILTINS:
                yield f"line {node.lineno}: {called}()"
            elif called in CLOCK | RANDOM | KEYS | FILES:
                yield f"line {node.lineno}: {ast.unparse(node.func)}()"


def foreign_imports(module: ast.Module, floor: str) -> Iterator[str]:
    """Each import of something that is neither standard library, nor ours, nor allowed on this floor."""
    for node in ast.walk(module):
        for package in _imported(node):
            if package != "onepam" and package not in sys.stdlib_module_names | ALLOWED[floor]:
                yield f"line {getattr(node, 'lineno', 0)}: {package}"


def _called(function: ast.expr) -> str:
    match function:
        case ast.Name(id=called) | ast.Attribute(attr=called):
            return called
        case _:
            return ""


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name.split(".")[0] for alias in names]
        case ast.ImportFrom(module=str(module), level=0):
            return [module.split(".")[0]]
        case _:
            return []
