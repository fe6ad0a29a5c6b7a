"""Recordings of every sort, as frames: what a later release must still play."""

from collections.abc import Sequence
from hashlib import sha256

from onepam.kernel.clock import Instant
from onepam.recording.frames import (
    ChannelClosed,
    ChannelOpened,
    Closed,
    FileOperation,
    Frame,
    Input,
    Marker,
    Omitted,
    Opened,
    Output,
    Resize,
    Signal,
    Stream,
    TypedInput,
)
from onepam.recording.seal import Head, Sealer
from onepam.recording.statements import Executed, Finished, Form, Outcome, Parameter, StatementText

ALL = bytes(range(256)) * 40
SECOND = 1_000_000

TERMINAL: tuple[Frame, ...] = (
    ChannelOpened(100_000, 0, "pty", "", "xterm", 100, 30),
    Output(200_000, 0, Stream.STDOUT, b"$ "),
    TypedInput(250_000, 0, 5),
    Output(300_000, 0, Stream.STDOUT, "caf\u00e9\r\n".encode()),
    Resize(500_000, 0, 120, 40),
    Marker(1_200_000, "the session ends in 5 minutes"),
    Output(1_600_000, 0, Stream.STDOUT, b"bye\r\n"),
    ChannelClosed(1_700_000, 0, 0),
)
COMMAND: tuple[Frame, ...] = (
    ChannelOpened(0, 0, "exec", "tar xf - ; sleep 9"),
    Input(1_000, 0, ALL),
    Output(2_000, 0, Stream.STDOUT, b"one\n"),
    Output(3_000, 0, Stream.STDERR, b"two\n"),
    Signal(4_000, 0, "INT"),
    Signal(5_000, 0, "BREAK", 500),
    ChannelClosed(6_000, 0, None, "INT", len(ALL), sha256(ALL).hexdigest()),
)
EXCERPT: tuple[Frame, ...] = (
    ChannelOpened(0, 0, "exec", "base64:L3Nydi9jYWbp"),
    Output(1_000, 0, Stream.STDOUT, b"head\n"),
    Omitted(2_000, 0, Stream.STDOUT, 5_000_000),
    Omitted(2_000, 0, Stream.STDIN, 7),
    Output(3_000, 0, Stream.STDOUT, b"tail\n"),
    ChannelClosed(4_000, 0, 1, None, 7, "33" * 32, 5_000_010, "11" * 32, 0, None),
)
FILES: tuple[Frame, ...] = (
    ChannelOpened(0, 0, "sftp"),
    FileOperation(1_000, 0, 1, "open", "/srv/a", "asked", detail="write"),
    FileOperation(2_000, 0, 1, "open", "/srv/a", "ok", size=3, sha256=sha256(b"abc").hexdigest()),
    FileOperation(3_000, 0, 2, "rename", "/srv/a", "asked", target="base64:/w=="),
    FileOperation(4_000, 0, 2, "rename", "/srv/a", "permission denied", target="base64:/w=="),
    FileOperation(5_000, 0, 3, "open", "/srv/b", "unfinished", sparse=True),
    ChannelClosed(6_000, 0, 0),
)
STATEMENTS: tuple[Frame, ...] = (
    StatementText(1_000, 1, b"SELECT * FROM accounts WHERE id = $1 -- caf\xe9"),
    Executed(2_000, 1, 1, Form.EXTENDED, (Parameter(b"\x00\x00\x00\x07", binary=True),)),
    Finished(3_000, 1, Outcome.OK, b"I", 1, 40, "SELECT 1"),
    Executed(4_000, 2, 1, Form.EXTENDED, (Parameter(None),)),
    Finished(5_000, 2, Outcome.ERROR, b"E", words="57014 canceling statement due to statement timeout"),
    StatementText(6_000, 2, b"COPY accounts ", more=True),
    StatementText(6_000, 2, b"FROM STDIN"),
    Executed(6_000, 3, 2, Form.COPY),
    Input(7_000, 0, b"1\tone\n"),
    Omitted(8_000, 0, Stream.STDIN, 70_000),
    Finished(9_000, 3, Outcome.REFUSED, b"I", words="42501 writing is not allowed"),
    Executed(10_000, 4, 1, Form.EXTENDED, (Parameter(5_000_000),)),
    Finished(11_000, 4, Outcome.UNFINISHED),
)
SORTS = {
    "terminal": TERMINAL,
    "command": COMMAND,
    "excerpt": EXCERPT,
    "files": FILES,
    "statements": STATEMENTS,
}
CAST = [[0.1, "o", "$ "], [0.1, "o", "caf\u00e9\r\n"], [0.2, "r", "120x40"]]
"""How the terminal's recording begins, played."""


def sealed(key: bytes, opened: Opened, frames: Sequence[Frame], reason: str = "client.closed") -> tuple[bytes, Sealer]:
    """A whole file, a chunk for each second, and the sealer that made it."""
    sealer = Sealer(opened.session, key)
    data = bytearray(sealer.header)
    sealer.append(opened)
    for frame in frames:
        if sealer.due(frame.at):
            data += sealer.seal()[0]
        sealer.append(frame)
        if frame.at % 2000:
            data += sealer.flush()
    sealer.append(Closed(frames[-1].at, reason, sealer.counts))
    data += sealer.seal()[0]
    return bytes(data), sealer


def broken_off(key: bytes, opened: Opened, frames: Sequence[Frame]) -> tuple[bytes, Head]:
    """What a crash leaves: one sealed chunk, its head, and the half of a record."""
    sealer = Sealer(opened.session, key)
    sealer.append(opened)
    first, head = sealer.seal()
    for frame in frames:
        sealer.append(frame)
    rest = sealer.flush()
    return sealer.header + bytes(first) + bytes(rest[: len(rest) // 2]), head


def opened_as(session: str, person: str, resource: str, login: str, started: Instant) -> Opened:
    """The first frame."""
    return Opened(0, session, person, resource, login, "ssh", started)
