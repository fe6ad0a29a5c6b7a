"""Accounts of other systems: bringing a list, what is found, who stands behind whom."""

import sys
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from onepam.cli.client import call
from onepam.cli.naming import one_person
from onepam.cli.show import REFUSED, USAGE, Json, Output, confirmed, printed, say, stop, table, when

MAX_FILE_BYTES = 5 * 1024 * 1024
HELD_WORDS = {
    "account_list.shrinks": "it lacks more than half of the accounts of the list before",
    "account_list.again": "it is a list that was in force before the one that is",
}
FINDINGS = {
    "nobody": "nobody stands behind it",
    "left": "who stood behind it has left",
    "still_there": "who stood behind it has left, and it is still there",
}
BECAUSE = {
    "email": "by e-mail",
    "name": "by its name",
    "owner": "its owner",
    "said": "somebody said so",
    "nobody": "",
}

app = typer.Typer(help="Accounts of other systems.", no_args_is_help=True, rich_markup_mode=None)

System = Annotated[str, typer.Argument(help="The system, as onepam accounts ls lists it.")]
When = Annotated[str | None, typer.Option("--as-of", help="As it was then (RFC 3339).")]


@app.command(name="import")
def bring(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV in UTF-8; - for standard input.")],
    system: Annotated[str, typer.Option("--system", help="Whose accounts these are, such as payroll.")],
    made: Annotated[str, typer.Option(help="When the system wrote it (RFC 3339); when the file was, otherwise.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would change.")] = False,
    as_json: Json = False,
) -> None:
    """Take a list of a system's accounts, whole or not at all; the brake may hold it."""
    body = {**_body(file, made), "dry_run": dry_run}
    given = call("POST", f"/systems/{system}/lists", body)
    if Output.as_json:
        printed(given)
    else:
        begin = {"planned": "It would be", "taken": "In force:", "held": "It would be"}[given["outcome"]]
        say(
            f"{begin} {given['accounts']} accounts; {given['added']} added, {given['changed']} changed, "
            f"{given['gone']} gone, {given['nobody']} with nobody behind them."
        )
        if given["held"]:
            say(f"The brake holds it: {HELD_WORDS.get(given['held'], given['held'])}.")
    if given["outcome"] == "held":
        if not Output.as_json:
            say("Nothing was applied. Another administrator may let it through:",
                f"  onepam accounts release {system} {given['digest']}")  # fmt: skip
        raise typer.Exit(REFUSED)


@app.command()
def release(
    system: System,
    digest: str,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Let exactly the held list through that somebody else brought; then import it again."""
    confirmed("Release this list?", yes)
    done = call("POST", f"/systems/{system}/release", {"digest": digest})
    printed(done) if Output.as_json else say("Released: the next time exactly these bytes come, they are taken.")


@app.command()
def ls(as_of: When = None, as_json: Json = False) -> None:
    """List the systems, and how their accounts stand."""
    found = call("GET", "/systems", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    columns = ("system", "accounts", "services", "nobody", "left", "still_there", "overdue")
    table(
        [*(name.upper().replace("_", " ") for name in columns), "ANSWERS", "LIST MADE", "BROUGHT BY"],
        (
            [
                *(each[name] for name in columns),
                each["owner_name"],
                when(each["taken"]["made"]),
                each["taken"]["by_name"],
            ]
            for each in found
        ),
        "No list of a system's accounts was brought yet.",
    )
    for each in found:
        if each["held"] and each["held"]["standing"] == "held":
            words = HELD_WORDS.get(each["held"]["because"], each["held"]["because"])
            say(f"A list of {each['system']} is held: {words}; digest {each['held']['digest']}")


@app.command()
def show(
    system: System,
    finding: Annotated[str, typer.Option(help="nobody, left, still_there or any.")] = "",
    search: Annotated[str, typer.Option(help="A part of a name, an address or a right.")] = "",
    after: Annotated[str, typer.Option(help="Go on after this account.")] = "",
    as_of: When = None,
    as_json: Json = False,
) -> None:
    """List the accounts of a system, and who stands behind each."""
    asked = {"finding": finding, "search": search, "after": after, "as_of": as_of}
    found = call("GET", f"/systems/{system}/accounts", params={name: value for name, value in asked.items() if value})
    if Output.as_json:
        printed(found)
        return
    table(
        ("ACCOUNT", "RIGHTS", "WHO", "KNOWN", "LAST USED", "FINDING"),
        (
            (
                each["name"] or each["account"],
                ", ".join(each["rights"]),
                _who(each),
                BECAUSE[each["because"]],
                when(each["used"]) if each["used"] else "",
                FINDINGS.get(each["finding"], ""),
            )
            for each in found["accounts"]
        ),
        "There is no such account.",
    )
    if found["next"]:
        say(f"There is more: --after {found['next']}")


@app.command()
def findings(as_of: When = None, as_json: Json = False) -> None:
    """List the accounts of all systems behind which nobody stands who is here, and until when that is to be mended."""
    found = call("GET", "/systems/findings", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    table(
        ("SYSTEM", "ACCOUNT", "RIGHTS", "FINDING", "WHO", "SINCE", "DUE", "ANSWERS"),
        (
            (
                each["system"],
                each["name"] or each["account"],
                ", ".join(each["rights"]),
                FINDINGS[each["finding"]],
                _who(each),
                when(each["since"]),
                when(each["due"]),
                each["answers_name"],
            )
            for each in found
        ),
        "Behind every account stands somebody who is here.",
    )


@app.command()
def link(
    system: System,
    account: Annotated[str, typer.Argument(help="Its name on the list, or its id.")],
    person: Annotated[str, typer.Argument(metavar="[PERSON]", help="Id, address or whole name.")] = "",
    service: Annotated[bool, typer.Option("--service", help="It is a service account of theirs.")] = False,
    nobody: Annotated[bool, typer.Option("--nobody", help="Nobody stands behind it.")] = False,
    as_json: Json = False,
) -> None:
    """Say who stands behind an account, here or gone; lists change that no more."""
    if bool(person) == nobody:
        stop(USAGE, "Who stands behind it?", "A person, or --nobody")
    who = one_person(person) if person else ""
    done = call("POST", f"/systems/{system}/links", {"account": account, "person": who, "service": service})
    printed(done) if Output.as_json else say("It is said so.")


@app.command()
def owner(
    system: System,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Id, address or whole name.")],
    days: Annotated[int, typer.Option(min=1, max=365, help="Within how many days it is to be mended.")] = 30,
    as_json: Json = False,
) -> None:
    """Say who answers for what is found of a system's accounts."""
    done = call("POST", f"/systems/{system}/owner", {"owner": one_person(person), "days": days})
    printed(done) if Output.as_json else say("It is said so.")


def _who(each: dict[str, Any]) -> str:
    return f"{each['person_name']} (owns it)" if each["service"] else str(each["person_name"])


def _body(file: Path, made: str) -> dict[str, str]:
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with file.open("rb") as opened:
                data = opened.read(MAX_FILE_BYTES + 1)
            made = made or datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat()
    except OSError as error:
        stop(USAGE, f"{file} cannot be read: {error.strerror}.")
    if len(data) > MAX_FILE_BYTES:
        stop(USAGE, f"{file} is larger than {MAX_FILE_BYTES} bytes.")
    return {"data": b64encode(data).decode("ascii"), "made": made}
