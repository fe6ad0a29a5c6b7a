"""The role matrix as a file: plan, apply, and the changes there were."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from onepam.cli.client import call
from onepam.cli.show import USAGE, Json, Output, confirmed, printed, say, span, stop, table, when

MAX_FILE_BYTES = 1024 * 1024

Title = Annotated[str, typer.Option(help="By which the change is found again.")]
Reason = Annotated[str, typer.Option(help="Why; whoever approves reads it.")]
Ticket = Annotated[str, typer.Option(help="A ticket's number.")]
AccessFile = Annotated[Path, typer.Argument(metavar="FILE", help="access.yaml; - for standard input.")]


def plan(file: AccessFile, as_json: Json = False) -> None:
    """Show what a file would change, and who would gain and lose by it."""
    found = call("POST", "/access/plan", file_body(file))
    printed(found) if Output.as_json else show_plan(found)


def apply(
    file: AccessFile,
    title: Title = "",
    reason: Reason = "",
    ticket: Ticket = "",
    digest: Annotated[str, typer.Option(help="Digest of the plan that was looked at; asks otherwise.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Apply a file: at once where nobody gains by it, else as a proposal to another administrator."""
    body = file_body(file)
    if not digest:
        found = call("POST", "/access/plan", body)
        if not Output.as_json:
            show_plan(found)
        if not found["objects"]:
            _told({"outcome": "unchanged", "change": None, "plan": found})
            return
        why = motive(title, reason, ticket)
        confirmed("Propose it?" if found["widens"] else "Apply it?", yes)
        digest = found["digest"]
    else:
        why = motive(title, reason, ticket)
    propose({**body, **why, "digest": digest})


def motive(title: str, reason: str, ticket: str) -> dict[str, str]:
    """Why a change is made: asked for where it was not given and somebody is there to ask."""
    if not (title and reason) and not sys.stdin.isatty():
        stop(USAGE, "A change has a title and a reason.", "Add --title and --reason, and --ticket where there is one")
    title = title or typer.prompt("Title of the change", err=True)
    reason = reason or typer.prompt("Reason", err=True)
    return {"title": title, "reason": reason, "ticket": ticket}


def propose(body: dict[str, str]) -> None:
    """Applies what was looked at, or proposes it, and says which."""
    _told(call("POST", "/access/apply", body))


def _told(given: dict[str, Any]) -> None:
    if Output.as_json:
        printed(given)
    elif given["outcome"] == "proposed":
        say(f"It widens access, so it waits for another administrator: onepam approve {given['change']}")
    elif given["outcome"] == "applied":
        say(f"In force ({given['change']}).")


def changes(
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None, as_json: Json = False
) -> None:
    """List the changes of the role matrix."""
    found = call("GET", "/changes", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    table(
        ("CHANGE", "STATUS", "TITLE", "BY", "WHEN", "DECIDED BY", "WHAT"),
        (
            (
                each["change"],
                each["status"],
                each["title"],
                each["proposer_name"] or "bootstrap",
                when(each["proposed"]),
                each["decider_name"],
                each["summary"],
            )
            for each in found
        ),
        "No changes.",
    )


def show_plan(found: dict[str, Any]) -> None:
    """A plan in words."""
    if not found["objects"]:
        say("Nothing changes: the file says what is.")
        return
    marks = {"created": "+", "changed": "~", "removed": "-"}
    for each in found["objects"]:
        what = f": {', '.join(each['what'])}" if each["what"] else ""
        say(f"{marks[each['how']]} {each['kind']} {each['name']}{what}")
    for each in found["differences"]:
        names = ", ".join(person["name"] for person in each["people"])
        say(f"{names}:")
        for verb, part in (("gain", "gained"), ("lose", "lost")):
            for access in each[part]:
                say(f"  {verb} {_access(access)}")
            for name in each[f"console_{part}"]:
                say(f"  {verb} the right to {name}")
            for name in each[f"approves_{part}"]:
                say(f"  {verb} approving {name}")
        for name in each["excused"]:
            say(f"  excused from the separation {name}")
    for each in found["broken"]:
        roles = " and ".join(each["roles"])
        verb = "would hold" if each["given"] else "holds already"
        say(f"! {each['name']} {verb} {roles}, kept apart by {each['separation']}: {each['because']}")
    for sentence in found["widenings"]:
        say(f"! {sentence}")
    say(f"digest {found['digest']}")


def _access(access: dict[str, Any]) -> str:
    where = ", ".join(access["resources"][:5])
    more = len(access["resources"]) - 5
    where += f" and {more} more" if more > 0 else ""
    return (
        f"{', '.join(access['actions'])} as {', '.join(access['logins'])} on {where} "
        f"({access['mode']}, at most {span(access['longest_seconds'])}; {access['role']}/{access['permission']})"
        + "".join(f": {access[each]}" for each in ("passes", "asks") if access[each])
    )


def file_body(file: Path) -> dict[str, str]:
    """A file as the API takes it."""
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with file.open("rb") as opened:
                data = opened.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            stop(USAGE, f"{file} is larger than {MAX_FILE_BYTES} bytes.")
        return {"text": data.decode("utf-8"), "file": file.name[:200] if file.name != "-" else "access.yaml"}
    except OSError as error:
        stop(USAGE, f"{file} cannot be read: {error.strerror}.")
    except UnicodeDecodeError as error:
        stop(USAGE, f"{file} is not UTF-8: byte {error.start}.")
