"""The last word on what has ended is written however long the ledger takes nothing."""

import asyncio
from collections.abc import Iterator

import pytest

from onepam.app.sessions.close_session import ENDED_ALREADY
from onepam.gateway import settling
from onepam.kernel.errors import Refused, Unavailable

pytestmark = pytest.mark.anyio

IN_DOUBT = Refused("clock.jumped", "The clock is in doubt.")


@pytest.mark.parametrize("last", [None, False, Refused(ENDED_ALREADY, "It has ended.")])
async def test_a_refusal_that_is_no_end_is_tried_again(
    last: Refused | bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "SETTLE_SECONDS", 0)
    answers: Iterator[Refused | Exception | bool | None] = iter(
        [IN_DOUBT, Unavailable("away"), RuntimeError("odd"), last]
    )
    tries = 0

    async def write() -> Refused | bool | None:
        nonlocal tries
        tries += 1
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with asyncio.timeout(60):
        await settling.settle(write)
    assert tries == 4
