"""Exceptions from the second factor: who signs in without one, why, on whose word, until when."""

from starlette.responses import Response

from onepam.app.signing_in.accept_risk import end_exception, propose_exception
from onepam.console.frame.decision import decisions
from onepam.console.frame.page import Context
from onepam.console.frame.period import day_begins
from onepam.console.frame.places import MEMBER, Place
from onepam.console.frame.visit import Visit
from onepam.console.signing_in.exceptions_page import ExceptionsPage
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.signing_in.exceptions import LONGEST, Proposed
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read.federated import ExceptionRow, exceptions
from onepam.store.read.proofs_of_sign_in import account_by_email

HERE = "/exceptions"


async def exceptions_page(visit: Visit) -> Response:
    """All of them for those who propose, accept or audit; one's own for everybody."""
    me = visit.me
    found, forms = await visit.services.reader(exceptions, visit.at), await decisions(visit, ProposalKind.MFA_EXCEPTION)
    all_of_them = me.has(ConsoleRight.ADMINISTER, ConsoleRight.ACCEPT_RISK, ConsoleRight.AUDIT, ConsoleRight.MONITOR)
    shown = [each for each in found if all_of_them or each.person == me.actor.person]
    return visit.page(
        ExceptionsPage(
            waiting=[
                {**_row(visit, each), "decision": forms.get(each.exception)} for each in shown if not each.accepted_by
            ],
            accepted=[_row(visit, each) for each in shown if each.accepted_by],
            may_propose=me.has(ConsoleRight.ADMINISTER),
            latest=Instant(visit.now + LONGEST),
            email=visit.request.query_params.get("for", "")[:300],
        )
    )


async def propose(visit: Visit) -> Response:
    """An administrator asks for one."""
    form = visit.form
    who = await visit.services.reader(account_by_email, None, form.get("email", "").strip()[:300])
    if who is None:
        return visit.outcome(Refused("person.unknown", "Nobody has this address.", "Look under People."), HERE, "")
    wanted = Proposed(
        exception=new_id("exc", visit.services.random),
        person=who.person,
        reason=form.get("reason", ""),
        control=form.get("control", ""),
        ends=_end_of(form.get("ends", "")),
    )
    refused = await propose_exception(visit.services.ledger, visit.me.actor, wanted)
    return visit.outcome(refused, HERE, "It waits for a senior approver.")


async def end_excepted(visit: Visit) -> Response:
    """An administrator or a senior approver ends it early."""
    reason = visit.form.get("reason", "")
    refused = await end_exception(visit.services.ledger, visit.me.actor, visit.path("exception"), reason)
    return visit.outcome(refused, HERE, "Ended: a second factor is asked for again.")


def _row(visit: Visit, found: ExceptionRow) -> Context:
    return {
        "id": found.exception,
        "person": {"id": found.person, "name": found.person_name},
        "reason": found.reason,
        "control": found.control,
        "proposed_by": found.proposed_by_name,
        "proposed": found.proposed,
        "accepted_by": found.accepted_by_name,
        "accepted": found.accepted,
        "ends": found.ends,
        "may_end": visit.me.has(ConsoleRight.ADMINISTER, ConsoleRight.ACCEPT_RISK),
    }


def _end_of(day: str) -> Instant:
    """The last moment of a day in UTC; 0, which is refused, for what is no day."""
    ends = day_begins(day, 1)
    return Instant(0) if ends is None else Instant(ends - SECOND)


PLACES: tuple[Place, ...] = (
    Place("GET", "/exceptions", MEMBER, exceptions_page),
    Place("POST", "/exceptions", MEMBER, propose),
    Place("POST", "/exceptions/{exception}/end", MEMBER, end_excepted),
)
