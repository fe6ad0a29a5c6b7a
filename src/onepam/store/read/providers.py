"""Identity providers as pages, the API and the command line show them."""

from dataclasses import dataclass, replace

from onepam.app.ports import Snapshot
from onepam.app.providers.federated_sign_in import EnteringQuery
from onepam.domain.providers.assertion import Assertion
from onepam.domain.providers.entering import EnteringFacts, session_of, subject_digest
from onepam.domain.providers.setting import Provider
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.facts import load
from onepam.store.engine.tables import AT
from onepam.store.facts.providers import provider_of
from onepam.store.read.names import name


@dataclass(frozen=True, slots=True)
class LastSignIn:
    """The newest sign-in through a provider, and why it counted as made with a second factor."""

    person: str
    person_name: str
    at: Instant
    basis: str


@dataclass(frozen=True, slots=True)
class LastFailure:
    """The newest message of a provider about somebody known that was refused; `code` is the refusal's."""

    person: str
    person_name: str
    at: Instant
    code: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """A statement in force that a provider demands a second factor."""

    declaration: str
    statement: str
    policy_digest: str
    policy: str | None
    signed_by: str
    signed_by_name: str
    signed: Instant
    ends: Instant


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A provider in force. `people` are those with an identity there; `last` is None before the first sign-in,
    `failure` before the first refusal."""

    provider: Provider
    since: Instant
    proposed_by: str
    proposed_by_name: str
    approved_by: str
    approved_by_name: str
    people: int
    last: LastSignIn | None
    failure: LastFailure | None
    declaration: Declaration | None


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A provider as it is proposed, and as it is now (None: a new one)."""

    provider: Provider
    current: Provider | None
    by: str
    by_name: str
    at: Instant


def providers(db: Snapshot, at: Instant) -> list[ProviderRow]:
    """All providers in force, by name."""
    return [_row(db, at, each) for each in rows(db, f"SELECT * FROM provider WHERE {AT} ORDER BY name", {"at": at})]


def provider(db: Snapshot, at: Instant, ident: str) -> ProviderRow | None:
    """One provider in force, or None."""
    found = row(db, f"SELECT * FROM provider WHERE provider = :provider AND {AT}", {"provider": ident, "at": at})
    return None if found is None else _row(db, at, found)


@dataclass(frozen=True, slots=True)
class RefusedCount:
    """How often messages of a provider let nobody in for this `cause` (a refusal's code)."""

    cause: str
    count: int
    first: Instant
    last: Instant


def refusals(db: Snapshot, at: Instant, ident: str) -> list[RefusedCount]:
    """What a provider's messages were refused for, the newest first."""
    found = rows(
        db,
        "SELECT cause, refusals, first_at, last_at FROM provider_refusal "
        f"WHERE provider = :provider AND {AT} ORDER BY last_at DESC, cause",
        {"provider": ident, "at": at},
    )
    return [RefusedCount(*each) for each in found]


def proposals(db: Snapshot, at: Instant) -> list[ProposalRow]:
    """Those that wait, oldest first."""
    found = rows(db, f"SELECT * FROM provider_proposal WHERE {AT} ORDER BY valid_from", {"at": at})
    return [_proposal(db, at, each) for each in found]


def proposal(db: Snapshot, at: Instant, change: str) -> ProposalRow | None:
    """The proposal that waits, or None."""
    found = row(db, f"SELECT * FROM provider_proposal WHERE change = :change AND {AT}", {"change": change, "at": at})
    return None if found is None else _proposal(db, at, found)


def by_change(db: Snapshot, at: Instant, change: str) -> Provider | None:
    """A provider as `change` makes it: proposed, or in force. For a test of it."""
    for table in ("provider_proposal", "provider"):
        found = row(db, f"SELECT * FROM {table} WHERE change = :change AND {AT}", {"change": change, "at": at})
        if found is not None:
            return provider_of(found)
    return None


def by_provider(db: Snapshot, at: Instant, ident: str) -> Provider | None:
    """A provider in force, else its oldest proposal: what it is told about us is the same."""
    for table in ("provider", "provider_proposal"):
        found = row(
            db, f"SELECT * FROM {table} WHERE provider = :provider AND {AT} ORDER BY valid_from LIMIT 1",
            {"provider": ident, "at": at},
        )  # fmt: skip
        if found is not None:
            return provider_of(found)
    return None


def message_facts(db: Snapshot, at: Instant, stored: Provider, said: Assertion) -> EnteringFacts:
    """What a message of the provider would be held against, if the provider were as `stored`."""
    digest, email = subject_digest(said.provider, said.subject), (said.email or "").strip().lower()
    found = load(db, EnteringQuery(said.provider, digest, email, session_of(said)), at)
    return replace(found, provider=stored, taken=False)


def declaration(db: Snapshot, at: Instant, ident: str) -> Declaration | None:
    """The statement in force about the provider's second factor, or None."""
    return _declaration(db, at, {"provider": ident, "at": at})


def _row(db: Snapshot, at: Instant, found: Row) -> ProviderRow:
    of = {"provider": found["provider"], "at": at}
    linked = row(db, f"SELECT count(DISTINCT person) FROM identity WHERE provider = :provider AND {AT}", of)
    return ProviderRow(
        provider=provider_of(found),
        since=found["valid_from"],
        proposed_by=found["proposed_by"],
        proposed_by_name=name(db, at, found["proposed_by"]),
        approved_by=found["approved_by"],
        approved_by_name=name(db, at, found["approved_by"]),
        people=linked[0] if linked else 0,
        last=_last(db, at, of),
        failure=_failure(db, at, of),
        declaration=_declaration(db, at, of),
    )


def _last(db: Snapshot, at: Instant, of: dict[str, object]) -> LastSignIn | None:
    found = row(
        db,
        "SELECT person, opened, basis FROM sign_in WHERE provider = :provider AND opened <= :at AND kind = 'console' "
        "AND valid_from <= :at ORDER BY opened DESC, valid_from DESC LIMIT 1",
        of,
    )
    if found is None:
        return None
    return LastSignIn(found["person"], name(db, at, found["person"]), found["opened"], found["basis"])


def _failure(db: Snapshot, at: Instant, of: dict[str, object]) -> LastFailure | None:
    found = row(db, f"SELECT person, refused, code FROM refused_message WHERE provider = :provider AND {AT}", of)
    if found is None:
        return None
    return LastFailure(found["person"], name(db, at, found["person"]), found["refused"], found["code"])


def _declaration(db: Snapshot, at: Instant, of: dict[str, object]) -> Declaration | None:
    found = row(
        db,
        f"SELECT * FROM mfa_declaration WHERE provider = :provider AND ends > :at AND {AT} ORDER BY ends DESC LIMIT 1",
        of,
    )
    if found is None:
        return None
    return Declaration(
        declaration=found["declaration"],
        statement=found["statement"],
        policy_digest=found["policy_digest"],
        policy=found["policy"],
        signed_by=found["signed_by"],
        signed_by_name=name(db, at, found["signed_by"]),
        signed=found["signed"],
        ends=found["ends"],
    )


def _proposal(db: Snapshot, at: Instant, found: Row) -> ProposalRow:
    current = row(
        db, f"SELECT * FROM provider WHERE provider = :provider AND {AT}", {"provider": found["provider"], "at": at}
    )
    return ProposalRow(
        provider=provider_of(found),
        current=provider_of(current) if current is not None else None,
        by=found["proposed_by"],
        by_name=name(db, at, found["proposed_by"]),
        at=found["valid_from"],
    )
