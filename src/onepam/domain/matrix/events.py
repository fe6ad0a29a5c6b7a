"""Changes of the role matrix: a file, its difference, and a second person where it widens anybody's access."""

from dataclasses import dataclass

from onepam.domain.history.event import event, private


@event(
    "change.proposed",
    klass="access",
    control="CHG-01 RBC-02",
    words="{by} proposed the change {change}[, {title}]: {summary}[; {reason}][; ticket {ticket}]",
)
@dataclass(frozen=True, slots=True)
class ChangeProposed:
    """A plan: a file (`text`, SHA-256 `document`) over the state that `digest` names with it. It waits if it `widens`.

    `by` is None for the bootstrap. `summary` counts what changes and names nobody; `title`, `reason`, `ticket` are
    its proposer's words.
    """

    change: str
    document: str
    digest: str
    widens: bool
    by: str | None
    summary: str
    text: str | None = private()
    title: str | None = private()
    reason: str | None = private()
    ticket: str | None = private()


@event("change.approved", klass="access", control="CHG-01 PRV-02", words="{by} approved the change {change}")
@dataclass(frozen=True, slots=True)
class ChangeApproved:
    """Another authorised person approved exactly `digest`."""

    change: str
    digest: str
    by: str


@event(
    "change.rejected",
    klass="access",
    control="CHG-01",
    words="{by} rejected the change {change}: {because}[; {reason}]",
)
@dataclass(frozen=True, slots=True)
class ChangeRejected:
    """Denied, withdrawn or overtaken by another change: `because` is the code, `reason` the person's words."""

    change: str
    by: str | None
    because: str
    reason: str | None = private()


@event(
    "change.refused",
    klass="access",
    control="CHG-01",
    words="{by} was refused to decide on the change {change}: {code}",
)
@dataclass(frozen=True, slots=True)
class ChangeRefused:
    """Somebody tried to gain by what they change, or to approve what was not what is proposed."""

    change: str
    by: str
    code: str


@event("change.applied", klass="access", control="CHG-01 RBC-02", words="{by} applied the change {change}")
@dataclass(frozen=True, slots=True)
class ChangeApplied:
    """The change is in force; its objects' events follow in the same command. `bootstrap`: before the first sign-in."""

    change: str
    document: str
    digest: str
    by: str | None
    bootstrap: bool
