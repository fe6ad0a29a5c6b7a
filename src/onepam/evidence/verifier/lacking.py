"""What a pack must hold and lacks, and what it leaves out: the first thing that the verdict says.

An honest pack lacks nothing. Who and what has no way in is left out of the report of access, which is said too."""

from __future__ import annotations

import collections
from typing import Dict, List

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.canonical import MAX_INTEGER, iso
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.recordings import find_untold
from onepam.evidence.verifier.refusal import counted, need
from onepam.evidence.verifier.report import Report
from onepam.evidence.verifier.rules import (
    FROM_THE_BEGINNING,
    OF_GOVERNANCE,
    OWNED,
    REPORTS,
    STARTED,
    TESTED,
    TITLES,
    VERSIONS,
    columns_of,
    newest_of,
)

OLDER_READMES = (
    "0bb760832b672567070969c3273d963d12d095ff938662c3af206f62b5d37f81",
    "aa30ab3d03aaffe600f6506faa23e7638947bfa57b92f2edabba0d950d08773a",
)
"""Of the README.txt of releases that tested no controls."""
README_SHA256 = (*OLDER_READMES, "76fc6f31cf034402ecc2444b72f6abd73ebc7f6915796a4c540d3c5c2f41fcb6")
"""Of the README.txt of every release whose packs have this format."""
REASONS = 6  # of the exclusions, or columns, of a report that are told; of the others the number
MOST = 80  # characters of what the maker wrote


def find_lacking(pack: Contents, reports: List[Report], answer: Answer) -> None:
    """Adds what is missing or left out, each in a few words, and before what was found in the reports."""
    of_reports, answer.lacks = answer.lacks, []
    if pack.log.end < pack.checkpoint.size:
        beyond = f"{counted(pack.checkpoint.size - pack.log.end, 'entry', 'entries')} of {pack.checkpoint.size}"
        answer.lack(f"The pack ends before its checkpoint: it hides {beyond}, from entry {pack.log.end} on")
    there = {report.name for report in reports}
    for name in REPORTS:
        if name not in there and (name not in OF_GOVERNANCE or _tests_controls(pack)):
            answer.lack(f"The pack lacks the report {name}{_because(pack, name)}")
    find_untold(pack, answer)
    for report in reports:
        _check_head(pack, report, answer)
        if report.excluded:
            answer.lacks.append(f"The pack leaves out {_left_out(report)}")
            answer.whole = answer.whole and report.name == "access"
    latest = min(pack.until - 1, pack.log.times[-1])
    for report in reports:
        if report.as_of is not None and report.as_of < latest:
            answer.lack(f"The report {report.name} is as of {iso(report.as_of)}, and there was more to tell")
    _check_system(pack, answer)
    if pack.files.sha256("README.txt") not in README_SHA256:
        answer.lack("README.txt is not ours: do not follow it")
    answer.lacks += of_reports


def _tests_controls(pack: Contents) -> bool:
    """Whether it is of a release that tests controls, by its history or its README.txt: an older one draws less."""
    tested = TESTED in pack.log.kinds or OWNED in pack.log.kinds
    return tested or pack.files.sha256("README.txt") not in OLDER_READMES


def _because(pack: Contents, name: str) -> str:
    return ", which needs the entries before its first" if name in FROM_THE_BEGINNING and pack.log.first else ""


def _check_head(pack: Contents, report: Report, answer: Answer) -> None:
    """Whether it is a report of a release: its maker could write in it whatever sounds well."""
    name = report.name
    if name not in TITLES:
        answer.lack(f"No release draws a report {name}: all of it is its maker's words")
        return
    if report.title != TITLES[name] or report.version not in VERSIONS.get(name, (1,)):
        answer.lack(f"No release gives the report {name} the title {_short(report.title)} and version {report.version}")
    elif report.version < newest_of(name) and _tests_controls(pack):
        answer.lack(f"The report {name} is of version {report.version}, which no release draws that tests controls")
    known = columns_of(name, report.version)
    for columns, said in (
        ([each for each in report.columns if each not in known], "has columns that no release gives it"),
        ([each for each in known if each not in report.columns], "lacks columns that a release gives it"),
    ):
        if columns:
            more = f" and {len(columns) - REASONS} others" if len(columns) > REASONS else ""
            answer.lack(f"The report {name} {said}: {', '.join(map(_short, columns[:REASONS]))}{more}")


def _short(text: str) -> str:
    return repr(text if len(text) <= MOST else f"{text[:MOST]}...")


def _check_system(pack: Contents, answer: Answer) -> None:
    """Whether system, release and environment of the manifest are those that a process said of itself when it began,
    and has not said otherwise since. Every beginning of the range is disclosed."""
    newest: Dict[str, int] = {}
    for index in pack.log.all_of((STARTED,), 0, MAX_INTEGER + 1):
        need(index in pack.disclosed, f"entry {index} ({STARTED}) is not disclosed")
        newest[str(pack.disclosed.body(index).get("node"))] = index
    said = pack.manifest["system"]
    named = f"{said['id']}, release {said['version']}, environment {said['environment']}"
    for index in newest.values():
        body = pack.disclosed.body(index)
        if [said["id"], said["version"], said["environment"]] == [
            body.get(x) for x in ("origin", "release", "environment")
        ]:
            answer.proved.append(f"the system is {named}: entry {index} says so")
            return
    answer.lack(f"The log knows no system {named}")


def _left_out(report: Report) -> str:
    reasons = collections.Counter(report.excluded.values()).most_common()
    told = [f"{count} as {reason!r}" for reason, count in reasons[:REASONS]]
    if len(reasons) > REASONS:
        told.append(f"{sum(count for _, count in reasons[REASONS:])} for {len(reasons) - REASONS} other reasons")
    count = len(report.excluded)
    return f"{count} of {count + report.count} of the report {report.name}: {', '.join(told)}"
