"""Rules of signing in and of one's own factors: the pure half (links to enrol: `enrolling.py`).

What costs time or needs a key (argon2, unsealing a seed, a passkey's signature) is verified before, at the edge; here
its outcome is held against what the ledger says at the head: enabled, not locked out, factor in force, not replayed.
"""

from dataclasses import dataclass
from typing import Any

from onepam.domain.access.authority import Actor, ActorFacts, HeldRole, present, shown_within
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proof import MfaBasis, MfaProof
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in.events import (
    FactorEnrolled,
    FactorKind,
    FactorRemoved,
    FactorUsed,
    SignedIn,
    SignedOut,
    SignInKind,
    SteppedUp,
)
from onepam.domain.signing_in.gate import WRONG, Tries, Visitor, failed, locked
from onepam.kernel.clock import HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused

CONSOLE_SESSION = 10 * HOUR
CLI_SESSION = 12 * HOUR
ENROLMENT_LINK = 24 * HOUR
FRESH_FACTOR = 5 * MINUTE
DECIDES = frozenset({ConsoleRight.ADMINISTER, ConsoleRight.APPROVE, ConsoleRight.ACCEPT_RISK})
"""The rights whose holders say yes to what others want."""

CHALLENGE_LIFETIME = 15 * MINUTE
"""How long a passkey's challenge that has served is remembered: longer than a browser may carry it."""

MAX_FACTORS = 20

ANSWERED = Refused("passkey.answered", "This passkey's answer has served already.", "Begin again with a new one.")
"""A registration that is sent twice, as by somebody who has kept it to bring a removed passkey back."""

REPLACED = "replaced"
"""Why a factor is gone that another took the place of by a link: every session of before ends, a target's too."""

RENEWED = "renewed"
"""Why recovery codes are gone whose owner has made new ones, which ends nothing."""

SESSIONS_OVER = "factors.replaced"
"""Why a session ends whose person enrolled anew."""


@dataclass(frozen=True, slots=True)
class FactorFacts:
    """A factor in force."""

    factor: str
    kind: FactorKind
    counter: int


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One person's account as of the decision; `tries` are the failed ones, `spent` the numbers of recovery codes
    already used, `answered` the challenges that passkeys answered within `CHALLENGE_LIFETIME`, `sessions` the sign-in
    sessions that run, `links` the enrolment links (and proposals of one) that wait, `provider` the name of one in force
    at which they have an identity ("" where there is none). `had_factors`: there was a time when they had some.
    `bound` are all roles bound to them, also what a hold keeps back from `roles` until somebody's word."""

    person: str
    kind: PersonKind | None
    enabled: bool
    ends: Instant | None
    tries: Tries
    factors: tuple[FactorFacts, ...]
    spent: tuple[int, ...]
    roles: tuple[HeldRole, ...]
    links: tuple[str, ...] = ()
    provider: str = ""
    answered: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    had_factors: bool = False
    bound: tuple[HeldRole, ...] = ()

    def trusted(self) -> bool:
        """Whether a stolen factor of this account would decide something, administer, or open what is privileged."""
        return any(
            not DECIDES.isdisjoint(held.console) or any(each.may_be_privileged() for each in held.permissions)
            for held in (*self.roles, *self.bound)
        )

    def administrative(self) -> bool:
        """Whether a stolen factor of this account would open something administrative."""
        return any(
            ConsoleRight.ADMINISTER in held.console or any(each.administrative for each in held.permissions)
            for held in (*self.roles, *self.bound)
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """A factor that the edge has verified. `counter`: TOTP step, passkey's counter, recovery code's number;
    `challenge`: the digest of the challenge that a passkey has answered."""

    factor: str
    kind: FactorKind
    counter: int
    challenge: str = ""

    def used(self, person: str) -> FactorUsed:
        """That it has served, and serves nobody again."""
        return FactorUsed(self.factor, person, self.counter, self.challenge)


@dataclass(frozen=True, slots=True)
class Opening:
    """A sign-in session to be opened."""

    session: str
    person: str
    proofs: tuple[Proof, ...]
    token_digest: str
    visitor: Visitor
    agent: str


def sign_in(facts: AccountFacts, opening: Opening, now: Instant) -> Decided[Instant | Refused] | Refused:
    """Opens a console session when the proofs make two factors; the result is its end."""
    if (refused := may_enter(facts, now)) is not None:
        return refused
    guessed = next((proof.kind for proof in opening.proofs if proof.kind is not FactorKind.PASSWORD), None)
    if guessed is not None and locked(facts.tries, opening.visitor, guessed, now):
        return wrong(facts, guessed, opening.visitor, now)
    kinds = {proof.kind for proof in opening.proofs}
    if FactorKind.PASSKEY not in kinds and kinds != {FactorKind.PASSWORD, FactorKind.TOTP}:
        return Refused("sign_in.factors", "A second factor is needed.", "/sign-in")
    if not all(stands(facts, proof) for proof in opening.proofs):
        return WRONG
    if facts.provider:
        return Refused("sign_in.through_provider", f"You sign in through {facts.provider}.", "/sign-in")
    ends = Instant(now + CONSOLE_SESSION)
    used = tuple(proof.used(facts.person) for proof in opening.proofs if proof.kind is not FactorKind.PASSWORD)
    opened = SignedIn(
        session=opening.session,
        person=facts.person,
        kind=SignInKind.CONSOLE,
        proven=tuple(proof.kind for proof in opening.proofs),
        mfa_at=now,
        expires=ends,
        parent=None,
        token_digest=opening.token_digest,
        source=opening.visitor.source,
        agent=opening.agent,
        phishing_resistant=FactorKind.PASSKEY in kinds,
    )
    return Decided((*used, opened), ends)


def may_enter(facts: AccountFacts, now: Instant) -> Refused | None:
    """None when this account may sign in at all, locked out or not."""
    ended = facts.ends is not None and facts.ends <= now
    return WRONG if not facts.enabled or ended or facts.kind is PersonKind.SERVICE else None


def try_factor(
    facts: AccountFacts, kind: FactorKind, right: bool, visitor: Visitor, now: Instant
) -> Decided[Refused | None]:
    """The gate's word on a factor that the edge has verified as `right` or wrong; None: it counts as shown."""
    if may_enter(facts, now) is not None:
        return Decided((), WRONG)
    if right and not locked(facts.tries, visitor, kind, now):
        return Decided((), None)
    return wrong(facts, kind, visitor, now)


def wrong(facts: AccountFacts, kind: FactorKind, visitor: Visitor, now: Instant) -> Decided[Any]:
    """A failed try, or any during a lock: recorded, with the one answer to all of them."""
    return Decided(failed(facts.person, facts.tries, visitor, kind, now), WRONG)


def step_up(
    facts: AccountFacts, actor: ActorFacts, before: MfaProof | None, proof: Proof, visitor: Visitor, now: Instant
) -> Decided[Refused | None] | Refused:
    """A fresh second factor inside a running session; `before` is what it rests on so far."""
    if (refused := present(actor, now)) is not None:
        return refused
    if locked(facts.tries, visitor, proof.kind, now):
        return wrong(facts, proof.kind, visitor, now)
    if proof.kind not in (FactorKind.TOTP, FactorKind.PASSKEY) or not stands(facts, proof):
        return WRONG
    assert before is not None  # present() demands the session
    basis = MfaBasis.STEPPED_UP if before.provider else MfaBasis.OWN
    passkey = proof.kind is FactorKind.PASSKEY
    stepped = SteppedUp(before.session, facts.person, proof.kind, now, basis, passkey)
    return Decided((proof.used(facts.person), stepped), None)


def cli_sign_in(
    actor: ActorFacts,
    parent: Actor,
    session: str,
    token_digest: str,
    source: str,
    proof: MfaProof | None,
    taken: bool,
    now: Instant,
) -> Decided[Instant] | Refused:
    """A CLI session under a console session: it inherits the proof, and lives no longer than its own limit.

    `taken`: a session of this id exists or existed, so the code that names it has served.
    """
    if (refused := present(actor, now)) is not None:
        return refused
    if taken:
        return Refused("cli_code.gone", "This sign-in code was used already.", "Run again: onepam login")
    assert actor.mfa_at is not None  # present() demands it
    assert proof is not None  # of the session that present() demands
    ends = min(Instant(actor.mfa_at + CLI_SESSION), actor.ends or Instant(now + CLI_SESSION))
    if ends <= now:
        return Refused("sign_in.stale", "Your second factor is too old.", "Sign in again.")
    opened = SignedIn(
        session=session,
        person=actor.person,
        kind=SignInKind.CLI,
        proven=tuple(FactorKind(each) for each in proof.factors),
        mfa_at=actor.mfa_at,
        expires=ends,
        parent=parent.session,
        token_digest=token_digest,
        source=source,
        agent="onepam login",
        basis=proof.basis,
        provider=proof.provider,
        phishing_resistant=proof.phishing_resistant,
    )
    return Decided((opened,), ends)


def sign_out(actor: ActorFacts, claimed: Actor, now: Instant) -> Decided[None] | Refused:
    """Ends the actor's own session."""
    if actor.signed_in_until is None:
        return Refused("sign_in.ended", "This session has ended already.")
    return Decided((SignedOut(claimed.session, claimed.person, "signed_out", claimed.person),), None)


def add_factor(facts: AccountFacts, actor: ActorFacts, new: FactorEnrolled, now: Instant) -> Decided[None] | Refused:
    """Another passkey or SSH key of one's own, under a fresh factor."""
    if (refused := fresh(actor, now)) is not None:
        return refused
    if len(facts.factors) >= MAX_FACTORS:
        return Refused("factor.many", f"No more than {MAX_FACTORS} factors; remove one first.")
    if new.challenge in facts.answered:
        return ANSWERED
    old = [each for each in facts.factors if each.kind is new.kind is FactorKind.RECOVERY]
    removed = tuple(FactorRemoved(each.factor, facts.person, RENEWED, facts.person) for each in old)
    return Decided((*removed, new), None)


def remove_factor(facts: AccountFacts, actor: ActorFacts, factor: str, now: Instant) -> Decided[None] | Refused:
    """Removes one's own factor, but not the last second factor."""
    if (refused := fresh(actor, now)) is not None:
        return refused
    found = next((each for each in facts.factors if each.factor == factor), None)
    if found is None or found.kind is FactorKind.PASSWORD:
        return Refused("factor.unknown", "There is no such factor of yours that could be removed.")
    second = [each for each in facts.factors if each.kind in (FactorKind.TOTP, FactorKind.PASSKEY)]
    if found in second and len(second) == 1:
        return Refused("factor.last", "This is your only second factor.", "Add another one first.")
    return Decided((FactorRemoved(factor, facts.person, "removed", facts.person),), None)


def fresh(actor: ActorFacts, now: Instant) -> Refused | None:
    """None when the actor is present and showed a second factor less than `FRESH_FACTOR` ago."""
    return shown_within(actor, FRESH_FACTOR, now)


def stands(facts: AccountFacts, proof: Proof) -> bool:
    """The factor is in force and its counter has moved: a code or an assertion serves once."""
    found = next((each for each in facts.factors if each.factor == proof.factor and each.kind is proof.kind), None)
    if found is None or (proof.challenge and proof.challenge in facts.answered):
        return False
    match proof.kind:
        case FactorKind.TOTP:
            return proof.counter > found.counter
        case FactorKind.PASSKEY:
            return proof.counter > found.counter or proof.counter == found.counter == 0
        case FactorKind.RECOVERY:
            return proof.counter not in facts.spent
        case _:
            return proof.kind is FactorKind.PASSWORD
