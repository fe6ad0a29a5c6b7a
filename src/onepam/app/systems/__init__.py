"""Use cases of other systems' accounts."""
