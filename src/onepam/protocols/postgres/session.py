"""PostgreSQL's two legs of a session: TLS on both, the vault's secret to the target, statements between them."""

from asyncio import Future
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ssl import SSLContext

from onepam.app.open_session import Opened
from onepam.domain.access.guardrails import StatementClass
from onepam.gateway.entering import Proven
from onepam.gateway.recorder import Recorder
from onepam.gateway.session import Gateway, Legs
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.postgres.dial import TargetLeg, Where, Who, dial
from onepam.protocols.postgres.events import Allowance
from onepam.protocols.postgres.keys import Keys
from onepam.protocols.postgres.person import PersonLeg
from onepam.protocols.postgres.relay import Relay
from onepam.protocols.postgres.tls import Pins

_CHANGES = {StatementClass.WRITE, StatementClass.DDL, StatementClass.GRANT}

DIAL_SECONDS = 30.0
"""How long a target may take until it lets us in: a busy machine, ours or the target's, takes its time."""


@dataclass(frozen=True, slots=True)
class PostgresGateway:
    """What PostgreSQL needs beside the parts that all protocols share. `shown` gives the certificate that the listener
    shows now. `prove` says who is behind a login token that came from an address, `lease` hands out the secret for a
    session's login. `name` is the gateway's, below which clients may ask for a resource by the name of the server."""

    shared: Gateway
    shown: Callable[[], SSLContext]
    prove: Callable[[str, str], Awaitable[Proven | Refused]]
    lease: Callable[[Opened], Awaitable[Secret | Refused]]
    keys: Keys
    name: str


class PostgresLegs(Legs[TargetLeg, Relay]):
    """The legs of one client's connection. `parameters` are those of its start, without `user`."""

    protocol = "postgres"

    def __init__(self, gateway: PostgresGateway, client: PersonLeg, parameters: Mapping[str, str]) -> None:
        self.client: PersonLeg = client
        self._gateway = gateway
        self._parameters = parameters

    async def dial(self, opened: Opened, address: str) -> TargetLeg | Refused:
        secret = await self._gateway.lease(opened)
        if isinstance(secret, Refused):
            return secret
        try:
            pins = Pins.of(opened.pins)
        except ValueError as error:
            return Refused("target.certificate", f"what is pinned of the target cannot be read: {error}")
        where = Where(address, opened.port, opened.address, pins)
        parameters = {"database": opened.login, **self._parameters, **forced(opened)}
        return await dial(where, Who(opened.login, parameters, secret), DIAL_SECONDS)

    def relay(self, opened: Opened, target: "Future[TargetLeg | Refused]", recorder: Recorder) -> Relay:
        shared = self._gateway.shared
        return Relay(self.client, target, recorder, allowance(opened), self._gateway.keys, shared.tasks)


def forced(opened: Opened) -> dict[str, str]:
    """Settings of the target's session by which it helps to keep guardrails; a client's own of these names give way."""
    guardrails = opened.guardrails
    if guardrails is None:
        return {}
    found = {}
    if guardrails.timeout is not None:
        found["statement_timeout"] = str(max(1, guardrails.timeout // 1000))  # milliseconds
    if not _CHANGES & {*guardrails.statements}:
        found["default_transaction_read_only"] = "on"
    return found


def allowance(opened: Opened) -> Allowance:
    """What a permit lets through. Statements of which nothing is known do not run where there are guardrails."""
    guardrails = opened.guardrails
    if guardrails is None:
        return Allowance()
    return Allowance(frozenset(guardrails.statements), guardrails.rows, _unknown)


def _unknown(sql: str) -> frozenset[str] | None:
    """Nothing is known of any statement."""
    return None
