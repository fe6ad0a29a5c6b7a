"""Nobody's accounts decide alone, whatever links they make.

One person holds the account of an administrator, makes links, enrols by each that is shown to them, and says yes with
every account that they hold. Others are honest: a link that they agree to goes to whom it is for.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from onepam.app.provisioning.scim_token import approve_scim_token, end_scim_token, propose_scim_token
from onepam.app.requests.approve_request import approve_request
from onepam.app.requests.withdraw_request import withdraw_request
from onepam.app.signing_in.enrol import approve_enrolment, enrol, open_enrolment
from onepam.domain.access.proposal import ONE_HAND
from onepam.domain.provisioning.tokens import END_ATTRIBUTE, TokenWish
from onepam.domain.signing_in.events import EnrolmentUsed, FactorEnrolled, FactorKind
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.kernel.errors import Refused
from tests.company import Company, binding, record

T = TypeVar("T")

HELD, HONEST = "ada", ("bob", "cyd")
NEW = ("max", "eve", "dan")
"""Without a factor yet: who approves, who asks, and another administrator."""


def passkey(company: Company, person: str) -> FactorEnrolled:
    return FactorEnrolled(
        company.new("fac"), person, FactorKind.PASSKEY, "v1", None, None, reference=company.new("ref")
    )


@dataclass
class Link:
    """A replacement that waits."""

    enrolment: str
    person: str
    by: str


@dataclass
class Held:
    """The accounts that one person holds, each with whose link it came by."""

    accounts: dict[str, str] = field(default_factory=lambda: {HELD: ""})

    def above(self, account: str) -> set[str]:
        """The accounts by whose links this one came, in turn."""
        found: set[str] = set()
        while (account := self.accounts.get(account, "")) and account not in found:
            found.add(account)
        return found

    def in_line(self, one: str, other: str) -> bool:
        """Whether one came by the other, directly or through others."""
        return one == other or one in self.above(other) or other in self.above(one)


class OneHand(RuleBasedStateMachine):
    """The company for less than `ONE_HAND`."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.loop = asyncio.new_event_loop()
        self.company = self.do(Company.create(self.folder))
        self.begun = self.company.clock.now
        self.held, self.waiting = Held(), list[Link]()
        self.links = 0
        for person in ("cyd", "dan"):
            self.do(self.company.join(person, "administrator"))
        roles = (binding("ada", "engineer"), binding("dan", "engineer"))
        self.do(record(self.company.ledger, *roles, *(passkey(self.company, who) for who in (HELD, *HONEST))))

    def do(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self.loop.run_until_complete(awaited())

    def teardown(self) -> None:
        self.company.close()
        self.loop.close()
        shutil.rmtree(self.folder)

    def digest(self) -> str:
        self.links += 1
        return f"{self.links:064}"

    def takes(self, person: str, by: str, digest: str) -> None:
        """Whoever sees the link enrols."""
        assert self.do(enrol(self.company.ledger, digest, (passkey(self.company, person),))) is None
        self.held.accounts[person] = by
        self.do(self.company.sign_in(person))

    @initialize(which=st.tuples(*[st.integers(0, 1)] * len(NEW)))
    def begins_with_links(self, which: tuple[int, ...]) -> None:
        """Something to decide from the first step on: by the first account, or by who enrolled by its link."""
        for person, maker in zip(("dan", "max", "eve"), which, strict=True):
            self.makes_a_link(person, maker)

    @rule(person=st.sampled_from((*NEW, *HONEST)), which=st.integers(0, 5))
    def makes_a_link(self, person: str, which: int) -> None:
        by = sorted(self.held.accounts)[which % len(self.held.accounts)]
        enrolment, digest = self.company.new("enr"), self.digest()
        self.do(self.company.sign_in(by))
        opened = self.do(
            open_enrolment(self.company.ledger, self.company.actor(by), person, enrolment, digest, "lost it")
        )
        if isinstance(opened, Refused):
            return
        if opened.expires is None:
            self.waiting.append(Link(enrolment, person, by))
            return
        self.takes(person, by, digest)

    @precondition(lambda self: self.waiting)
    @rule()
    def agrees_with_every_account(self) -> None:
        link = self.waiting[-1]
        for by in sorted(self.held.accounts):
            self.do(self.company.sign_in(by))
            answer = self.do(
                approve_enrolment(self.company.ledger, self.company.actor(by), link.enrolment, self.digest())
            )
            if isinstance(answer, Refused):
                continue
            assert not self.held.in_line(by, link.by), f"{by} and {link.by} alone made a link for {link.person}"
            self.waiting.pop()  # by two accounts that came by links of one third: not told apart from two people
            return

    @precondition(lambda self: self.waiting)
    @rule()
    def an_honest_administrator_agrees(self) -> None:
        """The link goes to the person, who is nobody else from then on."""
        link = self.waiting.pop()
        by = next((who for who in HONEST if who not in (*self.held.accounts, link.person)), None)
        if by is None:
            return
        digest = self.digest()
        self.do(self.company.sign_in(by))
        answer = self.do(approve_enrolment(self.company.ledger, self.company.actor(by), link.enrolment, digest))
        if not isinstance(answer, Refused):
            assert self.do(enrol(self.company.ledger, digest, (passkey(self.company, link.person),))) is None
            self.held.accounts.pop(link.person, None)

    @precondition(lambda self: "max" in self.held.accounts)
    @rule()
    def asks_with_every_account_and_approves(self) -> None:
        for person in ("ada", "dan", "eve"):
            if person not in self.held.accounts or not self.held.in_line("max", person):
                continue
            for who in (person, "max"):
                self.do(self.company.sign_in(who))
            made = self.do(self.company.ask(person, "web-1", "root", HOUR))
            max_, grant = self.company.actor("max"), self.company.new("grt")
            answer = self.do(approve_request(self.company.ledger, max_, made.request, made.digest, grant, ""))
            assert isinstance(answer, Refused), f"{person} and max are one hand"
            self.do(withdraw_request(self.company.ledger, self.company.actor(person), made.request))

    @rule(which=st.integers(0, 5))
    def proposes_a_setting_and_approves_with_every_account(self, which: int) -> None:
        """A token stands for all settings: `test_proposals` walks every kind by the same rules."""
        administering = [who for who in ("ada", *HONEST, "dan") if who in self.held.accounts]
        by, token, company = administering[which % len(administering)], self.company.new("stk"), self.company
        ends = Instant(company.clock() + DAY)
        wish = TokenWish(token, "okta", "Okta", (), END_ATTRIBUTE, ends, self.digest())
        self.do(company.sign_in(by))
        assert self.do(propose_scim_token(company.ledger, company.actor(by), wish)) is None
        for who in administering:
            self.do(company.sign_in(who))
            if self.do(approve_scim_token(company.ledger, company.actor(who), token)) is None:
                assert not self.held.in_line(who, by), f"{who} and {by} are one hand"
                break
        assert self.do(end_scim_token(company.ledger, company.actor(by), token, "tried")) is None

    @precondition(lambda self: self.company.clock.now < self.begun + ONE_HAND - 2 * DAY)
    @rule()
    def a_day_passes(self) -> None:
        self.company.clock.advance(DAY)


TestOneHand = OneHand.TestCase
TestOneHand.settings = settings(
    max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.anyio
async def test_makers_of_makers_are_one_hand_and_what_came_by_one_third_is_not(tmp_path: Path) -> None:
    """Ada's link for dan, dan's for max and for eve."""
    company = await Company.create(tmp_path)
    try:
        await company.join("dan", "administrator", "engineer")
        await company.bind("ada", "engineer")
        for person, maker in (("dan", "ada"), ("max", "dan"), ("eve", "dan")):
            await record(company.ledger, EnrolmentUsed(f"enr_{person}", person, (maker,)))
        for person, code in (("ada", "request.one_hand"), ("dan", "request.one_hand"), ("eve", "")):
            made = await company.ask(person, "web-1", "root")
            grant, max_ = company.new("grt"), company.actor("max")
            answer = await approve_request(company.ledger, max_, made.request, made.digest, grant, "")
            assert (answer.code if isinstance(answer, Refused) else "") == code, person
    finally:
        company.close()
