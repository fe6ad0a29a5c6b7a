"""Resources: what its templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class ResourcesPage(PageContext):
    """Resources.

    `filter`: {q}
    `resources`: list of {id, name, kind, labels, address, owner, logins (list of str), state ("proven" pinned | "due"
        nothing yet), state_word, people (int: who can reach it, standing or on request), live (int), last_session
        (Instant or none)}
    `pager`: of parts/ui.html
    """

    template: ClassVar = "resources.html"

    filter: Context
    resources: list[Context]
    pager: Context


@dataclass(frozen=True, slots=True)
class ResourcePage(PageContext):
    """One resource.

    `resource`: {id, name, kind, labels, address, port, owner, logins, mfa (str), pin (what such a resource is
        known by), pins (list of {fingerprint, algorithm (words), ends (Instant or none), pinned_at, by}), since,
        mask (what is masked, in words, or ""), session_users ({made_by, member_of (list of [login, role])} or none),
        left (list of {user, session, why, since}: users of sessions that could not be dropped)}
    `open`, `requestable`: what the reader may paste here, and ask for: of `launching.opened` and `launching.offers`
    `reach`: list of {person {id, name}, ways (list of {login, role, how ("standing" | "on request" | "granted"), ends
        (FOREVER), chain})}
    `pager`: of parts/ui.html, of those people
    `sessions`: list of {id, person (name), login, started, ended, state, recording}
    `history`: list of {at, words, proof}
    """

    template: ClassVar = "resource.html"

    resource: Context
    open: list[Context]
    requestable: list[Context]
    reach: list[Context]
    pager: Context
    sessions: list[Context]
    history: list[Context]
    proof: Context
