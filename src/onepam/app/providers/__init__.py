"""Use cases of identity providers and signals."""
