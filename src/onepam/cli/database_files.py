"""Ordinary files of PostgreSQL's clients: a key, a certificate of hours, the gateway's root, and `pg_service.conf`."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from shlex import quote
from typing import Any

from onepam.cli.home import Home
from onepam.cli.show import UNAVAILABLE, stop

BEGIN = "# >>> onepam: written by onepam login; changes between these lines are lost at the next one"
END = "# <<< onepam"

_HOST = re.compile(r"[A-Za-z0-9_.:-]{1,253}", re.ASCII)
_NAME = re.compile(r"[\x21-\x5a\x5c\x5e-\x7e]{1,128}", re.ASCII)
"""Of a service, a login or a resource: no space, and no bracket, which would end a section's name."""
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]{1,8000}-----END CERTIFICATE-----\n", re.ASCII)

Database = tuple[str, str]
"""A login and the resource where it is."""


def new_key() -> tuple[str, str]:
    """A fresh key of P-256: the private key, and the public one, as PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode("ascii"), public.decode("ascii")


def databases(access: dict[str, Any]) -> list[Database]:
    """Those of a catalogue (`GET /access`), open or to be asked for, once each."""
    found = [*access["open"], *access["requestable"]]
    return sorted({(str(each["login"]), str(each["resource"])) for each in found if each["kind"] == "postgres"})


def write_databases(home: Home, private: str, given: dict[str, Any], found: Iterable[Database]) -> None:
    """Writes all files for what the API gave (`POST /cli/database-certificate`), and refreshes a block in the person's
    own file where there is one."""
    if not _PEM.fullmatch(given["certificate"]):
        stop(UNAVAILABLE, "The gateway sent what is no certificate.", "Tell its administrator.")
    home.write(home.database_key, private)
    home.write(home.database_certificate, given["certificate"])
    root = write_root(home, given["root"])
    text = "\n".join(_service(home, name, each, given, root) for name, each in named(found).items())
    home.write(home.services, f"{BEGIN}\n{text}{END}\n")
    if is_configured(home):
        configure(home)


def write_root(home: Home, root: str) -> bool:
    """Writes the root by which the gateway is known; whether there is one of its own."""
    if not root:
        home.database_root.unlink(missing_ok=True)
        return False
    if not _PEM.fullmatch(root):
        stop(UNAVAILABLE, "The gateway sent what is no certificate.", "Tell its administrator.")
    home.write(home.database_root, root)
    return True


def named(found: Iterable[Database]) -> dict[str, Database]:
    """By the name of the service, RESOURCE-LOGIN; where that would be two, LOGIN@RESOURCE."""
    known: dict[str, list[Database]] = {}
    for login, resource in found:
        if _NAME.fullmatch(f"{login}@{resource}"):
            known.setdefault(f"{resource}-{login}", []).append((login, resource))
    return {
        name if len(those) == 1 else f"{login}@{resource}": (login, resource)
        for name, those in known.items()
        for login, resource in those
    }


def service_command(home: Home, login: str, resource: str) -> str:
    """The line that opens a database by its service, but for the name of the database on the server; empty where no
    service was written for it."""
    try:
        lines = home.services.read_text("utf-8").splitlines()
    except OSError:
        return ""
    if f"user={login}@{resource}" not in lines:
        return ""
    name = next(line for line in reversed(lines[: lines.index(f"user={login}@{resource}")]) if line[:1] == "[")[1:-1]
    config = "" if is_configured(home) else f"PGSERVICEFILE={quote(str(home.services))} "
    return f"{config}psql {quote(f'service={name} dbname=DATABASE')}"


def user_services() -> Path:
    """The person's own file of services (libpq, "The Connection Service File")."""
    return Path(os.environ.get("PGSERVICEFILE") or "~/.pg_service.conf").expanduser()


def is_configured(home: Home) -> bool:
    """Whether clients find the services without being told."""
    path = user_services()
    if path == home.services:
        return True
    try:
        return BEGIN in path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return False


def configure(home: Home) -> None:
    """Puts our services into the person's own file, in the place of those that were there."""
    path = user_services()
    if path == home.services:
        return
    path = path.resolve()  # a link stays a link
    before = path.read_text("utf-8", "surrogateescape") if path.exists() else ""
    block = re.compile(rf"^{re.escape(BEGIN)}$.*?^{re.escape(END)}$\n?", re.DOTALL | re.MULTILINE)
    kept = block.sub("", before)
    text = kept + ("\n" if kept and not kept.endswith("\n") else "") + home.services.read_text("utf-8")
    beside = path.with_name(f".{path.name}.onepam")
    beside.write_text(text, "utf-8", "surrogateescape")
    beside.chmod(path.stat().st_mode & 0o777 if before else 0o600)
    beside.replace(path)


def _service(home: Home, name: str, database: Database, given: dict[str, Any], root: bool) -> str:
    host, port, (login, resource) = str(given["host"]), int(given["port"]), database
    if not (_HOST.fullmatch(host) and 0 < port < 65536):
        stop(UNAVAILABLE, "The gateway sent what does not fit a service of PostgreSQL.", "Tell its administrator.")
    lines = (
        f"[{name}]",
        f"host={host}",
        f"port={port}",
        f"user={login}@{resource}",
        "sslmode=verify-full",
        *((f"sslrootcert={home.database_root}",) if root else ()),
        f"sslcert={home.database_certificate}",
        f"sslkey={home.database_key}",
        "",
    )
    return "\n".join(lines)
