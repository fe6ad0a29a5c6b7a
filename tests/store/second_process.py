"""Another process on the same ledger: `python -m tests.store.second_process PATH NAME COUNT`."""

import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tests.store.events import fresh, person, write


def main(path: Path, name: str, count: int) -> None:
    """Writes one command after another, and prints the longest wait in milliseconds."""
    longest = 0.0
    with closing(fresh(path)) as writer:
        for number in range(count):
            began = time.monotonic()
            write(writer, replace(person(number), person=f"per_{name}{number}"))
            longest = max(longest, time.monotonic() - began)
    sys.stdout.write(f"{longest * 1000}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
