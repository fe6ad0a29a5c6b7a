"""My notices: what its template is given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class OwnNoticesPage(PageContext):
    """My notices: of what am I told by e-mail, and when?

    `address`: where to ("" where there is none)
    `mailed` (bool): whether this installation sends e-mail at all
    `groups`: list of {says, rows (list of {kind, says, how, ways (list of {how, word})})}; `how` is at_once, digest or
        never; with one way there is nothing to choose
    `alarms`: such rows, of which nothing can be chosen
    `zone`, `digest_at`, `quiet_from`, `quiet_until`: as typed; times as `08:00`, "" for no quiet hours
    `days`: list of {number, word, chosen (bool)}
    `zones`: names to choose from
    """

    template: ClassVar = "own_notices.html"

    address: str
    mailed: bool
    groups: list[Context]
    alarms: list[Context]
    zone: str
    digest_at: str
    quiet_from: str
    quiet_until: str
    days: list[Context]
    zones: list[str]
