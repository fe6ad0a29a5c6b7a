"""What is so of the accesses that a review is of: when each was used, since when it is given, and among whom."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from onepam.app.ports import Snapshot
from onepam.domain.access.separation import Separation
from onepam.domain.reviews.advice import Odd, Place, Use, unusual
from onepam.domain.reviews.population import SYSTEM, Item, is_beyond
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import separations


@dataclass(frozen=True, slots=True)
class _Bound:
    """A binding by which somebody is given a role now, whether the role opens sessions, and since when they are."""

    role: str
    opens: bool
    since: Instant


class Circumstances:
    """Asked of one access after another, as of `at`; `items` are all that the review is of. Of `people` the tables are
    asked together, of anybody else when they are asked for."""

    def __init__(self, db: Snapshot, at: Instant, items: Iterable[Item] = (), people: Iterable[str] = ()) -> None:
        self._db, self._at, self._items = db, at, items
        self._people = frozenset(people)
        self._used: dict[str, dict[str, Instant]] = {}
        self._bound: dict[str, list[_Bound]] = {}
        self._withheld: dict[str, set[str]] = {}
        self._held: dict[str, Counter[str]] = {}

    def use(self, person: str, role: str) -> Use:
        """How somebody uses a role."""
        bound = [each for each in self._bound_to(person) if each.role == role]
        held = frozenset(each.role for each in self._bound_to(person)) - self._withheld[person]
        apart = (each.together(person, held, self._at) for each in self._separations)
        there = is_beyond(role)  # of which nothing is known but what its list says, if that says when it was used
        return Use(
            opens=role in self._used[person] if there else bound[0].opens if bound else self._opens(role),
            last_used=self._used[person].get(role),
            since=min((each.since for each in bound), default=None),
            separated=any(role in together for together in apart),
        )

    def bound(self, person: str, role: str) -> bool:
        """Whether a binding gives somebody the role now, withheld or not."""
        return any(each.role == role for each in self._bound_to(person))

    def place(self, item: Item) -> Place:
        """Where an item stands among the others."""
        manager = self._managers.get(item.person)
        team = self._teams.get(manager or "", ())
        return Place(
            privileged=item.privileged,
            direct=all(not way.group for way in item.ways),
            alone=manager is not None and self.peers(item) <= 0 and any(each.person != item.person for each in team),
        )

    def peers(self, item: Item) -> int:
        """Others of the review who hold the role and have the same manager."""
        manager = self._managers.get(item.person)
        if not manager:
            return 0
        if manager not in self._held:
            self._held[manager] = Counter(each.role for each in self._teams.get(manager, ()))
        return self._held[manager][item.role] - 1

    def odd(self, item: Item) -> tuple[Odd, ...]:
        """All that is unusual about it."""
        return unusual(self.use(item.person, item.role), self.place(item), self._at)

    def _bound_to(self, person: str) -> list[_Bound]:
        if person not in self._bound:
            self._ask(self._people | {person} if not self._bound else {person})
        return self._bound[person]

    def _ask(self, people: Iterable[str]) -> None:
        """All that is so of several people."""
        of = {"people": json.dumps(sorted(people)), "at": self._at}
        for each in people:
            self._used[each], self._bound[each], self._withheld[each] = {}, [], set()
        for person, role, last in rows(self._db, _USED, of):
            self._used[person][role] = last
        for person, system, last in rows(self._db, _USED_THERE, of):
            self._used[person][SYSTEM + system] = last
        for person, role in rows(self._db, _WITHHELD, of):
            self._withheld[person].add(role)
        joined = {(person, group): since for person, group, since in rows(self._db, _JOINED, of)}
        found = [each for each in rows(self._db, _BOUND, of) if each["ends"] is None or each["ends"] > self._at]
        named = json.dumps(sorted({each["binding"] for each in found}))
        begun = {each["binding"]: each["since"] for each in rows(self._db, _BEGUN, {"bindings": named})}
        for it in found:
            since = max(begun[it["binding"]], joined.get((it["person"], it["grp"]), Instant(0)))
            self._bound[it["person"]].append(_Bound(it["role"], bool(it["opens"]), since))

    def _opens(self, role: str) -> bool:
        """Of a role that is not bound any more."""
        opens = f"SELECT 1 FROM role WHERE role = :role AND permissions <> '[]' AND {AT}"
        return row(self._db, opens, {"role": role, "at": self._at}) is not None

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
    def _teams(self) -> dict[str, list[Item]]:
        """The items of those who have the same manager."""
        teams: dict[str, list[Item]] = defaultdict(list)
        for each in self._items:
            teams[self._managers.get(each.person, "")].append(each)
        return teams


_AMONG = "IN (SELECT value FROM json_each(:people))"
_USED = (
    "SELECT person, json_extract(because, '$.role') AS role, max(opened) AS last FROM session "
    f"WHERE person {_AMONG} AND valid_from <= :at GROUP BY 1, 2"
)
"""When they last opened a session by each of their roles."""

_USED_THERE = (
    f"SELECT person, system, max(used) FROM listed_account WHERE person {_AMONG} AND used IS NOT NULL AND {AT} "
    "GROUP BY 1, 2"
)
"""When an account of theirs in another system was last used, by its list."""

_WITHHELD = f"SELECT person, role FROM role_withheld WHERE person {_AMONG} AND {AT}"
_JOINED = f"SELECT person, grp, min(valid_from) FROM group_member WHERE person {_AMONG} GROUP BY 1, 2"
_BEGUN = (
    "SELECT binding, min(valid_from) AS since FROM binding "
    "WHERE binding IN (SELECT value FROM json_each(:bindings)) GROUP BY 1"
)
_BOUND = f"""
SELECT b.person, b.grp, b.binding, b.ends, b.role, r.permissions <> '[]' AS opens FROM (
    SELECT subject AS person, '' AS grp, binding, ends, role FROM binding
    WHERE subject {_AMONG} AND subject_kind = 'person' AND {AT}
    UNION  -- several sources may say the same membership
    SELECT m.person, m.grp, b.binding, b.ends, b.role FROM group_member m
    JOIN binding b ON b.subject = m.grp AND b.subject_kind = 'group' AND b.valid_from <= :at AND :at < b.valid_until
    WHERE m.person {_AMONG} AND m.valid_from <= :at AND :at < m.valid_until
) b JOIN role r ON r.role = b.role AND r.valid_from <= :at AND :at < r.valid_until
ORDER BY 1, 5, 3"""
"""By what they are given roles; since when, say the two before: since the first time that the binding was, and since
they first were in the group."""
