"""Whether roles match the work: what a change would do, what nobody uses, and where the matrix and the world differ."""

from pathlib import Path
from typing import Annotated, Any

import typer

from onepam.cli.client import call
from onepam.cli.commands.matrix import file_body, show_plan
from onepam.cli.naming import one_person
from onepam.cli.show import USAGE, Json, Output, note, printed, say, stop, table, when

AsOf = Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")]
OneRole = Annotated[str, typer.Option(help="Of one role only.")]


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
    if Output.as_json:
        printed(found)
        return
    show_plan(found["plan"])
    for each in found["sessions"]:
        say(f"ends {each['session']}: {each['name']}, {each['login']}@{each['resource']}")
    if found["plan"]["objects"] and not found["sessions"]:
        say("No live session would end.")


def unused(
    role: OneRole = "",
    plan: Annotated[bool, typer.Option("--plan", help="Print access.yaml without what nobody uses.")] = False,
    suggest: Annotated[bool, typer.Option("--suggest", help="Print roles that fit what people use.")] = False,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """List roles that were held for 90 days and not used in them, by real sessions."""
    if plan:
        _planned(call("GET", "/access/unused/file", params={"role": role}))
        return
    if suggest:
        _suggested(call("GET", "/access/suggested", params={"as_of": as_of}))
        return
    found = call("GET", "/access/unused", params={"role": role, "as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    table(
        ("ROLE", "PEOPLE", "USING IT", "UNUSED", "LATE", "RIGHTS USED"),
        (
            (*(each[name] for name in ("role", "people", "using", "unused", "late")), _share(each))
            for each in found["roles"]
        ),
        "No role opens anything.",
    )
    idle = [each for each in found["held"] if each["standing"] == "unused"]
    if idle:
        say("")
        table(
            ("PERSON", "ROLE", "LAST USED", "UNUSED SINCE", "DUE", "PROPOSAL"),
            (
                (
                    each["name"],
                    each["role"],
                    when(each["last"]) or "never",
                    when(each["flagged"]),
                    _due(each),
                    _do(each),
                )
                for each in idle
            ),
            "",
        )


def matrix(
    difference: Annotated[bool, typer.Option("--difference", help="Where the file and the world differ.")] = False,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Hold the role matrix as designed against what is, and say how many people administer."""
    found = call("GET", "/access/difference", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    if not found["designed"] and found["document"]:
        note("The text of the file in force is not kept, or names people who are gone: definitions were not compared.")
    if difference:
        table(
            ("DIFFERENCE", "ROLE", "PERSON", "RESOURCE", "DETAIL"),
            ((each["words"], each["role"], each["name"], each["resource"], each["detail"]) for each in found["rows"]),
            "The matrix and what people can do are the same.",
        )
    else:
        say(f"{len(found['rows'])} differences: onepam matrix --difference")
    for each in found["administering"][-1:]:
        say(f"{each['administer']} of {each['people']} people administer something.")


def _role(person: str, role: str, without: bool) -> dict[str, str]:
    asked = {"person": one_person(person), "role": role, "gives": not without, "reason": "what if"}
    return {"text": call("POST", "/access/role", asked)["text"]}


def _share(each: dict[str, Any]) -> str:
    return f"{each['touched']} of {each['rights']}"


def _due(each: dict[str, Any]) -> str:
    return "kept by a review" if each["kept"] and each["kept"] >= each["flagged"] else when(each["due"])


def _do(each: dict[str, Any]) -> str:
    return "remove" if each["by_name"] else f"leave {', '.join(each['groups'])}"


def _planned(found: dict[str, Any]) -> None:
    if Output.as_json:
        printed(found)
        return
    say(*found["text"].rstrip("\n").splitlines())
    for verb, part in (("changed", "done"), ("by hand", "left")):
        for each in found[part]:
            what = f"{each['permission']} to on request" if each["permission"] else f"without {each['person']}"
            note(f"{verb}: {each['role']}: {what}")


def _suggested(found: list[dict[str, Any]]) -> None:
    if Output.as_json:
        printed(found)
        return
    for each in found:
        say(f"  # {', '.join(one['name'] for one in each['people'])}", *each["lines"].rstrip("\n").splitlines())
    if not found:
        note("No three people of one manager used the same, beyond what a role gives.")
