"""The rules find the same wherever they run: nothing of them rests on what a Python makes anew at each start."""

import ast
from pathlib import Path

import onepam.ledger.lawful

CHANCE = {"hash", "id", "random", "secrets", "uuid"}


def test_no_rule_asks_what_differs_between_two_runs() -> None:
    """`hash` of a text has 32 bits in a browser, seeded at each start: two sessions of a large history were one."""
    found = [
        f"{path.name}:{node.lineno}: {node.id}"
        for path in sorted(Path(onepam.ledger.lawful.__file__).parent.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Name) and node.id in CHANCE
    ]
    assert found == []
