"""Nobody is locked out for ever where two administer: whatever was lost, asked for, cancelled or waited for before.

Also where a third administrator enrolled by a link of one of the two, and so decides nothing for them.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from onepam.app.host.announced import recover_access
from onepam.app.signing_in.enrol import approve_enrolment, end_enrolment, enrol, open_enrolment
from onepam.domain.host.announcing import Announcement
from onepam.domain.recovery.recovering import Recovery
from onepam.domain.signing_in.enrolling import Opened
from onepam.domain.signing_in.events import EnrolmentUsed
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.kernel.errors import Refused
from onepam.store.read.proposals import proposed_enrolment
from tests.app.test_one_hand import passkey
from tests.company import Company, record

T = TypeVar("T")

TWO, THIRD = ("ada", "bob"), "cyd"
somebody = st.sampled_from(TWO)


class TwoAdministrate(RuleBasedStateMachine):
    """The company; who of the administrators has their factors at hand; and the link that each was given."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.loop = asyncio.new_event_loop()
        self.company = self.do(Company.create(self.folder))
        self.do(record(self.company.ledger, *(passkey(self.company, who) for who in TWO)))
        self.at_hand, self.given = set(TWO), dict[str, str]()
        self.links = 0

    def do(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self.loop.run_until_complete(awaited())

    def teardown(self) -> None:
        try:
            self.everybody_gets_in_again()
        finally:
            self.company.close()
            self.loop.close()
            shutil.rmtree(self.folder)

    # --- What goes wrong ---------------------------------------------------------------------------------------------

    @rule(who=somebody)
    def loses_the_factors(self, who: str) -> None:
        self.at_hand.discard(who)

    @rule(maker=somebody)
    def a_third_comes_by_a_link(self, maker: str) -> None:
        if maker in self.at_hand and THIRD not in self.at_hand:
            self.do(self.company.sign_in("ada"))
            self.do(self.company.join(THIRD, "administrator"))
            self.do(
                record(self.company.ledger, EnrolmentUsed("enr_third", THIRD, (maker,)), passkey(self.company, THIRD))
            )
            self.at_hand.add(THIRD)

    @rule(who=somebody, person=somebody)
    def asks_for_new_factors(self, who: str, person: str) -> None:
        if who in self.at_hand:
            self.asks(who, person)

    @rule(who=somebody, person=somebody)
    def agrees(self, who: str, person: str) -> None:
        if who in self.at_hand:
            self.says_yes(who, person)

    @rule(who=somebody, person=somebody)
    def cancels(self, who: str, person: str) -> None:
        waiting = self.company.reader.now(proposed_enrolment, None, person)
        if who in self.at_hand and waiting is not None:
            self.do(self.company.sign_in(who))
            assert self.do(end_enrolment(self.company.ledger, self.company.actor(who), waiting.proposal)) is None

    @rule(person=somebody)
    def enrols(self, person: str) -> None:
        self.uses_the_link(person)

    @rule(length=st.sampled_from([HOUR, DAY, 2 * DAY, 3 * DAY]))
    def time_passes(self, length: int) -> None:
        self.company.clock.advance(length)

    # --- What helps --------------------------------------------------------------------------------------------------

    def asks(self, who: str, person: str) -> Opened | Refused:
        """Somebody asks for a link; where it comes at once it is the person's."""
        digest = self.digest()
        self.do(self.company.sign_in(who))
        actor, enrolment = self.company.actor(who), self.company.new("enr")
        opened = self.do(open_enrolment(self.company.ledger, actor, person, enrolment, digest, "lost"))
        if isinstance(opened, Opened) and opened.expires is not None:
            self.given[person] = digest
        return opened

    def says_yes(self, who: str, person: str) -> bool:
        """Somebody agrees to the link that waits; it is the person's then."""
        waiting, digest = self.company.reader.now(proposed_enrolment, None, person), self.digest()
        if waiting is None:
            return False
        self.do(self.company.sign_in(who))
        made = approve_enrolment(self.company.ledger, self.company.actor(who), waiting.proposal, digest)
        if isinstance(self.do(made), Refused):
            return False
        self.given[person] = digest
        return True

    def uses_the_link(self, person: str) -> bool:
        digest = self.given.pop(person, "")
        if self.do(enrol(self.company.ledger, digest, (passkey(self.company, person),))) is not None:
            return False
        self.at_hand.add(person)
        return True

    def everybody_gets_in_again(self) -> None:
        """By the host where nobody is left; else by one of the two who is, in at most four days each."""
        if self.at_hand.isdisjoint(TWO):
            digest = self.digest()
            wish = Recovery("ada", "lost", "", "", "", "ann_1", "enr_1", digest, "nod_1")
            assert isinstance(self.do(recover_access(self.company.ledger, wish)), Announcement)
            self.company.clock.advance(DAY)
            assert isinstance(self.do(recover_access(self.company.ledger, wish)), int)
            self.given["ada"] = digest
            assert self.uses_the_link("ada")
        for person in TWO:
            helper = next(who for who in TWO if who in self.at_hand)
            if person not in self.at_hand:
                self.is_helped(helper, person)

    def is_helped(self, helper: str, person: str) -> None:
        """What has lapsed is nobody's hindrance; what waits is cancelled and asked for anew."""
        waiting = self.company.reader.now(proposed_enrolment, None, person)
        if waiting is not None:
            self.do(self.company.sign_in(helper))
            assert self.do(end_enrolment(self.company.ledger, self.company.actor(helper), waiting.proposal)) is None
        opened = self.asks(helper, person)
        assert isinstance(opened, Opened), opened
        if opened.alone is not None:
            assert opened.alone <= self.company.clock.now + 2 * DAY
            self.company.clock.now = Instant(opened.alone)
            assert self.says_yes(helper, person)
        elif opened.expires is None:
            assert self.says_yes(THIRD, person), "somebody else could decide"
        assert self.uses_the_link(person)
        self.do(self.company.sign_in(person))

    def digest(self) -> str:
        self.links += 1
        return f"{self.links:064}"


TestTwoAdministrate = TwoAdministrate.TestCase
TestTwoAdministrate.settings = settings(
    max_examples=50, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.anyio
@pytest.mark.parametrize("lost", [("bob",), ("ada",), ("ada", "bob")])
async def test_nobody_is_locked_out_for_ever_where_two_administer(tmp_path: Path, lost: tuple[str, ...]) -> None:
    """One of two, or both, lost the telephone and the recovery codes; the recovery key is lost, too."""
    company = await Company.create(tmp_path)
    try:
        await record(company.ledger, *(passkey(company, who) for who in ("ada", "bob") if who not in lost))
        await record(company.ledger, *(passkey(company, who) for who in lost))
        left = next((who for who in ("ada", "bob") if who not in lost), None)
        for number, person in enumerate(lost):
            digest = f"{number:064}"
            if left is None:
                wish = Recovery(person, "lost", "", "", "", "ann_1", "enr_1", digest, "nod_1")
                assert isinstance(await recover_access(company.ledger, wish), Announcement)
                company.clock.advance(DAY)
                assert isinstance(await recover_access(company.ledger, wish), int)
            else:
                await company.sign_in(left)
                enrolment, actor = company.new("enr"), company.actor(left)
                opened = await open_enrolment(company.ledger, actor, person, enrolment, "f" * 64, "lost")
                assert not isinstance(opened, Refused)
                assert opened.alone is not None
                company.clock.now = Instant(opened.alone)
                await company.sign_in(left)
                made = await approve_enrolment(company.ledger, actor, enrolment, digest)
                assert not isinstance(made, Refused), made
            assert await enrol(company.ledger, digest, (passkey(company, person),)) is None
            await company.sign_in(person)
            left = left or person
    finally:
        company.close()
