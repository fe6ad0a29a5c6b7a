"""Leavers: one row for everybody whose access ended in the period, with both stamps per system and every probe since.

The two stamps of a system are the decision (`removed`) and the last end of what was held there: of sessions their last
byte, which comes before the recording is sealed and verified. The span runs from the earliest news. Whoever left again
has a row for each time.
"""

from collections import defaultdict
from dataclasses import dataclass

from onepam.evidence.report import Column, Report, Said
from onepam.evidence.reports.scope import MAX_ROWS, NAMES, Drawn, Scope, TooLarge, names, ordered
from onepam.kernel.clock import DAY, FOREVER, MILLISECOND, Instant, iso

NAME = "leavers"
QUERY = """\
SELECT entry, time, kind, person FROM ev_leavers_v1
WHERE time >= :from AND entry < :end AND (time < :to OR kind <> 'person.disabled')
ORDER BY entry"""
HELD = """\
SELECT l.entry, s.kind, count(*),
  max(CASE WHEN min(s.expires, s.valid_until) > :at THEN :never ELSE min(s.expires, s.valid_until) END),
  max(s.valid_until), 0
FROM ev_leavers_v1 l JOIN ev_signins_v1 s
  ON s.person = l.person AND s.valid_from <= l.time AND s.valid_until > l.time AND s.expires > l.time
WHERE l.kind = 'person.disabled' AND l.time >= :from AND l.time < :to AND l.entry < :end
GROUP BY l.entry, s.kind
UNION ALL
SELECT entry, 'ssh', held, ended, coalesce(closed, :never),
  CASE WHEN status = 'closed' AND last_byte IS NULL THEN 1 ELSE 0 END FROM (
  SELECT l.entry, s.closed, s.status, s.last_byte, coalesce(s.last_byte, s.closed, :never) AS ended,
    count(*) OVER (PARTITION BY l.entry) AS held,
    row_number() OVER (PARTITION BY l.entry ORDER BY coalesce(s.last_byte, s.closed, :never) DESC) AS place
  FROM ev_leavers_v1 l JOIN ev_connections_v1 s ON s.person = l.person AND s.opened <= l.time
    AND (s.closed IS NULL OR s.closed >= l.time) AND s.valid_until = :never
  WHERE l.kind = 'person.disabled' AND l.time >= :from AND l.time < :to AND l.entry < :end
) AS last WHERE place = 1
UNION ALL
SELECT l.entry, 'sealed', count(*), max(coalesce(s.closed, :never)), max(coalesce(s.closed, :never)), 0
FROM ev_leavers_v1 l JOIN ev_connections_v1 s
  ON s.person = l.person AND s.opened <= l.time AND (s.closed IS NULL OR s.closed >= l.time) AND s.valid_until = :never
WHERE l.kind = 'person.disabled' AND l.time >= :from AND l.time < :to AND l.entry < :end
GROUP BY l.entry
ORDER BY 1, 2"""
HEAD, PROBE = "person.disabled", "probe.made"
SYSTEMS = (("ssh", "ssh"), ("console", "console"), ("cli", "command_line"))
"""What the views call it, and the report."""

ALLOWED = DAY


def _said(path: str, *kinds: str) -> list[Said]:
    return [Said(kind, path) for kind in kinds]


COLUMNS = (
    Column("removed", _said("header.time", HEAD)),
    Column("person", _said("body.person", HEAD)),
    Column("name", names([(HEAD, "body.person")])),
    Column("origin", _said("body.origin", HEAD)),
    Column("because", _said("body.because", HEAD)),
    Column("removed_by", _said("body.by", HEAD)),
    Column("left", _said("body.left_at:time", HEAD)),
    Column("notified", _said("body.notified:time", HEAD)),
    *(Column(f"{system}_{word}") for _, system in SYSTEMS for word in ("held", "removed", "ended")),
    Column("last_sign_ins_ended", _said("header.time", "sign_in.closed")),
    Column("last_bytes", _said("body.last_byte:time", "session.closed")),
    Column("recordings_verified"),
    Column("milliseconds"),
    Column("within_24_hours"),
    Column("probed", _said("header.time", PROBE)),
    Column("probe_paths", _said("body.path", PROBE)),
    Column("probe_proofs", _said("body.proof", PROBE)),
    Column("probe_results", _said("body.result", PROBE)),
    Column("probe_codes", _said("body.code", PROBE)),
    Column("probe_nodes", _said("body.node", PROBE)),
    Column("returned", _said("header.time", "person.enabled")),
)


@dataclass(frozen=True, slots=True)
class _Held:
    """How much of one system was held, when the last of it ended (FOREVER: it runs), and when its row was ended.
    `unseen`: a process died, and the last byte went at some time before `ended`."""

    count: int
    ended: Instant
    closed: Instant
    unseen: bool = False


def draw(scope: Scope) -> Drawn:
    """Raises `TooLarge`."""
    parameters = {
        "from": scope.period.begin,
        "to": scope.period.until,
        "end": scope.end,
        "never": FOREVER,
        "at": scope.as_of,
    }
    heads, rests = list[tuple[int, Instant, str]](), list[int]()
    follows: defaultdict[str, list[int]] = defaultdict(list)
    for entry, time, kind, person in scope.history.query(QUERY, parameters):
        if kind == HEAD:
            heads.append((entry, Instant(time), person))
            if len(heads) > MAX_ROWS:
                raise TooLarge(NAME)
        else:
            rests.append(entry)
            follows[person].append(entry)
    held: defaultdict[int, dict[str, _Held]] = defaultdict(dict)
    for entry, system, count, ended, closed, unseen in scope.history.query(HELD, parameters):
        held[entry][system] = _Held(count, Instant(ended), Instant(closed), bool(unseen))
    rows = []
    for head, removed, person in heads:
        mine = held[head]
        ends = [scope.history.entry_at(each.closed) for each in mine.values() if each.closed < FOREVER]
        others = [*scope.named(person, head), *(each for each in ends if each < scope.end)]
        later = [each for each in follows[person] if each > head]
        words = _words(scope, head, removed, mine)
        rows.append(scope.entries.row(COLUMNS, ordered(head, later, others), **words))
    report = Report(
        NAME, "Leavers of the period: both stamps per system, and what the listeners said", 1, COLUMNS, rows
    )
    return Drawn(report, scope.period, f"{QUERY};\n{HELD};\n{NAMES}", parameters, rests=[*rests, *scope.naming])


def _words(scope: Scope, head: int, removed: Instant, held: dict[str, _Held]) -> dict[str, str]:
    words, ends = {}, [removed]
    for kind, system in SYSTEMS:
        mine = held.get(kind, _Held(0, removed, removed))
        words[f"{system}_held"] = str(mine.count)
        words[f"{system}_removed"] = iso(removed)
        ended = max(mine.ended, removed)
        words[f"{system}_ended"] = "unknown, before " * mine.unseen + (iso(ended) if ended < FOREVER else "runs still")
        ends.append(ended)
    sealed = held.get("sealed")
    words["recordings_verified"] = "" if sealed is None or sealed.closed >= FOREVER else iso(sealed.closed)
    body = scope.entries.body(head)
    began = min(each for each in (body.get("left_at"), body.get("notified"), removed) if each is not None)
    over = max(ends) >= FOREVER
    words["milliseconds"] = "" if over else str((max(ends) - began) // MILLISECOND)
    words["within_24_hours"] = "no" if over or max(ends) - began > ALLOWED else "yes"
    return words
