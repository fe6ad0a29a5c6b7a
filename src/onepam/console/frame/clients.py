"""What a person pastes to reach a resource: the command of its kind's client, and what other clients are told."""

import shlex
from dataclasses import dataclass
from urllib.parse import quote

from onepam.console.frame.services import ConsoleServices
from onepam.domain.access.model import Action, ResourceKind

ROOT_FILE = "onepam-databases.pem"
"""As the browser keeps the root of `ROOT_PATH`; the lines name it, so they are run where it lies."""

ROOT_PATH = "/databases/root.pem"


@dataclass(frozen=True, slots=True)
class Lines:
    """`command` to paste, and of others [word, text]. `once`: what a client needs to have before, likewise. `token`: it
    asks for a login token as the password. `name` is the command's own."""

    command: str
    once: tuple[tuple[str, str], ...] = ()
    more: tuple[tuple[str, str], ...] = ()
    token: bool = False
    name: str = ""


def lines(services: ConsoleServices, kind: str, login: str, resource: str, actions: tuple[Action, ...] = ()) -> Lines:
    """Of one login. Without a command where the gateway does not listen for such clients."""
    match ResourceKind(kind):
        case ResourceKind.SSH:
            return _ssh(services, login, resource, actions)
        case ResourceKind.POSTGRES:
            return _postgres(services, login, resource) if services.postgres[1] else Lines("")
        case ResourceKind.MYSQL:
            return _mysql(services, login, resource) if services.mysql[1] else Lines("")


def _ssh(services: ConsoleServices, login: str, resource: str, actions: tuple[Action, ...]) -> Lines:
    scp = services.scp_words(login, resource)
    if actions == (Action.SFTP,):
        return Lines(scp)
    return Lines(services.ssh_words(login, resource), more=(("scp", scp),) if Action.SFTP in actions else ())


def _postgres(services: ConsoleServices, login: str, resource: str) -> Lines:
    (host, port), user = services.postgres, f"{login}@{resource}"
    said = user.replace("\\", "\\\\")  # libpq, "Connection Strings": a backslash escapes
    ours = bool(services.database_root())  # of an operator's own certificate, clients know the root already
    words = f"host={host} port={port} user={said} dbname=DATABASE sslmode=verify-full"
    asked = f"user={quote(user, safe='')}&sslmode=verify-full"
    settings = f"host {host}, port {port}, user {user}, SSL verify-full"
    more = (
        ("JDBC", f"jdbc:postgresql://{host}:{port}/DATABASE?{asked}{f'&sslrootcert={ROOT_FILE}' * ours}"),
        ("DBeaver", settings + f" with the CA certificate {ROOT_FILE}" * ours),
    )
    once = _once(services, ours)
    return Lines(f"psql {shlex.quote(words + f' sslrootcert={ROOT_FILE}' * ours)}", once, more, True, "psql")


def _mysql(services: ConsoleServices, login: str, resource: str) -> Lines:
    (host, port), user = services.mysql, f"{login}@{resource}"
    ours = bool(services.database_root())
    words = [
        "mariadb", f"--host={host}", f"--port={port}", f"--user={user}", "--ssl-verify-server-cert", "--password"
    ]  # fmt: skip
    words += [f"--ssl-ca={ROOT_FILE}"] if ours else []
    jdbc = f"jdbc:mysql://{host}:{port}/DATABASE?user={quote(user, safe='')}&sslMode=VERIFY_IDENTITY"
    settings = f"host {host}, port {port}, user {user}, TLS with verification"
    more = (("JDBC", jdbc), ("DBeaver", settings + f" by the CA certificate {ROOT_FILE}" * ours))
    return Lines(shlex.join(words), _once(services, ours), more, True, "mariadb")


def _once(services: ConsoleServices, ours: bool) -> tuple[tuple[str, str], ...]:
    """The root certificate, where it is of our own authority."""
    return (("Once: the root certificate", f"curl -o {ROOT_FILE} {services.origin}{ROOT_PATH}"),) if ours else ()
