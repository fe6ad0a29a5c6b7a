"""Whether roles match the work: what a change would do before it is proposed."""

from onepam.api.guard import Services, Who
from onepam.api.models import Answer
from onepam.api.routes.matrix import READERS, FileIn, PlanOut, plan_of, refusal
from onepam.api.routes.route import Route
from onepam.app.matrix.plan_access import plan_access
from onepam.app.ports import Snapshot
from onepam.domain.matrix.file import InvalidFile
from onepam.domain.matrix.plan import Plan
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.store.read.changes import sessions_cut
from onepam.store.read.names import Called


class CutOut(Answer):
    """A live session that would end."""

    session: str
    person: str
    name: str
    resource: str
    login: str


class WhatIfOut(Answer):
    """What a file, or one role given or taken, would do. Nothing is recorded, and nothing is proposed."""

    plan: PlanOut
    sessions: list[CutOut]


async def what_if(body: FileIn, caller: Who, services: Services) -> WhatIfOut:
    """Who would gain and lose by a file, which live sessions would end, and which separations would be broken."""
    found = await plan_access(services.ledger, caller.actor, body.text, file=body.file)
    if isinstance(found, InvalidFile | Refused):
        raise refusal(found)
    return await services.reader(_what_if, None, found)


def _what_if(db: Snapshot, at: Instant, plan: Plan) -> WhatIfOut:
    called = Called(db, at)
    return WhatIfOut(
        plan=plan_of(db, at, plan),
        sessions=[
            CutOut(
                session=each.session,
                person=each.person,
                name=called.get(each.person, each.person),
                resource=each.resource,
                login=each.login,
            )
            for each in sessions_cut(db, at, plan)
        ],
    )


ROUTES = (Route("POST", "/access/what-if", READERS, what_if),)
