"""Keeps what this release leaves behind as the next folder of tests/golden/: `python scripts/golden.py`.

Once when a format is frozen, and again whenever a release changes a form, a migration or a recording. A kept folder is
never changed: later releases must read it, fold it, verify it and play it (tests/golden/test_golden.py).
"""

import asyncio
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from scripts import forms  # noqa: E402
from tests.golden.made import make  # noqa: E402


def main() -> None:
    """Makes the folder. Refuses before the format is frozen: what is kept must be read for ever."""
    if not forms.FROZEN:
        raise SystemExit("the format is not frozen (FROZEN in scripts/forms.py): nothing is kept of it")
    golden = ROOT / "tests" / "golden"
    folder = golden / f"format-{len(list(golden.glob('format-*'))) + 1}"
    asyncio.run(make(folder))
    print(folder)


if __name__ == "__main__":
    main()
