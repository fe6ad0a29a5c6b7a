"""Whether roles match the work: what a change would do."""

from pathlib import Path
from typing import Annotated, Any

import typer

from onepam.cli.client import call
from onepam.cli.commands.matrix import file_body, show_plan
from onepam.cli.naming import one_person
from onepam.cli.show import USAGE, Json, Output, printed, say, stop


def what_if(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="access.yaml; - for standard input.")] = None,
    person: Annotated[str, typer.Option(help="Instead of a file: somebody, by address or id.")] = "",
    role: Annotated[str, typer.Option(help="... who is given this role.")] = "",
    without: Annotated[bool, typer.Option("--without", help="... or loses it.")] = False,
    as_json: Json = False,
) -> None:
    """Show who would gain and lose, which live sessions would end, and which roles kept apart would come together."""
    if (file is None) == (not person) or bool(person) != bool(role):
        stop(USAGE, "Give a file, or --person and --role.", "Such as: onepam what-if access.yaml")
    found = call("POST", "/access/what-if", file_body(file) if file is not None else _role(person, role, without))
    printed(found) if Output.as_json else _shown(found)


def _role(person: str, role: str, without: bool) -> dict[str, str]:
    asked = {"person": one_person(person), "role": role, "gives": not without, "reason": "what if"}
    return {"text": call("POST", "/access/role", asked)["text"]}


def _shown(found: dict[str, Any]) -> None:
    show_plan(found["plan"])
    for each in found["sessions"]:
        say(f"ends {each['session']}: {each['name']}, {each['login']}@{each['resource']}")
    if found["plan"]["objects"] and not found["sessions"]:
        say("No live session would end.")
