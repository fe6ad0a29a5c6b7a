"""The staff roster: what a version would change, taking one, how it stands, who is on it, where it is pulled from."""

import os
import sys
from base64 import b64encode
from pathlib import Path
from typing import Annotated, Any

import typer

from onepam.cli.client import call
from onepam.cli.show import REFUSED, USAGE, Json, Output, confirmed, facts, printed, say, stop, table, when

MAX_FILE_BYTES = 5 * 1024 * 1024
HELD_WORDS = {
    "roster.empty": "it is empty",
    "roster.shrinks": "it drops too many rows",
    "roster.leavers": "it would end the access of too many people",
}

ACCOUNTS = {
    "left_enabled": "has left by the roster, and still has an account",
    "no_entry": "has an account, and is on no roster",
    "owner_gone": "service account, its owner is not on the roster",
    "sponsor_gone": "vendor, the sponsor has left",
    "manager_gone": "the manager has left",
    "other_address": "another address on the roster: renamed, or the number went to somebody else",
    "not_bounded": "vendor without a sponsor or an end",
}
PEOPLE = {"disabled": "on the roster, the account is disabled", "no_account": "on the roster, without an account"}

app = typer.Typer(help="The staff roster.", no_args_is_help=True, rich_markup_mode=None)
source = typer.Typer(help="Where the roster is pulled from.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(source, name="source")

CsvFile = Annotated[Path, typer.Argument(metavar="FILE", help="CSV in UTF-8; - for standard input.")]
When = Annotated[str | None, typer.Option("--as-of", help="As it was then (RFC 3339).")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command()
def plan(file: CsvFile, as_json: Json = False) -> None:
    """Show what a version would change, and who would lose their access."""
    found = call("POST", "/roster/plan", _body(file))
    printed(found) if Output.as_json else _show_plan(found)


@app.command()
def apply(
    file: CsvFile,
    digest: Annotated[str, typer.Option(help="Digest of the plan that was looked at; asks otherwise.")] = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Take a version, whole or not at all; the brake may hold it."""
    body = _body(file)
    if not digest:
        found = call("POST", "/roster/plan", body)
        if not Output.as_json:
            _show_plan(found)
        confirmed("Take this version?", yes)
        digest = found["digest"]
    given = call("POST", "/roster/apply", {**body, "digest": digest})
    if Output.as_json:
        printed(given)
    elif given["outcome"] == "taken":
        say(f"In force: {given['left']} lost their access, {given['changed']} changed, {given['added']} added.")
    if given["outcome"] == "held":
        if not Output.as_json:
            say("The brake holds it; nothing was applied.", f"  onepam roster release {digest}")
        raise typer.Exit(REFUSED)


@app.command()
def release(digest: str, yes: Yes = False, as_json: Json = False) -> None:
    """Let exactly the held version through; then apply it again."""
    confirmed("Release this version?", yes)
    done = call("POST", "/roster/release", {"digest": digest})
    printed(done) if Output.as_json else say("Released: the next time exactly these bytes come, they are taken.")


@app.command()
def ls(as_of: When = None, as_json: Json = False) -> None:
    """List who is on the roster."""
    found = call("GET", "/roster/entries", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    columns = ("number", "name", "email", "type", "manager", "sponsor", "ends", "person")
    rows = ([each[name] or "" for name in columns] for each in found)
    table([name.upper() for name in columns], rows, "Nobody is on the roster.")


@app.command()
def show(as_of: When = None, as_json: Json = False) -> None:
    """Show how the roster stands, and where it and the accounts do not agree."""
    found = call("GET", "/roster", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    taken, held = found["taken"], found["held"]
    facts(
        (
            ("in force", f"{taken['rows']} rows, {when(taken['received'])}" if taken else "no version yet"),
            ("stale", "yes" if found["stale"] else ""),
            ("held", f"{HELD_WORDS.get(held['because'], held['because'])}, digest {held['digest']}" if held else ""),
            ("comes from", found["host"] or "upload"),
        )
    )
    rows = ((each["kind"], each["name"], each["person"] or "", when(each["since"])) for each in found["findings"])
    table(("FINDING", "WHO", "PERSON", "SINCE"), rows, "Roster and accounts agree." if taken else "")


@app.command()
def reconcile(as_of: When = None, as_json: Json = False) -> None:
    """List who has left and still has an account, who has one and is on no roster, and the other way round."""
    found = call("GET", "/roster", params={"as_of": as_of})
    if Output.as_json:
        printed({name: found[name] for name in ("taken", "stale", "counts", "findings")})
        return
    if not found["taken"]:
        say("There is no roster to hold the accounts against.")
        return
    words = ACCOUNTS | PEOPLE
    order = list(words)
    rows = sorted(found["findings"], key=lambda each: order.index(each["kind"]))
    cells = (
        (each["name"], each["person"] or each["detail"], words[each["kind"]], when(each["since"])) for each in rows
    )
    table(("WHO", "ACCOUNT", "FINDING", "SINCE"), cells, "Roster and accounts agree.")
    beyond = sum(found["counts"].values()) - len(rows)
    if beyond:
        say(f"{beyond} more are counted, not listed.")
    if found["stale"]:
        say(f"The roster is stale: it came {when(found['taken']['received'])}.")


@app.command()
def rules(
    brake: Annotated[int | None, typer.Option(min=50, max=90, help="Hold a version above this share, in %.")] = None,
    stale_hours: Annotated[int | None, typer.Option(min=1, max=720, help="Stale after so long without one.")] = None,
    creates: Annotated[
        bool | None, typer.Option("--creates/--no-creates", help="People who are new on the roster get an account.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="OURS=THEIRS", help="Another name of a column; OURS= for ours again.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show how versions are judged, or set it."""
    known: dict[str, Any] = call("GET", "/roster")["rules"]
    body: dict[str, Any] = {"brake_percent": brake, "stale_hours": stale_hours, "creates": creates}
    if column:
        renamed = {ours.strip(): theirs.strip() for ours, _, theirs in (each.partition("=") for each in column)}
        body["columns"] = {ours: theirs for ours, theirs in (known["columns"] | renamed).items() if theirs}
    body = {name: value for name, value in body.items() if value is not None}
    judged = call("POST", "/roster/rules", body) if body else known
    if Output.as_json:
        printed(judged)
        return
    facts(
        (
            ("held above", f"{judged['brake_percent']} % of the accounts or rows"),
            ("stale after", f"{judged['stale_hours']} hours"),
            ("new people", "get an account" if judged["creates"] else "get no account by themselves"),
            ("columns", ", ".join(f"{ours} is {theirs}" for ours, theirs in judged["columns"].items())),
        )
    )


@source.command(name="set")
def set_source(
    url: str,
    header_from_env: Annotated[
        str, typer.Option(help="NAME=VARIABLE: the header, and the environment variable with its value.")
    ] = "",
    minutes: Annotated[int, typer.Option(help="Between pulls.")] = 60,
    base: Annotated[str, typer.Option(help="LDAP: the entry below which people are.")] = "",
    condition: Annotated[str, typer.Option("--filter", help="LDAP: which entries are people (RFC 4515).")] = "",
    bind_dn: Annotated[str, typer.Option(help="LDAP: the account that reads.")] = "",
    password_from_env: Annotated[str, typer.Option(help="LDAP: the environment variable with its password.")] = "",
    attribute: Annotated[
        list[str] | None, typer.Option(help="LDAP: COLUMN=ATTRIBUTE, such as email=mail; empty for none. Repeatable.")
    ] = None,
    zone: Annotated[str, typer.Option(help="LDAP: time zone of dates without one.")] = "",
    vendors: Annotated[str, typer.Option(help="LDAP: values of the type that mean vendor, between commas.")] = "",
    employees: Annotated[str, typer.Option(help="LDAP: values of the type that mean employee.")] = "",
    plain: Annotated[bool, typer.Option(help="LDAP: unencrypted; the server's configuration must admit it.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="LDAP: only show what it would change; nothing is set.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Pull the roster from an address: https:// for a file; ldaps:// or ldap:// (with StartTLS) for a directory."""
    header, _, variable = header_from_env.partition("=")
    variable = variable or password_from_env
    secret = os.environ.get(variable, "") if variable else ""
    if (header_from_env or password_from_env) and not secret:
        stop(USAGE, f"{variable!r} is no environment variable with a value.", "Such as --header-from-env X-Key=HR_KEY")
    body: dict[str, Any] = {"url": url, "interval_seconds": minutes * 60, "header": header, "secret": secret}
    if url.lower().startswith(("ldaps://", "ldap://")):
        transport = "plain" if plain else "ldaps" if url.lower().startswith("ldaps://") else "starttls"
        said = {"base": base, "filter": condition, "bind_dn": bind_dn, "zone": zone}
        said |= {"vendors": vendors, "employees": employees}
        columns = dict(each.partition("=")[::2] for each in attribute or ())
        body["directory"] = {key: value for key, value in said.items() if value} | columns | {"transport": transport}
    if dry_run:
        found = call("POST", "/roster/source/plan", body)
        printed(found) if Output.as_json else _show_plan(found)
        return
    done = call("POST", "/roster/source", body)
    printed(done) if Output.as_json else say("It is pulled within seconds: onepam roster show")


@source.command(name="unset")
def unset_source(as_json: Json = False) -> None:
    """Pull the roster no more."""
    done = call("POST", "/roster/source", {"url": ""})
    printed(done) if Output.as_json else say("It is uploaded only.")


def _show_plan(found: dict[str, Any]) -> None:
    say(f"{found['rows']} rows: {found['added']} new, {found['changed']} changed, {found['ended']} gone.")
    for mark, count, key in (("-", "ended", "who_ends"), ("~", "changed", "who_changes"), ("+", "added", "who_is_new")):
        for each in found[key]:
            say(f"{mark} {each['number'] or ''} {each['name'] or 'erased'} {each['email'] or ''}")
        if beyond := found[count] - len(found[key]):
            say(f"{mark} and {beyond} more, not listed")
    if found["leavers"]:
        say(f"{found['leavers']} of {found['accounts']} lose their access: {', '.join(found['who_leaves'])}")
        if beyond := found["leavers"] - len(found["who_leaves"]):
            say(f"  and {beyond} more, not listed")
    if found["held"]:
        say(f"The brake will hold it: {HELD_WORDS.get(found['held'], found['held'])}")
    say(f"digest {found['digest']}")


def _body(file: Path) -> dict[str, str]:
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with file.open("rb") as opened:
                data = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        stop(USAGE, f"{file} cannot be read: {error.strerror}.")
    if len(data) > MAX_FILE_BYTES:
        stop(USAGE, f"{file} is larger than {MAX_FILE_BYTES} bytes.")
    return {"data": b64encode(data).decode("ascii")}
