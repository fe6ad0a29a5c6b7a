"""Playing asciicast v3 in a terminal, with nothing let through that could act on it."""

import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from onepam.cli.show import REFUSED, clean, note, stop
from onepam.gateway.terminal_filter import TerminalFilter

MAX_LINE_CHARACTERS = 4 * 1024 * 1024
RESET = "\x1b[r\x1b[0m\r\n"


def play_lines(lines: Iterable[str], screen: TextIO, speed: float, idle: float) -> None:
    """Shows the lines of a recording at `speed`, no pause longer than `idle` seconds. In a pipe: text, at once."""
    terminal = screen.isatty()
    shown = TerminalFilter(plain=not terminal)
    numbered = enumerate(lines)
    try:
        for number, line in numbered:
            event = parsed(line)
            if number == 0:
                header(event)
                continue
            interval, code, data = event
            if terminal and interval > 0:
                screen.flush()
                time.sleep(min(float(interval), idle) / speed)
            if code == "o":
                screen.write(shown.feed(str(data)))
            elif code == "m":
                note(f"-- {data}")
    except KeyboardInterrupt:
        note("")
    finally:
        if terminal:
            screen.write(RESET)
        screen.flush()


def save_lines(pieces: Iterable[bytes], path: Path) -> None:
    """Writes the recording to a new file, whole or not at all."""
    beside = path.with_name(f".{path.name}.part")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in pieces:
                file.write(piece)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def header(event: Any) -> None:
    """Says what is shown, and whether it fits. Ends the program where it is nothing that can be shown."""
    if not isinstance(event, dict) or event.get("version") != 3:
        stop(REFUSED, "This is not a recording that this release can play.")
    size = event.get("term", {})
    title = clean(event.get("title", ""))
    command = f": {clean(event['command'])}" if event.get("command") else ""
    note(f"-- {title}{command} ({size.get('cols')}x{size.get('rows')})")
    if sys.stdout.isatty():
        mine = os.get_terminal_size(sys.stdout.fileno())
        if mine.columns < int(size.get("cols", 0)) or mine.lines < int(size.get("rows", 0)):
            note(f"-- your terminal is smaller ({mine.columns}x{mine.lines}); lines may wrap")


def parsed(line: str) -> Any:
    """The header or an event of asciicast v3. Ends the program where it is neither."""
    if len(line) > MAX_LINE_CHARACTERS:
        stop(REFUSED, "The recording has a line that is too long to play.")
    event = json.loads(line)
    if isinstance(event, list) and len(event) != 3:
        stop(REFUSED, "This is not a recording that this release can play.")
    return event
