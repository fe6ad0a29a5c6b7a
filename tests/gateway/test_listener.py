"""A listener ends whoever gives way, in whatever moment that is."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from onepam.gateway.crowd import Crowd, Known, Limits, Place
from onepam.gateway.listener import Listener

pytestmark = pytest.mark.anyio

PATIENCE = 60


class Speaker(asyncio.Protocol):
    """Holds its place as long as the connection lives; `here` are those of all."""

    def __init__(self, place: Place, here: set["Speaker"]) -> None:
        self.place = place
        self.here = here

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.here.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.here.discard(self)
        self.place.leave()


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


async def test_who_gives_way_before_the_connection_has_begun_is_gone_too(clients: ExitStack) -> None:
    """Several are accepted in one round, and the later ones displace the earlier ones of the same round."""
    here: set[Speaker] = set()
    crowd = Crowd(Limits(most=64, kept=8, from_address=64, from_network=16), Known(), lambda among: max(0, among - 2))
    listener = Listener(socket.create_server(("127.0.0.1", 0), backlog=1024), crowd, lambda place: Speaker(place, here))
    try:
        port = listener.sockets[0].getsockname()[1]
        for _ in range(20):
            for _ in range(20):
                client = clients.enter_context(closing(socket.socket()))
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", port))
            await asyncio.sleep(0.01)
        async with asyncio.timeout(PATIENCE):
            while crowd.turned_away < 400 - 16 or len(here) > 16:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (len(crowd), len(here), crowd.turned_away) == (16, 16, 400 - 16)
    finally:
        listener.close()
        await listener.wait_closed()
