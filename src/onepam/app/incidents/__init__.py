"""Use cases of incidents."""
