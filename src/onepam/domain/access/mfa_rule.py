"""What a session asks of the second factor: the one place where a proof of it is weighed.

A proof counts by its *basis*, and by what the access is and the resource asks. `-` opens nothing, whatever else holds:

    basis       ordinary   privileged   administrative   `phishing_resistant`     `fresh`
    own         yes        yes          yes              by a passkey             yes
    stepped_up  yes        yes          yes              by a passkey             yes
    attested    yes        yes          yes              if attested as such      yes
    declared    yes        yes          -                -                        -
    accepted    yes        -            -                -                        -

A statement that a provider demands a second factor, and a risk acceptance, show none: no rule of a resource takes them
for a factor. Privileged is what reaches production or is administrative. Whoever is refused shows a factor of their own
(`/step-up`) and comes again: the basis is `stepped_up` then.

`fresh`: shown less than `FRESH_FACTOR` ago, or confirmed for this very session; and no session was opened with it
before.
A phishing-resistant resource accepts no confirmation by a link from a terminal (design.md section 9).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from onepam.domain.access.model import MfaRule
from onepam.domain.access.proof import MfaBasis, MfaProof
from onepam.kernel.clock import HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused

MAX_AGE = 12 * HOUR
"""A factor older than this opens nothing, whatever a resource says (microseconds)."""

FRESH_FACTOR = 5 * MINUTE
"""A factor shown longer ago than this is not fresh (microseconds)."""

AGAIN = "Run: onepam login"
STEP_UP = "/step-up with a factor of your own, then: onepam login"
PASSKEY = "/step-up with a passkey, then: onepam login"

PRODUCT = MfaRule(MAX_AGE)
"""What holds where a resource says nothing."""

NO_FACTOR = frozenset({MfaBasis.DECLARED, MfaBasis.ACCEPTED})
"""Bases under which nobody vouches for a factor that was shown."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What is weighed: the access that is to be opened, and how its proof comes.

    `confirmed`: by a confirmation for this very session. `spent`: a session was opened with this factor before.
    """

    privileged: bool
    administrative: bool
    confirmed: bool = False
    spent: bool = False


def weigh(rule: MfaRule | None, proof: MfaProof, weight: Weight, now: Instant) -> Refused | None:
    """None where the proof is enough."""
    rule = rule or PRODUCT
    if weight.administrative and proof.basis is MfaBasis.DECLARED:
        return Refused("mfa.declared", "Your provider shows no second factor, and this is administrative.", STEP_UP)
    if weight.privileged and proof.basis is MfaBasis.ACCEPTED:
        return Refused("mfa.accepted", "You have shown no second factor, and this is privileged.", STEP_UP)
    if rule.phishing_resistant and (weight.confirmed or not proof.phishing_resistant or proof.basis in NO_FACTOR):
        return phishable()
    if proof.at + longest(rule) <= now:
        return Refused("sign_in.stale", "Your second factor is too old for this target.", AGAIN)
    if rule.fresh and not fresh(proof, weight.spent, now, confirmed=weight.confirmed):
        return Refused("mfa.fresh", "This target asks for a factor of its own for each session.", STEP_UP)
    return None


def phishable() -> Refused:
    """The answer to whatever is no phishing-resistant factor, where one is asked for."""
    return Refused("mfa.phishing_resistant", "This target opens only with a passkey behind `onepam login`.", PASSKEY)


def fresh(proof: MfaProof, spent: bool, now: Instant, *, confirmed: bool = False) -> bool:
    """Whether a factor was shown for this very session; a confirmation has had its age looked at when it was given."""
    return not spent and proof.basis not in NO_FACTOR and (confirmed or proof.at + FRESH_FACTOR > now)


def longest(rule: MfaRule) -> int:
    """The age in microseconds at which a factor serves no more."""
    return MAX_AGE if rule.max_age is None else min(rule.max_age, MAX_AGE)


def eased(was: MfaRule | None, now: MfaRule | None) -> Iterator[str]:
    """What a rule asks for less than it did: each opens the resource to proofs that it did not take before."""
    old, new = was or PRODUCT, now or PRODUCT
    if longest(new) > longest(old):
        yield "takes older second factors"
    if old.phishing_resistant and not new.phishing_resistant:
        yield "asks for no phishing-resistant factor any more"
    if old.fresh and not new.fresh:
        yield "asks for no factor of its own for each session any more"
