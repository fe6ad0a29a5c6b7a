"""Use cases of the history."""
