"""How a permission on request may be asked for."""

from dataclasses import dataclass

from onepam.domain.access.hours import Hours


@dataclass(frozen=True, slots=True)
class Unasked:
    """What nobody is asked for: access for `longest` at a time (microseconds), at most `most` times within seven days
    for each person, and within `hours` alone (None: at every hour)."""

    longest: int
    most: int
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """How a permission on request may be asked for, beyond now and for a while, and what that takes.

    `ticket`: the pattern of a ticket's number ("": any text); `ticketed`: none is asked without. `ahead`: how far ahead
    access may begin that is asked for now, `weekly`: for how long together it may be asked for within weekly hours
    (microseconds; 0: not at all). `approvals`: how many people say yes. `escalates`: after so long without a decision
    holders of the roles `then` decide, too (microseconds; 0: never). `first_use`: it may be asked for within a window,
    and then lasts from its first use on. `unasked`: what is had without anybody's yes; None: nothing.
    """

    ticket: str = ""
    ticketed: bool = False
    ahead: int = 0
    weekly: int = 0
    approvals: int = 1
    escalates: int = 0
    then: tuple[str, ...] = ()
    first_use: bool = False
    unasked: Unasked | None = None


MANAGER, OWNER = "requester:manager", "resource:owner"
"""In the place of a role that decides: whoever that is, by a role of theirs with the right to approve."""

PLAINLY = Asking()
"""Now and for a while, with a yes of one: where a permission says nothing else."""
