"""Every kind that takes two people, by its real use cases: how somebody proposes and decides, and what comes of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from onepam.app.leaving.erase_person import approve_erasure, propose_erasure
from onepam.app.matrix.apply_access import apply_access
from onepam.app.matrix.approve_change import approve_change
from onepam.app.matrix.plan_access import plan_access
from onepam.app.providers.approve_provider import approve_provider
from onepam.app.providers.propose_provider import propose_provider
from onepam.app.providers.signal_streams import approve_stream, propose_stream
from onepam.app.provisioning.scim_token import approve_scim_token, propose_scim_token
from onepam.app.signing_in.accept_risk import accept_exception, propose_exception
from onepam.app.signing_in.enrol import approve_enrolment, open_enrolment
from onepam.domain.access.proposal import (
    ProposalKind,
)
from onepam.domain.matrix.plan import Plan
from onepam.domain.people.events import PersonAdded, PersonDisabled, PersonKind
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import ProviderRule, ProviderSet
from onepam.domain.providers.setting import Provider
from onepam.domain.providers.signals import Delivery, Stream
from onepam.domain.provisioning.tokens import END_ATTRIBUTE, TokenWish
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.domain.signing_in.exceptions import Proposed as WantedException
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from onepam.store.engine.rebuild import compare
from tests.company import Company, record
from tests.matrix_company import FILE, WHY, founded

RISK = "risk: {purpose: Accepts risks, owner: ada@example.com, console: [accept_risk]}"
TEXT = (
    FILE.replace("\nbindings:\n", f"\n  {RISK}\nbindings:\n")
    + "  - {role: administrator, person: max@example.com, because: is the third}\n"
    + "".join(f"  - {{role: risk, person: {who}@example.com, because: decides}}\n" for who in ("ada", "bob", "eve"))
)
"""Three administrators: ada proposes, bob decides, max needs a new factor. Ada, bob and eve may accept risks."""
WIDER = TEXT.replace("longest: 4h", "longest: 6h")
LAB = ProviderSet("chg_9", "idp_9", ProviderKind.OIDC, "Lab", "{}", ProviderRule(), "ada", "bob")
OKTA = Provider("chg_1", "idp_1", ProviderKind.OIDC, "Okta", '{"issuer":"https://okta.example"}', ProviderRule(), None)
STREAM = Stream(
    "chg_2", "sst_1", "Okta", "https://okta.example", "https://pam.example", Delivery.PUSH, "idp_9", "", "s-1",
    "d" * 64, None,
)  # fmt: skip

ZED = PersonAdded("zed", PersonKind.EMPLOYEE, "hired", "ada", None, None, None, "Zed Gone", "zed@example.com")
"""Somebody who has left."""

Try = Callable[[Company, str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody proposes and decides by the use cases, what stands in the ledger then, whom it is for, and the code
    of what does not wait."""

    propose: Try
    decide: Try
    proposed: str
    done: str
    void: str
    gone: str
    person: str = ""


async def propose_token(company: Company, by: str) -> object:
    ends = Instant(company.clock() + 90 * DAY)
    wish = TokenWish("stk_1", "okta", "Okta", (), END_ATTRIBUTE, ends, "ab" * 32)
    return await propose_scim_token(company.ledger, company.actor(by), wish)


async def propose_exception_of_eve(company: Company, by: str) -> object:
    ends = Instant(company.clock() + 30 * DAY)
    wanted = WantedException("exc_1", "eve", "No telephone", "From the office only", ends)
    return await propose_exception(company.ledger, company.actor(by), wanted)


async def propose_change(company: Company, by: str) -> object:
    plan = await plan_access(company.ledger, None if by == "" else company.actor(by), WIDER)
    digest = plan.digest if isinstance(plan, Plan) else ""
    return await apply_access(company.ledger, company.actor(by), WIDER, "chg_3", digest, WHY)


async def decide_change(company: Company, by: str) -> object:
    plan = await plan_access(company.ledger, company.actor("aud"), WIDER)
    digest = plan.digest if isinstance(plan, Plan) else ""
    return await approve_change(company.ledger, company.actor(by), "chg_3", digest, WIDER)


WAYS = {
    ProposalKind.SCIM_TOKEN: Way(
        propose_token,
        lambda company, by: approve_scim_token(company.ledger, company.actor(by), "stk_1"),
        "scim_token.proposed",
        "scim_token.approved",
        "scim_token.ended",
        "scim_token.unknown",
    ),
    ProposalKind.PROVIDER: Way(
        lambda company, by: propose_provider(company.ledger, company.actor(by), OKTA, None),
        lambda company, by: approve_provider(company.ledger, company.actor(by), "chg_1"),
        "provider.proposed",
        "provider.set",
        "provider.rejected",
        "provider.no_proposal",
    ),
    ProposalKind.SIGNAL_STREAM: Way(
        lambda company, by: propose_stream(company.ledger, company.actor(by), STREAM),
        lambda company, by: approve_stream(company.ledger, company.actor(by), "chg_2"),
        "signal_stream.proposed",
        "signal_stream.set",
        "signal_stream.rejected",
        "signal.no_proposal",
    ),
    ProposalKind.MFA_EXCEPTION: Way(
        propose_exception_of_eve,
        lambda company, by: accept_exception(company.ledger, company.actor(by), "exc_1"),
        "mfa_exception.proposed",
        "mfa_exception.accepted",
        "mfa_exception.ended",
        "mfa_exception.unknown",
        "eve",
    ),
    ProposalKind.ENROLMENT: Way(
        lambda company, by: open_enrolment(company.ledger, company.actor(by), "max", "enr_1", "d" * 64, "lost it"),
        lambda company, by: approve_enrolment(company.ledger, company.actor(by), "enr_1", "e" * 64),
        "enrolment.proposed",
        "enrolment.opened",
        "enrolment.ended",
        "enrolment.gone",
        "max",
    ),
    ProposalKind.ERASURE: Way(
        lambda company, by: propose_erasure(company.ledger, company.actor(by), "ers_1", "zed", "asked for it", 0),
        lambda company, by: approve_erasure(company.ledger, company.actor(by), "ers_1"),
        "erasure.proposed",
        "erasure.approved",
        "erasure.ended",
        "erasure.unknown",
    ),
    ProposalKind.CHANGE: Way(
        propose_change,
        decide_change,
        "change.proposed",
        "change.approved",
        "change.rejected",
        "change.closed",
    ),
}  # fmt: skip
KINDS = pytest.mark.parametrize("kind", WAYS)
NAMES = {
    ProposalKind.SCIM_TOKEN: "stk_1",
    ProposalKind.PROVIDER: "chg_1",
    ProposalKind.SIGNAL_STREAM: "chg_2",
    ProposalKind.CHANGE: "chg_3",
    ProposalKind.MFA_EXCEPTION: "exc_1",
    ProposalKind.ENROLMENT: "enr_1",
    ProposalKind.ERASURE: "ers_1",
}


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Company]:
    """The company with three administrators; its tables are what the ledger says, in the end."""
    company = await founded(folder, TEXT)
    passkeys = (
        FactorEnrolled(f"fac_{who}", who, FactorKind.PASSKEY, "v1", None, None) for who in ("ada", "bob", "max")
    )
    await record(company.ledger, LAB, *passkeys, ZED, PersonDisabled("zed", "ada", "left"))
    try:
        yield company
    finally:
        company.close()
    assert compare(company.path) == []


async def tried(company: Company, attempt: Try, by: str) -> tuple[str, list[str], list[object]]:
    """The code of the refusal ("" for a yes), and the kinds and events that came of it."""
    before = company.ledger.size()
    outcome = await attempt(company, by)
    db = connect(company.path, read_only=True)
    try:
        found = list(entries(db, before, 1 << 40))
    finally:
        db.close()
    code = outcome.code if isinstance(outcome, Refused) else ""
    return code, [each.header.kind for each in found], [each.event for each in found]


async def laid(company: Company, kind: ProposalKind) -> Way:
    """Ada has proposed; bob has just signed in."""
    way = WAYS[kind]
    code, found, _ = await tried(company, way.propose, "ada")
    assert (code, found) == ("", [way.proposed])
    return way
