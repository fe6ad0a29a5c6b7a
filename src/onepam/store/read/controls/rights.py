"""Populations of what people may do against what they are to: the matrix in force, least privilege, duties apart."""

from collections import defaultdict

from onepam.app.ports import Snapshot
from onepam.domain.access.model import Mode
from onepam.domain.controls.control import Population, Test, Verdict, judged, untested
from onepam.domain.controls.control import Row as Judged
from onepam.domain.matrix.difference import GIVES_MORE, Differs
from onepam.kernel.clock import Instant, utc
from onepam.store.db import Row, rows
from onepam.store.facts.changes import matrix
from onepam.store.facts.holders import PRESENT
from onepam.store.read.difference import FoundRow, administering_people, differences
from onepam.store.read.unused import Use


def as_designed(db: Snapshot, at: Instant, test: Test) -> Population:
    """RBC-01. What people can do is what definitions, bindings, members and grants say: each role and resource, and
    whoever is here."""
    found, now = differences(db, at), matrix(db, at)
    if not found.designed:
        there = [("role", name) for name in sorted(now.roles)] + [("resource", name) for name in sorted(now.resources)]
        return Population(tuple(untested(kind, key, "the text in force cannot be read") for kind, key in there))
    more: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for each in found.rows:
        if each.differs in GIVES_MORE - {Differs.APART}:
            more[_of(each)].append(f"{each.words} {each.detail}".strip())
    keys = {("role", name) for name in now.roles} | {("resource", name) for name in now.resources} | set(more)
    keys |= {("person", each["person"]) for each in _here(db, at)}
    return Population(tuple(judged(*key, "; ".join(more.get(key, ()))) for key in sorted(keys)))


def _of(found: FoundRow) -> tuple[str, str]:
    """The row that a difference counts to."""
    if found.person:
        return "person", found.person
    return ("role", found.role) if found.role else ("resource", found.resource or found.detail)


def few_administer(db: Snapshot, at: Instant, test: Test) -> Population:
    """LPV-01."""
    here = [each["person"] for each in _here(db, at) if each["kind"] != "service"]
    administer = administering_people(db, at)
    many = len(administer) > max(test.params["always"], len(here) * test.params["most_percent"] // 100)
    finding = f"one of {len(administer)} who administer, of {len(here)} people" if many else ""
    return Population(tuple(judged("person", each, finding if each in administer else "") for each in here))


def used_or_disposed(db: Snapshot, at: Instant, test: Test) -> Population:
    """LPV-02."""
    return Population(
        tuple(
            judged("right", f"{each.person}/{each.role}", "unused for 120 days" if each.is_late(at) else "")
            for each in Use(db, at).held()
        )
    )


def kept_apart(db: Snapshot, at: Instant, test: Test) -> Population:
    """LPV-03. Each who is here and holds a role of a separation."""
    now, here, made = matrix(db, at), {each["person"] for each in _here(db, at)}, list[Judged]()
    for name, each in sorted(now.separations.items()):
        for person, held in sorted(now.holding(frozenset(each.roles), at).items()):
            key = f"{person}/{name}"
            if person in here and len(held) > 1 and each.excuses(person, at):
                until = max(one.ends for one in each.excused if one.person == person)
                made.append(Judged("right", key, Verdict.EXCLUDED, f"excused until {utc(until)}"))
            elif person in here:
                together = each.together(person, held, at)
                made.append(judged("right", key, f"holds {' and '.join(together)}" if together else ""))
    return Population(tuple(made))


def none_standing(db: Snapshot, at: Instant, test: Test) -> Population:
    """LPV-04. Each permission that is privileged on something that is there, of a role that somebody holds."""
    now, here = matrix(db, at), {each["person"] for each in _here(db, at)}
    held = now.holding(frozenset(now.roles), at)
    roles = {role for person, some in held.items() if person in here for role in some}
    made = []
    for name in sorted(roles):
        for each in now.roles[name].permissions:
            if any(each.covers(one.labels) and each.privileged(one.labels) for one in now.resources.values()):
                finding = "privileged, and standing" if each.mode is Mode.STANDING else ""
                made.append(judged("role", f"{name}/{each.name}", finding))
    return Population(tuple(made))


def _here(db: Snapshot, at: Instant) -> list[Row]:
    return rows(db, f"SELECT p.person, p.kind FROM person p WHERE {PRESENT} ORDER BY p.person", {"at": at})
