"""The text of `access.yaml` as a bounded tree in which everything knows its place.

YAML (1.1, as PyYAML reads it) is narrowed to what a reviewed file needs: one document of mappings, lists and scalars.
Anchors, aliases, tags, directives, repeated keys and invisible or direction-changing characters are refused, because
each lets the file say something else than its reader sees. Scalars stay text; who asks for a value says what type it
must have, so that an unquoted `no` is never taken for false, nor for a name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import yaml

from onepam.kernel.canonical import encode
from onepam.kernel.limits import MAX_PAYLOAD_BYTES

MAX_FILE_BYTES = MAX_PAYLOAD_BYTES - 1024
"""Largest file, as the ledger keeps it: UTF-8, a line's end counting two bytes."""

MAX_DEPTH = 8
MAX_PROBLEMS = 50

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SURROGATE = re.compile("[\ud800-\udfff]")
_INVISIBLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"  # what YAML forbids, and NEL
    "|[\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"  # soft hyphen, zero width, line ends, directions, BOM
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a place (line and column from 1), and in `hint` what would be right."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """One line as compilers write it: `access.yaml:12:5: message hint`."""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{' ' * bool(self.hint)}{self.hint}"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the file, from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text; `plain` when it stands without quotes, so that YAML's own reading of it matters."""

    spot: Spot
    text: str
    plain: bool

    @property
    def tag(self) -> str:
        """What YAML would take an unquoted scalar for: `bool`, `int`, `null`, `timestamp` ...; else `str`."""
        if self.plain:
            for tag, pattern in yaml.SafeLoader.yaml_implicit_resolvers.get(self.text[:1], ()):
                if pattern.match(self.text):
                    return str(tag).rpartition(":")[2]
        return "str"


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    spot: Spot
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping, in the file's order, each key once."""

    spot: Spot
    entries: tuple[tuple[Scalar, "Node"], ...]


Node = Scalar | Items | Entries


class Findings:
    """Collects what is wrong with one file. All of it is reported at once, up to `MAX_PROBLEMS`."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: list[Problem] = []

    def add(self, spot: Spot, message: str, hint: str = "") -> None:
        """Something is wrong at a place."""
        if not self.full:  # one more than is listed: it tells that there are more
            self._found.append(Problem(self._file, spot.line, spot.column, message, hint))

    @property
    def full(self) -> bool:
        """Whether what is found from now on is only counted: no more work for it."""
        return len(self._found) > MAX_PROBLEMS

    def problems(self) -> tuple[Problem, ...]:
        """In the order of the file; where there are more than `MAX_PROBLEMS`, the last one says so."""
        found = sorted(self._found[:MAX_PROBLEMS], key=lambda each: (each.line, each.column))
        if len(self._found) > MAX_PROBLEMS:
            last = found[-1]
            found.append(Problem(self._file, last.line, last.column, "There are more problems than are listed here."))
        return tuple(found)


def parse(text: str, findings: Findings) -> Node | None:
    """The document's root, or None where the text is no such document (then `findings` says why)."""
    if (spot := _unreadable(text)) is not None:
        findings.add(*spot)
        return None
    builder = _Builder(findings)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not builder.take(event):
                return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        spot_of = Spot(1, 1) if mark is None else Spot(mark.line + 1, mark.column + 1)
        context = f" {error.context}" if error.context else ""
        if error.context_mark is not None and error.context_mark.line + 1 < spot_of.line:
            context += f" (begun in line {error.context_mark.line + 1})"
        hint = "Indent with spaces, not tabs." if "\t" in _line(text, spot_of) else ""
        findings.add(spot_of, f"This is not YAML{context}: {error.problem}.", hint)
        return None
    if builder.root is None:
        findings.add(Spot(1, 1), "The file is empty.", "Begin with: version: 1")
    return builder.root


def _unreadable(text: str) -> tuple[Spot, str, str] | None:
    if (found := _SURROGATE.search(text)) is not None:
        return _spot(text, found.start()), "The file is not UTF-8 text.", "Save it as UTF-8."
    if len(text) > MAX_FILE_BYTES or len(encode(text)) > MAX_FILE_BYTES:
        return Spot(1, 1), "The file is larger than 1 MiB.", "Name resources by label in permissions, not one by one."
    if (found := _INVISIBLE.search(text)) is not None:
        character = f"U+{ord(found.group()):04X}"
        message = f"The character {character} is invisible, or changes how the line reads."
        return _spot(text, found.start()), message, "Remove it."
    return None


def _spot(text: str, offset: int) -> Spot:
    return Spot(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def _line(text: str, spot: Spot) -> str:
    return dict(enumerate(text.split("\n"), 1)).get(spot.line, "")


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet. `key` waits for its value."""

    spot: Spot
    mapping: bool
    nodes: list[Node] = field(default_factory=list)
    entries: list[tuple[Scalar, Node]] = field(default_factory=list)
    seen: dict[str, Spot] = field(default_factory=dict)
    key: Scalar | None = None

    def node(self) -> Node:
        """The whole, once its end has come."""
        return Entries(self.spot, tuple(self.entries)) if self.mapping else Items(self.spot, tuple(self.nodes))


class _Builder:
    """Nodes from parser events, without recursion: the depth of hostile input is bounded before it costs anything."""

    def __init__(self, findings: Findings) -> None:
        self.root: Node | None = None
        self._findings = findings
        self._open: list[_Open] = []
        self._documents = 0

    def take(self, event: yaml.Event) -> bool:
        """False where reading on makes no sense; the reason is among the findings."""
        assert event.start_mark is not None  # the loader marks every event
        spot = Spot(event.start_mark.line + 1, event.start_mark.column + 1)
        refused = _refusal(event)
        if refused is None and isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                refused = "A second document begins here.", "Keep everything in one; remove the line `---`."
        if refused is None and len(self._open) == MAX_DEPTH and isinstance(event, yaml.CollectionStartEvent):
            refused = f"This is nested deeper than {MAX_DEPTH} levels.", "Nothing in this file is."
        if refused is not None:
            self._findings.add(spot, *refused)
            return False
        match event:
            case yaml.ScalarEvent():
                self._place(Scalar(spot, event.value, event.implicit[0]))
            case yaml.CollectionStartEvent():
                self._open.append(_Open(spot, isinstance(event, yaml.MappingStartEvent)))
            case yaml.CollectionEndEvent():
                self._place(self._open.pop().node())
            case _:
                pass  # the stream's and the document's brackets
        return True

    def _place(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if not parent.mapping:
            parent.nodes.append(node)
        elif parent.key is None:
            parent.key = self._key(parent, node)
        else:
            if parent.key.text not in parent.seen:
                parent.seen[parent.key.text] = parent.key.spot
                parent.entries.append((parent.key, node))
            parent.key = None

    def _key(self, parent: _Open, node: Node) -> Scalar:
        if not isinstance(node, Scalar):
            self._findings.add(node.spot, "A key must be a word, not a list or mapping.")
            parent.seen[""] = node.spot  # so that nobody looks at its value
            return Scalar(node.spot, "", plain=False)
        if (first := parent.seen.get(node.text)) is not None:
            message = f"`{node.text}` stands here twice; the first is in line {first.line}."
            self._findings.add(node.spot, message, "Keep one of them.")
        return node


def _refusal(event: yaml.Event) -> tuple[str, str] | None:
    """Why this piece of YAML has no place in a file that people review."""
    match event:
        case yaml.AliasEvent():
            return f"The alias `*{event.anchor}` is not allowed.", "Write out what it stands for."
        case yaml.DocumentStartEvent() if event.tags or event.version:
            return "Directives are not allowed.", "Remove the lines that begin with `%`."
        case yaml.ScalarEvent() | yaml.CollectionStartEvent() if event.anchor is not None:
            return f"The anchor `&{event.anchor}` is not allowed.", "Remove it."
        case yaml.ScalarEvent() | yaml.CollectionStartEvent() if event.tag is not None:
            return f"The tag `{event.tag}` is not allowed.", "Remove it."
        case yaml.ScalarEvent() if _INVISIBLE.search(event.value):
            return "This text hides an invisible character behind an escape.", "Remove it."
        case _:
            return None


class Piece(StrEnum):
    """What a piece of the text is."""

    WORD = "word"
    LIST = "list"
    MAPPING = "mapping"
    END = "end"


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece in characters [begin, end), within so many lists and mappings; `text` is a word's, `bracketed` of a list
    or mapping whether it stands in brackets or braces."""

    piece: Piece
    depth: int
    begin: int
    end: int
    text: str
    bracketed: bool


def marks(text: str) -> Iterator[Mark]:
    """The pieces of a text that `parse` has read, in their order: for whoever changes one and leaves the others."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        assert event.start_mark is not None  # the loader marks every event
        assert event.end_mark is not None
        begin, end = event.start_mark.index, event.end_mark.index
        match event:
            case yaml.ScalarEvent():
                yield Mark(Piece.WORD, depth, begin, end, event.value, bracketed=False)
            case yaml.CollectionStartEvent():
                piece = Piece.MAPPING if isinstance(event, yaml.MappingStartEvent) else Piece.LIST
                yield Mark(piece, depth, begin, end, "", bracketed=bool(event.flow_style))
                depth += 1
            case yaml.CollectionEndEvent():
                depth -= 1
                yield Mark(Piece.END, depth, begin, end, "", bracketed=end > begin)
            case _:
                pass  # the stream's and the document's brackets
