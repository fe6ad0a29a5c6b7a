"""Who acts, and what their roles let them do with OnePAM itself.

Authority is judged on facts read inside the command's transaction: as of the decision, never as of the page.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from onepam.domain.access.model import ConsoleRight, Permission
from onepam.domain.access.proof import MfaBasis
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

NEEDS_A_FACTOR = frozenset({ConsoleRight.ADMINISTER, ConsoleRight.ACCEPT_RISK})
"""What nobody does on a statement about a provider, or on a risk acceptance, in place of a factor."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in a sign-in session: who claims to act. `source` is the address the claim came from."""

    person: str
    session: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that a person holds by a binding in force, directly (`group` is empty) or through a group."""

    binding: str
    group: str
    role: str
    version: str
    permissions: tuple[Permission, ...]
    console: tuple[ConsoleRight, ...]
    ends: Instant | None


@dataclass(frozen=True, slots=True)
class ActorFacts:
    """The actor at the head: the person's state, the sign-in session's, and the roles held.

    `basis` is why the session counts as made with a second factor. `linked_by` made the link by which the actor last
    enrolled, `linked_for` enrolled by a link that the actor made; both within `proposal.ONE_HAND`.
    """

    person: str
    enabled: bool
    ends: Instant | None
    signed_in_until: Instant | None
    mfa_at: Instant | None
    roles: tuple[HeldRole, ...]
    basis: MfaBasis = MfaBasis.OWN
    linked_by: tuple[str, ...] = ()
    linked_for: tuple[str, ...] = ()

    def in_hand(self, people: Iterable[str]) -> bool:
        """Whether the actor and one of these may be one hand: whoever made the other's link may have used it."""
        return not {*self.linked_by, *self.linked_for}.isdisjoint(people)

    def roles_with(self, right: ConsoleRight) -> tuple[str, ...]:
        """The names of the held roles that carry the right."""
        return tuple(held.role for held in self.roles if right in held.console)

    def rights(self) -> frozenset[ConsoleRight]:
        """The rights that the held roles carry together."""
        return frozenset(right for held in self.roles for right in held.console)


def present(actor: ActorFacts, now: Instant) -> Refused | None:
    """None when the actor may act at all: enabled, within dates, in a live sign-in session with a proven factor."""
    if not actor.enabled or (actor.ends is not None and actor.ends <= now):
        return Refused("person.disabled", "This account is disabled.", "Ask an administrator.")
    if actor.signed_in_until is None or actor.signed_in_until <= now or actor.mfa_at is None:
        return Refused("sign_in.ended", "Your sign-in has ended.", "Sign in again.")
    return None


def shown_within(actor: ActorFacts, age: int, now: Instant) -> Refused | None:
    """None when the actor is present and showed a second factor less than `age` microseconds ago."""
    if (refused := present(actor, now)) is not None:
        return refused
    if actor.mfa_at is None or actor.mfa_at + age <= now:
        return Refused("factor.stale", "Show your second factor once more.", "/step-up")
    return None


def vouched(actor: ActorFacts) -> Refused | None:
    """None when somebody saw the actor's second factor: no statement about a provider, and no accepted risk."""
    if actor.basis in (MfaBasis.DECLARED, MfaBasis.ACCEPTED):
        return Refused("mfa.not_shown", "No second factor of yours was shown, and this needs one.", "/step-up")
    return None


def authorised(actor: ActorFacts, right: ConsoleRight, now: Instant) -> Refused | None:
    """None when the actor is present and holds a role with `right`."""
    if (refused := present(actor, now)) is not None:
        return refused
    if not actor.roles_with(right):
        return Refused(
            "right.missing",
            f"This needs a role with the right to {right.value}; yours have none.",
            "An administrator can bind such a role to you in access.yaml.",
        )
    return vouched(actor) if right in NEEDS_A_FACTOR else None
