"""Negative probes: after access has ended, the real listeners are asked whether they would still open.

A probe names a proof that exists already (a certificate, a key, a token) by what the ledger keeps of it. It carries no
secret, none is made for it, and all that can come of it is one word: would open, or refused.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from onepam.domain.access.authority import Actor, ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event
from onepam.domain.people.adding import PersonFacts, unknown_person
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


class ProbePath(StrEnum):
    """A listener's way in."""

    SSH = "ssh"
    CONSOLE = "console"
    API = "api"
    POSTGRES = "postgres"
    MYSQL = "mysql"


class ProbedProof(StrEnum):
    """What the probe stands in for; `ACCOUNT` is the bare account, with no proof at all."""

    ACCOUNT = "account"
    CERTIFICATE = "certificate"
    SSH_KEY = "ssh_key"
    COOKIE = "cookie"
    TOKEN = "token"  # noqa: S105 - the name of a kind, not a secret


class ProbePurpose(StrEnum):
    """After leaving, after an access of somebody who stays was revoked, on somebody's order, or once a day: without a
    second factor."""

    LEAVER = "leaver"
    REVOKED = "revoked"
    ORDERED = "ordered"
    NO_MFA = "no_mfa"


class ProbeResult(StrEnum):
    """`unanswered`: the listener could not be asked, which proves nothing."""

    WOULD_OPEN = "would_open"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class WouldOpen:
    """The listener would have let the proof in: of a leaver a finding. `rests_on` is the grant or binding by which."""

    rests_on: str = ""


Verdict = WouldOpen | Refused
"""All that a listener can answer."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to one listener.

    `reference` is the id of the proof (a factor, a certificate's serial, a sign-in session), `sought` what the listener
    looks it up by (an SSH fingerprint, a token's hex SHA-256), `sign_in` the session behind a certificate.
    """

    probe: str
    person: str
    path: ProbePath
    proof: ProbedProof
    purpose: ProbePurpose
    reference: str = ""
    sought: str = ""
    sign_in: str = ""
    resource: str = ""
    login: str = ""


@event("probe.ordered", klass="session", control="OFF-06", words="{by} ordered probes of {person}")
@dataclass(frozen=True, slots=True)
class ProbeOrdered:
    """Somebody wants to see what the listeners say about a person's proofs now."""

    person: str
    by: str


@event(
    "probe.made",
    klass="session",
    control="OFF-06 OFF-02 MFA-02",
    words="A probe of {person} at the {path} listener: {result}[, {code}]",
)
@dataclass(frozen=True, slots=True)
class ProbeMade:
    """A listener was asked whether a proof would still open, and what it said. `code` is the refusal's; of an open door
    the grant or binding by which it would open.

    `fingerprint` is the hex SHA-256 of what the listener looked up, `node` the process whose listener it was. With
    `result` `would_open` it is a finding, save with `purpose` `revoked`: there the person has another way in.
    """

    probe: str
    person: str
    path: ProbePath
    proof: ProbedProof
    purpose: ProbePurpose
    reference: str
    fingerprint: str
    resource: str
    login: str
    result: ProbeResult
    code: str
    node: str


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """The actor, and the person (None where there is none)."""

    actor: ActorFacts
    person: PersonFacts | None


def order(facts: OrderFacts, actor: Actor, person: str, now: Instant) -> Decided[None] | Refused:
    """Administrators and security may have somebody's proofs probed; an auditor looks and makes nothing happen."""
    answers = [authorised(facts.actor, right, now) for right in (ConsoleRight.ADMINISTER, ConsoleRight.MONITOR)]
    if answers[0] is not None and None not in answers:
        return answers[0]
    if facts.person is None:
        return unknown_person(person)
    return Decided((ProbeOrdered(person, actor.person),), None)


def made(probe: Probe, verdict: Verdict | None, node: str) -> ProbeMade:
    """The record of an answer; None where there was none."""
    result = {type(None): ProbeResult.UNANSWERED, WouldOpen: ProbeResult.WOULD_OPEN}.get(
        type(verdict), ProbeResult.REFUSED
    )
    return ProbeMade(
        probe=probe.probe,
        person=probe.person,
        path=probe.path,
        proof=probe.proof,
        purpose=probe.purpose,
        reference=probe.reference,
        fingerprint=sha256(probe.sought.encode()).hexdigest() if probe.sought else "",
        resource=probe.resource,
        login=probe.login,
        result=result,
        code=verdict.code if isinstance(verdict, Refused) else verdict.rests_on if verdict else "",
        node=node,
    )
