"""What commands on the host share: the data folder, the configuration, and a ledger to write to."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

import typer

from onepam.app.ports import Reader
from onepam.boot.clock import wall_clock
from onepam.boot.config import Config, load
from onepam.boot.node import Node
from onepam.boot.private_folder import founding, private_folder
from onepam.boot.publishing import author_of, hold_to_signed
from onepam.files.data_file import content
from onepam.jobs.eras import began_as
from onepam.jobs.signer_process import SignerProcess
from onepam.jobs.verification import damaged
from onepam.kernel.errors import Corrupt, Fault
from onepam.signing.author import NodeAuthor
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.reader import SqliteReader

MAX_KEY_BYTES = 1024


def settings_of(config: Path | None, data: Path) -> Config:
    """The configuration of a command. Raises `BadConfig`."""
    return load(config, data) if config else Config(data)


def existing(data: Path) -> Path:
    """The folder of an installation: only `setup` and `up` make one. Raises `BadParameter` where there is none."""
    if not (data / "ledger.db").exists():
        raise typer.BadParameter(f"there is no installation in {data}", param_hint="--data")
    return data


def unaltered(data: Path) -> Path:
    """The folder of an installation whose database is as this release makes it: no trigger, view, table or index of
    another's making is in it when something is asked of it or written to it. Raises `BadParameter`, `Fault`."""
    found, _ = damaged(existing(data) / "ledger.db")
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        raise Fault(
            f"nothing was done: the database is not as this release makes it: {found[0]}{more}. Find out who could "
            "write there; then restore a backup, or onepam ledger rebuild makes what is derived anew"
        )
    return data


def kept_key(data: Path) -> str:
    """The log's key as it lies with the database. Raises `FileNotFoundError`, and `Corrupt` for what is none."""
    try:
        return content(data / "log-key", MAX_KEY_BYTES).decode("ascii").strip()
    except UnicodeDecodeError:
        raise Corrupt("log-key: it is no key") from None


def on_ledger(
    settings: Config,
    work: Callable[[SqliteLedger, Reader], Awaitable[None]],
    *,
    signer_lost: bool = False,
    after_loss: bool = False,
) -> None:
    """Runs `work` on the ledger, beside the running gateway or without it, as a node that the signer has certified.

    With `signer_lost` also without: then only what continues the ledger counts. `after_loss`: also where entries are
    missing that the signer has signed. Raises `Unavailable`, `Fault`.
    """
    with founding(settings.data):
        _on_ledger(settings, work, signer_lost, after_loss)


def _on_ledger(
    settings: Config, work: Callable[[SqliteLedger, Reader], Awaitable[None]], signer_lost: bool, after_loss: bool
) -> None:
    data = private_folder(settings.data)
    name = Node(data / "nodes" / "host", secrets.token_bytes)
    try:
        author = _author(name.name, settings, signer_lost, after_loss)

        async def run() -> None:
            ledger = SqliteLedger(data / "ledger.db", author, wall_clock, secrets.token_bytes)
            reader = SqliteReader(data / "ledger.db", wall_clock, threads=1)
            try:
                await work(ledger, reader)
            finally:
                reader.close()
                ledger.close()

        asyncio.run(run())
    finally:
        name.release()


def _author(node: str, settings: Config, signer_lost: bool, after_loss: bool) -> NodeAuthor:
    """By the signer of the gateway that runs, or by a child for as long as it takes."""
    origin, began = began_as(settings.data / "ledger.db")
    if signer_lost and not settings.signer_socket and not (settings.data / "signer" / "state").exists():
        return NodeAuthor.uncertified(node)
    signers = SignerProcess(settings.signer_socket, settings.data / "signer", origin or settings.origin, began)
    try:
        if not after_loss:
            hold_to_signed(settings.data / "ledger.db", signers)
        return author_of(node, signers)
    except Fault:
        if signer_lost:
            return NodeAuthor.uncertified(node)
        raise
    finally:
        signers.stop()
