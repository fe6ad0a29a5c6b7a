"""What a database's protocol needs of its process, beside the parts that all protocols share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ssl import SSLContext
from typing import Protocol

from onepam.app.open_session import Opened
from onepam.domain.sessions.session_users import SessionUserMade
from onepam.gateway.entering import Proven, Unfit
from onepam.gateway.probes import Probes
from onepam.gateway.session import Gateway
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.sql.target import Where
from onepam.store.read.login_tokens import TokenHolder


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a server that makes users for sessions, and its secret."""

    login: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class SessionUser:
    """A user that stands in the ledger as made, of which the server is to hear now."""

    made: SessionUserMade
    account: Account


class Users(Protocol):
    """The users that are made for sessions of this process."""

    async def begin(self, opened: Opened, name: str) -> SessionUser | Refused:
        """Enters that the user is to be made. `over` comes after it, whatever came of it."""

    async def over(self, name: str, where: Where, begun: SessionUser | None) -> None:
        """Nothing goes to the target as this user any more: drops it at the server where it was made. Never raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseGateway:
    """`shown` gives the certificate that the listener shows now. `prove` says who is behind a login token that came
    from an address; `lease` hands out the secret for a session's login. `name` is the gateway's, below which clients
    may ask for a resource by the name of the server. `find_token` says by the digest of its secret whose login token it
    is, for probes. `users` makes them for sessions, and drops them."""

    shared: Gateway
    shown: Callable[[], SSLContext]
    prove: Callable[[str, str], Awaitable[Proven | Unfit | Refused]]
    lease: Callable[[Opened], Awaitable[Secret | Refused]]
    name: str
    probes: Probes
    find_token: Callable[[str], Awaitable[TokenHolder | None]]
    users: Users
