"""All attacks: whoever asks for the table asks here, so that every room has entered its own."""

from tests.tampering import on_authors, on_entries, on_log, on_tables
from tests.tampering.table import ATTACKS

__all__ = ["ATTACKS", "on_authors", "on_entries", "on_log", "on_tables"]
