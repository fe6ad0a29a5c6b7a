"""Signing the command line in and out."""

from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from onepam.cli.client import ask, call, check_alive, checked_gateway
from onepam.cli.database_files import configure, databases, is_configured, named, write_databases
from onepam.cli.database_files import new_key as new_database_key
from onepam.cli.home import Home, Session
from onepam.cli.show import USAGE, Json, Output, facts, printed, say, stop, when
from onepam.cli.ssh_files import include, include_line, is_included, new_key, targets, user_config, write_ssh

NOWHERE = "postgres.nowhere"
"""The gateway does not listen for clients of databases."""


def login(
    gateway: Annotated[
        str, typer.Option(help="Address of the gateway's console; kept for the next time.", envvar="ONEPAM_GATEWAY")
    ] = "",
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address to open.")] = False,
    device: Annotated[
        bool, typer.Option("--device", help="Without a browser on this machine: type a code in one elsewhere.")
    ] = False,
    key: Annotated[
        Path | None,
        typer.Option(help="With --device: the registered SSH key that says who you are; else those of agent and home."),
    ] = None,
    configure_ssh: Annotated[
        bool, typer.Option(help="Add one Include line to ~/.ssh/config; without, it is printed.")
    ] = False,
    configure_psql: Annotated[
        bool, typer.Option(help="Keep the databases in ~/.pg_service.conf; without, a line says where they are.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Sign in through the browser; writes short-lived certificates and ordinary client configuration."""
    home = Home()
    named = gateway or home.gateway()
    if not named:
        stop(USAGE, "Which gateway?", "Run: onepam login --gateway https://pam.example.com")
    address = checked_gateway(named)
    check_alive(address)
    private, public = new_key()
    given = _on_another(address, public, key) if device else _by_browser(address, public, browser=not no_browser)
    access = ask(address, "GET", "/access", token=given["token"])
    write_ssh(home, private, public, given["ssh"], targets(access, home))
    home.keep(Session(address, given["token"], given["session"], given["person"], given["name"], given["expires"]))
    included, services = _configured(home, configure_ssh), _databases(home, access, configure_psql)
    if Output.as_json:
        shown = {name: given[name] for name in ("person", "name", "session", "expires")}
        files = {"ssh_config": str(home.ssh_config), "included": included, "services": services}
        printed({**shown, "gateway": address, **files})
        return
    say(f"Signed in as {given['name']}; ends {when(given['expires'])}.")
    say("See what you can reach: onepam ls")
    if not included:
        say(f"For plain `ssh LOGIN@TARGET`, put this at the head of {user_config()} (or add --configure-ssh):")
        say(f"  {include_line(home)}")
    if services and not is_configured(home):
        say(f"For plain `psql 'service={services[0]} dbname=DATABASE'`, set this (or add --configure-psql):")
        say(f"  export PGSERVICEFILE={quote(str(home.services))}")


def logout(as_json: Json = False) -> None:
    """End the session, and forget its key and certificate."""
    home = Home()
    session = home.session()
    if session is not None:
        try:
            ask(session.gateway, "POST", "/sign-out", token=session.token)
        finally:
            home.forget()
    if Output.as_json:
        printed({"done": True})
        return
    say("Signed out." if session else "You were not signed in.")


def whoami(as_json: Json = False) -> None:
    """Show who is signed in, until when, and with which roles."""
    me = call("GET", "/me")
    if Output.as_json:
        printed(me)
        return
    facts(
        (
            ("person", f"{me['name']} ({me['person']})"),
            ("session", f"{me['session']}, ends {when(me['expires'])}"),
            ("second factor", when(me["mfa_at"])),
            ("roles", ", ".join(each["role"] for each in me["roles"]) or "none"),
            ("rights", ", ".join(me["rights"])),
        )
    )


def _by_browser(gateway: str, public: str, *, browser: bool) -> dict[str, Any]:
    from onepam.cli.login import code_from_browser

    code, verifier, redirect = code_from_browser(gateway, browser)
    body = {"code": code, "verifier": verifier, "redirect": redirect, "public_key": public}
    given: dict[str, Any] = ask(gateway, "POST", "/cli/token", body)
    return given


def _on_another(gateway: str, public: str, key: Path | None) -> dict[str, Any]:
    from onepam.cli.device import given_on_another

    return given_on_another(gateway, public, key)


def _configured(home: Home, wanted: bool) -> bool:
    if is_included(home):
        return True
    if wanted:
        include(home)
    return wanted


def _databases(home: Home, access: dict[str, Any], wanted: bool) -> list[str]:
    """Writes what leads to the person's databases; the names of the services."""
    found = databases(access)
    private, public = new_database_key()
    given = call("POST", "/cli/database-certificate", {"public_key": public}, expected=(NOWHERE,)) if found else {}
    if not found or given.get("code") == NOWHERE:
        home.forget_databases()
        return []
    write_databases(home, private, given, found)
    if wanted:
        configure(home)
    return list(named(found))
