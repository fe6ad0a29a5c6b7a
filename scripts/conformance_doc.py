"""Writes into docs/conformance.md which tests of foreign suites come out otherwise through the gateway, and why, from
tests/conformance/databases/differences.txt: `python scripts/conformance_doc.py`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "conformance.md"
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from tests.conformance.databases.suites import differences  # noqa: E402

BEGINS, ENDS = "| suite | test | why |\n| --- | --- | --- |\n", "\n## Identity\n"


def page() -> str:
    """The page with the list as it is now."""
    before, begins, rest = PAGE.read_text("utf-8").partition(BEGINS)
    _, ends, after = rest.partition(ENDS)
    assert all((begins, ends)), "the table of differences is not where it was"
    rows = (f"| {each.suite} | `{each.test.rpartition('::')[2]}` | {each.reason} |\n" for each in differences())
    return f"{before}{begins}{''.join(rows)}{ends}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
