"""Populations of grants, roles, bindings and changes: asked for, approved by another, ended in time."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from onepam.app.ports import Snapshot
from onepam.domain.access.model import SubjectKind
from onepam.domain.controls.control import Population, Test, judged, untested
from onepam.domain.controls.control import Row as Judged
from onepam.domain.people.events import PersonKind
from onepam.domain.requests.events import RING
from onepam.kernel.clock import DAY, SECOND, Instant
from onepam.store.db import Row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.holders import IN_FORCE, PRESENT
from onepam.store.facts.reviews import items_of, scope_of

GRANT, BY_RULE = "grant", "grant by a rule"
"""What a row is of: access that somebody approved, or a rule of its role."""

_GRANTED = """
SELECT g.access_grant, g.person, g.starts, g.approved_by, r.request, r.reason, r.decided
FROM access_grant g LEFT JOIN request r
  ON r.request = g.request AND r.valid_from <= g.valid_from AND g.valid_from < r.valid_until
WHERE g.starts >= :begin AND g.valid_from <= :at ORDER BY g.access_grant"""

_ENDED = """
SELECT access_grant, ends, min(valid_until, :at) AS told, valid_until <= :at AS over FROM access_grant
WHERE min(ends, valid_until) >= :begin AND min(ends, valid_until) <= :at AND valid_from <= :at ORDER BY access_grant"""

_LONGEST = f"""
SELECT json_extract(because, '$.grant') AS access_grant, max(coalesce(last_byte, closed, :at)) AS last FROM session
WHERE opened >= :begin AND json_extract(because, '$.grant') IS NOT NULL AND {AT} GROUP BY 1"""

_BOUND = """
SELECT b.binding, b.subject_kind, b.subject, c.change, c.proposer, c.decider
FROM binding b LEFT JOIN change c ON c.change = b.change AND c.valid_from <= :at AND :at < c.valid_until
WHERE b.valid_from = b.starts AND b.starts >= :begin AND b.valid_from <= :at ORDER BY b.binding"""

_GIVEN = """
SELECT access_grant, request, person, approved_by, min(valid_from) AS given FROM access_grant
WHERE valid_from <= :at GROUP BY access_grant, request, person, approved_by ORDER BY access_grant"""

_AGREED = """
SELECT request, person, min(valid_from) AS said FROM request_agreed WHERE valid_from <= :at GROUP BY request, person"""
"""Where it takes several, each of them said yes."""

_DIRECT = f"""
SELECT b.binding, b.ends, p.kind, p.owner FROM binding b LEFT JOIN person p
  ON p.person = b.subject AND p.valid_from <= :at AND :at < p.valid_until
WHERE b.subject_kind = 'person' AND {IN_FORCE} ORDER BY b.binding"""


def asked_for(db: Snapshot, at: Instant, test: Test) -> Population:
    """PRV-01."""
    made = []
    for each in rows(db, _GRANTED, {"begin": test.begin(at) or 0, "at": at}):
        key, finding = each["access_grant"], ""
        if each["request"] is None:
            finding = "nobody asked for it"
        elif each["approved_by"] == each["person"]:
            finding = "approved by whom it is for"
        elif each["decided"] is None or each["decided"] > each["starts"]:
            finding = "it began before it was approved"
        if not finding and not each["reason"]:
            made.append(untested("grant", key, "its reason was erased"))
        else:
            made.append(judged(GRANT if each["approved_by"] else BY_RULE, key, finding))
    return Population(tuple(made))


def ended_in_time(db: Snapshot, at: Instant, test: Test) -> Population:
    """PRV-04."""
    of, late = {"begin": test.begin(at) or 0, "at": at}, test.params["late_seconds"] * SECOND
    longest = {each["access_grant"]: each["last"] for each in rows(db, _LONGEST, of)}
    made = []
    for each in rows(db, _ENDED, of):
        last = longest.get(each["access_grant"], 0)
        finding = ""
        if last > each["ends"] + late:
            finding = f"a session ran more than {test.params['late_seconds']} seconds longer"
        elif each["told"] > each["ends"] + DAY:
            finding = "its end was noted more than a day later" if each["over"] else "its end is not noted"
        made.append(judged("grant", each["access_grant"], finding))
    return Population(tuple(made))


def bound(db: Snapshot, at: Instant, test: Test) -> Population:
    """PRV-02."""
    begin = test.begin(at) or 0
    found = rows(db, _BOUND, {"begin": begin, "at": at})
    bindings = (judged("binding", each["binding"], _own_gift(each)) for each in found)
    return Population((*bindings, *_in_turn(db, at, begin)))


def _in_turn(db: Snapshot, at: Instant, begin: int) -> Iterator[Judged]:
    """Each grant, whether by one of the yeses to it two approved each other's in turn."""
    agreed, given = defaultdict[str, list[tuple[str, int]]](list), rows(db, _GIVEN, {"at": at})
    for request, person, said in rows(db, _AGREED, {"at": at}):
        agreed[request].append((person, said))
    yeses = {each["access_grant"]: [(each["approved_by"], each["given"]), *agreed[each["request"]]] for each in given}
    said_to = defaultdict[tuple[str, str], list[int]](list)
    for each in given:
        for by, said in yeses[each["access_grant"]]:
            said_to[by, each["person"]].append(said)
    for each in given:
        ring = any(
            said - RING < before <= said
            for by, said in yeses[each["access_grant"]]
            for before in said_to.get((each["person"], by), ())
        )
        if each["given"] >= begin:
            kind = GRANT if each["approved_by"] else BY_RULE
            yield judged(kind, each["access_grant"], "its holder had approved the approver's within 90 days" * ring)


def _own_gift(each: Row) -> str:
    if each["change"] is None:
        return "it came with no change of access.yaml"
    direct = each["subject_kind"] == SubjectKind.PERSON
    hands = {each["proposer"], each["decider"]} - {None}
    return "nobody else had a hand in it" if direct and hands == {each["subject"]} else ""


def owned_roles(db: Snapshot, at: Instant, test: Test) -> Population:
    """RBC-02."""
    since = at - test.params["reviewed_days"] * DAY
    reviewed = set[str]()
    for each in rows(db, f"SELECT * FROM review WHERE closed >= :since AND {AT}", {"since": since, "at": at}):
        if not scope_of(each).people:  # one of some people says nothing of the others who hold it
            reviewed.update(item.role for item in items_of(db, each))
    here = {each["person"] for each in rows(db, f"SELECT p.person FROM person p WHERE {PRESENT}", {"at": at})}
    firsts: Mapping[str, Instant] = {
        each["role"]: each["first"]
        for each in rows(db, "SELECT role, min(valid_from) AS first FROM role WHERE valid_from <= :at GROUP BY role",
                         {"at": at})
    }  # fmt: skip
    made = []
    for each in rows(db, f"SELECT role, owner, purpose FROM role WHERE {AT} ORDER BY role", {"at": at}):
        role, finding = each["role"], []
        if each["owner"] not in here:
            finding.append("its owner is not here")
        if not each["purpose"].strip():
            finding.append("no purpose")
        if role not in reviewed and firsts[role] < since:
            finding.append("in no review of the last 12 months")
        made.append(judged("role", role, "; ".join(finding)))
    return Population(tuple(made))


def direct_bindings(db: Snapshot, at: Instant, test: Test) -> Population:
    """RBC-03. Its population is every binding in force; those of groups pass."""
    made = [
        judged("binding", each["binding"], "")
        for each in rows(db, f"SELECT b.binding FROM binding b WHERE b.subject_kind = 'group' AND {IN_FORCE}",
                         {"at": at})
    ]  # fmt: skip
    for each in rows(db, _DIRECT, {"at": at}):
        ends = each["kind"] == PersonKind.VENDOR and each["ends"] is not None
        owned = each["kind"] == PersonKind.SERVICE and each["owner"] is not None
        made.append(judged("binding", each["binding"], "" if ends or owned else "it names a person"))
    return Population(tuple(made))


def changed_by_two(db: Snapshot, at: Instant, test: Test) -> Population:
    """CHG-01."""
    found = rows(
        db,
        "SELECT change, widens, proposer, decider FROM change "
        f"WHERE status = 'applied' AND valid_from >= :begin AND {AT} ORDER BY change",
        {"begin": test.begin(at) or 0, "at": at},
    )
    return Population(tuple(judged("change", each["change"], _alone(each)) for each in found))


def _alone(each: Row) -> str:
    """What makes a change one person's; the first one had no proposer, for nobody had signed in yet."""
    if not each["widens"] or each["proposer"] is None:
        return ""
    if each["decider"] is None:
        return "it gives somebody more, and nobody approved it"
    return "approved by who proposed it" if each["decider"] == each["proposer"] else ""
