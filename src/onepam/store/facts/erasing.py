"""Facts of an erasure: whether somebody has left for long enough, and what of a portion is still there."""

import json

from onepam.app.leaving.erase_person import ErasingQuery, PortionQuery
from onepam.app.ports import Snapshot
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.leaving.erasing import ErasingFacts, Erasure, ErasureStatus, PortionFacts, mentions
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.people import person_facts
from onepam.store.facts.proposals import proposal_of

_LISTED = (
    f"SELECT 'The staff roster' AS who FROM staff_entry WHERE person = :person AND removed IS NULL "
    f"AND (ends IS NULL OR ends > :at) AND {AT} UNION "
    f"SELECT 'The directory ' || provider FROM scim_user WHERE person = :person AND active = 1 AND {AT} LIMIT 1"
)
_CALLED = (
    "SELECT name, email FROM person WHERE person = :person UNION SELECT name, email FROM staff_entry "
    "WHERE entry IN (SELECT entry FROM staff_entry WHERE person = :person) UNION "
    "SELECT user_name, NULL FROM scim_user WHERE person = :person UNION "
    "SELECT user_name, NULL FROM identity WHERE person = :person"
)
STANDING = (
    f"SELECT text, idx FROM change WHERE status IN ('proposed', 'approved') AND {AT} UNION "
    f"SELECT text, idx FROM (SELECT text, idx FROM change WHERE status = 'applied' AND {AT} "
    "ORDER BY valid_from DESC LIMIT 1) AS newest"
)
"""The file of the role matrix that is in force, and those that wait."""


@loads(ErasingQuery)
def erasing(db: Snapshot, query: ErasingQuery, at: Instant) -> ErasingFacts:
    found = erasure_of(db, "person" if query.person else "erasure", query.person or query.erasure, at)
    person = query.person or (found.person if found else "")
    left = row(db, f"SELECT removed FROM leaver WHERE person = :person AND {AT}", {"person": person, "at": at})
    listed = row(db, _LISTED, {"person": person, "at": at})
    said = called(db, person)
    texts = rows(db, STANDING, {"at": at})
    return ErasingFacts(
        actor=actor_facts(db, query.actor, at),
        person=person_facts(db, person, at),
        left=left["removed"] if left else None,
        listed=listed["who"] if listed else "",
        named=any(mentions(each["text"] or "", said) for each in texts),
        erasure=found,
        proposal=proposal_of(db, ProposalKind.ERASURE, found.erasure, at) if found else None,
    )


@loads(PortionQuery)
def portion(db: Snapshot, query: PortionQuery, at: Instant) -> PortionFacts:
    found = rows(
        db,
        "SELECT p.idx FROM json_each(:indexes) n CROSS JOIN payload p WHERE p.idx = CAST(n.value AS BIGINT) ORDER BY 1",
        {"indexes": json.dumps(query.indexes)},
    )
    return PortionFacts(erasure_of(db, "erasure", query.erasure, at), tuple(each[0] for each in found))


def erasure_of(db: Snapshot, by: str, name: str, at: Instant) -> Erasure | None:
    """The erasure of that id, or of that person; None where there is none."""
    found = row(db, _OF[by], {"name": name, "at": at})
    return _erasure(found) if found is not None else None


def called(db: Snapshot, person: str) -> tuple[str, ...]:
    """Every name and address that the person ever had here; of somebody who was erased, none."""
    found = {text for each in rows(db, _CALLED, {"person": person}) for text in each if text}
    return tuple(sorted(found))


_OF = {
    by: f"SELECT erasure, person, status, because, keep_days, payloads FROM erasure WHERE {by} = :name AND {AT}"
    for by in ("erasure", "person")
}


def _erasure(found: Row) -> Erasure:
    return Erasure(
        found["erasure"],
        found["person"],
        ErasureStatus(found["status"]),
        found["because"],
        found["keep_days"],
        found["payloads"],
    )
