"""Changes of the role matrix: a file, its difference, and a second person where it widens anybody's access."""

from dataclasses import dataclass

from onepam.domain.event import event, private


@event("change.proposed", klass="access")
@dataclass(frozen=True, slots=True)
class ChangeProposed:
    """A plan that waits. `document` is the SHA-256 of the file, `digest` of the plan: base state and file together."""

    change: str
    document: str
    digest: str
    widens: bool
    by: str
    summary: str
    text: str | None = private()


@event("change.approved", klass="access")
@dataclass(frozen=True, slots=True)
class ChangeApproved:
    """Another authorised person approved exactly `digest`."""

    change: str
    digest: str
    by: str


@event("change.rejected", klass="access")
@dataclass(frozen=True, slots=True)
class ChangeRejected:
    """Denied, withdrawn or overtaken by another change."""

    change: str
    by: str | None
    because: str


@event("change.applied", klass="access")
@dataclass(frozen=True, slots=True)
class ChangeApplied:
    """The change is in force; its objects' events follow in the same command. `bootstrap`: before the first sign-in."""

    change: str
    document: str
    digest: str
    by: str | None
    bootstrap: bool
