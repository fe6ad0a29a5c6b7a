"""Providers: what its templates are given."""

from dataclasses import dataclass
from typing import Any, ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class ProvidersPage(PageContext):
    """Identity providers: how each fares, and what waits for a second administrator.

    `providers`: list of {id, name, protocol, domains (list of str), people (int), since, last (none or {person {id,
        name}, at, basis}), factor {state ("proven" | "due" | "plain"), words, until (Instant or none)}, expiries
        (list of {what, at, days, state}), trouble (str: why it cannot be used, "" when it can)}
    `proposals`: list of {id, name, new (bool), by {id, name}, at}
    """

    template: ClassVar = "providers.html"

    providers: list[Context]
    proposals: list[Context]
    may_change: bool


@dataclass(frozen=True, slots=True)
class ProviderPage(PageContext):
    """One identity provider in force.

    `provider`: as in providers.html, and change (str: what set it), failure (none or {person {id, name}, at, why})
    `facts`: list of {what, is}: everything that is set
    `addresses`: list of {name, value, hint}
    `proposals`: as in providers.html
    `set_by`: {proposed (str), approved (str), at}
    `refusals`: list of {why, what_to_do, cause, count, last}: what its messages were refused for
    `declaration`: none, or {id, statement, digest, policy (str), by {id, name}, at, ends}
    `last_day`: on which a declaration may end at the latest
    `stale`: the reader's second factor is older than five minutes
    """

    template: ClassVar = "provider.html"

    provider: Context
    facts: list[Context]
    addresses: list[Context]
    proposals: list[Context]
    set_by: Context
    refusals: list[Context]
    declaration: Context | None
    last_day: str
    may_change: bool
    stale: bool


@dataclass(frozen=True, slots=True)
class ProviderNewPage(PageContext):
    """The first step: who the provider is.

    `vendors`: list of {name, initials, ways (list of {kind ("oidc" | "saml"), preset})}
    """

    template: ClassVar = "provider_new.html"

    vendors: list[Context]


@dataclass(frozen=True, slots=True)
class ProviderFormPage(PageContext):
    """The second step: our addresses there, its settings here. Also for changing a provider, or a proposal.

    `vendor`: {key, name, example, gaps (list of str), steps (list of lists of {text, ours (bool)}), demands (list of
        str)}
    `provider`: its id
    `kind`: "oidc" | "saml"
    `addresses`: list of {name, value, hint}: ours
    `form`: field -> str: as typed (see console/providers/provider_form.py)
    `changes`: it is there already
    `kept_secret`: sealed; of a form that is shown again
    `replaces`: the proposal that this one takes the place of
    `error`: none, or {message, hint, link, code}
    """

    template: ClassVar = "provider_form.html"

    vendor: Context
    provider: str
    kind: str
    called: str
    addresses: list[Context]
    form: Any
    changes: bool
    has_secret: bool
    kept_secret: str
    replaces: str
    error: Context | None


@dataclass(frozen=True, slots=True)
class ProviderProposedPage(PageContext):
    """A provider, or a change of one, that waits: test it, then another administrator decides.

    `change`: {id, name, new (bool), by {id, name}, at}
    `provider`: {id, name, protocol}
    `differences`: list of {what, before ("" where there is nothing), after}
    `trouble`: why its settings cannot be used, "" when they can
    `expiries`: list of {what, at, days, state}
    `addresses`: list of {name, value, hint}
    `may_change`: the reader is an administrator
    `decision`: the form on it (parts/decision.html)
    """

    template: ClassVar = "provider_proposed.html"

    change: Context
    provider: Context
    differences: list[Context]
    trouble: str
    expiries: list[Context]
    addresses: list[Context]
    may_change: bool
    decision: Context


@dataclass(frozen=True, slots=True)
class ProviderTestPage(PageContext):
    """What a test of a provider brought. It opened nothing.

    `back`: the proposal's or the provider's page
    `waits`: the change still waits for an approval
    `mine`: the reader proposed it
    `error`: none, or {message, hint, code}: no assertion came of it
    `claims`: list of {name, value}: everything that was received
    `who`: none, or {subject, user_name, email, name, person {id, name} or none, state, words}
    `groups`: none (the message says nothing of groups), or {names (list of str), beyond (int)}
    `factor`: none, or {methods (list of str), context, state, words, until (Instant, may be missing)}
    """

    template: ClassVar = "provider_test.html"

    called: str
    change: str
    back: str
    waits: bool
    mine: bool
    error: Context | None
    claims: list[Context]
    who: Context | None
    groups: Context | None
    factor: Context | None
    missing: list[str]
