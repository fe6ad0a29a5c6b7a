"""Use cases of what people are told."""
