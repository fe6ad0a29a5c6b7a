"""`onepam` as a process that was forked from one which has loaded the program already.

A command on the host loads for a second and works for a fifth of one, and the tests give hundreds. What was forked is a
process of its own as any other: its memory, its descriptors and locks, its signals and how it ends. It loads nothing
late, and that is all it does not show: `up` is started as people start it, and what loads is tests/cli/test_imports's.
"""

import atexit
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile

MOST_BYTES = 1 << 18
ONEPAM = "import runpy; runpy.run_module('onepam.boot.commands.up', run_name='__main__', alter_sys=True)"
LOADED = (
    "onepam.boot.commands.backup",
    "onepam.boot.commands.continue_after_loss",
    "onepam.boot.commands.ledger",
    "onepam.boot.commands.nodes",
    "onepam.boot.commands.restore",
    "onepam.boot.commands.setup",
    "onepam.boot.host_commands",
    "onepam.boot.on_ledger",
    "onepam.boot.recover_command",
)
_one = threading.Lock()


def onepam(*words: str | Path, typed: str = "", seconds: float = 200) -> "subprocess.CompletedProcess[str]":
    """Runs `onepam` with these words; what is typed comes by its standard input, which is no terminal."""
    return python(ONEPAM, *words, typed=typed, seconds=seconds)


def python(
    program: str, *words: str | Path, typed: str = "", seconds: float = 200
) -> "subprocess.CompletedProcess[str]":
    """Runs a text of Python as `python -c` does, with these words; kills it after `seconds`, raises `TimeoutError`."""
    arguments = [*map(str, words)]
    asked = json.dumps([program, ["onepam", *arguments], os.getcwd(), dict(os.environ)]).encode()
    mine, theirs = socket.socketpair()
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err, mine:
        given.write(typed.encode())
        given.seek(0)
        with theirs:
            files = [each.fileno() for each in (given, out, err, theirs)]
            with _one:
                socket.send_fds(_server(), [asked], files)
        mine.settimeout(seconds)
        ended = mine.recv(64)
        assert ended, "what forks has ended"
        said = []
        for each in (out, err):
            each.seek(0)
            said.append(each.read().decode())
    return subprocess.CompletedProcess(arguments, int(ended), *said)


@cache
def _server() -> socket.socket:
    """Where to ask for a process: one server for this process, which ends with it."""
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-P", __file__, str(theirs.fileno())]
    with theirs:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])

    def end() -> None:
        mine.close()
        server.wait()

    atexit.register(end)
    return mine


def _serve(control: socket.socket) -> tuple[str, list[str]]:
    """Forks a process for each that is asked for, and says how it ended; returns in the process that was forked."""
    woken, waking = socket.socketpair()
    for each in (woken, waking):
        each.setblocking(False)
    before = signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(waking.fileno())
    running: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([control, woken, *running.values()], [], [])
        if woken in ready:
            woken.recv(4096)
            _say_ends(running)
        for pid, asker in running.items():
            if asker in ready:  # it says nothing: it has gone
                os.kill(pid, signal.SIGKILL)
        if control not in ready:
            continue
        message, files, _, _ = socket.recv_fds(control, MOST_BYTES, 4)
        if not message:
            for pid in running:
                os.kill(pid, signal.SIGKILL)
            os._exit(0)
        if pid := os.fork():
            running[pid] = socket.socket(fileno=files[3])
            for number in files[:3]:
                os.close(number)
            continue
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, before)
        for other in (control, woken, waking, *running.values()):
            other.close()
        os.close(files[3])
        return _becoming(message, files)


def _say_ends(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with running.pop(pid) as asker:
            try:
                asker.send(str(os.waitstatus_to_exitcode(status)).encode())
            except OSError:  # it has gone
                continue


def _becoming(message: bytes, files: Sequence[int]) -> tuple[str, list[str]]:
    for target, number in enumerate(files[:3]):
        os.dup2(number, target)
        os.close(number)
    program, arguments, folder, environment = json.loads(message)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    return program, arguments


if __name__ == "__main__":
    import gc

    gc.disable()
    for name in LOADED:
        importlib.import_module(name)
    gc.enable()
    gc.freeze()
    PROGRAM, sys.argv = _serve(socket.socket(fileno=int(sys.argv[1])))
    exec(compile(PROGRAM, "<forked>", "exec"), {"__name__": "__main__"})
