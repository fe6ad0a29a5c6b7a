"""Where others fetch what we tell: OpenID Shared Signals Framework 1.0 as a transmitter, poll delivery (RFC 8936).

Receivers are the operator's, in the configuration; each shows its own token and sees its own stream only.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from onepam.identity.oidc.json_object import json_object
from onepam.identity.signals.sending import (
    MOST_AT_ONCE,
    SendingKey,
    Told,
    index_of,
    jti_of,
    token_of,
    verification,
)
from onepam.identity.signals.transmitter import WELL_KNOWN
from onepam.identity.tokens import MAX_TOKEN_CHARACTERS, same, token_digest
from onepam.kernel.clock import Clock
from onepam.kernel.errors import Fault
from onepam.kernel.secret import Secret

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
MAX_STATE_CHARACTERS = 1_000
MOST_VERIFICATIONS = 5
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class TransmitterDoor:
    """Our addresses as a transmitter. `issuer` is the console's address."""

    issuer: str
    key: SendingKey
    told: Mapping[str, Told]
    clock: Clock

    def routes(self) -> list[Route]:
        """For the application at the root."""
        return [
            Route(WELL_KNOWN, self._configuration),
            Route("/ssf/jwks", self._keys),
            Route("/ssf/stream", self._stream, methods=["GET"]),
            Route("/ssf/status", self._status, methods=["GET"]),
            Route("/ssf/verify", self._verify, methods=["POST"]),
            Route("/ssf/poll", self._poll, methods=["POST"]),
        ]

    async def _configuration(self, request: Request) -> Response:
        url = self.issuer
        return JSONResponse(
            {
                "spec_version": "1_0",
                "issuer": url,
                "jwks_uri": f"{url}/ssf/jwks",
                "delivery_methods_supported": ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"],
                "configuration_endpoint": f"{url}/ssf/stream",
                "status_endpoint": f"{url}/ssf/status",
                "verification_endpoint": f"{url}/ssf/verify",
                "default_subjects": "ALL",
            }
        )

    async def _keys(self, request: Request) -> Response:
        return JSONResponse(self.key.jwks, media_type="application/jwk-set+json")

    async def _stream(self, request: Request) -> Response:
        told = self._whose(request)
        if told is None:
            return _unknown()
        if request.query_params.get("stream_id", told.to.name) != told.to.name:
            return Response(status_code=404, headers=_HEADERS)
        pushed = {"method": "urn:ietf:rfc:8935", "endpoint_url": told.to.endpoint}
        fetched = {"method": "urn:ietf:rfc:8936", "endpoint_url": f"{self.issuer}/ssf/poll"}
        stream = {
            "stream_id": told.to.name,
            "iss": self.issuer,
            "aud": told.to.audience,
            "delivery": pushed if told.to.endpoint else fetched,
        }
        return JSONResponse(stream if "stream_id" in request.query_params else [stream], headers=_HEADERS)

    async def _status(self, request: Request) -> Response:
        told = self._whose(request)
        if told is None:
            return _unknown()
        return JSONResponse({"stream_id": told.to.name, "status": "enabled"}, headers=_HEADERS)

    async def _verify(self, request: Request) -> Response:
        told, asked = self._whose(request), await _read(request)
        if told is None:
            return _unknown()
        state = asked.get("state", "") if asked is not None else None
        if asked is None or not isinstance(state, str) or len(state) > MAX_STATE_CHARACTERS:
            return Response(status_code=400, headers=_HEADERS)
        if asked.get("stream_id") != told.to.name:
            return Response(status_code=404, headers=_HEADERS)
        if len(told.verifications) >= MOST_VERIFICATIONS:
            return Response(status_code=429, headers=_HEADERS)
        jti = f"verification-{token_hex(8)}"
        told.verifications[jti] = verification(self.key, self.issuer, told.to, jti, state, self.clock())
        return Response(status_code=204, headers=_HEADERS)

    async def _poll(self, request: Request) -> Response:
        told, asked = self._whose(request), await _read(request)
        if told is None or told.to.endpoint:
            return _unknown()
        done, wrong, most = (asked.get(name, otherwise) for name, otherwise in _POLL) if asked is not None else _NOTHING
        if not _fits(done, wrong, most):
            return Response(status_code=400, headers=_HEADERS)
        for ident, why in wrong.items():
            log.error("receiver %s refuses signal %.60s: %.200s", told.to.name, ident, why)
        for ident in (*done, *wrong):
            told.verifications.pop(ident, None)
        told.outbox.took(*(index for each in (*done, *wrong) if (index := index_of(each)) is not None))
        try:
            waiting = await told.outbox.waiting()
        except Fault:
            log.exception("signals cannot be read")
            return Response(status_code=503, headers=_HEADERS)
        tokens = dict(told.verifications)
        for each in waiting:
            tokens[jti_of(each.index)] = token_of(self.key, self.issuer, told.to.audience, each)
        sets = dict(list(tokens.items())[:most])
        return JSONResponse({"sets": sets, "moreAvailable": len(sets) < len(tokens)}, headers=_HEADERS)

    def _whose(self, request: Request) -> Told | None:
        """Whose token was shown; every receiver's is compared, whichever it is."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or len(token) > MAX_TOKEN_CHARACTERS:
            return None
        digest = token_digest(Secret(token.strip().encode("latin-1")))
        found = [each for each in self.told.values() if same(each.digest, digest)]
        return found[0] if found else None


_POLL: tuple[tuple[str, Any], ...] = (("ack", []), ("setErrs", {}), ("maxEvents", MOST_AT_ONCE))
_NOTHING: tuple[Any, Any, Any] = (None, None, None)


def _fits(done: Any, wrong: Any, most: Any) -> bool:
    listed = isinstance(done, list) and all(isinstance(each, str) for each in done)
    return listed and isinstance(wrong, dict) and type(most) is int and most >= 0


async def _read(request: Request) -> dict[str, Any] | None:
    """The JSON object of a bounded body, or None."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return None
    except ClientDisconnect:
        return None
    return json_object(bytes(body))


def _unknown() -> Response:
    return Response(status_code=401, headers={**_HEADERS, "WWW-Authenticate": "Bearer"})
