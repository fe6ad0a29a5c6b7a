"""Policy documents: what is in force, publishing a version, confirming that I have read one."""

import base64
from pathlib import Path
from typing import Annotated

import typer

from onepam.cli.client import call
from onepam.cli.commands.evidence import instant_of
from onepam.cli.naming import one_person
from onepam.cli.show import USAGE, Json, Output, printed, say, stop, table, when

app = typer.Typer(help="Policy documents.", invoke_without_command=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="The policy's name, as onepam policy lists it.")]


@app.callback()
def policies(context: typer.Context, as_json: Json = False) -> None:
    """List the policies in force, and which wait for me to read them."""
    if context.invoked_subcommand:
        return
    found = call("GET", "/policies")["policies"]
    if Output.as_json:
        printed(found)
        return
    table(
        ("POLICY", "VERSION", "TITLE", "OWNER", "LOOKED THROUGH BY", "CONFIRMED", "FOR YOU"),
        (
            (
                each["policy"],
                each["version"],
                each["title"],
                each["owner_name"],
                when(each["review_by"]),
                f"{each['done']} of {each['asked']}",
                "confirmed" if each["confirmed"] else "read and confirm" if each["mine"] else "",
            )
            for each in found
        ),
        "No policy is in force.",
    )


@app.command()
def show(policy: Name, as_json: Json = False) -> None:
    """Show one: its versions, and for whoever oversees it who has not confirmed it."""
    found = call("GET", f"/policies/{policy}")
    if Output.as_json:
        printed(found)
        return
    table(
        ("VERSION", "TITLE", "PUBLISHED", "BY", "DIGEST"),
        (
            (each["version"], each["title"], when(each["published"]), each["by_name"], each["digest"])
            for each in found["versions"]
        ),
        "",
    )
    if found["policy"] is None:
        say("It is retired.")
    elif found["missing"]:
        say(f"Not confirmed by {', '.join(each['name'] for each in found['missing'])}.")


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="The document: md, txt, pdf, docx or odt.", exists=True, dir_okay=False)],
    name: Annotated[str, typer.Option(help="As access-control; the name of one in force: another version.")],
    owner: Annotated[str, typer.Option(help="Who answers for it.")],
    review_by: Annotated[str, typer.Option(help="Day on which it is to be looked through again.")],
    title: Annotated[str, typer.Option(help="How it is called; else as the file.")] = "",
    reader: Annotated[list[str] | None, typer.Option(help="A role whose holders are to read it; else all.")] = None,
    note: Annotated[str, typer.Option(help="What is new.")] = "",
    as_json: Json = False,
) -> None:
    """Publish a version; it is in force from now on."""
    try:
        data = file.read_bytes()
    except OSError as error:
        stop(USAGE, f"{file} cannot be read: {error.strerror}.", "Give the document's file")
    body = {
        "policy": name,
        "title": title or file.stem,
        "ending": file.suffix.lower().removeprefix("."),
        "owner": one_person(owner),
        "review_by": instant_of(review_by),
        "data": base64.b64encode(data).decode("ascii"),
        "readers": reader or [],
        "note": note,
    }
    found = call("POST", "/policies", body)
    printed(found) if Output.as_json else say(f"Version {found['version']} of {name} is in force from now on.")


@app.command()
def confirm(
    policy: Name,
    digest: Annotated[str, typer.Option(help="The digest of what you read (SHA-256), as onepam policy show has it.")],
    as_json: Json = False,
) -> None:
    """Confirm that you have read the version in force."""
    done = call("POST", f"/policies/{policy}/confirm", {"digest": digest})
    printed(done) if Output.as_json else say("Confirmed, with your name and this version.")
