"""People and service accounts."""
