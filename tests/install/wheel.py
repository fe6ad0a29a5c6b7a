"""The wheel that `make wheel` builds, and a fresh environment that has it with the locked libraries."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.house.sources import PACKAGE, ROOT, kept_files, name

BUILT = PACKAGE / "console" / "static" / "built"
PAGE = PACKAGE / "evidence" / "verifier" / "verify.html"


def build(folder: Path) -> Path:
    """The wheel, from a copy of what git keeps and of the console's built assets: nothing else can get into it."""
    assert (BUILT / "app.js").is_file(), "the console is not built; `make test` does it"
    source = folder / "source"
    for path in kept_files():
        if not name(path).startswith(("tests/", "docs/", "bench/", "ui/")):
            (source / name(path)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, source / name(path))
    shutil.copytree(BUILT, source / name(BUILT))
    shutil.copy(PAGE, source / name(PAGE))
    command = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", folder / "dist", "."], cwd=source, check=True)
    (wheel,) = (folder / "dist").glob("onepam-*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """The program `onepam` in a new environment with the locked libraries, in the manual's steps."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([ROOT / "scripts" / "install-locked", python, ROOT / "locks" / "runtime.lock"], check=True)
    subprocess.run([python, "-m", "pip", "--quiet", "install", "--no-deps", wheel], check=True)
    return folder / "bin" / "onepam"


def bare() -> dict[str, str]:
    """The environment without this repository's: what is found is what was installed."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
