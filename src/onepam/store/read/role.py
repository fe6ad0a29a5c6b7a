"""One role: what it gives, to whom it is bound, and by which way somebody holds it."""

from dataclasses import dataclass
from operator import attrgetter

from onepam.app.ports import Snapshot
from onepam.domain.access.model import SubjectKind
from onepam.domain.access.separation import Separation
from onepam.domain.matrix.matrix import RoleDefinition
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.changes import role_definition
from onepam.store.facts.holders import IN_FORCE
from onepam.store.facts.holdings import separations
from onepam.store.read.names import Called, provider_name
from onepam.store.read.paging import Page, Window


@dataclass(frozen=True, slots=True)
class Bound:
    """A binding of the role: to a person, by `name`, or to a group of so many `members`, from so many of whom a review
    has it `withheld`. `fillers` are who fills the group besides access.yaml, by name."""

    binding: str
    subject_kind: SubjectKind
    subject: str
    name: str
    since: Instant
    ends: Instant | None
    source: str
    because: str
    members: int
    withheld: int
    fillers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleDetail:
    """The role, so since `since`, and a page of its bindings in force: groups first, then people by name. `reviewed`
    is when a review decided on it of anybody last, `apart` are the separations that it stands in."""

    role: RoleDefinition
    owner_name: str
    bound: Page[Bound]
    since: Instant
    reviewed: Instant | None
    apart: tuple[Separation, ...]


_BOUND = f"""
SELECT b.binding, b.role, b.subject_kind, b.subject, b.starts, b.ends, b.source, b.because,
       coalesce(p.sort, '') AS called
FROM binding b LEFT JOIN person p
ON b.subject_kind = 'person' AND p.person = b.subject AND p.valid_from <= :at AND :at < p.valid_until
WHERE b.role = :role AND {IN_FORCE}
"""


def role(db: Snapshot, at: Instant, role: str, window: Window | None = None) -> RoleDetail | None:
    """The role as of `at` with a page of its bindings; None where there is none."""
    found = row(db, f"SELECT * FROM role WHERE role = :role AND {AT}", {"role": role, "at": at})
    if found is None:
        return None
    window, defined, called = window or Window(), role_definition(found), Called(db, at)
    of = {"role": role, "at": at}
    after = row(db, f"SELECT * FROM ({_BOUND}) x WHERE x.binding = :after", {**of, "after": window.after})
    shown = rows(
        db,
        f"SELECT * FROM ({_BOUND}) x WHERE x.called >= :sort AND (x.called > :sort OR x.binding > :after) "
        "ORDER BY x.called, x.binding LIMIT :most",
        {
            **of,
            "sort": after["called"] if after else "",
            "after": window.after if after else "",
            "most": window.most + 1,
        },
    )
    counted = row(db, f"SELECT count(*) FROM ({_BOUND}) x", of)
    page: Page[Bound] = Page.of(
        [_bound(db, at, each, called) for each in shown], window, counted[0] if counted else 0, attrgetter("binding")
    )
    return RoleDetail(
        role=defined,
        owner_name=called.get(defined.owner, defined.owner),
        bound=page,
        since=found["valid_from"],
        reviewed=reviewed_last(db, at, role),
        apart=tuple(each for each in separations(db, at) if role in each.roles),
    )


def reviewed_last(db: Snapshot, at: Instant, role: str) -> Instant | None:
    """When a review decided on the role of anybody last."""
    found = row(
        db, f"SELECT max(decided) AS last FROM review_decision WHERE role = :role AND {AT}", {"role": role, "at": at}
    )
    return found["last"] if found is not None else None


def fillers(db: Snapshot, at: Instant, group: str, person: str = "") -> tuple[str, ...]:
    """The names of the identity providers by which the group has members, or has this one."""
    found = rows(
        db,
        f"SELECT DISTINCT source FROM group_member WHERE grp = :grp AND (:person = '' OR person = :person) AND {AT}",
        {"grp": group, "person": person, "at": at},
    )
    named = (each["source"].partition(":")[2] for each in found)
    return tuple(sorted(provider_name(db, at, each) for each in named if each))


def role_names(db: Snapshot, at: Instant) -> tuple[tuple[str, str], ...]:
    """All roles with their purposes, by name."""
    found = rows(db, f"SELECT role, purpose FROM role WHERE {AT} ORDER BY sort, role", {"at": at})
    return tuple((each["role"], each["purpose"]) for each in found)


def _bound(db: Snapshot, at: Instant, found: Row, called: Called) -> Bound:
    kind, subject = SubjectKind(found["subject_kind"]), found["subject"]
    group = kind is SubjectKind.GROUP
    members = f"SELECT person FROM group_member WHERE grp = :subject AND {AT}" if group else "SELECT :subject AS person"
    of = {"subject": subject, "role": found["role"], "at": at}
    counted = row(db, f"SELECT count(DISTINCT person) FROM ({members}) m", of)
    without = row(db, f"SELECT count(*) FROM role_withheld WHERE role = :role AND person IN ({members}) AND {AT}", of)
    return Bound(
        binding=found["binding"],
        subject_kind=kind,
        subject=subject,
        name=subject if group else called.get(subject, subject),
        since=found["starts"],
        ends=found["ends"],
        source=found["source"],
        because=found["because"],
        members=counted[0] if counted else 0,
        withheld=without[0] if without else 0,
        fillers=fillers(db, at, subject) if group else (),
    )
