"""Through the gateway to a target: `ssh -J`. How such a session ends stands in the table of ends."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import asyncssh
import pytest

from onepam.app.sessions.confirm import give_confirmation
from onepam.boot.clock import wall_clock
from onepam.domain.access.model import ResourceKind
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import KillOrdered, SessionClosed, SessionOpened, SessionRefused
from onepam.domain.signing_in.events import FactorKind, FactorRemoved, SignedOut, SteppedUp
from onepam.identity.tokens import code_digest
from onepam.protocols.ssh import jump as jump_module
from onepam.protocols.ssh.relay import MAX_CHANNELS
from onepam.recording.frames import ChannelOpened, FileOperation, Output
from tests.gateway_fixture import SECONDS, STANDING, Gateway, Person, outcome, running_gateway, shown_code
from tests.protocols.ways import said_back

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        await running.record(running.resource("web-2"), running.resource("db-1", kind=ResourceKind.POSTGRES))
        yield running


def refusals(gateway: Gateway, person: Person) -> list[tuple[str, str | None]]:
    return [(each.code, each.asked) for each in gateway.events(SessionRefused, person)]


async def ready(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(SECONDS):
        assert await process.stdout.readline() == b"ready\n"


# What goes through ----------------------------------------------------------------------------------------------------


async def test_a_command_is_a_session_as_any_other(gateway: Gateway) -> None:
    person = await gateway.person()
    done = await gateway.run(*gateway.jump(person, "web-1", "cat; exit 7"), stdin=b"words\n")
    assert (done.status, done.stdout) == (7, b"words\n"), done.stderr
    (opened,) = gateway.events(SessionOpened, person)
    assert (opened.resource, opened.login, opened.source) == ("web-1", gateway.target.login, "127.0.0.1")
    (closed,) = await gateway.ended(person)
    assert isinstance(closed, SessionClosed)
    assert (closed.because, closed.verified) == (SessionEnd.CLIENT_LEFT, True)
    frames = gateway.recorded(opened.session)
    assert [each.command for each in frames if isinstance(each, ChannelOpened)] == ["cat; exit 7"]
    assert b"".join(each.data for each in frames if isinstance(each, Output)) == b"words\n"


async def test_much_goes_both_ways_unchanged(gateway: Gateway) -> None:
    person, data = await gateway.person(), os.urandom(6_000_000)
    done = await gateway.run(*gateway.jump(person, "web-1", "cat"), stdin=data)
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest(), done.stderr


async def test_files_go_by_scp_sftp_and_rsync(gateway: Gateway, tmp_path: Path) -> None:
    person, login = await gateway.person(), gateway.target.login
    config = str(gateway.jumping(person))
    sent, there, back = tmp_path / "sent", tmp_path / "there", tmp_path / "back"
    sent.write_bytes(os.urandom(300_000))
    for out, home in (
        (["scp", "-qF", config, str(sent), f"{login}@web-1:{there}"], ["scp", "-qF", config, f"{login}@web-1:{there}"]),
        (
            ["rsync", "-e", f"ssh -F {config}", str(sent), f"{login}@web-1:{there}"],
            ["rsync", "-e", f"ssh -F {config}", f"{login}@web-1:{there}"],
        ),
    ):
        for command in (out, [*home, str(back)]):
            done = await gateway.run(*command)
            assert done.status == 0, done.stderr
        assert back.read_bytes() == sent.read_bytes()
        back.unlink()
        there.unlink()
    first = gateway.events(SessionOpened, person)[0].session
    await gateway.ended(person, 4)
    files = [each for each in gateway.recorded(first) if isinstance(each, FileOperation)]
    assert hashlib.sha256(sent.read_bytes()).hexdigest() in {each.sha256 for each in files}


async def test_git_clones(gateway: Gateway, tmp_path: Path) -> None:
    person, there = await gateway.person(), tmp_path / "there"
    url = f"ssh://{gateway.target.login}@web-1{there}"
    ssh = f"GIT_SSH_COMMAND=ssh -F {gateway.jumping(person)}"
    made = await gateway.run("git", "init", "-q", "--bare", str(there))
    assert made.status == 0, made.stderr
    done = await gateway.run("env", ssh, "git", "clone", "-q", url, str(tmp_path / "here"))
    assert done.status == 0, done.stderr
    assert "git-upload-pack" in (gateway.recorded(gateway.events(SessionOpened, person)[0].session)[1]).command  # type: ignore[union-attr]


async def test_one_connection_for_many(gateway: Gateway) -> None:
    """Both the way to the gateway and that to a target may be shared; what goes through is a session each, and the end
    of one is none of another."""
    person, folder = await gateway.person(), mkdtemp()  # a socket's path is short
    config = str(gateway.jumping(person, "ControlMaster auto", f"ControlPath {folder}/%h", "ControlPersist 60"))
    login, serves = gateway.target.login, "echo ready; cat"
    masters = []
    try:
        for target in ("web-1", "web-2"):
            masters.append(await gateway.start("ssh", "-F", config, f"{login}@{target}", serves))
            await ready(masters[-1])
        again = await gateway.run("ssh", "-F", config, f"{login}@web-1", "echo again")
        assert again.stdout == b"again\n", again.stderr
        one, other = gateway.events(SessionOpened, person)
        await gateway.record(KillOrdered(one.session, "per_ada"))
        assert (await outcome(masters[0], None)).status == 255
        assert await said_back(masters[1], b"goes on\n") == b"goes on\n"
        await outcome(masters[1])
        assert (one.resource, other.resource) == ("web-1", "web-2")
    finally:
        for host in (f"{login}@web-1", f"{login}@web-2", "gateway"):
            await gateway.run("ssh", "-F", config, "-O", "exit", host)
        rmtree(folder)


async def test_a_registered_key_is_confirmed_once(gateway: Gateway) -> None:
    person = await gateway.person(certificate=False, registered=True)
    process = await gateway.start(*gateway.jump(person, "web-1", "echo in"))
    confirmation, code = await shown_code(process)
    digest = code_digest(code)
    assert digest is not None
    await gateway.record(SteppedUp(person.sign_in, person.id, FactorKind.TOTP, wall_clock()))
    given = await give_confirmation(gateway.platform.ledger, gateway.actor(person), confirmation, digest.hex())
    assert given is None
    done = await outcome(process)
    assert done.stdout == b"in\n", done.stderr


# What does not --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words", "code"),
    [
        ("nowhere", "There is no such target in your catalogue.", "resource.unknown"),
        ("secret-1", "There is no such target in your catalogue.", "resource.unknown"),
        ("127.0.0.1", "There is no such target in your catalogue.", "resource.unknown"),
        ("localhost", "There is no such target in your catalogue.", "resource.unknown"),
        ("db-1", "db-1 speaks postgres, and this door ssh.", "resource.protocol"),
    ],
)
async def test_what_is_no_target_is_not_reached(gateway: Gateway, name: str, words: str, code: str) -> None:
    """A name is a target's, and looked up nowhere else; whether there is one that is not theirs nobody learns."""
    await gateway.record(gateway.resource("secret-1", labels={"env": "vault"}))
    person = await gateway.person()
    done = await gateway.run("ssh", "-F", str(gateway.jumping(person)), "-W", f"{name}:22", "gateway")
    assert (done.status, done.stdout) == (255, b"")
    assert f"administratively prohibited: {words}" in done.stderr
    assert refusals(gateway, person) == [(code, name)]


async def test_another_port_is_no_target(gateway: Gateway) -> None:
    person = await gateway.person()
    done = await gateway.run("ssh", "-F", str(gateway.jumping(person)), "-W", "web-1:2222", "gateway")
    assert (done.status, done.stdout) == (255, b"")
    assert "ssh -J GATEWAY LOGIN@TARGET" in done.stderr


async def test_who_names_no_target_gets_no_channel(gateway: Gateway) -> None:
    person = await gateway.person()
    for more in ([], ["-R", "0:web-1:22", "-A"]):
        done = await gateway.run("ssh", "-F", str(gateway.jumping(person)), *more, "gateway", "id")
        assert (done.status, done.stdout) == (255, b"")
        assert "Say where to: ssh LOGIN@TARGET@GATEWAY" in done.stderr
    assert [code for code, _ in refusals(gateway, person)] == ["ssh.user", "ssh.user"]
    assert gateway.events(SessionOpened, person) == []


@pytest.mark.parametrize(
    ("login", "code", "words"),
    [
        ("other", "access.login", "You may not use the login other on web-1."),
        ("../x", "ssh.user", "Say as whom and where to: ssh -J GATEWAY LOGIN@TARGET"),
        ("x" * 900, "ssh.user", "Say as whom and where to"),
    ],
)
async def test_a_login_that_is_none(gateway: Gateway, login: str, code: str, words: str) -> None:
    person = await gateway.person()
    done = await gateway.run("ssh", "-F", str(gateway.jumping(person)), "-l", login, "web-1", "id")
    assert (done.status, done.stdout) == (255, b"")
    assert words in done.stderr
    assert [each for each, _ in refusals(gateway, person)] == [code]


async def test_a_sign_in_that_ends_opens_nothing_more(gateway: Gateway) -> None:
    """The way to the gateway stands already: it carries no authority."""
    person = await gateway.person()
    async with await outer(gateway, person) as connection:
        async with inner(gateway, connection) as there:
            assert (await there.run("echo in")).stdout == "in\n"
        await gateway.record(SignedOut(person.sign_in, person.id, "signed out", None))
        with pytest.raises(asyncssh.PermissionDenied):
            async with inner(gateway, connection):
                pass
    assert [code for code, _ in refusals(gateway, person)] == ["sign_in.ended"]


async def test_a_key_that_is_removed_opens_nothing_more(gateway: Gateway) -> None:
    """Nobody is asked to confirm for it either."""
    person = await gateway.person(certificate=False)
    registered = gateway.registration(person)
    await gateway.record(registered)
    async with await outer(gateway, person) as connection:
        await connection.open_connection("web-1", 22)
        await gateway.record(FactorRemoved(registered.factor, person.id, "lost", None))
        with pytest.raises(asyncssh.ChannelOpenError, match="No key that you offered is known here"):
            await connection.open_connection("web-1", 22)
    assert refusals(gateway, person) == [("key.unknown", "web-1")]


# What a client may do that is none of ours ----------------------------------------------------------------------------


async def outer(gateway: Gateway, person: Person) -> asyncssh.SSHClientConnection:
    certificate = person.key.with_name("id-cert.pub")
    proof = (str(person.key), str(certificate)) if certificate.exists() else str(person.key)
    return await asyncssh.connect(
        "127.0.0.1", gateway.platform.ssh_port, username="anybody", known_hosts=None, config=None,
        client_keys=[proof], agent_path=None,
    )  # fmt: skip


def inner(gateway: Gateway, connection: asyncssh.SSHClientConnection) -> Any:
    """To web-1, through it."""
    return asyncssh.connect(
        "web-1", tunnel=connection, username=gateway.target.login, known_hosts=None, config=None,
        client_keys=None, agent_path=None,
    )  # fmt: skip


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n" + bytes(64), os.urandom(600_000)])
async def test_bytes_that_are_no_client_end_their_channel_alone(gateway: Gateway, sent: bytes) -> None:
    person = await gateway.person()
    async with await outer(gateway, person) as connection:
        reader, writer = await connection.open_connection("web-1", 22)
        writer.write(sent)
        writer.write_eof()
        async with asyncio.timeout(SECONDS):
            assert (await reader.read()).startswith(b"SSH-2.0-OpenSSH_OnePAM\r\n")
        reader, _ = await connection.open_connection("WEB-2", 22)
        assert await reader.readline() == b"SSH-2.0-OpenSSH_OnePAM\r\n"
    assert gateway.events(SessionOpened, person) == []
    assert len(gateway.platform.live) == 0


async def test_so_many_go_through_at_once_and_so_many_names_are_refused(gateway: Gateway) -> None:
    person = await gateway.person()
    async with await outer(gateway, person) as connection:
        for _ in range(MAX_CHANNELS):
            await connection.open_connection("web-1", 22)
        with pytest.raises(asyncssh.ChannelOpenError, match="at most 16 connections"):
            await connection.open_connection("web-1", 22)
    async with await outer(gateway, person) as connection:
        for _ in range(jump_module.MOST_REFUSED + 3):
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.open_connection("nowhere", 22)
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("web-1", 22)
    assert len(refusals(gateway, person)) == jump_module.MOST_REFUSED


async def test_who_has_opened_nothing_keeps_the_place_in_the_crowd(gateway: Gateway) -> None:
    """Also when what went through has ended; a session leaves it."""
    person, crowd = await gateway.person(), gateway.platform.doors.ssh
    async with asyncio.timeout(SECONDS):
        while len(crowd):  # noqa: ASYNC110 - those of tests before this one
            await asyncio.sleep(0.01)
    async with await outer(gateway, person) as connection:
        assert len(crowd) == 1
        reader, writer = await connection.open_connection("web-1", 22)
        writer.write_eof()
        async with asyncio.timeout(SECONDS):
            await reader.read()
        await connection.open_connection("web-1", 22)
        assert len(crowd) == 1
        async with inner(gateway, connection):
            assert len(crowd) == 0


async def test_through_what_is_not_used_nothing_stays(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jump_module, "IDLE_SECONDS", 0.1)
    async with await outer(gateway, await gateway.person()) as connection:
        async with asyncio.timeout(SECONDS):
            await connection.wait_closed()


async def test_a_client_that_goes_leaves_no_session(gateway: Gateway) -> None:
    """The outer connection is lost with everything in it."""
    person = await gateway.person()
    connection = await outer(gateway, person)
    async with inner(gateway, connection) as there:
        process = await there.create_process("echo ready; cat")
        assert await process.stdout.readline() == "ready\n"
        connection.abort()
        (closed,) = await gateway.ended(person)
    assert isinstance(closed, SessionClosed)
    assert (closed.because, closed.verified) == (SessionEnd.CLIENT_LEFT, True)


async def test_a_stranger_comes_through_to_nothing(gateway: Gateway) -> None:
    """Whose role covers nothing sees no target, and a name that is theirs shows the host key for that name alone."""
    person = await gateway.person(replace(STANDING, where={"env": "test"}))
    done = await gateway.run(*gateway.jump(person, "web-1", "id"))
    assert "There is no such target in your catalogue." in done.stderr
    known = await gateway.person()
    config = gateway.jumping(known, "HostKeyAlias web-2")
    done = await gateway.run("ssh", "-F", str(config), f"{gateway.target.login}@web-1", "id")
    assert "not listed in certificate's principals" in done.stderr or "Host key verification failed" in done.stderr
