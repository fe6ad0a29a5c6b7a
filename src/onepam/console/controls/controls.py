"""The board of controls, a control's page, and who answers for one."""

from collections.abc import Sequence

from starlette.responses import Response

from onepam.app.controls.assign_control import assign_control
from onepam.app.controls.record_runs import record_runs
from onepam.app.ports import Snapshot
from onepam.console.controls.controls_page import ControlPage, ControlsPage
from onepam.console.frame.page import Context
from onepam.console.frame.period import day_begins
from onepam.console.frame.places import ADMINISTERS, SEES_ALL, Needs, Place, Shown
from onepam.console.frame.rendering import Flash, plural
from onepam.console.frame.visit import Visit
from onepam.domain.access.model import ConsoleRight
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Row, Verdict
from onepam.domain.controls.testing import TESTERS, UNKNOWN
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.store.read.concerned import meant
from onepam.store.read.controls import board as read
from onepam.store.read.controls.populations import run_of
from onepam.store.read.names import name

HERE = "/controls"
TESTS_NOW = Needs(rights=TESTERS)

STATES = {
    Verdict.PASS: ("proven", "Holds"),
    Verdict.FAIL: ("finding", "Fails"),
    Verdict.NOT_TESTED: ("untested", "Not tested"),
    Verdict.EXCLUDED: ("due", "Excluded"),
}
NEVER = ("untested", "Never tested")
_FIRST = ("finding", "due", "untested", "proven")

BAR, GAP, HEIGHT = 6, 2, 24
"""The picture of the last runs: a bar for each, as high as the share that passed."""

_PAGES = {
    "person": "/people/{}", "session": "/sessions/{}", "review": "/reviews/{}", "item": "/reviews/{}",
    "reviewer": "/reviews/{}", "role": "/roles/{}", "change": "/changes/{}", "run": "/controls/{}",
    "right": "/people/{}", "resource": "/resources/{}", "account": "/systems/{}", "incident": "/incidents/{}",
}  # fmt: skip
"""Where a row's key leads, by its kind; of several parts the first."""


async def controls_page(visit: Visit) -> Response:
    """Every control with what was found last; what fails stands first."""
    found = [_control(each, visit.moment) for each in await visit.services.reader(read.board, visit.at)]
    found.sort(key=lambda each: _FIRST.index(each["state"]))
    count = {state: sum(each["state"] == state for each in found) for state in _FIRST}
    figures = (("Fail", "finding"), ("Not tested", "untested"), ("Hold", "proven"))
    return visit.page(
        ControlsPage(
            figures=[{"word": word, "value": f"{count[state]} of {len(found)}",
                      "state": state if count[state] else "plain"} for word, state in figures],
            controls=found,
            may_test=visit.at is None and visit.me.has(*TESTERS),
        )
    )  # fmt: skip


async def control_page(visit: Visit) -> Response:
    """One control: its rule, whatever does not pass, and its runs."""
    page = await visit.services.reader(_page, visit.at, visit.path("control"))
    if page is None:
        return visit.refusal(UNKNOWN, 404)
    now = visit.at is None
    control, rows, runs = page
    return visit.page(
        ControlPage(
            control={
                **_control(control.control, visit.moment),
                "criteria": ", ".join(control.control.test.control.criteria),
                "severity": control.control.test.control.severity.value,
                "rule": control.control.test.rule,
                "version": control.control.test.version,
                "blind": control.control.test.blind,
                "cause": control.control.last.cause if control.control.last else "",
                "digest": control.control.last.digest if control.control.last else "",
            },
            same=control.same,
            ran=control.control.last is not None,
            rows=rows,
            left=control.left,
            runs=runs,
            failures=failures(control.runs),
            may_assign=now and visit.me.has(ConsoleRight.ADMINISTER),
            may_test=now and visit.me.has(*TESTERS),
        )
    )


async def run_now(visit: Visit) -> Response:
    """Tests one control, or all, over everything there is."""
    control = visit.form.get("control", "")
    back = f"{HERE}/{control}" if control in TESTS else HERE
    wanted = [control] if control in TESTS else list(TESTS)
    services = visit.services
    outcome = await record_runs(
        services.ledger, visit.me.actor, [await services.reader(run_of, None, each) for each in wanted]
    )
    if isinstance(outcome, Refused):
        return visit.outcome(outcome, back, "")
    return visit.go(back, Flash("done", f"Tested: {plural(outcome, 'control', 'controls')}."))


async def assign(visit: Visit) -> Response:
    """Somebody answers for a control, and until when."""
    control, form, services = visit.path("control"), visit.form, visit.services
    if control not in TESTS:
        return visit.refusal(UNKNOWN, 404)
    back, typed = f"{HERE}/{control}", form.get("due", "").strip()
    people = await services.reader(meant, None, form.get("owner", "").strip())
    if len(people) != 1:
        return visit.outcome(Refused("control.owner", "Nobody here, or several, are called that."), back, "")
    due = day_begins(typed, 1) if typed else None
    if typed and due is None:
        return visit.outcome(Refused("control.due", "This is not a day.", "Such as 2026-11-29."), back, "")
    refused = await assign_control(services.ledger, visit.me.actor, control, people[0], due)
    return visit.outcome(refused, back, "Said who answers for it.")


def _page(db: Snapshot, at: Instant, control: str) -> tuple[read.ControlPage, list[Context], list[Context]] | None:
    found = read.control_page(db, at, control)
    if found is None:
        return None
    return found, [_row(db, at, each) for each in found.rows], [_run(db, at, each) for each in found.runs]


def _row(db: Snapshot, at: Instant, each: Row) -> Context:
    state, word = STATES[each.verdict]
    called, href = _called(db, at, each)
    return {"kind": each.kind, "name": called, "href": href, "state": state, "word": word, "reason": each.reason}


def _called(db: Snapshot, at: Instant, each: Row) -> tuple[str, str]:
    """What a row is called by people, and where it leads: "" where it has no page."""
    first = each.key.partition("/")[0]
    href = _PAGES[each.kind].format(first) if each.kind in _PAGES else ""
    if each.kind == "person":
        return name(db, at, each.key), href
    if each.kind in ("item", "reviewer"):
        review, who, *roles = each.key.split("/")
        return " ".join([name(db, at, who), *roles, "in", review]), href
    if each.kind == "binding" and (found := read.bound(db, at, each.key)) is not None:
        role, person = found
        return f"{role} of {name(db, at, person)}", f"/people/{person}"
    return each.key, href


def _run(db: Snapshot, at: Instant, each: read.RunRow) -> Context:
    state, word = STATES[each.verdict]
    return {
        "at": each.at,
        "state": state,
        "word": word,
        "numbers": _numbers(each),
        "version": each.version,
        "by": name(db, at, each.by),
        "digest": each.digest,
    }


def _control(each: read.ControlRow, now: Instant) -> Context:
    state, word = STATES[each.last.verdict] if each.last else NEVER
    return {
        "id": each.test.control.id,
        "title": each.test.control.title,
        "state": state,
        "word": word,
        "numbers": _numbers(each.last) if each.last else "",
        "tested": each.last.at if each.last else None,
        "owner": each.owner_name,
        "due": each.due,
        "late": each.due is not None and each.due <= now,
        "failing": each.failing,
        "picture": picture(each.trend),
        "picture_words": _said(each.trend),
    }


def _numbers(each: read.RunRow) -> str:
    if not each.population:
        return each.cause or "nothing to test"
    words = [f"{each.passed} of {each.population} pass"]
    words += [f"{count} {word}" for count, word in (
        (each.failed, "fail"), (each.untested, "not tested"), (each.excluded, "excluded")) if count]  # fmt: skip
    return ", ".join(words)


def picture(trend: Sequence[read.RunRow]) -> list[Context]:
    """A bar for each of the newest runs that there is room for: as high as the share that passed, never nothing."""
    bars = []
    for place, each in enumerate(trend[-read.TREND :]):
        share = each.passed / each.population if each.population else 1.0
        height = max(3, round(share * HEIGHT))
        bars.append({"x": place * (BAR + GAP), "y": HEIGHT - height, "height": height,
                     "state": STATES[each.verdict][0]})  # fmt: skip
    return bars


def _said(trend: Sequence[read.RunRow]) -> str:
    """The picture in words."""
    counts = [(sum(each.verdict is verdict for each in trend), word.lower()) for verdict, (_, word) in STATES.items()]
    told = ", ".join(f"{count} times: {word}" for count, word in counts if count)
    return f"The last {read.TREND} days: {told}" if told else "No run yet"


def failures(runs: Sequence[read.RunRow]) -> list[Context]:
    """From which run to which a control failed, of runs with the newest first. Only a run ends one."""
    found, until, since = list[Context](), None, None
    for each in runs:
        if each.verdict is Verdict.FAIL:
            since = each.at
        else:
            if since is not None:
                found.append({"since": since, "until": until})
            since, until = None, each.at
    if since is not None:
        found.append({"since": since, "until": until})
    return found


PLACES = (
    Place("GET", HERE, SEES_ALL, controls_page, Shown("Controls", "rosette-discount-check", "Proof")),
    Place("POST", f"{HERE}/run", TESTS_NOW, run_now),
    Place("GET", f"{HERE}/{{control}}", SEES_ALL, control_page),
    Place("POST", f"{HERE}/{{control}}/owner", ADMINISTERS, assign),
)
