"""A process that runs the outbox of a data folder until it is killed: `python -m tests.outbox.teller CONFIG`."""

import asyncio
import secrets
import sys
from pathlib import Path

from onepam.boot.clock import wall_clock
from onepam.boot.config import Config, load
from onepam.boot.outbox import Outbox, Receivers
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.reader import SqliteReader


async def tell(config: Config) -> None:
    """For ever."""
    database = config.data / "ledger.db"
    ledger = SqliteLedger(database, "nod_teller", wall_clock, secrets.token_bytes)
    reader = SqliteReader(database, wall_clock)
    await Outbox(config, Receivers.of(config, frozenset()), ledger, reader, wall_clock).run()


if __name__ == "__main__":
    file = Path(sys.argv[1])
    asyncio.run(tell(load(file, file.parent / "data")))
