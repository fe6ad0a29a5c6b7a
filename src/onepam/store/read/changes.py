"""Changes of the role matrix: what was proposed, by whom, what it does to whom, and what became of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter

from onepam.app.ports import Snapshot
from onepam.domain.access.model import Action
from onepam.domain.matrix.ending import access_under, endings, session_falls
from onepam.domain.matrix.file import InvalidFile, read_access, resolve
from onepam.domain.matrix.matrix import SOURCE
from onepam.domain.matrix.plan import Plan, make_plan
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.changes import matrix, people
from onepam.store.facts.holdings import held_grants
from onepam.store.read.names import Called
from onepam.store.read.paging import Page, Window


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change in the list. `status` is proposed, approved, rejected or applied; `proposer` is empty for the bootstrap.

    `title`, `why` and `ticket` are its proposer's words, empty where there are none or they were erased. `because` is
    the code of a rejection, `reason` the words given with it.
    """

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
    proposed: Instant
    decider: str
    decider_name: str
    decided: Instant | None
    because: str
    reason: str


@dataclass(frozen=True, slots=True)
class Cut:
    """An open session that a change would end."""

    session: str
    person: str
    resource: str
    login: str


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One change with its file, and the file that was in force before it (empty for the first).

    `plan` is computed anew over the state at the proposal, so it is what was decided on; None where its text was erased
    or can no longer be read. `sessions` and `people` count what is open now and would end, while the change waits.
    """

    row: ChangeRow
    text: str
    text_before: str
    plan: Plan | None
    sessions: int
    people: int


def changes(db: Snapshot, at: Instant, window: Window | None = None) -> Page[ChangeRow]:
    """A page of the changes, the newest first."""
    window, called = window or Window(), Called(db, at)
    after = row(db, f"SELECT proposed FROM change WHERE change = :change AND {AT}", {"change": window.after, "at": at})
    found = rows(
        db,
        f"SELECT * FROM change WHERE {AT} AND proposed <= :before AND (proposed < :before OR change > :after) "
        "ORDER BY proposed DESC, change LIMIT :most",
        {
            "at": at,
            "before": after["proposed"] if after else FOREVER,
            "after": window.after if after else "",
            "most": window.most + 1,
        },
    )
    counted = row(db, f"SELECT count(*) FROM change WHERE {AT}", {"at": at})
    page: Page[Row] = Page.of(found, window, counted[0] if counted else 0, itemgetter("change"))
    return page.map(lambda shown: (_row(each, called) for each in shown))


def first_to_look_at(db: Snapshot, at: Instant) -> str | None:
    """The newest change that waits, or the newest; None before the first."""
    found = row(
        db,
        f"SELECT change FROM change WHERE {AT} "
        "ORDER BY CASE status WHEN 'proposed' THEN 0 ELSE 1 END, proposed DESC, change LIMIT 1",
        {"at": at},
    )
    return found["change"] if found else None


def change(db: Snapshot, at: Instant, change: str) -> ChangePage | None:
    """One change as of `at`; None where there is none."""
    found = row(db, f"SELECT * FROM change WHERE change = :change AND {AT}", {"change": change, "at": at})
    if found is None:
        return None
    before = row(
        db,
        f"SELECT text FROM change WHERE status = 'applied' AND proposed < :proposed AND {AT} "
        "ORDER BY valid_from DESC LIMIT 1",
        {"proposed": found["proposed"], "at": at},
    )
    plan = _plan(db, found)
    cut = sessions_cut(db, at, plan) if plan is not None and found["status"] == "proposed" else []
    return ChangePage(
        row=_row(found, Called(db, at)),
        text=found["text"] or "",
        text_before=(before["text"] or "") if before else "",
        plan=plan,
        sessions=len(cut),
        people=len({each.person for each in cut}),
    )


def text_in_force(db: Snapshot, at: Instant) -> str:
    """The file that is in force at `at`; empty where there is none, or it was erased."""
    return file_in_force(db, at)[1]


def file_in_force(db: Snapshot, at: Instant) -> tuple[str, str]:
    """The digest of the file that is in force at `at`, and its text: both empty before the first, the text where it was
    erased."""
    found = row(
        db,
        f"SELECT document, text FROM change WHERE status = 'applied' AND {AT} ORDER BY valid_from DESC LIMIT 1",
        {"at": at},
    )
    return (found["document"], found["text"] or "") if found else ("", "")


def objects_in_force(db: Snapshot, at: Instant) -> dict[str, int]:
    """How much of each the role matrix has: by the word for one."""
    found = row(
        db,
        f"SELECT (SELECT count(*) FROM role WHERE {AT}), (SELECT count(*) FROM resource WHERE {AT}), "
        f"(SELECT count(*) FROM binding WHERE {AT} AND source = :source)",
        {"at": at, "source": SOURCE},
    )
    return dict(zip(("role", "resource", "binding"), found or (0, 0, 0), strict=True))


def text_of(db: Snapshot, at: Instant, document: str) -> str | None:
    """The text with that digest, whatever became of its change; None where none was proposed, or it was erased."""
    found = row(
        db,
        f"SELECT text FROM change WHERE document = :document AND text IS NOT NULL AND {AT} LIMIT 1",
        {"document": document, "at": at},
    )
    return found["text"] if found else None


def _row(found: Row, called: Mapping[str, str]) -> ChangeRow:
    proposer, decider = found["proposer"] or "", found["decider"] or ""
    return ChangeRow(
        change=found["change"],
        status=found["status"],
        widens=bool(found["widens"]),
        title=found["title"] or "",
        why=found["why"] or "",
        ticket=found["ticket"] or "",
        summary=found["summary"],
        document=found["document"],
        digest=found["digest"],
        proposer=proposer,
        proposer_name=called.get(proposer, proposer),
        proposed=found["proposed"],
        decider=decider,
        decider_name=called.get(decider, decider),
        decided=found["valid_from"] if found["status"] != "proposed" else None,
        because=found["because"] or "",
        reason=found["reason"] or "",
    )


def _plan(db: Snapshot, found: Row) -> Plan | None:
    """The plan at the proposal's own instant: before any event of the change's objects."""
    if not found["text"]:
        return None
    wanted = resolve(read_access(found["text"]), people(db, found["proposed"]))
    if isinstance(wanted, InvalidFile):
        return None
    return make_plan(matrix(db, found["proposed"]), wanted, found["document"], found["proposed"])


def sessions_cut(db: Snapshot, at: Instant, plan: Plan) -> list[Cut]:
    """The open sessions that the change would end."""
    open_now = rows(
        db,
        f"SELECT session, person, resource, login, actions FROM session WHERE status = 'open' AND {AT} AND ends > :at",
        {"at": at},
    )
    known = {each.person: each for each in people(db, at)} if open_now else {}
    found = []
    for each in open_now:
        grants = held_grants(db, each["person"], each["resource"], at)
        kept = tuple(grant for grant in grants if not endings(plan.before, plan.after, (grant,), (), None, at))
        after = access_under(plan.after, known[each["person"]], each["resource"], kept, at)
        actions = tuple(Action(action) for action in json.loads(each["actions"]))
        if session_falls(plan.before, after, each["login"], actions, at):
            found.append(Cut(each["session"], each["person"], each["resource"], each["login"]))
    return found
