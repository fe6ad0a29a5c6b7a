"""The one integer that time is: microseconds since 1970-01-01 in UTC; and what people measure it in.

Apart from the clock (`clock.py`), for the stand-alone verifier has this, too: standard library, Python 3.9.
"""

from __future__ import annotations

from typing import NewType

Instant = NewType("Instant", int)

MICROSECOND = 1
MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

FOREVER = Instant((1 << 53) - 1)
"""`valid_until` of what has no end yet: the largest integer that RFC 8785 JSON carries exactly."""
