"""Forwarding is forbidden, and the client hears that; a target that is dead is another answer."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.protocols.ssh import session as session_module
from onepam.protocols.ssh.door import FORWARDING_WORDS
from onepam.protocols.ssh.relay import MAX_CHANNELS
from tests.gateway_fixture import Gateway, outcome, running_gateway

pytestmark = pytest.mark.anyio

FORBIDDEN = f"open failed: administratively prohibited: {FORWARDING_WORDS}"
"""OpenSSH's words for SSH_OPEN_ADMINISTRATIVELY_PROHIBITED (RFC 4254, 5.1), and ours."""


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        await running.record(running.resource("dead-1", port=running.closed_port))
        await running.record(running.resource("hangs-1", port=running.silent_port))
        yield running


async def test_a_connection_through_the_target_is_forbidden(gateway: Gateway) -> None:
    person = await gateway.person()
    done = await gateway.run(*gateway.ssh(person, "-W", f"127.0.0.1:{gateway.target.port}"))
    assert (done.status, done.stdout) == (255, b"")
    assert FORBIDDEN in done.stderr
    assert "connect failed" not in done.stderr


async def test_a_dead_target_is_said_to_be_dead(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "DIAL_SECONDS", 1.0)
    for name, words in (
        ("dead-1", "the target cannot be reached: Connection refused"),
        ("hangs-1", "the target accepts connections but does not answer"),
    ):
        person = await gateway.person()
        user = f"{gateway.target.login}@{name}"
        done = await gateway.run(*gateway.ssh(person, "-W", "127.0.0.1:22", user=user))
        assert (done.status, done.stdout) == (255, b"")
        assert f"open failed: connect failed: {words}" in done.stderr
        assert "prohibited" not in done.stderr


async def test_a_forwarded_port_and_socket_are_forbidden_and_the_session_goes_on(
    gateway: Gateway, tmp_path: Path
) -> None:
    """More at once than may wait for a target, too."""
    person = await gateway.person()
    sockets = [tmp_path / "tcp", tmp_path / "unix"]
    forwards = ["-L", f"{sockets[0]}:127.0.0.1:{gateway.target.port}", "-L", f"{sockets[1]}:/run/some.sock"]
    session = await gateway.working(person, *forwards, "echo ready; cat")
    for path in sockets:
        for reader, writer in await asyncio.gather(
            *(asyncio.open_unix_connection(path) for _ in range(2 * MAX_CHANNELS))
        ):
            assert await reader.read() == b""
            writer.close()
    done = await outcome(session, b"still here\n")
    assert (done.status, done.stdout) == (0, b"still here\n")
    assert len(re.findall(re.escape(FORBIDDEN), done.stderr)) == 4 * MAX_CHANNELS
