"""A real MariaDB of the test's own with TLS, as Debian installs it, that lets logins in by different ways."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from tests.protocols.postgres.server import PASSWORD, Pair, pair
from tests.targets import free_port

PROGRAM = Path("/usr/sbin/mariadbd")
STARTS_SECONDS = 120.0


class Server:
    """A running MariaDB with a database `app`. Logins with `PASSWORD`, all of which may write there: `app` by
    mysql_native_password, `edder` by ed25519."""

    program = PROGRAM
    client: Path | str = "mariadb"
    admin: Path | str = "mariadb-admin"
    more: tuple[str, ...] = ("--plugin-load-add=auth_ed25519", "--debug-no-sync")
    """Options of the server's."""
    edder = f"IDENTIFIED VIA ed25519 USING PASSWORD('{PASSWORD}')"

    programs: Mapping[str, Path] = MappingProxyType({})
    """Its own clients, by their names at MariaDB; empty for those that Debian installs."""
    claimed = ""
    """What a gateway before it claims to be, in the place of what it claims by itself."""
    numbers = ""
    """What makes tables of numbers in a database; MariaDB has them by an engine."""
    modes: tuple[str, ...] = ("ANSI", "ORACLE", "MSSQL")
    """Each a `sql_mode` for several parts."""
    everything = (
        "; SELECT * FROM mysql.global_priv;"
        " SELECT * FROM information_schema.global_variables WHERE variable_name NOT LIKE '%gtid%'"
    )
    """Its users and its settings."""

    def __init__(self, folder: Path, authority: Pair, shown: Pair, port: int, *, tls: bool) -> None:
        self.folder, self.authority, self.shown, self.port = folder, authority, shown, port
        self.socket = folder / "socket"
        self._tls = tls
        self._user: pwd.struct_passwd | None = None
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            self._user = pwd.getpwnam("mysql")
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def sql(self, script: str) -> str:
        """What the server answers to its owner, over its socket."""
        options = ("--no-defaults", "--batch", "--skip-column-names", f"--socket={self.socket}", "-uroot")
        command = [str(self.client), *options]
        done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise AssertionError(f"{self.client} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def serving(self, login: str) -> list[int]:
        """The numbers of the connections of a login."""
        found = self.sql(f"SELECT id FROM information_schema.processlist WHERE user = '{login}'")
        return [int(each) for each in found.split()]

    def making(self) -> list[str]:
        """The command that makes an empty server."""
        return ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]

    def start(self) -> None:
        owner = [f"--user={self._user.pw_name}"] if self._user else []
        made = subprocess.run(
            [*self.making(), f"--datadir={self.folder / 'data'}", *owner],
            capture_output=True, text=True, timeout=240, check=False, env={**os.environ, "TMPDIR": str(self.folder)},
        )  # fmt: skip  # where another server's may have the same names
        if made.returncode:
            raise AssertionError(f"{made.args} ended with {made.returncode}: {made.stdout}{made.stderr}")
        files = {
            "server.crt": self.shown.certificate,
            "server.key": self.shown.key,
            "ca.crt": self.authority.certificate,
        }
        for name, content in files.items():
            self._write(name, content)
        self._run()
        self.sql(
            "CREATE DATABASE app;"
            f"CREATE USER app IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON app.* TO app;"
            f"CREATE USER edder {self.edder}; GRANT ALL ON app.* TO edder;"
        )

    def _run(self) -> None:
        """Starts the program, and waits until it answers."""
        data, owner = self.folder / "data", [f"--user={self._user.pw_name}"] if self._user else []
        shown = [f"--ssl-cert={self.folder}/server.crt", f"--ssl-key={self.folder}/server.key"] if self._tls else []
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(self.program), "--no-defaults", f"--datadir={data}", f"--socket={self.socket}",
                 f"--port={self.port}", "--bind-address=127.0.0.1", f"--pid-file={self.folder}/pid",
                 "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve",
                 "--max-allowed-packet=64M", *self.more, "--max-connections=400", f"--tmpdir={self.folder}",
                 *shown, *owner],
                stdout=log, stderr=log,
            )  # fmt: skip
        until = time.monotonic() + STARTS_SECONDS
        while subprocess.run(
            [str(self.admin), "--no-defaults", f"--socket={self.socket}", "-uroot", "ping"],
            capture_output=True, check=False,
        ).returncode:  # fmt: skip
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the server has not started: {self.log[-2000:]}")
            time.sleep(0.1)

    def again(self) -> None:
        """Ends it without a word, and starts it again."""
        self.stop()
        self._run()

    def _write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.write_bytes(data)
        path.chmod(0o600)
        if self._user:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def running_server(kind: type[Server] = Server, *, tls: bool = True, port: int = 0) -> Iterator[Server]:
    """A server on a free port of loopback; as root it runs as the package's user."""
    folder = Path(tempfile.mkdtemp(prefix="my-", dir="/tmp"))  # a socket's path has 107 characters at most
    authority = pair("the test's authority", authority=True)
    server = kind(folder, authority, pair("localhost", authority), port or free_port(), tls=tls)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
