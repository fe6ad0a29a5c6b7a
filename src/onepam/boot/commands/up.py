"""The program `onepam`: the commands that run on this machine, and those of the CLI, which speak to the API."""

import gc
import os
import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onepam.boot.host_commands import DATA, ConfigFile, Data
from onepam.boot.private_folder import private_folder
from onepam.boot.undumped import leave_no_dump
from onepam.cli.asked_for import build_only
from onepam.cli.main import app
from onepam.kernel.errors import Fault

if TYPE_CHECKING:
    from onepam.boot.config import Config

ALLOCATIONS = 100_000
"""Between two looks of the garbage collector: modules that load leave none, and with Python's 700 it looks at all of
them again and again, a sixth of a start's time."""

COMPLETING = "_ONEPAM_COMPLETE"
"""What the shell sets where it asks for the words that may follow: of any command."""

LARGE_DATA = DATA.with_name(f"{DATA.name}-large")
"""The folder of the large demo company, where nobody names another: that of the small one may be there."""

ReadyFile = Annotated[Path | None, typer.Option(help="Write all addresses here once everything listens.")]


@app.command()
def up(
    data: Data = DATA,
    config: ConfigFile = None,
    ready_file: ReadyFile = None,
    migrate: Annotated[bool, typer.Option(help="Bring the data to this release, however long it takes.")] = False,
) -> None:
    """Run the gateway, the console and the API."""
    import asyncio

    from onepam.boot.platform import run

    settings = _ready(data, config, migrate)
    asyncio.run(run(settings, ready_file))


class DemoSize(StrEnum):
    """How large the demo company is."""

    SMALL = "small"
    LARGE = "large"


@app.command()
def demo(
    data: Data = DATA,
    config: ConfigFile = None,
    ready_file: ReadyFile = None,
    size: Annotated[
        DemoSize,
        typer.Option(help="large: 5,000 people, a month of history, in a folder of its own (var/onepam-large)."),
    ] = DemoSize.SMALL,
    database: Annotated[
        bool, typer.Option(help="Of the small one: with a PostgreSQL, where Debian's is installed.")
    ] = True,
) -> None:
    """Run all of it on loopback with a demo company, and targets to reach."""
    import asyncio

    if size is DemoSize.LARGE:
        from onepam.boot.demo.large import run_large_demo

        data = LARGE_DATA if data == DATA else data
        run = run_large_demo
    else:
        from onepam.boot.demo.demo import run_demo

        run = partial(run_demo, with_database=database)

    settings = _ready(data, config, migrate=False)
    asyncio.run(run(settings, ready_file))


@app.command()
def signer(
    folder: Annotated[Path, typer.Option(help="Folder of the key and the last signed state.")],
    origin: Annotated[str, typer.Option(help="The log's name, as in the gateway's configuration.")],
    socket: Annotated[
        Path | None, typer.Option(help="Socket for a gateway of another user, in the same group.")
    ] = None,
    continues: Annotated[
        bool, typer.Option(help="At its beginning: the ledger took this name after a loss, at a seam.")
    ] = False,
    with_parent: Annotated[bool, typer.Option(help="End when the standard input does.", hidden=True)] = False,
) -> None:
    """Run the ledger's signer: it holds the key, signs only what nodes wrote that it has certified, and refuses a
    history that denies an earlier one."""
    import threading

    from onepam.signing.signer import create_signer, run_signer

    if with_parent:
        threading.Thread(target=_end_with_input, daemon=True).start()

    private_folder(folder)
    if not (folder / "key").exists():
        typer.echo(create_signer(folder / "key", folder / "state", origin, continues=continues))
    run_signer(folder / "key", folder / "state", socket or folder / "socket", origin, group=socket is not None)


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


def _ready(data: Path, config: Path | None, migrate: bool) -> "Config":
    """The settings of a start, after the data was brought to this release."""
    from onepam.boot.log_lines import say_lines
    from onepam.boot.on_ledger import settings_of
    from onepam.boot.upgrading import make_ready, to_stderr

    say_lines()
    settings = settings_of(config, data)
    make_ready(data, migrate=migrate, say=to_stderr)
    return settings


def _end_with_input() -> None:
    import signal

    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """The script's entry point: faults, and what the system denies us, become one line and exit code 4."""
    leave_no_dump()
    gc.set_threshold(ALLOCATIONS)
    if COMPLETING not in os.environ:
        build_only(app, sys.argv[1:])
    try:
        app()
    except (Fault, OSError) as fault:
        sys.stderr.write(f"onepam: {fault}\n")
        sys.exit(4)


if __name__ == "__main__":
    main()
