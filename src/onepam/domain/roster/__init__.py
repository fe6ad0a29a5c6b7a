"""The staff roster: held against accounts, and followed."""
