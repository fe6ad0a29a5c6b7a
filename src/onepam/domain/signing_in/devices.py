"""Signing in a command line whose machine has no browser: no phishing through us.

A terminal that asks gets a code and an address, and waits. It is let in by one person, who types the code there under a
fresh factor, within two minutes, once: by the person of a registered key that the terminal has shown, wherever their
browser is; where it has shown none, by a browser at the terminal's own address. A wrong answer voids the attempt.
"""

import hmac
from dataclasses import dataclass, replace

from onepam.domain.access.authority import Actor, ActorFacts, present
from onepam.domain.access.proof import MfaProof
from onepam.domain.history.commit import Decided
from onepam.domain.signing_in.events import DeviceAllowed, DeviceRefused, SignedIn
from onepam.domain.signing_in.rules import cli_sign_in, fresh
from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Refused

LIFETIME = 2 * MINUTE
"""How long a terminal waits for its person, and may then take its sign-in (microseconds)."""

_AGAIN = "Run again: onepam login --device"
GONE = Refused("device.gone", "This sign-in has lapsed, was answered, or is not ours.", _AGAIN)
NOT_ME, WRONG_PERSON, WRONG_ADDRESS, WRONG_CODE = (
    "device.not_me",
    "device.wrong_person",
    "device.wrong_address",
    "device.wrong_code",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a terminal asks: the CLI session `session`, from `source`, as `client` (its own words), until `expires`.

    `code_digest` is of the code that only its terminal shows, `key` the registered key that it has shown ("" for none).
    `vouches`: its address says something, which one that everybody has (a proxy's) does not.
    """

    session: str
    source: str
    client: str
    expires: Instant
    code_digest: str
    key: str
    vouches: bool


@dataclass(frozen=True, slots=True)
class Allowance:
    """What was allowed: to whom, under which console session, until when."""

    person: str
    parent: str
    expires: Instant


@dataclass(frozen=True, slots=True)
class DeviceOpening:
    """The CLI session that the terminal takes: its token's digest, and the terminal's address."""

    session: str
    token_digest: str
    source: str


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """Who answers; whose the key is that was shown, if it is in force still; and whether the attempt was answered."""

    actor: ActorFacts
    key_of: str | None
    answered: bool


def answer(
    facts: DeviceFacts, actor: Actor, asked: Asked, typed: str, now: Instant
) -> Decided[Refused | None] | Refused:
    """Lets the terminal in, or voids its attempt for a wrong person, address or code: there is no second guess.

    `typed` is the digest of the code as typed; "" says "not me".
    """
    if (refused := present(facts.actor, now)) is not None:
        return refused
    if facts.answered or asked.expires <= now or (asked.key and facts.key_of is None):
        return GONE
    if not typed:
        return _void(asked, actor, NOT_ME, "The terminal's attempt was ended.")
    if asked.key and facts.key_of != actor.person:
        return _void(asked, actor, WRONG_PERSON, "This terminal has shown the key of somebody else.")
    if not asked.key and not (asked.vouches and asked.source == actor.source):
        return _void(asked, actor, WRONG_ADDRESS, "This terminal is at another address than your browser.")
    if fresh(facts.actor, now) is not None:
        return Refused("device.stale_factor", "Show your second factor once more.", "/step-up")
    if not hmac.compare_digest(asked.code_digest, typed):
        return _void(asked, actor, WRONG_CODE, "That is not the code your terminal shows.")
    allowed = DeviceAllowed(
        session=asked.session,
        person=actor.person,
        parent=actor.session,
        expires=asked.expires,
        key=asked.key,
        source=asked.source,
        client=asked.client,
    )
    return Decided((allowed,), None)


def sign_in(
    actor: ActorFacts,
    parent: Actor,
    opening: DeviceOpening,
    proof: MfaProof | None,
    allowed: Allowance | None,
    taken: bool,
    now: Instant,
) -> Decided[Instant] | Refused:
    """The CLI session that was allowed, once, under the console session of the answer, if that runs still.

    It inherits the proof but not that it resists phishing: what asks for such a factor opens with none that was shown
    in another window than the terminal's own machine has.
    """
    if allowed is None or allowed.expires <= now or (allowed.person, allowed.parent) != (parent.person, parent.session):
        return GONE
    digest, source = opening.token_digest, opening.source
    decided = cli_sign_in(actor, parent, opening.session, digest, source, proof, taken, now)
    if isinstance(decided, Refused):
        return decided
    (opened,) = decided.events
    assert isinstance(opened, SignedIn)  # the one event of a CLI session
    return Decided((replace(opened, agent="onepam login --device", phishing_resistant=False),), decided.result)


def _void(asked: Asked, actor: Actor, code: str, message: str) -> Decided[Refused | None]:
    refused = Refused(code, message, f"{_AGAIN}, and check who asks.")
    return Decided((DeviceRefused(asked.session, actor.person, code, asked.source, asked.client),), refused)
