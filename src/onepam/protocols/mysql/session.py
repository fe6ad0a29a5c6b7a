"""MySQL's two legs of a session: TLS on both, the vault's secret to the target, statements between them."""

from asyncio import Future
from dataclasses import dataclass, replace
from functools import partial

from onepam.app.open_session import Opened
from onepam.domain.access.guardrails import StatementClass
from onepam.domain.access.model import Action
from onepam.domain.sessions.ends import SessionEnd
from onepam.gateway.recorder import Recorder
from onepam.gateway.session import Legs
from onepam.kernel.errors import Refused
from onepam.protocols.mysql import guarding
from onepam.protocols.mysql.dial import TargetLeg, Who, dial
from onepam.protocols.mysql.looking import look_up
from onepam.protocols.mysql.person import PersonLeg
from onepam.protocols.mysql.relay import Relay
from onepam.protocols.mysql.startup import Start
from onepam.protocols.mysql.threads import Threads
from onepam.protocols.mysql.wire import Can
from onepam.protocols.sql.asker import Asker
from onepam.protocols.sql.guarding import asks, guarded, hides
from onepam.protocols.sql.session import DatabaseGateway
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
        rails = guarded(opened)
        refused = guarding.unfit(self._asked, rails, opened.mask)
        if refused is not None:
            return refused
        where = Where.of(address, opened.port, opened.address, opened.pins)
        if isinstance(where, Refused):  # no secret is leased for nothing
            return where
        if opened.making is not None:
            return Refused(SessionEnd.GATEWAY_FAILED, "no users are made for sessions of MySQL")
        secret = await self._gateway.lease(opened)
        if isinstance(secret, Refused):
            return secret
        asked = self._asked
        if Action.LOCAL_FILES not in opened.actions:  # the server itself refuses it to who cannot
            asked = replace(asked, can=asked.can & ~Can.LOCAL_FILES)
        settings = partial(guarding.settings, asked, rails, opened.mask)
        several = rails is None or StatementClass.SEVERAL in rails.runs() | rails.asks()
        there = await dial(where, Who(opened.login, asked, secret, settings, several), DIAL_SECONDS)
        if isinstance(there, Refused) or opened.mask is None or not hides(opened):
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

    def relay(self, opened: Opened, target: "Future[TargetLeg | Refused]", recorder: Recorder) -> Relay:
        gateway, shared, allowed = self._gateway, self._gateway.shared, partial(guarding.of_session, opened)
        asker = Asker(shared, opened.session) if asks(opened) else None
        return Relay(self.client, target, recorder, allowed, gateway.threads, opened.person, shared.tasks, asker)
