"""The permit is made in one file: nobody else can open a door."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "onepam"
DOOR = SOURCE / "app" / "open_session.py"


def makers(path: Path) -> list[int]:
    """Lines that construct the door's `Opened`, under whatever name it was imported."""
    tree = ast.parse(path.read_text("utf-8"))
    names = {"Opened"} if path == DOOR else set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "onepam.app.open_session":
            names |= {each.asname or each.name for each in node.names if each.name == "Opened"}
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [
        call.lineno
        for call in calls
        if (isinstance(call.func, ast.Name) and call.func.id in names)
        or (isinstance(call.func, ast.Attribute) and call.func.attr == "Opened" and path == DOOR)
    ]


@pytest.mark.claim(
    "Only one use case makes permits",
    altered="another use case made a permit",
)
def test_only_the_door_makes_a_permit() -> None:
    found = {path.relative_to(SOURCE).as_posix(): makers(path) for path in SOURCE.rglob("*.py")}
    assert [path for path, lines in found.items() if lines] == ["app/open_session.py"]
    assert len(found["app/open_session.py"]) == 1


def test_nobody_copies_a_permit() -> None:
    texts = {path: path.read_text("utf-8") for path in SOURCE.rglob("*.py")}
    holders = [path for path, text in texts.items() if "open_session import" in text and "Opened" in text]
    assert holders, "somebody dials"
    assert [path for path in holders if "replace(opened" in texts[path]] == []
