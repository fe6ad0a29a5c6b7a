"""Facts of an erasure: whether somebody has left for long enough, which documents name them, and what of a portion is
still there.

Whose a payload is, its entry says, whose body every proof covers. A row beside it that says otherwise was altered, and
so was an entry that is not the one that was hashed: then nothing goes, for what would go may be another's.
"""

import json
from collections.abc import Iterable, Iterator

from onepam.app.leaving.erase_person import NOTHING, ErasingQuery, PortionQuery, Seen
from onepam.app.ports import Snapshot
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.leaving.erasing import ErasingFacts, Erasure, ErasureStatus, PortionFacts, mentions
from onepam.kernel.canonical import NotCanonical, decode
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.store.db import Row, row, rows, streamed
from onepam.store.engine.entries import Stored
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.engine.whose import LATER, NAMING, speaks_of, whole
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.people import person_facts
from onepam.store.facts.proposals import proposal_of

_LISTED = (
    f"SELECT 'The staff roster' AS who FROM staff_entry WHERE person = :person AND removed IS NULL AND {AT} UNION "
    f"SELECT 'The directory ' || provider FROM scim_user WHERE person = :person AND active = 1 AND {AT} LIMIT 1"
)
_HERE = "valid_from < (SELECT max(valid_until) FROM person WHERE person = :person AND enabled = 1)"
_CALLED = (
    "SELECT name, email FROM person WHERE person = :person AND enabled = 1 UNION SELECT name, email FROM staff_entry "
    f"WHERE entry IN (SELECT entry FROM staff_entry WHERE person = :person) AND {_HERE} UNION "
    f"SELECT user_name, NULL FROM scim_user WHERE person = :person AND {_HERE} UNION "
    f"SELECT user_name, NULL FROM identity WHERE person = :person AND {_HERE}"
)
"""What they were called until they left: whoever is renamed afterwards is found in no document by that."""
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
    said = _addresses(db, person, at)
    texts = rows(db, STANDING, {"at": at})
    proposal = proposal_of(db, ProposalKind.ERASURE, found.erasure, at) if found else None
    seen = query.seen
    if left and proposal is not None and left["removed"] <= proposal.since:
        seen = Seen({}, (), proposal.since)
    return ErasingFacts(
        actor=actor_facts(db, query.actor, at),
        person=person_facts(db, person, at),
        left=left["removed"] if left else None,
        listed=listed["who"] if listed else "",
        named=any(mentions(each["text"] or "", said) for each in texts),
        erasure=found,
        proposal=proposal,
        documents=tuple(each.header.index for each, _ in documents(db, at, person, seen)) if left else (),
    )


@loads(PortionQuery)
def portion(db: Snapshot, query: PortionQuery, at: Instant) -> PortionFacts:
    """Raises `Corrupt` where an entry of the portion does not say itself that it goes by this."""
    found = erasure_of(db, "erasure", query.erasure, at)
    left = []
    for index, says in query.entries:
        stored = whole(db, index)
        if stored.payload is not None and found is not None:
            _goes(db, found, stored, says)
            left.append(index)
    return PortionFacts(found, tuple(left))


def documents(db: Snapshot, at: Instant, person: str, seen: Seen = NOTHING) -> Iterator[tuple[Stored, tuple[str, ...]]]:
    """Lists and files that name the person, each with the lines that do, in order; not the file that is in force, nor
    one that waits. Of what was there when somebody looked, only those that were found then, and files that were in
    force. Raises `Corrupt` for one that is not as it was written."""
    said = called(db, person)
    if not said:
        return
    stays = {each["idx"] for each in rows(db, STANDING, {"at": at})}
    kinds = ", ".join(f"'{each}'" for each in NAMING)
    again = {*seen.documents, *(each["idx"] for each in rows(db, STANDING, {"at": seen.since}))}
    listed = streamed(
        db,
        f"SELECT p.idx, p.data FROM entry e JOIN payload p ON p.idx = e.idx WHERE e.kind IN ({kinds}) AND "
        "(e.time > :since OR e.idx IN (SELECT CAST(value AS BIGINT) FROM json_each(:again))) ORDER BY 1",
        {"since": seen.since, "again": json.dumps(sorted(again))},
    )
    for index, data in listed:
        if index not in stays and (lines := _lines(data, said)):
            yield whole(db, index), lines


def lines_that_stay(db: Snapshot, at: Instant, person: str) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """The lines of the file in force, and of those that wait, that have a word by which the person was called, each
    with the entry of the file."""
    said = called(db, person)
    found = ((each["idx"], _mentioning((each["text"] or "",), said)) for each in rows(db, STANDING, {"at": at}))
    return tuple((index, lines) for index, lines in found if lines)


def lines_of(db: Snapshot, person: str, index: int) -> tuple[str, ...]:
    """The lines of one list or file that name the person; none where it has gone. Raises as `documents`."""
    stored = whole(db, index)
    return _lines(stored.payload, called(db, person)) if stored.payload is not None else ()


def kind_at(db: Snapshot, index: int) -> str:
    """The kind of an entry that is there."""
    found = row(db, "SELECT kind FROM entry WHERE idx = ?", (index,))
    return str(found["kind"]) if found else "gone"


def _lines(payload: bytes, said: tuple[str, ...]) -> tuple[str, ...]:
    """The lines that name them; one for what cannot be read, so that somebody looks why."""
    try:
        values = decode(payload).values()
    except (NotCanonical, AttributeError, TypeError):
        return ("",)
    return _mentioning((str(one) for each in values for one in (each if isinstance(each, list) else [each])), said)


def _mentioning(texts: Iterable[str], said: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(line.strip() for text in texts for line in text.splitlines() if mentions(line, said))


def _goes(db: Snapshot, found: Erasure, stored: Stored, says: int) -> None:
    """Raises `Corrupt` unless it was there as somebody agreed, and speaks of the person, by itself or by the entry
    `says`, or was agreed to as one of the documents."""
    index, kind = stored.header.index, stored.header.kind
    if found.approved is None or stored.header.time >= found.approved:
        raise Corrupt(f"entry {index} ({kind}) {LATER}, and was about to lose its payload")
    if kind in NAMING and index in found.documents:
        return
    if speaks_of(stored, stored if index == says else whole(db, says)) != found.person:
        raise Corrupt(f"entry {index} ({kind}) does not speak of {found.person}, and was about to lose its payload")


def erasure_of(db: Snapshot, by: str, name: str, at: Instant) -> Erasure | None:
    """The erasure of that id, or of that person; None where there is none."""
    found = row(db, _OF[by], {"name": name, "at": at})
    return _erasure(found) if found is not None else None


def called(db: Snapshot, person: str) -> tuple[str, ...]:
    """Every name and address that the person ever had here; of somebody who was erased, none."""
    found = {text for each in rows(db, _CALLED, {"person": person}) for text in each if text}
    return tuple(sorted(found))


def _addresses(db: Snapshot, person: str, at: Instant) -> tuple[str, ...]:
    """Every address by which a file means the person: bindings are by address, and one may be another's by now."""
    anothers = f"SELECT 1 FROM person WHERE email = :email AND person <> :person AND enabled = 1 AND {AT} LIMIT 1"
    had = {each["email"] for each in rows(db, _CALLED, {"person": person}) if each["email"]}
    now = {"person": person, "at": at}
    return tuple(sorted(each for each in had if row(db, anothers, {**now, "email": each}) is None))


_OF = {
    by: f"SELECT erasure, person, status, because, keep_days, payloads, documents, approved FROM erasure "
    f"WHERE {by} = :name AND {AT}"
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
        tuple(json.loads(found["documents"])),
        found["approved"],
    )
