"""The tour's stand-in where no OpenSSH server can run: the user's own shell behind asyncssh, with a real terminal."""

import asyncio
import fcntl
import os
import struct
import termios
from contextlib import suppress

import asyncssh

READ_BYTES = 32 * 1024


async def serve_shell(host_key: asyncssh.SSHKey, trusted: asyncssh.SSHAuthorizedKeys) -> asyncssh.SSHAcceptor:
    """Listens on a free port of 127.0.0.1; only certificates of the trusted authority are admitted."""
    return await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        authorized_client_keys=trusted,
        process_factory=_run,
        sftp_factory=True,
        encoding=None,
        config=None,
        password_auth=False,
        line_editor=False,
    )


async def _run(process: "asyncssh.SSHServerProcess[bytes]") -> None:
    shell = os.environ.get("SHELL", "/bin/sh")
    command = [shell, "-c", process.command] if process.command else [shell, "-l"]
    status = await (_terminal(process, command) if process.term_type else _pipes(process, command))
    process.exit(status)


async def _pipes(process: "asyncssh.SSHServerProcess[bytes]", command: list[str]) -> int:
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    await process.redirect(child.stdin, child.stdout, child.stderr)
    await process.stdout.drain()
    return await child.wait()


async def _terminal(process: "asyncssh.SSHServerProcess[bytes]", command: list[str]) -> int:
    leader, follower = os.openpty()
    _resize(leader, *process.term_size[:2])
    environment = {**os.environ, "TERM": process.term_type or "dumb"}
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(follower)
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.add_reader(leader, _shown, leader, process, ended)
    typing = loop.create_task(_typed(leader, process))
    await ended
    typing.cancel()
    loop.remove_reader(leader)
    os.close(leader)
    return await child.wait()


def _shown(leader: int, process: "asyncssh.SSHServerProcess[bytes]", ended: "asyncio.Future[None]") -> None:
    try:
        data = os.read(leader, READ_BYTES)
    except OSError:
        data = b""
    if data:
        process.stdout.write(data)
    elif not ended.done():
        ended.set_result(None)


async def _typed(leader: int, process: "asyncssh.SSHServerProcess[bytes]") -> None:
    while True:
        try:
            data = await process.stdin.read(READ_BYTES)
        except asyncssh.TerminalSizeChanged as changed:
            _resize(leader, changed.width, changed.height)
            continue
        except asyncssh.Error:
            return
        if not data:
            return
        with suppress(OSError):
            os.write(leader, data)


def _resize(leader: int, columns: int, rows: int) -> None:
    fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
