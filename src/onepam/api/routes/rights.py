"""Whether roles match the work: what a change would do, what is used, and where the matrix and the world differ."""

from typing import Annotated

from fastapi import Query

from onepam.api.guard import AsOf, Services, Who
from onepam.api.models import Answer, MaybeMoment, Moment
from onepam.api.routes.matrix import READERS, FileIn, PersonNamed, PlanOut, plan_of, refusal
from onepam.api.routes.route import Route
from onepam.app.matrix.plan_access import plan_access
from onepam.app.ports import Snapshot
from onepam.domain.matrix.difference import Differs
from onepam.domain.matrix.file import InvalidFile
from onepam.domain.matrix.plan import Plan
from onepam.domain.matrix.use import Standing, by_role
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.store.read.changes import sessions_cut
from onepam.store.read.difference import administering, differences, suggested
from onepam.store.read.names import Called
from onepam.store.read.unused import Use, unused_plan


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


class UsedOut(Answer):
    """A role of somebody and its use: `standing` is used, unused or new; `flagged` when it is or becomes unused, `due`
    by when it is to be taken, changed or kept. `touched` of its `rights` (logins on resources) were used in 90 days."""

    person: str
    name: str
    role: str
    since: Moment
    by_name: bool
    groups: list[str]
    rights: int
    touched: int
    sessions: int
    work: int
    last: MaybeMoment
    standing: Standing
    flagged: Moment
    due: Moment
    kept: MaybeMoment
    late: bool


class RoleUsedOut(Answer):
    """A role with all who hold it."""

    role: str
    people: int
    using: int
    unused: int
    late: int
    rights: int
    touched: int


class UnusedOut(Answer):
    """What people hold against what they used."""

    roles: list[RoleUsedOut]
    held: list[UsedOut]


class ProposalOut(Answer):
    """Take the role from `person`, or turn its standing `permission` into one on request."""

    role: str
    person: str
    permission: str


class PreparedOut(Answer):
    """The file in force with what nobody uses turned off in it; `left` is to be done by hand."""

    text: str
    done: list[ProposalOut]
    left: list[ProposalOut]


class DifferenceRow(Answer):
    """A difference between the matrix as designed and what is."""

    differs: Differs
    words: str
    role: str
    person: str
    name: str
    resource: str
    detail: str


class ShareOut(Answer):
    """How many of the people who were here administered something at an instant."""

    at: Moment
    administer: int
    people: int


class DifferencesOut(Answer):
    """All differences. `designed`: the text in force could be read, so that it was compared."""

    document: str
    designed: bool
    rows: list[DifferenceRow]
    administering: list[ShareOut]


class SuggestedOut(Answer):
    """A role that people of one manager would need by what they used, as lines of access.yaml."""

    manager: str
    people: list[PersonNamed]
    lines: str


async def unused(services: Services, at: AsOf, role: Annotated[str, Query(max_length=63)] = "") -> UnusedOut:
    """Roles that open something, by use within 90 days."""
    return await services.reader(_unused, at, role)


async def unused_file(services: Services, role: Annotated[str, Query(max_length=63)] = "") -> PreparedOut:
    """The file in force without what nobody uses. Nothing is proposed by it."""
    return PreparedOut.model_validate(await services.reader(unused_plan, None, role))


async def matrix_difference(services: Services, at: AsOf) -> DifferencesOut:
    """The role matrix as designed against what is, and the share of people who administer over a year."""
    return await services.reader(_differences, at)


async def suggested_roles(services: Services, at: AsOf) -> list[SuggestedOut]:
    """Roles suggested from use."""
    return await services.reader(_suggested, at)


def _unused(db: Snapshot, at: Instant, role: str) -> UnusedOut:
    called = Called(db, at)
    held = tuple(each for each in Use(db, at).held() if role in ("", each.role))
    return UnusedOut(
        roles=[RoleUsedOut.model_validate(each) for each in by_role(held, at)],
        held=[
            UsedOut(
                person=each.person,
                name=called.get(each.person, each.person),
                role=each.role,
                since=each.since,
                by_name=each.by_name,
                groups=list(each.groups),
                rights=each.rights,
                touched=each.touched,
                sessions=each.used.sessions,
                work=each.used.work,
                last=each.used.last,
                standing=each.standing(at),
                flagged=each.flagged(),
                due=each.due(),
                kept=each.kept,
                late=each.is_late(at),
            )
            for each in held
        ],
    )


def _differences(db: Snapshot, at: Instant) -> DifferencesOut:
    found = differences(db, at)
    return DifferencesOut(
        document=found.document,
        designed=found.designed,
        rows=[DifferenceRow.model_validate(each) for each in found.rows],
        administering=[ShareOut.model_validate(each) for each in administering(db, at)],
    )


def _suggested(db: Snapshot, at: Instant) -> list[SuggestedOut]:
    called = Called(db, at)
    return [
        SuggestedOut(
            manager=each.manager,
            people=[PersonNamed(person=one, name=called.get(one, one)) for one in each.people],
            lines=each.lines(f"suggested-{number}", address or "TODO"),
        )
        for number, (each, address) in enumerate(suggested(db, at), 1)
    ]


ROUTES = (
    Route("POST", "/access/what-if", READERS, what_if),
    Route("GET", "/access/unused", READERS, unused),
    Route("GET", "/access/unused/file", READERS, unused_file),
    Route("GET", "/access/difference", READERS, matrix_difference),
    Route("GET", "/access/suggested", READERS, suggested_roles),
)
