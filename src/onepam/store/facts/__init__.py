"""Facts: the one query that answers a command's question, inside the ledger's transaction."""

from onepam.store.facts import people, requests, sessions, sign_in
from onepam.store.facts.registry import load

__all__ = ["load", "people", "requests", "sessions", "sign_in"]
