"""Signal streams: how each fares. They are connected in the console."""

from typing import Annotated

import typer

from onepam.cli.client import call
from onepam.cli.show import Json, Output, printed, table, when

app = typer.Typer(help="Signals of the Shared Signals Framework.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def signals() -> None:
    """Who tells us at once that a session is revoked or a credential changed."""


@app.command()
def ls(
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None, as_json: Json = False
) -> None:
    """List the signal streams in force."""
    found = call("GET", "/signals", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    table(
        ("STREAM", "NAME", "ISSUER", "DELIVERY", "PROVIDER", "LAST", "VERIFIED", "STATUS", "SIGNALS", "ENDED"),
        (
            (
                each["stream"],
                each["name"],
                each["issuer"],
                each["delivery"],
                each["provider"],
                when(each["last"]) if each["last"] else "never",
                when(each["verified"]) if each["verified"] else "never",
                each["status"],
                each["signals"],
                each["ended"],
            )
            for each in found
        ),
        "Nobody sends signals yet. An administrator connects a transmitter in the console, under Signals.",
    )
