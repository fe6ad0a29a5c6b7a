"""Does what the recipes of CONTRIBUTING.md say, on a copy of the tree: `python scripts/walk_recipes.py`.

Each recipe is walked with a small real example about the recordings' disk, one after the other in the same copy. The
files are counted that somebody writes for it; those that `make generated` writes are told and cost nothing. At the end
the tests run that the recipes name. So a recipe that leaves out a step, or a change that costs more than it may, is
found.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.recipes import EVENT, FIELD, PAGE, USE_CASE, Edit  # noqa: E402

GENERATE = """
import runpy, sys
for script in ("forms", "events_doc", "notices_doc", "verifier"):
    runpy.run_path(f"scripts/{script}.py", run_name="__main__")
sys.argv[1:] = ["docs/api/openapi.json"]
runpy.run_module("onepam.api.openapi", run_name="__main__", alter_sys=True)
runpy.run_path("scripts/entry_points_doc.py", run_name="__main__")  # it ends with what is wrong
"""
"""Of `make generated`, what recipes change, in one process: each would load the whole product."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A heading of CONTRIBUTING.md, what is done as it says, how many files one writes at most, the tests it names."""

    heading: str
    edits: Sequence[Edit]
    most: int
    tests: Sequence[str]


RECIPES = (
    Recipe(
        "add an event",
        EVENT,
        4,
        (
            "tests/domain/host/test_disk.py",
            "tests/domain/history/test_event.py::test_every_kind_comes_back_as_it_went_in[disk.replaced-2]",
            "tests/domain/history/test_words.py::test_every_kind_has_a_sentence_also_where_it_is_erased[disk.replaced]",
            "tests/store/test_state_table.py::test_every_kind_of_event_has_a_projection",
            "tests/house/test_docs.py",
            "tests/house/test_forms.py",
            "tests/house/test_lawful.py",
            "tests/evidence/verifier/test_generated.py::test_it_is_not_stale",
        ),
    ),
    Recipe("change an event kind", FIELD, 4, ()),
    Recipe(
        "add a use case",
        USE_CASE,
        8,
        (
            "tests/store/test_facts.py",
            "tests/api/test_disks.py",
            "tests/api/test_who_may.py::test_every_route_is_in_the_table",
        ),
    ),
    Recipe(
        "add a page",
        PAGE,
        7,
        (
            "tests/console/test_pages_render.py::test_every_page_has_a_template_and_a_sample",
            "tests/console/test_pages_render.py::test_a_page_is_given_what_its_template_reads_and_nothing_else[DisksPage]",
            "tests/console/test_routes.py::test_the_table_is_of_all_routes_and_each_once",
            "tests/console/test_routes.py::test_needs_are_what_the_table_says",
            "tests/console/test_routes.py::test_every_route_lets_in_whom_it_should[GET /disks]",
        ),
    ),
)


class Copy:
    """The files that git keeps, or would keep, in a folder of their own with a history of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = _git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
        for name in sorted({each for each in listed if each and (ROOT / each).is_file()}):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
        built = Path("src/onepam/console/static/built")  # of `make ui`: no recipe changes it
        shutil.copytree(ROOT / built, folder / built, dirs_exist_ok=True)
        _git(folder, "init", "-q")
        self.done()

    def touched(self) -> list[str]:
        """The files that differ from the last step."""
        return [line[3:] for line in _git(self.folder, "status", "--porcelain", "-uall").splitlines()]

    def done(self) -> None:
        """What is there now is where the next step begins."""
        _git(self.folder, "add", "-A")
        name = ("-c", "user.name=recipes", "-c", "user.email=recipes@example.com", "-c", "commit.gpgsign=false")
        _git(self.folder, *name, "commit", "-q", "--no-verify", "-m", "step")

    def edit(self, edit: Edit) -> None:
        """Puts the text where it belongs; raises `SystemExit` where that place is not there once."""
        path = self.folder / edit.room / edit.name
        where = path.relative_to(self.folder)
        if path.exists() is edit.new:
            raise SystemExit(f"{where} is there already" if edit.new else f"there is no {where}")
        old = "" if edit.new else path.read_text("utf-8")
        if not edit.after:
            path.write_text(f"{old}{edit.text}" if old else edit.text.lstrip("\n"), "utf-8")
        elif old.count(edit.after) == 1:
            path.write_text(old.replace(edit.after, edit.text if edit.instead else edit.after + edit.text), "utf-8")
        else:
            raise SystemExit(f"{where}: {edit.after!r} stands there {old.count(edit.after)} times")

    def run(self, *command: str) -> None:
        """Runs Python on the copy; raises `SystemExit` with what it said where it failed."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
        environment["PYTHONPATH"] = f"{self.folder / 'src'}:{self.folder}"
        done = subprocess.run(
            [sys.executable, *command], cwd=self.folder, env=environment, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\n{done.stdout[-6000:]}{done.stderr[-3000:]}")


@dataclass(frozen=True, slots=True)
class Touched:
    """The files that somebody wrote, and those that a script wrote after that."""

    written: list[str]
    generated: list[str]


def walk(copy: Copy, recipe: Recipe) -> Touched:
    """The files that the recipe touched. Raises `SystemExit` where its heading is gone, or too many are written."""
    if f"\n## Recipe: {recipe.heading}\n" not in (copy.folder / "CONTRIBUTING.md").read_text("utf-8"):
        raise SystemExit(f"CONTRIBUTING.md has no recipe “{recipe.heading}”")
    for edit in recipe.edits:
        copy.edit(edit)
    written = copy.touched()
    copy.run("-c", GENERATE)
    touched = Touched(written, [each for each in copy.touched() if each not in written])
    copy.done()
    if len(written) > recipe.most:
        raise SystemExit(
            f"“{recipe.heading}” touched {len(written)} files, {recipe.most} allowed: {', '.join(written)}"
        )
    return touched


def main() -> None:
    """Walks all of them, and says what each cost."""
    with tempfile.TemporaryDirectory(prefix="recipes-") as folder:
        copy = Copy(Path(folder))
        for recipe in RECIPES:
            touched = walk(copy, recipe)
            told = f"{len(touched.written)} files ({', '.join(touched.written)})"
            print(f"{recipe.heading}: {told}, and {len(touched.generated)} generated", flush=True)
        tests = [each for recipe in RECIPES for each in recipe.tests]
        copy.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
        print(f"{len(tests)} tests and files of tests agree")


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
