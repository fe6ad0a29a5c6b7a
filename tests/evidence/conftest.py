"""The honest pack that every test starts from, and the verifier as it is called."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onepam.evidence.verifier.command import main
from tests.evidence.company import LOG, WITNESS, History, history, pack_input, written
from tests.evidence.live import complete

KEYS = ("--log-key", LOG.vkey(), "--witness-key", WITNESS.vkey())

Check = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="session")
def company() -> History:
    return history()


@pytest.fixture(scope="session")
def honest(company: History) -> bytes:
    return written(pack_input(company))


@pytest.fixture(scope="session")
def drawn_pack(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A pack drawn from a real ledger."""
    return asyncio.run(complete(tmp_path_factory.mktemp("live")))


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Verifies the bytes of a pack with the keys given, by the parts of the verifier; exit code and JSON result."""

    def run(pack: bytes, *arguments: str) -> tuple[int, dict[str, Any]]:
        path = tmp_path / "pack.zip"
        path.write_bytes(pack)
        code = main([str(path), "--json", *arguments])
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert result["exit"] == code
        return code, result

    return run
