"""Exceptions: what its templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext
from onepam.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class ExceptionsPage(PageContext):
    """Exceptions from the second factor.

    `waiting`, `accepted`: list of {id, person {id, name}, reason, control, proposed_by, proposed, accepted_by,
        accepted (or none), ends, may_end}; what waits has its `decision` (parts/decision.html), too
    `latest`: the latest end
    `email`: whom the form is filled in for
    """

    template: ClassVar = "exceptions.html"

    waiting: list[Context]
    accepted: list[Context]
    may_propose: bool
    latest: Instant
    email: str
