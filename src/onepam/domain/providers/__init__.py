"""Identity providers, their settings and signals, and who signs in through them."""
