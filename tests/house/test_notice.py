"""NOTICE and the bill of materials say what the locks say: every part, its licence, and no place to get it from."""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

import pytest

from onepam import __version__
from scripts import notice
from scripts.notice import NPM_LOCKS, SAID, SBOM, npm_parts, pins
from tests.house.sources import ROOT

TOLD = json.loads(SBOM.read_text("utf-8"))
COMPONENTS: dict[str, dict[str, Any]] = {each["purl"]: each for each in TOLD["components"]}
PLACES = re.compile(
    r"pypi\.|pythonhosted|npmjs|yarnpkg|unpkg|jsdelivr|\bregistry\.|/simple/|https?://[^ ]*(wheel|\.tgz)"
)


def locked() -> dict[str, str]:
    """The version of every part that is shipped or runs, by its purl without one."""
    python = {f"pkg:pypi/{name}": pin.version for name, pin in pins("runtime").items()}
    packages = json.loads((ROOT / NPM_LOCKS[0]).read_text("utf-8"))["packages"]
    console = {
        f"pkg:npm/{path.rpartition('node_modules/')[2].replace('@', '%40')}": each["version"]
        for path, each in packages.items()
        if path and not each.get("dev")
    }
    assert len(python) > 40
    assert len(console) >= 10
    return {**python, **console}


def test_the_bill_of_materials_is_of_the_locks() -> None:
    assert {purl.rpartition("@")[0]: purl.rpartition("@")[2] for purl in COMPONENTS} == locked()
    assert all(each["version"] == purl.rpartition("@")[2] for purl, each in COMPONENTS.items())
    assert TOLD["metadata"]["component"]["purl"] == f"pkg:pypi/onepam@{__version__}"
    assert (TOLD["bomFormat"], TOLD["specVersion"]) == ("CycloneDX", "1.6")


def test_what_needs_what_is_told_of_every_part() -> None:
    needs = {each["ref"]: set(each["dependsOn"]) for each in TOLD["dependencies"]}
    own = TOLD["metadata"]["component"]["bom-ref"]
    assert needs.keys() == {own, *COMPONENTS}
    assert set().union(*needs.values()) == COMPONENTS.keys(), "each part is needed by something"
    found = {ref.rpartition("@")[0]: {each.rpartition("@")[0] for each in of} for ref, of in needs.items()}
    assert "pkg:pypi/starlette" in found["pkg:pypi/fastapi"]
    assert "pkg:npm/%40popperjs/core" in found["pkg:npm/%40tabler/core"]
    assert "pkg:pypi/asyncssh" in found["pkg:pypi/onepam"]


def test_licences_are_what_the_packages_say() -> None:
    """Of the Python libraries that are installed here; of npm packages by their lock."""
    seen = 0
    for purl, each in COMPONENTS.items():
        (licence,) = (said["expression"] for said in each["licenses"])
        assert re.fullmatch(r"[A-Za-z0-9.+-]+( (AND|OR) [A-Za-z0-9.+-]+)*", licence), purl
        if purl.startswith("pkg:pypi/") and each["name"] not in SAID:
            try:
                distribution(each["name"])
            except PackageNotFoundError:
                continue
            seen += 1
            assert licence == notice.licence_of(each["name"]), purl
    assert seen > 30
    for part in npm_parts(NPM_LOCKS[0], shipped=True):
        assert COMPONENTS[part.purl]["licenses"] == [{"expression": part.licence}]
        assert COMPONENTS[part.purl]["hashes"] == [{"alg": "SHA-512", "content": part.digest}]
    gpl = [purl for purl, each in COMPONENTS.items() if re.fullmatch(r"A?GPL.*", each["licenses"][0]["expression"])]
    assert gpl == []


def test_the_notice_names_every_part_with_its_licence_and_brings_the_texts_of_what_is_shipped() -> None:
    text = notice.NOTICE.read_text("utf-8")
    for each in COMPONENTS.values():
        name = "/".join(filter(None, (each.get("group"), each["name"])))
        licence = re.escape(each["licenses"][0]["expression"])
        assert re.search(rf"^  {re.escape(name)} +{licence}( \(not everywhere\))?$", text, re.MULTILINE), name
        if each["purl"].startswith("pkg:npm/"):
            assert f"\n--- {name} {each['version']}\n" in text
    for words in ("Permission is hereby granted", "SIL OPEN FONT LICENSE", "Permission to use, copy, modify"):
        assert words in text


@pytest.mark.parametrize("name", ["NOTICE", "sbom.cdx.json"])
def test_no_place_to_get_a_part_from_is_named(name: str) -> None:
    assert PLACES.findall((ROOT / name).read_text("utf-8")) == []


def test_a_library_that_says_no_licence_stops_the_lock() -> None:
    with pytest.raises(LookupError, match="not installed here"):
        notice.licence_of("a-library-that-is-not-there")


def test_the_script_writes_what_is_kept() -> None:
    """With the libraries of this machine; another Python may lack one that the locks name for others only."""
    code = "from scripts import notice; import sys; sys.stdout.write(notice.sbom())"
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert made.stdout == SBOM.read_text("utf-8")
