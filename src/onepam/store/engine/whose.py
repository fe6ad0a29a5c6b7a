"""Whose a payload is: its entry says so, whose body every proof covers, and no row beside it."""

from collections.abc import Iterable, Iterator

from onepam.app.ports import Snapshot
from onepam.domain.history.system import PayloadsErased
from onepam.kernel.errors import Corrupt
from onepam.store.db import Db, row
from onepam.store.engine.append import subject
from onepam.store.engine.entries import Stored, entries

NAMING = ("roster.held", "roster.refused", "change.proposed")
"""Kinds whose payload is a list or a file about many."""

_REQUEST = ("request", "request.made")
_SESSION = ("session", "session.opened")
LINKED = {
    "request.approved": (_REQUEST,),
    "request.denied": (_REQUEST,),
    "grant.ended": (_REQUEST,),
    "session.failed": (_SESSION,),
    "session.kill_ordered": (_SESSION,),
    "roster.entry_set": (("entry", "roster.linked"), ("entry", "roster.entry_set")),
    "scim_user.set": (("user", "scim_user.set"),),
}
"""Kinds that name what is somebody's, and nobody: by which field of the body, and the kinds whose entries say of the
same field whose it is."""

ANOTHERS = "its payload is put down to another than whom it is of"

_THEIRS = {
    "request": "SELECT 1 FROM request WHERE request = :id AND person = :person",
    "session": "SELECT 1 FROM session WHERE session = :id AND person = :person",
    "entry": "SELECT 1 FROM staff_entry WHERE entry = :id AND person = :person",
    "user": "SELECT 1 FROM scim_user WHERE scim_user = :id AND person = :person",
}
"""By the field: whether what has that id was ever the person's, by tables that were made from the entries just now."""


def whole(db: Snapshot, index: int) -> Stored:
    """An entry that is as it was hashed, with the payload that it names, put down to whom it is of; or without one.
    Raises `Corrupt`."""
    for stored in entries(db, index, index + 1):
        if stored.hash != stored.leaf:
            raise Corrupt(f"entry {index} ({stored.header.kind}) is not as it was written")
        if stored.payload is not None and stored.person != subject(stored.event):
            raise Corrupt(f"entry {index} ({stored.header.kind}): {ANOTHERS}")
        return stored
    raise Corrupt(f"entry {index} is missing")


def speaks_of(stored: Stored, says: Stored) -> str | None:
    """Whom an entry speaks of: by itself, or by what is theirs, as the entry `says` has it; None for nobody."""
    about: str | None = subject(stored.event)
    if about is None:
        ways = (field for field, of in LINKED.get(stored.header.kind, ()) if of == says.header.kind)
        if any(stored.fields[field] == says.fields[field] for field in ways):
            about = subject(says.event)
    return about


def strays(source: Snapshot, made: Db, erased: PayloadsErased) -> Iterator[str]:
    """What an entry took that speaks of another than it says, or is none of the lists and files that it says; `made`
    holds the tables as the entries until then give them."""
    for stored in _each(source, erased.indexes):
        index, kind = stored.header.index, stored.header.kind
        if erased.naming:
            if kind not in NAMING:
                yield f"it erased entry {index} ({kind}) as a list or a file, which that is not"
        elif not _theirs(made, stored, erased.person):
            yield f"it erased what entry {index} ({kind}) says of another than {erased.person}"


def _each(source: Snapshot, indexes: Iterable[int]) -> Iterator[Stored]:
    for index in indexes:
        yield from entries(source, index, index + 1)


def _theirs(made: Db, stored: Stored, person: str) -> bool:
    about = subject(stored.event)
    if about is not None:
        return about == person
    fields = {field for field, _ in LINKED.get(stored.header.kind, ())}
    return any(row(made, _THEIRS[each], {"id": stored.fields[each], "person": person}) is not None for each in fields)
