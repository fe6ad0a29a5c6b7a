"""What of one SSH channel is recorded, and when: always before it is forwarded."""

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

    def typed(self, data: bytes) -> None:
        """The person sent `data`, which goes to the target next."""
        if not self._terminal:
            self._input.update(data)
        self._input_bytes += len(data)
        self._recorder.record(TypedInput(self._recorder.at, self._channel, len(data)))

    def shown(self, data: bytes, stream: Stream) -> None:
        """The target sent `data`, which goes to the person next."""
        self._recorder.record(Output(self._recorder.at, self._channel, stream, data))

    def resized(self, columns: int, rows: int) -> None:
        """The person's terminal changed its size."""
        self._recorder.record(Resize(self._recorder.at, self._channel, columns, rows))

    def closed(self, status: int | None, signal: str | None) -> None:
        """The channel ended, with what the target reported."""
        digest = None if self._terminal else self._input.hexdigest()
        self._recorder.record(
            ChannelClosed(self._recorder.at, self._channel, status, signal, self._input_bytes, digest)
        )
