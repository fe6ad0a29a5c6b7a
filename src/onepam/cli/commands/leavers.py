"""Leavers: how long the end of everybody's access took."""

from typing import Annotated, Any

import typer

from onepam.cli.client import call
from onepam.cli.commands.evidence import instant_of
from onepam.cli.naming import Whom, one_person
from onepam.cli.show import Json, Output, printed, say, span, table, when

app = typer.Typer(help="Leavers: both stamps, per system.", invoke_without_command=True, rich_markup_mode=None)


@app.callback()
def leavers(
    context: typer.Context,
    from_: Annotated[str | None, typer.Option("--from", help="First day or instant; else 90 days ago.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Day or instant after the last; else now.")] = None,
    as_of: Annotated[str | None, typer.Option(help="As it was known then (RFC 3339).")] = None,
    as_json: Json = False,
) -> None:
    """List whose access ended, how long it took, and whether every listener refuses."""
    if context.invoked_subcommand:
        return
    period = {"begin": instant_of(from_) if from_ else None, "until": instant_of(to) if to else None}
    found = call("GET", "/leavers", params={**period, "as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    table(
        ("PERSON", "NAME", "REMOVED", "BY", "TOOK", "SSH", "CONSOLE", "COMMAND LINE", "FINDINGS"),
        (
            (
                each["person"],
                each["name"],
                when(each["removed"]),
                each["origin"],
                _took(each["took_ms"]),
                *map(_system, each["systems"]),
                ", ".join(each["findings"]),
            )
            for each in found["leavers"]
        ),
        "Nobody left in this time.",
    )
    if found["leavers"]:
        figures = (("half within", "p50_ms"), ("95 of 100 within", "p95_ms"), ("the longest", "longest_ms"))
        say(f"{found['total']} left: " + ", ".join(f"{word} {_took(found[key])}" for word, key in figures) + ".")


@app.command()
def probe(
    person: Whom,
    as_json: Json = False,
) -> None:
    """Probe every listener: would this person's proofs still open?"""
    done = call("POST", f"/leavers/{one_person(person)}/probe")
    printed(done) if Output.as_json else say("Probing. The answers are in `onepam leavers` in a moment.")


def _system(each: dict[str, Any]) -> str:
    if each["would_open"]:
        return f"{each['would_open']} would open!"
    held = f"{each['held']} ended" if each["ended"] else f"{each['held']}, some run"
    if not each["known"]:
        held += f" (last byte unknown, before {when(each['ended'])})"
    return f"{held}, {each['refused']} refused" if each["refused"] else held


def _took(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else span(milliseconds / 1000)
