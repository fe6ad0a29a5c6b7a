"""The system's clock: the one place where the product reads it."""

import time

from onepam.kernel.clock import Instant


def wall_clock() -> Instant:
    """Now, in microseconds UTC."""
    return Instant(time.time_ns() // 1000)
