"""What commands on the host share: the data folder, the configuration, and a ledger to write to."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

import typer

from onepam.app.ports import Reader
from onepam.boot.clock import wall_clock
from onepam.boot.config import Config, load
from onepam.boot.private_folder import private_folder
from onepam.kernel.ids import new_id
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.reader import SqliteReader


def settings_of(config: Path | None, data: Path) -> Config:
    """The configuration of a command. Raises `BadConfig`."""
    return load(config, data) if config else Config(data)


def existing(data: Path) -> Path:
    """The folder of an installation: only `setup` and `up` make one. Raises `BadParameter` where there is none."""
    if not (data / "ledger.db").exists():
        raise typer.BadParameter(f"there is no installation in {data}", param_hint="--data")
    return data


def on_ledger(data: Path, work: Callable[[SqliteLedger, Reader], Awaitable[None]]) -> None:
    """Runs `work` on the ledger, beside the running gateway or without it."""
    private_folder(data)

    async def run() -> None:
        ledger = SqliteLedger(data / "ledger.db", new_id("nod", secrets.token_bytes), wall_clock, secrets.token_bytes)
        reader = SqliteReader(data / "ledger.db", wall_clock, threads=1)
        try:
            await work(ledger, reader)
        finally:
            reader.close()
            ledger.close()

    asyncio.run(run())
