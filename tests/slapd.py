"""A real directory: OpenLDAP's slapd on loopback, as the user who runs the tests, with a certificate of a test CA."""

import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509

from onepam.egress.egress import Admitted, Egress
from tests.gateway.test_fetch import Authority

START_SECONDS = 120.0
SUFFIX = "dc=example,dc=com"
PEOPLE = f"ou=people,{SUFFIX}"
ADMIN, READER, BOUNDED = (f"cn={name},{SUFFIX}" for name in ("admin", "reader", "bounded"))
PASSWORD = "directory-secret"

_CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.3.6.1.4.1.55555.1.1 NAME 'firstDay' EQUALITY generalizedTimeMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.55555.1.2 NAME 'lastDay' EQUALITY generalizedTimeMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.55555.1.3 NAME 'accountExpires' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.55555.1.4 NAME 'sponsor' SUP distinguishedName )
objectclass ( 1.3.6.1.4.1.55555.2.1 NAME 'staff' SUP top AUXILIARY
  MAY ( firstDay $ lastDay $ accountExpires $ sponsor ) )
pidfile {folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
{tls}
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw {password}
directory {folder}/data
maxsize 67108864
dbnosync
access to attrs=userPassword by anonymous auth
access to * by * read
limits dn.exact="{reader}" size.soft=500 size.hard=500 size.prtotal=unlimited
limits dn.exact="{bounded}" size=100
"""
_TLS = """TLSCACertificateFile {ca}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {certificate}
"""


@dataclass(frozen=True, slots=True)
class Slapd:
    """A running directory."""

    port: int
    tls_port: int
    ca_file: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def egress(self) -> Egress:
        return Egress(tuple(Admitted.parse(f"127.0.0.1/32:{port}") for port in (self.port, self.tls_port)))

    def modify(self, ldif: str) -> None:
        """Changes entries."""
        command = ["ldapmodify", "-x", "-H", self.url, "-D", ADMIN, "-w", PASSWORD]
        subprocess.run(command, input=ldif.encode(), check=True, capture_output=True, timeout=START_SECONDS)


@contextmanager
def running_slapd(folder: Path, people: Iterable[str], tls: bool = True) -> Iterator[Slapd]:
    """A directory with these entries (LDIF); without `tls` it has no certificate and refuses StartTLS."""
    for each in ("ca", "data"):
        (folder / each).mkdir(parents=True)
    authority = Authority(folder / "ca")
    authority.server(x509.IPAddress(ip_address("127.0.0.1")))
    (certificate,) = set((folder / "ca").glob("*.pem")) - {authority.file}
    conf = folder / "slapd.conf"
    conf.write_text(
        _CONF.format(
            folder=folder,
            suffix=SUFFIX,
            admin=ADMIN,
            reader=READER,
            bounded=BOUNDED,
            password=PASSWORD,
            tls=_TLS.format(ca=authority.file, certificate=certificate) if tls else "",
        )
    )
    ldif = "\n".join((_base(), *people))
    added = subprocess.run(
        ["/usr/sbin/slapadd", "-q", "-f", conf], input=ldif.encode(), capture_output=True, timeout=60
    )
    assert added.returncode == 0, added.stderr.decode()
    port, tls_port = _free(), _free()
    urls = f"ldap://127.0.0.1:{port}" + (f" ldaps://127.0.0.1:{tls_port}" if tls else "")
    with (folder / "slapd.log").open("wb") as log:
        process = subprocess.Popen(["/usr/sbin/slapd", "-d", "0", "-f", conf, "-h", urls], stdout=log, stderr=log)
    try:
        for each in (port, *((tls_port,) if tls else ())):
            _wait(each, process, folder / "slapd.log")
        yield Slapd(port, tls_port, authority.file, process)
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def somebody(uid: str, number: str, *lines: str) -> str:
    """An entry in LDIF."""
    return "\n".join(
        (
            f"dn: uid={uid},{PEOPLE}",
            "objectClass: inetOrgPerson",
            "objectClass: staff",
            f"cn: {uid.capitalize()} Example",
            "sn: Example",
            f"mail: {uid}@example.com",
            f"employeeNumber: {number}",
            *lines,
            "",
        )
    )


def _base() -> str:
    accounts = (
        f"dn: {each}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: {name}\n"
        f"userPassword: {PASSWORD}\n"
        for name, each in (("reader", READER), ("bounded", BOUNDED))
    )
    return "\n".join(
        (
            f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n",
            *accounts,
            f"dn: {PEOPLE}\nobjectClass: organizationalUnit\nou: people\n",
        )
    )


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.02)
