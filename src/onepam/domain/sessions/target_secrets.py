"""The secrets by which the gateway signs in at a target: of one login on one resource, in versions.

A new version is stored first and waits; once the target has taken it, it is the one in use and the one before is
retired. Whoever sets a secret is the last who could read it: it is sealed before anything of it is written, and from
then on it is leased to sessions and to nobody else.
"""

from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.access.authority import ActorFacts, authorised, shown_within
from onepam.domain.access.decision import ResourceFacts
from onepam.domain.access.kinds import KINDS
from onepam.domain.access.mfa_rule import FRESH_FACTOR
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event, private
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

MAX_SECRET_BYTES = 64 * 1024
"""A password, or a certificate with its key."""

REPLACED, REMOVED = "replaced", "removed"
"""Why a version was retired, beside the code by which the target refused it."""


class SecretStatus(StrEnum):
    """What becomes of a version: it waits until the target has taken it, is in use, and retired."""

    WAITING = "waiting"
    CURRENT = "current"
    RETIRED = "retired"


@event(
    "secret.set",
    klass="access",
    control="PRV-01 CHG-01",
    words="{by} set the secret of {login} on {resource}, version {version}",
)
@dataclass(frozen=True, slots=True)
class SecretSet:
    """A version waits until the target has taken it. `sealed` is base64 of its envelope, which holds the value."""

    secret: str
    version: int
    resource: str
    login: str
    by: str
    sealed: str | None = private()


@event(
    "secret.proven",
    klass="access",
    control="PRV-01",
    words="The target took version {version} of the secret {secret}",
)
@dataclass(frozen=True, slots=True)
class SecretProven:
    """A sign-in at the target with it worked: it is in use from now on."""

    secret: str
    version: int


@event(
    "secret.retired",
    klass="access",
    control="PRV-01 OFF-04",
    words="Version {version} of the secret {secret} was retired[ by {by}]: {because}",
)
@dataclass(frozen=True, slots=True)
class SecretRetired:
    """Nothing signs in with it any more. `because` is `replaced`, `removed`, or the code of the target's refusal."""

    secret: str
    version: int
    because: str
    by: str | None = None


@event(
    "secret.used",
    klass="session",
    control="PRV-01 LOG-01",
    words="The session {session} was given version {version} of the secret {secret}",
)
@dataclass(frozen=True, slots=True)
class SecretUsed:
    """The gateway took it to sign in at the target for this session. Its person never sees it."""

    secret: str
    version: int
    session: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version that is not retired. `sealed` is None where it was erased."""

    secret: str
    version: int
    status: SecretStatus
    sealed: str | None


@dataclass(frozen=True, slots=True)
class SecretFacts:
    """The actor, the resource, and of the login's secret the number of the newest version and those not retired."""

    actor: ActorFacts
    resource: ResourceFacts | None
    newest: int
    secret: str | None
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """The versions of a secret that are not retired."""

    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class LeaseFacts:
    """The versions for a session's login that are not retired; `open` is whether the session runs."""

    open: bool
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A version that was stored: its secret's id and its number."""

    secret: str
    version: int


@dataclass(frozen=True, slots=True)
class Leased:
    """What a session signs in with; `sealed` is base64 of the envelope."""

    secret: str
    version: int
    sealed: str


def about(kept: Kept, resource: str, login: str) -> bytes:
    """What the envelope of a version is about: it cannot be opened as another version, or as another login's."""
    return f"secret/{kept.secret}/{kept.version}/{resource}/{login}".encode()


def _may_set(facts: SecretFacts, resource: str, login: str, now: Instant) -> Refused | None:
    """None where the actor may set the secret of this login now."""
    refused = authorised(facts.actor, ConsoleRight.ADMINISTER, now) or shown_within(facts.actor, FRESH_FACTOR, now)
    if refused is not None:
        return refused
    if facts.resource is None:
        return Refused("resource.unknown", f"There is no resource {resource}.", "See: /resources")
    if not KINDS[facts.resource.kind].leased:
        return Refused("secret.kind", f"{resource} is reached without a secret of ours.", "See: /resources")
    users = facts.resource.session_users
    if users is not None and login in users.member_of:
        words = f"{login} is no account at {resource}: {users.made_by} makes a user for each session."
        return Refused("secret.made", words, f"Set the secret of {users.made_by}.")
    if login not in facts.resource.logins and (users is None or login != users.made_by):
        known = ", ".join((*facts.resource.logins, *(() if users is None else (users.made_by,))))
        return Refused("access.login", f"{resource} has no login {login}.", f"Logins there: {known}.")
    return None


def store(
    facts: SecretFacts, kept: Kept, resource: str, login: str, sealed: str, now: Instant
) -> Decided[Kept] | Refused:
    """Stores the next version, which waits; one that waited is retired. `kept` is the version that it was sealed as."""
    if (refused := _may_set(facts, resource, login, now)) is not None:
        return refused
    if kept != Kept(facts.secret or kept.secret, facts.newest + 1):
        return Refused("secret.changed", "Somebody has set this secret meanwhile.", "Look at it, and set it again.")
    by = facts.actor.person
    waiting = [each for each in facts.versions if each.status is SecretStatus.WAITING]
    retired = (SecretRetired(each.secret, each.version, REPLACED, by) for each in waiting)
    return Decided((*retired, SecretSet(kept.secret, kept.version, resource, login, by, sealed)), kept)


def prove(facts: VersionFacts, kept: Kept) -> Decided[None] | Refused:
    """The target took it: it is in use, and the one before is not."""
    if not any(each.version == kept.version and each.status is SecretStatus.WAITING for each in facts.versions):
        return Refused("secret.changed", "Somebody has set this secret meanwhile.", "Look at it, and set it again.")
    before = [each for each in facts.versions if each.status is SecretStatus.CURRENT]
    retired = (SecretRetired(each.secret, each.version, REPLACED) for each in before)
    return Decided((SecretProven(kept.secret, kept.version), *retired), None)


def give_up(facts: VersionFacts, kept: Kept, because: str) -> Decided[None] | Refused:
    """The target did not take it: nothing signs in with it, and the one before stays in use."""
    if not any(each.version == kept.version and each.status is SecretStatus.WAITING for each in facts.versions):
        return Refused("secret.changed", "Somebody has set this secret meanwhile.", "Look at it, and set it again.")
    return Decided((SecretRetired(kept.secret, kept.version, because),), None)


def remove(facts: SecretFacts, resource: str, login: str, now: Instant) -> Decided[None] | Refused:
    """Retires all versions: what only takes away needs one administrator."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if not facts.versions:
        return Refused("secret.unknown", f"There is no secret of {login} on {resource}.", "See: onepam secrets ls")
    by = facts.actor.person
    return Decided(tuple(SecretRetired(each.secret, each.version, REMOVED, by) for each in facts.versions), None)


def lease(facts: LeaseFacts, session: str, resource: str, login: str) -> Decided[Leased] | Refused:
    """The version that is used, for a session that runs."""
    if not facts.open:
        return Refused("session.ended", f"Session {session} has ended already.")
    if (found := in_use(facts.versions)) is None:
        return Refused("target.secret", f"the vault holds no secret for {login} on {resource}")
    return Decided((SecretUsed(found.secret, found.version, session),), found)


def in_use(versions: tuple[Version, ...]) -> Leased | None:
    """The version in use; where there is none yet, the one that waits. None where there is neither, or it was
    erased."""
    by_use = sorted(versions, key=lambda each: each.status is SecretStatus.CURRENT, reverse=True)
    if not by_use or by_use[0].sealed is None:
        return None
    return Leased(by_use[0].secret, by_use[0].version, by_use[0].sealed)
