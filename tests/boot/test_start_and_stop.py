"""Starting and stopping: what is wrong is said in one line, nothing is left behind, and a stop ends what runs."""

import asyncio
import re
import signal
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from onepam.boot.config import BadConfig, load
from onepam.domain.history.system import SystemStarted
from onepam.domain.sessions.events import SessionClosed, SessionOpened
from onepam.kernel.errors import Unavailable
from onepam.ledger.checkpoint import Checkpoint
from onepam.ledger.note import Note
from tests.gateway_fixture import outcome, running_gateway
from tests.gateway_process import Failed, Process, alive, children_of, elsewhere, started, up

pytestmark = pytest.mark.anyio

STOP_SECONDS = 60.0  # five on a machine of its own; tests share theirs


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def said(found: Process | Failed) -> str:
    """The one line of a start that failed, with nothing left running."""
    assert isinstance(found, Failed)
    assert (found.status, found.children) == (4, ())
    assert "Traceback" not in found.words
    return found.words.strip().splitlines()[-1]


@pytest.mark.parametrize("which", ["ssh_port", "console_port"])
def test_a_port_that_is_taken(tmp_path: Path, which: str) -> None:
    with taken_port() as port:
        words = said(up(tmp_path, **{which: port}))
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use. Choose another {which}" in words


def test_a_setting_that_is_wrong(tmp_path: Path) -> None:
    assert "unknown setting 'ssh_prot'; known are" in said(up(tmp_path, ssh_prot=22))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('ssh_port = "22"', "ssh_port must be a number, not '22'"),
        ("egress = [1]", "egress must be a list of texts"),
        ("ssh_port = ", "config.toml"),
        ("ssh_port = 22\nssh_port = 23", "config.toml"),
        ("[ssh]\nport = 22", "unknown setting 'ssh'"),
        ("silent_seconds = 9\nssh_silent_seconds = 9", "silent_seconds stands there twice, once by an older name"),
    ],
)
def test_a_configuration_that_cannot_be_read(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(BadConfig, match=re.escape(words)):
        load(file, tmp_path)


@pytest.mark.parametrize("name", ["silent_seconds", "ssh_silent_seconds"])
def test_a_setting_by_either_of_its_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.toml").write_text(f"{name} = 77", "utf-8")
    assert load(tmp_path / "config.toml", tmp_path).silent_seconds == 77


def test_an_exception_to_the_egress_rule_that_is_none(tmp_path: Path) -> None:
    assert "an entry looks like 10.0.0.0/8:22" in said(up(tmp_path, egress=["everything"]))


def test_a_signer_that_is_not_there(tmp_path: Path) -> None:
    assert "/nonexistent/socket does not answer" in said(up(tmp_path, signer_socket="/nonexistent/socket"))


def test_data_of_another_layout(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    with closing(sqlite3.connect(tmp_path / "data" / "ledger.db")) as db:
        db.execute("PRAGMA user_version = 99")
    assert "layout 99; this release knows layout" in said(up(tmp_path))


def test_data_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "ledger.db").write_bytes(b"something else" * 1000)
    assert "the database is damaged" in said(up(tmp_path))


def test_data_of_another_ledger(tmp_path: Path) -> None:
    """A ledger keeps its name: under another one nothing starts."""
    assert started(tmp_path).stop() < STOP_SECONDS
    words = said(up(tmp_path, origin="other.example"))
    assert "the configuration says other.example: it never changes by itself" in words


async def test_a_stop_ends_what_runs_and_says_so(tmp_path: Path) -> None:
    with elsewhere(tmp_path) as (gateway, egress):
        process = started(tmp_path, egress=egress)
        children = children_of(process.popen.pid)
        assert children
        await gateway.record(gateway.resource("web-1"))
        gateway.platform.ssh_port = process.ssh_port
        people = [await gateway.person() for _ in range(3)]
        clients = [await gateway.working(person) for person in people]
        assert await asyncio.to_thread(process.stop) < STOP_SECONDS
        for person, client in zip(people, clients, strict=True):
            done = await outcome(client, None)
            assert "the gateway is being stopped" in done.stderr
            closed = (await gateway.ended(person))[0]
            assert isinstance(closed, SessionClosed)
            assert (closed.because, closed.gap, closed.verified) == ("gateway.stopped", None, True)
        assert not [pid for pid in children if alive(pid)]


def test_a_terminal_that_goes_away_is_a_stop_and_malformed_requests_are_not_told(tmp_path: Path) -> None:
    process = started(tmp_path)
    console = urlsplit(process.console)
    for _ in range(3):
        with closing(socket.create_connection((console.hostname, console.port), 60)) as connection:
            connection.sendall(b"nothing of HTTP\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 400 ")
    process.popen.send_signal(signal.SIGHUP)
    assert process.popen.wait(120) == 0
    log = process.log.read_text()
    assert f"console {process.console}, ssh 127.0.0.1:{process.ssh_port}" in log, "the ports that it has, not 0"
    assert "HTTP" not in log
    assert "uvicorn" not in log


async def test_a_stop_in_the_middle_of_many_sign_ins_leaves_none_open(tmp_path: Path) -> None:
    """Whoever was admitted hears of the stop and has an end in the ledger; whoever comes too late is not admitted."""
    with elsewhere(tmp_path) as (gateway, egress):
        process = started(tmp_path, egress=egress)
        await gateway.record(gateway.resource("web-1"))
        gateway.platform.ssh_port = process.ssh_port
        person = await gateway.person()
        clients = [await gateway.start(*gateway.ssh(person, "echo ready; cat")) for _ in range(40)]
        async with asyncio.timeout(60):
            while not gateway.events(SessionOpened):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        await asyncio.to_thread(process.stop)
        await asyncio.gather(*(outcome(each) for each in clients))
        opened = sorted(each.session for each in gateway.events(SessionOpened))
        ends = [(each.session, each.because) for each in gateway.events(SessionClosed)]
        assert sorted(ends) == [(session, "gateway.stopped") for session in opened]


async def test_two_processes_serve_the_same_data_and_outlive_each_other(tmp_path: Path) -> None:
    with elsewhere(tmp_path) as (gateway, egress):
        first, second = started(tmp_path, egress=egress), started(tmp_path, egress=egress)
        await gateway.record(gateway.resource("web-1"))
        assert len({each.node for each in gateway.events(SystemStarted)}) == 2
        person = await gateway.person()
        clients = []
        for process in (first, second):
            gateway.platform.ssh_port = process.ssh_port
            clients.append(await gateway.working(person))
        await asyncio.to_thread(first.stop)  # the signer was its child
        assert "being stopped" in (await outcome(clients[0], None)).stderr
        assert (await outcome(clients[1], b"still\n")).stdout == b"still\n"
        size = gateway.platform.ledger.size()
        async with asyncio.timeout(15):
            while published(tmp_path) < size:  # noqa: ASYNC110 - another process works
                await asyncio.sleep(0.1)
        assert (await gateway.run(*gateway.ssh(person, "echo on"))).stdout == b"on\n"
        assert await asyncio.to_thread(second.stop) < STOP_SECONDS


def published(folder: Path) -> int:
    note = (folder / "data" / "log" / "checkpoint").read_bytes()
    return Checkpoint.parse(Note.parse(note).text).size


async def test_a_verification_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        assert gateway.platform.self_check.verify().findings == ()
        gateway.platform.stopping.set()
        with pytest.raises(Unavailable, match="is being stopped"):
            gateway.platform.self_check.verify()
