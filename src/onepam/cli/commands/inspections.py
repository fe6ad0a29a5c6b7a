"""Recordings to inspect, and what I saw in one."""

from enum import StrEnum
from typing import Annotated

import typer

from onepam.cli import complete
from onepam.cli.client import call
from onepam.cli.naming import one_id
from onepam.cli.show import Json, Output, note, printed, say, table, when


class Standing(StrEnum):
    """Which of those that were drawn."""

    WAITING = "waiting"
    OVERDUE = "overdue"
    DONE = "done"


class Word(StrEnum):
    """What somebody says of a recording."""

    EXPECTED = "expected"
    CONCERN = "concern"


def inspections(
    state: Annotated[Standing | None, typer.Option(help="Only these; else all that wait.")] = None,
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None,
    as_json: Json = False,
) -> None:
    """List the recordings that were drawn to be inspected, what is due first at the top."""
    found = call("GET", "/inspections", params={"state": state.value if state else "", "as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    table(
        ("SESSION", "WHO", "WHERE", "ENDED", "DUE", "DRAWN BECAUSE", "SAID"),
        (
            (
                each["session"],
                each["person_name"],
                f"{each['login']}@{each['resource']}",
                when(each["closed"]),
                when(each["due"]),
                ", ".join(risk.replace("_", " ") for risk in each["risks"]),
                "; ".join(f"{one['inspector_name']}: {one['verdict'].replace('_', ' ')}" for one in each["said"]),
            )
            for each in found["sessions"]
        ),
        "Nothing waits to be inspected.",
    )
    known = found["figures"]
    note(
        f"In 90 days: {known['ended']} sessions ended, {known['drawn']} drawn, {known['inspected']} inspected in time, "
        f"{known['late']} late, {known['overdue']} overdue, {known['concerns']} concerns."
    )


def inspect(
    session: Annotated[str, typer.Argument(help="Its id.", autocompletion=complete.sessions)],
    verdict: Annotated[Word, typer.Argument(help="What you saw.")],
    words: Annotated[str, typer.Option("--note", help="Kept with it; needed for a concern.")] = "",
    as_json: Json = False,
) -> None:
    """Say what you saw in a recording, once you have played it after its end."""
    which = one_id(session)
    said = {"verdict": "concern" if verdict is Word.CONCERN else "as_expected", "note": words}
    done = call("POST", f"/sessions/{which}/inspect", said)
    printed(done) if Output.as_json else say(f"{which}: {verdict.value}.")
