"""The staff roster."""
