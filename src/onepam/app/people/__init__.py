"""Use cases of people and service accounts."""
