"""How people are called."""

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


def called(db: Snapshot, at: Instant) -> dict[str, str]:
    """Everybody's name, and those of identity providers, by id: for what happened, in words."""
    found = rows(db, f"SELECT provider, name FROM provider WHERE {AT}", {"at": at})
    return {**{each["provider"]: each["name"] for each in found}, **names(db, at)}


def names(db: Snapshot, at: Instant) -> dict[str, str]:
    """Everybody's name by id: for lists."""
    found = rows(db, f"SELECT person, name FROM person WHERE {AT}", {"at": at})
    return {each["person"]: each["name"] or nameless(each["person"]) for each in found}
