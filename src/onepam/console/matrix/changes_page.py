"""Changes: what its templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class ChangesPage(PageContext):
    """Proposals to access.yaml, and the change in view.

    `changes`: list of {id, title, why, ticket (str, "" where none was said), summary, by {id, name}, at, state
        ("waiting" | "applied" | "rejected"), widens (bool), digest (what an approval holds for), document (the
        file's digest)}
    `change`: none, or the same and {decided_by (str), decided_at (or none), decided_why (str), planned (bool: its text
        is there, so that effects and difference are known), effects (list of {person {id, name}, gains (list of str),
        loses (list of str)}), ends {sessions, people},
        diff (list of {kind ("same" | "add" | "remove" | "skip"), text, number (int or none)})}
    `pager`: of parts/ui.html, for the list
    `decision`: none, or the form on the change in view (parts/decision.html), which waits
    """

    template: ClassVar = "changes.html"

    changes: list[Context]
    pager: Context
    change: Context | None
    may_propose: bool
    decision: Context | None


@dataclass(frozen=True, slots=True)
class ProposePage(PageContext):
    """Proposing a change: the text, what is wrong with it, or what it would do, and why.

    `text`: the file as typed
    `base`: the digest of the file that it began with
    `guided`: it gives or takes one role of one person, so that the text need not be looked at
    `motive`: {title, reason, ticket}, as typed
    `back`: {href, word}: where the reader came from
    `replaces`: "", or what is in force without a text: putting another text in force replaces all of it
    `said`: none, or {text, hint}: why it was not proposed, or what has become of what was typed
    `problems`: list of {line, column, message, hint}: why it means nothing yet
    `plan`: none, or {digest, summary, changes_something, widens (bool), widenings (list of str), effects, diff, broken,
        ends}: see changes.html
    """

    template: ClassVar = "propose.html"

    text: str
    base: str
    guided: bool
    motive: Context
    back: Context
    replaces: str
    said: Context | None
    problems: list[Context]
    plan: Context | None
