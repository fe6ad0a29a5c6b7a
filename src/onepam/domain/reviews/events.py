"""What a review of access writes down: that it began, what was decided of whom, what was withheld, and that it is over.

What is reviewed stands in no entry and in no copy: it is what the history gives at the instant of `review.opened`, and
that entry holds its digest (`population.py`). Only decisions are entries, and what follows from them.
"""

from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.access.review_schedule import Suspends
from onepam.domain.history.event import event, private
from onepam.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class Scope1:
    """What a review was of, before there were other systems."""

    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    privileged: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What a review is of; what is empty narrows nothing. `resources`: roles that reach one of these. `privileged`:
    roles that administer, decide or reach production only. `systems`: what is held in one of these other systems."""

    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    privileged: bool = False
    systems: tuple[str, ...] = ()


@event(
    "review.opened",
    klass="access",
    control="REV-01 REV-02",
    words="{by} opened the review {review}[ of {period}]: {items} items to decide on until {closes}",
)
@dataclass(frozen=True, slots=True)
class ReviewOpened1:
    """A review of roles only: what is held in other systems was no part of any yet."""

    review: str
    period: str
    scope: Scope1
    items: int
    digest: str
    closes: Instant
    suspends: Suspends
    fallback: str | None
    by: str | None


def _of_roles_only(was: ReviewOpened1) -> "ReviewOpened":
    of = was.scope
    return ReviewOpened(
        review=was.review,
        period=was.period,
        scope=Scope(of.roles, of.people, of.resources, of.privileged),
        items=was.items,
        digest=was.digest,
        closes=was.closes,
        suspends=was.suspends,
        fallback=was.fallback,
        by=was.by,
        beyond=0,
    )


@event(
    "review.opened",
    version=2,
    upcast=_of_roles_only,
    klass="access",
    control="REV-01 REV-02 OFF-03",
    words="{by} opened the review {review}[ of {period}]: {items} items to decide on until {closes}",
)
@dataclass(frozen=True, slots=True)
class ReviewOpened:
    """Every access that the history gives at this instant, within `scope`, is to be decided on until `closes`.

    `period` is the one that it is due for (`2027-Q1`), empty where somebody opened it between. `items` is how many,
    `beyond` how many of them are of other systems; `digest` the hex SHA-256 over what they are and what their roles
    reach. `fallback` is who decides where neither a manager, a sponsor nor an owner can.
    """

    review: str
    period: str
    scope: Scope
    items: int
    digest: str
    closes: Instant
    suspends: Suspends
    fallback: str | None
    by: str | None
    beyond: int = 0


class Verdict(StrEnum):
    """What somebody decided on one item."""

    KEEP = "keep"
    REMOVE = "remove"


class Answers(StrEnum):
    """As what somebody decides: one after the other, the first who can. A sponsor is a service account's owner, too."""

    NAMED = "named"
    MANAGER = "manager"
    SPONSOR = "sponsor"
    ROLE_OWNER = "role_owner"
    SYSTEM_OWNER = "system_owner"
    FALLBACK = "fallback"


@event(
    "review.decided",
    klass="access",
    control="REV-03 REV-04",
    words="{by} decided in the review {review} on {role} of {person}: {verdict}[ ({note})]",
)
@dataclass(frozen=True, slots=True)
class ReviewDecided:
    """One item of a review: whether a person keeps a role, or what they hold in another system (`role` is then such as
    `system:payroll`). The last decision on an item is the one that counts. Nothing that is held in another system ends
    by it: a later list of its accounts, or its directory, says that it has."""

    review: str
    person: str
    role: str
    verdict: Verdict
    by: str
    answers: Answers
    note: str | None = private()


@event(
    "role.reduced",
    klass="access",
    control="REV-04",
    words="{by} kept the role {role} of {person} until {until} only, in the review {review}",
)
@dataclass(frozen=True, slots=True)
class RoleReduced:
    """With the decision to keep the role: from `until` on it gives this person nothing. A later decision on it, in
    whichever review, takes the end away again."""

    person: str
    role: str
    review: str
    until: Instant
    by: str


class Passed(StrEnum):
    """Why an item went on to somebody else. `assigned`: an administrator named who decides."""

    NOT_MINE = "not_mine"
    DELEGATED = "delegated"
    ASSIGNED = "assigned"


@event(
    "review.passed",
    klass="access",
    control="REV-03",
    words="{by} passed {role} of {person}, in the review {review}, on to {to}: {because}[ ({note})]",
)
@dataclass(frozen=True, slots=True)
class ReviewPassed:
    """Somebody else decides on an item from now on, as long as they are here."""

    review: str
    person: str
    role: str
    to: str
    because: Passed
    by: str
    note: str | None = private()


@event(
    "review.closed",
    klass="access",
    control="REV-01 REV-06",
    words="The review {review} is over: {kept} kept, {removed} removed, {unanswered} without an answer",
)
@dataclass(frozen=True, slots=True)
class ReviewClosed:
    """Every item was decided on, or its time was over. The numbers add up to its items."""

    review: str
    kept: int
    removed: int
    unanswered: int


@event(
    "review.signed_off",
    klass="access",
    control="REV-01 REV-04 REV-05",
    words="{by} signed the review {review} off: {kept} kept, {removed} removed, {unanswered} without an answer, "
    "{not_remediated} removed and given still[; decided faster than anybody reads: {rubber_stamps}][ ({note})]",
)
@dataclass(frozen=True, slots=True)
class ReviewSignedOff:
    """Somebody who had no part in a review that was over has seen what it came to. The numbers are as of then;
    `rubber_stamps` are the reviewers who kept more than 95 of 100, of 50 or more, at a median of less than 2 s."""

    review: str
    kept: int
    removed: int
    unanswered: int
    not_remediated: int
    rubber_stamps: tuple[str, ...]
    by: str
    note: str | None = private()


class Stage(StrEnum):
    """When whoever decides is told that something waits: with the opening, at half time, and shortly before the end.
    `escalated`: from half time on whoever is next is told of what waits for somebody else."""

    OPENED = "opened"
    HALF = "half"
    LAST = "last"
    ESCALATED = "escalated"


@event(
    "review.reminded",
    klass="access",
    control="REV-06",
    words="{person} was told that {waiting} items of the review {review} wait until {closes} ({stage})",
)
@dataclass(frozen=True, slots=True)
class ReviewReminded:
    """Whoever decides was told what waits for them, whoever administers also what nobody is left to decide on. Of the
    items that wait `suspended` are withheld if nobody answers until `closes`. Of what is `escalated` somebody else
    decides, and `person` is next."""

    review: str
    person: str
    stage: Stage
    waiting: int
    suspended: int
    closes: Instant


class Withheld(StrEnum):
    """Why a role gives somebody nothing, whatever says that they have it. `reduced`: it was kept until a day, and that
    is over."""

    REMOVED = "removed"
    SILENCE = "silence"
    REDUCED = "reduced"


@event(
    "role.withheld",
    klass="access",
    control="REV-04 REV-06 OFF-04",
    words="{by} withheld the role {role} from {person} after the review {review}: {because}",
)
@dataclass(frozen=True, slots=True)
class RoleWithheld:
    """The role gives this person nothing from now on, though bindings give it: those of `access.yaml` and of groups
    stay as somebody wrote them. It holds until they agree."""

    person: str
    role: str
    review: str
    because: Withheld
    by: str | None


class Returned(StrEnum):
    """Why nothing is withheld any more: somebody who decides keeps it after all, or no binding gives it now."""

    KEPT = "kept"
    GIVEN_UP = "given_up"


@event(
    "role.returned",
    klass="access",
    control="REV-04 REV-06",
    words="{by} withholds the role {role} from {person} no longer: {because}",
)
@dataclass(frozen=True, slots=True)
class RoleReturned:
    """The role is withheld no more. Where no binding gives the role it gives nothing all the same, and the removal is
    carried out; whoever gives it again does so by a change like any other."""

    person: str
    role: str
    review: str
    because: Returned
    by: str | None
