"""The listener for databases: what it shows, and whom it asks."""

import secrets
from contextlib import ExitStack, closing
from pathlib import Path
from ssl import SSLContext
from typing import TYPE_CHECKING, Protocol

from onepam.app.open_session import Opened
from onepam.boot.clock import wall_clock
from onepam.boot.config import Config
from onepam.boot.doors import bound
from onepam.boot.login_tokens import proven_by_token
from onepam.gateway.listener import Listener
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.postgres.keys import Keys
from onepam.protocols.postgres.serve import listen
from onepam.protocols.postgres.session import PostgresGateway
from onepam.protocols.postgres.shown import Issued, OfFiles
from onepam.vault.authorities import Authorities
from onepam.vault.database_authority import ServerCertificate

if TYPE_CHECKING:
    from onepam.boot.platform import Platform


class Shown(Protocol):
    """The certificate that the listener shows now."""

    def __call__(self) -> SSLContext: ...


def shown(config: Config, authorities: Authorities) -> Shown:
    """An operator's own certificate where there is one, else ours for the gateway's name and what is below it. Raises
    `BadConfig`, or `Unavailable` where the operator's cannot be used."""
    if (files := config.postgres_tls) is not None:
        return OfFiles(Path(files[0]), Path(files[1]), wall_clock)
    authority, name = authorities.database(wall_clock()), config.gateway_name
    names = (name,) if name.replace(".", "").isdigit() or ":" in name else (name, f"*.{name}")

    def issue(at: Instant) -> ServerCertificate:
        return authority.issue(names, at)

    return Issued(issue, wall_clock)


def databases(platform: "Platform", parts: ExitStack) -> Listener | None:
    """Listens, where the configuration says so; the socket is closed with `parts`. Raises `Unavailable`."""
    config = platform.config
    if not config.postgres_port:
        return None
    gateway = PostgresGateway(
        shared=platform.gateway,
        shown=shown(config, platform.authorities),
        prove=lambda token, source: proven_by_token(platform.reader, token, source),
        lease=lambda opened: _leased(platform, opened),
        keys=Keys(secrets.token_bytes),
        name=config.gateway_name,
    )
    socket = parts.enter_context(closing(bound("PostgreSQL", config.postgres_host, config.postgres_port)))
    doors = platform.doors
    return listen(socket, gateway, doors.postgres, doors.turns, config.ssh_silent_seconds)


async def _leased(platform: "Platform", opened: Opened) -> Secret | Refused:
    """The vault holds no secret yet."""
    return Refused("target.secret", f"the vault holds no secret for {opened.login} on {opened.resource}")
