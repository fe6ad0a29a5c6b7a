"""Databases: login tokens for their clients, and the secrets by which the gateway signs in at them."""

import shlex
import sys
from typing import Annotated
from urllib.parse import urlencode

import typer

from onepam.cli import complete
from onepam.cli.client import call
from onepam.cli.database_files import write_root
from onepam.cli.home import Home
from onepam.cli.show import USAGE, Json, Output, note, printed, say, stop, table, when

MAX_SECRET_BYTES = 64 * 1024

app = typer.Typer(help="Secrets by which the gateway signs in at targets.", no_args_is_help=True, rich_markup_mode=None)

Resource = Annotated[str, typer.Argument(help="The resource.", autocompletion=complete.targets)]
Login = Annotated[str, typer.Argument(help="The login there.")]


def token(
    resource: Annotated[str, typer.Argument(help="The database.", autocompletion=complete.targets)],
    login: Annotated[str, typer.Option("--as", help="The login there.")],
    as_json: Json = False,
) -> None:
    """Get a login token: what a database's client gives in the place of a password, from this machine alone."""
    made = call("POST", "/login-tokens", {"resource": resource, "login": login})
    if Output.as_json:
        printed(made)
        return
    host, port, user, home = made["host"], made["port"], made["user"], Home()
    root = str(home.database_root) if write_root(home, made["root"]) else ""
    left = when(made["expires"]).removeprefix("in ")
    note(f"Use it within {left}; from then on it serves until the end of its first session. From this address alone.")
    say(made["token"])
    (_mysql_lines if made["kind"] == "mysql" else _postgres_lines)(host, port, user, root)
    note(f"  others  host {host}, port {port}, user {user}, the token as the password, TLS required")


def _mysql_lines(host: str, port: int, user: str, root: str) -> None:
    words = ["mariadb", f"--host={host}", f"--port={port}", f"--user={user}", "--ssl-verify-server-cert", "--password"]
    note(f"  mariadb {shlex.join([*words, *([f'--ssl-ca={root}'] if root else [])])}")
    note(f"  JDBC    jdbc:mysql://{host}:{port}/DATABASE?{urlencode({'user': user, 'sslMode': 'VERIFY_IDENTITY'})}")


def _postgres_lines(host: str, port: int, user: str, root: str) -> None:
    words = f"host={host} port={port} user={_word(user)} dbname=DATABASE sslmode=verify-full"
    note(f"  psql    PGPASSWORD=TOKEN psql {shlex.quote(words + (f' sslrootcert={_word(root)}' if root else ''))}")
    asked = urlencode({"user": user, "sslmode": "verify-full", **({"sslrootcert": root} if root else {})})
    note(f"  JDBC    jdbc:postgresql://{host}:{port}/DATABASE?{asked}")


def _word(value: str) -> str:
    """A value within a string of libpq ("Connection Strings")."""
    escaped = value.replace("\\", r"\\").replace("'", r"\'")
    return f"'{escaped}'" if " " in escaped else escaped


@app.callback()
def secrets() -> None:
    """Secrets by which the gateway signs in at targets. Nobody reads them again, here or elsewhere."""


@app.command("ls")
def ls(as_json: Json = False) -> None:
    """List them: whose, which version, when one was used; never what they are."""
    found = call("GET", "/secrets")
    if Output.as_json:
        printed(found)
        return
    table(
        ("RESOURCE", "LOGIN", "VERSION", "STATUS", "SET", "LAST USED"),
        (
            (
                each["resource"],
                each["login"],
                each["version"],
                each["status"],
                when(each["set_at"]),
                when(each["used"]) if each["used"] else "never",
            )
            for each in found
        ),
        "No secret yet. Set one: onepam secrets set RESOURCE LOGIN < file",
    )


@app.command("set")
def set_(resource: Resource, login: Login, as_json: Json = False) -> None:
    """Set one, read from standard input: a password, or a certificate with its key (PEM)."""
    if sys.stdin.isatty():
        value = typer.prompt("Secret", hide_input=True, err=True)
    else:
        value = sys.stdin.buffer.read(MAX_SECRET_BYTES + 1).decode("utf-8", "replace").removesuffix("\n")
    if not 0 < len(value.encode()) <= MAX_SECRET_BYTES:
        stop(USAGE, "A secret has 1 byte to 64 KiB.", "onepam secrets set RESOURCE LOGIN < file")
    kept = call("POST", "/secrets", {"resource": resource, "login": login, "value": value})
    if Output.as_json:
        printed(kept)
    elif kept["proven"]:
        say(f"The target took it: version {kept['version']} is in use.")
    else:
        say(f"Version {kept['version']} is stored, and waits: {kept['why']}")


@app.command("remove")
def remove(resource: Resource, login: Login, as_json: Json = False) -> None:
    """Retire it: no session opens as this login any more."""
    removed = call("POST", "/secrets/remove", {"resource": resource, "login": login})
    printed(removed) if Output.as_json else say(f"Nothing signs in as {login} on {resource} any more.")
