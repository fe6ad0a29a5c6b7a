"""One entry on its own page: its sentence, its fields and where they lead, its proof."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from enum import StrEnum
from typing import Any, get_args, get_origin, get_type_hints

from onepam.app.ports import LedgerHealth
from onepam.console.frame.page import Context
from onepam.console.frame.rendering import exact
from onepam.console.frame.view import View
from onepam.console.frame.wording import happened
from onepam.domain.history.event import is_known, kind_named
from onepam.kernel.clock import FOREVER, Instant
from onepam.kernel.errors import Corrupt
from onepam.store.read.console import Stored
from onepam.store.read.moments import readable

MAX_VALUE_CHARACTERS = 400
_PEOPLE = ("by", "person", "approved_by", "proposed_by", "owner", "manager", "sponsor", "subject")
_PAGES = {"role": "/roles/", "resource": "/resources/", "provider": "/providers/"}
"""What is named by a name, and its page."""
_IDENTS = {"per": "/people/", "req": "/requests/", "ses": "/sessions/", "chg": "/changes/"}
"""What is named by an id that begins so, and its page."""
_IDENT = re.compile(rf"((?:{'|'.join(_IDENTS)})_[a-z0-9]+)")
_SAFE = re.compile(r"[A-Za-z0-9._@-]+")


def one_entry(found: Stored, view: View, health: LedgerHealth, known: Mapping[str, str]) -> Context:
    """`entry` of the ledger's page; what it names leads to its own page where that has one."""
    header = found.header
    known_kind = is_known(header.kind, header.version)
    hints = get_type_hints(kind_named(header.kind, header.version).record) if known_kind else {}
    return {
        "index": header.index,
        "at": header.time,
        "kind": header.kind,
        "klass": header.klass,
        "klass_seq": header.class_seq,
        "words": linked(happened(readable(found), known)),
        "leaf": found.hash.hex(),
        "fields": [
            [word, _value(value, hint, known if name in _PEOPLE else {}), _leads_to(name, value, known)]
            for word, name, value, hint in _rows(_fields(found), hints)
        ],
        "proof": view.proof(header.index, found.hash, health),
    }


def linked(text: str) -> list[list[str]]:
    """A sentence in its parts, each [text, where it leads to or ""]: ids lead to what they are of."""
    return [[each, _page_of(each) if odd % 2 else ""] for odd, each in enumerate(_IDENT.split(text)) if each]


def _page_of(ident: str) -> str:
    return f"{_IDENTS[ident[:3]]}{ident}"


def _leads_to(name: str, value: Any, known: Mapping[str, str]) -> str:
    """The page of what a field names; "" without one."""
    if not isinstance(value, str) or not _SAFE.fullmatch(value):
        return ""
    if name in _PEOPLE:
        return f"/people/{value}" if value in known else ""
    if name in _PAGES:
        return f"{_PAGES[name]}{value}"
    return _page_of(value) if _IDENT.fullmatch(value) else ""


def _rows(fields: Mapping[str, Any], hints: Mapping[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    """(what it is called, name, value, type) of each field; of a record in it, of each of its own."""
    for name, value in fields.items():
        hint = hints.get(name)
        inner = next((get_type_hints(each) for each in (hint, *get_args(hint)) if is_dataclass(each)), None)
        if isinstance(value, dict) and inner is not None:
            yield from (
                (f"{_called(name)}: {each.replace('_', ' ')}", each, one, inner.get(each))
                for each, one in value.items()
            )
        else:
            yield _called(name), name, value, hint


def _called(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _fields(stored: Stored) -> dict[str, Any]:
    """The body's fields; of one that somebody has made unreadable, that it is."""
    try:
        return stored.fields
    except Corrupt as error:
        return {"unreadable": str(error)}


def _value(value: Any, hint: Any, known: Mapping[str, str]) -> str:
    text = _plain(known.get(value, value) if isinstance(value, str) else value, hint)
    return text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[:MAX_VALUE_CHARACTERS]}…"


def _plain(value: Any, hint: Any) -> str:
    """A body's value in one line. `hint` is the type that its field should have; whoever altered it put in another."""
    kinds = (hint, *get_args(hint))
    if isinstance(value, dict):
        hints: dict[str, Any] = next((get_type_hints(each) for each in kinds if is_dataclass(each)), {})
        return "; ".join(f"{name} {_plain(each, hints.get(name))}" for name, each in value.items()) or "none"
    if isinstance(value, list):
        item = next((get_args(each)[0] for each in kinds if get_origin(each) is tuple), None)
        return ", ".join(_plain(each, item) for each in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and Instant in kinds and 0 <= value < FOREVER:
        return exact(Instant(value))
    if isinstance(value, str):
        codes = [each for kind in kinds if isinstance(kind, type) and issubclass(kind, StrEnum) for each in kind]
        return next((getattr(each, "words", value.replace("_", " ")) for each in codes if each == value), value)
    return "none" if value is None else str(value)
