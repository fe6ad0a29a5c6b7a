"""How the requests of directories went, since this process started: an operational figure, kept in memory only."""

from collections import deque
from dataclasses import dataclass, field

from onepam.kernel.clock import Instant

MOST_PROVIDERS = 50
LATEST = 50


@dataclass(frozen=True, slots=True)
class ScimRequest:
    """One request: when, what and how it was answered. `detail` says why not, "" where it was done."""

    at: Instant
    method: str
    what: str
    status: int
    detail: str


@dataclass(slots=True)
class ProviderTraffic:
    """The requests of one provider: the last one's time, how many there were by status, the latest failures."""

    last: Instant
    statuses: dict[int, int] = field(default_factory=dict)
    failures: deque[ScimRequest] = field(default_factory=lambda: deque(maxlen=LATEST))


class ScimTraffic:
    """Counts requests. Bounded: what comes with tokens that do not work is one number."""

    def __init__(self) -> None:
        self._found: dict[str, ProviderTraffic] = {}
        self._tokens: dict[str, Instant] = {}
        self.refused = 0
        """Requests without a token that works."""

    def count(self, provider: str, token: str, request: ScimRequest) -> None:
        """One more request of a provider, by one of its tokens."""
        found = self._found.get(provider)
        if found is None:
            if len(self._found) >= MOST_PROVIDERS:
                return
            found = self._found[provider] = ProviderTraffic(request.at)
        found.last = request.at
        found.statuses[request.status] = found.statuses.get(request.status, 0) + 1
        self._tokens[token] = request.at
        if request.status >= 400 and request.status != 404:
            found.failures.append(request)

    def of(self, provider: str) -> ProviderTraffic | None:
        """What is known of a provider's requests; None when there were none yet."""
        return self._found.get(provider)

    def last_used(self, token: str) -> Instant | None:
        """When a token was last used."""
        return self._tokens.get(token)
