"""Whom somebody means: an id, an address or a whole name."""

from typing import Annotated

import typer

from onepam.cli import complete
from onepam.cli.client import call
from onepam.cli.show import REFUSED, USAGE, stop

Whom = Annotated[
    str, typer.Argument(metavar="PERSON", help="Id, address or whole name.", autocompletion=complete.people)
]
"""The argument that names a person."""

PAGE = 500
MOST_NAMED = 8
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


def _called(person: dict[str, str | None]) -> set[str]:
    return {str(person[each]).casefold() for each in ("person", "email", "name") if person[each]}
