"""Facts: the one query that answers a command's question, inside the ledger's transaction."""

from onepam.store.facts import (
    changes,
    clock,
    directory_brake,
    disk,
    evidence,
    federated,
    outbox,
    people,
    probing,
    providers,
    provisioning,
    recordings,
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
    "directory_brake",
    "disk",
    "evidence",
    "federated",
    "load",
    "outbox",
    "people",
    "probing",
    "providers",
    "provisioning",
    "recordings",
    "requests",
    "sessions",
    "sign_in",
    "signals",
    "staff",
]
