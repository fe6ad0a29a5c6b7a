"""People, service accounts, groups."""
