"""Signals: what its templates are given."""

from dataclasses import dataclass
from typing import Any, ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class SignalsPage(PageContext):
    """Signals: how each stream fares, what waits for a second administrator, what came last.

    `streams`: list of {id, name, issuer, provider {id, name}, delivery ("push" | "poll"), address, state, words,
        trouble (str), last (Instant or none), verified (Instant or none), signals (int), ended (int), can_test
        (bool), proposed, approved, since}
    `proposals`: list of {id, name, new (bool), issuer, audience, provider (str), delivery, address, by {id, name},
        at, decision (parts/decision.html)}
    `signals`: list of {stream, word, detail, person {id, name} or none, ended (int), issued, at, reason}: the newest
        first
    """

    template: ClassVar = "signals.html"

    streams: list[Context]
    proposals: list[Context]
    signals: list[Context]
    may_change: bool


@dataclass(frozen=True, slots=True)
class SignalNewPage(PageContext):
    """The form of a new stream of signals.

    `form`: {name, provider, issuer, audience, delivery ("push" | "poll"), endpoint, remote}: as typed
    `providers`: list of (id, name)
    `error`: none, or {message, hint, code}
    """

    template: ClassVar = "signal_new.html"

    form: Context
    providers: list[Any]
    error: Context | None


@dataclass(frozen=True, slots=True)
class SignalTokenPage(PageContext):
    """A stream that is proposed, with the token that its transmitter shows us: once.

    `address`: where the transmitter posts
    """

    template: ClassVar = "signal_token.html"

    called: str
    address: str
    token: str
