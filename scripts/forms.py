"""Writes tests/golden/kinds.txt, the form of every version of every event kind: `python scripts/forms.py`.

An entry is read for ever in the form in which it was written. Once `FROZEN`, a form that stands in the file never
changes any more and never goes: a kind that must change gets a new version and an upcast (CONTRIBUTING). Then the file
only grows, and what would change it otherwise is refused.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "tests" / "golden" / "kinds.txt"
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from onepam.domain.history.event import every_version  # noqa: E402
from onepam.domain.history.form import form, is_same  # noqa: E402
from scripts import rooms  # noqa: E402

FROZEN = True
"""Whether folders of users hold entries in these forms. Set at the first release, and never back."""


def page() -> str:
    """All forms, as the code has them."""
    rooms.load()
    return "\n\n".join(form(kind) for kind in every_version()) + "\n"


def broken(kept: str, now: str) -> list[str]:
    """The forms that were kept, and that the code does not have any more as they were; by name and version."""
    have = {each.partition(",")[0]: each for each in now.strip().split("\n\n")}
    told = []
    for each in kept.strip().split("\n\n") if kept.strip() else []:
        name = each.partition(",")[0]
        if name not in have:
            told.append(f"{name} is gone")
        elif not is_same(each, have[name]):
            told.append(f"{name} has another form:\n{each}\nis now\n{have[name]}")
    return told


def main() -> None:
    """Writes the file; once frozen, not over a form that was kept."""
    now, kept = page(), PAGE.read_text("utf-8") if PAGE.exists() else ""
    if FROZEN and (told := broken(kept, now)):
        raise SystemExit("\n".join([*told, "What must change gets a new version and an upcast: CONTRIBUTING.md"]))
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(now, "utf-8")


if __name__ == "__main__":
    main()
