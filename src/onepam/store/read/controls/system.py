"""Populations of the installation itself: its verifications, and the runs of the tests."""

import json
from collections import defaultdict

from onepam.app.ports import Snapshot
from onepam.domain.controls.control import Population, Row, Test, Verdict, judged
from onepam.domain.history.system import LAWFUL
from onepam.kernel.clock import DAY, HOUR, Instant, moment
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT

TAIL, WHOLE = "incremental", "fold"


def verified(db: Snapshot, at: Instant, test: Test) -> Population:
    """LOG-03: one row for each question that a verification asks."""
    found = {
        each["kind"]: (each["valid_from"], json.loads(each["findings"]))
        for each in rows(db, f"SELECT kind, findings, valid_from FROM verification WHERE {AT}", {"at": at})
    }
    newest = max((found[each] for each in (TAIL, WHOLE) if each in found), default=None)
    asked = (
        (TAIL, newest, test.params["tail_hours"] * HOUR),
        (WHOLE, found.get(WHOLE), test.params["whole_days"] * DAY),
        (LAWFUL, found.get(LAWFUL), test.params["whole_days"] * DAY),
    )
    made = []
    for kind, last, most in asked:
        if last is None:
            finding = "it never ran"
        elif last[1]:
            finding = f"{len(last[1])} findings"
        else:
            finding = "it did not run lately" if at - last[0] > most else ""
        made.append(judged("verification", kind, finding))
    return Population(tuple(made))


def tested(db: Snapshot, at: Instant, test: Test) -> Population:
    """EVD-01: each whole day, of each control from its first run on."""
    first = row(db, "SELECT time FROM entry WHERE idx = 0")
    founded = first["time"] if first else at
    firsts = dict[str, Instant]()
    for control, since in rows(db, "SELECT control, min(valid_from) FROM control_run WHERE valid_from <= :at "
                                   "GROUP BY control", {"at": at}):  # fmt: skip
        firsts[control] = since
    said = defaultdict[tuple[str, int], set[str]](set)
    begin = max(test.begin(at) or Instant(0), Instant(0))
    for control, time, verdict in rows(
        db,
        "SELECT control, valid_from, verdict FROM control_run WHERE valid_from >= :begin AND valid_from <= :at",
        {"begin": begin, "at": at},
    ):
        said[control, time // DAY].add(verdict)
    made = []
    for day in range(-(-max(begin, founded) // DAY), at // DAY):
        for control, since in sorted(firsts.items()):
            if since // DAY <= day:
                made.append(_of_day(control, day, said.get((control, day), set())))
    return Population(tuple(made))


def _of_day(control: str, day: int, verdicts: set[str]) -> Row:
    key = f"{control}/{moment(Instant(day * DAY)):%Y-%m-%d}"
    finding = "no run" if not verdicts else "not tested" if verdicts == {Verdict.NOT_TESTED} else ""
    return judged("run", key, finding)
