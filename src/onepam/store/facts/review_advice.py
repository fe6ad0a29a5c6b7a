"""What is so of the accesses that a review is of: when each was used, since when it is given, and among whom."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cached_property

from onepam.app.ports import Snapshot
from onepam.domain.access.separation import Separation
from onepam.domain.reviews.advice import Odd, Place, Use, unusual
from onepam.domain.reviews.population import Item
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import bound_roles, separations


class Circumstances:
    """Asked of one access after another, as of `at`; `items` are all that the review is of."""

    def __init__(self, db: Snapshot, at: Instant, items: Iterable[Item] = ()) -> None:
        self._db, self._at, self._items = db, at, items
        self._used: dict[str, dict[str, Instant]] = {}
        self._held: dict[str, frozenset[str]] = {}

    def use(self, person: str, role: str) -> Use:
        """How somebody uses a role."""
        if person not in self._used:
            self._used[person] = _used(self._db, self._at, person)
            withheld = rows(
                self._db, f"SELECT role FROM role_withheld WHERE person = :person AND {AT}",
                {"person": person, "at": self._at},
            )  # fmt: skip
            bound = {each.role for each in bound_roles(self._db, person, self._at)}
            self._held[person] = frozenset(bound - {each["role"] for each in withheld})
        opens = row(
            self._db, f"SELECT permissions <> '[]' AS opens FROM role WHERE role = :role AND {AT}",
            {"role": role, "at": self._at},
        )  # fmt: skip
        apart = (each.together(person, self._held[person], self._at) for each in self._separations)
        return Use(
            opens=opens is not None and bool(opens["opens"]),
            last_used=self._used[person].get(role),
            since=_since(self._db, self._at, person, role),
            separated=any(role in together for together in apart),
        )

    def place(self, item: Item) -> Place:
        """Where an item stands among the others."""
        manager = self._managers.get(item.person)
        team, holders = self._teams.get(manager or "", set()), self._holders[manager or "", item.role]
        return Place(
            privileged=item.privileged,
            direct=all(not way.group for way in item.ways),
            alone=manager is not None and len(team) > 1 and holders <= 1,
        )

    def peers(self, item: Item) -> int:
        """Others of the review who hold the role and have the same manager."""
        manager = self._managers.get(item.person)
        return self._holders[manager, item.role] - 1 if manager else 0

    def odd(self, item: Item) -> tuple[Odd, ...]:
        """All that is unusual about it."""
        return unusual(self.use(item.person, item.role), self.place(item), self._at)

    @cached_property
    def _separations(self) -> tuple[Separation, ...]:
        return separations(self._db, self._at)

    @cached_property
    def _managers(self) -> dict[str, str]:
        found = rows(
            self._db, f"SELECT person, manager FROM person WHERE manager IS NOT NULL AND {AT}", {"at": self._at}
        )
        return {each["person"]: each["manager"] for each in found}

    @cached_property
    def _holders(self) -> Counter[tuple[str, str]]:
        return Counter((self._managers.get(each.person, ""), each.role) for each in self._items)

    @cached_property
    def _teams(self) -> dict[str, set[str]]:
        teams: dict[str, set[str]] = defaultdict(set)
        for each in self._items:
            teams[self._managers.get(each.person, "")].add(each.person)
        return teams


def _used(db: Snapshot, at: Instant, person: str) -> dict[str, Instant]:
    """When somebody last opened a session by each of their roles."""
    found = rows(
        db,
        "SELECT json_extract(because, '$.role') AS role, max(opened) AS last FROM session "
        "WHERE person = :person AND valid_from <= :at GROUP BY 1",
        {"person": person, "at": at},
    )
    return {each["role"]: each["last"] for each in found}


def _since(db: Snapshot, at: Instant, person: str, role: str) -> Instant | None:
    """Since when somebody is given a role: the first of the bindings that do so now, or of the groups that those name
    and they are in; None where none does."""
    begun: list[Instant] = []
    for each in bound_roles(db, person, at):
        if each.role == role:
            of = {"binding": each.binding, "grp": each.group, "person": person}
            bound = row(db, "SELECT min(valid_from) FROM binding WHERE binding = :binding", of)
            joined = row(db, "SELECT min(valid_from) FROM group_member WHERE person = :person AND grp = :grp", of)
            begun.append(max(found[0] for found in (bound, joined) if found is not None and found[0] is not None))
    return min(begun, default=None)
