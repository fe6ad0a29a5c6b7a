"""A recording's timeline as the session page lists it, in step with the player."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from onepam.console.frame.page import Context
from onepam.console.frame.rendering import size, stopwatch
from onepam.console.frame.wording import visible
from onepam.gateway.cast import PLAYED
from onepam.gateway.playback import Channel, FileLine, Timeline

MOST = 2_000
_KINDS = {"pty": "Shell", "exec": "Command", "sftp": "File transfer"}


@dataclass(frozen=True, slots=True)
class FilmStrip:
    """`events` (session.html), whether a terminal can be played, what is wrong with it and which state that is
    (`wording.recording_state`), and its counts so far.

    `operations` is the number of file operations; None where it is unknown. `vouched`: all of it was read for this, and
    it ends with the head that the ledger vouches for. `ports` is the number of connections to ports of the target; 0
    where it is unknown.
    """

    events: list[Context] = field(default_factory=list)
    playable: bool = False
    problem: str = ""
    condition: str = "altered"
    counts: Mapping[str, int] = field(default_factory=dict)
    operations: int | None = None
    vouched: bool = False
    ports: int = 0


def film_strip(told: Timeline, vouched: bool = False) -> FilmStrip:
    """The events in order. Times count from the start of the channel that the player shows."""
    played = next((each for each in told.channels if each.kind in PLAYED), None)
    base = played.opened if played else 0
    found = [
        *(event for each in told.channels for event in _channel(each)),
        *(_file(each) for each in told.files),
    ]
    found.sort(key=lambda each: int(each["at"]))
    events = found[:MOST]
    left_out = told.unlisted + len(found) - len(events)
    if left_out:
        events.append(_event(told.lasted, "gap", f"{left_out:,} more are not listed", "They are in the recording."))
    if told.gap and told.reason is not None:
        events.append(_event(told.lasted, "gap", "The recording ends too early", told.gap))
    for each in events:
        each["at"] = max(0, each["at"] - base)
    operations = None if told.unlisted else len(told.files)
    ports = 0 if told.unlisted else sum(each.kind == "forward" for each in told.channels)
    return FilmStrip(
        events, played is not None, counts=told.counts, operations=operations, vouched=vouched, ports=ports
    )


def ssh_counts(counts: Mapping[str, int], strip: FilmStrip, gap: str) -> list[list[object]]:
    """What the page of a session says of it in numbers: `2 shells or commands`; each a number and its word. `counts`
    are the recording's, in which a connection to a port is a channel like any other."""
    known = strip.operations is not None
    file, files = ("file operation", strip.operations) if known else ("file record", counts.get("files", 0))
    found = (
        ("shell or command", "shells or commands", counts.get("channels", 0) - strip.ports),
        *((("connection to a port", "connections to ports", strip.ports),) if strip.ports else ()),
        (file, f"{file}s", files),
        ("gap", "gaps", int(bool(gap))),
    )
    return [[number, one if number == 1 else many] for one, many, number in found]


def _channel(channel: Channel) -> list[Context]:
    kind = _KINDS.get(channel.kind, channel.kind)
    name = f"Connection to {channel.command}" if channel.kind == "forward" else kind
    screen = f"{channel.columns} × {channel.rows}" if channel.columns else ""
    if channel.kind == "forward":
        opened = _event(channel.opened, "channel", f"{name} opened", "its content is not kept")
    elif channel.command:
        opened = _event(channel.opened, "command", channel.command, screen)
    else:
        opened = _event(channel.opened, "channel", f"{kind} opened", screen)
    if channel.closed is None:
        return [opened]
    ending = (
        f"signal {channel.signal}"
        if channel.signal
        else f"exit status {channel.status}"
        if channel.status is not None
        else ""
    )
    sent = f"{size(channel.input_bytes)} in" if channel.kind == "forward" else ""
    words = [ending, sent, f"{size(channel.output_bytes)} out", f"after {stopwatch(channel.closed - channel.opened)}"]
    return [opened, _event(channel.closed, "end", f"{name} closed", ", ".join(filter(None, words)))]


def _file(line: FileLine) -> Context:
    words = [
        line.operation,
        size(line.size) if line.size is not None else "",
        f"sha256 {line.sha256[:12]}…" if line.sha256 else "",
        f"to {line.target}" if line.target else "",
        "" if line.outcome == "ok" else "not answered" if line.outcome == "asked" else line.outcome,
        "not in order, so without a digest" if line.sparse else "",
    ]
    return _event(line.at, "file", line.path, ", ".join(filter(None, words)))


def _event(at: int, kind: str, title: str, detail: str) -> Context:
    return {"at": at, "kind": kind, "title": visible(title), "detail": visible(detail)}
