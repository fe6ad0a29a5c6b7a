"""Naming who decides on requests for oneself."""

from typing import Annotated

import typer

from onepam.cli.client import call
from onepam.cli.show import USAGE, Json, Output, printed, say, stop, table, when


def delegate(
    to: Annotated[str, typer.Argument(help="Who decides for me: an address or a whole name; none: list.")] = "",
    until: Annotated[str | None, typer.Option(help="Until when (RFC 3339).")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="From when on (RFC 3339); now.")] = None,
    reason: Annotated[str, typer.Option(help="Why; both see it.")] = "",
    end: Annotated[str | None, typer.Option(help="End the one of this id.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="List everybody's (administrators and auditors).")] = False,
    as_json: Json = False,
) -> None:
    """Let somebody else who approves decide on requests for me."""
    if end is not None:
        done = call("POST", f"/delegations/{end}/end")
        printed(done) if Output.as_json else say(f"{end} is over.")
    elif to:
        if until is None:
            stop(USAGE, "Until when?", "Add --until, such as --until 2026-12-24T18:00:00+01:00")
        made = call("POST", "/delegations", {"to": to, "begins": from_, "ends": until, "reason": reason})
        printed(made) if Output.as_json else say(f"{made['delegation']} ends {when(made['ends'])}.")
    else:
        _listed(everybody=all_)


def _listed(*, everybody: bool) -> None:
    found = call("GET", "/delegations", params={"everybody": "true" if everybody else None})
    if Output.as_json:
        printed(found)
        return
    table(
        ("DELEGATION", "FOR", "DECIDES", "FROM", "ENDS", "REASON"),
        (
            (
                each["delegation"],
                each["person_name"],
                each["to_name"],
                when(each["begins"]),
                when(each["ends"]),
                each["reason"] or "",
            )
            for each in found
        ),
        "Nobody decides for you, and you for nobody.",
    )
