"""What a target once printed, made safe for another terminal: text, colours, cursor, erasing, scrolling.

A recording is a hostile input: it may hold window titles, clipboard writes, queries whose answers the reader's shell
would take for typing, device controls, other character sets, and marks that turn the direction of text. ECMA-48 and
xterm's control sequences name the rest.
"""

import re
from enum import Enum, auto
from typing import Final

MAX_SEQUENCE = 64
"""Longest control sequence that is looked at; a longer one is dropped whole."""

_KEPT_CONTROLS: Final = frozenset("\t\n\r\b")
_KEPT_CSI: Final = re.compile(r"\x1b\[[0-9]{0,4}(?:[;:][0-9]{0,4}){0,20}[mABCDEFGHfdae`suJKXP@LMSTr]")
_KEPT_ESCAPES: Final = frozenset("78DEM")
_STRINGS: Final = frozenset("PX]^_")
"""ESC + one of these begins a string: DCS, SOS, OSC, PM, APC."""

_C1_STRINGS: Final = frozenset("\x90\x98\x9d\x9e\x9f")
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_RUN: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


class _State(Enum):
    GROUND = auto()
    ESCAPE = auto()
    INTERMEDIATE = auto()
    CSI = auto()
    STRING = auto()
    STRING_ESCAPE = auto()


class TerminalFilter:
    """Feed it the text of one terminal in any pieces. With `plain` it drops colours and movement too."""

    def __init__(self, *, plain: bool = False) -> None:
        self._plain = plain
        self._state = _State.GROUND
        self._sequence = ""

    def feed(self, text: str) -> str:
        """The safe part of `text`; a sequence that is not complete waits for the next piece."""
        kept: list[str] = []
        at = 0
        while at < len(text):
            if self._state is _State.GROUND and (run := _RUN.match(text, at)):
                kept.append(run[0])
                at = run.end()
                continue
            kept.append(self._take(text[at]))
            at += 1
        return "".join(kept)

    def _take(self, character: str) -> str:
        match self._state:
            case _State.GROUND:
                return self._ground(character)
            case _State.ESCAPE:
                return self._escape(character)
            case _State.INTERMEDIATE:
                if not " " <= character <= "/":
                    self._state = _State.GROUND
            case _State.CSI:
                return self._csi(character)
            case _State.STRING:
                if character in "\x07\x9c\x18\x1a":
                    self._state = _State.GROUND
                elif character == "\n":  # there are terminals that begin no string here, and show their person the rest
                    self._state = _State.GROUND
                    return character
                elif character == "\x1b":
                    self._state = _State.STRING_ESCAPE
            case _State.STRING_ESCAPE:
                self._state = _State.GROUND
                return "" if character == "\\" else self._escape(character)
        return ""

    def _ground(self, character: str) -> str:
        if character == "\x1b":
            self._state = _State.ESCAPE
        elif character == "\x9b":
            self._begin_csi()
        elif character in _C1_STRINGS:
            self._state = _State.STRING
        elif character in _KEPT_CONTROLS:
            return character if not self._plain or character in "\t\n" else ""
        return ""

    def _escape(self, character: str) -> str:
        self._state = _State.GROUND
        if character == "[":
            self._begin_csi()
        elif character in _STRINGS:
            self._state = _State.STRING
        elif character == "\x1b":
            self._state = _State.ESCAPE
        elif " " <= character <= "/":
            self._state = _State.INTERMEDIATE
        elif character in _KEPT_ESCAPES and not self._plain:
            return "\x1b" + character
        return ""

    def _begin_csi(self) -> None:
        self._state, self._sequence = _State.CSI, "\x1b["

    def _csi(self, character: str) -> str:
        if character == "\x1b":
            self._state = _State.ESCAPE
            return ""
        if character in "\x18\x1a":
            self._state = _State.GROUND
            return ""
        if len(self._sequence) <= MAX_SEQUENCE:
            self._sequence += character
        if not "@" <= character <= "~":
            return ""
        self._state = _State.GROUND
        kept = not self._plain and _KEPT_CSI.fullmatch(self._sequence)
        return self._sequence if kept else ""
