"""Whom or what somebody means: an id, an address or a whole name. Several are listed, and nothing is done."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any

import typer

from onepam.cli import complete
from onepam.cli.client import call
from onepam.cli.show import REFUSED, USAGE, stop

Whom = Annotated[
    str, typer.Argument(metavar="PERSON", help="Id, address or whole name.", autocompletion=complete.people)
]
"""The argument that names a person."""

Item = Annotated[
    str,
    typer.Argument(
        help="Id, LOGIN@TARGET, target, title, or the name of whoever asks, as onepam inbox lists them.",
        autocompletion=complete.inbox,
    ),
]
"""The argument that names a request or a proposal."""

PAGE = 500
MOST_NAMED, MOST_NEAR = 8, 5
_ID = "per_"


def one_person(text: str) -> str:
    """The id of the one person whose id, address or whole name this is. Part of a name is nobody: what follows may end
    somebody's access. Asks the gateway for what is no id; ends the program where that is nobody, or several."""
    wanted = text.strip().casefold()
    if text.startswith(_ID) and text.removeprefix(_ID).replace("_", "").replace("-", "").isalnum():
        return text
    if not wanted:
        stop(USAGE, "Who?", "An id (per_...), an address or a whole name, as the lists show them")
    asked = {"search": text.strip(), "most": str(PAGE)}
    found = page = call("GET", "/people", params=asked)
    while len(page) == PAGE:
        page = call("GET", "/people", params={**asked, "after": page[-1]["person"]})
        found = [*found, *page]
    meant = [each for each in found if wanted in _called(each)]
    if len(meant) == 1:
        return str(meant[0]["person"])
    if meant:
        several = "; ".join(f"{each['person']} ({each['email'] or 'no address'})" for each in meant[:MOST_NAMED])
        stop(REFUSED, f"{len(meant)} people are called {text}.", f"Say which by id: {several}")
    near = "; ".join(f"{each['name']} <{each['email'] or each['person']}>" for each in found[:MOST_NAMED])
    return stop(REFUSED, f"Nobody here is called {text}.", f"Did you mean: {near}" if near else "See: onepam people")


def one_provider(text: str) -> str:
    """The id of the identity provider whose id or name this is; ends the program where it is none, or several."""
    wanted = text.strip().casefold()
    if wanted.startswith("idp_"):
        return one_id(text)
    found = call("GET", "/providers")
    meant = [each["provider"] for each in found if each["name"].casefold() == wanted]
    if len(meant) == 1:
        return str(meant[0])
    if meant:
        stop(REFUSED, f"{len(meant)} providers are called {text}.", f"Say which by id: {', '.join(meant)}")
    near = nearest(text, (each["name"] for each in found))
    hint = f"Did you mean: {', '.join(near)}" if near else "See: onepam provider ls"
    return stop(REFUSED, f"No identity provider is called {text}.", hint)


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be meant: its id, the words by which it goes, and what it says where several are meant."""

    ident: str
    words: tuple[str, ...]
    says: str


def one_of(text: str, offers: Iterable[Offer], what: str, see: str) -> str:
    """The id of the one offer of which this is the id or one of the words, whole; ends the program where that is none,
    or several. `what` they are, in the plural; `see` is the command that lists them."""
    wanted, every = text.strip().casefold(), list(offers)
    meant = [each for each in every if wanted in {word.casefold() for word in (each.ident, *each.words) if word}]
    if len(meant) == 1:
        return meant[0].ident
    if meant:
        several = "; ".join(f"{each.ident} ({each.says})" for each in meant[:MOST_NAMED])
        more = f" and {len(meant) - MOST_NAMED} more" if len(meant) > MOST_NAMED else ""
        stop(REFUSED, f"{len(meant)} {what} go by {text}.", f"Say which by id: {several}{more}")
    near = nearest(text, (word for each in every for word in each.words if word))
    return stop(REFUSED, f"None of the {what} goes by {text}.", f"Did you mean: {'; '.join(near)}" if near else see)


def is_id(text: str, *prefixes: str) -> bool:
    """Whether this is an id that begins so, as req_k3v5: then nobody is asked what it may mean."""
    prefix, _, rest = text.partition("_")
    return prefix in prefixes and re.fullmatch(r"[A-Za-z0-9_-]{1,60}", rest) is not None


def asked(row: dict[str, Any]) -> Offer:
    """A request by what it asks for, and for whom."""
    target = f"{row['login']}@{row['resource']}"
    return Offer(row["request"], (target, row["resource"], row["person_name"]), f"{target} for {row['person_name']}")


def nearest(text: str, names: Iterable[str]) -> list[str]:
    """The names that are written most alike."""
    by_name = {each.casefold(): each for each in names}
    return [by_name[each] for each in get_close_matches(text.strip().casefold(), by_name, MOST_NEAR)]


def one_id(text: str) -> str:
    """An id as a part of a path: nothing that could lead elsewhere."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text):
        stop(USAGE, f"{text} is not an id.", "Such as req_k3v5..., as the lists show them")
    return text


def _called(person: dict[str, str | None]) -> set[str]:
    return {str(person[each]).casefold() for each in ("person", "email", "name") if person[each]}
