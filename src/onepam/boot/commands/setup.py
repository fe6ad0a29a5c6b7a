"""Commands for the operator on the gateway's own machine: founding it, its authorities, its keys, its clock."""

import re
import secrets
from pathlib import Path

import typer

from onepam.app.history.confirm_clock import confirm_clock
from onepam.app.ports import Reader
from onepam.boot.clock import wall_clock
from onepam.boot.demo.founding import FIRST_MATRIX, Founder, Founding, judge
from onepam.boot.on_ledger import existing, on_ledger, settings_of, unaltered
from onepam.boot.private_folder import private_folder
from onepam.boot.recovery_key import found_recovery_key
from onepam.boot.units import FOLDER, SIGNER_SOCKET, units
from onepam.files.private_file import read_private, replace_private
from onepam.kernel.clock import iso
from onepam.kernel.errors import Refused
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.read.proofs_of_sign_in import anybody_signed_in
from onepam.vault.authorities import Authorities
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys

MAX_WRAPPED_BYTES = 4096

_FOUNDER = re.compile(r"\s*([^<>]{1,200}?)\s*<([^<>\s]{3,254})>\s*")


def found_installation(data: Path, config: Path | None, admins: list[str], access: Path | None) -> None:
    """Founds it, and prints the recovery key, the enrolment links and what targets trust."""
    founders = tuple(_founder(each) for each in admins)
    settings = settings_of(config, data)
    emails = ", ".join(founder.email for founder in founders)
    text = access.read_text("utf-8") if access else FIRST_MATRIX.format(emails=emails, first=founders[0].email)
    judge(founders, text, str(access or "access.yaml"))

    async def found(ledger: SqliteLedger, reader: Reader) -> None:
        founding = Founding(ledger, reader)
        if await reader(anybody_signed_in):
            typer.echo("Somebody has signed in already: from now on, people and roles are changed in the console.")
            raise typer.Exit(1)
        await founding.judge(founders, text, str(access or "access.yaml"))
        kept = await found_recovery_key(ledger, settings, lambda made: typer.echo(f"{made.key_words()}\n"))
        await founding.people(founders, "founded this installation")
        await founding.matrix(text, str(access or "access.yaml"))
        for founder in founders:
            link = await founding.link(founder.email, settings.url)
            typer.echo(f"{founder.name}: {link or 'is enrolled already'}")
        if kept:
            typer.echo(f"\n{kept}")

    on_ledger(settings, found)
    typer.echo("\nEach link works once, for 24 hours: hand it over in person. Next: onepam up, and trust on targets:\n")
    typer.echo(_authorities(data).target.public_line)


def print_units(data: Path, config: Path | None, into: Path | None) -> None:
    """Prints the systemd units, each under its file's name; or writes them. Raises `BadParameter` without a file of the
    configuration, or where the folder to write into is not there."""
    if config is None:
        raise typer.BadParameter("the units name the configuration file", param_hint="--config")
    if into is not None and not into.is_dir():
        raise typer.BadParameter(f"there is no folder {into}", param_hint="--into")
    settings = settings_of(config, data)
    for unit in units(settings, config):
        if into is None:
            typer.echo(f"# {FOLDER / unit.name}\n{unit.text}")
        else:
            (into / unit.name).write_text(unit.text, "utf-8")
            typer.echo(f"{into / unit.name} is written")
    if not settings.signer_socket:
        typer.echo(f'for a signer of its own, {config} says: signer_socket = "{SIGNER_SOCKET}"', err=True)


def print_authorities(data: Path, config: Path | None) -> None:
    """The lines for targets, and those for clients that come without `onepam login`."""
    settings = settings_of(config, existing(data))
    found = _authorities(data)
    typer.echo("# on each target, in the file that sshd's TrustedUserCAKeys names:")
    typer.echo(found.target.public_line)
    typer.echo("# for clients that do not use onepam login, in known_hosts:")
    patterns = [settings.gateway_name, f"[{settings.gateway_name}]:{settings.ssh_port}"]
    typer.echo(found.host.known_hosts_line(patterns))
    typer.echo("# for clients of databases, in the file that sslrootcert names:")
    typer.echo(found.database(wall_clock()).root.decode("ascii").strip())


def rotate_master_key(data: Path) -> None:
    """Makes another, and puts everything under it."""
    keys = FileKeys.create(existing(data) / "master-keys.json", secrets.token_bytes)
    name = keys.rotate()
    if isinstance(name, Refused):
        typer.echo(f"{name.message} {name.hint}", err=True)
        raise typer.Exit(1)
    typer.echo(f"master key {name} is current")
    rewrap_keys(data)


def rewrap_keys(data: Path) -> None:
    """Puts authorities and recordings under the current master key; no secret is opened for it."""
    envelope = _envelope(existing(data))
    changed = _authorities(data).rewrap()
    recordings = sorted((data / "recordings").glob("*.key"))
    with typer.progressbar(recordings, label="recordings") as paths:
        for path in paths:
            wrapped = read_private(path, MAX_WRAPPED_BYTES)
            again = envelope.rewrap(wrapped)
            if again != wrapped:
                replace_private(path, again, secrets.token_bytes)
                changed += 1
    typer.echo(f"{changed} keys are under the current master key now")


def confirm(data: Path, config: Path | None, by: str, node: str | None) -> None:
    """Has the ledger believe this host's clock again, and says of which nodes."""

    async def confirmed(ledger: SqliteLedger, reader: Reader) -> None:
        nodes = await confirm_clock(ledger, by, wall_clock(), node)
        if isinstance(nodes, Refused):
            typer.echo(nodes.message, err=True)
            raise typer.Exit(1)
        typer.echo(f"{iso(wall_clock())} is confirmed by {by} as the time of {', '.join(nodes)}")

    on_ledger(settings_of(config, unaltered(data)), confirmed)


def _envelope(data: Path) -> Envelope:
    private_folder(data)
    return Envelope(FileKeys.create(data / "master-keys.json", secrets.token_bytes), secrets.token_bytes)


def _authorities(data: Path) -> Authorities:
    return Authorities(data / "authorities", _envelope(data), secrets.token_bytes)


def _founder(text: str) -> Founder:
    found = _FOUNDER.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is not 'Name <address>'", param_hint="--admin")
    return Founder(found[1], found[2])
