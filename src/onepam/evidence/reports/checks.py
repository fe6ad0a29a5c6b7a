"""What the checks of recordings say of the sessions of a report, in the words of `domain.recordings.Condition`."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from onepam.domain.sessions.recordings import Condition
from onepam.evidence.reports.entries import Entries
from onepam.evidence.reports.scope import Scope
from onepam.kernel.clock import iso

QUERY = """\
SELECT entry, begin, until FROM ev_checks_v1 WHERE time >= :from AND entry < :end ORDER BY entry DESC"""

FINDINGS = """\
SELECT entry FROM ev_sessions_v1 WHERE kind IN ('recording.found_bad', 'recording.found_good')
  AND entry >= :first AND entry < :end"""

CHECKED = "recordings.checked"
FOUND = ("recording.found_bad", "recording.found_good")

NOT_CHECKED = "not checked"
PARTIAL = "partial by policy"


def newest_checks(scope: Scope, closings: Iterable[int]) -> tuple[Mapping[int, int], Sequence[int]]:
    """The newest check, by its entry, of each of these closing entries that was checked at all; and all checks after
    the first of them, which rule out that a newer one is hidden."""
    left, found, checks = sorted(closings), dict[int, int](), list[int]()
    first = left[0] if left else scope.end
    for entry, begin, until in scope.history.query(QUERY, {"from": scope.period.begin, "end": scope.end}):
        if entry > first:
            checks.append(entry)
        low, high = bisect_left(left, begin), bisect_left(left, min(until, entry))
        found.update((closing, entry) for closing in left[low:high])
        del left[low:high]
    return found, checks


def words(entries: Entries, follows: Sequence[int], check: int | None) -> Mapping[str, str]:
    """The cells of a session by column: its recording's condition, the instant that this is of, and whether it is
    partial by policy. Empty while no entry closes it. `follows` are the entries of the session after its head."""
    closed = [each for each in follows if entries.kind(each) == "session.closed"]
    found = [each for each in follows if entries.kind(each) in FOUND]
    if not closed:
        return {"recording_condition": "", "recording_checked": "", "recording_partial": ""}
    closing = entries.body(closed[-1])
    told = [*found[-1:], *([] if check is None else [check])]
    if found:
        condition = entries.body(found[-1])["condition"]
    else:
        condition = NOT_CHECKED if check is None else _as_closed(closing)
    return {
        "recording_condition": condition,
        "recording_checked": iso(max(map(entries.time, told))) if told else "",
        "recording_partial": PARTIAL if closing["counts"].get("omitted_bytes", 0) else "",
    }


def _as_closed(closing: Mapping[str, object]) -> str:
    """What a check finds that finds nothing wrong."""
    if not closing["chunks"]:
        return Condition.NONE.value
    whole = closing["gap"] is None and closing["verified"]
    return Condition.WHOLE.value if whole else Condition.GAP.value
