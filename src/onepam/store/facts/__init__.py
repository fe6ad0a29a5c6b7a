"""Facts: the one query that answers a command's question, inside the ledger's transaction."""

from onepam.store.facts import changes, clock, people, requests, sessions, sign_in
from onepam.store.facts.registry import load

__all__ = ["changes", "clock", "load", "people", "requests", "sessions", "sign_in"]
