"""A proposal of any kind as of the decision: how long it still waits, and whether its proposer is still here."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from onepam.app.ports import Snapshot
from onepam.app.requests.lapse_proposals import MOST_LAPSING, LapsingQuery
from onepam.domain.access.authority import ActorFacts
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import RULES, Proposal, ProposalKind, lapses
from onepam.domain.lapsing.proposals import LapsingFacts, Waiting
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import held_roles


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
    roles: str = "'[]'"


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
    ProposalKind.ERASURE: Stands(
        "erasure", "erasure", "person", "proposed_by", "proposed", person="person", waits="status = 'proposed'"
    ),
    ProposalKind.STATEMENT: Stands(
        "waiting_statement", "statement", "session", "person", "asked", "expires", roles="approvers"
    ),
    ProposalKind.CHANGE: Stands("change", "change", "''", "proposer", "proposed", waits="status = 'proposed'"),
}


def _waiting(kind: ProposalKind) -> str:
    it = STANDS[kind]
    return (
        f"SELECT '{kind.value}' AS kind, {it.proposal} AS proposal, {it.of} AS concerns, {it.by} AS proposer, "
        f"{it.since} AS since, {it.ends} AS ends, {it.person} AS subject, {it.alone} AS alone, {it.roles} AS roles, "
        f"{RULES[kind].lapse} AS lapse, {int(RULES[kind].benefits)} AS gains FROM {it.table} WHERE {it.waits} AND {AT}"
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
_DECIDES = (
    "w.kind IN (SELECT value FROM json_each(:kinds)) AND (w.roles = '[]' OR EXISTS ("
    "SELECT 1 FROM json_each(w.roles) r WHERE r.value IN (SELECT value FROM json_each(:roles)))) AND ("
    "(w.proposer = :person AND w.alone <= :at) OR ("
    "w.proposer <> :person AND w.subject <> :person AND w.proposer NOT IN (SELECT value FROM json_each(:hands)) "
    "AND w.subject NOT IN (SELECT value FROM json_each(:hands))))"
)
"""What `proposal.judge` lets the person decide on, said once more so that a page need not read all to count it."""

_STANDS = f"{_HERE} AND coalesce(w.alone, w.since) + w.lapse > :at AND w.ends > :at"
_COUNTED = f"{_ALL} WHERE {_STANDS} AND {_DECIDES}"
_SHOWN = (
    f"{_ALL} WHERE {_STANDS} AND w.since > :after "
    f"AND ({_DECIDES} OR w.proposer = :person OR (w.subject = :person AND w.gains = 0)) "
    "ORDER BY w.since, w.proposal LIMIT :most"
)
_OF_KIND = {kind: f"SELECT w.*, {_HERE} AS present FROM ({_waiting(kind)}) w ORDER BY w.since" for kind in STANDS}
_ONE = {
    kind: f"SELECT w.*, {_HERE} AS present FROM ({_waiting(kind)} AND {it.proposal} = :proposal) w"
    for kind, it in STANDS.items()
}


def proposal_of(db: Snapshot, kind: ProposalKind, proposal: str, at: Instant) -> Proposal | None:
    """The proposal of that id while it waits; None where none does."""
    found = row(db, _ONE[kind], {"proposal": proposal, "at": at})
    if found is None:
        return None
    kept, right = _proposal(found), RULES[kind].proposes
    entitled = right is None or any(right in each.console for each in held_roles(db, kept.by, at))
    return replace(kept, entitled=entitled)


def proposals_of(db: Snapshot, kind: ProposalKind, at: Instant) -> list[Proposal]:
    """All of the kind that have not ended, the oldest first; some may be void, and wait for the sweep."""
    found = rows(db, _OF_KIND[kind], {"at": at})
    return [_proposal(each) for each in found]


def proposals_for(
    db: Snapshot, reader: ActorFacts, kinds: Iterable[ProposalKind], at: Instant, after: Instant, most: int
) -> list[Proposal]:
    """Those of `kinds` that the reader may decide on, and their own and what they would lose by, of any kind: made
    later than `after`, the oldest first."""
    found = rows(db, _SHOWN, {**_to(reader, kinds, at), "after": after, "most": most})
    return [_proposal(each) for each in found]


def count_proposals_for(db: Snapshot, reader: ActorFacts, kinds: Iterable[ProposalKind], at: Instant) -> int:
    """How many of `kinds` the reader may decide on."""
    found = row(db, f"SELECT count(*) FROM ({_COUNTED}) counted", _to(reader, kinds, at))
    return found[0] if found else 0


def _to(reader: ActorFacts, kinds: Iterable[ProposalKind], at: Instant) -> dict[str, object]:
    """The reader, as the statements ask."""
    hands = json.dumps([*reader.linked_by, *reader.linked_for])
    roles = json.dumps(reader.roles_with(ConsoleRight.APPROVE))
    return {"person": reader.person, "kinds": json.dumps(list(kinds)), "hands": hands, "roles": roles, "at": at}


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
        roles=tuple(json.loads(found["roles"])),
    )
