"""Use cases of requests for access."""
