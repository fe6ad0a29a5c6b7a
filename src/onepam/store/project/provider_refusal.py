"""How often each provider's messages let nobody in, by cause."""

from onepam.domain.providers.refusals import ProviderRefused
from onepam.store.db import Db, row
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

PROVIDER_REFUSAL = state(
    StateTable(
        "provider_refusal",
        ("provider", "cause"),
        {
            "provider": "TEXT NOT NULL",
            "cause": "TEXT NOT NULL",
            "refusals": "INTEGER NOT NULL",
            "first_at": "INTEGER NOT NULL",
            "last_at": "INTEGER NOT NULL",
        },
    )
)


@projects(ProviderRefused)
def provider_refused(db: Db, place: Place, event: ProviderRefused) -> None:
    key = {"provider": event.provider, "cause": event.cause, "at": place.time}
    was = row(
        db,
        "SELECT refusals, first_at FROM provider_refusal WHERE provider = :provider AND cause = :cause "
        "AND valid_from <= :at AND :at < valid_until",
        key,
    )
    PROVIDER_REFUSAL.put(
        db,
        place.time,
        provider=event.provider,
        cause=event.cause,
        refusals=event.count + (was["refusals"] if was else 0),
        first_at=was["first_at"] if was else event.since,
        last_at=place.time,
    )
