"""Publishing outlives whatever the database says."""

import sqlite3
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onepam.jobs import anchors as module
from onepam.jobs.anchors import Anchors
from onepam.kernel.clock import Instant
from onepam.ledger.note import ED25519, VerifierKey
from onepam.store.engine.database import connect

LOG = VerifierKey("test", ED25519, Ed25519PrivateKey.generate().public_key().public_bytes_raw())


def test_an_error_of_the_database_ends_no_publishing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps, enough = 0, threading.Event()

    class Failing:
        """A publisher whose database is locked for its first two steps."""

        def __init__(self, *args: object) -> None:
            """Takes what a publisher takes."""

        def publish(self) -> None:
            nonlocal steps
            steps += 1
            if steps <= 2:
                raise sqlite3.OperationalError("database is locked")
            enough.set()

    monkeypatch.setattr(module, "PERIOD_SECONDS", 0.01)
    monkeypatch.setattr(module, "Publisher", Failing)
    connect(tmp_path / "ledger.db").close()
    (tmp_path / "log").mkdir()
    anchors = Anchors(
        tmp_path / "ledger.db", tmp_path / "log", "test", LOG, lambda *args: b"", None, (), lambda: Instant(0)
    )
    anchors.start()
    assert enough.wait(60)
    assert anchors.trouble == "database is locked"
    anchors.stop()
