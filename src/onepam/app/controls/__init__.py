"""Use cases of controls."""
