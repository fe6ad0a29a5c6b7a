"""Controls: what their tests found, of which rows, and who answers."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from onepam.api.errors import ApiError
from onepam.api.guard import AsOf, Services, Who, done, right
from onepam.api.models import Answer, Body, Done, Id, MaybeMoment, Moment
from onepam.api.routes.route import Route
from onepam.app.controls.assign_control import assign_control
from onepam.app.controls.record_runs import record_runs
from onepam.domain.access.model import ConsoleRight
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Severity, Verdict
from onepam.domain.controls.testing import TESTERS, UNKNOWN
from onepam.kernel.clock import Instant, parse
from onepam.kernel.errors import Refused
from onepam.store.read.controls import board as read
from onepam.store.read.controls.populations import run_of

OVERSEE = right(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR)


class RunOut(Answer):
    """A run: over [begin, until), or as of `until` where `begin` is null. `digest` is the hex SHA-256 over all rows."""

    at: Moment
    version: int
    begin: MaybeMoment
    until: Moment
    population: int
    passed: int
    failed: int
    untested: int
    excluded: int
    digest: str
    cause: str
    verdict: Verdict
    by: str | None


class ControlOut(Answer):
    """A control with what its test found last; null: it never ran. `failing`: since when it fails."""

    control: str
    title: str
    criteria: list[str]
    severity: Severity
    version: int
    rule: str
    blind: str
    last: RunOut | None
    owner: str
    owner_name: str
    failing: MaybeMoment
    due: MaybeMoment


class ControlsOut(Answer):
    """All controls, in the order of the catalogue."""

    controls: list[ControlOut]


class TestedOut(Answer):
    """A row: `kind` says what `key` is the id of."""

    __test__ = False
    kind: str
    key: str
    verdict: Verdict
    reason: str


class ControlRunsOut(Answer):
    """A control with its runs, the newest first, and the rows of the last one that do not pass: `left` more are not
    listed. `same`: worked out again they are what its digest is of."""

    control: ControlOut
    runs: list[RunOut]
    rows: list[TestedOut]
    left: int
    same: bool


class RunIn(Body):
    """Which controls are tested now; none: all."""

    controls: list[Id] = Field(default_factory=list)


class RanOut(Answer):
    """How many runs were written down."""

    runs: int


class AnswersIn(Body):
    """Who answers for a control; `due` (RFC 3339) is when what fails of it now is to be mended."""

    owner: Id
    due: Annotated[str | None, Query(max_length=40)] = None


async def list_controls(services: Services, at: AsOf) -> ControlsOut:
    """What each test found last, and who answers for what fails."""
    return ControlsOut(controls=[_out(each) for each in await services.reader(read.board, at)])


async def read_control(control: Id, services: Services, at: AsOf) -> ControlRunsOut:
    """One control: its rule, its runs, and which rows do not pass."""
    found = await services.reader(read.control_page, at, control)
    if found is None:
        raise ApiError(UNKNOWN)
    return ControlRunsOut(
        control=_out(found.control),
        runs=[RunOut.model_validate(each) for each in found.runs],
        rows=[TestedOut.model_validate(each) for each in found.rows],
        left=found.left,
        same=found.same,
    )


async def run_controls(body: RunIn, caller: Who, services: Services) -> RanOut:
    """Test controls now, over everything. What was tested within ten minutes is not tested again."""
    wanted = body.controls or list(TESTS)
    if not set(wanted) <= TESTS.keys():
        raise ApiError(UNKNOWN)
    runs = [await services.reader(run_of, None, each) for each in dict.fromkeys(wanted)]
    return RanOut(runs=done(await record_runs(services.ledger, caller.actor, runs)))


async def answer_for(control: Id, body: AnswersIn, caller: Who, services: Services) -> Done:
    """Say who answers for a control."""
    done(await assign_control(services.ledger, caller.actor, control, body.owner, _instant(body.due)))
    return Done()


def _out(each: read.ControlRow) -> ControlOut:
    test = each.test
    return ControlOut(
        control=test.control.id,
        title=test.control.title,
        criteria=list(test.control.criteria),
        severity=test.control.severity,
        version=test.version,
        rule=test.rule,
        blind=test.blind,
        last=RunOut.model_validate(each.last) if each.last else None,
        owner=each.owner,
        owner_name=each.owner_name,
        failing=each.failing,
        due=each.due,
    )


def _instant(text: str | None) -> Instant | None:
    try:
        return parse(text) if text else None
    except ValueError:
        refused = Refused("input.time", "This is not a time with a zone.", "Such as 2026-03-03T14:00:00Z")
        raise ApiError(refused, 400) from None


ROUTES = (
    Route("GET", "/controls", OVERSEE, list_controls),
    Route("POST", "/controls/run", right(*TESTERS), run_controls),
    Route("GET", "/controls/{control}", OVERSEE, read_control),
    Route("POST", "/controls/{control}/owner", right(ConsoleRight.ADMINISTER), answer_for),
)
