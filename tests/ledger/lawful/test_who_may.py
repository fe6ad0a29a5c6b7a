"""Whatever takes a sign-in, a role or somebody else, done without: named, and nothing else found."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from onepam.domain.access.proof import MfaBasis, MfaProof
from onepam.domain.host.announcing import ContinuationAnnounced, RenewalAnnounced
from onepam.domain.people.events import GroupMemberAdded, PersonAdded, PersonChanged, PersonKind
from onepam.domain.providers.events import (
    IdentityLinked,
    IdentityUnlinked,
    MfaDeclarationEnded,
    MfaDeclared,
    ProviderRemoved,
)
from onepam.domain.providers.signals import SignalStreamRemoved
from onepam.domain.provisioning.events import ScimTokenEnded
from onepam.domain.requests.events import (
    ApprovalUndone,
    GrantEnded,
    GrantExpired,
    RequestDenied,
    RequestStatus,
    RequestWithdrawn,
)
from onepam.domain.sessions.events import ConfirmationAsked, ConfirmationGiven, KillOrdered, RecordingWatched
from onepam.domain.signing_in.events import (
    EnrolmentAnnounced,
    EnrolmentUsed,
    FactorEnrolled,
    FactorKind,
    FactorRemoved,
    SignedOut,
    SteppedUp,
)
from onepam.domain.signing_in.exception_events import MfaExceptionEnded
from onepam.kernel.clock import DAY, FOREVER, MINUTE, Instant
from tests.ledger.lawful import test_access as access
from tests.ledger.lawful import test_excepting as excepting
from tests.ledger.lawful import test_factors as factors
from tests.ledger.lawful import test_sessions as sessions
from tests.ledger.lawful.story import Story, binding
from tests.ledger.lawful.test_providers import STREAM, STREAM_SET, with_provider

JOE, NO_REQUEST, NO_ACCESS = "joe was not signed in", "no such request waited", "no such access ran"
ONE_HAND = "bob and ada may be one hand: one made the link by which the other enrolled"


def provider() -> Story:
    """A provider with an identity of eve's, and a declaration."""
    told = with_provider()
    told.add(IdentityLinked("idn_1", "idp", "eve", "address", None))
    told.add(MfaDeclared("dcl_1", "idp", "yes", "0", Instant(told.at() + DAY), "ada", told.now))
    return told


def stream() -> Story:
    """A signal stream in force."""
    told = with_provider()
    told.add(STREAM)
    told.add(STREAM_SET)
    return told


def nobody() -> Story:
    """A company of which nobody is signed in."""
    return Story().ready()


def machine() -> Story:
    """A service account without a key."""
    told = Story().ready("ada")
    told.add(PersonAdded("bot", PersonKind.SERVICE, "deploys", "ada", "max", Instant(told.at() + DAY)))
    return told


def session() -> Story:
    """An open session of eve's."""
    told = sessions.ready()
    told.add(sessions.opened(told))
    return told


def asked() -> Story:
    """A request that waits, and no manager who is signed in."""
    told = Story().ready("eve")
    told.ask()
    return told


def approved() -> Story:
    """An approval that can still be undone, by a manager who has signed out since."""
    told = Story().ready("eve", "max")
    told.approve(told.ask())
    told.add(SignedOut("sgn_max", "max", "signed_out", "max"))
    return told


def confirming() -> Story:
    """A terminal that waits for eve, who has signed out."""
    told = sessions.ready()
    told.add(SignedOut("sgn_eve", "eve", "signed_out", "eve"))
    told.add(ConfirmationAsked("cnf_1", "eve", "dev-1", "app", Instant(told.at() + 2 * MINUTE)))
    return told


def gone() -> Story:
    """The end of bob's account has passed, and his session of the console stands."""
    told = with_provider()
    told.add(IdentityLinked("idn_1", "idp", "bob", "address", None))
    told.add(PersonChanged("bob", "ada", None, None, Instant(told.at() + MINUTE)))
    told.wait(MINUTE)
    return told


def raised() -> Story:
    """An exception was proposed for eve, who was made an administrator since."""
    told = Story().ready("ada", "sue")
    told.add(excepting.exception(told))
    told.change("chg_1", "ada", binding("bnd_eve", "administrator", "eve"))
    return told


def one_hand() -> Story:
    """Bob has enrolled by a link of ada's, and she proposes a change."""
    told = Story().found()
    told.enrol("ada")
    told.sign_in("ada")
    told.add(factors.link(told, "bob"))
    kinds = (FactorKind.PASSWORD, FactorKind.TOTP)
    enrolled = (FactorEnrolled(f"fac_bob_{each.value}", "bob", each, "", None, "bob") for each in kinds)
    told.add(EnrolmentUsed("enr_1", "bob", ("ada",)), *enrolled)
    told.sign_in("bob")
    access.proposed(told)
    return told


def keyed() -> Story:
    """A service account with a key."""
    told = machine()
    told.add(FactorEnrolled("fac_bot", "bot", FactorKind.SSH_KEY, "", FOREVER, "ada"))
    return told


def excepted() -> Story:
    """An exception that waits for a senior approver."""
    told = Story().ready("ada")
    told.add(excepting.exception(told))
    return told


def asking_eve() -> Story:
    """A terminal that waits for eve; joe is signed in, too."""
    told = sessions.ready("joe")
    told.add(ConfirmationAsked("cnf_1", "eve", "dev-1", "app", Instant(told.at() + 2 * MINUTE)))
    return told


PROOF = MfaProof("sgn_eve", ("password", "totp"), Instant(0))
PLANTED: dict[str, tuple[Callable[[], Story], Callable[[Story], object], str]] = {
    "a member": (nobody, lambda told: GroupMemberAdded("directory:ops", "eve", "scim:okta", "joe"), JOE),
    "a key of a service": (
        machine,
        lambda told: FactorEnrolled("fac_bot", "bot", FactorKind.SSH_KEY, "", FOREVER, "joe"),
        JOE,
    ),
    "an announced enrolment": (
        nobody,
        lambda told: EnrolmentAnnounced("enr_1", "eve", "lost", "joe", Instant(told.at() + 2 * DAY)),
        JOE,
    ),
    "a link for nobody": (
        lambda: Story().ready("ada"),
        lambda told: factors.link(told, "nobody"),
        "there was no account nobody",
    ),
    "an exception": (nobody, lambda told: replace(excepting.exception(told), by="joe"), JOE),
    "an exception of who administers by now": (raised, excepting.accepted, "eve held something administrative"),
    "the removal of a provider": (provider, lambda told: ProviderRemoved("idp", "joe", "gone"), JOE),
    "a declaration": (
        provider,
        lambda told: MfaDeclared("dcl_2", "idp", "yes", "0", Instant(told.at() + DAY), "joe", told.now),
        JOE,
    ),
    "the end of a declaration": (provider, lambda told: MfaDeclarationEnded("dcl_1", "idp", "no", "joe"), JOE),
    "the end of an identity": (provider, lambda told: IdentityUnlinked("idn_1", "eve", "x", "joe"), JOE),
    "the removal of a stream": (stream, lambda told: SignalStreamRemoved("str_1", "joe", "x"), JOE),
    "a denial": (asked, lambda told: RequestDenied("req_1", "max", "manager", ""), "max was not signed in"),
    "an undo": (approved, lambda told: ApprovalUndone("req_1", "grt_1", "max"), "max was not signed in"),
    "the end of a session": (session, lambda told: KillOrdered("ses_1", "mon", ""), "mon was not signed in"),
    "a recording": (session, lambda told: RecordingWatched("ses_1", "aud", "play"), "aud was not signed in"),
    "a confirmation": (
        confirming,
        lambda told: ConfirmationGiven("cnf_1", "eve", PROOF),
        "eve was not signed in",
    ),
    "a step up of who has left": (
        gone,
        lambda told: SteppedUp("sgn_bob", "bob", FactorKind.PROVIDER, told.at(), MfaBasis.ATTESTED, False, "m"),
        "the end of the account bob had passed",
    ),
    "the end of a key of a service": (keyed, lambda told: FactorRemoved("fac_bot", "bot", "x", "joe"), JOE),
    "the end of an exception that waits": (excepted, lambda told: MfaExceptionEnded("exc_1", "eve", "x", "joe"), JOE),
    "the end of an identity, by nobody": (
        provider,
        lambda told: IdentityUnlinked("idn_1", "eve", "x", None),
        "it is on nobody's word",
    ),
    "the end of a token that is none": (
        lambda: Story().ready("ada"),
        lambda told: ScimTokenEnded("stk_1", "okta", "x", "ada"),
        "there was no such token",
    ),
    "a denial of nothing": (
        lambda: Story().ready("max"),
        lambda told: RequestDenied("req_1", "max", "manager", ""),
        NO_REQUEST,
    ),
    "taking back nothing": (
        lambda: Story().ready("eve"),
        lambda told: RequestWithdrawn("req_1", RequestStatus.WITHDRAWN, "withdrawn", "eve"),
        NO_REQUEST,
    ),
    "the end of no access": (
        lambda: Story().ready("ada"),
        lambda told: GrantEnded("grt_1", "req_1", "revoked", "ada"),
        NO_ACCESS,
    ),
    "the expiry of no access": (
        lambda: Story().ready("ada"),
        lambda told: GrantExpired("grt_1", "req_1", told.at()),
        NO_ACCESS,
    ),
    "a confirmation that asks somebody else": (
        asking_eve,
        lambda told: ConfirmationGiven("cnf_1", "joe", replace(PROOF, session="sgn_joe")),
        "it asks somebody else",
    ),
    "a loss that is due at once": (
        lambda: Story().ready("ada"),
        lambda told: ContinuationAnnounced("ann_1", told.at(), "node-1", "log.new"),
        "it is due within a day",
    ),
    "a recovery key that is due at once": (
        lambda: Story().ready("ada"),
        lambda told: RenewalAnnounced("ann_1", told.at(), "node-1"),
        "it is due within a day",
    ),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_who_does_it_without_is_named(planted: str) -> None:
    told, event, why = PLANTED[planted]
    story = told()
    at = story.add(event(story))
    found = story.said()
    assert (at, why) in found
    assert {each for each, _ in found} == {at}


def test_a_change_takes_somebody_who_is_no_one_hand_with_its_proposer() -> None:
    told = one_hand()
    at = access.approved(told)
    assert told.said() == [(at, ONE_HAND)]
