"""Requests: one row for each request made in the period, with every decision about it and its grant to the end."""

from onepam.evidence.report import Column, Report, Said
from onepam.evidence.reports.scope import MAX_ROWS, NAMES, Drawn, Scope, TooLarge, names, ordered

NAME = "requests"
QUERY = """\
SELECT entry, kind, request, person, decided_by, stands_for FROM ev_requests_v3
WHERE time >= :from AND entry < :end AND (time < :to OR kind <> 'request.made')
ORDER BY entry"""

HEAD = "request.made"
AGREED, STOOD_IN = "request.agreed", "delegation.used"
ESCALATED, BY_RULE, FIRST_USED = "request.escalated", "request.preapproved", "grant.first_used"
DECIDED = ("request.approved", "request.approval_undone", "request.denied", "request.withdrawn")
ENDED = ("grant.ended", "grant.expired")


def _said(path: str, *kinds: str) -> list[Said]:
    return [Said(kind, path) for kind in kinds]


COLUMNS = (
    Column("time", _said("header.time", HEAD)),
    Column("request", _said("body.request", HEAD)),
    Column("person", _said("body.substance.person", HEAD)),
    Column("name", names([(HEAD, "body.substance.person")])),
    Column("resource", _said("body.substance.resource", HEAD)),
    Column("login", _said("body.substance.login", HEAD)),
    Column("role", _said("body.substance.role", HEAD)),
    Column("role_version", _said("body.substance.role_version", HEAD)),
    Column("permission", _said("body.substance.permission", HEAD)),
    Column("actions", _said("body.substance.actions", HEAD)),
    Column("schedule", _said("body.substance.schedule", HEAD)),
    Column("duration_microseconds", _said("body.substance.duration", HEAD)),
    Column("digest", _said("body.digest", HEAD)),
    Column("expires", _said("body.expires:time", HEAD)),
    Column("reason", _said("payload.reason", HEAD)),
    Column("ticket", _said("payload.ticket", HEAD)),
    Column("agreed", _said("header.time", AGREED)),
    Column("agreed_by", _said("body.by", AGREED)),
    Column("agreed_by_name", names([(AGREED, "body.by")])),
    Column("agreed_under", _said("body.under", AGREED)),
    Column("agreed_comment", _said("payload.comment", AGREED)),
    Column("stood_in", _said("header.time", STOOD_IN)),
    Column("stood_in_by", _said("body.by", STOOD_IN)),
    Column("stood_in_for", _said("body.person", STOOD_IN)),
    Column("stood_in_for_name", names([(STOOD_IN, "body.person")])),
    Column("stood_in_under", _said("body.under", STOOD_IN)),
    Column("escalated", _said("header.time", ESCALATED)),
    Column("escalated_to", _said("body.to", ESCALATED)),
    Column("rule_of", _said("body.role", BY_RULE)),
    Column("rule_version", _said("body.role_version", BY_RULE)),
    Column("rule_use", _said("body.nth", BY_RULE)),
    Column("decision", _said("header.kind", BY_RULE, *DECIDED)),
    Column("decided", _said("header.time", BY_RULE, *DECIDED)),
    Column("decided_by", _said("body.by", *DECIDED)),
    Column("decided_by_name", names((kind, "body.by") for kind in DECIDED)),
    Column("decided_under", _said("body.under", "request.approved", "request.denied")),
    Column("comment", _said("payload.comment", "request.approved", "request.denied")),
    Column("withdrawn_because", _said("body.because", "request.withdrawn")),
    Column("refused_decisions", _said("body.code", "request.approval_refused")),
    Column("refused_decisions_by", _said("body.by", "request.approval_refused")),
    Column("grant", _said("body.grant", "grant.started")),
    Column("granted", _said("body.starts:time", "grant.started")),
    Column("granted_until", _said("body.ends:time", "grant.started")),
    Column("first_used", _said("header.time", FIRST_USED)),
    Column("lasts_until", _said("body.ends:time", FIRST_USED)),
    Column("binding", _said("body.binding", "grant.started")),
    Column("ended", _said("header.time", *ENDED)),
    Column("ended_as", _said("header.kind", *ENDED)),
    Column("ended_because", _said("body.because", "grant.ended")),
    Column("ended_by", _said("body.by", "grant.ended")),
    Column("ended_reason", _said("payload.reason", "grant.ended")),
)


def draw(scope: Scope) -> Drawn:
    """Raises `TooLarge`."""
    parameters = {"from": scope.period.begin, "to": scope.period.until, "end": scope.end}
    heads: list[tuple[int, str, str]] = []
    follows: dict[str, list[int]] = {}
    deciders: dict[str, list[tuple[str, int]]] = {}
    rests = []
    for entry, kind, request, person, by, stands_for in scope.history.query(QUERY, parameters):
        if kind != HEAD:
            rests.append(entry)
            follows.setdefault(request, []).append(entry)
            if kind in (AGREED, *DECIDED) and by is not None:
                deciders.setdefault(request, []).append((by, entry))
            elif kind == STOOD_IN:
                deciders.setdefault(request, []).append((stands_for, entry))
        else:
            heads.append((entry, request, person))
            if len(heads) > MAX_ROWS:
                raise TooLarge(NAME)
    rows = []
    for head, request, person in heads:
        known = [
            scope.named(person, head),
            *(scope.named(by, at) for by, at in _once(deciders.get(request, []), person)),
        ]
        others = [entry for entries in known for entry in entries]
        rows.append(scope.entries.row(COLUMNS, ordered(head, follows.get(request, ()), others)))
    report = Report(NAME, "Requests of the period, decided and granted, to the grant's end", 3, COLUMNS, rows)
    return Drawn(report, scope.period, f"{QUERY};\n{NAMES}", parameters, rests=[*rests, *scope.naming])


def _once(deciders: list[tuple[str, int]], requester: str) -> list[tuple[str, int]]:
    """Each person once, as of their first decision; one who withdraws their own request is named already."""
    return [each for each in dict(reversed(deciders)).items() if each[0] != requester]
