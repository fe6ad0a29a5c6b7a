"""A stop comes to its end, whatever a thread waits for; whoever leaves during it is probed by the next start."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from onepam.domain.leaving.probing import ProbeMade, ProbePurpose, ProbeResult
from onepam.domain.people.events import PersonDisabled
from tests.boot.test_operations import ask
from tests.gateway_fixture import SECONDS, Gateway, Person, outcome
from tests.gateway_process import elsewhere, started

STUCK = """
import logging, threading
from concurrent.futures import ThreadPoolExecutor
from onepam.boot.stopping import end_at_last
logging.basicConfig(level=logging.INFO)
pool = ThreadPoolExecutor(1, thread_name_prefix="recorder")
pool.submit(threading.Event().wait)
end_at_last(0.5)
pool.shutdown()
"""


def test_a_thread_that_a_disk_keeps_for_ever_does_not_keep_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert re.search(r"not come to its end in 0.5 s.*there are still: .*recorder_0", done.stderr), done.stderr


def test_a_process_that_ends_is_not_kept_by_the_deadline() -> None:
    code = "from onepam.boot.stopping import end_at_last; end_at_last(3600.0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def probes_of(gateway: Gateway, person: Person) -> list[ProbeMade]:
    """Those that were made because the person left."""
    return [each for each in gateway.events(ProbeMade, person) if each.purpose is ProbePurpose.LEAVER]


@pytest.mark.anyio
async def test_whoever_leaves_during_a_stop_is_probed_by_the_next_start(tmp_path: Path) -> None:
    """The listeners that would answer are closed: that is no door that does not answer."""
    with elsewhere(tmp_path) as (gateway, egress):
        process = started(tmp_path, egress=egress, drain_seconds=100_000)
        await gateway.record(gateway.resource("web-1"))
        gateway.platform.ssh_port = process.ssh_port
        stays, leaver = await gateway.person(), await gateway.person(registered=True)
        client = await gateway.working(stays)
        process.popen.terminate()
        async with asyncio.timeout(SECONDS):
            while (await ask(urlsplit(process.console).netloc, "/readyz"))[0] != 503:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await gateway.record(PersonDisabled(leaver.id, None, "left", "roster"))
        await asyncio.sleep(4)  # as long as the probes and their repetitions would take
        assert probes_of(gateway, leaver) == []
        await outcome(client, b"")
        assert await asyncio.to_thread(process.popen.wait, SECONDS) == 0
        assert probes_of(gateway, leaver) == []
        again = started(tmp_path, egress=egress)
        async with asyncio.timeout(SECONDS):
            while not (found := probes_of(gateway, leaver)):  # noqa: ASYNC110 - another process works
                await asyncio.sleep(0.2)
        assert {each.result for each in found} == {ProbeResult.REFUSED}
        await asyncio.to_thread(again.stop)
