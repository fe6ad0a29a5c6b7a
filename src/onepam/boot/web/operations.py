"""What those who operate a process ask it: /healthz, /readyz, and /metrics where the configuration says how.

They have an address of their own, with its own limits, or share the console's; metrics are never without an address of
their own or a token.
"""

import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from onepam.boot.config import Config
from onepam.boot.credentials import lent
from onepam.boot.doors import Doors, bound
from onepam.boot.web.exposition import CONTENT_TYPE, text
from onepam.boot.web.measuring import Measuring
from onepam.boot.web.readiness import ReadinessChecks
from onepam.boot.web.server import web_server
from onepam.files.private_file import CREDENTIAL, read_private
from onepam.identity.tokens import same
from onepam.kernel.errors import Fault

if TYPE_CHECKING:
    from onepam.boot.platform import Platform

log = logging.getLogger(__name__)

MAX_TOKEN_BYTES = 4096
LEAST_TOKEN_CHARACTERS = 20
NO_STORE = {"Cache-Control": "no-store"}


class Operations:
    """The answers of one process."""

    def __init__(self, platform: "Platform") -> None:
        self.checks = ReadinessChecks(platform)
        self.measuring = Measuring(platform)
        platform.ledger.took = self.measuring.commits.observe
        self._config: Config = platform.config
        self._trouble = ""
        if self._config.metrics_token_file:
            self._token()

    def routes(self) -> list[Route]:
        """Those of the console's address: metrics only where a token guards them and they have no address of their
        own."""
        shared = bool(self._config.metrics_token_file) and self._config.metrics_at is None
        return [Route("/healthz", self._alive), Route("/readyz", self._ready), *self._metrics(shared)]

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """The address of its own, where the configuration names one. Raises `Unavailable`."""
        if self._config.metrics_at is None:
            yield
            return
        host, port = self._config.metrics_at
        routes = [Route("/healthz", self._alive), Route("/readyz", self._ready), *self._metrics(True)]
        with contextlib.closing(bound("metrics", host, port, "metrics_address")) as listening:
            self.port: int = listening.getsockname()[1]
            config = replace(self._config, trusted_proxies=())
            async with web_server(Starlette(routes=routes), listening, config, Doors(())):
                yield

    def _metrics(self, here: bool) -> list[Route]:
        return [Route("/metrics", self._measured)] if here else []

    async def _alive(self, request: Request) -> Response:
        return PlainTextResponse("alive\n", headers=NO_STORE)

    async def _ready(self, request: Request) -> Response:
        found = await self.checks.look()
        told = {"ready": found.ready, "checks": found.checks}
        return JSONResponse(told, 200 if found.ready else 503, headers=NO_STORE)

    async def _measured(self, request: Request) -> Response:
        try:
            refused = self._config.metrics_token_file and not self._allowed(request.headers.get("authorization", ""))
            self._trouble = ""
        except Fault as error:
            if str(error) != self._trouble:  # once, however many ask
                self._trouble = str(error)
                log.error("metrics are told to nobody: %s", error)
            return PlainTextResponse("the metrics' token cannot be read\n", 503, NO_STORE)
        if refused:
            return PlainTextResponse("a token is needed\n", 401, {"WWW-Authenticate": "Bearer", **NO_STORE})
        families = await self.measuring.measure(await self.checks.look())
        return Response(text(families), media_type=CONTENT_TYPE, headers=NO_STORE)

    def _allowed(self, header: str) -> bool:
        scheme, _, given = header.partition(" ")
        token = self._token()  # first, so that what is wrong with it is said whatever was given
        return scheme.lower() == "bearer" and same(given.strip().encode("utf-8", "replace"), token)

    def _token(self) -> bytes:
        """Read each time, so that a new one needs no restart. Raises `Fault` for one that could be guessed."""
        path = self._config.metrics_token_file
        try:
            token = read_private(lent(path), MAX_TOKEN_BYTES, forbidden=CREDENTIAL).strip()
        except OSError as error:
            raise Fault(f"metrics_token_file: {path} cannot be read: {error.strerror}") from None
        if len(token) < LEAST_TOKEN_CHARACTERS:
            raise Fault(f"metrics_token_file: {path} holds fewer than {LEAST_TOKEN_CHARACTERS} characters")
        return token
