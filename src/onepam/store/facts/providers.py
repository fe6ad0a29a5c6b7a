"""Facts of setting identity providers."""

import json
from typing import Any

from onepam.app.ports import Snapshot
from onepam.app.providers.count_refusals import RefusalQuery
from onepam.app.providers.propose_provider import ProviderQuery
from onepam.app.providers.take_provider_keys import KeysQuery
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.history.event import decoder
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import ProviderRule
from onepam.domain.providers.keys import KeysFacts
from onepam.domain.providers.refusals import RefusalFacts
from onepam.domain.providers.setting import MOST_SIGN_INS, InForce, Provider, ProviderProposal, SettingFacts
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.proposals import proposal_of

_rule = decoder(ProviderRule)


@loads(RefusalQuery)
def refusal(db: Snapshot, query: RefusalQuery, at: Instant) -> RefusalFacts:
    of = {"provider": query.provider, "at": at}
    return RefusalFacts(row(db, f"SELECT 1 FROM provider WHERE provider = :provider AND {AT}", of) is not None)


@loads(KeysQuery)
def keys(db: Snapshot, query: KeysQuery, at: Instant) -> KeysFacts:
    of = {"provider": query.provider, "at": at}
    found = row(db, f"SELECT change FROM provider WHERE provider = :provider AND {AT}", of)
    return KeysFacts(found["change"] if found else None)


@loads(ProviderQuery)
def setting(db: Snapshot, query: ProviderQuery, at: Instant) -> SettingFacts:
    came_by = row(
        db,
        f"SELECT provider FROM sign_in WHERE session = :session AND {AT}",
        {"session": query.actor.session, "at": at},
    )
    waits = rows(db, f"SELECT change, provider FROM provider_proposal WHERE {AT} ORDER BY change", {"at": at})
    of = {"provider": query.provider, "at": at}
    signed_in = rows(
        db,
        f"SELECT session, person FROM sign_in WHERE provider = :provider AND provider <> '' AND {AT} "
        f"ORDER BY session LIMIT {MOST_SIGN_INS}",
        of,
    )
    declared = rows(
        db, f"SELECT declaration FROM mfa_declaration WHERE provider = :provider AND {AT} ORDER BY declaration", of
    )
    return SettingFacts(
        actor=actor_facts(db, query.actor, at),
        actor_came_by=came_by["provider"] if came_by else "",
        providers=tuple(
            InForce(provider_of(each), each["valid_from"])
            for each in rows(db, f"SELECT * FROM provider WHERE {AT} ORDER BY provider", {"at": at})
        ),
        proposal=_proposal(db, query.change, at),
        waiting=tuple((each["change"], each["provider"]) for each in waits),
        taken=_taken(db, query, at),
        sign_ins=tuple((each["session"], each["person"]) for each in signed_in),
        declarations=tuple(each["declaration"] for each in declared),
    )


def provider_of(found: Any) -> Provider:
    """The provider in a row of the tables `provider` or `provider_proposal`."""
    rule: ProviderRule = _rule(json.loads(found["rule"]))
    return Provider(
        change=found["change"],
        provider=found["provider"],
        kind=ProviderKind(found["kind"]),
        name=found["name"],
        settings=found["settings"],
        rule=rule,
        secret=found["secret"],
    )


def _proposal(db: Snapshot, change: str, at: Instant) -> ProviderProposal | None:
    found = row(db, f"SELECT * FROM provider_proposal WHERE change = :change AND {AT}", {"change": change, "at": at})
    if found is None:
        return None
    waiting = proposal_of(db, ProposalKind.PROVIDER, change, at)
    return ProviderProposal(provider_of(found), waiting) if waiting is not None else None


def _taken(db: Snapshot, query: ProviderQuery, at: Instant) -> bool:
    """Whether the id of the change or declaration was ever used, or that of a new provider by one that was removed:
    identities are linked to a provider by its id."""
    used = row(
        db,
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM provider_proposal WHERE change = :change) "
        "OR EXISTS (SELECT 1 FROM mfa_declaration WHERE declaration = :declaration) "
        "OR EXISTS (SELECT 1 FROM provider WHERE provider = :provider AND :change <> '') "
        f"AND NOT EXISTS (SELECT 1 FROM provider WHERE provider = :provider AND {AT})",
        {"change": query.change, "declaration": query.declaration, "provider": query.provider, "at": at},
    )
    return used is not None
