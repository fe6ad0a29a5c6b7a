"""Use cases of the role matrix."""
