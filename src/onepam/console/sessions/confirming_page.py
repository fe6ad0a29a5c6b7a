"""Confirming: what its template is given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext
from onepam.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class ConfirmPage(PageContext):
    """Confirming a terminal's sign-in (design: no phishing through us).

    `state`: "ask" | "done" | "over"
    `person`: {name}
    `source`: address the terminal comes from
    `client`: what its software calls itself
    `ends`: two minutes after the terminal asked
    `error`: "" when none
    `stale`: the second factor is not fresh; the form leads through it first
    """

    template: ClassVar = "confirm.html"

    state: str
    token: str
    person: Context
    source: str
    client: str
    target: str
    login: str
    ends: Instant
    error: str
    stale: bool
