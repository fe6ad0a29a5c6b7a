"""Parting with a client that is gone already, while nobody has read that yet."""

import asyncio
import socket
import struct
import time

import pytest

from onepam.gateway.parting import part

pytestmark = pytest.mark.anyio


async def test_a_client_that_reset_the_connection_is_parted_from_without_an_error() -> None:
    made: asyncio.Future[asyncio.Transport] = asyncio.get_running_loop().create_future()

    class Listening(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            made.set_result(transport)

    server = await asyncio.get_running_loop().create_server(Listening, "127.0.0.1", 0)
    client = socket.create_connection(server.sockets[0].getsockname())
    transport = await made
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    time.sleep(0.05)  # the loop reads nothing meanwhile
    over = part(transport)
    async with asyncio.timeout(60):
        await over.wait()
    server.close()
