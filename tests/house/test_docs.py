"""The documentation says what the code does: generated tables are current, every link leads somewhere."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from onepam.boot.config import Config
from onepam.domain.history.event import kinds
from onepam.domain.sessions.events import EntryPoint
from scripts import attacks_doc, conformance_doc, controls_doc, entry_points_doc, notices_doc
from scripts.events_doc import PAGE, page
from tests.house.sources import ROOT, kept_files, name

PAGES = [path for path in kept_files() if path.suffix == ".md"]
REQUIREMENTS = (
    {f"L{number}" for number in range(1, 11)}
    | {f"Q{number}" for number in range(1, 7)}
    | {f"F{number}" for number in range(1, 8)}
    | {f"P{number}" for number in range(1, 9)}
    | {f"T{number}" for number in range(1, 5)}
    | {"A1", "A2", "C1", "C2"}
)


def test_the_table_of_events_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python scripts/events_doc.py"


def test_the_catalogue_of_controls_is_current() -> None:
    assert controls_doc.PAGE.read_text("utf-8") == controls_doc.page(), "run: python scripts/controls_doc.py"


def test_the_table_of_notices_is_current() -> None:
    assert notices_doc.PAGE.read_text("utf-8") == notices_doc.page(), "run: python scripts/notices_doc.py"


def test_the_tables_of_attacks_are_current() -> None:
    assert attacks_doc.PAGE.read_text("utf-8") == attacks_doc.page(), "run: python scripts/attacks_doc.py"


def test_every_event_kind_is_evidence_for_a_control() -> None:
    wrong = [kind.name for kind in kinds() if not re.fullmatch(r"[A-Z]{3}-\d\d( [A-Z]{3}-\d\d)*", kind.controls)]
    assert wrong == []
    told, _, _ = page().partition("## Why a session ended")
    assert set(re.findall(r"^\| `([a-z_.]+)(?: v\d+)?` \|", told, re.MULTILINE)) == {kind.name for kind in kinds()}


def test_every_setting_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "administrator.md").read_text("utf-8").split("## Configuration")[1].split("\n## ")[0]
    table = set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (.*?) \|", text, re.MULTILINE))))
    assert table == {each.name for each in fields(Config)}


def test_every_way_in_is_listed() -> None:
    text = (ROOT / "docs" / "entry-points.md").read_text("utf-8")
    assert set(re.findall(r"\(`((?:ssh|postgres|mysql)_[a-z_]+)`\)", text)) == set(EntryPoint)


def test_every_way_in_says_what_it_gives_without_a_second_factor() -> None:
    assert entry_points_doc.problems() == []
    current = entry_points_doc.PAGE.read_text("utf-8") == entry_points_doc.page()
    assert current, "run: python scripts/entry_points_doc.py"


def test_foreign_programs_stand_there_in_the_locked_versions() -> None:
    text = (ROOT / "docs" / "conformance.md").read_text("utf-8")
    sources = (
        (r"^{}==(\S+)", "locks/dev.lock", ("paramiko", "ssh2-python", "scim2-tester", "aiosmtpd", "standardwebhooks")),
        (r"{} v(\S+)", "tests/conformance/ssh_go/go.mod", ("golang.org/x/crypto",)),
        (r'"{}": "(\S+)"', "tests/oidc_provider/package.json", ("oidc-provider",)),
        (r"^version=(\S+)", "scripts/conformance/install-keycloak", ("Keycloak",)),
        (r"{}:(\S+) ", "scripts/conformance/install-ssh-clients", ("com.github.mwiede:jsch",)),
    )
    for pattern, source, names in sources:
        locked = (ROOT / source).read_text("utf-8")
        for program in names:
            version = re.search(pattern.format(re.escape(program)), locked, re.MULTILINE)
            assert version, (program, source)
            (row,) = re.findall(rf"^\|.*\b{re.escape(program)}\b.*\| .*$", text, re.MULTILINE)
            assert re.search(rf"\bv?{re.escape(version[1])}\b", row), (program, version[1], row)


def test_foreign_programs_are_tried_where_the_page_says() -> None:
    text = (ROOT / "docs" / "conformance.md").read_text("utf-8")
    files = set(re.findall(r"tests/[\w/]+\.py", text))
    assert files
    assert {each for each in files if not (ROOT / each).is_file()} == set()


def test_what_comes_out_otherwise_stands_there() -> None:
    current = conformance_doc.PAGE.read_text("utf-8") == conformance_doc.page()
    assert current, "run: python scripts/conformance_doc.py"


def test_every_requirement_is_traced() -> None:
    text = (ROOT / "docs" / "traceability.md").read_text("utf-8")
    assert set(re.findall(r"^\| ([LQFPTAC]\d+) \|", text, re.MULTILINE)) == REQUIREMENTS


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    links = re.findall(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)|(?:src|href|srcset)=\"([^\"]+)\"", text)
    broken = []
    for link in (each or other for each, other in links):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


def _anchors(path: Path) -> set[str]:
    titles = re.findall(r"^#+ +(.+?)\s*$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_pages_are_found_from_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    pages = {path.name for path in PAGES if path.parent == ROOT / "docs"} - {"README.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


def test_pictures_are_small_and_used() -> None:
    pictures = [path for path in kept_files() if path.parent == ROOT / "docs" / "images"]
    assert pictures
    assert [name(path) for path in pictures if path.stat().st_size > 300_000] == []
    text = "".join(path.read_text("utf-8") for path in PAGES)
    assert [path.name for path in pictures if path.name not in text] == []
