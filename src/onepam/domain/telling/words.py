"""Sentences of notices (`notices.py`) about requests, reviews, factors, erasures, the roster and what the host does."""

from collections.abc import Callable

from onepam.domain.controls.control import Severity
from onepam.domain.controls.events import ControlReminded
from onepam.domain.host.announcing import AccessRecoveryAnnounced, ContinuationAnnounced, RenewalAnnounced
from onepam.domain.incidents.events import IncidentOpened, IncidentReminded
from onepam.domain.leaving.erasure_events import ErasureFinished, ErasureProposed
from onepam.domain.policies.events import PolicyReminded
from onepam.domain.recovery.recovering import AccessRecovered
from onepam.domain.requests.events import (
    GrantEnded,
    GrantStarted,
    RequestDenied,
    RequestEscalated,
    RequestMade,
    RequestPreapproved,
    RequestStatus,
    RequestWithdrawn,
)
from onepam.domain.reviews.events import ReviewReminded, RoleWithheld, Stage, Withheld
from onepam.domain.roster.events import RosterHeld, RosterRefused
from onepam.domain.sessions.waiting_statements import StatementAsked
from onepam.domain.signing_in.events import (
    EnrolmentAnnounced,
    EnrolmentProposed,
    EnrolmentUndecided,
    EnrolmentUsed,
    FactorEnrolled,
    FactorKind,
    FactorRemoved,
)
from onepam.domain.systems.events import AccountListHeld
from onepam.kernel.clock import Instant, iso, utc

Named = Callable[[str | None], str]
"""A person's name by id; of a request, what it asks for."""


def asked(event: RequestMade, named: Named) -> str:
    """Somebody asks for access."""
    asked = event.substance
    return (
        f"{named(asked.person)} asks to reach {asked.resource} as {asked.login} ({asked.role}) and waits for a "
        f"decision, yours or another's, until {iso(event.expires)}."
    )


def escalated(event: RequestEscalated, named: Named) -> str:
    """Somebody asked, and nobody decided for a while."""
    return f"Nobody has decided yet on what was asked for, and you may, too: {named(event.request)}."


def preapproved(event: RequestPreapproved, named: Named) -> str:
    """Nobody was asked. Whoever could have decided may end it on the request's page."""
    return (
        f"A rule of the role {event.role} let {named(event.person)} in without asking anybody: {named(event.request)}. "
        f"You may end it on the page of the request {event.request}."
    )


def allowed(event: GrantStarted, named: Named) -> str:
    """Somebody may, from now on or from a time on. Who agreed stands on the page."""
    asked = event.substance
    return (
        f"You may reach {asked.resource} as {asked.login} ({asked.role}), as you asked: from {utc(event.starts)} until "
        f"{utc(event.ends)}."
    )


def denied(event: RequestDenied, named: Named) -> str:
    """Somebody said no. Why stands on the page alone."""
    return f"{named(event.by)} denied what you asked for: {named(event.request)}."


def void(event: RequestWithdrawn, named: Named) -> str | None:
    """Nobody decided, or there is nothing to decide on any more; what somebody takes back they know."""
    if event.status is not RequestStatus.VOID:
        return None
    if event.because == "expired":
        return f"Nobody decided in time on what you asked for: {named(event.request)}. Ask again if you still need it."
    return f"What you asked for came to nothing: {named(event.request)}. What it was of has changed, or is no more."


def grant_ended(event: GrantEnded, named: Named) -> str | None:
    """An access is gone before its time. What is undone had not begun."""
    if event.because == "undone":
        return None
    what = f"{named(event.by)} ended your access" if event.by else "Your access was ended"
    return f"{what} before its time: {named(event.request)}."


def roster_held(event: RosterHeld, named: Named) -> str:
    """A version of the roster is held back."""
    return (
        f"A version of the staff roster is held back: it would end the access of {event.leavers} of {event.accounts} "
        "people. An administrator releases it, or corrects the file."
    )


def roster_refused(event: RosterRefused, named: Named) -> str:
    """A version of the roster was not taken."""
    return "The staff roster was not taken: the file is wrong, or could not be had. Leavers are not seen meanwhile."


def account_list_held(event: AccountListHeld, named: Named) -> str:
    """A list of the accounts of another system is held back."""
    why = (
        f"it lacks {event.missing} of {event.before} accounts"
        if event.because == "account_list.shrinks"
        else "the same list was in force before the one that is"
    )
    return f"A list of the accounts of {event.system} is held back: {why}. Another administrator releases it."


def statement_asked(event: StatementAsked, named: Named) -> str:
    """A live session waits. What the statement says stands on the page alone."""
    locks = " Others wait for what its transaction has locked." if event.in_transaction else ""
    return (
        f"{named(event.by)} waits in a session at {event.resource} as {event.login} for a yes to a statement "
        f"({', '.join(event.classes)}), yours or another's, until {iso(event.expires)}.{locks}"
    )


def review_waits(event: ReviewReminded, named: Named) -> str:
    """Somebody is to keep or remove what others hold, and what comes of it without their word."""
    items = "One access waits" if event.waiting == 1 else f"{event.waiting:,} accesses wait"
    silence = f" Without an answer {event.suspended:,} of them will be withheld then." if event.suspended else ""
    if event.stage is Stage.ESCALATED:
        return f"{items} in a review for somebody after whom you are next, until {iso(event.closes)}.{silence}"
    return f"{items} for your word in a review, until {iso(event.closes)}: keep or remove.{silence}"


def policy_waits(event: PolicyReminded, named: Named) -> str:
    """A document is to be read."""
    again = f" You are told for the {event.times}. time." if event.times > 1 else ""
    return f"Version {event.version} of the policy {event.policy} waits for you to read and confirm it.{again}"


def control_fails(event: ControlReminded, named: Named) -> str:
    """Somebody answers for a control that fails."""
    many = "one row fails" if event.failed == 1 else f"{event.failed:,} rows fail"
    return f"The control {event.control}, which you answer for, fails since {iso(event.since)}: {many}."


def incident_opened(event: IncidentOpened, named: Named) -> str | None:
    """One of high severity; of others whoever answers for it is told."""
    if event.severity is not Severity.HIGH:
        return None
    return f"{named(event.by)} opened an incident of high severity, {event.incident}, until {iso(event.due)}."


def incident_waits(event: IncidentReminded, named: Named) -> str:
    """Somebody answers for an incident that is open."""
    again = f" You are told for the {event.times}. time." if event.times > 1 else ""
    return f"You answer for the incident {event.incident}, which is to be closed until {iso(event.due)}.{again}"


def role_withheld(event: RoleWithheld, named: Named) -> str:
    """Somebody lost a role by a review."""
    if event.because is Withheld.SILENCE:
        return (
            f"The role {event.role} of {named(event.person)} is withheld, because nobody confirmed it in a review in "
            "time. Whoever answers for it can confirm it now: ask your manager."
        )
    if event.because is Withheld.REDUCED:
        return (
            f"A review kept the role {event.role} of {named(event.person)} until a day that is over: it gives nothing "
            "any more."
        )
    return f"A review took the role {event.role} from {named(event.person)}: it gives nothing any more."


def proposed(event: EnrolmentProposed, named: Named) -> str:
    """New factors of somebody are asked for, and another administrator decides."""
    return (
        f"{named(event.by)} asks to set all factors of {named(event.person)} anew by a link, and another "
        "administrator decides. If that is not wanted, tell your administrators at once."
    )


def announced(event: EnrolmentAnnounced, named: Named) -> str:
    """New factors of somebody on whom nobody else could decide."""
    return (
        f"{named(event.by)} may set all factors of {named(event.person)} anew by a link from {iso(event.due)} on, "
        "since nobody else could decide on it. If that is not wanted, cancel it before."
    )


def undecided(event: EnrolmentUndecided, named: Named) -> str:
    """The link that was made of it; other links are told of when they serve."""
    return (
        f"{named(event.by)} has made a link that sets all factors of {named(event.person)} anew, and nobody else has "
        "decided on it. Let somebody else look at it."
    )


def erasure_proposed(event: ErasureProposed, named: Named) -> str:
    """Somebody's data shall go for good. By the id: the name would stay in everybody's mail."""
    return (
        f"{named(event.by)} asks to erase what is known of {event.person}, who has left, and another administrator "
        "decides. What goes is listed there, and cannot be brought back."
    )


def erasure_finished(event: ErasureFinished, named: Named) -> str:
    """They have gone."""
    return (
        f"What was known of {event.person} was erased, in {event.payloads} entries, as two administrators agreed. "
        "Their entries stay; backups of before still hold the data."
    )


def own_factor(event: FactorEnrolled, named: Named) -> str | None:
    """Another factor that somebody added; new recovery codes are told of by the old ones' end."""
    if event.by is None or event.by != event.person or event.kind is FactorKind.RECOVERY:
        return None
    return (
        f"{named(event.person)} added another factor to sign in by ({event.kind.value}). "
        "If that was not you, tell your administrators at once."
    )


def enrolled(event: EnrolmentUsed, named: Named) -> str:
    """A link has served."""
    return (
        f"{named(event.person)} set a new password and a new second factor by a link. "
        "If that was not you, tell your administrators at once."
    )


def removed(event: FactorRemoved, named: Named) -> str | None:
    """A factor is gone; that of a leaver is not told of."""
    if event.because not in ("removed", "replaced", "renewed"):
        return None
    return (
        f"A factor by which {named(event.person)} signs in was {event.because}. "
        "If that was not you, tell your administrators at once."
    )


def renewal(event: RenewalAnnounced, named: Named) -> str:
    """Another recovery key was announced."""
    return (
        "Somebody on the host, without the recovery key, has announced another one. If you do not know of it, cancel "
        f"it before {iso(Instant(event.due))}."
    )


def continuation(event: ContinuationAnnounced, named: Named) -> str:
    """Another log was announced."""
    return (
        f"Somebody on the host has announced that the ledger goes on as {event.origin}, after a loss. If you do not "
        f"know of it, cancel it before {iso(Instant(event.due))}."
    )


def recovery(event: AccessRecoveryAnnounced, named: Named) -> str:
    """Somebody's getting in was announced."""
    return (
        f"Somebody on the host, without the recovery key, has announced that {named(event.person)} gets in as an "
        f"administrator. If you do not know of it, cancel it before {iso(Instant(event.due))}."
    )


def recovered(event: AccessRecovered, named: Named) -> str:
    """Somebody got in."""
    return (
        f"A command on the host made {named(event.person)} an administrator who enrols anew. If you do not know of it, "
        "disable the account and find out who has a shell on the host."
    )
