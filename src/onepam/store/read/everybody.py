"""Everybody, a page at a time: who there is, by name, narrowed, and what lists say of each."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from operator import itemgetter
from typing import Any

from onepam.app.ports import Snapshot
from onepam.domain.leaving.brake import gives
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import DAY, Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.holders import IN_FORCE, MEMBER, holders, not_withheld
from onepam.store.facts.holdings import console_rights
from onepam.store.read.directory_brake import holds
from onepam.store.read.names import name, nameless
from onepam.store.read.paging import Page, Window
from onepam.store.read.second_factor import HAS_OWN, NEWEST_BASIS, LastSignIn, last_sign_ins

ENDS_SOON = 30 * DAY
"""From when on a coming end is a state of its own (microseconds)."""

_SORT = "coalesce(sort, '')"

_ROLES = f"""
SELECT b.subject AS person, b.role FROM json_each(:people) n JOIN binding b ON b.subject = n.value
WHERE b.subject_kind = 'person' AND {IN_FORCE} AND {not_withheld("b.subject")}
UNION
SELECT m.person, b.role FROM json_each(:people) n JOIN group_member m ON m.person = n.value AND {MEMBER}
JOIN binding b ON b.subject = m.grp AND b.subject_kind = 'group' AND {IN_FORCE} AND {not_withheld("m.person")}
"""
_SOUGHT_ROLES = f"b.role IN (SELECT role FROM role WHERE instr(role, :search) > 0 AND {AT})"
_STATE = """CASE WHEN p.enabled = 0 OR p.ends <= :at THEN 'disabled'
    WHEN p.kind = 'service' THEN 'active'
    WHEN p.ends - :at < :soon THEN 'ending'
    WHEN EXISTS (SELECT 1 FROM factor f WHERE f.person = p.person AND f.valid_from <= :at AND :at < f.valid_until)
        OR EXISTS (SELECT 1 FROM sign_in s WHERE s.person = p.person AND s.valid_from <= :at) THEN 'active'
    ELSE 'invited' END"""
_WHICH = f"""
FROM person p WHERE {AT}
AND (:search = '' OR instr(p.sought, :search) > 0
     OR (length(:search) > 1 AND p.person IN ({holders(_SOUGHT_ROLES)})))
AND (:kind = '' OR p.kind = :kind)
AND (:role = '' OR p.person IN ({holders("b.role = :role")}))
AND (:origin = '' OR p.origin = :origin OR substr(p.origin, 1, length(:origin) + 1) = :origin || ':')
AND (:state = '' OR {_STATE} = :state)
AND (:factor = '' OR (p.kind <> 'service' AND CASE :factor WHEN 'own' THEN {HAS_OWN}
     WHEN 'none' THEN NOT {HAS_OWN} AND {NEWEST_BASIS} NOT IN ('attested', 'declared', 'accepted')
     ELSE {NEWEST_BASIS} = :factor END))
"""


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Which people; what is "" narrows nothing.

    `search` is a part of name or address, or of a role's name. `state` is active, invited (neither a factor nor a
    sign-in yet), ending (within 30 days) or disabled; `origin` a way without its provider; `factor` own, none, or what
    the newest sign-in rests on. Whoever is under a hold still counts among their roles' holders.
    """

    search: str = ""
    kind: str = ""
    role: str = ""
    state: str = ""
    origin: str = ""
    factor: str = ""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as of an instant. `last` is the newest sign-in by then, `providers` the names of those with an identity.

    `invited` has neither a factor nor a sign-in yet. `origin` is the way they came (`domain.people`), `origin_name` the
    provider in it; `because` why they were added, disabled or enabled last.
    """

    person: str
    kind: PersonKind
    name: str
    email: str | None
    enabled: bool
    invited: bool
    manager: str | None
    manager_name: str
    owner: str | None
    owner_name: str
    ends: Instant | None
    added: Instant
    roles: tuple[str, ...]
    factors: tuple[str, ...]
    last: LastSignIn | None
    live: int
    origin: str
    origin_name: str
    because: str
    providers: tuple[str, ...]

    @property
    def last_sign_in(self) -> Instant | None:
        """When the newest sign-in was."""
        return self.last.opened if self.last else None


def people(
    db: Snapshot, at: Instant, which: PeopleFilter | None = None, window: Window | None = None
) -> Page[PersonRow]:
    """A page of everybody who was added by `at`, by name; those whose name was erased come first."""
    which, window = which or PeopleFilter(), window or Window()
    values = {**asdict(which), "search": which.search.strip().casefold(), "at": at, "soon": ENDS_SOON}
    after = row(db, f"SELECT {_SORT} FROM person WHERE person = :person AND {AT}", {"person": window.after, "at": at})
    found = rows(
        db,
        f"SELECT p.* {_WHICH} AND {_SORT} >= :sort AND ({_SORT} > :sort OR p.person > :after) "
        f"ORDER BY {_SORT}, p.person LIMIT :most",
        {**values, "sort": after[0] if after else "", "after": window.after if after else "", "most": window.most + 1},
    )
    counted = row(db, f"SELECT count(*) {_WHICH}", values)
    page = Page.of(found, window, counted[0] if counted else 0, itemgetter("person"))
    return page.map(lambda shown: describe(db, at, shown))


def find_people(db: Snapshot, at: Instant, search: str, most: int) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """The first few by name whose name or address has these words: (id, name, roles)."""
    found = rows(
        db,
        f"SELECT person, name FROM person WHERE instr(sought, :search) > 0 AND {AT} ORDER BY {_SORT}, person "
        "LIMIT :most",
        {"search": search.strip().casefold(), "at": at, "most": most},
    )
    roles = roles_of(db, at, [each["person"] for each in found])
    return tuple((each["person"], each["name"], tuple(sorted(set(roles[each["person"]])))) for each in found)


def describe(db: Snapshot, at: Instant, found: Sequence[Any]) -> tuple[PersonRow, ...]:
    """Rows of the table `person` with what lists say of each."""
    who = json.dumps([each["person"] for each in found])
    called = {each["person"]: each["name"] or nameless(each["person"]) for each in found}
    for other in {each[column] for each in found for column in ("manager", "owner")} - {None, *called}:
        called[other] = name(db, at, other)
    of = {"people": who, "at": at}
    factors = _listed(
        rows(
            db,
            "SELECT DISTINCT f.person, f.kind FROM json_each(:people) n JOIN factor f ON f.person = n.value "
            "WHERE f.valid_from <= :at AND :at < f.valid_until ORDER BY f.kind",
            of,
        )
    )
    at_home = _listed(
        rows(
            db,
            "SELECT DISTINCT i.person, i.provider FROM json_each(:people) n JOIN identity i ON i.person = n.value "
            "WHERE i.valid_from <= :at AND :at < i.valid_until",
            of,
        )
    )
    live = Counter(
        each[0]
        for each in rows(
            db,
            "SELECT s.person FROM json_each(:people) n JOIN session s ON s.person = n.value "
            "WHERE s.status = 'open' AND s.valid_from <= :at AND :at < s.valid_until",
            of,
        )
    )
    roles, providers = roles_of(db, at, [each["person"] for each in found]), provider_names(db, at)
    last = last_sign_ins(db, at, [each["person"] for each in found])
    return tuple(
        _row(each, called, roles[(who := each["person"])], factors[who], last.get(who), live[who], providers,
             at_home[who])
        for each in found
    )  # fmt: skip


def roles_of(db: Snapshot, at: Instant, people: Sequence[str]) -> defaultdict[str, list[str]]:
    """The names of these people's roles in force, direct and through groups; under a hold those that still give
    something."""
    console, held = dict[str, Any](), holds(db, at)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for each in rows(db, _ROLES, {"people": json.dumps(people), "at": at}):
        role, who = each["role"], each["person"]
        if role not in console:
            known = row(db, f"SELECT console FROM role WHERE role = :role AND {AT}", {"role": role, "at": at})
            console[role] = console_rights(known["console"]) if known else None
        if console[role] is not None and gives(console[role], held.get(who)):
            found[who].append(role)
    return found


def provider_names(db: Snapshot, at: Instant) -> dict[str, str]:
    """What identity providers are or were last called, by id."""
    found = rows(db, "SELECT provider, name FROM provider WHERE valid_from <= :at ORDER BY valid_from", {"at": at})
    return {each["provider"]: each["name"] for each in found}


def _listed(found: Iterable[Any]) -> defaultdict[str, list[str]]:
    listed: defaultdict[str, list[str]] = defaultdict(list)
    for each in found:
        listed[each[0]].append(each[1])
    return listed


def _row(
    found: Any,
    called: Mapping[str, str],
    roles: Iterable[str],
    factors: Iterable[str],
    last: LastSignIn | None,
    live: int,
    providers: Mapping[str, str],
    at_home: Iterable[str],
) -> PersonRow:
    kinds = tuple(factors)
    return PersonRow(
        person=found["person"],
        kind=PersonKind(found["kind"]),
        name=called[found["person"]],
        email=found["email"],
        enabled=bool(found["enabled"]),
        invited=not kinds and last is None,
        manager=found["manager"],
        manager_name=called.get(found["manager"], ""),
        owner=found["owner"],
        owner_name=called.get(found["owner"], ""),
        ends=found["ends"],
        added=found["added"],
        roles=tuple(sorted(set(roles))),
        factors=kinds,
        last=last,
        live=live,
        origin=found["origin"],
        origin_name=providers.get(found["origin"].partition(":")[2], ""),
        because=found["because"],
        providers=tuple(sorted(providers.get(each, each) for each in set(at_home))),
    )
