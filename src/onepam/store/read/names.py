"""How people are called."""

import json
from collections.abc import Iterable, Iterator, Mapping

from onepam.app.ports import Snapshot
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT


def name(db: Snapshot, at: Instant, person: str | None) -> str:
    """The person's name as of `at`; of somebody who was erased, that and the end of the id; empty for nobody."""
    if not person:
        return ""
    found = row(db, f"SELECT name FROM person WHERE person = :person AND {AT}", {"person": person, "at": at})
    return (found["name"] or nameless(person)) if found else person


def nameless(person: str) -> str:
    """What somebody is called whose name was erased."""
    return f"erased person {person[-6:]}"


def provider_name(db: Snapshot, at: Instant, provider: str) -> str:
    """What an identity provider is called, or was called last by `at`; empty for ourselves."""
    if not provider:
        return ""
    found = row(
        db,
        "SELECT name FROM provider WHERE provider = :provider AND valid_from <= :at ORDER BY valid_from DESC LIMIT 1",
        {"provider": provider, "at": at},
    )
    return found["name"] if found else provider


def names(db: Snapshot, at: Instant, people: Iterable[str]) -> dict[str, str]:
    """What these are called, by id."""
    return {each: name(db, at, each) for each in set(people)}


class Called(Mapping[str, str]):
    """People and identity providers by id, each looked up when it is asked for: whoever names a dozen reads no
    thousands. `people` are looked up together, at once. For use within the read that made it."""

    def __init__(self, db: Snapshot, at: Instant, people: Iterable[str] = ()) -> None:
        self._db, self._at = db, at
        self._known: dict[str, str] = {}
        if asked := sorted(people):
            of = {"people": json.dumps(asked), "at": at}
            found = rows(
                db,
                f"SELECT person, name FROM person WHERE person IN (SELECT value FROM json_each(:people)) AND {AT}",
                of,
            )
            self._known = {each["person"]: each["name"] or nameless(each["person"]) for each in found}

    def __getitem__(self, ident: str) -> str:
        """Raises `KeyError` for what is neither's id."""
        if ident not in self._known:
            self._known[ident] = self._name(ident)
        return self._known[ident]

    def _name(self, ident: str) -> str:
        of = {"ident": ident, "at": self._at}
        found = row(self._db, f"SELECT name FROM person WHERE person = :ident AND {AT}", of)
        if found is None:
            found = row(self._db, f"SELECT name FROM provider WHERE provider = :ident AND {AT}", of)
        if found is None:
            raise KeyError(ident)
        return found["name"] or nameless(ident)

    def __iter__(self) -> Iterator[str]:
        """Of those that were asked for."""
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
