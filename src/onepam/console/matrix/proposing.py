"""Proposing a change of access.yaml: by its text, or by one role that one person is to hold or to lose.

Both are the same: a text, what it would do, and why. Whoever proposes looks at the plan first; where others
have changed the file meanwhile, what was typed is carried over to theirs, and looked at again.
"""

import asyncio
from dataclasses import dataclass, replace

from starlette.responses import Response

from onepam.app.matrix.apply_access import apply_access
from onepam.app.matrix.plan_access import plan_access
from onepam.app.matrix.plan_role import plan_role
from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.period import day_begins
from onepam.console.frame.places import ADMINISTERS, Place
from onepam.console.frame.rendering import Flash, plural, words
from onepam.console.frame.visit import Visit
from onepam.console.matrix.changes import broken, difference, effects, named
from onepam.console.matrix.changes_page import ProposePage
from onepam.domain.matrix.carrying import carried
from onepam.domain.matrix.changing import Applied, Proposed, Unchanged
from onepam.domain.matrix.editing import RoleEdit
from onepam.domain.matrix.file import InvalidFile
from onepam.domain.matrix.motive import MAX_TITLE_CHARACTERS, Motive
from onepam.domain.matrix.plan import Plan
from onepam.domain.people.adding import unknown_person
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read import changes as rows
from onepam.store.read.names import Called, name
from onepam.store.read.proofs_of_sign_in import account, account_by_email
from onepam.store.read.unused import unused_plan

OVERTAKEN = "change.overtaken"
_NOT_YET = "Not proposed: the text, the roles or the people have changed since this was planned."
_LOOK = "This is what it would do now."
_CARRIED = "Others have changed access.yaml since you began: your change was carried over to what is in force now."
_BOTH = "Others have changed the same lines of access.yaml since you began."
_UNSAID = "Not proposed: the text in force is not kept here, and what you put in force replaces all of it."
_TICK = "Say below that it does."
_NO_TEXT = Refused(
    "change.no_text",
    "The text of the access.yaml in force is not kept here, so it cannot be edited.",
    "Apply a whole one.",
)
_PREPARED = "Prepared from what nobody used for 90 days."
_UNDOES = "As it stands, your text undoes what they changed: look at the difference."


@dataclass(frozen=True, slots=True)
class _Draft:
    """What somebody has typed. `base` is the digest of the file that they began with; `guided`: one role of one person,
    from a page of theirs, `back`."""

    text: str
    motive: Motive
    base: str
    guided: bool = False
    back: str = "/changes"

    @classmethod
    def of(cls, visit: Visit) -> "_Draft":
        """As the form sends it, which ends its lines with CRLF (HTML, 4.10.5.4); a file's digest is of what was
        written."""
        form = visit.form
        motive = Motive(form.get("title", ""), form.get("reason", ""), form.get("ticket", ""))
        text = form.get("text", "").replace("\r\n", "\n")
        return cls(text, motive, form.get("base", "")[:64], form.get("guided") == "yes", _back(visit))


async def new(visit: Visit) -> Response:
    """A new text, starting from the one in force; or a change that came to nothing, once more: `?again=`."""
    base, text = await visit.services.reader(rows.file_in_force, visit.at)
    again = visit.request.query_params.get("again", "")[:64]
    found = await visit.services.reader(rows.change, visit.at, again) if again and visit.at is None else None
    if found is None:
        return visit.page(await _page(visit, _Draft(text, Motive(), base)))
    row = found.row
    mine = await asyncio.to_thread(carried, found.text_before, found.text, text)
    draft = _Draft(mine or found.text, Motive(row.title, row.why, row.ticket), base, guided=mine is not None)
    return await _look(visit, draft, None if mine is not None else {"text": _BOTH, "hint": _UNDOES})


async def plan(visit: Visit) -> Response:
    """What a text would change; nothing is recorded."""
    return await _look(visit, *await _brought_up(visit, _Draft.of(visit)))


async def role(visit: Visit) -> Response:
    """What giving somebody a role would change, or taking it: from the page of the person, or of the role."""
    form, back = visit.form, _back(visit)
    who = await _whom(visit)
    ends = day_begins(form["ends"], 1) if form.get("ends") else None
    if form.get("ends") and ends is None:
        return visit.outcome(Refused("role.end", "The last day is not a date.", "Write it as 2026-12-31."), back, "")
    if ends is not None and ends <= visit.now:
        return visit.outcome(
            Refused("role.over", f"The last day is over: it was {form['ends']}.", "Give a later one."), back, ""
        )
    if isinstance(who, Refused):
        return visit.outcome(who, back, "")
    person, email = who
    gives, which, ticket = form.get("gives") == "yes", form.get("role", "")[:63], form.get("ticket", "").strip()
    because = form.get("reason", "").strip()
    because += f" ({ticket})" if because and ticket else ""
    base, text = await visit.services.reader(rows.file_in_force, None)
    if base and not text:
        return visit.outcome(_NO_TEXT, back, "")
    edit = RoleEdit(email, which, gives, ends, because)
    made = await plan_role(visit.services.ledger, visit.me.actor, text, edit, person)
    if isinstance(made, Refused):
        return visit.outcome(made, back, "")
    if isinstance(made.plan, Plan) and not made.plan.objects:
        return visit.go(back, Flash("note", "Nothing changes: access.yaml says so already."))
    called = await visit.services.reader(name, None, person)
    title = f"Give {which} to {called}" if gives else f"Take {which} from {called}"
    motive = Motive(title[:MAX_TITLE_CHARACTERS], form.get("reason", ""), ticket)
    return await _planned_page(visit, _Draft(made.text, motive, base, guided=True, back=back), made.plan, None)


async def unused(visit: Visit) -> Response:
    """The text in force without what nobody uses, to look at: of one role, if that is named."""
    base, text = await visit.services.reader(rows.file_in_force, None)
    if base and not text:
        return visit.outcome(_NO_TEXT, "/unused", "")
    made = await visit.services.reader(unused_plan, None, visit.form.get("role", "")[:63])
    if not made.done:
        hint = "What comes by a group is left where the group is filled."
        return visit.go("/unused", Flash("note", "Nothing could be prepared.", hint))
    left = f"{plural(len(made.left), 'other')} could not be prepared." if made.left else _LOOK
    motive = Motive("Take what nobody uses", "No session in 90 days", "")
    return await _look(visit, _Draft(made.text, motive, base), {"text": _PREPARED, "hint": left})


async def propose(visit: Visit) -> Response:
    """Applies the plan that was looked at, or proposes it where it widens."""
    draft, change = _Draft.of(visit), new_id("chg", visit.services.random)
    replaced = await visit.services.reader(_replaced, None)
    if replaced and visit.form.get("replaces") != "yes":
        return await _look(visit, draft, {"text": _UNSAID, "hint": _TICK}, 409)
    digest = visit.form.get("digest", "")
    match await apply_access(visit.services.ledger, visit.me.actor, draft.text, change, digest, draft.motive):
        case Proposed():
            note = "It takes effect once another administrator approves it here."
            return visit.go(f"/changes/{change}", Flash("done", "Proposed.", note))
        case Applied():
            return visit.go(f"/changes/{change}", Flash("done", "In force.", "Nobody gains by it, so nobody is asked."))
        case Unchanged():
            return visit.go("/changes", Flash("note", "Nothing changes: the text says what is."))
        case InvalidFile() as invalid:
            return await _planned_page(visit, draft, invalid, None)
        case Refused(code="change.overtaken"):
            draft, said = await _brought_up(visit, draft)
            return await _look(visit, draft, said or {"text": _NOT_YET, "hint": _LOOK}, 409)
        case Refused() as refused:
            hint = "" if refused.hint.startswith("/") else refused.hint
            return await _look(visit, draft, {"text": refused.message, "hint": hint}, 409)


def _back(visit: Visit) -> str:
    """The page of the person or of the role that the change began on; else the changes."""
    back = visit.back("/changes")
    return back if back.startswith(("/people/", "/roles/")) else "/changes"


async def _whom(visit: Visit) -> tuple[str, str] | Refused:
    """The person by id, or by the address that was typed; and their address."""
    person, typed = visit.form.get("person", "")[:64], visit.form.get("email", "").strip()[:254]
    read = visit.services.reader
    found = await read(account, None, person) if person else await read(account_by_email, None, typed)
    if found is None and not person:
        return Refused("person.unknown", f"Nobody has the address {typed}.", "Give the e-mail of somebody enabled.")
    return (found.person, found.email) if found is not None else unknown_person(person)


async def _brought_up(visit: Visit, draft: _Draft) -> tuple[_Draft, Context | None]:
    """The draft over the file that is in force now; and what is to be said, where others have changed that since."""
    base, text = await visit.services.reader(rows.file_in_force, None)
    if draft.base in ("", base):
        return draft, None
    began = await visit.services.reader(rows.text_of, None, draft.base)
    mine = await asyncio.to_thread(carried, began, draft.text, text) if began is not None else None
    if mine is None:
        return replace(draft, base=base), {"text": _BOTH, "hint": _UNDOES}
    return replace(draft, text=mine, base=base), {"text": _CARRIED, "hint": _LOOK}


async def _look(visit: Visit, draft: _Draft, said: Context | None, status: int = 200) -> Response:
    planned = await plan_access(visit.services.ledger, visit.me.actor, draft.text)
    if isinstance(planned, Refused):
        return visit.outcome(planned, "/changes", "")
    return await _planned_page(visit, draft, planned, said, status)


async def _planned_page(
    visit: Visit, draft: _Draft, planned: Plan | InvalidFile, said: Context | None, status: int = 200
) -> Response:
    if isinstance(planned, InvalidFile):
        problems = [
            {"line": each.line, "column": each.column, "message": each.message, "hint": each.hint}
            for each in planned.problems
        ]
        return visit.page(await _page(visit, draft, problems=problems, said=said), 422)
    context = await visit.services.reader(_planned, None, planned, draft.text)
    return visit.page(await _page(visit, draft, plan=context, said=said), status)


async def _page(
    visit: Visit,
    draft: _Draft,
    *,
    problems: list[Context] | None = None,
    plan: Context | None = None,
    said: Context | None = None,
) -> ProposePage:
    motive = {"title": draft.motive.title, "reason": draft.motive.reason, "ticket": draft.motive.ticket}
    return ProposePage(
        text=draft.text,
        base=draft.base,
        guided=draft.guided,
        motive=motive,
        back={"href": draft.back, "word": _WORDS[draft.back.split("/")[1]]},
        replaces=await visit.services.reader(_replaced, None),
        said=said,
        problems=problems or [],
        plan=plan,
    )


_WORDS = {"people": "The person", "roles": "The role", "changes": "Changes"}


def _replaced(db: Snapshot, at: Instant) -> str:
    """What is in force without a text, in numbers; "" where its text is kept, or nothing is in force."""
    base, text = rows.file_in_force(db, at)
    if text or not base:
        return ""
    there = rows.objects_in_force(db, at)
    return words(plural(number, word) for word, number in there.items())


def _planned(db: Snapshot, at: Instant, planned: Plan, text: str) -> Context:
    called, cut = Called(db, at), rows.sessions_cut(db, at, planned)
    return {
        "digest": planned.digest,
        "summary": planned.summary(),
        "changes_something": bool(planned.objects),
        "widens": planned.widens,
        "widenings": named(planned.widenings, called),
        "broken": broken(planned, called),
        "ends": {"sessions": len(cut), "people": len({each.person for each in cut})},
        "effects": effects(planned, called),
        "diff": list(difference(rows.text_in_force(db, at), text)),
    }


PLACES = (
    Place("GET", "/changes/new", ADMINISTERS, new),
    Place("POST", "/changes/plan", ADMINISTERS, plan),
    Place("POST", "/changes/role", ADMINISTERS, role),
    Place("POST", "/changes/unused", ADMINISTERS, unused),
    Place("POST", "/changes", ADMINISTERS, propose),
)
