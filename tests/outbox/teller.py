"""A process that runs the outbox of a data folder until it is killed: `python -m tests.outbox.teller CONFIG`."""

import asyncio
import secrets
import sys
from pathlib import Path

from onepam.boot.clock import wall_clock
from onepam.boot.config import Config, load
from onepam.boot.node import hold
from onepam.boot.receivers import receivers_of
from onepam.jobs.job import Jobs
from onepam.jobs.outbox import Outbox
from onepam.signing.author import NodeAuthor
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.reader import SqliteReader


async def tell(config: Config) -> None:
    """For ever."""
    database = config.data / "ledger.db"
    ledger = SqliteLedger(database, NodeAuthor.uncertified("nod_teller"), wall_clock, secrets.token_bytes)
    reader = SqliteReader(database, wall_clock)
    receivers = receivers_of(config, frozenset())
    lock = config.data / "outbox.lock"
    outbox = Outbox(lambda: hold(lock, create=True), receivers, config.url, config.origin, ledger, reader, wall_clock)
    Jobs().start(outbox.job())
    await asyncio.Event().wait()


if __name__ == "__main__":
    file = Path(sys.argv[1])
    asyncio.run(tell(load(file, file.parent / "data")))
