"""MySQL's two legs of a session: TLS on both, the vault's secret to the target, statements between them."""

from asyncio import Future
from dataclasses import dataclass, replace
from functools import partial

from onepam.app.open_session import Opened
from onepam.domain.access.guardrails import StatementClass
from onepam.domain.access.model import Action
from onepam.gateway.recorder import Recorder
from onepam.gateway.session import Legs
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.mysql import guarding, session_users
from onepam.protocols.mysql.dial import TargetLeg, Who, dial
from onepam.protocols.mysql.looking import look_up
from onepam.protocols.mysql.person import PersonLeg
from onepam.protocols.mysql.relay import Relay
from onepam.protocols.mysql.startup import Start
from onepam.protocols.mysql.threads import Threads
from onepam.protocols.mysql.wire import Can
from onepam.protocols.sql.asker import Asker
from onepam.protocols.sql.guarding import asks, guarded, looks, waits
from onepam.protocols.sql.session import DatabaseGateway
from onepam.protocols.sql.session_users import Account, as_made
from onepam.protocols.sql.target import Where

DIAL_SECONDS = 30.0
"""How long a target may take until it lets us in: a busy machine, ours or the target's, takes its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MysqlGateway(DatabaseGateway):
    """`version` is the one that the listener claims, before it knows where a client goes."""

    threads: Threads
    version: str


class MysqlLegs(Legs[TargetLeg, Relay]):
    """The legs of one client's connection, which came with `asked`."""

    protocol = "mysql"

    def __init__(self, gateway: MysqlGateway, client: PersonLeg, asked: Start) -> None:
        self.client: PersonLeg = client
        self._gateway, self._asked = gateway, replace(asked, password=b"")

    async def dial(self, opened: Opened, address: str) -> TargetLeg | Refused:
        refused = guarding.unfit(self._asked, guarded(opened), opened.mask)
        if refused is not None:
            return refused
        where = Where.of(address, opened.port, opened.address, opened.pins)
        if isinstance(where, Refused):  # no secret is leased for nothing
            return where
        there = await (self._as_made if opened.making is not None else self._as_login)(opened, where)
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

    async def _as_login(self, opened: Opened, where: Where) -> TargetLeg | Refused:
        secret = await self._gateway.lease(opened)
        return secret if isinstance(secret, Refused) else await self._as(opened, where, opened.login, secret)

    async def _as_made(self, opened: Opened, where: Where) -> TargetLeg | Refused:
        gateway = self._gateway

        async def as_user(name: str, password: Secret, account: Account) -> TargetLeg | Refused:
            there = await self._as(opened, where, name, password)
            if isinstance(there, TargetLeg):
                there.stopped_by = partial(session_users.stop, where, account, name, there)
            return there

        return await as_made(gateway.shared, gateway.users, session_users, opened, where, as_user)

    async def _as(self, opened: Opened, where: Where, login: str, secret: Secret) -> TargetLeg | Refused:
        rails, asked = guarded(opened), self._asked
        if Action.LOCAL_FILES not in opened.actions:  # the server itself refuses it to who cannot
            asked = replace(asked, can=asked.can & ~Can.LOCAL_FILES)
        settings = partial(guarding.settings, asked, rails, opened.mask)
        several = rails is None or StatementClass.SEVERAL in rails.runs() | rails.asks()
        return await dial(where, Who(login, asked, secret, settings, several), DIAL_SECONDS)

    def relay(self, opened: Opened, target: "Future[TargetLeg | Refused]", recorder: Recorder) -> Relay:
        gateway, shared, allowed = self._gateway, self._gateway.shared, partial(guarding.of_session, opened)
        asker = Asker(shared, opened.session, longest=waits(opened)) if asks(opened) else None
        return Relay(self.client, target, recorder, allowed, gateway.threads, opened.person, shared.tasks, asker)
