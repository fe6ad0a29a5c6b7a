"""Messages of a provider that let nobody in: counted by cause, without saying about whom."""

from dataclasses import dataclass

from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

LEFT_OUT = "groups.left_out"
"""The cause where somebody was let in, without values of groups that are no usable names."""


@event(
    "provider.refused",
    klass="identity",
    alarm=True,
    control="MFA-01 MON-05",
    words="{count} sign-ins or messages of {provider} were refused: {cause}",
)
@dataclass(frozen=True, slots=True)
class ProviderRefused:
    """Sign-ins or messages by this provider were refused for this `cause` (a refusal's code), `count` of them from
    `since` on. Of one cause at most one entry in ten minutes."""

    provider: str
    cause: str
    count: int
    since: Instant


@dataclass(frozen=True, slots=True)
class RefusalFacts:
    """Whether there is such a provider in force."""

    in_force: bool


def count_refused(facts: RefusalFacts, refused: ProviderRefused) -> Decided[None] | Refused:
    """Records the count."""
    if not facts.in_force:
        return Refused("provider.unknown", "There is no such provider.", "/providers")
    return Decided((refused,), None)
