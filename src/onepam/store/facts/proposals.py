"""A proposal of any kind as of the decision: how long it still waits, and whether its proposer is still here."""

from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.app.requests.lapse_proposals import MOST_LAPSING, LapsingQuery
from onepam.domain.access.proposal import RULES, Proposal, ProposalKind, lapses
from onepam.domain.lapsing.proposals import LapsingFacts, Waiting
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT


@dataclass(frozen=True, slots=True)
class Stands:
    """Where the proposals of a kind stand: the table and its columns, `waits` for which of its rows."""

    table: str
    proposal: str
    of: str
    by: str
    since: str
    ends: str = str(FOREVER)
    person: str = "''"
    alone: str = "CAST(NULL AS BIGINT)"
    waits: str = "1 = 1"


STANDS = {
    ProposalKind.SCIM_TOKEN: Stands(
        "scim_token", "token", "provider", "proposed_by", "proposed", "ends", waits="approved_by IS NULL"
    ),
    ProposalKind.PROVIDER: Stands("provider_proposal", "change", "provider", "proposed_by", "valid_from"),
    ProposalKind.SIGNAL_STREAM: Stands("signal_stream_proposal", "change", "stream", "proposed_by", "valid_from"),
    ProposalKind.MFA_EXCEPTION: Stands(
        "mfa_exception",
        "exception",
        "person",
        "proposed_by",
        "proposed",
        "ends",
        "person",
        waits="accepted_by IS NULL",
    ),
    ProposalKind.ENROLMENT: Stands(
        "enrolment",
        "enrolment",
        "person",
        "proposed_by",
        "valid_from",
        person="person",
        alone="alone",
        waits="status = 'proposed'",
    ),
    ProposalKind.CHANGE: Stands("change", "change", "''", "proposer", "proposed", waits="status = 'proposed'"),
}


def _waiting(kind: ProposalKind) -> str:
    it = STANDS[kind]
    return (
        f"SELECT '{kind.value}' AS kind, {it.proposal} AS proposal, {it.of} AS concerns, {it.by} AS proposer, "
        f"{it.since} AS since, {it.ends} AS ends, {it.person} AS subject, {it.alone} AS alone, "
        f"{RULES[kind].lapse} AS lapse FROM {it.table} WHERE {it.waits} AND {AT}"
    )


_HERE = (
    "EXISTS (SELECT 1 FROM person p WHERE p.person = w.proposer AND p.enabled = 1 AND (p.ends IS NULL OR p.ends > :at) "
    "AND p.valid_from <= :at AND :at < p.valid_until)"
)
_ALL = f"SELECT w.*, {_HERE} AS present FROM ({' UNION ALL '.join(map(_waiting, STANDS))}) w"
_OVER = (
    f"{_ALL} WHERE coalesce(w.alone, w.since) + w.lapse <= :at OR w.ends <= :at OR NOT {_HERE} "
    f"ORDER BY w.since, w.proposal LIMIT {MOST_LAPSING}"
)
_ONE = {
    kind: f"SELECT w.*, {_HERE} AS present FROM ({_waiting(kind)} AND {it.proposal} = :proposal) w"
    for kind, it in STANDS.items()
}


def proposal_of(db: Snapshot, kind: ProposalKind, proposal: str, at: Instant) -> Proposal | None:
    """The proposal of that id while it waits; None where none does."""
    found = row(db, _ONE[kind], {"proposal": proposal, "at": at})
    return _proposal(found) if found is not None else None


def proposals_of(db: Snapshot, kind: ProposalKind, at: Instant) -> list[Proposal]:
    """All of the kind that have not ended, the oldest first; some may be void, and wait for the sweep."""
    found = rows(db, f"SELECT w.*, {_HERE} AS present FROM ({_waiting(kind)}) w ORDER BY w.since", {"at": at})
    return [_proposal(each) for each in found]


def standing_proposals(db: Snapshot, at: Instant) -> list[Waiting]:
    """All that have not ended, the oldest first; some may have lapsed or fallen, and wait for the sweep."""
    found = rows(db, f"{_ALL} ORDER BY w.since, w.proposal LIMIT {MOST_LAPSING}", {"at": at})
    return [Waiting(_proposal(each), each["concerns"]) for each in found]


@loads(LapsingQuery)
def over(db: Snapshot, query: LapsingQuery, at: Instant) -> LapsingFacts:
    found = rows(db, _OVER, {"at": at})
    return LapsingFacts(tuple(Waiting(_proposal(each), each["concerns"]) for each in found))


def _proposal(found: Row) -> Proposal:
    kind = ProposalKind(found["kind"])
    return Proposal(
        kind=kind,
        proposal=found["proposal"],
        by=found["proposer"],
        since=found["since"],
        until=lapses(RULES[kind], found["since"] if found["alone"] is None else found["alone"], found["ends"]),
        present=bool(found["present"]),
        person=found["subject"],
        alone=found["alone"],
    )
