"""The role matrix as designed against what is: the differences, and how many administer over time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.access.model import ConsoleRight
from onepam.domain.matrix.difference import Actual, Differs, Found, difference
from onepam.domain.matrix.file import InvalidFile, read_access, resolve
from onepam.domain.matrix.matrix import Matrix, Someone
from onepam.domain.matrix.suggesting import Suggestion, suggestions
from onepam.kernel.clock import DAY, Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.changes import matrix, people
from onepam.store.facts.holders import PRESENT, holders
from onepam.store.facts.holdings import console_rights, grant_of, permissions
from onepam.store.read.changes import file_in_force
from onepam.store.read.names import Called
from onepam.store.read.unused import Use

MONTH = 30 * DAY
POINTS = 13
"""Of a trend: now, and a year back in steps of 30 days."""


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A difference with its person's name."""

    differs: Differs
    role: str
    person: str
    name: str
    resource: str
    detail: str

    @property
    def words(self) -> str:
        """How it differs."""
        return self.differs.words


@dataclass(frozen=True, slots=True)
class Differences:
    """All differences as of an instant, and how many of each kind. `document` is the SHA-256 of the file in force, ""
    before the first; `designed`: its text is kept and could be read, so that it was compared."""

    rows: tuple[FoundRow, ...]
    counts: dict[Differs, int]
    document: str
    designed: bool


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the people who were here administered something at an instant."""

    at: Instant
    administer: int
    people: int

    @property
    def part(self) -> float:
        """0 to 1."""
        return self.administer / self.people if self.people else 0.0


def differences(db: Snapshot, at: Instant) -> Differences:
    """The file in force against the tables."""
    document, text = file_in_force(db, at)
    everybody = people(db, at)
    designed = _designed(db, at, text, everybody)
    found = difference(designed, _actual(db, at, everybody), at)
    called = Called(db, at)
    return Differences(
        tuple(_row(each, called) for each in found),
        dict(Counter(each.differs for each in found)),
        document,
        designed is not None,
    )


def _row(found: Found, called: Called) -> FoundRow:
    name = called.get(found.person, found.person) if found.person else ""
    return FoundRow(found.differs, found.role, found.person, name, found.resource, found.detail)


def _designed(db: Snapshot, at: Instant, text: str, everybody: tuple[Someone, ...]) -> Matrix | None:
    """Read with the people as they were when it came into force: addresses change, and may name somebody else now."""
    if not text:
        return None
    applied = row(
        db, f"SELECT valid_from FROM change WHERE status = 'applied' AND {AT} ORDER BY valid_from DESC LIMIT 1",
        {"at": at},
    )  # fmt: skip
    then = people(db, applied["valid_from"]) if applied is not None else everybody
    found = resolve(read_access(text), then)
    return None if isinstance(found, InvalidFile) else found


def _actual(db: Snapshot, at: Instant, everybody: tuple[Someone, ...]) -> Actual:
    grants = rows(db, f"SELECT * FROM access_grant WHERE {AT} AND ends > :at", {"at": at})
    return Actual(
        matrix=matrix(db, at),
        people=everybody,
        grants=tuple(grant_of(each) for each in grants),
        reviewed=reviewed_last_of_all(db, at),
        since=_since(db, at),
    )


def reviewed_last_of_all(db: Snapshot, at: Instant) -> dict[str, Instant]:
    """By role when a review decided on it of anybody last."""
    found = rows(db, f"SELECT role, max(decided) AS last FROM review_decision WHERE {AT} GROUP BY role", {"at": at})
    return {each["role"]: each["last"] for each in found}


def _since(db: Snapshot, at: Instant) -> dict[str, Instant]:
    found = rows(
        db, "SELECT role, min(valid_from) AS since FROM role WHERE valid_from <= :at GROUP BY role", {"at": at}
    )
    return {each["role"]: each["since"] for each in found}


def administering(db: Snapshot, at: Instant) -> tuple[Share, ...]:
    """The share of people who hold a role that administers OnePAM, or anything administrative: the oldest first."""
    began = row(db, "SELECT min(valid_from) AS began FROM person")
    founded = began["began"] if began is not None else None
    points = (Instant(at - number * MONTH) for number in reversed(range(POINTS)))
    return tuple(_share(db, each) for each in points if founded is not None and each >= founded)


def _share(db: Snapshot, at: Instant) -> Share:
    counted = row(db, f"SELECT count(*) FROM person p WHERE {PRESENT} AND p.kind <> 'service'", {"at": at})
    return Share(at, len(administering_people(db, at)), counted[0] if counted else 0)


def administering_people(db: Snapshot, at: Instant) -> set[str]:
    """Who is here and holds a role that administers OnePAM, or anything administrative."""
    held: set[str] = set()
    for role in _administrative(db, at):
        of = {"role": role, "at": at}
        found = rows(
            db,
            f"SELECT h.person FROM ({holders('b.role = :role')}) h JOIN person p ON p.person = h.person "
            f"WHERE {PRESENT} AND p.kind <> 'service'",
            of,
        )
        held |= {each["person"] for each in found}
    return held


def _administrative(db: Snapshot, at: Instant) -> Iterator[str]:
    for each in rows(db, f"SELECT role, permissions, console FROM role WHERE {AT}", {"at": at}):
        if ConsoleRight.ADMINISTER in console_rights(each["console"]) or any(
            allowed.administrative for allowed in permissions(each["permissions"])
        ):
            yield each["role"]


def suggested(db: Snapshot, at: Instant, use: Use | None = None) -> tuple[tuple[Suggestion, str], ...]:
    """Roles that people of one manager would need by what they used, each with the manager's address, "" where that
    was erased."""
    use, now = use or Use(db, at), matrix(db, at)
    used: dict[str, set[tuple[str, str]]] = {}
    for (person, _, resource, login), each in use.used():
        if each.sessions:
            used.setdefault(person, set()).add((resource, login))
    above = rows(db, f"SELECT person, manager FROM person WHERE enabled = 1 AND {AT}", {"at": at})
    found = suggestions(
        {person: frozenset(pairs) for person, pairs in used.items()},
        {each["person"]: each["manager"] for each in above},
        now.resources,
        use.reach,
    )
    address = "SELECT email FROM person WHERE person = :person AND " + AT
    return tuple(
        (each, (known["email"] or "") if (known := row(db, address, {"person": each.manager, "at": at})) else "")
        for each in found
    )
