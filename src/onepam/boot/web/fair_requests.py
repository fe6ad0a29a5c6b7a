"""Requests in fair turns: one begins in each round of the event loop, network after network; and a bound on how many of
one address, of one network and of all are being answered. Behind trusted proxies the real client is counted."""

from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

from onepam.gateway.crowd import Crowd, Known, Origin
from onepam.gateway.turns import STANDING, Turns, path

FROM_ADDRESS = 64
FROM_NETWORK = 128
MOST = 512
"""Requests that are being answered, or wait for it."""

_WORDS = b"Too many requests are being answered already.\n"


class FairRequests:
    """ASGI middleware; refuses with 429 for one origin's many, 503 for everybody's (RFC 6585, 4; RFC 9110, 15.6.4)."""

    def __init__(self, app: ASGIApp, turns: Turns, known: Known, crowd: Crowd) -> None:
        self._app = app
        self._turns = turns
        self._known = known
        self._begun: Counter[str] = Counter()
        self._count = 0
        self._crowd = crowd

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        origin = Origin.of((scope.get("client") or ("",))[0])
        status = self._refused(origin)
        if status:
            self._crowd.turned_away += 1
            await _refuse(status, send)
            return
        standing = path(origin in self._known, origin)
        STANDING.set(standing)
        self._enter(origin, 1)
        try:
            await self._turns.turn(standing)
            await self._app(scope, receive, send)
        finally:
            self._enter(origin, -1)

    def _refused(self, origin: Origin) -> int:
        """The status of a refusal, or 0."""
        if self._begun[origin.address] >= FROM_ADDRESS or self._begun[_network(origin)] >= FROM_NETWORK:
            return 429
        return 503 if self._count >= MOST else 0

    def _enter(self, origin: Origin, by: int) -> None:
        self._count += by
        for name in (origin.address, _network(origin)):
            self._begun[name] += by
            if not self._begun[name]:
                del self._begun[name]


def _network(origin: Origin) -> str:
    return f"network {origin.network}"


async def _refuse(status: int, send: Send) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(_WORDS)),
        (b"retry-after", b"2"),
        (b"connection", b"close"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": _WORDS})
