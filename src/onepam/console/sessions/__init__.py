"""Sessions and their recordings."""
