"""A real PostgreSQL of the test's own with TLS, as Debian installs it, that lets logins in by different ways."""

import hashlib
import os
import pwd
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.targets import free_port

PASSWORD = "canary of the vault: nobody sees it"
PROGRAMS = Path("/usr/lib/postgresql")

_HBA = """
local all all trust
hostssl all md5er all md5
hostssl all plainer all password
hostssl all truster all trust
hostssl all certer all cert
hostssl all all all scram-sha-256
hostnossl all all all reject
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: bytes
    key: bytes

    @property
    def pin(self) -> str:
        """The digest of the certificate."""
        return "sha256:" + hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate.decode())).hexdigest()


def pair(name: str, by: Pair | None = None, *, authority: bool = False) -> Pair:
    """A certificate for a name, by an authority, or by itself; made for a day."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = x509.load_pem_x509_certificate(by.certificate).subject if by else subject
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )  # fmt: skip
    if not authority:
        names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        made = made.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    signer = _key(by) if by else key
    certificate = made.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)
    return Pair(certificate, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _key(of: Pair) -> ec.EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    found = load_pem_private_key(of.key, None)
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    return found


class Server:
    """A running PostgreSQL. Logins with `PASSWORD`: `app` and every other by SCRAM, `md5er`, `plainer`; `truster` by
    nothing; `certer` by a certificate of the authority."""

    def __init__(
        self, folder: Path, authority: Pair, shown: Pair, port: int, *, tls: bool, programs: tuple[Path, ...] = ()
    ) -> None:
        self.folder, self.authority, self.shown, self.port = folder, authority, shown, port
        self._programs = (*programs, max(PROGRAMS.glob("*/bin"), key=lambda each: int(each.parent.name)))
        self._run_as: list[str] = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
            self._run_as = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        self.data, self._tls = folder / "data", tls

    @property
    def pid(self) -> int:
        """Of the postmaster."""
        return int((self.data / "postmaster.pid").read_text("ascii").split()[0])

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def run(self, program: str, *arguments: str, stdin: str = "") -> str:
        found = next(each / program for each in self._programs if (each / program).exists())
        done = subprocess.run(
            [*self._run_as, str(found), *arguments], input=stdin, cwd="/", capture_output=True,
            text=True, timeout=240, check=False, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(f"{program} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def sql(self, script: str) -> str:
        """What the server answers to its owner, over its socket."""
        options = ("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres")
        return self.run("psql", *options, "-h", str(self.folder), "-p", str(self.port), stdin=script)

    def start(self) -> None:
        self.run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        self._write("server.crt", self.shown.certificate)
        self._write("server.key", self.shown.key)
        self._write("root.crt", self.authority.certificate)
        self._write("pg_hba.conf", _HBA.encode())
        settings = {
            "listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": str(self.folder),
            "fsync": "off", "ssl": "on" if self._tls else "off", "ssl_ca_file": "root.crt", "max_connections": "300",
            "log_connections": "on", "log_statement": "all", "shared_buffers": "32MB",
        }  # fmt: skip
        lines = [f"{name} = '{value}'" for name, value in settings.items()]
        self._write("postgresql.auto.conf", "\n".join(lines).encode())
        self.again()
        made = "".join(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}';\n" for name in ("app", "plainer", "certer"))
        made += f"SET password_encryption = 'md5'; CREATE ROLE md5er LOGIN PASSWORD '{PASSWORD}';\n"
        self.sql(f"{made} CREATE ROLE truster LOGIN; GRANT CREATE ON SCHEMA public TO app; CREATE DATABASE app;")

    def again(self) -> None:
        """Starts it, also after a stop."""
        self.run("pg_ctl", "-D", str(self.data), "-w", "-t", "120", "-l", str(self.folder / "log"), "start")

    def _write(self, name: str, data: bytes) -> None:
        path = self.data / name
        path.write_bytes(data)
        path.chmod(0o600)
        if self._run_as:
            user = pwd.getpwnam("postgres")
            os.chown(path, user.pw_uid, user.pw_gid)

    def stop(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.run("pg_ctl", "-D", str(self.data), "-w", "-t", "120", "-m", "immediate", "stop")


@contextmanager
def running_server(*, tls: bool = True, port: int = 0, programs: tuple[Path, ...] = ()) -> Iterator[Server]:
    """A server on a free port of loopback; as root it runs as the package's user. `programs` are the folders of
    another one's, before Debian's."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path has 107 characters at most
    authority = pair("the test's authority", authority=True)
    server = Server(folder, authority, pair("localhost", authority), port or free_port(), tls=tls, programs=programs)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
