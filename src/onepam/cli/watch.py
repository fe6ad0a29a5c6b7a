"""Watching a session that runs, with nothing let through that could act on this terminal."""

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from onepam.cli.lines import plain
from onepam.cli.play import RESET, header, parsed
from onepam.cli.show import Output, clean, note, say
from onepam.cli.statements import statement_lines
from onepam.gateway.terminal_filter import TerminalFilter

LEAVES = frozenset(b"qQ\x03\x04")
"""Keys that leave: q, and what else ends a program at a terminal."""


@contextmanager
def leaving(keys: TextIO) -> Iterator[None]:
    """While this is entered, q at the terminal ends it quietly, as an interruption does; keys are not shown. Without a
    terminal nothing is read."""
    if not keys.isatty():
        with suppress(KeyboardInterrupt):
            yield
        return
    import termios
    import tty

    handle = keys.fileno()
    before = termios.tcgetattr(handle)
    main, over = threading.get_ident(), threading.Event()
    try:
        tty.setcbreak(handle)
        threading.Thread(target=_wait_for_key, args=(handle, main, over), daemon=True).start()
        yield
    except KeyboardInterrupt:
        note("")
    finally:
        over.set()
        termios.tcsetattr(handle, termios.TCSADRAIN, before)


def _wait_for_key(handle: int, main: int, over: threading.Event) -> None:
    """Waits in a thread of its own, which ends with the program."""
    with suppress(OSError):
        while key := os.read(handle, 1):
            if key[0] in LEAVES:
                break
        if not over.is_set():
            signal.pthread_kill(main, signal.SIGINT)


def watched_lines(lines: Iterable[str], screen: TextIO, *, database: bool) -> None:
    """Shows the lines of a live session as they come: of a `database` statements, else a terminal; as JSON where this
    was asked for."""
    words = (line for line in lines if line)
    if Output.as_json:
        for line in words:
            screen.write(f"{plain(line)}\n")
            screen.flush()
    elif database:
        note("-- watching; q leaves")
        for line in statement_lines(words):
            say(line)
    else:
        _terminal(words, screen)


def _terminal(lines: Iterable[str], screen: TextIO) -> None:
    terminal = screen.isatty()
    shown = TerminalFilter(plain=not terminal)
    try:
        for line in lines:
            event: Any = parsed(line)
            if isinstance(event, dict):
                header(event)
                note("-- watching; q leaves")
                continue
            _, code, data = event
            if code == "o":
                screen.write(shown.feed(str(data)))
                screen.flush()
            elif code == "m":
                note(f"-- {data}")
            elif code == "r" and terminal:
                note(f"-- the terminal there is {clean(data)}")
    finally:
        if terminal:
            screen.write(RESET)
        screen.flush()
