"""Populations of accounts and leavers: who is behind each, and that whoever left is out."""

from collections.abc import Callable, Iterator

from onepam.app.ports import Snapshot
from onepam.domain.controls.accounts import Standing, of_account, of_vendor
from onepam.domain.controls.control import Population, Row, Test, judged, untested
from onepam.domain.leaving.probing import ProbeResult
from onepam.domain.people.events import ADMINISTRATOR, PersonKind
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.read.leavers import leavers
from onepam.store.read.probes import only_by, probed_after

Rule = Callable[[Standing, Instant], list[str]]

_LISTED = f"""
SELECT person, count(*) AS entries, min(contract_ends) AS contract_ends FROM staff_entry
WHERE person IS NOT NULL AND removed IS NULL AND (ends IS NULL OR ends > :at) AND {AT} GROUP BY person"""

_LEFT = """
SELECT person, removed, valid_until FROM leaver
WHERE removed >= :begin AND removed <= :at AND valid_from <= :at ORDER BY person, removed"""

_CAME_BACK = """
SELECT 1 FROM sign_in WHERE person = :person AND opened > :removed AND opened < :until AND valid_from <= :at
UNION ALL
SELECT 1 FROM session WHERE person = :person AND opened > :removed AND opened < :until AND valid_from <= :at LIMIT 1"""

_PROBED = """
SELECT result FROM probe p WHERE person = :person AND made > :removed AND made < :until AND made <= :at
AND NOT EXISTS (SELECT 1 FROM probe q WHERE q.person = p.person AND q.path = p.path AND q.proof = p.proof
  AND q.reference = p.reference AND q.made > p.made AND q.made < :until AND q.made <= :at)"""


_WITHHELD = """
SELECT w.person, w.role, w.withheld FROM role_withheld w JOIN person p ON p.person = w.person AND p.enabled = 1
    AND p.valid_from <= :at AND :at < p.valid_until
WHERE w.withheld >= :begin AND w.valid_from <= :at AND :at < w.valid_until ORDER BY w.person, w.role"""


def accounts(db: Snapshot, at: Instant, test: Test) -> Population:
    """IDN-01."""
    return Population(tuple(_against_roster(db, at, test, of_account, frozenset(PersonKind))))


def vendors(db: Snapshot, at: Instant, test: Test) -> Population:
    """VND-01."""
    return Population(tuple(_against_roster(db, at, test, of_vendor, frozenset({PersonKind.VENDOR}))))


def _against_roster(db: Snapshot, at: Instant, test: Test, rule: Rule, kinds: frozenset[PersonKind]) -> Iterator[Row]:
    listed = {each["person"]: each for each in rows(db, _LISTED, {"at": at})}
    enabled = rows(db, f"SELECT person, kind, owner, ends FROM person WHERE enabled = 1 AND {AT}", {"at": at})
    borne = {each["person"] for each in enabled if each["person"] in listed and listed[each["person"]]["entries"] == 1}
    stale = _stale(db, at, test.params["roster_hours"])
    for each in enabled:
        if PersonKind(each["kind"]) in kinds:
            person, entry = each["person"], listed.get(each["person"])
            standing = Standing(
                kind=PersonKind(each["kind"]),
                listed=entry["entries"] if entry else 0,
                contract_ends=entry["contract_ends"] if entry else None,
                ends=each["ends"],
                owner=each["owner"],
                owner_listed=each["owner"] in borne,
            )
            finding = "; ".join(rule(standing, at))
            yield untested("person", person, stale) if stale else judged("person", person, finding)


def _stale(db: Snapshot, at: Instant, hours: int) -> str:
    """Why the roster that is in force says nothing of now."""
    found = row(
        db,
        f"SELECT received FROM staff_version WHERE standing = 'taken' AND {AT} ORDER BY decided DESC LIMIT 1",
        {"at": at},
    )
    if found is None:
        return "no roster"
    return "" if at - found["received"] <= hours * HOUR else f"the roster is older than {hours} hours"


def added(db: Snapshot, at: Instant, test: Test) -> Population:
    """PRV-03."""
    found = rows(
        db,
        "SELECT person, origin, because FROM person WHERE valid_from = added AND added >= :begin AND valid_from <= :at",
        {"begin": test.begin(at) or 0, "at": at},
    )
    return Population(
        tuple(
            judged(
                "person",
                each["person"],
                "added by hand, without a reason" if each["origin"] == ADMINISTRATOR and not each["because"] else "",
            )
            for each in found
        )
    )


def ended(db: Snapshot, at: Instant, test: Test) -> Population:
    """OFF-01."""
    found = leavers(db, at, test.begin(at) or Instant(0), Instant(at + 1), None)
    most = test.params["most_hours"] * HOUR
    made = []
    for each in found.people:
        late = each.took(at) > most
        why = "something runs still" if each.ended is None else f"longer than {test.params['most_hours']} hours"
        made.append(judged("person", each.person, why if late else ""))
    return Population(tuple(made), _nobody_left(db, at))


def _nobody_left(db: Snapshot, at: Instant) -> str:
    """Why it is known that there are rightly no leavers: a roster of the last day names none."""
    return "" if _stale(db, at, DAY // HOUR) else "the roster of the last 24 hours names nobody who left"


def stayed_out(db: Snapshot, at: Instant, test: Test) -> Population:
    """OFF-02."""
    made = []
    for each in rows(db, _LEFT, {"begin": test.begin(at) or 0, "at": at}):
        of = {"person": each["person"], "removed": each["removed"], "until": each["valid_until"], "at": at}
        came = row(db, _CAME_BACK, of) is not None
        made.append(judged("person", each["person"], "let in after leaving" if came else ""))
    return Population(tuple(made), _nobody_left(db, at))


def refused_when_asked(db: Snapshot, at: Instant, test: Test) -> Population:
    """OFF-06."""
    made = []
    for each in rows(db, _LEFT, {"begin": test.begin(at) or 0, "at": at}):
        of = {"person": each["person"], "removed": each["removed"], "until": each["valid_until"], "at": at}
        said = {found["result"] for found in rows(db, _PROBED, of)}
        if ProbeResult.WOULD_OPEN in said:
            made.append(judged("person", each["person"], "a listener would open"))
        elif not said or ProbeResult.UNANSWERED in said:
            why = "a listener did not answer" if said else "no listener was asked"
            made.append(untested("person", each["person"], why))
        else:
            made.append(judged("person", each["person"], ""))
    made += _removed(db, at, test.begin(at) or Instant(0))
    return Population(tuple(made), _nobody_left(db, at))


def _removed(db: Snapshot, at: Instant, begin: Instant) -> Iterator[Row]:
    """Of OFF-06 what reviews took, where a listener can be asked for it: what its last answer rests on."""
    for each in rows(db, _WITHHELD, {"begin": begin, "at": at}):
        person, role = each["person"], each["role"]
        resource, login = only_by(db, at, person, role)
        if not resource:
            continue
        said, key = probed_after(db, at, person, resource, login, each["withheld"]), f"{person}/{role}"
        if said is None or said.result is ProbeResult.UNANSWERED:
            yield untested("right", key, "no listener was asked" if said is None else "a listener did not answer")
        elif said.result is ProbeResult.WOULD_OPEN:
            yield judged("right", key, "a listener would open")
        else:
            yield judged("right", key, "")
