"""Who decides on what somebody asks for: by a role, as the manager or the owner, or for somebody who named them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.access.asked import MANAGER, OWNER
from onepam.domain.access.model import ConsoleRight, Substance
from onepam.domain.access.proposal import acts_as_manager
from onepam.domain.requests.approval import authority
from onepam.domain.requests.asking import NEVER
from onepam.domain.requests.delegating import StandIn
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.delegated import delegated_by, delegated_to
from onepam.store.facts.holders import PRESENT, holders
from onepam.store.facts.holdings import console_rights, hands, held_roles

FEW = 3
"""Of each role, where it is only asked whether there is anybody: the first may be the requester's own hand."""
_HOLDERS = f"""
SELECT p.person, p.name FROM ({holders("b.role = :role")}) h JOIN person p ON p.person = h.person
WHERE {PRESENT} LIMIT :most"""


def deciders(
    db: Snapshot, at: Instant, roles: Iterable[str], requester: str, resource: str = ""
) -> tuple[tuple[str, str], ...]:
    """Everybody enabled who could decide, under one of `roles`, what `requester` asks of `resource`: (id, name) by
    name."""
    barred, roles = not_deciding(db, at, requester), tuple(roles)
    found = set(_deciding(db, at, roles, barred, FOREVER))
    by_role = {who for who, _ in found}
    for claim, claimant in _claimants(db, at, roles, requester, resource).items():
        who = claimant.person
        could = authority(held_roles(db, who, at), roles, at, frozenset((claim,)))
        if could is None or who in barred or not is_present(db, at, who) or not claimant.acts(who, at):
            continue
        called = row(db, f"SELECT name FROM person WHERE person = :who AND {AT}", {"who": who, "at": at})
        found.add((who, (called["name"] if called else None) or who))
        if who not in by_role:
            found |= {each for each in _standing_in(db, at, who, barred) if claimant.acts(each[0], at)}
    found |= {each for who in by_role for each in _standing_in(db, at, who, barred)}
    return tuple(sorted(found, key=lambda each: each[1]))


def _standing_in(db: Snapshot, at: Instant, who: str, barred: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Whom somebody who could decide has named, and who may approve."""
    for each in delegated_by(db, who, at):
        to = each["delegate"]
        if to not in barred and is_present(db, at, to) and approves(db, at, to):
            called = row(db, f"SELECT name FROM person WHERE person = :to AND {AT}", {"to": to, "at": at})
            yield to, (called["name"] if called else None) or to


def approves(db: Snapshot, at: Instant, who: str) -> bool:
    """Whether a role of somebody's has the right to approve."""
    return any(ConsoleRight.APPROVE in each.console for each in held_roles(db, who, at))


def claims_of(
    db: Snapshot, at: Instant, who: str, roles: Iterable[str], requester: str, resource: str, through: str = ""
) -> frozenset[str]:
    """Which of those whom `roles` name without a role's name somebody is here, to decide by themselves or `through`
    somebody whom they named."""
    found = _claimants(db, at, roles, requester, resource)
    return frozenset(claim for claim, of in found.items() if of.person == who and of.acts(through or who, at))


@dataclass(frozen=True, slots=True)
class _Claimant:
    """Somebody who decides without a role that is named, by whose word, and since when."""

    person: str
    said_by: str | None = None
    since: Instant = NEVER

    def acts(self, who: str, at: Instant) -> bool:
        """Whether `who`, they or whoever decides for them, decides as them."""
        return acts_as_manager(self.person, self.said_by, self.since, at, who)


def _claimants(db: Snapshot, at: Instant, roles: Iterable[str], requester: str, resource: str) -> dict[str, _Claimant]:
    """Who the manager and the owner are, of those that are asked for."""
    asked, found = frozenset(roles), dict[str, _Claimant]()
    if MANAGER in asked:
        of = {"of": requester, "at": at}
        said = f"SELECT manager, manager_by, manager_since FROM person WHERE person = :of AND {AT}"
        if (who := row(db, said, of)) is not None and who["manager"] is not None:
            found[MANAGER] = _Claimant(who["manager"], who["manager_by"], who["manager_since"])
    if OWNER in asked:
        of = {"of": resource, "at": at}
        owner = row(db, f"SELECT owner FROM resource WHERE resource = :of AND {AT}", of)
        if owner is not None and owner["owner"] is not None:
            found[OWNER] = _Claimant(owner["owner"])
    return found


def is_present(db: Snapshot, at: Instant, who: str) -> bool:
    """Whether somebody may sign in."""
    return row(db, f"SELECT 1 FROM person p WHERE p.person = :who AND {PRESENT}", {"who": who, "at": at}) is not None


class Deciding:
    """Whether there is anybody to decide: a few holders of the same roles are looked up once for all who ask."""

    def __init__(self, db: Snapshot, at: Instant) -> None:
        self._db, self._at = db, at
        self._few: dict[tuple[str, ...], frozenset[str]] = {}

    def anybody(self, roles: tuple[str, ...], requester: str, resource: str = "") -> bool:
        """Whether somebody enabled could decide, under one of `roles`, what `requester` asks of `resource`."""
        if not {MANAGER, OWNER}.isdisjoint(roles):
            return bool(deciders(self._db, self._at, roles, requester, resource))
        if roles not in self._few:
            self._few[roles] = frozenset(who for who, _ in _deciding(self._db, self._at, roles, frozenset(), FEW))
        few = self._few[roles]
        if not few:
            return False
        barred = not_deciding(self._db, self._at, requester)
        return bool(few - barred) or any(True for _ in _deciding(self._db, self._at, roles, barred, FEW))


def _deciding(
    db: Snapshot, at: Instant, roles: Iterable[str], barred: frozenset[str], most: int
) -> Iterator[tuple[str, str]]:
    """`most` are looked at of each role, beyond the `barred`, who decide nothing here. What a role gives it gives
    to all who hold it, but to whoever is under a hold."""
    held = {each["person"] for each in rows(db, f"SELECT person FROM person_hold WHERE {AT}", {"at": at})}
    for role in roles:
        found = row(db, f"SELECT console FROM role WHERE role = :role AND {AT}", {"role": role, "at": at})
        if found is None or ConsoleRight.APPROVE not in console_rights(found["console"]):
            continue
        for each in rows(db, _HOLDERS, {"role": role, "at": at, "most": min(most + len(barred) + len(held), FOREVER)}):
            who = each["person"]
            if who not in barred and (who not in held or authority(held_roles(db, who, at), (role,), at) is not None):
                yield who, each["name"] or who


def not_deciding(db: Snapshot, at: Instant, requester: str) -> frozenset[str]:
    """Who decides on nothing that the requester asks, whatever their roles: the requester, whoever answers for it where
    it is a service account, and whoever may be one hand with either, and whom one of them named to decide for them."""
    found = row(
        db,
        f"SELECT owner FROM person WHERE person = :requester AND kind = 'service' AND owner IS NOT NULL AND {AT}",
        {"requester": requester, "at": at},
    )
    asking = (requester, found["owner"]) if found else (requester,)
    named = (each["delegate"] for who in asking for each in delegated_by(db, who, at))
    return frozenset(asking).union(named, *(linked for each in asking for linked in hands(db, each, at)))


def stand_ins(
    db: Snapshot, person: str, roles: tuple[str, ...], asked: Substance, said: Iterable[str], at: Instant
) -> tuple[StandIn, ...]:
    """For whom somebody may decide now, under one of `roles`, on what is asked: for nobody who may be one hand with
    whoever asks, or with one of those who `said` yes or for whom it was."""
    found = delegated_to(db, person, at)
    barred = not_deciding(db, at, asked.person) if found else frozenset()
    if found:
        barred = barred.union(*(linked for who in said for linked in hands(db, who, at)))
    return tuple(
        StandIn(
            delegation=each["delegation"],
            person=each["person"],
            roles=held_roles(db, each["person"], at),
            claims=claims_of(db, at, each["person"], roles, asked.person, asked.resource, person),
            barred=each["person"] in barred or not is_present(db, at, each["person"]),
        )
        for each in found
    )
