"""Pipes of which one end has gone: as with a plain sshd, the command hears it, and its status comes through."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from onepam.recording.frames import ChannelClosed, Output
from tests.protocols.ssh.conftest import SECONDS, Bench, Done
from tests.protocols.ssh.test_relay import only, until
from tests.targets import Sshd

pytestmark = pytest.mark.anyio


async def piped(bench: Bench, client: list[str], reader: str) -> Done:
    """`client | reader`, the client's input open all the time: the client's status, and what the reader saw."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", f'"$@" | {reader}; exit ${{PIPESTATUS[0]}}', "bash", *client,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(SECONDS):
            stdout, stderr = await asyncio.gather(process.stdout.read(), process.stderr.read())
            await process.wait()
    except TimeoutError:
        process.kill()
        raise
    finally:
        process.stdin.close()
    return Done(process.returncode or 0, stdout, stderr)


def direct(target: Sshd, bench: Bench, *arguments: str) -> list[str]:
    """The same client without the gateway."""
    options = [each.replace(str(bench.folder / "person"), str(bench.folder / "gateway")) for each in bench.options()]
    return ["ssh", *options, "-p", str(target.port), target.host, *arguments]


@pytest.mark.parametrize("more", [(), ("-n",)], ids=["input open", "no input"])
async def test_a_reader_that_has_gone_ends_the_command(
    relayed: Bench, target: Sshd, tmp_path: Path, more: tuple[str, ...]
) -> None:
    command = f"echo $$ > {tmp_path}/pid; exec yes"
    there = await piped(relayed, direct(target, relayed, *more, command), "head -1")
    done = await piped(relayed, relayed.ssh(*more, command), "head -1")
    pid = (tmp_path / "pid").read_text().strip()
    await until(lambda: not Path(f"/proc/{pid}").exists())
    assert (done.status, done.stdout) == (there.status, there.stdout)


async def test_a_command_that_goes_on_without_its_reader_tells_its_status(relayed: Bench, target: Sshd) -> None:
    command = "trap '' PIPE; yes 2>/dev/null; exit 5"
    there = await piped(relayed, direct(target, relayed, "-n", command), "head -1")
    done = await piped(relayed, relayed.ssh("-n", command), "head -1")
    assert (done.status, done.stdout) == (there.status, there.stdout) == (5, b"y\n")
    assert only(await relayed.recording(), ChannelClosed)[0].status == 5


async def test_a_command_that_closes_its_output_and_goes_on(relayed: Bench, tmp_path: Path) -> None:
    """The reader hears the end of the output at once, the client its status when there is one."""
    command = f"echo one; exec >&- 2>&-; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; exit 6"
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", f'"$@" | (cat; touch {tmp_path}/go); exit ${{PIPESTATUS[0]}}', "bash", *relayed.ssh(command),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(SECONDS):
        stdout, _ = await process.communicate()
    assert (process.returncode, stdout) == (6, b"one\n")


async def test_a_client_hears_that_its_input_is_not_read_any_more(relayed: Bench, target: Sshd) -> None:
    command = "exec <&- >&- 2>&-; sleep 1; exit 4"
    verbose = ("-vvv",)
    for client in (direct(target, relayed, *verbose, command), relayed.ssh(*verbose, command)):
        done = await relayed.run("bash", "-c", 'yes | "$@"; exit ${PIPESTATUS[1]}', "bash", *client)
        assert done.status == 4
        assert b"rcvd eow" in done.stderr


async def test_what_came_before_the_reader_went_is_recorded(relayed: Bench) -> None:
    await piped(relayed, relayed.ssh("yes"), "head -1")
    assert only(await relayed.recording(), Output)[0].data.startswith(b"y\ny\n")
