"""Some statements read bodies as they were stored, with no upcast between: all versions must have those fields alike.

Where this fails for a new version: let the statement read a state table, or tell the versions apart (`e.version`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest

from onepam.domain.history.event import every_version
from onepam.domain.history.form import is_same, type_in_words
from onepam.store.engine.views import EVIDENCE_VIEWS
from onepam.store.read import concerned
from scripts import forms

SOURCE = Path(__file__).parents[2] / "src" / "onepam"
RAW = re.compile(r"AS TEXT\)|\[\"body\"\]|\[\"data\"\]|SELECT body|decode\(found\[0\]\)")

READ: dict[str, dict[str, tuple[str, ...]]] = {
    "store/as_stored.py": {  # for jobs/eras.py
        "ledger.continued": ("origin", "before", "root", "ground", "size", "kept"),
        "system.started": ("origin", "log_key"),
    },
    "store/engine/entries.py": {"system.started": ("release",)},
    "store/facts/handed_out.py": {"anchor.handed_out": ("occasion",)},
    "store/read/recordings.py": {"session.closed": ("session", "head", "chunks", "verified", "because", "counts")},
    "store/read/sessions.py": {
        "session.refused": ("session", "person", "resource", "code", "entry", "asked", "login", "source"),
    },
    "store/engine/views.py": {"payload.erased": ("indexes",)},
    "store/read/erasing.py": {
        "request.agreed": ("request",), "request.approved": ("request",), "request.denied": ("request",),
        "grant.ended": ("request",),
        "session.failed": ("session",), "session.kill_ordered": ("session",),
        "statement.ended": ("statement",), "statement.asked": ("statement", "by"),
        "roster.entry_set": ("entry", "person"), "roster.linked": ("entry", "person"),
        "scim_user.set": ("user", "person", "waits_for"),
    },
    "store/read/concerned.py": {
        kind: tuple(sorted(links)) for kind, links in concerned.linking().items()
    },
}  # fmt: skip
"""By file, kind and field: what is read without an upcast. The other views say it themselves."""


def of_views() -> dict[str, set[str]]:
    """What the views of evidence read, by kind."""
    read = dict[str, set[str]]()
    for columns, kinds in re.findall(
        r"SELECT idx AS entry, time, kind(.*?) FROM entry WHERE kind IN \((.*?)\)", EVIDENCE_VIEWS
    ):
        for kind in re.findall(r"'(.*?)'", kinds):
            read.setdefault(kind, set()).update(re.findall(r"'\$\.(.*?)'", columns))
    return read


def words(record: type, path: str) -> str | None:
    """The type of a field, by its path through records; None where there is none."""
    hint: Any = record
    for name in path.split("."):
        inner = (
            next((each for each in get_args(hint) if each is not NoneType), hint) if not is_dataclass(hint) else hint
        )
        if not is_dataclass(inner) or name not in {each.name for each in fields(inner)}:
            return None
        hint = get_type_hints(inner)[name]
    return type_in_words(hint)


def unlike(versions: Iterable[type], paths: Iterable[str]) -> list[str]:
    """The paths that the versions of a kind do not have alike."""
    first, *later = versions
    found = []
    for path in paths:
        known = words(first, path)
        now = [words(each, path) for each in later]
        if any(each is None or not is_same(known, each) for each in now) if known else any(now):
            found.append(path)
    return sorted(found)


def test_all_versions_have_alike_what_is_read_as_it_was_stored() -> None:
    forms.page()  # which imports every room
    read = of_views()
    assert read["session.opened"] == {"session", "person", "because.request", "because.approval_by"}
    for kinds in READ.values():
        for kind, names in kinds.items():
            read.setdefault(kind, set()).update(names)
    versions = dict[str, list[type]]()
    for each in every_version():
        versions.setdefault(each.name, []).append(each.record)
    assert read.keys() <= versions.keys(), "a kind that is read exists"
    assert {kind: unlike(versions[kind], paths) for kind, paths in read.items() if unlike(versions[kind], paths)} == {}


def test_what_is_said_here_to_be_read_is_there() -> None:
    forms.page()
    newest = {kind.name: kind.record for kind in every_version()}
    lacking = [
        f"{kind}.{name}"
        for kinds in READ.values()
        for kind, names in kinds.items()
        for name in names
        if words(newest[kind], name) is None
    ]
    assert lacking == []


def test_nobody_else_reads_bodies_as_they_were_stored() -> None:
    files = {str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py") if RAW.search(path.read_text("utf-8"))}
    assert files - {"evidence/verifier/disclosed.py", "evidence/verifier/verify.py"} == set(READ)


@dataclass(frozen=True)
class Why:
    request: str | None


@dataclass(frozen=True)
class First:
    person: str
    why: Why | None
    old: int


@dataclass(frozen=True)
class Second:
    person: str
    why: str
    new: int


@pytest.mark.parametrize(
    ("path", "found"),
    [("person", False), ("why", True), ("why.request", True), ("old", True), ("new", True), ("none", False)],
)
def test_what_differs_is_found(path: str, found: bool) -> None:
    assert unlike((First, Second), (path,)) == [path] * found
    assert unlike((First, First), (path,)) == []
