"""Facts: the one query that answers a command's question, inside the ledger's transaction."""

from onepam.store.facts import (
    changes,
    clock,
    evidence,
    federated,
    people,
    probing,
    providers,
    provisioning,
    requests,
    sessions,
    sign_in,
    signals,
    staff,
)
from onepam.store.facts.registry import load

__all__ = [
    "changes",
    "clock",
    "evidence",
    "federated",
    "load",
    "people",
    "probing",
    "providers",
    "provisioning",
    "requests",
    "sessions",
    "sign_in",
    "signals",
    "staff",
]
