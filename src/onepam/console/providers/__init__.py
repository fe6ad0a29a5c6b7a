"""Identity providers and signals."""
