"""What of somebody who is being erased is still to go, and how far that has come.

A payload speaks of somebody because its entry names them, or what is theirs by its id: the entries of others on their
requests and sessions, and what roster and directory said before they were linked. All of that is asked of the entries'
bodies, and asked again by the command that erases. Lists and files that name many go as they were agreed to. Nothing
goes that came after somebody agreed: it may be of whoever has the user of a directory now.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from onepam.app.leaving.erase_person import Seen
from onepam.app.ports import Snapshot
from onepam.domain.leaving.erasing import MOST_ERASED, Erasure, ErasureStatus
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import row, rows, streamed
from onepam.store.engine.append import read_head
from onepam.store.engine.tables import AT
from onepam.store.engine.whose import ASKERS, LINKED, SAID_LATER
from onepam.store.facts.erasing import documents, erasure_of, kind_at
from onepam.store.read.names import name

Goes = tuple[int, int]
"""An entry whose payload goes, and the entry that says whose it is: itself, where it names the person."""

EVERY = 1 << 40

_WHO = (
    "coalesce(json_extract(CAST(e.body AS TEXT), '$.person'), json_extract(CAST(e.body AS TEXT), '$.substance.person'))"
)
_ASKER = "json_extract(CAST(e.body AS TEXT), '$.by')"
_NAMES = f"instr(CAST(e.body AS TEXT), :person) > 0 AND {_WHO} = :person"


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


def linked(db: Snapshot, at: Instant, person: str) -> tuple[Goes, ...]:
    """Entries of others about what is the person's, which say whose it is by its id alone; at most one portion."""
    return tuple(islice(_of_others(db, person, _until(db, person, at), MOST_ERASED), MOST_ERASED))


def speaking(db: Snapshot, at: Instant, person: str, after: int) -> tuple[Goes, ...]:
    """Entries later than `after` that name the person and still have a payload; at most one portion. Those, too, whose
    payload is put down to them by its row alone: that was altered, and the command says so."""
    of = {"person": person, "after": after, "until": _until(db, person, at), "most": MOST_ERASED}
    found = rows(
        db,
        f"SELECT p.idx FROM payload p CROSS JOIN entry e WHERE p.idx > :after AND e.idx = p.idx "
        f"AND e.time < :until AND (p.person = :person OR ({_NAMES})) ORDER BY p.idx LIMIT :most",
        of,
    )
    return tuple((each[0], each[0]) for each in found)


@dataclass(frozen=True, slots=True)
class Document:
    """A list or file about many that would go whole: its entry, and the lines in which the person is named."""

    entry: int
    kind: str
    time: Instant
    lines: tuple[str, ...]


def counted(db: Snapshot, at: Instant, person: str) -> dict[str, int]:
    """How many payloads of each kind speak of the person. Looks through all payloads."""
    found = rows(
        db,
        f"SELECT e.kind, count(*) AS many FROM payload p CROSS JOIN entry e WHERE e.idx = p.idx AND {_NAMES} "
        "GROUP BY e.kind ORDER BY 1",
        {"person": person},
    )
    kinds = {each["kind"]: each["many"] for each in found}
    for index, _ in _of_others(db, person, FOREVER, EVERY):
        kind = kind_at(db, index)
        kinds[kind] = kinds.get(kind, 0) + 1
    return kinds


def seen(db: Snapshot, at: Instant, person: str) -> Seen:
    """What would go, for whoever proposes it. Looks through all payloads, lists and files: nobody waits for it."""
    found = tuple(each.entry for each in named_in(db, at, person))
    return Seen(counted(db, at, person), found, read_head(db).time)


def named_in(db: Snapshot, at: Instant, person: str) -> tuple[Document, ...]:
    """The lists and files about many that name the person. Raises `Corrupt` where one was altered."""
    found = ((each.header, lines) for each, lines in documents(db, at, person))
    return tuple(Document(header.index, header.kind, header.time, lines) for header, lines in found)


def _until(db: Snapshot, person: str, at: Instant) -> Instant:
    """When somebody agreed to the erasure; FOREVER before that."""
    found = erasure_of(db, "person", person, at)
    return FOREVER if found is None or found.approved is None else found.approved


def _of_others(db: Snapshot, person: str, until: Instant, most: int) -> Iterator[Goes]:
    for kind, ways in LINKED.items():
        if kind in SAID_LATER:
            yield from _before_named(db, person, until, kind, ways)
            continue
        for field, says in ways:
            found = rows(db, _linked(kind, field, says), {"person": person, "until": until, "most": most})
            yield from ((each[0], each[1]) for each in found)


def _before_named(
    db: Snapshot, person: str, until: Instant, kind: str, ways: tuple[tuple[str, str], ...]
) -> Iterator[Goes]:
    """Entries of the kind that name nobody, each with the next one that says whose its field is: the person's."""
    next_named = dict[str, tuple[int, str]]()
    for index, of, who, waits, goes in streamed(db, _history(kind, ways), {"person": person, "until": until}):
        if who is not None:
            next_named[of] = (index, who)
            continue
        says, whose = next_named.get(of, (index, None))
        if goes and whose == person and waits in (None, person):
            yield index, says


def _history(kind: str, ways: tuple[tuple[str, str], ...]) -> str:
    """Newest first, all entries about what was ever the person's: whose it says that is, for whom it waits, and whether
    it is of the kind, has a payload, and came early enough."""
    kinds = ", ".join(f"'{each}'" for each in sorted({kind, *(says for _, says in ways)}))
    of = f"json_extract(CAST(e.body AS TEXT), '$.{ways[0][0]}')"
    return (
        f"SELECT e.idx, {of} AS id, {_WHO} AS who, json_extract(CAST(e.body AS TEXT), '$.waits_for') AS waits, "
        f"e.kind = '{kind}' AND p.idx IS NOT NULL AND e.time < :until AS goes "
        "FROM entry e LEFT JOIN payload p ON p.idx = e.idx "
        f"WHERE e.kind IN ({kinds}) AND {of} IN (SELECT {of} FROM entry e WHERE e.kind IN ({kinds}) "
        f"AND instr(CAST(e.body AS TEXT), :person) > 0 AND {_WHO} = :person) ORDER BY e.idx DESC"
    )


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


def _linked(kind: str, field: str, says: str) -> str:
    """Entries of the kind that name nobody, each with the first entry that says whose its `field` is."""
    return (
        f"SELECT e.idx, t.says FROM entry e CROSS JOIN payload p CROSS JOIN ("
        f"SELECT json_extract(CAST(e.body AS TEXT), '$.{field}') AS id, min(e.idx) AS says FROM entry e "
        f"WHERE e.kind = '{says}' AND {_ASKER if says in ASKERS else _WHO} = :person GROUP BY 1) AS t "
        f"WHERE e.kind = '{kind}' AND p.idx = e.idx AND e.time < :until "
        f"AND json_extract(CAST(e.body AS TEXT), '$.person') IS NULL "
        f"AND t.id = json_extract(CAST(e.body AS TEXT), '$.{field}') ORDER BY 1 LIMIT :most"
    )
