"""A PostgreSQL for the tour: Debian's own programs, on loopback, with a table, two logins, and an account that makes a
user for each session of a third one. It outlives no stop, and is found again by the next start."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from secrets import token_urlsafe

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from onepam.boot.demo.target import kept_port
from onepam.kernel.errors import Unavailable

PROGRAMS = Path("/usr/lib/postgresql")
NONE = "no database: Debian's PostgreSQL (the package postgresql) is not installed"
LOGINS = ("app", "reporting")
MADE, MADE_BY, ROLE = "analysis", "pam_owner", "readers"
"""The login of whose sessions each has a user of its own: made by an account, as a member of a role."""

DATABASE = "orders"
START_SECONDS = 120.0
_OWNER = "postgres"
_HBA = b"hostssl all app,reporting,pam_owner,+readers 127.0.0.1/32 scram-sha-256\n"
_CLUSTER = """\
CREATE ROLE app LOGIN PASSWORD '{app}';
CREATE ROLE reporting LOGIN PASSWORD '{reporting}';
CREATE ROLE readers;
CREATE ROLE pam_owner LOGIN CREATEROLE PASSWORD '{pam_owner}';
GRANT readers TO pam_owner WITH ADMIN OPTION;
CREATE DATABASE orders OWNER app;
"""
_TABLE = """\
CREATE TABLE orders (number int PRIMARY KEY, customer text, cents int);
INSERT INTO orders SELECT n, 'customer ' || n % 7, n * 137 % 10000 FROM generate_series(1, 1000) AS n;
ALTER TABLE orders OWNER TO app;
GRANT SELECT ON orders TO reporting, readers;
"""


@dataclass(slots=True)
class DemoDatabase:
    """A running server: where, by which pin it is known, and what it is, in words. The password of each of `LOGINS`
    and of `MADE_BY` lies in a file of that name in `folder`."""

    port: int
    pin: str
    words: str
    folder: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Ends the server, whoever is connected."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)


def start_database(folder: Path) -> DemoDatabase | None:
    """The server, made on the first start; None where its programs are not installed. Blocking. Raises
    `Unavailable`."""
    found = [each for each in PROGRAMS.glob("*/bin") if (each / "initdb").exists() and each.parent.name.isdigit()]
    if not found:
        return None
    programs = max(found, key=lambda each: int(each.parent.name))
    folder.mkdir(mode=0o700, exist_ok=True)
    home, port = _home(folder), kept_port(folder)
    server = _Server(programs, home, folder / "log")
    if not (folder / "made").exists():
        server.make({login: _password(folder / login) for login in (*LOGINS, MADE_BY)})
        (folder / "made").touch()
    words = f"PostgreSQL {programs.parent.name}, database {DATABASE}, logins {', '.join(LOGINS)} and {MADE}"
    return DemoDatabase(port, server.pin, words, folder, server.start(port))


class _Server:
    """One cluster. As root its programs run as the package's user, which they demand."""

    def __init__(self, programs: Path, home: Path, log: Path) -> None:
        self._programs, self._data, self._log = programs, home / "data", log
        self._user: pwd.struct_passwd | None = None
        if os.geteuid() == 0:
            try:
                self._user = pwd.getpwnam(_OWNER)
            except KeyError:
                raise Unavailable(f"the demo's PostgreSQL cannot run as root, and there is no user {_OWNER}") from None
            os.chown(home, self._user.pw_uid, self._user.pw_gid)

    @property
    def pin(self) -> str:
        """The digest of its certificate."""
        certificate = x509.load_pem_x509_certificate((self._data / "server.crt").read_bytes())
        return f"sha256:{sha256(certificate.public_bytes(Encoding.DER)).hexdigest()}"

    def make(self, passwords: Mapping[str, str]) -> None:
        """The cluster, its certificate, the logins and the table."""
        shutil.rmtree(self._data, ignore_errors=True)  # of a start that broke off
        self._run("initdb", "-D", str(self._data), "-U", _OWNER, "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        certificate, key = _certificate()
        for name, data in (("server.crt", certificate), ("server.key", key), ("pg_hba.conf", _HBA)):
            self._write(name, data)
        for database, script in ((_OWNER, _CLUSTER.format(**passwords)), (DATABASE, _TABLE)):
            self._run("postgres", "--single", "-D", str(self._data), database, script=script)

    def start(self, port: int) -> "subprocess.Popen[bytes]":
        """Until it lets in, on loopback and nowhere else: it listens a while before that."""
        settings = {
            "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "ssl": "on",
            "shared_buffers": "16MB", "log_min_messages": "fatal",
        }  # fmt: skip
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                [*self._as_user(), str(self._programs / "postgres"), "-D", str(self._data), *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                if self._lets_in():
                    return process
            time.sleep(0.05)
        process.kill()
        raise Unavailable(f"the demo's PostgreSQL did not start: {self._log.read_text(errors='replace')[-500:]}")

    def _lets_in(self) -> bool:
        """By the eighth line of postmaster.pid, as `pg_ctl --wait` (PostgreSQL, src/include/utils/pidfile.h)."""
        lines = (self._data / "postmaster.pid").read_text("utf-8").splitlines()
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _run(self, program: str, *arguments: str, script: str = "") -> None:
        done = subprocess.run(
            [*self._as_user(), str(self._programs / program), *arguments], input=script, capture_output=True, text=True,
            cwd="/", env={**os.environ, "LC_ALL": "C"}, timeout=START_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode or "ERROR" in done.stderr:
            raise Unavailable(f"the demo's PostgreSQL could not be made: {program}: {done.stderr[-500:]}")

    def _as_user(self) -> list[str]:
        if self._user is None:
            return []
        return ["setpriv", f"--reuid={self._user.pw_uid}", f"--regid={self._user.pw_gid}", "--clear-groups"]

    def _write(self, name: str, data: bytes) -> None:
        path = self._data / name
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)


def _home(folder: Path) -> Path:
    """Where the cluster lies: in the folder, or, as root, where the package's user can get to it."""
    if os.geteuid() != 0:
        return folder.resolve()
    kept = folder / "at"
    if kept.exists() and (home := Path(kept.read_text("utf-8"))).is_dir():
        return home
    (folder / "made").unlink(missing_ok=True)
    home = Path(tempfile.mkdtemp(prefix="onepam-demo-", dir="/var/tmp"))
    kept.write_text(str(home), "utf-8")
    return home


def _password(path: Path) -> str:
    password = token_urlsafe(24)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(password + "\n")
    return password


def _certificate() -> tuple[bytes, bytes]:
    """Of the server's own, and its key (PEM): it is known by its digest."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "demo database")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM), pem
