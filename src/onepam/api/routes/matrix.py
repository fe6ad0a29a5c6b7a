"""The role matrix: what a file would change, applying it, and the second person's word."""

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field, StringConstraints

from onepam.api.errors import ApiError
from onepam.api.guard import AsOf, Services, Who, right
from onepam.api.models import Answer, Body, Digest, Id, MaybeMoment, Moment, Name, Seconds
from onepam.api.routes.route import Route
from onepam.app.matrix.apply_access import apply_access
from onepam.app.matrix.plan_access import plan_access
from onepam.app.matrix.plan_role import plan_role
from onepam.app.ports import Snapshot
from onepam.domain.access.model import Action, ConsoleRight, Mode
from onepam.domain.matrix.changing import Applied, Outcome, Proposed, Unchanged
from onepam.domain.matrix.editing import RoleEdit
from onepam.domain.matrix.file import InvalidFile
from onepam.domain.matrix.gains import Difference
from onepam.domain.matrix.motive import Motive
from onepam.domain.matrix.plan import Plan
from onepam.domain.people.adding import unknown_person
from onepam.kernel.clock import Instant, parse
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.kernel.limits import MAX_PAYLOAD_BYTES, MAX_TEXT_CHARACTERS
from onepam.store.read import changes as rows
from onepam.store.read.names import Called
from onepam.store.read.paging import MOST, Window
from onepam.store.read.proofs_of_sign_in import account

ADMINISTER = right(ConsoleRight.ADMINISTER)
READERS = right(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT)

FileText = Annotated[str, StringConstraints(max_length=MAX_PAYLOAD_BYTES)]
Words = Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARACTERS)]
FileName = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class FileIn(Body):
    """An `access.yaml`; `file` is how messages call it."""

    text: FileText
    file: FileName = "access.yaml"


class ApplyIn(FileIn):
    """A file with the digest of the plan that was looked at, and why: title, reason, a ticket where there is one."""

    digest: Digest
    title: Words = ""
    reason: Words = ""
    ticket: Words = ""


class RoleIn(Body):
    """A role that a person is to hold until `ends` (null: until it is taken), or, where not `gives`, to lose."""

    person: Id
    role: Name
    gives: bool
    ends: str | None = None
    reason: Words = ""


class DigestIn(Body):
    """The digest of the plan that was shown."""

    digest: Digest


class ObjectOut(Answer):
    """A role, resource, group or binding that becomes another."""

    kind: str
    name: str
    how: Literal["created", "changed", "removed"]
    what: list[str]


class AccessOut(Answer):
    """Actions on resources as logins. `passes`: which statements of a database do, in words ("": all, or no
    database); `asks`: what asking takes beyond a yes, and what else may be asked for, in words."""

    resources: list[str]
    logins: list[str]
    actions: list[Action]
    mode: Mode
    longest_seconds: Seconds = Field(validation_alias="longest")
    ends: MaybeMoment
    role: str
    permission: str
    passes: str
    asks: str


class PersonNamed(Answer):
    """Somebody, by id and name."""

    person: str
    name: str


class DifferenceOut(Answer):
    """What the same people gain and lose. `excused`: from which separations of roles, newly or for longer."""

    people: list[PersonNamed]
    gained: list[AccessOut]
    lost: list[AccessOut]
    console_gained: list[str]
    console_lost: list[str]
    approves_gained: list[str]
    approves_lost: list[str]
    excused: list[str]


class BreachOut(Answer):
    """Somebody holds `roles` that a separation keeps apart; `given` are those that the change gives: it is refused."""

    separation: str
    because: str
    person: str
    name: str
    roles: list[str]
    given: list[str]


class PlanOut(Answer):
    """A change before it is made. `widens`: another administrator must approve it. `broken`: the separations of roles
    that somebody breaks after it."""

    digest: str
    document: str
    summary: str
    widens: bool
    widenings: list[str]
    objects: list[ObjectOut]
    differences: list[DifferenceOut]
    broken: list[BreachOut]


class RolePlanOut(Answer):
    """The access.yaml with the role given or taken, and what it would change: apply that text with that digest."""

    text: str
    plan: PlanOut


class AppliedOut(Answer):
    """What became of a file: in force, waiting for a second administrator under `change`, or nothing to do."""

    outcome: Literal["applied", "proposed", "unchanged"]
    change: str | None
    plan: PlanOut


class ChangeOut(Answer):
    """A change as it stands. `title`, `why`, `ticket`: its proposer's words; `because`: the code of a rejection."""

    change: str
    status: str
    widens: bool
    title: str
    why: str
    ticket: str
    summary: str
    document: str
    digest: str
    proposer: str
    proposer_name: str
    proposed: Moment
    decider: str
    decider_name: str
    decided: MaybeMoment
    because: str
    reason: str


class ChangeDetail(Answer):
    """A change with its file and plan; `sessions` of `people` would end with it now."""

    change: ChangeOut
    text: str
    text_before: str
    plan: PlanOut | None
    sessions: int
    people: int


async def plan(body: FileIn, caller: Who, services: Services) -> PlanOut:
    """What a file would change, and who would gain and lose. Nothing is recorded."""
    found = await plan_access(services.ledger, caller.actor, body.text, file=body.file)
    if isinstance(found, InvalidFile | Refused):
        raise refusal(found)
    return await services.reader(plan_of, None, found)


async def plan_of_role(body: RoleIn, caller: Who, services: Services) -> RolePlanOut:
    """What giving somebody a role would change, or taking it. Nothing is recorded."""
    found = await services.reader(account, None, body.person)
    if found is None:
        raise ApiError(unknown_person(body.person))
    try:
        ends = parse(body.ends) if body.ends is not None else None
    except ValueError:
        raise ApiError(Refused("role.end", "The end is not a time.", "Write it as RFC 3339, in UTC.")) from None
    edit = RoleEdit(found.email, body.role, body.gives, ends, body.reason.strip())
    text = await services.reader(rows.text_in_force, None)
    made = await plan_role(services.ledger, caller.actor, text, edit, body.person)
    if isinstance(made, Refused):
        raise ApiError(made)
    if isinstance(made.plan, InvalidFile):
        raise refusal(made.plan)
    return RolePlanOut(text=made.text, plan=await services.reader(plan_of, None, made.plan))


async def apply(body: ApplyIn, caller: Who, services: Services) -> AppliedOut:
    """Apply a file: at once where nobody gains by it, else as a proposal to another administrator."""
    change = new_id("chg", services.random)
    motive = Motive(body.title, body.reason, body.ticket)
    outcome = await apply_access(services.ledger, caller.actor, body.text, change, body.digest, motive, file=body.file)
    return await _applied(outcome, services)


async def list_changes(
    services: Services,
    at: AsOf,
    after: Annotated[str, Query(max_length=64)] = "",
    most: Annotated[int, Query(ge=1, le=MOST)] = 200,
) -> list[ChangeOut]:
    """Changes, the newest first. The next page is that `after` the last one's id."""
    found = await services.reader(rows.changes, at, Window(after, most))
    return [ChangeOut.model_validate(each) for each in found.rows]


async def read_change(change: Id, services: Services, at: AsOf) -> ChangeDetail:
    """One change, with its file and whom it touches."""
    found = await services.reader(rows.change, at, change)
    if found is None:
        raise ApiError(_unknown(change))
    return ChangeDetail(
        change=ChangeOut.model_validate(found.row),
        text=found.text,
        text_before=found.text_before,
        plan=await services.reader(plan_of, at, found.plan) if found.plan else None,
        sessions=found.sessions,
        people=found.people,
    )


async def _applied(outcome: Outcome, services: Services) -> AppliedOut:
    if isinstance(outcome, InvalidFile | Refused):
        raise refusal(outcome)
    shown = await services.reader(plan_of, None, outcome.plan)
    match outcome:
        case Applied(change=change):
            return AppliedOut(outcome="applied", change=change, plan=shown)
        case Proposed(change=change):
            return AppliedOut(outcome="proposed", change=change, plan=shown)
        case Unchanged():
            return AppliedOut(outcome="unchanged", change=None, plan=shown)


def refusal(found: InvalidFile | Refused) -> ApiError:
    """A file that means nothing is answered with all its problems."""
    if isinstance(found, Refused):
        return ApiError(found)
    count = len(found.problems)
    refused = Refused("access.invalid", f"The file has {count} problem{'s' * (count != 1)}; nothing was changed.")
    return ApiError(refused, problems=found.problems)


def plan_of(db: Snapshot, at: Instant, plan: Plan) -> PlanOut:
    """A plan as the API gives it."""
    called = Called(db, at)
    return PlanOut(
        digest=plan.digest,
        document=plan.document,
        summary=plan.summary(),
        widens=plan.widens,
        widenings=list(plan.widenings),
        objects=[ObjectOut(kind=it.kind, name=it.name, how=it.how.value, what=list(it.what)) for it in plan.objects],
        differences=[_difference(each, called) for each in plan.differences],
        broken=[
            BreachOut(
                separation=each.separation,
                because=each.because,
                person=each.person,
                name=called.get(each.person, each.person),
                roles=list(each.roles),
                given=list(each.given),
            )
            for each in plan.broken
        ],
    )


def _difference(found: Difference, called: Mapping[str, str]) -> DifferenceOut:
    return DifferenceOut(
        people=[PersonNamed(person=each, name=called.get(each, each)) for each in found.people],
        gained=[AccessOut.model_validate(each) for each in found.gained],
        lost=[AccessOut.model_validate(each) for each in found.lost],
        console_gained=[each.value for each in found.console_gained],
        console_lost=[each.value for each in found.console_lost],
        approves_gained=list(found.approves_gained),
        approves_lost=list(found.approves_lost),
        excused=list(found.excused),
    )


def _unknown(change: str) -> Refused:
    return Refused("change.unknown", f"There is no change {change}.", "onepam changes")


ROUTES = (
    Route("POST", "/access/plan", READERS, plan),
    Route("POST", "/access/role", ADMINISTER, plan_of_role),
    Route("POST", "/access/apply", ADMINISTER, apply),
    Route("GET", "/changes", READERS, list_changes),
    Route("GET", "/changes/{change}", READERS, read_change),
)
