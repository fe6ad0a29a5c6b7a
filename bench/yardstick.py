"""What this machine gives right now: fixed work between the measurements, to hold their figures against."""

import json
import sqlite3
import statistics
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter


def durable_inserts(folder: Path, count: int = 300) -> float:
    """Bare SQLite: transactions of one row of 700 bytes, each synchronised, per second."""
    with TemporaryDirectory(dir=folder) as inside:
        with closing(sqlite3.connect(Path(inside) / "bare.sqlite", isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("CREATE TABLE bare (idx INTEGER PRIMARY KEY, body BLOB)")
            body = bytes(700)
            began = perf_counter()
            for index in range(count):
                db.execute("BEGIN IMMEDIATE")
                db.execute("INSERT INTO bare VALUES (?, ?)", (index, body))
                db.execute("COMMIT")
            return count / (perf_counter() - began)


def interpreter(count: int = 5_000) -> float:
    """Bare Python: small objects written as JSON with sorted keys, per second."""
    value = {"b": 1, "a": "x" * 30, "c": ["q", {"z": 5}]}
    began = perf_counter()
    for _ in range(count):
        json.dumps(value, sort_keys=True)
    return count / (perf_counter() - began)


def median(rounds: int, measure: Callable[[], float]) -> float:
    """The middle one of several rounds: on a shared machine neither the best nor the worst means much."""
    return statistics.median(measure() for _ in range(rounds))
