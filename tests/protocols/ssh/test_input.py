"""What goes to a command: all of it is recorded, or counted as left out by policy."""

import pytest

from onepam.recording.frames import Input, Omitted, Stream
from onepam.recording.volume import INPUT_BYTES
from tests.protocols.ssh.conftest import Bench
from tests.protocols.ssh.test_relay import only

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("excerpt", [False, True])
async def test_a_command_far_into_the_input_is_recorded_or_counted_as_left_out(relayed: Bench, excerpt: bool) -> None:
    """An interpreter runs what it reads at any time: nothing that goes to it is passed over in silence."""
    relayed.acceptor.excerpt = excerpt
    content = b":\n" * 550_000 + b"echo reached\n"
    done = await relayed.run(*relayed.ssh("sh -s"), stdin=content)
    assert done.stdout == b"reached\n"
    frames = await relayed.recording()
    kept = b"".join(frame.data for frame in only(frames, Input))
    omitted = [(frame.stream, frame.count) for frame in only(frames, Omitted)]
    (recorded,) = await relayed.acceptor.finished()
    assert kept == (content[:INPUT_BYTES] if excerpt else content)
    assert {stream for stream, _ in omitted} == ({Stream.STDIN} if excerpt else set())
    assert sum(count for _, count in omitted) == len(content) - len(kept)
    assert recorded.counts.get("omitted_bytes", 0) == len(content) - len(kept)
