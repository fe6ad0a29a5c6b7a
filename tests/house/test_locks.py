"""A fresh machine, any day: what the locks name is installed and nothing else, whatever has been released since."""

import json
import os
import re
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from tests.house.sources import ROOT, kept_files, name

NAMES = ("alpha", "beta", "gamma")


class Index:
    """A package index on disk, as installers read it (PEP 503): `alpha` needs `beta[mail]`, and that needs `gamma`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.digests: dict[tuple[str, str], str] = {}
        for version in ("1.0", "2.0"):
            self._release("alpha", version, ["beta[mail]>=1.0"])
            self._release("beta", version, ['gamma>=1.0; extra == "mail"'], extras=("mail",))
            self._release("gamma", version, [])

    def lock(self, **pins: str) -> Path:
        """A lock of these versions, digests and all."""
        path = self.root / "a.lock"
        lines = [f"{each}=={at} \\\n    --hash=sha256:{self.digests[each, at]}\n" for each, at in pins.items()]
        path.write_text("".join(lines))
        return path

    def _release(self, package: str, version: str, needs: list[str], extras: tuple[str, ...] = ()) -> None:
        folder = self.root / "simple" / package
        folder.mkdir(parents=True, exist_ok=True)
        wheel, info = folder / f"{package}-{version}-py3-none-any.whl", f"{package}-{version}.dist-info"
        metadata = [f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}"]
        metadata += [f"Provides-Extra: {each}" for each in extras] + [f"Requires-Dist: {each}" for each in needs]
        with zipfile.ZipFile(wheel, "w") as file:
            file.writestr(f"{info}/METADATA", "\n".join(metadata) + "\n")
            file.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            file.writestr(f"{info}/RECORD", "")
        self.digests[package, version] = sha256(wheel.read_bytes()).hexdigest()
        links = "".join(f'<a href="{each.name}">{each.name}</a>\n' for each in sorted(folder.glob("*.whl")))
        (folder / "index.html").write_text(links)


class Machine:
    """A virtual environment that knows no other index."""

    def __init__(self, folder: Path, index: Index) -> None:
        self.python = folder / "bin" / "python"
        self.environment = {
            **{each: value for each, value in os.environ.items() if not each.startswith("PIP_")},
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": (index.root / "simple").as_uri(),
        }
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)

    def install(self, lock: Path) -> subprocess.CompletedProcess[str]:
        """The install step of the Makefile."""
        command: list[str | Path] = [ROOT / "scripts" / "install-locked", self.python, lock]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)

    def installed(self) -> dict[str, str]:
        listed = subprocess.check_output([self.python, "-m", "pip", "list", "--format=json"], env=self.environment)
        return {each["name"]: each["version"] for each in json.loads(listed) if each["name"] in NAMES}

    def clear(self) -> None:
        command: list[str | Path] = [self.python, "-m", "pip", "--quiet", "uninstall", "--yes", *self.installed()]
        if self.installed():
            subprocess.run(command, env=self.environment, check=True)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return Index(tmp_path_factory.mktemp("index"))


@pytest.fixture(scope="module")
def one_machine(tmp_path_factory: pytest.TempPathFactory, index: Index) -> Machine:
    return Machine(tmp_path_factory.mktemp("machine") / "venv", index)


@pytest.fixture
def machine(one_machine: Machine) -> Machine:
    one_machine.clear()
    return one_machine


def test_what_the_lock_names_is_installed_although_newer_releases_exist(machine: Machine, index: Index) -> None:
    done = machine.install(index.lock(alpha="1.0", beta="1.0", gamma="1.0"))
    assert done.returncode == 0, done.stderr
    assert machine.installed() == dict.fromkeys(NAMES, "1.0")


def test_a_lock_without_what_an_extra_needs_is_named(machine: Machine, index: Index) -> None:
    done = machine.install(index.lock(alpha="1.0", beta="1.0"))
    assert done.returncode == 1
    assert "gamma>=1.0" in done.stderr
    assert "is missing (beta needs it)" in done.stderr
    assert machine.installed() == {"alpha": "1.0", "beta": "1.0"}


def test_what_stands_there_in_another_version_is_replaced(machine: Machine, index: Index) -> None:
    machine.install(index.lock(alpha="2.0", beta="2.0", gamma="2.0"))
    assert machine.install(index.lock(alpha="1.0", beta="1.0", gamma="1.0")).returncode == 0
    assert machine.installed() == dict.fromkeys(NAMES, "1.0")


def test_a_package_that_is_not_what_the_lock_says_is_refused(machine: Machine, index: Index) -> None:
    lock = index.lock(alpha="1.0", beta="1.0", gamma="1.0")
    lock.write_text(lock.read_text().replace(index.digests["gamma", "1.0"], index.digests["gamma", "2.0"]))
    done = machine.install(lock)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert machine.installed() == {}


def test_the_locks_are_complete_for_this_machine() -> None:
    """Extras too, which `pip check` does not follow."""
    check = ROOT / "scripts" / "check-installed"
    for lock in ("runtime.lock", "dev.lock", "build.lock"):
        done = subprocess.run(
            [sys.executable, check, ROOT / "locks" / lock], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), lock


def test_nothing_is_installed_but_by_a_lock() -> None:
    """Every `pip install` of a script or a recipe resolves nothing, or nothing that has no digest; every `npm` install
    goes by its lock; what else is fetched from a registry is held to a digest by the script."""
    folders = {ROOT / "scripts", ROOT / "scripts" / "conformance", ROOT / ".ci"}
    recipes = [path for path in kept_files() if path.parent in folders or path.name == "Makefile"]
    assert len(recipes) > 12
    for path in recipes:
        text = path.read_text("utf-8").replace("\\\n", " ")
        for line in re.findall(r"^[^#\n]*(?:pip[^\n|]* install |\$\(PIP\))[^\n]*$", text, re.MULTILINE):
            resolves = not {"--no-deps", "--require-hashes"} & {*line.split()} and not line.startswith("PIP ")
            assert not resolves, f"{name(path)}: {line}"
        assert not re.search(r"^[^#\n]*npm (install|i|add)\b", text, re.MULTILINE), name(path)
        fetches = re.search(
            r"^[^#\n]*(?:maven-dependency-plugin|apt-get [^\n]*(?:source|download) )", text, re.MULTILINE
        )
        assert not fetches or "sha256sum --check" in text or "signed-by=" in text, name(path)


def test_every_npm_package_is_held_to_a_digest() -> None:
    locks = [path for path in kept_files() if path.name == "package-lock.json"]
    assert len(locks) == 4
    for lock in locks:
        packages = json.loads(lock.read_text("utf-8"))["packages"]
        loose = [
            each for each, found in packages.items() if each and not found.get("link") and "integrity" not in found
        ]
        assert loose == [], name(lock)


def test_every_locked_library_stands_in_the_notice() -> None:
    """Its licence is said; what an npm package brings along is named with it ("and what it brings")."""
    notice = set(re.findall(r"[a-z0-9@/_.-]+", (ROOT / "NOTICE").read_text("utf-8").lower()))
    locks = (path.read_text("utf-8") for path in sorted((ROOT / "locks").glob("*.lock")))
    pinned = {each.lower() for lock in locks for each in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    assert len(pinned) > 50
    assert pinned - notice == set()
