"""Populations of reviews: that they took place, were of everything, and were decided by whoever may, with care."""

from collections import defaultdict
from itertools import pairwise
from statistics import median

from onepam.app.ports import Snapshot
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.review_schedule import Suspends
from onepam.domain.controls.control import Population, Test, judged
from onepam.domain.reviews.closing import takes
from onepam.domain.reviews.events import Stage, Verdict, Withheld
from onepam.domain.reviews.population import SYSTEM, digest, is_beyond, population
from onepam.kernel.clock import DAY, HOUR, MILLISECOND, Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.changes import matrix, people
from onepam.store.facts.holdings import bound_roles
from onepam.store.facts.reduced import reduced_due
from onepam.store.facts.reviews import items_of, not_remediated, scope_of
from onepam.store.facts.systems import held_beyond
from onepam.store.read.review_calendar import calendar

_OPENED = f"SELECT * FROM review WHERE opened >= :begin AND {AT} ORDER BY review"
_ENDED = f"SELECT * FROM review WHERE closed >= :begin AND {AT} ORDER BY review"

_BEFORE_D = "{0}.valid_from < d.decided AND d.decided <= {0}.valid_until"
_DECIDED = f"""
SELECT d.review, d.person, d.role, d.decider, d.answers, v.fallback, n.passed_to AS named, p.manager,
       p.owner AS sponsor, r.owner AS role_owner, y.owner AS system_owner, q.enabled
FROM review_decision d
LEFT JOIN review v ON v.review = d.review AND v.valid_from <= d.decided AND d.decided < v.valid_until
LEFT JOIN review_passed n ON n.review = d.review AND n.person = d.person AND n.role = d.role AND {_BEFORE_D.format("n")}
LEFT JOIN person p ON p.person = d.person AND {_BEFORE_D.format("p")}
LEFT JOIN person q ON q.person = d.decider AND {_BEFORE_D.format("q")}
LEFT JOIN role r ON r.role = d.role AND {_BEFORE_D.format("r")}
LEFT JOIN account_system y ON '{SYSTEM}' || y.system = d.role AND {_BEFORE_D.format("y")}
WHERE d.decided >= :begin AND d.valid_from <= :at ORDER BY d.review, d.person, d.role, d.decided"""
"""Each decision, with what was so just before it; the later ones on an item too."""

_REMOVED = f"""
SELECT d.review, d.person, d.role, d.decided, w.valid_until AS until,
       EXISTS (SELECT 1 FROM role_withheld s WHERE s.person = d.person AND s.role = d.role
               AND s.valid_from <= :at AND :at < s.valid_until) AS still
FROM review_decision d LEFT JOIN role_withheld w
  ON w.person = d.person AND w.role = d.role AND w.valid_from <= d.decided + {MILLISECOND} AND d.decided < w.valid_until
WHERE d.verdict = '{Verdict.REMOVE}' AND d.decided >= :begin AND d.valid_from <= :at AND :at < d.valid_until
ORDER BY d.review, d.person, d.role"""
"""The withholding comes in the command of the decision, a few microseconds after it; or it was there already."""


def held_in_time(db: Snapshot, at: Instant, test: Test) -> Population:
    """REV-01. A review that runs and has time left passes."""
    begin, late = test.begin(at) or Instant(0), test.params["late_hours"] * HOUR
    unsigned = test.params["signed_days"] * DAY
    closes = {each["review"]: each["closes"] for each in rows(db, f"SELECT review, closes FROM review WHERE {AT}",
                                                              {"at": at})}  # fmt: skip
    found = rows(db, f"SELECT review, signed FROM review_signed WHERE {AT}", {"at": at})
    signed = {each["review"]: each["signed"] for each in found}
    made = []
    for each in calendar(db, at):
        if each.begins < begin:
            continue
        finding = ""
        if not each.review or each.opened is None:
            finding = "" if at <= each.begins + late else "missed"
        elif each.opened > each.begins + late:
            finding = "opened late"
        elif (each.closed or at) > closes[each.review] + late:
            finding = "ended late" if each.closed else "not ended in time"
        elif each.closed and signed.get(each.review, at) > each.closed + unsigned:
            finding = "signed off late" if each.review in signed else "not signed off in time"
        made.append(judged("review", each.review, finding) if each.review else judged("period", each.period, finding))
    return Population(tuple(made))


def of_everything(db: Snapshot, at: Instant, test: Test) -> Population:
    """REV-02."""
    made = []
    for each in rows(db, _OPENED, {"begin": test.begin(at) or 0, "at": at}):
        opened: Instant = each["opened"]
        there = matrix(db, opened)
        beyond = held_beyond(db, opened) if _knew_of_systems(db, opened) else {}
        items = population(there, people(db, opened), scope_of(each), opened, beyond)
        same = (len(items), digest(items, there)) == (each["items"], each["digest"])
        made.append(judged("review", each["review"], "" if same else "it was not of what there was"))
    return Population(tuple(made))


def _knew_of_systems(db: Snapshot, opened: Instant) -> bool:
    """Whether the release that opened a review had them reviewed: what is held in other systems was no part of one in
    the first version of its entry."""
    found = row(db, "SELECT version FROM entry WHERE kind = 'review.opened' AND time = :opened", {"opened": opened})
    return found is None or found["version"] > 1


def by_whoever_may(db: Snapshot, at: Instant, test: Test) -> Population:
    """REV-03."""
    made = []
    for each in rows(db, _DECIDED, {"begin": test.begin(at) or 0, "at": at}):
        finding = ""
        if each["decider"] == each["person"]:
            finding = "decided on their own access"
        elif not each["enabled"]:
            finding = "decided by somebody who was not here"
        elif each[each["answers"]] != each["decider"]:
            finding = "decided by somebody who was not what they decided as"
        made.append(judged("item", f"{each['review']}/{each['person']}/{each['role']}", finding))
    return Population(tuple(made))


def carried_out(db: Snapshot, at: Instant, test: Test) -> Population:
    """REV-04."""
    most, made, there = test.params["most_days"] * DAY, [], dict[str, frozenset[tuple[str, str]]]()
    for each in rows(db, _REMOVED, {"begin": test.begin(at) or 0, "at": at}):
        finding = ""
        if is_beyond(each["role"]):
            if each["review"] not in there:
                there[each["review"]] = _there_still(db, at, each["review"])
            old = at - each["decided"] > most
            finding = "it is there still" if old and (each["person"], each["role"]) in there[each["review"]] else ""
        elif each["until"] is None:
            finding = "nothing was withheld"
        elif each["still"] and at - each["decided"] > most:
            finding = "a binding gives it still"
        elif not each["still"] and each["until"] - each["decided"] > most:
            finding = f"it took longer than {test.params['most_days']} days"
        made.append(judged("item", f"{each['review']}/{each['person']}/{each['role']}", finding))
    over = reduced_due(db, at, HOUR)
    made += [judged("item", f"{review}/{who}/{role}", "its day is over, and it is given") for who, role, review in over]
    return Population(tuple(made))


def _there_still(db: Snapshot, at: Instant, review: str) -> frozenset[tuple[str, str]]:
    """By the accounts that were removed, whoever is said to stand behind them by now."""
    found = row(db, f"SELECT * FROM review WHERE review = :review AND {AT}", {"review": review, "at": at})
    return not_remediated(db, found, at) if found is not None else frozenset()


def with_care(db: Snapshot, at: Instant, test: Test) -> Population:
    """REV-05."""
    made = []
    for review in rows(db, _OPENED, {"begin": test.begin(at) or 0, "at": at}):
        decided = rows(
            db,
            f"SELECT decider, verdict, decided FROM review_decision WHERE review = :review AND {AT} ORDER BY decided",
            {"review": review["review"], "at": at},
        )
        by = defaultdict[str, list[Row]](list)
        for each in decided:
            by[each["decider"]].append(each)
        for decider, theirs in sorted(by.items()):
            made.append(judged("reviewer", f"{review['review']}/{decider}", _hasty(theirs, test)))
    return Population(tuple(made))


def _hasty(theirs: list[Row], test: Test) -> str:
    if len(theirs) < test.params["items"]:
        return ""
    kept = sum(each["verdict"] == Verdict.KEEP for each in theirs)
    times = [each["decided"] for each in theirs]
    between = median(after - before for before, after in pairwise(times))
    many = 100 * kept > test.params["kept_percent"] * len(theirs)
    quick = between < test.params["median_milliseconds"] * MILLISECOND
    return f"kept {kept} of {len(theirs)}, {between / 1_000_000:.1f} seconds each" if many and quick else ""


def answered_or_suspended(db: Snapshot, at: Instant, test: Test) -> Population:
    """REV-06."""
    found = rows(db, _ENDED, {"begin": test.begin(at) or 0, "at": at})
    return Population(tuple(judged("review", each["review"], _left_open(db, at, each)) for each in found))


def _left_open(db: Snapshot, at: Instant, review: Row) -> str:
    if not review["unanswered"]:
        return ""
    of = {"review": review["review"], "at": at}
    told = row(db, f"SELECT 1 FROM review_reminded WHERE review = :review AND stage = '{Stage.LAST}' "
                   "AND valid_from <= :at", of)  # fmt: skip
    if told is None:
        return "nobody was told at the last stage"
    answered = {
        (each["person"], each["role"])
        for each in rows(db, "SELECT person, role FROM review_decision WHERE review = :review AND decided < :closed",
                         {"review": review["review"], "closed": review["closed"]})
    }  # fmt: skip
    taken = {
        (each["person"], each["role"])
        for each in rows(db, "SELECT person, role FROM role_withheld WHERE review = :review "
                             f"AND because = '{Withheld.SILENCE}' AND valid_from <= :at", of)
    }  # fmt: skip
    left = [
        each
        for each in items_of(db, review)
        if (each.person, each.role) not in answered | taken and takes(Suspends(review["suspends"]), each)
    ]
    closed: Instant = review["closed"]
    left = [each for each in left if _holds_on(db, each.person, each.role, closed)]
    return f"{len(left)} that nobody answered were not withheld" if left else ""


def _holds_on(db: Snapshot, person: str, role: str, at: Instant) -> bool:
    """Whether somebody holds a role that does not administer: what the last ones administer by is spared."""
    return any(
        each.role == role and ConsoleRight.ADMINISTER not in each.console for each in bound_roles(db, person, at)
    )
