"""Use cases of leaving."""
