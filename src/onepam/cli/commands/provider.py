"""Identity providers: how each fares, and what is set. They are connected in the console."""

from typing import Annotated, Any

import typer

from onepam.cli.client import call
from onepam.cli.naming import one_provider
from onepam.cli.show import BASES, Json, Output, facts, printed, table, when

app = typer.Typer(help="Identity providers.", no_args_is_help=True, rich_markup_mode=None)

AsOf = Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")]


@app.command()
def ls(as_of: AsOf = None, as_json: Json = False) -> None:
    """List the identity providers in force."""
    found = call("GET", "/providers", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    table(
        ("PROVIDER", "NAME", "KIND", "DOMAINS", "SECOND FACTOR", "PEOPLE", "LAST SIGN-IN", "RUNS OUT", "WAITING"),
        (
            (
                each["provider"],
                each["name"],
                each["kind"],
                ", ".join(each["domains"]),
                _factor(each),
                each["people"],
                when(each["last_sign_in"]["at"]) if each["last_sign_in"] else "never",
                when(each["runs_out"]),
                ", ".join(each["waiting"]),
            )
            for each in found
        ),
        "No identity provider yet. An administrator connects one in the console, under Identity providers.",
    )


@app.command()
def show(
    provider: Annotated[str, typer.Argument(help="Id or name.")], as_of: AsOf = None, as_json: Json = False
) -> None:
    """Show one with all that is set; never its secret."""
    found = call("GET", f"/providers/{one_provider(provider)}", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    declared, last = found["declaration"], found["last_sign_in"]
    facts(
        (
            ("provider", found["provider"]),
            ("name", found["name"]),
            ("kind", found["kind"]),
            *((name, _plain(value)) for name, value in found["settings"].items() if name != "idp"),
            ("entity id", found["settings"].get("idp", {}).get("entity_id", "")),
            ("domains", ", ".join(found["domains"])),
            ("second factor", _factor(found)),
            ("unknown people", "are added" if found["joins"] else "are not let in"),
            ("groups", "from its messages" if found["groups"] else ""),
            ("people", found["people"]),
            ("last sign-in", f"{when(last['at'])}, {last['person']}, {BASES[last['basis']]}" if last else "never"),
            ("declared", f"until {when(declared['ends'])} by {declared['signed_by']}" if declared else ""),
            ("runs out", when(found["runs_out"])),
            ("in force", f"{when(found['since'])}, {found['proposed_by']} proposed, {found['approved_by']} approved"),
            ("waiting", ", ".join(found["waiting"])),
        )
    )


def _factor(found: dict[str, Any]) -> str:
    if found["attests"]:
        return "attested: " + ", ".join(found["attests"])
    return "declared" if found["declaration"] else "stepped up"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={each}" for name, each in value.items() if each)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
