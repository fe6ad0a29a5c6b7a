"""Separation of duties: roles of which nobody is to hold more than one, and who is excused from that, until when.

A separation says which roles are kept apart and why. Holding two of them breaks it, whatever gives them, unless the
holder is excused: by name, with what is done instead, and with an end. A broken one takes nothing away by itself
(docs/decisions/0057): the file cannot bring it about, nothing can be asked for under it, and it is a finding.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from onepam.domain.history.event import event
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class Excuse:
    """Somebody may hold several of the roles until `ends`; `because` says what is done instead."""

    person: str
    because: str
    ends: Instant


@dataclass(frozen=True, slots=True)
class Separation:
    """The `roles`, in the order of their names, of which nobody is to hold two, but who is excused; one excuse each."""

    separation: str
    roles: tuple[str, ...]
    because: str
    excused: tuple[Excuse, ...] = ()

    def excuses(self, person: str, now: Instant) -> bool:
        """Whether the person is excused at `now`."""
        return any(each.person == person and each.ends > now for each in self.excused)

    def together(self, person: str, held: Iterable[str], now: Instant) -> tuple[str, ...]:
        """Which of the person's roles are kept apart, two at least; none where it is not broken, or they are
        excused."""
        found = tuple(each for each in self.roles if each in frozenset(held))
        return found if len(found) > 1 and not self.excuses(person, now) else ()


@event(
    "separation.set",
    klass="access",
    control="LPV-03 CHG-01",
    words="{by} declared that nobody holds two of the roles {roles} ({separation})",
)
@dataclass(frozen=True, slots=True)
class SeparationSet:
    """The separation as it is from now on, with all who are excused."""

    separation: str
    roles: tuple[str, ...]
    because: str
    excused: tuple[Excuse, ...]
    change: str
    by: str | None


@event("separation.removed", klass="access", control="LPV-03 CHG-01", words="{by} removed the separation {separation}")
@dataclass(frozen=True, slots=True)
class SeparationRemoved:
    """The roles may be held together from now on."""

    separation: str
    change: str
    by: str | None


@dataclass(frozen=True, slots=True)
class Breach:
    """Somebody holds `roles` that a separation keeps apart; `given` are those of them that a change gives."""

    separation: str
    because: str
    person: str
    roles: tuple[str, ...]
    given: tuple[str, ...] = ()


def kept_apart(
    separations: Iterable[Separation], person: str, role: str, held: Iterable[str], now: Instant
) -> Refused | None:
    """Why somebody who holds these roles asks for nothing under `role`: another of theirs is kept apart from it."""
    names = frozenset(held)
    for each in separations:
        together = each.together(person, names, now)
        if role in together:
            return Refused(
                "request.separated",
                f"Nobody holds {' and '.join(together)} together ({each.separation}): {each.because}",
                "An administrator takes one of them, or excuses you for a time, in access.yaml.",
            )
    return None
