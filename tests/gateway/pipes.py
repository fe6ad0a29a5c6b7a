"""A bound for tests of pipes in the place of files: who waits on one is let go in the end, and the test fails."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE_SECONDS = 15.0


@contextmanager
def released_pipes(folder: Path) -> Iterator[None]:
    """Whoever still waits on a pipe of the folder after `PATIENCE_SECONDS` reads its end there."""
    done = threading.Event()

    def release() -> None:
        pause = PATIENCE_SECONDS
        while not done.wait(pause):
            pause = 0.1
            for path in folder.iterdir():
                if path.is_fifo():
                    with suppress(OSError):  # nobody reads it
                        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))

    thread = threading.Thread(target=release)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
