"""PostgreSQL's two legs of a session: TLS on both, the vault's secret to the target, statements between them."""

from asyncio import Future
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from onepam.app.open_session import Opened
from onepam.gateway.entering import Proven, Unfit
from onepam.gateway.recorder import Recorder
from onepam.gateway.session import Legs
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.postgres import guarding, session_users
from onepam.protocols.postgres.dial import TargetLeg, Who, dial
from onepam.protocols.postgres.keys import Keys
from onepam.protocols.postgres.looking import look_up
from onepam.protocols.postgres.person import PersonLeg
from onepam.protocols.postgres.relay import Relay
from onepam.protocols.sql.asker import Asker
from onepam.protocols.sql.guarding import asks, guarded, looks, waits
from onepam.protocols.sql.session import DatabaseGateway
from onepam.protocols.sql.session_users import Account, as_made
from onepam.protocols.sql.target import Where

DIAL_SECONDS = 30.0
"""How long a target may take until it lets us in: a busy machine, ours or the target's, takes its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresGateway(DatabaseGateway):
    """`judge` says who is behind a certificate (DER) of which the client has the key."""

    judge: Callable[[bytes], Proven | Unfit | Refused]
    keys: Keys


class PostgresLegs(Legs[TargetLeg, Relay]):
    """The legs of one client's connection. `parameters` are those of its start, without `user`."""

    protocol = "postgres"

    def __init__(self, gateway: PostgresGateway, client: PersonLeg, parameters: Mapping[str, str]) -> None:
        self.client: PersonLeg = client
        self._gateway = gateway
        self._parameters = parameters

    async def dial(self, opened: Opened, address: str) -> TargetLeg | Refused:
        parameters = guarding.start({"database": opened.login, **self._parameters}, guarded(opened))
        if isinstance(parameters, Refused):
            return parameters
        where = Where.of(address, opened.port, opened.address, opened.pins)
        if isinstance(where, Refused):  # no secret is leased for nothing
            return where
        there = await (self._as_made if opened.making is not None else self._as_login)(opened, where, parameters)
        if isinstance(there, Refused) or opened.mask is None or not looks(opened):
            return there
        try:
            known = await look_up(there, opened.mask.columns)
        except BaseException:
            there.cut()
            raise
        if isinstance(known, Refused):
            there.cut()
            return known
        there.catalogue = known
        return there

    async def _as_login(self, opened: Opened, where: Where, parameters: Mapping[str, str]) -> TargetLeg | Refused:
        secret = await self._gateway.lease(opened)
        if isinstance(secret, Refused):
            return secret
        return await dial(where, Who(opened.login, parameters, secret), DIAL_SECONDS)

    async def _as_made(self, opened: Opened, where: Where, parameters: Mapping[str, str]) -> TargetLeg | Refused:
        gateway = self._gateway

        def as_user(name: str, password: Secret, account: Account) -> Awaitable[TargetLeg | Refused]:
            return dial(where, Who(name, parameters, password), DIAL_SECONDS)

        return await as_made(gateway.shared, gateway.users, session_users, opened, where, as_user)

    def relay(self, opened: Opened, target: "Future[TargetLeg | Refused]", recorder: Recorder) -> Relay:
        shared, allowance = self._gateway.shared, partial(guarding.of_session, opened)
        path = " ".join(f"{name}={each}" for name, each in self._parameters.items() if "search_path" in f"{name}{each}")
        asker = Asker(shared, opened.session, path, waits(opened)) if asks(opened) else None
        return Relay(self.client, target, recorder, allowance, self._gateway.keys, shared.tasks, asker)
