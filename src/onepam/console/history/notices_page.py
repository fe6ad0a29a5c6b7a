"""Notices: what its templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class NoticesPage(PageContext):
    """Notices: who is told of what without looking, and are they?

    `receivers`: list of {person, name, channel, failing (instant or None), why, sent, given_up, waiting}; those who
        fail first
    `rows`: list of {says, who, alarm (bool)}: the table of what is told
    """

    template: ClassVar = "notices.html"

    receivers: list[Context]
    more: int
    rows: list[Context]
