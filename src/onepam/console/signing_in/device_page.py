"""Letting in a terminal without a browser: what its template is given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext
from onepam.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class DevicePage(PageContext):
    """Confirming `onepam login --device` (design: no phishing through us).

    `state`: "ask" | "done" | "refused" | "over"
    `device`: the terminal, as the address names it
    `person`: {name}
    `client`: host name and user the terminal reports
    `source`: address the terminal comes from
    `keyed`: it has shown an SSH key of the person's; otherwise the browser comes from the same address
    `hours`: how long the CLI session will last
    `ends`: two minutes after the terminal asked
    `error`: "" when none
    """

    template: ClassVar = "device.html"

    state: str
    device: str
    person: Context
    client: str
    source: str
    keyed: bool
    hours: int
    ends: Instant
    error: str
