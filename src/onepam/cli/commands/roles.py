"""Giving a person a role, and taking it: one binding of access.yaml, planned and proposed like any other change."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from onepam.cli.client import call
from onepam.cli.commands.evidence import instant_of
from onepam.cli.commands.matrix import Reason, Ticket, propose, show_plan
from onepam.cli.naming import Whom, one_person
from onepam.cli.show import USAGE, Json, Output, confirmed, stop

app = typer.Typer(help="Roles of people.", no_args_is_help=True, rich_markup_mode=None)

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.callback()
def roles() -> None:
    """Roles of people."""


@app.command()
def give(
    person: Whom,
    role: str,
    reason: Reason = "",
    ticket: Ticket = "",
    until: Annotated[str, typer.Option(help="Last day, all of it in UTC, such as 2027-01-31; or an exact time.")] = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Give somebody a role: proposed to another administrator where it widens access."""
    _change(person, role, reason, ticket, yes, gives=True, until=until)


@app.command()
def take(
    person: Whom, role: str, reason: Reason = "", ticket: Ticket = "", yes: Yes = False, as_json: Json = False
) -> None:
    """Take a role from somebody who holds it by name."""
    _change(person, role, reason, ticket, yes, gives=False, until="")


def _change(person: str, role: str, reason: str, ticket: str, yes: bool, *, gives: bool, until: str) -> None:
    if not reason:
        stop(USAGE, "A reason is needed.", "Add --reason, and --ticket where there is one")
    because = f"{reason} ({ticket})" if ticket else reason
    asked = {"person": one_person(person), "role": role, "gives": gives, "reason": because}
    found = call("POST", "/access/role", {**asked, "ends": end_of(until) if until else None})
    if not Output.as_json:
        show_plan(found["plan"])
    if found["plan"]["objects"]:
        confirmed("Propose it?" if found["plan"]["widens"] else "Apply it?", yes)
    title = f"Give {role} to {person}" if gives else f"Take {role} from {person}"
    why = {"title": title[:120], "reason": reason, "ticket": ticket}
    propose({"text": found["text"], "digest": found["plan"]["digest"], **why})


def end_of(until: str) -> str:
    """RFC 3339 of a time, or of the end of a day."""
    at = instant_of(until)
    whole_day = len(until) == len("2027-01-31")
    return (datetime.fromisoformat(at) + timedelta(days=1)).isoformat() if whole_day else at
