"""Where transmitters post their signals: Security Event Tokens by push (RFC 8935).

No cookie and no session counts here: the transmitter shows the stream's token, and what it posts is believed by its
signature alone. Bodies are bounded. What cannot be judged now is answered with 503, so that it is sent again.
"""

import logging
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from onepam.app.ports import Reader
from onepam.identity.signals.receiver import Receiver, error_of, shows_token
from onepam.identity.signals.security_event import MEDIA_TYPE
from onepam.identity.tokens import MAX_TOKEN_CHARACTERS, token_digest
from onepam.kernel.clock import Clock
from onepam.kernel.errors import Fault, Refused
from onepam.kernel.secret import Secret
from onepam.store.read.signals import addressed

log = logging.getLogger(__name__)

PATH = "/signals/{stream}"
MAX_BODY_BYTES = 64 * 1024
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class SignalDoor:
    """What the door needs."""

    receiver: Receiver
    reader: Reader
    clock: Clock

    def route(self) -> Route:
        """For the application at the root."""
        return Route(PATH, self._answer, methods=["POST"])

    async def _answer(self, request: Request) -> Response:
        try:
            response = await self._take(request)
        except ClientDisconnect:
            response = _wrong("invalid_request", "The message broke off.")
        except Fault:
            log.exception("a signal could not be taken")
            response = _later("OnePAM cannot take this right now.")
        response.headers.update(_HEADERS)
        return response

    async def _take(self, request: Request) -> Response:
        found = await self.reader(addressed, None, request.path_params["stream"][:100])
        if not shows_token(found.stream if found else None, _shown(request)) or found is None:
            return _wrong("authentication_failed", "The token is not that of a stream here.")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
            return _wrong("invalid_request", f"The message is no {MEDIA_TYPE}.")
        body = await _body(request)
        if body is None:
            return _wrong("invalid_request", f"The message is larger than {MAX_BODY_BYTES:,} bytes.")
        taken = await self.receiver.take(
            found.stream, found.provider_issuer, body.decode("ascii", "replace").strip(), self.clock()
        )
        if not isinstance(taken, Refused):
            return Response(status_code=202)
        error = error_of(taken)
        return _wrong(error, taken.message) if error else _later(taken.message)


async def _body(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


def _shown(request: Request) -> bytes:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or len(token) > MAX_TOKEN_CHARACTERS:
        return b""
    return token_digest(Secret(token.strip().encode("latin-1")))


def _wrong(error: str, words: str) -> Response:
    return JSONResponse({"err": error, "description": words}, 400, headers={"Content-Language": "en"})


def _later(words: str) -> Response:
    return JSONResponse({"err": "unavailable", "description": words}, 503, headers={"Retry-After": "30"})
