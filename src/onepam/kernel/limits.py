"""Bounds that more than one room must agree on. Each has its unit in its name."""

MAX_BODY_BYTES = 64 * 1024 - 1
"""Largest event body in the ledger."""

MAX_PAYLOAD_BYTES = 1024 * 1024
"""Largest erasable payload of one event."""

MAX_EVENTS_PER_COMMAND = 25_000

MAX_BATCH_MILLISECONDS = 50
"""How long one group commit may hold the ledger's lock."""

MAX_TEXT_CHARACTERS = 2_000
"""Longest free text that a person may type (reason, comment)."""

MAX_NAME_CHARACTERS = 200
