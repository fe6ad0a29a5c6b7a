"""Somebody who has left and may be erased, is to be, and was."""

from dataclasses import replace

from onepam.kernel.clock import DAY, HOUR
from tests.console.samples.company import ago
from tests.console.samples.people import LEAVER

TO_ERASE = replace(LEAVER, may_erase=True)
ERASING = replace(
    LEAVER,
    may_disable=False,
    may_change=False,
    erasure={
        "status": "proposed",
        "because": "asked for it, letter of 3 March",
        "by": "Lena Vogel",
        "agreed": "",
        "since": ago(2 * HOUR),
        "payloads": 0,
        "decision": {
            "id": "ers_1", "digest": "", "decides": True, "denies": True, "mine": False, "stale": False, "why_not": "",
        },
    },
)  # fmt: skip
ERASED = replace(
    ERASING,
    person={**LEAVER.person, "name": "erased person 7x3kqa", "email": ""},
    erasure={
        "status": "finished",
        "because": "asked for it, letter of 3 March",
        "by": "Lena Vogel",
        "agreed": "Mira Okafor",
        "since": ago(DAY),
        "payloads": 2114,
        "decision": None,
    },
    identities=[],
    roster=None,
    exception=None,
    factors=[],
)
