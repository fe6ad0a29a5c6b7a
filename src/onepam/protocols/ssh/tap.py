"""What of one SSH channel is recorded, and when: always before it is forwarded."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

from onepam.gateway.recorder import Recorder
from onepam.kernel import canonical
from onepam.recording.frames import ChannelClosed, ChannelOpened, Output, Resize, Stream, TypedInput

Kind = Literal["pty", "exec", "sftp"]


class Tap:
    """The recording of one channel. Every method raises `RecorderFailed`: then nothing may be forwarded."""

    def __init__(
        self, recorder: Recorder, channel: int, kind: Kind, command: bytes, terminal: str, columns: int, rows: int
    ) -> None:
        self._recorder = recorder
        self._channel = channel
        self._input = sha256()
        self._input_bytes = 0
        self._terminal = kind == "pty"
        name = canonical.tagged(command) if command else ""
        recorder.record(ChannelOpened(recorder.at, channel, kind, name, terminal, columns, rows))

    def typed(self, pieces: Sequence[bytes]) -> None:
        """The person sent `pieces`, which go to the target next."""
        count = sum(map(len, pieces))
        if not self._terminal:
            for piece in pieces:
                self._input.update(piece)
        self._input_bytes += count
        self._recorder.record(TypedInput(self._recorder.at, self._channel, count))

    def shown(self, pieces: Sequence[bytes], stream: Stream) -> None:
        """The target sent `pieces`, which go to the person next; at most `MAX_DATA_BYTES` together."""
        self._recorder.record(Output(self._recorder.at, self._channel, stream, b"".join(pieces)))

    def resized(self, columns: int, rows: int) -> None:
        """The person's terminal changed its size."""
        self._recorder.record(Resize(self._recorder.at, self._channel, columns, rows))

    def closed(self, status: int | None, signal: str | None) -> None:
        """The channel ended, with what the target reported."""
        digest = None if self._terminal else self._input.hexdigest()
        self._recorder.record(
            ChannelClosed(self._recorder.at, self._channel, status, signal, self._input_bytes, digest)
        )
