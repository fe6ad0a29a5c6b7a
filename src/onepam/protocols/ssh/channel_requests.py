"""What a client asks of the target's channel beside data: signals, breaks, sizes of its terminal.

Each is recorded before it goes on. What is asked before the target's channel is there waits for it; of a storm in one
batch of packets only the first signals, and the last size, count.
"""

import re
from collections.abc import Callable, Mapping
from typing import Protocol

from onepam.protocols.ssh.connections import PersonConnection
from onepam.protocols.ssh.tap import Tap
from onepam.protocols.ssh.target_channel import TargetChannel

MAX_WAITING = 16
"""Requests that may wait while the target's channel is being opened, and signals that go on of one batch."""

BREAK = "BREAK"
_SIGNAL = re.compile(r"[A-Za-z0-9@._-]{1,64}", re.ASCII)
"""RFC 4254, 6.10: the names without `SIG`, and `name@domain` for those of others."""

Size = tuple[int, int, int, int]
"""Columns, rows, width and height in pixels."""

Ask = Callable[[TargetChannel], object]


class Asking(Protocol):
    """What the requests need of their channel."""

    def recorded(self, record: Callable[[Tap], None]) -> bool: ...
    def forward_up(self) -> None: ...


class ChannelRequests:
    """The requests of one channel, from its beginning to its end."""

    def __init__(self, channel: Asking, person: PersonConnection) -> None:
        self.terminal: tuple[str, Size, Mapping[int, int]] | None = None
        """Type, size and modes; None where the client asked for none."""
        self._channel = channel
        self._person = person
        self._far: TargetChannel | None = None
        self._waiting: list[Ask] = []
        self._resized_early = False
        self._size: Size | None = None
        self._signals = 0
        self._over = False

    def ready(self, far: TargetChannel) -> None:
        """The target runs the command: what was asked early goes first."""
        self._far = far
        if self._resized_early and self.terminal:
            far.change_terminal_size(*self.terminal[1])
        for ask in self._waiting:
            ask(far)

    def end(self) -> None:
        """Nothing more goes to the target."""
        self._over, self._far, self._waiting = True, None, []

    def ask(self, ask: Ask) -> bool:
        """Asks the target now, or once it is there; whether it does."""
        if self._over or (self._far is None and len(self._waiting) == MAX_WAITING):
            return False
        if self._far is not None:
            ask(self._far)
        else:
            self._waiting.append(ask)
        return True

    def signal(self, name: str) -> bool:
        """Ask the target to signal the command; whether that goes on."""
        return bool(_SIGNAL.fullmatch(name)) and self._interrupt(name, None, lambda far: far.send_signal(name))

    def breaks(self, milliseconds: int) -> bool:
        """Ask the target for a break of its terminal line (RFC 4335); whether that goes on."""
        return self._interrupt(BREAK, milliseconds, lambda far: far.send_break(milliseconds))

    def resize(self, size: Size) -> None:
        """Of several in one batch the last counts: a storm of them is neither recorded nor sent on one by one."""
        if self._size is None:
            self._person.after_batch(self._resize)
        self._size = size

    def _interrupt(self, name: str, milliseconds: int | None, ask: Ask) -> bool:
        """Behind what was typed before it."""
        self._channel.forward_up()
        full = self._signals == MAX_WAITING or (self._far is None and len(self._waiting) == MAX_WAITING)
        if self._over or full or not self._channel.recorded(lambda tap: tap.signalled(name, milliseconds)):
            return False
        if not self._signals:
            self._person.after_batch(self._batch_over)
        self._signals += 1
        return self.ask(ask)

    def _batch_over(self) -> None:
        self._signals = 0

    def _resize(self) -> None:
        size, self._size = self._size, None
        if size is None or self.terminal is None:
            return
        if not self._channel.recorded(lambda tap: tap.resized(size[0], size[1])):
            return
        if self._far is None:
            self.terminal = (self.terminal[0], size, self.terminal[2])
            self._resized_early = True
        elif not self._far.is_closing():
            self._far.change_terminal_size(*size)
