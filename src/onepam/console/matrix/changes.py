"""Changes of access.yaml: what was proposed, why, and what it does to whom."""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher

from starlette.responses import Response

from onepam.app.ports import Snapshot
from onepam.console.frame.decision import decision
from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged, pager
from onepam.console.frame.places import Needs, Place, Shown
from onepam.console.frame.rendering import day, plural
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import actions_words, how_given, words_of
from onepam.console.matrix.changes_page import ChangesPage
from onepam.domain.access.authority import ActorFacts
from onepam.domain.access.model import ConsoleRight, SubjectKind
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.matrix.gains import Access, Difference
from onepam.domain.matrix.plan import Plan
from onepam.kernel.clock import DAY, Instant, utc
from onepam.kernel.errors import Refused
from onepam.store.facts.proposals import proposal_of
from onepam.store.read import changes as rows
from onepam.store.read.names import Called
from onepam.store.read.paging import Window

READS = Needs(rights=(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT))
MOST_PEOPLE = 200
MOST_NAMED = 4
MOST_LINES = 6_000
AROUND = 3
_PERSON = re.compile(r"\bper_[a-z2-7]{16}\b", re.ASCII)
_STATES = {"proposed": "waiting", "approved": "applied", "applied": "applied", "rejected": "rejected"}


async def changes_page(visit: Visit) -> Response:
    """The changes, and the newest of them that waits, or the newest."""
    return await _show(visit, None)


async def change_page(visit: Visit) -> Response:
    """One change in view."""
    return await _show(visit, visit.path("change"))


def _unknown(ident: str) -> Refused:
    return Refused("change.unknown", "There is no such change that you may see.", f"You asked for {ident[:40]}.")


async def _show(visit: Visit, ident: str | None) -> Response:
    page = await visit.services.reader(_changes, visit.at, visit.me.facts, ident, paged(visit))
    if page is None:
        return visit.refusal(_unknown(ident or ""), 404)
    return visit.page(page)


def _changes(db: Snapshot, at: Instant, reader: ActorFacts, ident: str | None, window: Window) -> ChangesPage | None:
    listed = rows.changes(db, at, window)
    ident = ident or rows.first_to_look_at(db, at)
    page = rows.change(db, at, ident) if ident else None
    if ident and page is None:
        return None
    return ChangesPage(
        may_propose=ConsoleRight.ADMINISTER in reader.rights(),
        changes=[_row(each) for each in listed.rows],
        pager=pager(listed, window, {}),
        change=_one(page, Called(db, at)) if page else None,
        decision=_decision(db, at, page, reader) if page else None,
    )


def _decision(db: Snapshot, at: Instant, page: rows.ChangePage, reader: ActorFacts) -> Context | None:
    """The form on a change that waits: nobody gains by their own word."""
    waiting = proposal_of(db, ProposalKind.CHANGE, page.row.change, at)
    if waiting is None:
        return None
    form = {**decision(waiting, reader, at), "digest": page.row.digest}
    gain = _gain(page, reader.person) if form["decides"] else ""
    return {**form, "decides": False, "why_not": gain} if gain else form


def _gain(page: rows.ChangePage, me: str) -> str:
    """Why a yes of the reader's would be refused for what the change does."""
    if page.plan is None:
        return "Its text is gone, or can no longer be read."
    if page.plan.gained_by(me) is not None:
        return "You would gain by it yourself: another administrator must approve it."
    if page.plan.gained_by(page.row.proposer) is not None:
        return "Its proposer would gain by it: somebody else must propose it."
    return ""


def _row(row: rows.ChangeRow) -> Context:
    return {
        "id": row.change,
        "title": row.title or ("The founding" if not row.proposer else "Untitled change"),
        "why": row.why,
        "ticket": row.ticket,
        "summary": row.summary,
        "by": {"id": row.proposer, "name": row.proposer_name or "the first start"},
        "at": row.proposed,
        "state": _STATES[row.status],
        "widens": row.widens,
        "digest": row.digest,
        "document": row.document,
    }


def _one(page: rows.ChangePage, called: Mapping[str, str]) -> Context:
    row = page.row
    because = words_of(row.because) if row.because else ""
    return {
        **_row(row),
        "decided_by": row.decider_name or ("time" if row.status == "rejected" else "the first start"),
        "decided_at": row.decided,
        "decided_why": row.reason or because,
        "planned": page.plan is not None,
        "effects": effects(page.plan, called),
        "widenings": named(page.plan.widenings, called) if page.plan else [],
        "broken": broken(page.plan, called),
        "ends": {"sessions": page.sessions, "people": page.people},
        "diff": list(difference(page.text_before, page.text)),
    }


def named(sentences: Iterable[str], called: Mapping[str, str]) -> list[str]:
    """Sentences that name people by their ids, with their names instead."""
    return [_PERSON.sub(lambda found: called.get(found[0], found[0]), each) for each in sentences]


def broken(planned: Plan | None, called: Mapping[str, str]) -> list[Context]:
    """Who would hold what is kept apart, or holds it already."""
    return [
        {
            "says": f"{called.get(each.person, each.person)} {'would hold' if each.given else 'holds already'} "
            f"{' and '.join(each.roles)} ({each.separation}): {each.because}",
            "refused": bool(each.given),
        }
        for each in (planned.broken if planned else ())[:MOST_PEOPLE]
    ]


def effects(planned: Plan | None, called: Mapping[str, str]) -> list[Context]:
    """Who gains and loses, person by person; people for whom it is the same follow one another."""
    found: list[Context] = []
    until = _until(planned) if planned else {}
    for each in planned.differences if planned else ():
        gains, loses = _gains(each)
        for person in each.people:
            named = {"id": person, "name": called.get(person, person)}
            found.append({"person": named, "gains": [*until.get(person, ()), *gains] if gains else [], "loses": loses})
    return found[:MOST_PEOPLE]


def _until(planned: Plan) -> dict[str, list[str]]:
    """Which roles somebody is newly given for a time only: `the role engineer until 31 December 2026`."""
    found: dict[str, list[str]] = {}
    for each in planned.after.bindings.values():
        if each.ends is None or planned.before.bindings.get(each.binding) == each:
            continue
        members = (
            planned.after.groups.get(each.subject, ()) if each.subject_kind is SubjectKind.GROUP else (each.subject,)
        )
        for person in members:
            found.setdefault(person, []).append(f"the role {each.role} until {_end(each.ends)}")
    return found


def _end(ends: Instant) -> str:
    """The last day, where it ends with one."""
    return utc(ends) if ends % DAY else day(Instant(ends - 1))


def _gains(difference: Difference) -> tuple[list[str], list[str]]:
    gains = [
        *map(_access, difference.gained),
        *(f"console: {right.value}" for right in difference.console_gained),
        *(f"approving {permission}" for permission in difference.approves_gained),
        *(f"excused from the separation {name}" for name in difference.excused),
    ]
    loses = [
        *map(_access, difference.lost),
        *(f"console: {right.value}" for right in difference.console_lost),
        *(f"approving {permission}" for permission in difference.approves_lost),
    ]
    return gains, loses


def _access(access: Access) -> str:
    named = ", ".join(access.resources[:MOST_NAMED])
    more = len(access.resources) - MOST_NAMED
    where = f"{named} and {plural(more, 'more', 'more')}" if more > 0 else named
    how = how_given(access.mode, access.longest)
    return (
        f"{where} as {', '.join(access.logins)}: {actions_words(access.actions)}, {how}"
        + (f"; statements: {access.passes}" if access.passes else "")
        + (f"; {access.asks}" if access.asks else "")
    )


def difference(before: str, after: str) -> Iterator[Context]:
    """The lines that differ with three around them; numbers are the new text's, of what is removed the old one's."""
    old, new = before.splitlines(), after.splitlines()
    if len(old) + len(new) > MOST_LINES:
        yield {"kind": "skip", "text": f"{len(new):,} lines: too long to compare here", "number": None}
        return
    reached = 0
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(AROUND):
        if group[0][3] > reached:
            yield {"kind": "skip", "text": plural(group[0][3] - reached, "line"), "number": None}
        for tag, first, last, begin, end in group:
            if tag == "equal":
                for number in range(begin, end):
                    yield {"kind": "same", "text": new[number], "number": number + 1}
                continue
            for number in range(first, last):
                yield {"kind": "remove", "text": old[number], "number": number + 1}
            for number in range(begin, end):
                yield {"kind": "add", "text": new[number], "number": number + 1}
        reached = group[-1][4]


PLACES = (
    Place("GET", "/changes", READS, changes_page, Shown("Changes", "git-pull-request", "Access")),
    Place("GET", "/changes/{change}", READS, change_page),
)
