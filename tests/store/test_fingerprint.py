"""What makes other rows is found by itself, on copies of the program; what does not is left alone."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from onepam.store.project.fingerprint import fingerprints

SOURCE = Path(__file__).parents[2] / "src" / "onepam"
SAY = "import json; from onepam.store.project.fingerprint import fingerprints; print(json.dumps(fingerprints()))"


def changed(folder: Path, file: str, old: str, new: str) -> set[str]:
    """What has another digest in a copy of the program in which a file reads otherwise."""
    shutil.copytree(SOURCE, folder / "onepam", ignore=shutil.ignore_patterns("static", "*.html", "__pycache__"))
    text = (folder / "onepam" / file).read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} stands in {file} {text.count(old)} times"
    (folder / "onepam" / file).write_text(text.replace(old, new), "utf-8")
    done = subprocess.run([sys.executable, "-c", SAY], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    ours, theirs = fingerprints(), json.loads(done.stdout)
    return {name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)}


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("store/project/people.py", 'enabled=0, because', 'enabled=1, because', {"kind person.disabled"}),
        ("store/project/people.py", "@projects(events.PersonDis", "# more\n@projects(events.PersonDis", set()),
        ("store/project/people.py", "People and group members.", "People, and groups' members.", set()),
        ("store/project/people.py", '"added": "INTEGER NOT NULL"', '"added": "TEXT NOT NULL"', {"table person"}),
        ("store/project/people.py", '(("email",), ("lower(email)",),', '(("email",), ("owner",),', set()),
        ("store/project/people.py", 'personal=("name", "email",', 'personal=("name",', {"table person"}),
        ("store/engine/tables.py", "    if kind is bool:\n        return int(value)\n", "", {"engine"}),
        ("domain/people/events.py", 'VENDOR = "vendor"', 'VENDOR = "vendor"\n    GUEST = "guest"', set()),
        (
            "domain/history/system.py",
            "    node: str\n    by: str\n",
            "    node: str\n    by: str\n    how: str\n",
            {"kind system.clock_confirmed"},
        ),
    ],
    ids=[
        "projection", "comment", "docstring", "column", "index", "personal", "values", "member", "field without a row",
    ],
)  # fmt: skip
def test_what_has_another_digest(tmp_path: Path, file: str, old: str, new: str, named: set[str]) -> None:
    assert changed(tmp_path, file, old, new) == named


def test_what_a_projection_uses_belongs_to_it(tmp_path: Path) -> None:
    """The rule by which names are compared lies in the domain, and its results stand in rows."""
    found = changed(tmp_path, "domain/provisioning/events.py", "name).casefold())", "name).lower())")
    assert {"kind scim_user.set", "kind scim_group.set"} <= found
    assert all(each.startswith("kind scim") for each in found)
