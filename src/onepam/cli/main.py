"""The commands that speak to a gateway's API. `boot` adds those that run on the gateway's own machine."""

from collections.abc import Callable
from typing import Annotated

import typer

from onepam import __version__
from onepam.cli.commands import (
    access,
    accounts,
    controls,
    databases,
    decide,
    delegations,
    evidence,
    incidents,
    inspections,
    locks,
    matrix,
    mfa,
    people,
    policies,
    provider,
    reviews,
    rights,
    roles,
    roster,
    scim,
    sessions,
    sign_in,
    signals,
)
from onepam.cli.commands.leavers import app as leavers
from onepam.cli.commands.ledger import app as ledger

app = typer.Typer(
    name="onepam",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="OnePAM: access that can be proven.",
    epilog="Exit codes: 0 done, 1 refused, 2 wrong usage, 3 not signed in, 4 gateway unavailable.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)] = (
        False
    ),
) -> None:
    """OnePAM: access that can be proven."""


_COMMANDS: tuple[Callable[..., None], ...] = (
    sign_in.login,
    sign_in.logout,
    sign_in.whoami,
    access.ls,
    access.request,
    access.requests,
    access.withdraw,
    access.waiting,
    decide.inbox,
    decide.approve,
    decide.undo,
    decide.deny,
    delegations.delegate,
    sessions.sessions,
    sessions.play,
    sessions.watch,
    sessions.kill,
    locks.lock,
    locks.unlock,
    locks.locks,
    inspections.inspections,
    inspections.inspect,
    incidents.incidents,
    databases.token,
    matrix.plan,
    matrix.apply,
    matrix.changes,
    rights.what_if,
    rights.matrix,
    rights.unused,
    mfa.mfa,
    controls.controls,
    evidence.verify,
)
for command in _COMMANDS:
    app.command()(command)
app.add_typer(people.app, name="people")
app.add_typer(roles.app, name="roles")
app.add_typer(databases.app, name="secrets")
app.add_typer(roster.app, name="roster")
app.add_typer(accounts.app, name="accounts")
app.add_typer(leavers, name="leavers")
app.add_typer(reviews.app, name="review")
app.add_typer(policies.app, name="policy")
app.add_typer(incidents.app, name="incident")
app.add_typer(provider.app, name="provider")
app.add_typer(scim.app, name="scim")
app.add_typer(signals.app, name="signals")
app.add_typer(ledger, name="ledger")
app.add_typer(evidence.app, name="evidence")


def main() -> None:
    """The command line without the local commands."""
    app()


if __name__ == "__main__":
    main()
