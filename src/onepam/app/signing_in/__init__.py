"""Use cases of signing in."""
