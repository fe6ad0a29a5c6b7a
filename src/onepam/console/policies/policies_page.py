"""Policies: what their templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class PoliciesPage(PageContext):
    """Which policies are in force, and which of them wait for me to read them?

    `policies`: list of {id, title, version, owner, review_by, late (bool: it was to be looked through), waits (bool),
        confirmed (Instant or none), asked, done}
    `may_publish` (bool); `endings`: what a document may be; `most_mib`
    `oversees` (bool): sees how many have confirmed
    """

    template: ClassVar = "policies.html"

    policies: list[Context]
    oversees: bool
    may_publish: bool
    endings: list[str]
    most_mib: int


@dataclass(frozen=True, slots=True)
class PolicyPage(PageContext):
    """A policy: what does it say, who answers for it, and who has not read it?

    `policy`: as in `PoliciesPage`, and {digest, readers (str), published, looked_through (Instant or none), type}; none
        once it is retired
    `text`: what it says, where a page can show it, else ""
    `missing`: list of {id, name, times}; `left`: how many more
    `versions`: list of {version, title, digest, published, by, type}
    `altered` (bool): the document is gone, or another one
    `oversees` (bool): sees who has not confirmed it; `may_look` (bool): may say that it is right as it is
    """

    template: ClassVar = "policy.html"

    id: str
    title: str
    policy: Context | None
    text: str
    altered: bool
    missing: list[Context]
    left: int
    versions: list[Context]
    oversees: bool
    may_publish: bool
    may_look: bool
