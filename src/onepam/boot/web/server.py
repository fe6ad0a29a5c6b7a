"""The web side's listener: uvicorn's server behind our own door, which bounds connections, sizes and times."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from ipaddress import IPv6Address, ip_address
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from onepam.boot.config import Config
from onepam.boot.doors import Doors
from onepam.boot.web.connection import HttpConnection, watch
from onepam.boot.web.fair_requests import FairRequests
from onepam.gateway.crowd import Place, written
from onepam.gateway.listener import Listener
from onepam.kernel.errors import Unavailable

CROWDED = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 63\r\n"
    b"retry-after: 2\r\nconnection: close\r\n\r\n"
    b"Too many connections wait here already; try again in a moment.\n"
)
"""What somebody hears who is turned away, where the connection is not encrypted."""


def forwarded(app: ASGIApp, proxies: Sequence[str]) -> ASGIApp:
    """Believes what trusted proxies say of the client, where that is an address; else it is the connection's own."""
    if not proxies:
        return _directly(app)

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        address, port = scope.get("client") or ("", 0)
        plain = _plain(address)
        scope["client"] = (plain, port) if plain else scope["onepam.peer"]
        await app(scope, receive, send)

    believed: Any = ProxyHeadersMiddleware(checked, trusted_hosts=list(proxies))  # type: ignore[arg-type]

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        address, port = scope.get("client") or ("", 0)
        scope["client"] = scope["onepam.peer"] = (_plain(address) or address, port)
        scope["headers"] = [
            (name, _said(value) if name == b"x-forwarded-for" else value) for name, value in scope.get("headers", ())
        ]
        await believed(scope, receive, send)

    return named


def _directly(app: ASGIApp) -> ASGIApp:
    """Who comes to a listener on both IPv6 and IPv4 has the address that everything else knows them by."""

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        address, port = scope.get("client") or ("", 0)
        if address.startswith("::ffff:"):
            scope["client"] = (written(address), port)
        await app(scope, receive, send)

    return named


def _said(value: bytes) -> bytes:
    """The addresses of a header in the one form in which they are compared and written down."""
    return b", ".join(
        (_plain(each) or each).encode("latin-1") for each in map(str.strip, value.decode("latin-1").split(","))
    )


def _plain(text: str) -> str:
    """An address as everything writes it, IPv4 where IPv6 only wraps it; empty where it is none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    return str(address.ipv4_mapped or address) if isinstance(address, IPv6Address) else str(address)


@contextlib.asynccontextmanager
async def web_server(app: ASGIApp, listening: socket.socket, config: Config, doors: Doors) -> AsyncIterator[None]:
    """Serves the application on a socket that listens, with the configured certificate. Raises `Unavailable`."""
    certificate, key = config.tls or (None, None)
    settings = uvicorn.Config(
        forwarded(FairRequests(app, doors.turns, doors.known, doors.web), config.proxies),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        timeout_graceful_shutdown=3,
        http=HttpConnection,
        ws="none",
    )
    server = uvicorn.Server(settings)
    loop = asyncio.get_running_loop()
    task = loop.create_task(server._serve([]))
    while not server.started:
        if task.done():
            raise Unavailable("the console did not start; its own words are above")
        await asyncio.sleep(0.01)

    def connection(place: Place) -> HttpConnection:
        return HttpConnection(
            place, config=settings, server_state=server.server_state, app_state=server.lifespan.state, _loop=loop
        )

    listener = Listener(listening, doors.web, connection, words=CROWDED, tls=settings.ssl)
    watching = loop.create_task(watch(server.server_state.connections))
    try:
        yield
    finally:
        listener.close()
        server.should_exit = True
        await task
        watching.cancel()
