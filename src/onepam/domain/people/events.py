"""People, service accounts and groups: who exists, and until when."""

from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.history.event import event, private
from onepam.kernel.clock import Instant

DIRECTORY_GROUP = "directory:"
"""Before the name of a group that a provider feeds. So no name at a provider reaches a group of `access.yaml`."""

ADMINISTRATOR = "administrator"
"""The origin of what an administrator did by hand; others are `scim:PROVIDER`, `claims:PROVIDER`, `roster`, `end`."""


def brought_by(origin: str, provider: str) -> bool:
    """Whether somebody of this origin came by this provider: by its SCIM requests, or by its sign-ins."""
    return origin in (f"scim:{provider}", f"claims:{provider}")


class PersonKind(StrEnum):
    """A vendor always has an end; a service account has an owner and never signs in to the console."""

    EMPLOYEE = "employee"
    VENDOR = "vendor"
    SERVICE = "service"


@event("person.added", klass="person", control="IDN-01 PRV-03 VND-01", words="{by} added {person}: {because}")
@dataclass(frozen=True, slots=True)
class PersonAdded:
    """Somebody (or a service account) may hold access from now on.

    `owner` is the person answerable: a vendor's sponsor, a service account's owner. `origin` is the way they came.
    """

    person: str
    kind: PersonKind
    because: str
    by: str | None
    owner: str | None
    ends: Instant | None
    manager: str | None = None
    name: str | None = private()
    email: str | None = private()
    origin: str = ADMINISTRATOR


@event("person.changed", klass="person", control="IDN-01 OFF-05", words="{by} changed what is known of {person}")
@dataclass(frozen=True, slots=True)
class PersonChanged:
    """The attributes as they are from now on. `kind` is None where it stays what it is. `readdressed`: an administrator
    gave another address than the one before."""

    person: str
    by: str | None
    manager: str | None
    owner: str | None
    ends: Instant | None
    name: str | None = private()
    email: str | None = private()
    kind: PersonKind | None = None
    readdressed: bool = False


@event("person.disabled", klass="person", control="OFF-01 OFF-02 OFF-04", words="{by} disabled {person}: {because}")
@dataclass(frozen=True, slots=True)
class PersonDisabled:
    """All access of this person ends now: sessions of every kind, grants, certificates and links.

    `origin` is the way the news came, `left_at` the time of leaving by the roster or the directory (None: not said),
    `notified` when we received the news (None: the decision itself is the news).
    """

    person: str
    by: str | None
    because: str
    origin: str = ADMINISTRATOR
    left_at: Instant | None = None
    notified: Instant | None = None


@event("person.enabled", klass="person", control="IDN-01 PRV-03", words="{by} enabled {person}: {because}")
@dataclass(frozen=True, slots=True)
class PersonEnabled:
    """The person may sign in again; what ended with `person.disabled` stays ended."""

    person: str
    by: str | None
    because: str


@event(
    "group.member_added",
    klass="access",
    control="PRV-01 RBC-01",
    words="{by} added {person} to the group {group} ({source})",
)
@dataclass(frozen=True, slots=True)
class GroupMemberAdded:
    """One member of a group, by one source: one event per member. Sources do not touch each other's memberships."""

    group: str
    person: str
    source: str
    by: str | None


@event(
    "group.member_removed",
    klass="access",
    control="OFF-01 OFF-05",
    words="{by} removed {person} from the group {group} ({source})",
)
@dataclass(frozen=True, slots=True)
class GroupMemberRemoved:
    """The opposite; what the person held through the group ends, unless another source says the same."""

    group: str
    person: str
    source: str
    by: str | None
