"""Sessions: one row for each knock at the door in the period, opened or refused, with its end and its proof."""

from collections.abc import Mapping

from onepam.domain.sessions.events import MACHINE
from onepam.evidence.report import Column, Report, Row, Said
from onepam.evidence.reports import checks
from onepam.evidence.reports.scope import CHAINS, MAX_ROWS, NAMES, Drawn, Scope, TooLarge, names, ordered
from onepam.kernel.clock import SECOND

NAME = "sessions"
QUERY = """\
SELECT entry, kind, session, person, request, approved_by FROM ev_sessions_v1
WHERE time >= :from AND entry < :end AND (time < :to OR kind NOT IN ('session.opened', 'session.refused'))
ORDER BY entry"""

HEADS = ("session.opened", "session.refused")


def _said(path: str, *kinds: str) -> list[Said]:
    return [Said(kind, path) for kind in kinds]


_opened, _closed = HEADS[:1], ("session.closed",)

COLUMNS = (
    Column("time", _said("header.time", *HEADS)),
    Column("outcome", _said("header.kind", *HEADS)),
    Column("session", _said("body.session", *HEADS)),
    Column("person", _said("body.person", *HEADS)),
    Column("name", names((kind, "body.person") for kind in HEADS)),
    Column("resource", _said("body.resource", *HEADS)),
    Column("login", [Said("session.opened", "body.login"), Said("session.refused", "payload.login")]),
    Column("asked", _said("payload.asked", "session.refused")),
    Column("entry", _said("body.entry", *HEADS)),
    Column("source", _said("payload.source", *HEADS)),
    Column("client", _said("payload.client", *_opened)),
    Column("actions", _said("body.actions", *_opened)),
    Column("privileged", _said("body.privileged", *_opened)),
    Column("factors", _said("body.mfa.factors", *_opened)),
    Column("factors_shown", _said("body.mfa.at:time", *_opened)),
    Column("factors_age_seconds"),
    Column("factors_basis", _said("body.mfa.basis", *_opened)),
    Column("factors_provider", _said("body.mfa.provider", *_opened)),
    Column("phishing_resistant", _said("body.mfa.phishing_resistant", *_opened)),
    Column("sign_in", _said("body.mfa.session", *_opened)),
    Column("role", _said("body.because.role", *_opened)),
    Column("role_version", _said("body.because.role_version", *_opened)),
    Column("permission", _said("body.because.permission", *_opened)),
    Column("binding", _said("body.because.binding", *_opened)),
    Column("group", _said("body.because.group", *_opened)),
    Column("request", _said("body.because.request", *_opened)),
    Column("reason", _said("payload.reason", "request.made")),
    Column("ticket", _said("payload.ticket", "request.made")),
    Column("approved", _said("header.time", "request.preapproved", "request.approved")),
    Column("approved_by", _said("body.because.approval_by", *_opened)),
    Column("approved_by_name", names([("session.opened", "body.because.approval_by")])),
    Column("grant", _said("body.because.grant", *_opened)),
    Column("also_because", _said("body.also", *_opened)),
    Column("latest_end", _said("body.ends:time", *_opened)),
    Column("ended", _said("header.time", *_closed, "session.failed")),
    Column("last_byte", _said("body.last_byte:time", *_closed)),
    Column("because", [*_said("body.code", "session.refused", "session.failed"), *_said("body.because", *_closed)]),
    Column("killed_by", _said("body.by", "session.kill_ordered")),
    Column("kill_reason", _said("payload.reason", "session.kill_ordered")),
    Column("recording_policy", _said("body.recording", *_opened)),
    Column("recording_head", _said("body.head", *_closed)),
    Column("recording_chunks", _said("body.chunks", *_closed)),
    Column("recorded", _said("body.counts", *_closed)),
    Column("verified", _said("body.verified", *_closed)),
    Column("gap", _said("body.gap", *_closed)),
    Column("recording_found", _said("body.condition", *checks.FOUND)),
    Column("recording_condition"),
    Column("recording_checked"),
    Column("recording_partial"),
    Column("node", _said("body.node", *_opened)),
)


def draw(scope: Scope) -> Drawn:
    """Raises `TooLarge`."""
    parameters = {"from": scope.period.begin, "to": scope.period.until, "first": scope.first, "end": scope.end}
    heads: list[tuple[int, str, list[int]]] = []
    follows: dict[str, list[int]] = {}
    rests, closings = [], []
    for entry, kind, session, person, request, approved_by in scope.history.query(QUERY, parameters):
        if kind not in HEADS:
            rests.append(entry)
            follows.setdefault(session, []).append(entry)
            if kind in _closed:
                closings.append(entry)
        else:
            others = [*scope.named(person, entry), *scope.named(approved_by, entry), *scope.chain(request)]
            heads.append((entry, session, others))
            if len(heads) > MAX_ROWS:
                raise TooLarge(NAME)
    rests += [entry for (entry,) in scope.history.query(checks.FINDINGS, {"first": scope.first, "end": scope.end})]
    checked, all_checks = checks.newest_checks(scope, closings)
    rows = []
    for head, session, others in heads:
        after = [each for each in follows.get(session, ()) if each > head]
        check = next((checked[each] for each in after if each in checked), None)
        rests_on = ordered(head, after, others if check is None else [*others, check])
        rows.append(_row(scope, rests_on, checks.words(scope.entries, after, check)))
    report = Report(NAME, "Sessions of the period, opened and refused", 1, COLUMNS, rows)
    return Drawn(
        report,
        scope.period,
        f"{QUERY};\n{NAMES};\n{CHAINS};\n{checks.QUERY};\n{checks.FINDINGS}",
        parameters,
        rests=[*rests, *all_checks, *scope.naming, *scope.chained],
    )


def _row(scope: Scope, ledger: list[int], recording: Mapping[str, str]) -> Row:
    proof = scope.entries.body(ledger[0]).get("mfa")
    without = proof is None or MACHINE in proof["factors"]
    age = "" if without else str((scope.entries.time(ledger[0]) - proof["at"]) // SECOND)
    return scope.entries.row(COLUMNS, ledger, factors_age_seconds=age, **recording)
