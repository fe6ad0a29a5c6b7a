"""The kernel: identifiers, errors, time, canonical JSON, secrets and limits. Standard library only."""
