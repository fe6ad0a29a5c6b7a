"""The inbox: everything that waits for the reader's decision, whatever its kind, and the one pair of actions on it."""

from collections.abc import Callable
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from onepam.app.deciding.decide_proposal import Seen, approve_proposal, deny_proposal, unknown_proposal
from onepam.app.ports import Snapshot
from onepam.app.requests.approve_request import approve_request, undo_approval
from onepam.app.requests.deny_request import deny_request
from onepam.console.desk.away import away
from onepam.console.desk.inbox_page import ApprovalsPage
from onepam.console.frame.decision import decision
from onepam.console.frame.page import Context
from onepam.console.frame.places import DECIDES, MEMBER, Place, Shown
from onepam.console.frame.rendering import Flash
from onepam.console.frame.view import View, resources
from onepam.console.frame.visit import Visit
from onepam.console.frame.week import week_picture
from onepam.console.frame.wording import agreed_words, asked_before, guard_words
from onepam.domain.access.authority import ActorFacts
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.requests.approval import Agreed
from onepam.gateway.ask_first import Said
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import HOUR, MILLISECOND, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.facts.holdings import held_roles
from onepam.store.read import proposals as laid
from onepam.store.read import requests as rows
from onepam.store.read.asked_for import agreed_and_waiting
from onepam.store.read.changes import change
from onepam.store.read.directory_brake import held_people, reported_leavers
from onepam.store.read.explain import asked
from onepam.store.read.leavers import stranded

HERE = "/approvals"
SHOW_A_FACTOR = frozenset({"factor.stale", "mfa.not_shown"})
"""Refusals after which the reader shows a second factor, and repeats what they said."""
MOST_DECIDED = 10
PAGE_SIZE = 50
"""Of requests, and of proposals."""
BEGINNING = Instant(0)

KINDS = {
    ProposalKind.SCIM_TOKEN: ("SCIM token", "id-badge-2"),
    ProposalKind.PROVIDER: ("Identity provider", "building"),
    ProposalKind.SIGNAL_STREAM: ("Signal stream", "link"),
    ProposalKind.MFA_EXCEPTION: ("Exception", "shield-lock"),
    ProposalKind.ENROLMENT: ("New factors", "fingerprint"),
    ProposalKind.CHANGE: ("Change", "git-pull-request"),
    ProposalKind.ERASURE: ("Erasure", "trash"),
    ProposalKind.STATEMENT: ("Statement", "terminal-2"),
}
"""How each kind is called, and its icon."""

Says = Callable[[str], Said | None]
"""What a statement says that waits."""


async def inbox_page(visit: Visit) -> Response:
    """What waits for me, and what was decided lately."""
    return await _show(visit, None)


async def waiting(visit: Visit) -> Response:
    """How much waits for me, for the open pages that keep their number true."""
    return JSONResponse({"waiting": visit.waiting, "changes": visit.changes})


async def decide(visit: Visit) -> Response:
    """The reader's word on a request or a proposal, from whichever page it is given; back there."""
    ident, said, back = visit.path("item"), visit.form.get("decision"), visit.back(HERE)
    if said not in ("approve", "deny"):
        return visit.refusal(Refused("form.malformed", "A decision is to approve or to deny.", "Go back."), 409)
    kind = await visit.services.reader(laid.proposal_kind, None, ident)
    if kind is None:
        return await _on_request(visit, ident, approve=said == "approve")
    ledger, actor, done = visit.services.ledger, visit.me.actor, "Approved, and in force."
    token = new_token("enr", visit.services.random)
    outcome: Instant | Refused | None
    if said == "deny":
        outcome = await deny_proposal(ledger, actor, kind, ident, visit.form.get("comment", ""))
        done = "It will not take effect."
    else:
        found = await visit.services.reader(change, None, ident) if kind is ProposalKind.CHANGE else None
        seen = Seen(visit.form.get("digest", ""), found.text if found else "", token_digest(token).hex())
        outcome = await approve_proposal(ledger, actor, kind, ident, seen)
        if kind is ProposalKind.STATEMENT:
            done = "Approved: it runs now, once. What came of it stands on the page of its session."
    if isinstance(outcome, Refused) and outcome.code in SHOW_A_FACTOR:
        return visit.go(f"/step-up?next={quote(back)}")
    if outcome is None or isinstance(outcome, Refused):
        return visit.outcome(outcome, back, done)
    link = f"{visit.services.origin}/enrol/{token.reveal().decode('ascii')}"
    return await _show(visit, {"url": link, "ends": outcome})


async def undo_request(visit: Visit) -> Response:
    """Takes my approval of a request back before it takes effect."""
    outcome = await undo_approval(visit.services.ledger, visit.me.actor, visit.path("item"))
    return visit.refusal(outcome, 409) if outcome is not None else visit.go(HERE, Flash("done", "Undone."))


async def _on_request(visit: Visit, request: str, *, approve: bool) -> Response:
    """A refusal is a page, so that it is seen. An approval can be undone until it takes effect."""
    ledger, comment = visit.services.ledger, visit.form.get("comment", "")
    outcome: object
    if not request.startswith("req_") or not visit.me.has(*DECIDES.rights):
        outcome = unknown_proposal(request)
    elif approve:
        grant, digest = new_id("grt", visit.services.random), visit.form.get("digest", "")
        outcome = await approve_request(ledger, visit.me.actor, request, digest, grant, comment)
    else:
        outcome = await deny_request(ledger, visit.me.actor, request, comment)
    if isinstance(outcome, Refused) and outcome.code in SHOW_A_FACTOR:
        return visit.go(f"/step-up?next={HERE}")
    if isinstance(outcome, Refused):
        return visit.refusal(outcome, 409)
    if isinstance(outcome, Agreed):
        more = f"You are {outcome.given} of {outcome.needed}: nothing opens before the others agree, too."
        return visit.go(HERE, Flash("done", "Agreed.", more))
    return visit.go(HERE, None if approve else Flash("done", "Denied."))


async def _show(visit: Visit, link: Context | None) -> Response:
    reader, says = visit.me.facts, visit.services.statements.shown
    if visit.request.method != "GET":
        return visit.page(await visit.services.reader(_inbox, None, View.of(visit), reader, link, BEGINNING, says))
    typed, query = (visit.request.query_params.get(name, "").strip()[:100] for name in ("after", "q"))
    after = Instant(int(typed)) if typed.isascii() and typed.isdigit() and len(typed) < 17 else BEGINNING
    return visit.page(await visit.services.reader(_inbox, visit.at, View.of(visit), reader, link, after, says, query))


def _proposal(found: laid.WaitingProposal, view: View, reader: ActorFacts, at: Instant, says: Says) -> Context:
    it = found.proposal
    place = _where(it.kind, it.proposal, it.person)
    shown = says(it.proposal) if it.kind is ProposalKind.STATEMENT else None
    word, glyph = KINDS[it.kind]
    return {
        "id": it.proposal,
        "kind": word,
        "icon": glyph,
        "title": found.title,
        "asks": it.kind is ProposalKind.STATEMENT,
        "facts": [
            _fact(each, value, it.kind, view) for each, value in (*found.facts, *(shown.before if shown else ()))
        ],
        "text": shown.text if shown is not None else "",
        "values": shown.parameters if shown is not None else (),
        "by": {"id": it.by, "name": found.by_name},
        "at": it.since,
        "until": it.until,
        "alone": it.alone,
        "href": place if ConsoleRight.ADMINISTER in reader.rights() else None,
        "decision": {**decision(it, reader, at), "digest": found.digest, "decides": found.decides},
    }


def _fact(word: str, value: str, kind: ProposalKind, view: View) -> Context:
    """The session of a statement leads to what ran in it before, for whoever may look at it."""
    leads = kind is ProposalKind.STATEMENT and word == "Session" and view.everybody
    return {"word": word, "value": value, "href": view.link(f"/sessions/{value}") if leads else None}


def _where(kind: ProposalKind, proposal: str, person: str) -> str | None:
    """The page that shows all of it; None where nothing shows more."""
    pages = {
        ProposalKind.SCIM_TOKEN: "/provisioning",
        ProposalKind.PROVIDER: f"/providers/proposed/{proposal}",
        ProposalKind.SIGNAL_STREAM: "/signals",
        ProposalKind.MFA_EXCEPTION: "/exceptions",
        ProposalKind.ENROLMENT: f"/people/{person}",
        ProposalKind.CHANGE: f"/changes/{proposal}",
        ProposalKind.ERASURE: f"/people/{person}",
    }
    return pages.get(kind)


def _inbox(
    db: Snapshot,
    at: Instant,
    view: View,
    reader: ActorFacts,
    link: Context | None,
    after: Instant,
    says: Says,
    query: str = "",
) -> ApprovalsPage:
    rights, roles = reader.rights(), reader.roles_with(ConsoleRight.APPROVE)
    administers = ConsoleRight.ADMINISTER in rights
    waiting = rows.inbox(db, at, view.person, roles, after, PAGE_SIZE + 1, query)
    proposed = laid.proposals(db, at, view.person, rights, after, laid.MOST if query else PAGE_SIZE + 1)
    proposed = tuple(each for each in proposed if _says(each, query))[: PAGE_SIZE + 1]
    made = [[each.row.made for each in waiting], [each.proposal.since for each in proposed]]
    last = min((each[PAGE_SIZE - 1] for each in made if len(each) > PAGE_SIZE), default=None)
    if last is not None:
        waiting = tuple(each for each in waiting if each.row.made <= last)
        proposed = tuple(each for each in proposed if each.proposal.since <= last)
    agreed = agreed_and_waiting(db, at, view.person, MOST_DECIDED)
    decided = (*agreed, *rows.requests(db, at, decider=view.person, most=MOST_DECIDED))
    shown = resources(db, at, (each.row.resource for each in waiting))
    reported = {each.person for each in reported_leavers(db, at)} if administers else ()
    return ApprovalsPage(
        link=link,
        filter={"q": query},
        first=after == BEGINNING,
        later=last,
        proposals=[_proposal(each, view, reader, at, says) for each in proposed],
        held=len(held_people(db, at)) if administers else 0,
        reported=len(reported),
        stranded=stranded(db, at) if administers else (),
        away=away(db, at, view.person),
        delegates=bool(roles),
        waiting=[_letter(db, at, view, each, shown[each.row.resource]) for each in waiting],
        decided=[
            {
                "id": each.request,
                "person": each.person_name,
                "resource": each.resource,
                "login": each.login,
                "decision": each.status.value,
                "by": "you agreed, others are waited for" if each.decided is None else "you",
                "at": each.made if each.decided is None else each.decided,
                "undo_left": _undo_left(each, at),
            }
            for each in decided
        ],
    )


def _says(found: laid.WaitingProposal, query: str) -> bool:
    """Whether the words stand in what it is, whom it is for or who made it."""
    kind, _ = KINDS[found.proposal.kind]
    return query.casefold() in f"{found.title}\n{kind}\n{found.by_name}\n{found.person_name}".casefold()


def _letter(db: Snapshot, at: Instant, view: View, each: rows.Waiting, resource: Context) -> Context:
    """One request."""
    row, may = each.row, {"decides": True, "denies": True, "mine": False, "stale": False, "why_not": ""}
    return {
        "id": row.request,
        "decision": {"id": row.request, "digest": row.digest, **may},
        "person": {
            "id": row.person,
            "name": row.person_name,
            "detail": ", ".join(dict.fromkeys(held.role for held in held_roles(db, row.person, at))),
        },
        "resource": resource,
        "login": row.login,
        "role": row.role,
        "passes": guard_words(row.guardrails),
        "duration": row.duration,
        "when": row.schedule_words,
        "week": week_picture(row.schedule),
        "agreed": agreed_words(each.approvals, each.agreed),
        "reason": row.reason or "",
        "ticket": row.ticket or "",
        "ticket_href": None,
        "at": row.made,
        "expires": row.expires,
        "before": asked_before(each.asked, each.used),
        "unusual": [words[:1].upper() + words[1:] for words in each.unusual],
        "chain": view.chain(link for link in asked(db, at, row.request) if link.kind in _RESTS_ON),
        "privileged": each.privileged,
    }


def _undo_left(row: rows.RequestRow, at: Instant) -> int:
    """Milliseconds for which an approval can be undone, an hour at most; 0 when it cannot."""
    if row.grant_state != "starting" or row.effective_at is None:
        return 0
    return min(row.effective_at - at, HOUR) // MILLISECOND


_RESTS_ON = ("role", "permission", "binding", "group")
"""The links above a request: what the requester says and wants stands beside them already."""


PLACES = (
    Place("GET", HERE, DECIDES, inbox_page, Shown("Approvals", "inbox", "Me")),
    Place("GET", "/waiting", DECIDES, waiting),
    Place("POST", "/approvals/{item}", MEMBER, decide),
    Place("POST", "/approvals/{item}/undo", DECIDES, undo_request),
)
