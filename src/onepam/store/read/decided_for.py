"""Whose a yes is that is given to a request: one's own, or another's who is away."""

from onepam.app.ports import Snapshot
from onepam.domain.access.model import Substance
from onepam.domain.requests.approval import authority
from onepam.kernel.clock import Instant
from onepam.store.db import rows
from onepam.store.engine.tables import AT
from onepam.store.facts.deciding import stand_ins


def said_yes(db: Snapshot, at: Instant, request: str) -> frozenset[str]:
    """Who agreed to a request, and for whom."""
    of = {"request": request, "at": at}
    found = rows(db, f"SELECT person, instead_of FROM request_agreed WHERE request = :request AND {AT}", of)
    return frozenset(who for each in found for who in (each["person"], each["instead_of"]) if who is not None)


def for_another(
    db: Snapshot, at: Instant, person: str, roles: tuple[str, ...], asked: Substance, said: frozenset[str]
) -> str | None:
    """The role of somebody who named this one to decide for them, by which they do here; of nobody who `said` so."""
    for each in stand_ins(db, person, roles, asked, said, at):
        if (
            not each.barred
            and each.person not in said
            and (under := authority(each.roles, roles, at, each.claims)) is not None
        ):
            return under
    return None
