"""What a database's protocol needs of its process, beside the parts that all protocols share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ssl import SSLContext

from onepam.app.open_session import Opened
from onepam.gateway.entering import Proven, Unfit
from onepam.gateway.probes import Probes
from onepam.gateway.session import Gateway
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.sql.session_users import Users
from onepam.store.read.login_tokens import TokenHolder


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
