"""Inspections (control MON-03): one row for each session that was opened in the period: whether it was drawn to be
inspected, why, until when, and what somebody said who looked at it. So the whole population is told, and anybody draws
the same ones again."""

from collections.abc import Mapping, Sequence
from typing import Any

from onepam.domain.people.events import PersonKind
from onepam.domain.sessions.inspecting import WITHIN, Ended, Risk, is_drawn, risks
from onepam.evidence.report import Column
from onepam.evidence.reports.linked import Linked, parameters, said
from onepam.evidence.reports.scope import Drawn, Scope, names
from onepam.kernel.clock import Instant, iso

NAME = "inspections"
HEAD, CLOSED, KILLED = "session.opened", "session.closed", "session.kill_ordered"
BAD, GOOD, SEEN = "recording.found_bad", "recording.found_good", "recording.inspected"

QUERY = """\
SELECT entry, kind, session, kind <> 'session.opened' FROM ev_inspections_v1
WHERE time >= :from AND entry < :end ORDER BY entry"""

COLUMNS = (
    Column("opened", said("header.time", HEAD)),
    Column("session", said("body.session", HEAD)),
    Column("person", said("body.person", HEAD)),
    Column("name", names([(HEAD, "body.person")])),
    Column("resource", said("body.resource", HEAD)),
    Column("login", said("body.login", HEAD)),
    Column("privileged", said("body.privileged", HEAD)),
    Column("request", said("body.because.request", HEAD)),
    Column("ended", said("header.time", CLOSED)),
    Column("recording_head", said("body.head", CLOSED)),
    Column("gap", said("body.gap", CLOSED)),
    Column("killed_by", said("body.by", KILLED)),
    Column("found_bad", said("header.time", BAD)),
    Column("found_good", said("header.time", GOOD)),
    Column("drawn"),
    Column("drawn_because"),
    Column("due"),
    Column("inspected", said("header.time", SEEN)),
    Column("inspected_by", said("body.by", SEEN)),
    Column("inspected_by_name", names([(SEEN, "body.by")])),
    Column("verdict", said("body.verdict", SEEN)),
    Column("note", said("payload.note", SEEN)),
)


def draws(scope: Scope, entries: Sequence[int]) -> Mapping[str, str]:
    """Whether it was drawn, why and until when, as its closing says, or a recording's being found bad after it. Empty
    while it goes on, and where the range does not say what kind of person it was."""
    found = scope.entries
    last = {found.kind(each): each for each in entries}
    if CLOSED not in last:
        return _cells(None, (), None)
    if BAD in last:
        return _cells(True, (Risk.BAD_RECORDING,), Instant(found.time(last[BAD]) + WITHIN))
    opened, closed = found.body(entries[0]), found.body(last[CLOSED])
    kind = _kind(scope, opened["person"], last[CLOSED])
    if kind is None:
        return _cells(None, (), None)
    killed = found.body(last[KILLED])["by"] if KILLED in last and last[KILLED] < last[CLOSED] else None
    why = risks(
        Ended(
            opened=found.time(entries[0]),
            privileged=opened["privileged"],
            approved=bool(opened["because"].get("request")),
            vendor=kind == PersonKind.VENDOR,
            killed=killed not in (None, opened["person"]),
            gap=closed["gap"] is not None,
        )
    )
    drawn = is_drawn(opened["session"], closed["head"], why)
    return _cells(drawn, why if drawn else (), Instant(found.time(last[CLOSED]) + WITHIN) if drawn else None)


def _cells(drawn: bool | None, why: tuple[Risk, ...], due: Instant | None) -> Mapping[str, str]:
    return {
        "drawn": "" if drawn is None else "yes" if drawn else "no",
        "drawn_because": ", ".join(why),
        "due": "" if due is None else iso(due),
    }


def _kind(scope: Scope, person: str, by: int) -> Any:
    """What kind of person it was as the session was closed, as the entries of the range say; None where none does."""
    said = (scope.entries.body(each).get("kind") for each in scope.naming_of(person) if each <= by)
    return next((each for each in reversed([*said]) if each is not None), None)


LINKED = Linked(
    NAME,
    "Sessions of the period: which were drawn to be inspected, and what somebody said who looked",
    QUERY,
    (HEAD,),
    {HEAD: ("person",), SEEN: ("by",)},
    COLUMNS,
    draws,
)


def draw(scope: Scope) -> Drawn:
    """Raises `TooLarge`."""
    return LINKED.draw(scope, scope.history.query(QUERY, parameters(scope)))
