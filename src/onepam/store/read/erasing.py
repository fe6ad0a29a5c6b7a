"""What of somebody who is being erased is still to go, and how far that has come.

A payload speaks of somebody because its entry names them (`payload.person`), or what is theirs by its id: the entries
of others on their requests and sessions, and what roster and directory said before they were linked. Lists and files
that name many are found by the names and addresses that the person had here; they go first, for with the person's own
payloads those are forgotten.
"""

from dataclasses import dataclass
from itertools import islice

from onepam.app.ports import Snapshot
from onepam.domain.leaving.erasing import MOST_ERASED, Erasure, ErasureStatus, mentions
from onepam.kernel.canonical import decode
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows, streamed
from onepam.store.engine.tables import AT
from onepam.store.facts.erasing import STANDING, called, erasure_of
from onepam.store.read.names import name

NAMING = ("roster.held", "roster.refused", "change.proposed")
"""Kinds whose payload is a list or a file about many."""

_REQUEST, _SESSION = ("request", "request"), ("session", "session")
LINKED = {
    "request.approved": (*_REQUEST, ""),
    "request.denied": (*_REQUEST, ""),
    "grant.ended": (*_REQUEST, ""),
    "session.failed": (*_SESSION, ""),
    "session.kill_ordered": (*_SESSION, ""),
    "roster.entry_set": ("entry", "staff_entry", "person"),
    "scim_user.set": ("user", "scim_user", "person"),
}
"""Kinds that name what is somebody's, and nobody: by which field of the body, and in which table that stands. The last:
a field that must be empty, for whoever stands there is found by it."""

_KEYS = {"staff_entry": "entry"}


@dataclass(frozen=True, slots=True)
class ErasureRow:
    """An erasure as a page shows it: how far it is, who proposed it, and who agreed ("" while it waits)."""

    erasure: str
    status: ErasureStatus
    because: str
    proposed: Instant
    proposed_by: str
    proposed_by_name: str
    approved: Instant | None
    approved_by: str
    approved_by_name: str
    payloads: int


def erasures_to_do(db: Snapshot, at: Instant) -> tuple[Erasure, ...]:
    """Those that were agreed to, and have not come to their end."""
    found = rows(db, f"SELECT erasure FROM erasure WHERE status = 'approved' AND {AT} ORDER BY 1", {"at": at})
    every = (erasure_of(db, "erasure", each[0], at) for each in found)
    return tuple(each for each in every if each is not None)


def naming(db: Snapshot, at: Instant, person: str) -> tuple[int, ...]:
    """Lists and files that name the person, at most one portion; not the file that is in force, nor one that waits."""
    said = called(db, person)
    if not said:
        return ()
    stays = {each["idx"] for each in rows(db, STANDING, {"at": at})}
    kinds = ", ".join(f"'{each}'" for each in NAMING)
    found = streamed(
        db, f"SELECT p.idx, p.data FROM entry e JOIN payload p ON p.idx = e.idx WHERE e.kind IN ({kinds}) ORDER BY 1"
    )
    named = (each["idx"] for each in found if each["idx"] not in stays and mentions(_text(each["data"]), said))
    return tuple(islice(named, MOST_ERASED))


def linked(db: Snapshot, at: Instant, person: str) -> tuple[int, ...]:
    """Entries of others about what is the person's, which say whose it is by its id alone; at most one portion."""
    of = {"person": person, "most": MOST_ERASED}
    found = (each[0] for kind, how in LINKED.items() for each in rows(db, _linked(kind, *how), of))
    return tuple(islice(found, MOST_ERASED))


def speaking(db: Snapshot, at: Instant, person: str, after: int) -> tuple[int, ...]:
    """Entries later than `after` that name the person and still have a payload; at most one portion."""
    of = {"person": person, "after": after, "most": MOST_ERASED}
    found = rows(db, "SELECT idx FROM payload WHERE person = :person AND idx > :after ORDER BY idx LIMIT :most", of)
    return tuple(each[0] for each in found)


def erasure_of_person(db: Snapshot, at: Instant, person: str) -> ErasureRow | None:
    """The erasure of a person, while it waits, goes on or is done; None where there is none."""
    found = row(db, f"SELECT * FROM erasure WHERE person = :person AND {AT}", {"person": person, "at": at})
    if found is None:
        return None
    agreed = found["approved_by"] or ""
    return ErasureRow(
        erasure=found["erasure"],
        status=ErasureStatus(found["status"]),
        because=found["because"],
        proposed=found["proposed"],
        proposed_by=found["proposed_by"],
        proposed_by_name=name(db, at, found["proposed_by"]),
        approved=found["approved"],
        approved_by=agreed,
        approved_by_name=name(db, at, agreed),
        payloads=found["payloads"],
    )


def _text(payload: bytes) -> str:
    """All that a payload says, a line for each value."""
    said = decode(payload)
    values = said.values() if isinstance(said, dict) else ()
    return "\n".join(str(one) for each in values for one in (each if isinstance(each, list) else [each]))


def _linked(kind: str, field: str, table: str, empty: str) -> str:
    key = _KEYS.get(table, table)
    nobody = f"AND json_extract(CAST(e.body AS TEXT), '$.{empty}') IS NULL " if empty else ""
    return (
        f"SELECT e.idx FROM entry e JOIN payload p ON p.idx = e.idx WHERE e.kind = '{kind}' "
        f"AND json_extract(CAST(e.body AS TEXT), '$.{field}') IN (SELECT {key} FROM {table} WHERE person = :person) "
        f"{nobody}ORDER BY 1 LIMIT :most"
    )
