"""The last word on what has ended, written however long the ledger takes nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from onepam.app.sessions.close_session import ENDED_ALREADY
from onepam.kernel.errors import Fault, Refused

log = logging.getLogger(__name__)

SETTLE_SECONDS = 1.0


async def settle(write: Callable[[], Awaitable[object]]) -> None:
    """Writes how something ended, however long the ledger is away or takes nothing (its clock is in doubt: a refusal).
    What a stop of the gateway cuts off, the next start recovers, or it lapses."""
    while True:
        try:
            answer = await write()
        except Exception as fault:
            log.error("an end waits for the ledger: %s", fault, exc_info=not isinstance(fault, Fault))
        else:
            if not isinstance(answer, Refused) or answer.code == ENDED_ALREADY:
                return
            log.error("an end waits for the ledger: %s", answer.message)
        await asyncio.sleep(SETTLE_SECONDS)
