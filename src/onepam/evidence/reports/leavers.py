"""Leavers: one row for everybody whose access ended in the period, with both stamps per system and every probe since.

The two stamps of a system are the decision (`removed`) and the last end of what was held there: of sessions their last
byte, which comes before the recording is sealed and verified. The span runs from the earliest news. Whoever left again
has a row for each time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
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
SELECT l.entry, s.kind, s.expires,
  (SELECT min(e.valid_until) FROM ev_signins_v1 e WHERE e.session = s.session AND e.valid_until >= s.valid_until
   AND NOT EXISTS (SELECT 1 FROM ev_signins_v1 n WHERE n.session = e.session AND n.valid_from = e.valid_until)),
  NULL, 0
FROM ev_leavers_v1 l JOIN ev_signins_v1 s
  ON s.person = l.person AND s.valid_from <= l.time AND s.valid_until > l.time AND s.expires > l.time
WHERE l.kind = 'person.disabled' AND l.time >= :from AND l.time < :to AND l.entry < :end
UNION ALL
SELECT l.entry, 'ssh', :never, coalesce(s.closed, :never), CASE WHEN s.status = 'closed' THEN s.last_byte END,
  CASE WHEN s.status = 'closed' AND s.last_byte IS NULL THEN 1 ELSE 0 END
FROM ev_leavers_v1 l JOIN ev_connections_v1 s ON s.person = l.person AND s.opened <= l.time
  AND (s.closed IS NULL OR s.closed >= l.time) AND s.valid_from <= :last AND s.valid_until > :last
WHERE l.kind = 'person.disabled' AND l.time >= :from AND l.time < :to AND l.entry < :end
ORDER BY 1, 2, 4"""
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
    """A sign-in or session that somebody held: when it ended (FOREVER: it runs still at the pack's newest entry), and
    when its row was. `unseen`: a process died, and the last byte went at some time before `ended`."""

    ended: Instant
    closed: Instant
    unseen: bool


def draw(scope: Scope) -> Drawn:
    """Raises `TooLarge`."""
    (newest,) = scope.history.entries((scope.end - 1,))
    last = newest.header.time
    parameters = {
        "from": scope.period.begin,
        "to": scope.period.until,
        "end": scope.end,
        "never": FOREVER,
        "last": last,
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
    held: defaultdict[int, defaultdict[str, list[_Held]]] = defaultdict(lambda: defaultdict(list))
    for entry, system, expires, closed, last_byte, unseen in scope.history.query(HELD, parameters):
        gone = closed if closed <= last else FOREVER
        ended = min(gone, expires) if last_byte is None else last_byte
        known = last_byte is not None or ended <= last
        held[entry][system].append(_Held(Instant(ended if known else FOREVER), Instant(gone), bool(unseen)))
    rows = []
    for head, removed, person in heads:
        mine = held[head]
        others = [*scope.named(person, head), *_ends(scope, mine)]
        later = [each for each in follows[person] if each > head]
        words = _words(scope, head, removed, mine)
        rows.append(scope.entries.row(COLUMNS, ordered(head, later, others), **words))
    report = Report(
        NAME, "Leavers of the period: both stamps per system, and what the listeners said", 1, COLUMNS, rows
    )
    return Drawn(report, scope.period, f"{QUERY};\n{HELD};\n{NAMES}", parameters, rests=[*rests, *scope.naming])


def _ends(scope: Scope, held: Mapping[str, Sequence[_Held]]) -> Iterator[int]:
    """The entries that ended it: of each system the last one, and that of the session whose bytes ended last."""
    for system, _ in SYSTEMS:
        closed = [(each.ended, each.closed) for each in held.get(system, ()) if each.closed < FOREVER]
        if closed:
            yield scope.history.entry_at(max(at for _, at in closed))
            if system == "ssh":
                yield scope.history.entry_at(max(closed)[1])


def _words(scope: Scope, head: int, removed: Instant, held: Mapping[str, Sequence[_Held]]) -> dict[str, str]:
    words, ends = {}, [removed]
    for kind, system in SYSTEMS:
        mine = held.get(kind, ())
        ended = max([removed, *(each.ended for each in mine)])
        unseen = any(each.unseen and each.ended == ended for each in mine)
        words[f"{system}_held"] = str(len(mine))
        words[f"{system}_removed"] = iso(removed)
        words[f"{system}_ended"] = "unknown, before " * unseen + (iso(ended) if ended < FOREVER else "runs still")
        ends.append(ended)
    sealed = max((each.closed for each in held.get("ssh", ())), default=FOREVER)
    words["recordings_verified"] = iso(sealed) if sealed < FOREVER else ""
    body = scope.entries.body(head)
    began = min(each for each in (body.get("left_at"), body.get("notified"), removed) if each is not None)
    over = max(ends) >= FOREVER
    words["milliseconds"] = "" if over else str((max(ends) - began) // MILLISECOND)
    words["within_24_hours"] = "no" if over or max(ends) - began > ALLOWED else "yes"
    return words
