"""Whose a payload is: its entry says so, whose body every proof covers, and no row beside it."""

from collections.abc import Iterable, Iterator

from onepam.app.ports import Snapshot
from onepam.domain.history.system import PayloadsErased
from onepam.kernel.errors import Corrupt
from onepam.store.db import Db, row
from onepam.store.engine.append import subject
from onepam.store.engine.entries import Stored, entries

NAMING = (
    "roster.held", "roster.refused", "change.proposed",
    "incident.opened", "incident.noted", "incident.assigned", "incident.closed", "incident.reopened",
)  # fmt: skip
"""Kinds whose payload is a list or a file about many, or says what happened to whoever it names."""

_REQUEST = ("request", "request.made")
_SESSION = ("session", "session.opened")
LINKED = {
    "request.agreed": (_REQUEST,),
    "request.approved": (_REQUEST,),
    "request.denied": (_REQUEST,),
    "grant.ended": (_REQUEST,),
    "session.failed": (_SESSION,),
    "session.kill_ordered": (_SESSION,),
    "statement.ended": (("statement", "statement.asked"),),
    "roster.entry_set": (("entry", "roster.linked"), ("entry", "roster.entry_set")),
    "scim_user.set": (("user", "scim_user.set"),),
    "listed_account.set": (("account", "listed_account.linked"), ("account", "listed_account.set")),
}
"""Kinds that name what is somebody's, and nobody: by which field of the body, and the kinds whose entries say of the
same field whose it is."""

ASKERS = frozenset(("statement.asked",))
"""Kinds that say whose something is by who asked for it."""

SAID_LATER = ("roster.entry_set", "scim_user.set", "listed_account.set")
"""Of these kinds, what names nobody is of whom the *next* entry names that says whose it is: one entry of the roster,
one user of a directory, one account of another system may be of somebody else after an erasure. A user that waits for
somebody is of nobody else."""

ANOTHERS = "its payload is put down to another than whom it is of"
LATER = "came after the erasure was agreed to"

_THEIRS = {
    "request": "SELECT 1 FROM request WHERE request = :id AND person = :person",
    "session": "SELECT 1 FROM session WHERE session = :id AND person = :person",
    "statement": "SELECT 1 FROM waiting_statement WHERE statement = :id AND person = :person",
    "entry": "SELECT 1 FROM staff_entry WHERE entry = :id AND person = :person AND valid_from = "
    "(SELECT min(valid_from) FROM staff_entry WHERE entry = :id AND person IS NOT NULL AND valid_from > :time)",
    "account": "SELECT 1 FROM listed_account WHERE account = :id AND person = :person AND valid_from = "
    "(SELECT min(valid_from) FROM listed_account WHERE account = :id AND person IS NOT NULL AND valid_from > :time)",
    "user": "SELECT 1 FROM scim_user WHERE scim_user = :id AND person = :person AND valid_from = "
    "(SELECT min(valid_from) FROM scim_user WHERE scim_user = :id AND person IS NOT NULL AND valid_from > :time)",
}
"""By the field: whether what has that id is the person's, by tables that were made from the entries just now."""

_AGREED = "SELECT approved FROM erasure WHERE erasure = ? AND approved IS NOT NULL LIMIT 1"


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
            about = says.fields["by"] if says.header.kind in ASKERS else subject(says.event)
        if _waits(stored, about) or (stored.header.kind in SAID_LATER and says.header.index < stored.header.index):
            about = None
    return about


def strays(source: Snapshot, made: Db, erased: PayloadsErased) -> Iterator[str]:
    """What an entry took that speaks of another than it says, is none of the lists and files that it says, or came
    after it was agreed to; `made` holds the tables as the entries until then give them."""
    agreed = row(made, _AGREED, (erased.erasure,))
    for stored in _each(source, erased.indexes):
        index, kind = stored.header.index, stored.header.kind
        if agreed is not None and stored.header.time >= agreed[0]:
            yield f"it erased entry {index} ({kind}), which {LATER}"
        elif erased.naming:
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
    of = {"person": person, "time": stored.header.time}
    return not _waits(stored, person) and any(
        row(made, _THEIRS[each], {**of, "id": stored.fields[each]}) is not None for each in fields
    )


def _waits(stored: Stored, person: str | None) -> bool:
    """Whether it is a user of a directory that waits for another than that person."""
    return stored.fields.get("waits_for") not in (None, person)
