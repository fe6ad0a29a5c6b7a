"""Requests: one with its chain and history, taking back and ending."""

from starlette.responses import Response

from onepam.app.ports import LedgerHealth, Snapshot
from onepam.app.requests.end_grant import end_grant
from onepam.app.requests.withdraw_request import withdraw_request
from onepam.console.frame.clients import lines
from onepam.console.frame.page import Context
from onepam.console.frame.places import MEMBER, Place
from onepam.console.frame.rendering import some
from onepam.console.frame.services import ConsoleServices
from onepam.console.frame.view import View, resources
from onepam.console.frame.visit import Visit
from onepam.console.frame.week import week_picture
from onepam.console.frame.wording import agreed_words, guard_words, probe_words, words_of
from onepam.console.requests.requests_page import RequestPage
from onepam.domain.access.hours import given_until
from onepam.domain.access.model import ConsoleRight
from onepam.domain.requests.events import RequestStatus
from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.store.read import requests as rows
from onepam.store.read.catalogue import catalogue
from onepam.store.read.explain import asked
from onepam.store.read.names import Called
from onepam.store.read.probes import probed_after
from onepam.store.read.reviews import withheld_from
from onepam.store.read.sessions import SessionFilter, count_sessions


async def request_page(visit: Visit) -> Response:
    """One request. The requester's page asks every few seconds by `?seen=` whether it is still as it was shown, and is
    loaded anew once it is not."""
    view, ident = View.of(visit), visit.path("request")
    if (seen := visit.request.query_params.get("seen")) is not None:
        now = await visit.services.reader(rows.state_of, None, ident, view.person)
        if now is None:
            return visit.refusal(_unknown(ident), 404)
        return Response(status_code=204) if now == seen else Response(headers={"HX-Refresh": "true"})
    health = await visit.services.health()
    administers, services = visit.me.has(ConsoleRight.ADMINISTER), visit.services
    found = await visit.services.reader(_request, visit.at, view, ident, health, administers, services)
    return visit.page(found) if found is not None else visit.refusal(_unknown(ident), 404)


async def withdraw(visit: Visit) -> Response:
    """Takes my waiting request back, or gives back what was granted."""
    ident = visit.path("request")
    found = await visit.services.reader(rows.request, None, ident)
    if found is None or found.row.person != visit.me.actor.person:
        return visit.refusal(_unknown(ident), 404)
    here = f"/requests/{ident}"
    if found.row.grant is not None and found.row.status is RequestStatus.APPROVED:
        ended = await end_grant(visit.services.ledger, visit.me.actor, found.row.grant)
        return visit.outcome(ended, here, "Given back.")
    return visit.outcome(await withdraw_request(visit.services.ledger, visit.me.actor, ident), here, "Withdrawn.")


async def end_access(visit: Visit) -> Response:
    """Ends a grant before its time."""
    grant = visit.path("grant")
    request = await visit.services.reader(rows.request_of_grant, None, grant)
    outcome = await end_grant(visit.services.ledger, visit.me.actor, grant, visit.form.get("reason", ""))
    if outcome is not None and outcome.code == "grant.unknown":
        return visit.refusal(outcome, 404)
    return visit.outcome(outcome, f"/requests/{request}", "Ended; its sessions are being cut.")


def _unknown(ident: str) -> Refused:
    return Refused("request.unknown", "There is no such request that you may see.", f"You asked for {ident[:40]}.")


def _request(
    db: Snapshot,
    at: Instant,
    view: View,
    ident: str,
    health: LedgerHealth,
    administers: bool,
    services: ConsoleServices,
) -> RequestPage | None:
    found = rows.request(db, at, ident)
    if found is None:
        return None
    row, deciders = found.row, dict(found.approvers)
    if not view.sees(row.person) and view.person not in deciders and view.person != row.decider:
        return None
    resource = resources(db, at, [row.resource])[row.resource]
    waits, mine = row.status is RequestStatus.OPEN, row.person == view.person
    given = row.grant_state in ("running", "starting")
    withheld = given and row.role in {role for role, _ in withheld_from(db, at, row.person)}
    now = row.grant_state == "running" and mine and given_until(row.schedule, at) is not None and _opens(db, at, row)
    return RequestPage(
        request={
            "id": ident,
            "status": row.state,
            "person": {"id": row.person, "name": row.person_name},
            "resource": resource,
            "login": row.login,
            "role": row.role,
            "permission": row.permission,
            "passes": guard_words(row.guardrails),
            "duration": row.duration,
            "when": row.schedule_words,
            "week": week_picture(row.schedule),
            "agreed": agreed_words(found.approvals, _agreed(found)),
            "rule": f"a rule of the role {row.role}, version {row.rule[:12]}, asked nobody" if row.rule else "",
            "reason": row.reason if row.reason is not None else "erased",
            "ticket": row.ticket or "",
            "ticket_href": None,
            "at": row.made,
            "expires": row.expires,
            "digest": row.digest,
            "ends": row.grant_ends,
            "starting": row.grant_state == "starting",
            "effective_at": row.effective_at,
            "void_why": words_of(row.because) if row.status is RequestStatus.VOID else "",
            "withheld": withheld,
            "probe": _probe(db, at, row),
        },
        waits_for=some([name for _, name in found.approvers]),
        known_state=f"{row.status}-{row.grant_state or 'none'}" if mine and (waits or given) else "",
        chain=view.chain(asked(db, at, ident)),
        history=view.history(found.history, Called(db, at), health),
        live=count_sessions(db, at, SessionFilter(request=ident, status="open")),
        grant=row.grant or "",
        command=lines(services, resource["kind"], row.login, row.resource).command if now else "",
        extends=_extends(row) if now and (row.schedule is None or row.schedule.weekly is None) else None,
        may_withdraw=mine and (waits or given),
        may_end=given and not mine and (view.person in deciders or administers),
        may_decide=waits and view.person in deciders,
    )


def _agreed(found: rows.RequestDetail) -> list[str]:
    """Who said yes, the last of them, too."""
    last = [found.row.decider_name] if found.row.status is RequestStatus.APPROVED and found.row.decider else []
    return [*(called for _, called in found.agreed), *last]


def _opens(db: Snapshot, at: Instant, row: rows.RequestRow) -> bool:
    """Whether the door would open: a grant runs on where a review withholds its role, and gives nothing."""
    opened = catalogue(db, at, row.person, only=row.resource).open
    return any(one.login == row.login for one in opened)


def _extends(row: rows.RequestRow) -> Context:
    """What the form says that asks for the same again, to go on when it ends."""
    return {
        "option": f"{row.role}:{row.login}",
        "minutes": row.duration // MINUTE,
        "ticket": row.ticket or "",
    }


def _probe(db: Snapshot, at: Instant, row: rows.RequestRow) -> Context | None:
    """What the probe found after the grant's end; None while there is nothing to probe."""
    if row.grant_ends is None or row.grant_state in ("starting", "running"):
        return None
    return probe_words(probed_after(db, at, row.person, row.resource, row.login, row.grant_ends))


PLACES = (
    Place("GET", "/requests/{request}", MEMBER, request_page),
    Place("POST", "/requests/{request}/withdraw", MEMBER, withdraw),
    Place("POST", "/grants/{grant}/end", MEMBER, end_access),
)
