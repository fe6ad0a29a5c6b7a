"""Where something is measured: a folder whose ledgers are asked afterwards whether they were lawful."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.lawful import listening, unlawful_in


@contextmanager
def room() -> Iterator[Path]:
    """A folder that goes with the block. Whatever ledger lies in it by then is judged, after all that is measured;
    raises `AssertionError` with what had no right to be, but for what the benchmark laid by hand."""
    with TemporaryDirectory(prefix="onepam-bench-") as name, listening():
        yield Path(name)
        found = unlawful_in([Path(name)])
        assert not found, "\n".join(found)
