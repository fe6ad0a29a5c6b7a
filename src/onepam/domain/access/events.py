"""What changes of the roles say: resources, roles, and who is bound to them."""

from collections.abc import Mapping
from dataclasses import dataclass

from onepam.domain.access.earlier import DECLARED_RESOURCE, DECLARED_ROLE, ResourceSet2, RoleSet2
from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.model import ENVIRONMENT, ConsoleRight, MfaRule, Permission, ResourceKind, SubjectKind
from onepam.domain.access.session_users import SessionUsers
from onepam.domain.history.event import event, private
from onepam.kernel.clock import Instant


def _role_set(old: RoleSet2) -> "RoleSet":
    permissions = tuple([each.later() for each in old.permissions])
    return RoleSet(old.role, old.version, old.purpose, old.owner, permissions, old.console, old.change, old.by)


@event("role.set", klass="access", control="RBC-02 CHG-01", words=DECLARED_ROLE, version=3, upcast=_role_set)
@dataclass(frozen=True, slots=True)
class RoleSet:
    """The role as it is from now on. `version` is the hex SHA-256 of its canonical definition."""

    role: str
    version: str
    purpose: str
    owner: str
    permissions: tuple[Permission, ...]
    console: tuple[ConsoleRight, ...]
    change: str
    by: str | None


@event("role.removed", klass="access", control="RBC-02 CHG-01", words="{by} removed the role {role}")
@dataclass(frozen=True, slots=True)
class RoleRemoved:
    """The role no longer exists; its bindings give nothing."""

    role: str
    change: str
    by: str | None


def _resource_set(old: ResourceSet2) -> "ResourceSet":
    return ResourceSet(
        old.resource, old.kind, old.labels, old.owner, old.logins, old.pins, old.port, old.change, old.by, old.address,
        old.mfa, old.environment, old.mask, old.results,
    )  # fmt: skip


@event(
    "resource.set", klass="access", control="RBC-01 CHG-01", words=DECLARED_RESOURCE, version=3, upcast=_resource_set
)
@dataclass(frozen=True, slots=True)
class ResourceSet:
    """The resource as it is from now on. `pins` are what it is known by, set by an administrator: of SSH the OpenSSH
    public host keys, of PostgreSQL certificates (domain/access/kinds.py). `mfa` is None where the product's own rule is
    enough. `environment` names the variables, as names or patterns, that a client may send to the target. `mask` says
    what of a database's data is masked, and `results` how much of its results is recorded; None for nothing.
    `session_users`: for which logins of a database a user is made for each session; None for none.
    """

    resource: str
    kind: ResourceKind
    labels: Mapping[str, str]
    owner: str
    logins: tuple[str, ...]
    pins: tuple[str, ...]
    port: int
    change: str
    by: str | None
    address: str | None = private()
    mfa: MfaRule | None = None
    environment: tuple[str, ...] = ENVIRONMENT
    mask: Mask | None = None
    results: Results | None = None
    session_users: SessionUsers | None = None


@event("resource.removed", klass="access", control="RBC-01 CHG-01", words="{by} removed the resource {resource}")
@dataclass(frozen=True, slots=True)
class ResourceRemoved:
    """The resource can no longer be reached; sessions to it end."""

    resource: str
    change: str
    by: str | None


@event(
    "binding.added",
    klass="access",
    control="PRV-01 RBC-01",
    words="{by} gave the role {role} to {subject}[ until {ends}]",
)
@dataclass(frozen=True, slots=True)
class BindingAdded:
    """A role for a person or a group, from now until `ends` (None: until it is ended)."""

    binding: str
    role: str
    subject_kind: SubjectKind
    subject: str
    ends: Instant | None
    source: str
    because: str
    change: str
    by: str | None


@event("binding.ended", klass="access", control="OFF-01 OFF-04", words="{by} ended the binding {binding}: {because}")
@dataclass(frozen=True, slots=True)
class BindingEnded:
    """The binding gives nothing from now on; what rests on it ends."""

    binding: str
    because: str
    change: str
    by: str | None
