"""Requests, reviews, leavers and time in a company of three, in any order: nobody holds what nobody else gave them, and
nothing waits for ever.

What is held is worked out once more, from the entries alone and in few lines: roles that are bound and not withheld,
grants that somebody else approved and that have not ended. The decision at the door must agree after each step.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from onepam.app.open_session import Opened
from onepam.app.people.disable_person import disable_person
from onepam.app.people.enable_person import enable_person
from onepam.app.ports import Snapshot
from onepam.app.requests.approve_request import approve_request, undo_approval
from onepam.app.requests.deny_request import deny_request
from onepam.app.requests.end_grant import end_grant
from onepam.app.requests.expire_access import expire_access
from onepam.app.requests.make_request import make_request
from onepam.app.reviews.decide_item import decide_item, pass_on
from onepam.app.reviews.open_review import open_review
from onepam.domain.access.decision import Permitted, decide
from onepam.domain.access.events import BindingAdded, BindingEnded
from onepam.domain.access.review_schedule import Suspends
from onepam.domain.leaving.leaving import Ended
from onepam.domain.requests.events import (
    ApprovalUndone,
    GrantEnded,
    GrantExpired,
    GrantStarted,
    RequestApproved,
    RequestMade,
    RequestStatus,
)
from onepam.domain.reviews.events import (
    ReviewClosed,
    ReviewDecided,
    ReviewOpened,
    RoleReturned,
    RoleWithheld,
    Scope,
    Verdict,
)
from onepam.domain.reviews.opening import Opening
from onepam.jobs.reviews import Reviewing
from onepam.kernel.clock import DAY, MINUTE, Instant
from onepam.store.engine.entries import entries, size_of
from onepam.store.engine.rebuild import compare
from onepam.store.facts.holdings import access_facts, is_here
from onepam.store.read.requests import requests
from tests.company import Company

T = TypeVar("T")

HOLDS = {"ada": ("administrator", "manager"), "bob": ("administrator", "engineer"), "eve": ("engineer", "manager")}
WEB, DEV = ("web-1", "root"), ("dev-1", "app")
GIVES = {"engineer": {DEV}}
"""What each role opens for whoever holds it. The engineers' asks for the others."""

person = st.sampled_from(tuple(HOLDS))
role = st.sampled_from(sorted({each for roles in HOLDS.values() for each in roles}))
number = st.integers(0, 3)
EXAMPLES = int(os.environ.get("ONEPAM_EXAMPLES", "20"))
"""Of whole stories; more of them on demand."""

FACTOR_IS_OLD = 70
"""Minutes after which a second factor is too old to keep something by."""


@dataclass
class Past:
    """What the entries say, and nothing else."""

    read: int = 0
    bound: dict[str, tuple[str, str]] = field(default_factory=dict)
    withheld: set[tuple[str, str]] = field(default_factory=set)
    asked: dict[str, RequestMade] = field(default_factory=dict)
    approved: dict[str, list[RequestApproved]] = field(default_factory=dict)
    granted: dict[str, GrantStarted] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    reviews: set[str] = field(default_factory=set)
    over: set[str] = field(default_factory=set)
    own: list[object] = field(default_factory=list)
    """Whatever somebody decided on for themselves."""

    def take(self, event: Any) -> None:
        """The next entry."""
        match event:
            case BindingAdded():
                self.bound[event.binding] = (event.subject, event.role)
            case BindingEnded():
                self.bound.pop(event.binding)
            case RoleWithheld():
                self.withheld.add((event.person, event.role))
            case RoleReturned():
                self.withheld.discard((event.person, event.role))
            case ReviewOpened():
                self.reviews.add(event.review)
            case ReviewDecided():
                self.own += [event] * (event.person == event.by)
            case ReviewClosed():
                self.over.add(event.review)
            case _:
                self._take_request(event)

    def _take_request(self, event: Any) -> None:
        match event:
            case RequestMade():
                self.asked[event.request] = event
            case RequestApproved():
                self.approved.setdefault(event.request, []).append(event)
                self.own += [event] * (self.asked[event.request].substance.person == event.by)
            case ApprovalUndone():
                self.ended.add(event.grant)
                self.approved[event.request].clear()
            case GrantStarted():
                assert event.grant not in self.granted
                self.granted[event.grant] = event
            case GrantEnded() | GrantExpired():
                self.ended.add(event.grant)
            case _:
                pass

    def holds(self, who: str) -> set[str]:
        """The roles that are bound to somebody, and not withheld."""
        return {role for whose, role in self.bound.values() if whose == who and (who, role) not in self.withheld}

    def runs(self, who: str, what: tuple[str, str], at: Instant) -> bool:
        """Whether a grant of somebody's opens that now, by a role that they still hold."""
        return any(
            each.starts <= at < each.ends
            and name not in self.ended
            and (each.substance.resource, each.substance.login) == what
            and each.substance.person == who
            and each.substance.role in self.holds(who)
            for name, each in self.granted.items()
        )


class GovernanceMachine(RuleBasedStateMachine):
    """Three people, two of whom administer, and everything that one of them may try."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.company = self.run(Company.create(Path(self.folder.name)))
        self.reviewing = Reviewing(self.company.ledger, self.company.reader)
        self.past = Past()
        self.run(self._only_three())

    async def _only_three(self) -> None:
        company = self.company
        for who, roles in {"ada": ("manager",), "bob": ("engineer",), "eve": ("manager",)}.items():
            for each in roles:
                await company.bind(who, each)
        await company.unbind("ada", "security")
        for who in ("max", "vic", "aud"):
            assert isinstance(await disable_person(company.ledger, company.actor("ada"), who, "left"), Ended)

    def teardown(self) -> None:
        try:
            self.nothing_waits_for_ever()
        finally:
            self.company.close()
            self.runner.close()
            found = compare(self.company.path)
            self.folder.cleanup()
        assert found == []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Awaits a use case."""
        return self.runner.run(work)

    def here(self, who: str) -> bool:
        return self.company.reader.now(lambda db, at: is_here(db, who, at))

    def signed(self, who: str) -> Any:
        """The actor, under a factor that was shown just now, where they may sign in at all."""
        if self.here(who):
            self.run(self.company.sign_in(who))
        return self.company.actor(who)

    # What somebody may try --------------------------------------------------------------------------------------------

    @initialize()
    def a_busy_morning(self) -> None:
        """Something is asked for, something was given, and a review runs from the first step on."""
        self.ask("bob", WEB, 60)
        self.ask("eve", WEB, 240)
        self.decide_request("approve", "eve", 1)
        self.review("ada", Suspends.EVERYTHING, "bob")

    @rule(who=person, what=st.sampled_from([WEB, WEB, DEV]), minutes=st.sampled_from([5, 60, 240]))
    def ask(self, who: str, what: tuple[str, str], minutes: int) -> None:
        company = self.company
        self.run(
            make_request(company.ledger, self.signed(who), company.new("req"), *what, minutes * MINUTE, "work", "OPS-7")
        )

    @rule(act=st.sampled_from(["approve", "approve", "undo", "deny", "end"]), who=person, number=number)
    def decide_request(self, act: str, who: str, number: int) -> None:
        company, asked = self.company, list(self.past.asked.values()) or list(self.seen().asked.values())
        each, by = asked[-1 - number % len(asked)], self.signed(who)
        if act == "approve":
            self.run(approve_request(company.ledger, by, each.request, each.digest, company.new("grt")))
        elif act == "undo":
            self.run(undo_approval(company.ledger, by, each.request))
        elif act == "deny":
            self.run(deny_request(company.ledger, by, each.request))
        elif granted := [name for name, of in self.past.granted.items() if of.request == each.request]:
            self.run(end_grant(company.ledger, by, granted[-1], "enough"))

    @rule(
        who=person,
        suspends=st.sampled_from(Suspends),
        fallback=st.sampled_from([*HOLDS, None]),
        privileged=st.booleans(),
    )
    def review(self, who: str, suspends: Suspends, fallback: str | None, privileged: bool = False) -> None:
        wanted = Opening(Scope(privileged=privileged), 5 * DAY, suspends, fallback)
        self.run(open_review(self.company.ledger, self.signed(who), wanted, self.company.new("rev")))

    @rule(by=person, whose=person, which=role, verdict=st.sampled_from(Verdict), number=number)
    def decide_item(self, by: str, whose: str, which: str, verdict: Verdict, number: int) -> None:
        reviews = sorted(self.past.reviews)
        if reviews:
            review = reviews[-1 - number % len(reviews)]
            self.run(decide_item(self.company.ledger, self.signed(by), review, whose, which, verdict, "as seen"))

    @rule(by=person, whose=person, which=role, to=st.sampled_from([*HOLDS, None]))
    def pass_on(self, by: str, whose: str, which: str, to: str | None) -> None:
        if self.past.reviews:
            review = max(self.past.reviews)
            self.run(pass_on(self.company.ledger, self.signed(by), review, whose, which, to, "not mine"))

    @rule(act=st.sampled_from(["leave", "leave", "come back", "come back"]), by=person, who=person)
    def people_come_and_go(self, act: str, by: str, who: str) -> None:
        if act == "leave":
            self.run(disable_person(self.company.ledger, self.signed(by), who, "left"))
        else:
            self.run(enable_person(self.company.ledger, self.signed(by), who, "back"))

    @rule(minutes=st.sampled_from([1, FACTOR_IS_OLD, 24 * 60, 3 * 24 * 60]), works=st.booleans())
    def time_passes(self, minutes: int, works: bool) -> None:
        self.company.clock.advance(minutes * MINUTE)
        if works:
            self.turn()

    def turn(self) -> None:
        """What jobs do by themselves."""
        self.run(self.reviewing.turn())
        self.run(expire_access(self.company.ledger))

    @rule(who=person, what=st.sampled_from([WEB, DEV]))
    def knock(self, who: str, what: tuple[str, str]) -> None:
        self.signed(who)
        opened = self.run(self.company.open(who, *what))
        assert not isinstance(opened, Opened) or self.may(who, what, self.company.clock.now)

    # What must hold after every step ---------------------------------------------------------------------------------

    def seen(self) -> Past:
        """The past with what has come to it since."""

        def news(db: Snapshot, at: Instant) -> tuple[list[Any], int]:
            return [each.event for each in entries(db, self.past.read, size_of(db))], size_of(db)

        found, self.past.read = self.company.reader.now(news)
        for each in found:
            self.past.take(each)
        return self.past

    def may(self, who: str, what: tuple[str, str], at: Instant) -> bool:
        past = self.seen()
        standing = any(what in GIVES.get(each, ()) for each in past.holds(who))
        return self.here(who) and (standing or past.runs(who, what, at))

    @invariant()
    def the_door_opens_what_the_entries_give_and_nothing_else(self) -> None:
        at = self.company.clock()
        found = self.company.reader.now(doors, at)
        assert found == {(who, what) for who in HOLDS for what in (WEB, DEV) if self.may(who, what, at)}

    @invariant()
    def nobody_decided_for_themselves(self) -> None:
        assert self.seen().own == []

    @invariant()
    def each_grant_has_one_request_and_one_yes(self) -> None:
        past = self.seen()
        standing = [each for name, each in past.granted.items() if name not in past.ended]
        assert all(count == 1 for count in Counter(each.request for each in standing).values())
        for each in standing:
            assert [(yes.by, yes.digest) for yes in past.approved[each.request]] == [
                (each.approved_by, past.asked[each.request].digest)
            ]

    @invariant()
    def somebody_administers(self) -> None:
        past = self.seen()
        assert any(self.here(who) and "administrator" in past.holds(who) for who in HOLDS)

    def nothing_waits_for_ever(self) -> None:
        """Who is left decides, or time does: in the end nothing is open, and whoever administers can go on."""
        for _ in range(8):
            self.company.clock.advance(7 * DAY)
            self.turn()
        past = self.seen()
        assert past.reviews == past.over | self._of_time(past)
        waiting = [each for each in self.company.reader.now(requests) if each.status is RequestStatus.OPEN]
        assert waiting == []

    def _of_time(self, past: Past) -> set[str]:
        """Reviews of a quarter, which may have begun just now."""
        return {each for each in past.reviews - past.over if not each.startswith("rev_0")}


def doors(db: Snapshot, at: Instant) -> set[tuple[str, tuple[str, str]]]:
    """Who the door would let in, where."""
    return {
        (who, what)
        for who in HOLDS
        for what in (WEB, DEV)
        if isinstance(decide(access_facts(db, who, what[0], at), what[1], at), Permitted)
    }


GovernanceMachine.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=25)
TestGovernance = GovernanceMachine.TestCase
