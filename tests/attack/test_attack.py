"""While one client attacks the doors in every way it has, others get in and live sessions go on.

What is asked here is that it works at all, whatever else the machine does; how quick it is, `make bench` measures.
"""

from pathlib import Path

import pytest

from tests.attack.bystanders import town
from tests.attack.ways import WAYS

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(900)]

SECONDS = 2.0
MOST_GROWN = 200 * 1024 * 1024
"""Bytes of memory; a single header of 200 MiB took 348 MiB."""


async def test_others_get_in_and_the_live_session_goes_on_whatever_one_client_does(tmp_path: Path) -> None:
    async with town(tmp_path) as there:
        for way in WAYS:
            noticed = await there.during(way, SECONDS)
            assert noticed.keystrokes, way
            assert noticed.sign_ins, way
            assert noticed.ssh, way
            assert noticed.got["connected"] > 0, f"{way}: the attack did nothing"
            assert noticed.grown < MOST_GROWN, f"{way}: {noticed.grown:,} bytes"
