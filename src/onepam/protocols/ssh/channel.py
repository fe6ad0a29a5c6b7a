"""Relays one channel between a person's client and a target, recording before forwarding.

Admitted are shell, exec and the sftp subsystem, with terminal, window changes, signals, break, exit status, standard
error and half-closed streams. Every request or subsystem that is not named here is refused.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum, auto
from typing import Any, cast

import asyncssh

from onepam.gateway.recorder import RecorderFailed
from onepam.kernel.canonical import tagged
from onepam.kernel.errors import Refused
from onepam.protocols.ssh.channel_requests import ChannelRequests
from onepam.protocols.ssh.connections import TargetConnection
from onepam.protocols.ssh.flow import Flow, Hold
from onepam.protocols.ssh.person_channel import PersonChannel
from onepam.protocols.ssh.relayed import RelayedSession
from onepam.protocols.ssh.runs import STDERR, Runs
from onepam.protocols.ssh.tap import Kind, Tap
from onepam.protocols.ssh.target_channel import TargetChannel, TargetSide, close_reached, next_channel
from onepam.recording.frames import MAX_DATA_BYTES, Marker
from onepam.recording.sftp import SftpBroken

MAX_TERMINAL_CHARACTERS = 64
MAX_BATCH_BYTES = MAX_DATA_BYTES
"""What is recorded in one frame and forwarded at once."""

NO_STATUS = 255
"""The exit status that a client sees when the target gave none: OpenSSH's own for "the connection failed"."""


class _Stage(Enum):
    ASKED = auto()
    RELAYED = auto()
    ENDED = auto()


class ChannelRelay(asyncssh.SSHServerSession[bytes]):
    """One channel: the person's side is this object, the target's is its `TargetSide`. `reaching` opens the target's at
    once, so that targets see channels in the order in which the client opened them."""

    def __init__(self, session: "RelayedSession", number: int) -> None:
        self.session = session
        self.reaching = asyncio.get_running_loop().create_task(next_channel(session.target))
        self._number = number
        self._stage = _Stage.ASKED
        self._near: PersonChannel | None = None
        self._far: TargetChannel | None = None
        self._target: TargetConnection | None = None
        self._opening: asyncio.Task[None] | None = None
        self._tap: Tap | None = None
        self._requests = ChannelRequests(self, session.person)
        self._command: bytes | None = None
        self._subsystem: str | None = None
        self._up = Flow(Hold.OPENING)
        self._down = Flow()
        self._sent: list[bytes] = []
        self._sent_bytes = 0
        self._shown = Runs()
        self._early: list[bytes] = []
        self._early_eof = False
        self._left = False
        self._refusal = ""
        self._status: int | None = None
        self._signal: tuple[str, bool, str, str] | None = None

    # The person's side -----------------------------------------------------------------------------------------------

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        assert isinstance(chan, PersonChannel)
        self._near = chan
        self._up.flows_from(chan)
        self.session.person.brake.subscribe(self._near_transport)

    def pty_requested(self, term_type: str, term_size: Any, term_modes: Mapping[int, int]) -> bool:
        if "pty" not in self.session.kinds or len(term_type) > MAX_TERMINAL_CHARACTERS:
            return False
        self._requests.terminal = (term_type, term_size, term_modes)
        return True

    def shell_requested(self) -> bool:
        return "pty" in self.session.kinds and self._begin("pty" if self._requests.terminal else "exec")

    def exec_requested(self, command: str) -> bool:
        self._command = cast(bytes, command)  # see PersonChannel
        return "exec" in self.session.kinds and self._begin("pty" if self._requests.terminal else "exec")

    def subsystem_requested(self, subsystem: str) -> bool:
        self._subsystem = subsystem
        return subsystem == "sftp" and "sftp" in self.session.kinds and self._begin("sftp")

    def refuse(self, words: str) -> None:
        """The request is taken, so that its answer can say why nothing comes of it."""
        self._refusal = words

    def session_started(self) -> None:
        if self._refusal:
            self._mark(self._refusal)
            self._fail(self._refusal)
        else:
            self._opening = asyncio.get_running_loop().create_task(self._open())

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        if self._up.holds(Hold.OPENING):
            # asyncssh reads as soon as the request is answered: one packet may come before the target is ready.
            self._early.append(data)
            assert self._near is not None
            self._near.pause_reading()
            return
        if not self._sent:
            self.session.person.after_batch(self.forward_up)
        elif self._sent_bytes + len(data) > MAX_BATCH_BYTES:
            self.forward_up()
        self._sent.append(data)
        self._sent_bytes += len(data)

    def eof_received(self) -> bool:
        self.forward_up()
        if self._up.holds(Hold.OPENING):
            self._early_eof = True
        elif self._far is not None:
            self._far.write_eof()
        return True

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        self._requests.resize((width, height, pixwidth, pixheight))

    def signal_received(self, signal: str) -> None:
        self._requests.signal(signal)

    def break_received(self, msec: int) -> bool:
        return self._requests.breaks(msec)

    def output_unwanted(self) -> None:
        """The client reads no more: its reader has gone, as that of `yes | head`."""
        self._requests.ask(self._stop_output)

    def client_closed(self) -> None:
        """The client has closed the channel, and all that it sent was taken. The command's status still goes to it."""
        self.forward_up()
        self._left = True
        if self._far is not None and not self._up.holds(Hold.OPENING):
            self._far.close()
        elif self._opening is None and self._near is not None:
            self._near.close()

    def pause_writing(self) -> None:
        self._down.set(Hold.CHANNEL, True)

    def resume_writing(self) -> None:
        self._down.set(Hold.CHANNEL, False)

    def connection_lost(self, exc: Exception | None) -> None:
        self.forward_up()
        self.session.person.brake.unsubscribe(self._near_transport)
        self._near = None
        if self._far is not None and not self._up.holds(Hold.OPENING):
            self._far.close()
        elif self._opening is None or self._opening.done():
            self._finish()

    # The target's side -----------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        far = await self.reaching
        if self._near is None:
            return self._finish()
        if isinstance(far, Refused):
            return self._fail(far.message)
        asked = self._requests.terminal
        terminal, size, modes = asked or ("", (0, 0, 0, 0), {})
        try:
            if isinstance(far, asyncssh.ChannelOpenError):
                raise far
            await far.create(
                lambda: TargetSide(self), cast(str | None, self._command), self._subsystem,
                dict(self._near.get_environment_bytes()), asked is not None, terminal, size, modes,
                x11_forwarding=False, x11_display=None, x11_auth_path=None, x11_single_connection=False,
                agent_forwarding=False,
            )  # fmt: skip
        except (asyncssh.Error, OSError) as error:
            self._fail(f"the target refused the request: {getattr(error, 'reason', error)}")
        return None

    def target_opened(self, far: TargetChannel) -> None:
        """The target's channel is ours; the command is asked next."""
        self._far, self._target = far, far.target
        far.target.party = self.session.person.party
        far.target.brake.subscribe(self._far_transport)
        self._down.flows_from(far)

    def target_ready(self) -> None:
        """The target runs the command: what came early goes first."""
        far = self._far
        assert far is not None
        if self._near is None:
            self._up.set(Hold.OPENING, False)
            return far.close()
        self._requests.ready(far)
        if self.session.greeting and self._requests.terminal is not None and self._command is None:
            self._near.write(f"{self.session.greeting}\r\n".encode(), STDERR)
        self._sent, self._early = self._early, []
        self.forward_up()
        if self._early_eof:
            far.write_eof()
        self._up.set(Hold.OPENING, False)
        if self._left:
            far.close()
        return None

    def target_sent(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """Output, which is recorded and forwarded with what else came in the same batch."""
        if self._shown.bytes + len(data) > MAX_BATCH_BYTES:
            self._forward_down()
        if not self._shown.bytes and self._target is not None:
            self._target.after_batch(self._forward_down)
        self._shown.add(data, datatype)

    def target_eof(self) -> None:
        """The target will send no more, though its command may go on."""
        if self._forward_down() and self._near is not None:
            self._near.write_eof()

    def target_deaf(self) -> None:
        """The command reads no more, though it may go on."""
        if self._near is not None:
            self._near.stop_input()

    def target_full(self, full: bool) -> None:
        """The target's channel can take no more, or again."""
        self._up.set(Hold.CHANNEL, full)

    def target_status(self, status: int) -> None:
        """The command's exit status, which goes on at once: what the command started may hold its output open."""
        if self._told:
            return
        self._status = status
        if self._forward_down() and self._near is not None:
            self._near.tell_status(status)

    def target_signal(self, signal: str, core_dumped: bool, message: str, language: str) -> None:
        """The signal that ended the command, as its status."""
        if self._told:
            return
        self._signal = (signal, core_dumped, message, language)
        if self._forward_down() and self._near is not None:
            self._near.tell_signal(signal, core_dumped, message, language)

    def target_flow_control(self, client_can_do: bool) -> None:
        """Whether the client may handle Control-S itself."""
        if self._near is not None:
            self._near.set_xon_xoff(client_can_do)

    def target_lost(self, exc: Exception | None) -> None:
        """The target's channel has closed, after all it sent was forwarded."""
        self._forward_down()
        if self._target:
            self._target.brake.unsubscribe(self._far_transport)
        self._far = self._target = None
        self._finish()
        if not self._told:
            self._fail("the connection to the target was lost" if exc else "the target closed the channel")
        elif self._near is not None:
            self._near.close()

    # Both ------------------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """The channel's last word is recorded now; nothing is recorded or forwarded after it."""
        self._finish()

    def tell(self, words: str) -> None:
        """A line of ours for whoever sits at this channel's terminal, recorded first; nothing without a terminal."""
        near = self._near
        if self._requests.terminal is None or self._stage is not _Stage.RELAYED or near is None or near.is_closing():
            return
        if self._mark(words):
            near.write(f"\r\n{words}\r\n".encode(), STDERR)

    def _begin(self, kind: Kind) -> bool:
        if self._stage is not _Stage.ASKED:
            return False
        terminal, size, _ = self._requests.terminal or ("", (0, 0, 0, 0), {})
        try:
            recorder = self.session.recorder
            command, excerpt = self._command or b"", self.session.excerpt
            self._tap = Tap(recorder, self._number, kind, command, terminal, size[0], size[1], excerpt=excerpt)
        except RecorderFailed:
            return False
        self._stage = _Stage.RELAYED
        if self._near is not None and self._near.dropped:
            self._mark("environment not passed on: " + ", ".join(map(tagged, self._near.dropped)))
        return True

    def _mark(self, words: str) -> bool:
        """A word of ours in the recording; whether it is there."""
        with suppress(RecorderFailed):
            self.session.recorder.record(Marker(self.session.recorder.at, f"channel {self._number}: {words}"))
            return True
        return False

    def _stop_output(self, far: TargetChannel) -> None:
        if not far.stop_output():
            self.target_signal("PIPE", False, "", "")

    def forward_up(self) -> None:
        """Record what the person sent, then let it go to the target."""
        pieces, self._sent, self._sent_bytes = self._sent, [], 0
        if pieces and self.recorded(lambda tap: tap.typed(pieces), self._up):
            far = self._far
            if far is not None and not far.is_closing():
                far.write_all(pieces)
        if self._tap is not None and self._tap.crowded:
            self._up.set(Hold.ANSWERS, True)

    def _forward_down(self) -> bool:
        """Record what the target sent, then let it go to the person. False where that ended here: then neither an end
        of the data nor a status may follow, which the client would take for the end of the whole."""
        runs = self._shown.taken()
        if runs and self.recorded(lambda tap: tap.shown(runs), self._down):
            near = self._near
            if near is not None and not near.is_closing():
                near.write_runs(runs)
        if self._tap is None or not self._tap.crowded:
            self._up.set(Hold.ANSWERS, False)
        return self._tap is not None

    @property
    def _told(self) -> bool:
        """Whether it is known how the command ended."""
        return self._status is not None or self._signal is not None

    def recorded(self, record: Callable[[Tap], None], flow: Flow | None = None) -> bool:
        """Record, and hold `flow` while the disk lags. False when the session has to end: then forward nothing."""
        if self._tap is None:
            return False
        try:
            record(self._tap)
        except RecorderFailed:  # which ends the session: its owner was told by the recorder
            self._tap = None
            return False
        except SftpBroken as broken:
            words = f"this file transfer cannot be recorded: {broken}"
            last = self._tap.refusals(f"onepam: {words}")
            with suppress(RecorderFailed):
                self._tap.closed(None, None)
            self._tap = None
            if self._far is not None:
                self._far.abort()
            if self._near is not None and not self._near.is_closing():
                self._near.write(last)
            self._fail(words)
            return False
        recorder = self.session.recorder
        if flow is not None and recorder.full and not flow.holds(Hold.RECORDER):
            flow.set(Hold.RECORDER, True)
            recorder.when_drained(lambda: flow.set(Hold.RECORDER, False))
        return True

    def _near_transport(self, full: bool) -> None:
        self._down.set(Hold.TRANSPORT, full)

    def _far_transport(self, full: bool) -> None:
        self._up.set(Hold.TRANSPORT, full)

    def _fail(self, message: str) -> None:
        self._finish()
        near = self._near
        if near is None:
            return
        if not near.is_closing():  # which includes "has sent EOF"
            near.write(f"onepam: {message}\r\n".encode(), STDERR)
        near.tell_status(NO_STATUS)
        near.close()

    def _finish(self) -> None:
        """The one end of the channel, whoever comes to it first: person, target, gateway."""
        if self._stage is _Stage.ENDED:
            return
        self._stage = _Stage.ENDED
        self._requests.end()
        self.recorded(lambda tap: tap.closed(self._status, self._signal[0] if self._signal else None))
        self._tap = None
        if self._far is None:  # nothing was asked of it
            self.reaching.add_done_callback(close_reached)
        self.session.ended(self)
