"""Setting, proving, retiring and leasing the secrets by which the gateway signs in at targets."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.sessions.target_secrets import (
    Kept,
    Leased,
    LeaseFacts,
    SecretFacts,
    VersionFacts,
    give_up,
    lease,
    prove,
    remove,
    store,
)
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class SecretQuery:
    """The actor, and the secret of a login."""

    facts: ClassVar[type[SecretFacts]] = SecretFacts
    actor: Actor
    resource: str
    login: str


@dataclass(frozen=True, slots=True)
class VersionQuery:
    """A secret by its id."""

    facts: ClassVar[type[VersionFacts]] = VersionFacts
    secret: str


@dataclass(frozen=True, slots=True)
class LeaseQuery:
    """A session, and the secret of its login."""

    facts: ClassVar[type[LeaseFacts]] = LeaseFacts
    session: str
    resource: str
    login: str


async def store_secret(
    ledger: Ledger, actor: Actor, kept: Kept, resource: str, login: str, sealed: str
) -> Kept | Refused:
    """Stores the next version, which waits until the target has taken it: `kept`, unless another was set meanwhile.
    `sealed` is base64 of its envelope."""
    outcome = await ledger.commit(
        SecretQuery(actor, resource, login),
        lambda facts, now: store(facts, kept, resource, login, sealed, now),
    )
    return outcome if isinstance(outcome, Refused) else outcome.result


async def prove_secret(ledger: Ledger, kept: Kept) -> Refused | None:
    """The target took this version."""
    outcome = await ledger.commit(VersionQuery(kept.secret), lambda facts, now: prove(facts, kept))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def give_up_secret(ledger: Ledger, kept: Kept, because: str) -> Refused | None:
    """The target did not take this version; `because` is the code of its refusal."""
    outcome = await ledger.commit(VersionQuery(kept.secret), lambda facts, now: give_up(facts, kept, because))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def remove_secret(ledger: Ledger, actor: Actor, resource: str, login: str) -> Refused | None:
    """Retires all versions of a login's secret."""
    outcome = await ledger.commit(
        SecretQuery(actor, resource, login), lambda facts, now: remove(facts, resource, login, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result


async def lease_secret(ledger: Ledger, session: str, resource: str, login: str) -> Leased | Refused:
    """What the session signs in with at its target; that it was given it is in the ledger."""
    outcome = await ledger.commit(
        LeaseQuery(session, resource, login), lambda facts, now: lease(facts, session, resource, login)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
