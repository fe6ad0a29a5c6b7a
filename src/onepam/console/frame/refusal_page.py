"""Refusal: what its templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class RefusalPage(PageContext):
    """A refusal or an error: what happened, why, what to do next. Works signed in or not.

    `heading`: what happened, in one sentence
    `why`: the reason ("" when it may not be said)
    `next`: {href, word} or none
    `code`: the stable code, for whoever is asked for help
    `chain`: (see parts/ui.html) or none: what was looked at
    """

    template: ClassVar = "refusal.html"

    heading: str
    why: str
    next: Context | None
    code: str
    chain: list[Context] | None
