"""What of one SSH channel is recorded, and when: always before it is forwarded."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Literal

from onepam.gateway.recorder import Recorder
from onepam.kernel import canonical
from onepam.protocols.ssh.runs import Run
from onepam.recording.frames import (
    ChannelClosed,
    ChannelOpened,
    Frame,
    Input,
    Omitted,
    Output,
    Resize,
    Signal,
    Stream,
    TypedInput,
)
from onepam.recording.sftp import Sftp
from onepam.recording.volume import INPUT_BYTES, Excerpt

Kind = Literal["pty", "exec", "sftp"]

_OUTPUTS = (Stream.STDOUT, Stream.STDERR)


class Tap:
    """The recording of one channel: a terminal's or a command's output, or the operations of a file transfer.

    `excerpt`: of a command's input and output only what `recording.volume` keeps. Otherwise all of both is recorded: an
    interpreter may read commands from its input at any time. A terminal's output is always whole.

    Every method raises `RecorderFailed`, or `SftpBroken` for a transfer that cannot be read: then nothing may be
    forwarded.
    """

    def __init__(
        self,
        recorder: Recorder,
        channel: int,
        kind: Kind,
        command: bytes,
        terminal: str,
        columns: int,
        rows: int,
        *,
        excerpt: bool = False,
    ) -> None:
        self._recorder = recorder
        self._channel = channel
        self._input = sha256() if kind == "exec" else None
        self._input_bytes = 0
        self._excerpts = {each: Excerpt(channel, each) for each in _OUTPUTS} if excerpt and kind == "exec" else None
        self._sftp = Sftp(channel) if kind == "sftp" else None
        name = canonical.tagged(command) if command else ""
        recorder.record(ChannelOpened(recorder.at, channel, kind, name, terminal, columns, rows))

    @property
    def crowded(self) -> bool:
        """Whether so many requests of a file transfer wait for their answer that no more should be read."""
        return self._sftp is not None and self._sftp.crowded

    def refusals(self, message: str) -> bytes:
        """What a client whose file transfer ends here can be told in its own protocol."""
        return self._sftp.refusals(message) if self._sftp is not None else b""

    def typed(self, pieces: Sequence[bytes]) -> None:
        """The person sent `pieces`, which go to the target next; at most `MAX_DATA_BYTES` together."""
        at, count, before = self._recorder.at, sum(map(len, pieces)), self._input_bytes
        self._input_bytes += count
        if self._sftp is not None:
            self._record([each for piece in pieces for each in self._sftp.asked(piece, at)])
            return
        typed = TypedInput(at, self._channel, count)
        if self._input is None:
            self._recorder.record(typed)
            return
        for piece in pieces:
            self._input.update(piece)
        data = b"".join(pieces)
        kept = data if self._excerpts is None else data[: max(INPUT_BYTES - before, 0)]
        frames: list[Frame] = [typed]
        if kept:
            frames.append(Input(at, self._channel, kept))
        if omitted := count - len(kept):
            frames.append(Omitted(at, self._channel, Stream.STDIN, omitted))
        self._recorder.record(*frames)

    def shown(self, runs: Sequence[Run]) -> None:
        """The target sent `runs`, which go to the person next; at most `MAX_DATA_BYTES` together."""
        at, frames = self._recorder.at, list[Frame]()
        for stream, pieces in runs:
            if self._sftp is not None and stream == Stream.STDOUT:
                frames += [each for piece in pieces for each in self._sftp.answered(piece, at)]
            elif self._excerpts is not None:
                frames += self._excerpts[stream].take(at, b"".join(pieces))
            else:
                frames.append(Output(at, self._channel, stream, b"".join(pieces)))
        self._record(frames)

    def signalled(self, name: str, milliseconds: int | None) -> None:
        """The person's client asks the target to signal the command, or for a break of so many milliseconds."""
        self._recorder.record(Signal(self._recorder.at, self._channel, name, milliseconds))

    def resized(self, columns: int, rows: int) -> None:
        """The person's terminal changed its size."""
        self._recorder.record(Resize(self._recorder.at, self._channel, columns, rows))

    def closed(self, status: int | None, signal: str | None) -> None:
        """The channel ended, with what the target reported."""
        at = self._recorder.at
        if self._sftp is not None:
            self._record(self._sftp.ended(at))
        digest = self._input.hexdigest() if self._input is not None else None
        closed = ChannelClosed(at, self._channel, status, signal, self._input_bytes, digest)
        if self._excerpts is not None:
            out, error = self._excerpts[Stream.STDOUT], self._excerpts[Stream.STDERR]
            closed = replace(
                closed,
                output_bytes=out.bytes,
                output_sha256=out.sha256,
                error_bytes=error.bytes,
                error_sha256=error.sha256,
            )
            self._recorder.record(*out.end(at), *error.end(at), closed)
        else:
            self._recorder.record(closed)

    def _record(self, frames: Sequence[Frame]) -> None:
        if frames:
            self._recorder.record(*frames)
