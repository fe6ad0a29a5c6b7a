"""Use cases of access reviews."""
