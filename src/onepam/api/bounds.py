"""What every request and answer is held to: a body of bounded size, nothing kept by caches."""

from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onepam.api.errors import answer
from onepam.kernel.limits import MAX_PAYLOAD_BYTES

MAX_BODY_BYTES = 64 * 1024
MAX_FILE_BODY_BYTES = 2 * MAX_PAYLOAD_BYTES
"""Of the routes that take a file as JSON text, which may be twice its size."""

FILE_PATHS = ("/access/plan", "/access/apply", "/access/what-if")

MAX_ROSTER_BODY_BYTES = 7 * MAX_PAYLOAD_BYTES
ROSTER_PATHS = ("/roster/plan", "/roster/apply", "/lists", "/policies")
"""These take a file of up to 5 MiB in base64."""

_HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


class _TooLarge(Exception):
    pass


class Bounds:
    """ASGI middleware: 413 for a larger body, whether it says so beforehand or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, most = scope["path"], MAX_BODY_BYTES
        if path.endswith(FILE_PATHS + ROSTER_PATHS):
            most = MAX_FILE_BODY_BYTES if path.endswith(FILE_PATHS) else MAX_ROSTER_BODY_BYTES
        taken, begun = 0, False

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise _TooLarge
            return message

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS]
            await send(message)

        async def marked(message: Message) -> None:
            nonlocal begun
            if begun or taken <= most:  # else it is what the application made of a body that was cut: ours follows
                begun = True
                await headed(message)

        fits = _fits(scope, most)
        if fits:
            with suppress(_TooLarge):
                await self._app(scope, bounded, marked)
        if not fits or (taken > most and not begun):
            refused = answer(413, "input.too_large", f"The body is larger than {most} bytes.")
            await refused(scope, receive, headed)


def _fits(scope: Scope, most: int) -> bool:
    """Whether the length that the request declares, if it does, is within the bound."""
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return declared.isdigit() and len(declared) <= 12 and int(declared) <= most
