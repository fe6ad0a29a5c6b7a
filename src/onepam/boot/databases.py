"""The listener for databases: what it shows, and whom it asks."""

import secrets
from base64 import b64decode
from contextlib import ExitStack, closing
from pathlib import Path
from ssl import SSLContext
from typing import TYPE_CHECKING, Protocol

from onepam.app.open_session import Opened
from onepam.app.sessions.target_secrets import lease_secret
from onepam.boot.clock import wall_clock
from onepam.boot.config import Config
from onepam.boot.doors import bound
from onepam.boot.login_tokens import proven_by_certificate, proven_by_token
from onepam.domain.access.model import ResourceKind
from onepam.domain.sessions.events import EntryPoint
from onepam.domain.sessions.target_secrets import Kept, about
from onepam.gateway.listener import Listener
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt, Refused
from onepam.kernel.secret import Secret
from onepam.protocols.mysql import dial as mysql_dial
from onepam.protocols.mysql import serve as mysql_serve
from onepam.protocols.mysql.session import MysqlGateway
from onepam.protocols.mysql.startup import NOBODY
from onepam.protocols.mysql.threads import Threads
from onepam.protocols.postgres import dial as postgres_dial
from onepam.protocols.postgres import serve as postgres_serve
from onepam.protocols.postgres.inner import Inner
from onepam.protocols.postgres.keys import Keys
from onepam.protocols.postgres.session import PostgresGateway
from onepam.protocols.sql.shown import Issued, OfFiles
from onepam.protocols.sql.target import TargetLeg, Where
from onepam.store.read.login_tokens import token_holder
from onepam.store.read.target_secrets import dialled
from onepam.vault.authorities import Authorities
from onepam.vault.database_authority import ServerCertificate

TRY_SECONDS = 15.0
"""How long a target may take to let a new secret in."""

if TYPE_CHECKING:
    from onepam.boot.platform import Platform


class Shown(Protocol):
    """The certificate that the listener shows now."""

    def __call__(self) -> SSLContext: ...


def shown(config: Config, authorities: Authorities) -> Shown:
    """An operator's own certificate where there is one, else ours for the gateway's name and what is below it. Raises
    `BadConfig`, or `Unavailable` where the operator's cannot be used."""
    clients = authorities.database_client(wall_clock()).root
    if (files := config.postgres_tls) is not None:
        return OfFiles(Path(files[0]), Path(files[1]), clients, wall_clock)
    authority, name = authorities.database(wall_clock()), config.gateway_name
    names = (name,) if name.replace(".", "").isdigit() or ":" in name else (name, f"*.{name}")

    def issue(at: Instant) -> ServerCertificate:
        return authority.issue(names, at)

    return Issued(issue, clients, wall_clock)


def root(config: Config, authorities: Authorities) -> bytes:
    """The certificate (PEM) by which clients know the listener; empty where it shows an operator's own."""
    return b"" if config.postgres_tls is not None else authorities.database(wall_clock()).root


def known_by(config: Config, authorities: Authorities) -> bytes:
    """The certificate (PEM) that the listener shows, or the root of it; for whoever asks it from this process."""
    files = config.postgres_tls
    return Path(files[0]).read_bytes() if files is not None else root(config, authorities)


def databases(platform: "Platform", parts: ExitStack) -> tuple[Listener, ...]:
    """Listens, where the configuration says so; the listeners are closed with `parts`. Raises `Unavailable`."""
    config, doors = platform.config, platform.doors
    found: list[Listener] = []
    if config.postgres_port:
        socket = parts.enter_context(closing(bound("PostgreSQL", config.postgres_host, config.postgres_port)))
        gateway = _postgres(platform)
        found.append(postgres_serve.listen(socket, gateway, doors.postgres, doors.turns, config.silent_seconds))
        platform.queries.connect = Inner(gateway, doors.postgres, doors.turns).connect
        parts.callback(found[-1].close)
    if config.mysql_port:
        socket = parts.enter_context(closing(bound("MySQL", config.mysql_host, config.mysql_port)))
        found.append(mysql_serve.listen(socket, _mysql(platform), doors.mysql, doors.turns, config.silent_seconds))
        parts.callback(found[-1].close)
    return tuple(found)


def _postgres(platform: "Platform") -> PostgresGateway:
    config = platform.config
    return PostgresGateway(
        shared=platform.gateway,
        shown=shown(config, platform.authorities),
        prove=lambda token, source: proven_by_token(platform.reader, token, source),
        judge=lambda presented: proven_by_certificate(platform.authorities, presented),
        lease=lambda opened: _leased(platform, opened),
        keys=Keys(secrets.token_bytes),
        name=config.gateway_name,
        users=platform.session_users,
        probes=platform.probes,
        find_token=lambda digest: platform.reader(token_holder, None, digest),
    )


def _mysql(platform: "Platform") -> MysqlGateway:
    config, entry = platform.config, EntryPoint.MYSQL_TOKEN
    return MysqlGateway(
        shared=platform.gateway,
        shown=shown(config, platform.authorities),
        prove=lambda token, source: proven_by_token(platform.reader, token, source, entry),
        lease=lambda opened: _leased(platform, opened),
        threads=Threads(),
        name=config.gateway_name,
        users=platform.session_users,
        version=config.mysql_version,
        probes=platform.probes,
        find_token=lambda digest: platform.reader(token_holder, None, digest),
    )


async def _leased(platform: "Platform", opened: Opened) -> Secret | Refused:
    """The vault's secret for the session's login, and that the session was given it."""
    leased = await lease_secret(platform.ledger, opened.session, opened.resource, opened.login)
    if isinstance(leased, Refused):
        return leased
    kept = Kept(leased.secret, leased.version)
    try:
        return platform.envelope.open(b64decode(leased.sealed), about(kept, opened.resource, opened.login))
    except (Corrupt, ValueError):
        words = f"what the vault holds for {opened.login} on {opened.resource} is not version {kept.version} of it"
        return Refused("target.secret", words)


async def tried(platform: "Platform", resource: str, login: str, secret: Secret) -> Refused | None:
    """Signs in at a resource with a secret, and leaves at once; None where that worked, else why not."""
    where = await platform.reader(dialled, None, resource)
    if where is None:
        return Refused("resource.unknown", f"There is no resource {resource}.")
    kind, name, port, pinned = where
    address = await platform.gateway.resolve(name, port)
    if isinstance(address, Refused):
        return address
    target = Where.of(address, port, name, pinned)
    if isinstance(target, Refused):
        return target
    leg: TargetLeg | Refused
    if kind == ResourceKind.MYSQL:
        leg = await mysql_dial.dial(target, mysql_dial.Who(login, NOBODY, secret), TRY_SECONDS)
    else:
        leg = await postgres_dial.dial(target, postgres_dial.Who(login, {"database": "postgres"}, secret), TRY_SECONDS)
    if isinstance(leg, Refused):
        return leg
    leg.close()
    return None
