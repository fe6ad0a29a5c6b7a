"""Receivers of notices, and what is told."""

from onepam.console.frame.page import Context
from onepam.console.history.notices_page import NoticesPage
from onepam.kernel.clock import DAY, HOUR, MINUTE
from tests.console.samples.company import ago


def receiver(**changes: object) -> Context:
    return {
        "person": "per_ada", "name": "Ada Example", "channel": "e-mail", "failing": None, "why": "",
        "sent": ago(3 * HOUR), "given_up": None, "waiting": 0, **changes,
    }  # fmt: skip


ROWS = [
    {"says": "The history fails its verification", "who": "administrators, systems", "alarm": True},
    {"says": "A directory ended many, or the last administrator", "who": "administrators, systems", "alarm": True},
    {"says": "A factor of the person was replaced or removed", "who": "the person, systems", "alarm": False},
]
NOTICES = NoticesPage(
    receivers=[
        receiver(person="", name="siem", channel="webhook", failing=ago(26 * HOUR), why="It answers with an error.",
                 given_up=ago(2 * HOUR), waiting=1204, sent=ago(3 * DAY)),
        receiver(),
        receiver(person="", name="logs", channel="syslog", sent=ago(MINUTE)),
        receiver(person="", name="Security address", sent=None),
    ],
    more=0, rows=ROWS,
)  # fmt: skip
NO_NOTICES = NoticesPage(receivers=[], more=0, rows=ROWS)
