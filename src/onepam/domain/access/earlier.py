"""The records of earlier versions, as entries of then hold them; each knows how it reads in the version after it."""

from collections.abc import Mapping
from dataclasses import dataclass

from onepam.domain.access.asked import Asking
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.hours import Schedule, Weekly
from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.model import (
    ENVIRONMENT,
    Action,
    ConsoleRight,
    MfaRule,
    Mode,
    Permission,
    Recording,
    ResourceKind,
    Substance,
)
from onepam.domain.history.event import event, private
from onepam.kernel.clock import Instant

DECLARED_ROLE = "{by} declared the role {role}"
DECLARED_RESOURCE = "{by} declared the resource {resource}"
"""The words of these kinds, in every version."""


@dataclass(frozen=True, slots=True)
class Guardrails1:
    """Of before there was a bound of bytes, or of how long a statement waits."""

    statements: tuple[StatementClass, ...]
    rows: int | None = None
    timeout: int | None = None

    def later(self) -> Guardrails:
        """As they read in the version after it."""
        return Guardrails(self.statements, self.rows, self.timeout)


def later_guardrails(old: Guardrails1 | None) -> Guardrails | None:
    """As they read in the version after it, where there are any."""
    return None if old is None else old.later()


@dataclass(frozen=True, slots=True)
class Asking1:
    """Of before access could last from its first use, or be had without a yes."""

    ticket: str = ""
    ticketed: bool = False
    ahead: int = 0
    weekly: int = 0
    approvals: int = 1
    escalates: int = 0
    then: tuple[str, ...] = ()

    def later(self) -> Asking:
        """As it reads in the version after it."""
        return Asking(
            self.ticket, self.ticketed, self.ahead, self.weekly, self.approvals, self.escalates, self.then
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Schedule1:
    """Of before access could last from its first use."""

    begins: Instant | None = None
    weekly: Weekly | None = None
    extends: str = ""

    def later(self) -> Schedule:
        """As it reads in the version after it."""
        return Schedule(self.begins, self.weekly, self.extends)


@dataclass(frozen=True, slots=True)
class Substance1:
    """Of version 1: from the approval on."""

    person: str
    resource: str
    login: str
    role: str
    role_version: str
    permission: str
    actions: tuple[Action, ...]
    duration: int
    guardrails: Guardrails1 | None = None

    def later(self) -> "Substance2":
        """As it reads in the version after it."""
        return Substance2(
            self.person, self.resource, self.login, self.role, self.role_version, self.permission, self.actions,
            self.duration, self.guardrails,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Substance2:
    """Of version 2: its duration counted from its beginning."""

    person: str
    resource: str
    login: str
    role: str
    role_version: str
    permission: str
    actions: tuple[Action, ...]
    duration: int
    guardrails: Guardrails1 | None = None
    schedule: Schedule1 | None = None

    def later(self) -> Substance:
        """As it reads in the version after it."""
        schedule = None if self.schedule is None else self.schedule.later()
        return Substance(
            self.person, self.resource, self.login, self.role, self.role_version, self.permission, self.actions,
            self.duration, later_guardrails(self.guardrails), schedule,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Permission1:
    """Of version 1: it was asked for plainly."""

    name: str
    actions: tuple[Action, ...]
    where: Mapping[str, str]
    logins: tuple[str, ...]
    mode: Mode
    longest: int
    approvers: tuple[str, ...] = ()
    administrative: bool = False
    recording: Recording | None = None
    guardrails: Guardrails1 | None = None

    def later(self) -> "Permission2":
        """As it reads in the version after it."""
        return Permission2(
            self.name, self.actions, self.where, self.logins, self.mode, self.longest, self.approvers,
            self.administrative, self.recording, self.guardrails,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Permission2:
    """Of version 2: of results the rows were bound alone, and nothing was had without a yes."""

    name: str
    actions: tuple[Action, ...]
    where: Mapping[str, str]
    logins: tuple[str, ...]
    mode: Mode
    longest: int
    approvers: tuple[str, ...] = ()
    administrative: bool = False
    recording: Recording | None = None
    guardrails: Guardrails1 | None = None
    asking: Asking1 | None = None

    def later(self) -> Permission:
        """As it reads in the version after it."""
        asking = None if self.asking is None else self.asking.later()
        return Permission(
            self.name, self.actions, self.where, self.logins, self.mode, self.longest, self.approvers,
            self.administrative, self.recording, later_guardrails(self.guardrails), asking,
        )  # fmt: skip


@event("role.set", klass="access", control="RBC-02 CHG-01", words=DECLARED_ROLE)
@dataclass(frozen=True, slots=True)
class RoleSet1:
    """Version 1: what is on request was asked for plainly."""

    role: str
    version: str
    purpose: str
    owner: str
    permissions: tuple[Permission1, ...]
    console: tuple[ConsoleRight, ...]
    change: str
    by: str | None


def _role_set_2(old: RoleSet1) -> "RoleSet2":
    permissions = tuple([each.later() for each in old.permissions])
    return RoleSet2(old.role, old.version, old.purpose, old.owner, permissions, old.console, old.change, old.by)


@event("role.set", klass="access", control="RBC-02 CHG-01", words=DECLARED_ROLE, version=2, upcast=_role_set_2)
@dataclass(frozen=True, slots=True)
class RoleSet2:
    """Version 2: of results the rows were bound alone, and each statement waited as long as the product has it."""

    role: str
    version: str
    purpose: str
    owner: str
    permissions: tuple[Permission2, ...]
    console: tuple[ConsoleRight, ...]
    change: str
    by: str | None


@event("resource.set", klass="access", control="RBC-01 CHG-01", words=DECLARED_RESOURCE)
@dataclass(frozen=True, slots=True)
class ResourceSet1:
    """Version 1: nothing was masked, and no results were kept."""

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


def _resource_set_2(old: ResourceSet1) -> "ResourceSet2":
    return ResourceSet2(
        old.resource, old.kind, old.labels, old.owner, old.logins, old.pins, old.port, old.change, old.by, old.address,
        old.mfa, old.environment,
    )  # fmt: skip


@event(
    "resource.set", klass="access", control="RBC-01 CHG-01", words=DECLARED_RESOURCE, version=2, upcast=_resource_set_2
)
@dataclass(frozen=True, slots=True)
class ResourceSet2:
    """Version 2: every login was an account."""

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
