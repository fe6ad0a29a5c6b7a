"""What a client may ask of a channel, up to its limits; what goes beyond is named to it and in the recording."""

import pytest

from onepam.protocols.ssh.person_channel import MAX_COMMAND_BYTES
from onepam.recording.frames import ChannelOpened, Marker
from tests.protocols.ssh.conftest import Bench
from tests.protocols.ssh.test_relay import only

pytestmark = pytest.mark.anyio


def command(size: int) -> list[str]:
    """One of `size` bytes; no argument of ssh's own may be as long."""
    head, tail = "echo reached; : ", ""
    half = (size - len(head) - 1) // 2
    return [head + "x" * half, "y" * (size - len(head) - 1 - half) + tail]


async def test_a_command_as_long_as_linux_takes(relayed: Bench) -> None:
    done = await relayed.run(*relayed.ssh(*command(MAX_COMMAND_BYTES - 1)))
    assert (done.status, done.stdout) == (0, b"reached\n"), done.stderr
    assert len(only(await relayed.recording(), ChannelOpened)[0].command) == MAX_COMMAND_BYTES - 1


async def test_a_longer_command_is_refused_with_the_limit(relayed: Bench) -> None:
    done = await relayed.run(*relayed.ssh(*command(MAX_COMMAND_BYTES + 1)))
    words = f"a command of {MAX_COMMAND_BYTES + 1} bytes is too long: at most {MAX_COMMAND_BYTES}"
    assert (done.status, done.stdout) == (255, b"")
    assert f"onepam: {words}\r\n".encode() in done.stderr
    assert [each.text for each in only(await relayed.recording(), Marker)] == [f"channel 1: {words}"]


async def test_a_command_of_which_every_byte_is_escaped_is_recorded(relayed: Bench) -> None:
    text = "\x01" * (MAX_COMMAND_BYTES // 2 - 20)
    await relayed.run(*relayed.ssh("echo reached; : '" + text, text + "'"))
    assert text in only(await relayed.recording(), ChannelOpened)[0].command


async def test_the_environment_that_a_resource_admits(relayed: Bench) -> None:
    """As with sshd's AcceptEnv; what was dropped is in the recording."""
    sent = ["LANG=C.UTF-8", "LC_RMATE_PORT=52698", "FOO=1", "LD_PRELOAD=/evil.so", f"LC_LONG={'x' * 5000}"]
    await relayed.run(*relayed.ssh(*(f"-oSetEnv={' '.join(sent)}",), "true"))
    (marker,) = only(await relayed.recording(), Marker)
    assert marker.text.startswith("channel 1: environment not passed on: ")
    assert set(marker.text.split(": ")[2].split(", ")) == {"FOO", "LD_PRELOAD", "LC_LONG"}
