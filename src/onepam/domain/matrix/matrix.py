"""The role matrix as a value: groups, resources, roles and bindings, as they are or as a file wants them."""

from base64 import b32encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.model import ENVIRONMENT, ConsoleRight, MfaRule, Permission, ResourceKind, SubjectKind
from onepam.domain.access.review_schedule import BUILT_IN, ReviewSchedule
from onepam.domain.access.separation import Breach, Separation
from onepam.domain.access.session_users import SessionUsers
from onepam.domain.access.unsaid import without_unsaid
from onepam.domain.history.event import plain
from onepam.kernel.canonical import Json, encode
from onepam.kernel.clock import Instant

SOURCE = "access.yaml"
"""The source of the memberships and bindings that the file manages; those of other sources it leaves alone."""


@dataclass(frozen=True, slots=True)
class ResourceDefinition:
    """A resource; `owner` is a person's identifier, `address` None only where it was erased."""

    resource: str
    kind: ResourceKind
    address: str | None
    port: int
    labels: Mapping[str, str]
    owner: str
    logins: tuple[str, ...]
    pins: tuple[str, ...]
    mfa: MfaRule | None = None
    environment: tuple[str, ...] = ENVIRONMENT
    mask: Mask | None = None
    results: Results | None = None
    session_users: SessionUsers | None = None


def _record(value: object) -> dict[str, Json]:
    said = plain(value)
    assert isinstance(said, dict)  # of a record
    return said


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role with its permissions in the order of their names."""

    role: str
    purpose: str
    owner: str
    console: tuple[ConsoleRight, ...]
    permissions: tuple[Permission, ...]

    def version(self) -> str:
        """Hex SHA-256 of the canonical definition: what requests, grants and sessions say they rest on."""
        return sha256(encode(self.canonical())).hexdigest()

    def canonical(self) -> Json:
        """What it says, as digests are made of it."""
        said = _record(self)
        said["permissions"] = [without_unsaid(each) for each in map(_record, self.permissions)]
        return said

    def permission(self, name: str) -> Permission | None:
        """The permission of that name."""
        return next((each for each in self.permissions if each.name == name), None)


@dataclass(frozen=True, slots=True)
class BindingDefinition:
    """A role for a person (by identifier) or a group, until `ends`."""

    binding: str
    role: str
    subject_kind: SubjectKind
    subject: str
    ends: Instant | None
    because: str
    source: str = SOURCE

    def in_force(self, now: Instant) -> bool:
        """Whether it has not ended by its own date."""
        return self.ends is None or self.ends > now


@dataclass(frozen=True, slots=True)
class Matrix:
    """Everything that decides who reaches what, but for people's own dates and grants; and when that is reviewed.

    `groups` maps a group to its members and each member to the source that put it there. `withheld` are people and
    roles: what a review took from somebody, whatever gives it to them.
    """

    groups: Mapping[str, Mapping[str, str]]
    resources: Mapping[str, ResourceDefinition]
    roles: Mapping[str, RoleDefinition]
    bindings: Mapping[str, BindingDefinition]
    withheld: frozenset[tuple[str, str]] = frozenset()
    separations: Mapping[str, Separation] = field(default_factory=dict)
    reviews: ReviewSchedule = BUILT_IN

    def digest(self) -> str:
        """Hex SHA-256 over all of it. Two matrices with one digest are the same."""
        said = [
            [type(each).__name__, plain(each)]
            for part in (self.resources, self.bindings, self.separations)
            for each in part.values()
        ]
        said += [[type(each).__name__, each.canonical()] for each in self.roles.values()]
        lines = sorted(map(encode, said))
        lines += sorted(encode(["member", group, plain(members)]) for group, members in self.groups.items() if members)
        lines += sorted(encode(["withheld", person, role]) for person, role in self.withheld)
        if self.reviews != BUILT_IN:
            lines.append(encode(["reviews", plain(self.reviews)]))
        return sha256(b"\n".join(lines)).hexdigest()

    def gives(self, binding: BindingDefinition, person: str) -> bool:
        """Whether the binding's role exists and the binding gives it to the person."""
        if binding.role not in self.roles or (person, binding.role) in self.withheld:
            return False
        if binding.subject_kind is SubjectKind.PERSON:
            return binding.subject == person
        return person in self.groups.get(binding.subject, ())

    def members(self, binding: BindingDefinition) -> tuple[str, ...]:
        """The people that the binding gives its role to."""
        if binding.subject_kind is SubjectKind.PERSON:
            found: tuple[str, ...] = (binding.subject,)
        else:
            found = tuple(self.groups.get(binding.subject, ()))
        return tuple([each for each in found if (each, binding.role) not in self.withheld]) if self.withheld else found

    def holding(self, roles: frozenset[str], now: Instant) -> dict[str, set[str]]:
        """By person which of these roles they hold at `now`, whether they are enabled or not."""
        found: dict[str, set[str]] = {}
        for binding in self.bindings.values():
            if binding.role in roles and binding.role in self.roles and binding.in_force(now):
                for person in self.members(binding):
                    found.setdefault(person, set()).add(binding.role)
        return found

    def broken(self, now: Instant) -> Iterator[Breach]:
        """Who holds what separations keep apart, and is not excused."""
        for name, each in sorted(self.separations.items()):
            for person, held in sorted(self.holding(frozenset(each.roles), now).items()):
                if together := each.together(person, held, now):
                    yield Breach(name, each.because, person, together)


@dataclass(frozen=True, slots=True)
class Someone:
    """A person as far as the matrix needs one; `email` is in lower case, empty where it was erased."""

    person: str
    email: str
    enabled: bool
    ends: Instant | None

    def present(self, now: Instant) -> bool:
        """Whether the person may hold access at `now`."""
        return self.enabled and (self.ends is None or self.ends > now)


def binding_id(role: str, subject_kind: SubjectKind, subject: str) -> str:
    """The identifier of the file's binding of a role to a subject: the same in every file that says the same."""
    named: Json = [role, subject_kind.value, subject]
    return f"bnd_{b32encode(sha256(encode(named)).digest()[:10]).decode('ascii').lower()}"
