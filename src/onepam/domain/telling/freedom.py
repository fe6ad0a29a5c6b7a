"""What people may choose of a notice."""

from enum import Flag, auto


class Freedom(Flag):
    """What people may choose of a notice (`choosing.py`): that it waits until their quiet hours end, that it comes in
    the digest, that it does not come at all."""

    NONE = 0
    WAITS = auto()
    DIGEST = auto()
    OFF = auto()


FREE = Freedom.WAITS | Freedom.DIGEST | Freedom.OFF

FIRM = Freedom.WAITS | Freedom.DIGEST
"""Of what takes something from somebody they are told."""

URGENT = Freedom.WAITS | Freedom.OFF
"""Over before a digest could come."""
