"""Receivers of notices, and what is told."""

from onepam.console.frame.page import Context
from onepam.console.history.notices_page import NoticesPage
from onepam.console.history.own_notices_page import OwnNoticesPage
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
        receiver(person="", name="ops: alarms", channel="Slack", sent=ago(DAY)),
    ],
    more=0, rows=ROWS,
)  # fmt: skip
NO_NOTICES = NoticesPage(receivers=[], more=0, rows=ROWS)


def kind(name: str, says: str, how: str, *ways: str) -> Context:
    words = {"at_once": "At once", "digest": "In the digest", "never": "Not at all"}
    return {"kind": name, "says": says, "how": how, "ways": [{"how": each, "word": words[each]} for each in ways]}


ALL_WAYS = ("at_once", "digest", "never")
OWN_GROUPS: list[Context] = [
    {
        "says": "What waits for you",
        "rows": [
            kind("request.made", "Somebody asks for access", "digest", *ALL_WAYS),
            kind("statement.asked", "A statement in somebody's session at a database waits for a yes", "at_once",
                 "at_once", "never"),
        ],
    },
    {"says": "What you asked for", "rows": [kind("request.denied", "What you asked for was denied", "never",
                                                 *ALL_WAYS)]},
    {
        "says": "What concerns you",
        "rows": [
            kind("role.withheld", "A review took a role from you", "at_once", "at_once", "digest"),
            kind("factor.removed", "A factor of yours was replaced or removed", "at_once", "at_once"),
        ],
    },
]  # fmt: skip
DAYS = [
    {"number": number, "word": word, "chosen": number < 6}
    for number, word in enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), 1)
]
OWN_ALARMS = [kind("chain.broken", "The history fails its verification", "at_once", "at_once")]
OWN_NOTICES = OwnNoticesPage(
    address="ada@example.com", mailed=True, groups=OWN_GROUPS, alarms=OWN_ALARMS,
    zone="Europe/Berlin", digest_at="08:00",
    quiet_from="22:00", quiet_until="07:00", days=DAYS, zones=["Europe/Berlin", "UTC"],
)  # fmt: skip
OWN_NOTICES_UNSENT = OwnNoticesPage(
    address="", mailed=False, groups=OWN_GROUPS[1:], alarms=[],
    zone="UTC", digest_at="08:00", quiet_from="", quiet_until="",
    days=DAYS, zones=["UTC"],
)  # fmt: skip
