"""Provisioning: what its templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class ProvisioningPage(PageContext):
    """SCIM: which directories write here, by which tokens, and what comes of it.

    `providers`: list of {id, name}: the identity providers in force, for a token
    `directories`: list of {provider, users, active, groups, last (Instant or none), late (bool), done (int), failed
        (int), failures (list of {at, what, status, detail})}
    `tokens`: list of {id, name, provider, networks (str), domains (str), ends, over (bool), used (Instant or none),
        proposed_by {id, name}, approved_by {id, name} or none, oauth (bool), decision (parts/decision.html, or none)}
    `groups`: list of {name, provider, named (int), in_effect (int), roles (str)}
    `filter`: {q, trouble ("" or a code of troubles)}; `troubles`: {code: words}
    `pager`, `groups_pager`: of parts/ui.html
    `unfed`: list of {name, roles (str)}: groups that access.yaml binds and no directory sends
    `troubled`: list of {user_name, provider, person (id or none), trouble, user, version (int), waits_for {id, name}
        or none}
    `holds`: list of {id, origin, decide_by (Instant or none), people (list of {id, name, because, reason, began})}:
        accounts whose end waits
    `reported`: list of {id, name, origin, because, began}: people who have left by a directory that does not lead
        their accounts
    `own_words`: list of {person, name, at}: last administrators who decided on themselves
    `address`: what the directory's administrator types in
    `exchange`: the token endpoint
    `client`: the client id of a token made just now for client credentials, else ""
    `new`: a token that was made just now, shown this once; else ""
    `stale`: the reader's second factor is older than five minutes
    """

    template: ClassVar = "provisioning.html"

    providers: list[Context]
    directories: list[Context]
    tokens: list[Context]
    groups: list[Context]
    groups_pager: Context
    unfed: list[Context]
    filter: Context
    troubles: Context
    troubled: list[Context]
    pager: Context
    holds: list[Context]
    reported: list[Context]
    own_words: list[Context]
    address: str
    exchange: str
    client: str
    new: str
    usual_days: int
    end_attribute: str
    may_change: bool
    stale: bool
