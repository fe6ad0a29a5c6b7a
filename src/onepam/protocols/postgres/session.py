"""PostgreSQL's two legs of a session: TLS on both, the vault's secret to the target, statements between them."""

from asyncio import Future
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ssl import SSLContext

from onepam.app.open_session import Opened
from onepam.gateway.entering import Proven, Unfit
from onepam.gateway.probes import Probes
from onepam.gateway.recorder import Recorder
from onepam.gateway.session import Gateway, Legs
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.postgres import guarding
from onepam.protocols.postgres.dial import TargetLeg, Where, Who, dial
from onepam.protocols.postgres.keys import Keys
from onepam.protocols.postgres.person import PersonLeg
from onepam.protocols.postgres.relay import Relay
from onepam.store.read.login_tokens import TokenHolder

DIAL_SECONDS = 30.0
"""How long a target may take until it lets us in: a busy machine, ours or the target's, takes its time."""


@dataclass(frozen=True, slots=True)
class PostgresGateway:
    """What PostgreSQL needs beside the parts that all protocols share. `shown` gives the certificate that the listener
    shows now. `prove` says who is behind a login token that came from an address, `judge` who behind a certificate
    (DER) of which the client has the key; `lease` hands out the secret for a session's login. `name` is the gateway's,
    below which clients may ask for a resource by the name of the server. `find_token` says by the digest of its secret
    whose login token it is, for probes."""

    shared: Gateway
    shown: Callable[[], SSLContext]
    prove: Callable[[str, str], Awaitable[Proven | Unfit | Refused]]
    judge: Callable[[bytes], Proven | Unfit | Refused]
    lease: Callable[[Opened], Awaitable[Secret | Refused]]
    keys: Keys
    name: str
    probes: Probes
    find_token: Callable[[str], Awaitable[TokenHolder | None]]


class PostgresLegs(Legs[TargetLeg, Relay]):
    """The legs of one client's connection. `parameters` are those of its start, without `user`."""

    protocol = "postgres"

    def __init__(self, gateway: PostgresGateway, client: PersonLeg, parameters: Mapping[str, str]) -> None:
        self.client: PersonLeg = client
        self._gateway = gateway
        self._parameters = parameters

    async def dial(self, opened: Opened, address: str) -> TargetLeg | Refused:
        parameters = guarding.start({"database": opened.login, **self._parameters}, opened.guardrails)
        if isinstance(parameters, Refused):
            return parameters
        where = Where.of(address, opened.port, opened.address, opened.pins)
        if isinstance(where, Refused):  # no secret is leased for nothing
            return where
        secret = await self._gateway.lease(opened)
        if isinstance(secret, Refused):
            return secret
        return await dial(where, Who(opened.login, parameters, secret), DIAL_SECONDS)

    def relay(self, opened: Opened, target: "Future[TargetLeg | Refused]", recorder: Recorder) -> Relay:
        shared = self._gateway.shared
        return Relay(
            self.client, target, recorder, guarding.allowance(opened.guardrails), self._gateway.keys, shared.tasks
        )
