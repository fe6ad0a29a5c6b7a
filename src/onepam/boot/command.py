"""The program `onepam`: the commands that run on this machine, and those of the CLI, which speak to the API."""

import asyncio
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from onepam.boot.continue_command import continue_command
from onepam.boot.ledger_command import verify
from onepam.boot.outbox_command import outbox
from onepam.boot.private_folder import private_folder
from onepam.boot.recovery_key import app as recovery_key
from onepam.boot.setup_command import authorities, confirm, setup, vault
from onepam.boot.upgrading import make_ready, rebuild, to_stderr
from onepam.cli.commands.ledger import app as ledger
from onepam.cli.main import app
from onepam.kernel.errors import Fault

Folder = Annotated[Path, typer.Option(help="Folder of the data.", envvar="ONEPAM_DATA")]


@app.command()
def up(
    data: Folder = Path("var/onepam"),
    config: Annotated[Path | None, typer.Option(help="Configuration file (TOML).", envvar="ONEPAM_CONFIG")] = None,
    demo: Annotated[bool, typer.Option(help="Start with a small demo company and a target.")] = False,
    ready_file: Annotated[Path | None, typer.Option(help="Write all addresses here once everything listens.")] = None,
    migrate: Annotated[bool, typer.Option(help="Bring the data to this release, however long it takes.")] = False,
) -> None:
    """Run the gateway, the console and the API."""
    from onepam.boot.config import Config, load
    from onepam.boot.demo import run_demo
    from onepam.boot.platform import run

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    settings = load(config, data) if config else Config(data)
    make_ready(data, migrate=migrate, say=to_stderr)
    job = run_demo(settings, ready_file) if demo else run(settings, ready_file)
    asyncio.run(job)


@app.command()
def signer(
    folder: Annotated[Path, typer.Option(help="Folder of the key and the last signed state.")],
    origin: Annotated[str, typer.Option(help="The log's name, as in the gateway's configuration.")],
    with_parent: Annotated[bool, typer.Option(help="End when the standard input does.", hidden=True)] = False,
) -> None:
    """Run the ledger's signer: it holds the key, and refuses a history that denies an earlier one."""
    from onepam.signing.signer import create_signer, run_signer

    if with_parent:
        threading.Thread(target=_end_with_input, daemon=True).start()

    private_folder(folder)
    if not (folder / "key").exists():
        typer.echo(create_signer(folder / "key", folder / "state", origin))
    run_signer(folder / "key", folder / "state", folder / "socket", origin)


@app.command()
def witness(
    folder: Annotated[Path, typer.Option(help="Folder of the key and of what was seen.")],
    name: Annotated[str, typer.Option(help="The witness's name, such as witness.example.org.")],
    log_key: Annotated[list[str], typer.Option(help="vkey of a log to watch (its name is the log's origin).")],
    host: str = "127.0.0.1",
    port: int = 8081,
) -> None:
    """Run a witness, on another host: it cosigns only what continues what it has seen."""
    from onepam.boot.clock import wall_clock
    from onepam.ledger.note import VerifierKey
    from onepam.signing.witness import create_witness
    from onepam.signing.witness_server import WitnessConfig, run_witness

    private_folder(folder)
    if not (folder / "key").exists():
        typer.echo(create_witness(folder / "key", name))
    logs: dict[str, tuple[str, ...]] = {}
    for vkey in log_key:
        origin = VerifierKey.parse(vkey).name
        logs[origin] = (*logs.get(origin, ()), vkey)
    run_witness(WitnessConfig(name, folder / "key", folder, logs, host, port), wall_clock)


def _end_with_input() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


ledger.command("verify")(verify)
ledger.command("continue-after-loss")(continue_command)
ledger.command("confirm-clock")(confirm)
ledger.command("rebuild")(rebuild)
app.command()(setup)
app.command()(authorities)
app.add_typer(vault, name="vault")
app.add_typer(recovery_key, name="recovery-key")
app.add_typer(outbox, name="outbox")


def main() -> None:
    """The script's entry point: faults, and what the system denies us, become one line and exit code 4."""
    try:
        app()
    except (Fault, OSError) as fault:
        sys.stderr.write(f"onepam: {fault}\n")
        sys.exit(4)


if __name__ == "__main__":
    main()
