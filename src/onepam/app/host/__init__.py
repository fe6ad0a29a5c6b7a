"""Use cases of the host."""
