"""Locks: pulling the plug, and lifting it."""

from enum import StrEnum
from typing import Annotated

import typer

from onepam.cli import complete
from onepam.cli.client import call
from onepam.cli.naming import one_person
from onepam.cli.show import USAGE, Json, Output, note, printed, say, stop, table, when


class Scope(StrEnum):
    """What a lock is on."""

    PERSON = "person"
    RESOURCE = "resource"
    EVERYTHING = "everything"


def lock(
    scope: Annotated[Scope, typer.Argument(help="What to lock.")],
    name: Annotated[str, typer.Argument(help="The person or the resource.", autocompletion=complete.people)] = "",
    reason: Annotated[str, typer.Option(help="Why; needed.")] = "",
    as_json: Json = False,
) -> None:
    """Lock a person, a resource or everything: its sessions end now, and none opens."""
    if bool(name) is (scope is Scope.EVERYTHING):
        stop(USAGE, "Which?", "onepam lock person NAME, lock resource NAME, or lock everything")
    about = one_person(name) if scope is Scope.PERSON else name
    done = call("POST", "/locks", {"scope": scope.value, "about": about, "reason": reason})
    if Output.as_json:
        printed(done)
        return
    say(f"{done['lock']}: locked. Sessions end now, and none opens.")
    note(f"Another administrator lifts it: onepam unlock {done['lock']}")


def unlock(
    name: Annotated[str, typer.Argument(metavar="LOCK", help="Its id.")],
    as_json: Json = False,
) -> None:
    """Lift a lock that another set and that is not on yourself."""
    done = call("POST", f"/locks/{name.strip()}/lift")
    printed(done) if Output.as_json else say(f"{name.strip()} is lifted.")


def locks(as_json: Json = False) -> None:
    """List the locks that stand."""
    found = call("GET", "/locks")
    if Output.as_json:
        printed(found)
        return
    table(
        ("LOCK", "ON", "BY", "SINCE", "ENTRY"),
        (
            (
                each["lock"],
                each["person_name"] or each["resource"] or "everything",
                each["by_name"],
                when(each["since"]),
                each["entry"],
            )
            for each in found
        ),
        "Nothing is locked.",
    )
