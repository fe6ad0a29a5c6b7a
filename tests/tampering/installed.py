"""Two installations that are attacked, with all that an auditor and an attacker hold: one has the signer's key in its
data folder, the other a signer as its own process, with a folder of its own."""

import contextlib
import io
import shutil
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onepam.app.host.revoke_node import revoke_node
from onepam.app.sessions.close_session import NoFacts
from onepam.boot.clock import wall_clock
from onepam.boot.commands.ledger import verify_ledger
from onepam.boot.config import Config
from onepam.boot.platform import Platform
from onepam.domain.history.commit import Decided
from onepam.domain.history.system import ClockJumped
from onepam.kernel.errors import Fault
from onepam.ledger.note import ED25519, VerifierKey
from onepam.ledger.verdict import ExitCode
from onepam.signing.author import NodeAuthor
from onepam.signing.key_file import load_key
from onepam.signing.signer import SignerClient
from onepam.store.engine.ledger import SqliteLedger
from tests.boot.installation import ONEPAM, ORIGIN, live
from tests.forked import onepam
from tests.targets import free_port

INSIDE, OUTSIDE = "inside", "outside"
SECONDS = 120.0
ADMINISTRATORS = ("--admin", "Ada Admin <ada@example.com>", "--admin", "Ben Backup <ben@example.com>")
MALLORY = Ed25519PrivateKey.from_private_bytes(b"m" * 32)
"""The key of whoever has none of ours."""


@dataclass(frozen=True)
class Installation:
    """A data folder, an older copy of it, and a node of it whose key was revoked and fell into other hands; and what an
    auditor keeps: the log's key and a checkpoint."""

    layout: str
    data: Path
    older: Path
    revoked: NodeAuthor
    key: str
    kept: Path
    socket: str

    def config(self, data: Path) -> Config:
        """To run it, or a copy of it."""
        return Config(data, origin=ORIGIN, console_port=free_port(), ssh_port=free_port(), signer_socket=self.socket)

    def copy(self, folder: Path) -> "Copy":
        """A copy to be attacked."""
        data = Path(shutil.copytree(self.data, folder / "data", ignore=shutil.ignore_patterns("socket")))
        return Copy(self, data)


@dataclass(frozen=True)
class Copy:
    """A copy of the data folder, in the hands of an attacker."""

    of: Installation
    data: Path

    @property
    def older(self) -> Path:
        """What the folder was earlier."""
        return self.of.older

    @property
    def database(self) -> Path:
        return self.data / "ledger.db"

    @property
    def key(self) -> Ed25519PrivateKey:
        """The best key that lies in the folder: the signer's, or one of the attacker's own."""
        file = self.data / "signer" / "key"
        return load_key(file) if file.exists() else MALLORY

    @property
    def public(self) -> VerifierKey:
        """Its public half, under the log's name."""
        return VerifierKey(ORIGIN, ED25519, self.key.public_key().public_bytes_raw())

    def sql(self, statements: str) -> None:
        """Runs a script on the database."""
        with closing(sqlite3.connect(self.database)) as db:
            db.executescript(statements)
            db.commit()

    def verified(self, *, anchored: bool) -> tuple[ExitCode, str]:
        """What the auditor is told who has the log's key, and with `anchored` the checkpoint too."""
        told = io.StringIO()
        kept = [self.of.kept] if anchored else []
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            try:
                verify_ledger(
                    self.data, [self.of.key], [], ([], kept, None, None), state=True, recordings=True, as_json=False
                )
            except typer.Exit as end:
                return ExitCode(end.exit_code), told.getvalue()
            except typer.BadParameter as error:
                return ExitCode.USAGE, str(error)
            except (Fault, OSError) as error:  # as the program's entry point does
                return ExitCode.FAULT, str(error)


@asynccontextmanager
async def installed(folder: Path, layout: str) -> AsyncIterator[Installation]:
    """An installation by this layout, which lives while the block does: so does its signer, where it is elsewhere."""
    data, socket = folder / "data", ""
    with contextlib.ExitStack() as running:
        if layout == OUTSIDE:
            socket = str(folder / "s")
            running.enter_context(_signer(folder / "signer", Path(socket)))
        made = Installation(
            layout, data, folder / "older", NodeAuthor.uncertified("nod_0"), "", folder / "kept", socket
        )
        _set_up(folder, data, socket)
        await live(made.config(data), 6)
        shutil.copytree(data, made.older, ignore=shutil.ignore_patterns("socket"))
        revoked = await _revoked(made.config(data))
        key = await live(made.config(data), 260)  # enough for a second level of tiles
        made.kept.write_bytes((data / "log" / "checkpoint").read_bytes())
        yield Installation(layout, data, made.older, revoked, key, made.kept, socket)


@contextlib.contextmanager
def _signer(folder: Path, socket: Path) -> Iterator[None]:
    """A signer as another user would run it."""
    command = [*ONEPAM, "signer", "--folder", str(folder), "--origin", ORIGIN, "--socket", str(socket)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + SECONDS
            while not socket.exists():
                assert process.poll() is None, "the signer did not start"
                assert time.monotonic() < end
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


def _set_up(folder: Path, data: Path, socket: str) -> None:
    config = folder / "onepam.toml"
    config.write_text(f'origin = "{ORIGIN}"\nsigner_socket = "{socket}"\n')
    done = onepam("setup", *ADMINISTRATORS, "--data", data, "--config", config)
    assert done.returncode == 0, done.stderr


async def _revoked(config: Config) -> NodeAuthor:
    """A node that has written, and whose key was taken out of force."""
    async with Platform(config).running() as platform:
        socket = Path(config.signer_socket or config.data / "signer" / "socket")
        author = NodeAuthor.certified("nod_stolen", SignerClient(socket).certify)
        ledger = SqliteLedger(platform.database, author, wall_clock, token_bytes)
        await ledger.commit(NoFacts(), lambda facts, now: Decided((ClockJumped("nod_stolen", 1, False),), None))
        ledger.close()
        assert await revoke_node(platform.ledger, "nod_stolen", "Ada Admin", "the machine was stolen") is None
    return author
