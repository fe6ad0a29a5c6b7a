"""The rules of the house that no linter knows."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.purity import foreign_imports, impurities
from tests.house.sources import PACKAGE, PURE, ROOT, kept_files, modules, name, tree

pure_modules = pytest.mark.parametrize("path", modules(*PURE), ids=name)


@pure_modules
def test_pure_floors_reach_for_nothing_outside(path: Path) -> None:
    assert list(impurities(tree(path))) == []


@pytest.mark.parametrize("path", modules("app"), ids=name)
def test_use_cases_get_time_and_randomness_passed_in(path: Path) -> None:
    assert list(impurities(tree(path))) == []


@pure_modules
def test_pure_floors_import_no_framework(path: Path) -> None:
    assert list(foreign_imports(tree(path), path.relative_to(PACKAGE).parts[0])) == []


@pytest.mark.parametrize(
    "line",
    ["datetime.now(UTC)", "date.today()", "time.monotonic()", "os.urandom(8)", "AESGCM.generate_key(256)", "open('x')",
     "Path('x').read_text()", "secrets.token_bytes(8)", "uuid.uuid4()", "print(1)"],
)  # fmt: skip
def test_the_search_for_impurity_finds(line: str) -> None:
    assert len(list(impurities(ast.parse(line)))) == 1


@pytest.mark.parametrize("line", ["import fastapi.routing", "from asyncssh import connect", "import zstandard"])
def test_the_search_for_foreign_imports_finds(line: str) -> None:
    assert len(list(foreign_imports(ast.parse(line), "kernel"))) == 1


@pure_modules
def test_public_names_of_pure_floors_say_what_they_mean(path: Path) -> None:
    """Functions, classes and methods; a method that fulfils a documented name of its base is exempt by `@override`."""
    silent = [node.name for node in _public(tree(path)) if not ast.get_docstring(node)]
    assert silent == []


def _public(module: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    holders: list[ast.Module | ast.ClassDef] = [
        module,
        *(node for node in module.body if isinstance(node, ast.ClassDef)),
    ]
    return [
        node
        for holder in holders
        for node in holder.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not any(isinstance(mark, ast.Name) and mark.id == "override" for mark in node.decorator_list)
    ]


def test_every_room_says_what_it_is() -> None:
    rooms = [path for path in modules() if path.name == "__init__.py"]
    assert rooms
    assert [name(path) for path in rooms if not ast.get_docstring(tree(path))] == []


def test_every_folder_with_code_is_a_package() -> None:
    """A folder without `__init__.py` would be left out of the wheel."""
    folders = {path.parent for path in modules()}
    assert sorted(name(folder) for folder in folders if not (folder / "__init__.py").is_file()) == []


def test_no_room_is_a_drawer_for_everything() -> None:
    drawer = re.compile(r"(^|_)(utils?|helpers?|common|managers?|misc)(_|$)")
    ours = [path.relative_to(ROOT) for path in kept_files() if path.suffix in {".py", ".ts"}]
    assert [str(path) for path in ours if any(drawer.search(Path(part).stem) for part in path.parts)] == []


def test_no_lock_carries_an_address() -> None:
    names = {name(path) for path in kept_files()}
    assert not {path for path in names if path.endswith("uv.lock")}
    for path in kept_files():
        if path.name == "package-lock.json":
            assert '"resolved"' not in path.read_text(encoding="utf-8"), name(path)
        elif path.suffix == ".lock":
            text = path.read_text(encoding="utf-8")
            assert "://" not in text, name(path)
            assert not re.search(r"^--", text, re.MULTILINE), name(path)


def test_every_pin_carries_a_digest() -> None:
    locks = sorted((ROOT / "locks").glob("*.lock"))
    assert len(locks) == 4
    for lock in locks:
        pins = re.findall(
            r"^\S+==[^\n]*\\\n((?:    --hash=sha256:[0-9a-f]{64}[^\n]*\n)+)", lock.read_text(), re.MULTILINE
        )
        assert len(pins) == len(re.findall(r"==", re.sub(r";[^\n]*", "", lock.read_text()))), lock.name


def test_no_file_names_a_registry() -> None:
    """Where packages come from is the installer's setting. The names are joined here so that this file passes."""
    hosts = [".".join(parts) for parts in (
        ("pypi", "org"), ("files", "pythonhosted", "org"), ("test", "pypi", "org"), ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"), ("proxy", "golang", "org"),
    )]  # fmt: skip
    found = [
        f"{name(path)}: {host}" for path in kept_files() for host in hosts if host.encode("ascii") in path.read_bytes()
    ]
    assert found == []


def test_every_make_target_that_documents_itself_is_phony() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    documented = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert documented >= {"run", "test", "check", "bench", "lock", "screenshots", "clean", "help"}
    assert documented <= set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE))


def test_the_runtime_is_a_part_of_the_tests_environment() -> None:
    """The tests run on exactly the versions that people install."""
    runtime, dev = ({line.split(" ")[0] for line in (ROOT / "locks" / f"{lock}.lock").read_text().splitlines()
                     if "==" in line} for lock in ("runtime", "dev"))  # fmt: skip
    assert runtime - dev == set()


def test_the_tests_of_the_domain_lie_in_its_rooms() -> None:
    rooms = {path.name for path in (PACKAGE / "domain").iterdir() if path.is_dir()}
    homes = {
        path.relative_to(ROOT / "tests" / "domain").parts[0] for path in (ROOT / "tests" / "domain").rglob("test_*.py")
    }
    assert homes
    assert homes <= rooms
