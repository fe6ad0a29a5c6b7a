"""The ledger, its checkpoints, what was told."""
