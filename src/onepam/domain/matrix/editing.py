"""Giving a role to a person, or taking it, in the text of `access.yaml`: one binding, and nothing else of the text.

What somebody wrote stays as they wrote it: order, comments, quotes. An edit counts only if the text then says what it
said before, but for that one binding; a text that cannot be edited so is refused, and somebody edits it by hand.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import takewhile

from onepam.domain.access.model import SubjectKind
from onepam.domain.matrix.file import MAX_PURPOSE_CHARACTERS, read_access
from onepam.domain.matrix.matrix import BindingDefinition, Matrix, binding_id
from onepam.domain.matrix.parse import Mark, Piece, marks
from onepam.kernel.clock import DAY, Instant, iso, moment
from onepam.kernel.errors import Refused

_SECTION = "bindings"
_BY_HAND = "Change the file itself: /changes/new"


@dataclass(frozen=True, slots=True)
class RoleEdit:
    """A role that the person with this address is to hold until `ends` (None: until it is taken), because of something;
    or, where not `gives`, is to lose."""

    email: str
    role: str
    gives: bool
    ends: Instant | None = None
    because: str = ""


@dataclass(frozen=True, slots=True)
class _Item:
    """One binding as it stands in the text: characters [`begin`, `end`), and what its plain fields say."""

    begin: int
    end: int
    said: dict[str, str]

    def binds(self, edit: RoleEdit) -> bool:
        """Whether it gives this role to this person."""
        return self.said.get("role") == edit.role and self.said.get("person", "").lower() == edit.email.lower()


@dataclass(frozen=True, slots=True)
class _Section:
    """The list of bindings: where its colon ends, whether it is in brackets, and its items."""

    begin: int
    flow: bool
    items: tuple[_Item, ...]


def edited(text: str, edit: RoleEdit) -> str | Refused:
    """The text with the role given or taken; the same text where it says so already. A binding that is given again,
    with another end or reason, takes the place of the one before."""
    before = read_access(text)
    if before.wanted is None:
        return Refused("access.unreadable", "There is no access.yaml in force that can be read.", _BY_HAND)
    if (refused := _impossible(before.wanted, edit)) is not None:
        return refused
    wanted = _wanted(before.wanted, edit)
    if wanted == before.wanted:
        return text
    made = _written(text, edit)
    if made is None or read_access(made).wanted != wanted:
        return Refused("access.by_hand", "The way access.yaml lists its bindings cannot be edited here.", _BY_HAND)
    return made


def _impossible(matrix: Matrix, edit: RoleEdit) -> Refused | None:
    if edit.gives and edit.role not in matrix.roles:
        return Refused("role.unknown", f"There is no role {edit.role} in access.yaml.", "/roles")
    if not edit.email:
        return Refused("person.no_address", "access.yaml names people by e-mail, and they have none.", _BY_HAND)
    if edit.gives and not 0 < len(edit.because) <= MAX_PURPOSE_CHARACTERS:
        hint = f"It stands in access.yaml beside the role: 1 to {MAX_PURPOSE_CHARACTERS} characters."
        return Refused("role.reason", "The reason is empty, or too long for access.yaml.", hint)
    if not edit.gives and _key(edit) not in matrix.bindings:
        return Refused("role.not_held", f"access.yaml does not give {edit.role} to {edit.email} by name.", "/roles")
    return None


def _key(edit: RoleEdit) -> str:
    return binding_id(edit.role, SubjectKind.PERSON, edit.email.lower())


def _wanted(matrix: Matrix, edit: RoleEdit) -> Matrix:
    key, others = _key(edit), dict(matrix.bindings)
    others.pop(key, None)
    if edit.gives:
        because = " ".join(edit.because.split())
        others[key] = BindingDefinition(key, edit.role, SubjectKind.PERSON, edit.email.lower(), edit.ends, because)
    return replace(matrix, bindings=others)


def _written(text: str, edit: RoleEdit) -> str | None:
    """The edit carried out in the characters; None where the text is of a shape that this does not know."""
    found = _section(text)
    line = _line(edit)
    if found is None:
        return f"{_closed(text)}\n{_SECTION}:\n  - {line}\n" if edit.gives else None
    mine = next((each for each in found.items if each.binds(edit)), None)
    if mine is not None and edit.gives:
        return text[: mine.begin] + line + text[mine.end :]
    if edit.gives:
        return _added(text, found, line)
    return _taken(text, found, mine) if mine is not None else None


def _line(edit: RoleEdit) -> str:
    ends = "" if edit.ends is None else f"ends: {_ends(edit.ends)}, "
    return f"{{role: {edit.role}, person: {_quoted(edit.email)}, {ends}because: {_quoted(edit.because)}}}"


def _ends(at: Instant) -> str:
    """A day, all of it in UTC, where it ends with one; else the exact time."""
    return (moment(at) - timedelta(days=1)).date().isoformat() if at % DAY == 0 else f'"{iso(at)}"'


def _quoted(text: str) -> str:
    """JSON's strings are YAML's; what is not ASCII stays readable."""
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def _closed(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"


def _added(text: str, found: _Section, line: str) -> str:
    """After the last one, written as that is."""
    if found.flow:
        if not found.items:
            return f"{text[: found.begin]}\n  - {line}{text[text.index(']', found.begin) + 1 :]}"
        last = found.items[-1].end
        return f"{text[:last]}, {line}{text[last:]}"
    first = found.items[0]
    stop = _line_end(text, found.items[-1])
    indent = text[text.rfind("\n", 0, first.begin) + 1 : first.begin]
    return f"{_closed(text[:stop])}{indent}{line}\n{text[stop:]}"


def _taken(text: str, found: _Section, item: _Item) -> str:
    """Without its line or lines, in brackets without a comma beside it; the last one leaves an empty list."""
    number, last = found.items.index(item), len(found.items) == 1
    if found.flow and number:
        return text[: found.items[number - 1].end] + text[item.end :]
    if found.flow:
        return text[: item.begin] + text[item.end if last else found.items[1].begin :]
    rest = text[: text.rfind("\n", 0, item.begin) + 1] + text[_line_end(text, item) :]
    return f"{rest[: found.begin]} []{rest[found.begin :]}" if last else rest


def _line_end(text: str, item: _Item) -> int:
    """Where the next line begins: what stands behind the binding on its own line is about it."""
    return text.find("\n", item.end) + 1 or len(text)


def _section(text: str) -> _Section | None:
    """The list below `bindings`, as it stands; None where there is none."""
    pieces = marks(text)
    for mark in pieces:
        if mark.depth == 1 and mark.piece is Piece.WORD and mark.text == _SECTION:
            start = next(pieces)
            colon = text.index(":", mark.end) + 1
            return _items(text, colon, start.bracketed, pieces) if start.piece is Piece.LIST else None
    return None


def _items(text: str, colon: int, flow: bool, pieces: Iterator[Mark]) -> _Section:
    """Of a file that was read before: each item is a mapping of words."""
    found: list[_Item] = []
    begin, end, said, key = 0, 0, dict[str, str](), ""
    for mark in takewhile(lambda each: each.depth > 1, pieces):
        if mark.piece is Piece.MAPPING:
            begin, said, key = mark.begin, {}, ""
        elif mark.piece is Piece.END:
            found.append(_Item(begin, mark.end if mark.bracketed else len(text[:end].rstrip()), said))
        else:
            end = mark.end
            if key:
                said[key] = mark.text
            key = "" if key else mark.text
    return _Section(colon, flow, tuple(found))
