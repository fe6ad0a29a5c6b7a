"""Use cases of the staff roster."""
