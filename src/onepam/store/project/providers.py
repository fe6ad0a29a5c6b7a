"""Identity providers, what was proposed or declared of them, and whose identity is whose."""

from onepam.domain.providers import events
from onepam.domain.providers.keys import ProviderKeysRead
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

_PROVIDER = {
    "provider": "TEXT NOT NULL",
    "change": "TEXT NOT NULL",
    "kind": "TEXT NOT NULL",
    "name": "TEXT NOT NULL",
    "settings": "TEXT NOT NULL",
    "rule": "TEXT NOT NULL",
    "secret": "TEXT",
    "proposed_by": "TEXT NOT NULL",
}
PROVIDER = state(StateTable("provider", ("provider",), {**_PROVIDER, "approved_by": "TEXT NOT NULL"}))
PROVIDER_PROPOSAL = state(StateTable("provider_proposal", ("change",), _PROVIDER, (("provider",),)))
DECLARATION = state(
    StateTable(
        "mfa_declaration",
        ("declaration",),
        {
            "declaration": "TEXT NOT NULL",
            "provider": "TEXT NOT NULL",
            "statement": "TEXT NOT NULL",
            "policy_digest": "TEXT NOT NULL",
            "ends": "INTEGER NOT NULL",
            "signed_by": "TEXT NOT NULL",
            "mfa_at": "INTEGER NOT NULL",
            "signed": "INTEGER NOT NULL",
            "policy": "TEXT",
        },
        (("provider",),),
    )
)
IDENTITY = state(
    StateTable(
        "identity",
        ("identity",),
        {
            "identity": "TEXT NOT NULL",
            "provider": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "because": "TEXT NOT NULL",
            "subject_digest": "TEXT",
            "subject": "TEXT",
            "user_name": "TEXT",
        },
        (("person",), ("subject_digest",)),
        personal=("subject_digest", "subject", "user_name"),
    )
)
LOGOUT = state(
    StateTable(
        "provider_logout",
        ("provider", "digest"),
        {"provider": "TEXT NOT NULL", "digest": "TEXT NOT NULL", "ended": "INTEGER NOT NULL"},
    )
)


@projects(events.ProviderProposed)
def provider_proposed(db: Db, place: Place, event: events.ProviderProposed) -> None:
    PROVIDER_PROPOSAL.put(
        db,
        place.time,
        provider=event.provider,
        change=event.change,
        kind=event.kind,
        name=event.name,
        settings=event.settings,
        rule=event.rule,
        secret=event.secret,
        proposed_by=event.by,
    )


@projects(events.ProviderSet)
def provider_set(db: Db, place: Place, event: events.ProviderSet) -> None:
    PROVIDER_PROPOSAL.end(db, place.time, change=event.change)
    PROVIDER.put(
        db,
        place.time,
        provider=event.provider,
        change=event.change,
        kind=event.kind,
        name=event.name,
        settings=event.settings,
        rule=event.rule,
        secret=event.secret,
        proposed_by=event.proposed_by,
        approved_by=event.by,
    )


@projects(ProviderKeysRead)
def provider_keys_read(db: Db, place: Place, event: ProviderKeysRead) -> None:
    PROVIDER.change(db, place.time, {"provider": event.provider}, change=event.change, settings=event.settings)


@projects(events.ProviderRejected)
def provider_rejected(db: Db, place: Place, event: events.ProviderRejected) -> None:
    PROVIDER_PROPOSAL.end(db, place.time, change=event.change)


@projects(events.ProviderRemoved)
def provider_removed(db: Db, place: Place, event: events.ProviderRemoved) -> None:
    PROVIDER.end(db, place.time, provider=event.provider)


@projects(events.MfaDeclared)
def mfa_declared(db: Db, place: Place, event: events.MfaDeclared) -> None:
    DECLARATION.put(
        db,
        place.time,
        declaration=event.declaration,
        provider=event.provider,
        statement=event.statement,
        policy_digest=event.policy_digest,
        ends=event.ends,
        signed_by=event.by,
        mfa_at=event.mfa_at,
        signed=place.time,
        policy=event.policy,
    )


@projects(events.MfaDeclarationEnded)
def mfa_declaration_ended(db: Db, place: Place, event: events.MfaDeclarationEnded) -> None:
    DECLARATION.end(db, place.time, declaration=event.declaration)


@projects(events.IdentityLinked)
def identity_linked(db: Db, place: Place, event: events.IdentityLinked) -> None:
    IDENTITY.put(
        db,
        place.time,
        identity=event.identity,
        provider=event.provider,
        person=event.person,
        because=event.because,
        subject_digest=event.subject_digest,
        subject=event.subject,
        user_name=event.user_name,
    )


@projects(events.IdentityUnlinked)
def identity_unlinked(db: Db, place: Place, event: events.IdentityUnlinked) -> None:
    IDENTITY.end(db, place.time, identity=event.identity)


@projects(events.ProviderLoggedOut)
def provider_logged_out(db: Db, place: Place, event: events.ProviderLoggedOut) -> None:
    LOGOUT.put(db, place.time, provider=event.provider, digest=event.digest, ended=event.ended)
