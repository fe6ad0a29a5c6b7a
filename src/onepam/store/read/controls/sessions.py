"""Populations of sessions: under which second factor they were opened, and that they were recorded."""

import json

from onepam.app.ports import Snapshot
from onepam.domain.access.proof import MfaBasis
from onepam.domain.controls.control import Population, Row, Test, Verdict, judged, untested
from onepam.domain.sessions.events import MACHINE
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.store.db import rows
from onepam.store.engine.tables import AT

_EXCEPTIONS = """
SELECT exception, person, ends, proposed_by, accepted_by, accepted, reason, control FROM mfa_exception
WHERE accepted IS NOT NULL AND valid_from <= :at AND valid_until > :begin ORDER BY exception"""


def second_factors(db: Snapshot, at: Instant, test: Test) -> Population:
    """MFA-01. A machine has none to show, and is no row."""
    made = []
    found = rows(
        db,
        f"SELECT session, opened, mfa FROM session WHERE opened >= :begin AND {AT} ORDER BY session",
        {"begin": test.begin(at) or 0, "at": at},
    )
    for each in found:
        proof = json.loads(each["mfa"])
        if proof["factors"] == [MACHINE]:
            continue
        old = each["opened"] - proof["at"] > test.params["age_hours"] * HOUR
        finding = "no factor" if not proof["factors"] else "the factor was too old" if old else ""
        if proof["basis"] == MfaBasis.ACCEPTED:
            made.append(Row("session", each["session"], Verdict.EXCLUDED, "an accepted risk: see MFA-04"))
        else:
            made.append(judged("session", each["session"], finding))
    return Population(tuple(made))


def exceptions(db: Snapshot, at: Instant, test: Test) -> Population:
    """MFA-04."""
    made = []
    for each in rows(db, _EXCEPTIONS, {"begin": test.begin(at) or 0, "at": at}):
        finding = ""
        if each["accepted_by"] in (each["proposed_by"], each["person"]):
            finding = "accepted by who proposed it, or whom it is for"
        elif each["ends"] - each["accepted"] > test.params["longest_days"] * DAY:
            finding = f"longer than {test.params['longest_days']} days"
        if not finding and not (each["reason"] and each["control"]):
            made.append(untested("person", each["person"], "its reason was erased"))
        else:
            made.append(judged("person", each["person"], finding))
    return Population(tuple(made))


def recorded(db: Snapshot, at: Instant, test: Test) -> Population:
    """LOG-01."""
    found = rows(
        db,
        "SELECT session, chunks, verified, gap FROM session "
        f"WHERE status = 'closed' AND closed >= :begin AND {AT} ORDER BY session",
        {"begin": test.begin(at) or 0, "at": at},
    )
    return Population(tuple(judged("session", each["session"], _unrecorded(*list(each)[1:])) for each in found))


def _unrecorded(chunks: int | None, verified: int | None, gap: str | None) -> str:
    if not chunks:
        return "no recording"
    if gap:
        return "a gap"
    return "" if verified else "the recording was not verified"
