"""Keeps what this release leaves behind as the next folder of tests/golden/: `python scripts/golden.py`.

Once when a format is frozen, and again whenever a release changes a form, a migration or a recording. A kept folder is
never changed: later releases must read it, fold it, verify it and play it (tests/golden/test_golden.py). So the digests
of all kept files, and of the vectors, stand in `frozen.sha256`, to which this script only adds.
"""

import sys
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"
DIGESTS = GOLDEN / "frozen.sha256"
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from scripts import forms  # noqa: E402
from tests.golden.made import make  # noqa: E402

KEEP = (
    "A frozen file is read for ever by others and by every release: it never changes. Put it back (git checkout). "
    "If a change of yours needs another form of what it shows, give that a new version beside the old one "
    "(docs/format.md#versions, CONTRIBUTING.md), put new vectors into a new file, and keep what the new release leaves "
    "behind as the next folder: python scripts/golden.py"
)


def files() -> dict[str, str]:
    """The digest of every file that is frozen with its folder, by name."""
    folders = (*sorted(GOLDEN.glob("format-*")), GOLDEN / "vectors")
    found = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(GOLDEN).as_posix(): sha256(path.read_bytes()).hexdigest() for path in sorted(found)}


def frozen() -> dict[str, str]:
    """The digests that are kept; none before the first format."""
    if not DIGESTS.exists():
        return {}
    lines = (line.split("  ", 1) for line in DIGESTS.read_text("ascii").splitlines())
    return {name: digest for digest, name in lines}


def changed() -> list[str]:
    """The kept files that are gone or not what they were."""
    now = files()
    return [name for name, digest in frozen().items() if now.get(name) != digest]


def main() -> None:
    """Makes the folder, and keeps its digests. Refuses before the format is frozen: what is kept must be read for
    ever; and where something that was kept has changed."""
    if not forms.FROZEN:
        raise SystemExit("the format is not frozen (FROZEN in scripts/forms.py): nothing is kept of it")
    if told := changed():
        raise SystemExit(f"{', '.join(told)}: changed. {KEEP}")
    folder = GOLDEN / f"format-{len(list(GOLDEN.glob('format-*'))) + 1}"
    make(folder)
    DIGESTS.write_text("".join(f"{digest}  {name}\n" for name, digest in files().items()), "ascii")
    print(folder)


if __name__ == "__main__":
    main()
