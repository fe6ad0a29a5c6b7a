"""Changes: what its templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class ChangesPage(PageContext):
    """Proposals to access.yaml, and the change in view.

    `changes`: list of {id, title, why, ticket (str, "" where none was said), summary, by {id, name}, at, state
        ("waiting" | "applied" | "rejected"), widens (bool), digest}
    `change`: none, or {id, title, why, ticket, summary, by {id, name}, at, state, widens, digest, decided_by (str),
        decided_at (or none), decided_why (str), effects (list of {person {id, name}, gains (list of str), loses (list
        of str)}), ends {sessions, people},
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
    `said`: none, or {text, hint}: why it was not proposed, or what has become of what was typed
    `problems`: list of {line, column, message, hint}: why it means nothing yet
    `plan`: none, or {digest, summary, changes_something, widens (bool), widenings (list of str), effects, diff}: see
        changes.html
    """

    template: ClassVar = "propose.html"

    text: str
    base: str
    guided: bool
    motive: Context
    said: Context | None
    problems: list[Context]
    plan: Context | None
