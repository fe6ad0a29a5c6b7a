"""Requests, approvals, grants, leavers and expiry in any order, held against a second, much simpler model.

The model knows only: who is enabled and signed in, who holds which role, which version of the engineers' role is in
force, and a list of requests and grants with their ends. After every step both must agree on who may open what.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

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
from onepam.app.requests.withdraw_request import withdraw_request
from onepam.domain.access.decision import Permitted, decide
from onepam.domain.leaving.leaving import Ended
from onepam.domain.requests.approval import Granted
from onepam.domain.requests.asking import MAX_OPEN_REQUESTS, Asked
from onepam.domain.requests.events import UNDO, RequestStatus
from onepam.kernel.clock import HOUR, MINUTE, Instant
from onepam.store.engine.rebuild import compare
from onepam.store.facts.holdings import access_facts
from onepam.store.read.catalogue import catalogue
from onepam.store.read.people import Held
from onepam.store.read.people import person as read_person
from onepam.store.read.requests import inbox, requests
from tests.company import DEV, HOLDS, PROD, Company, record, role_set

PEOPLE = ("ada", "bob", "eve", "max")
TARGETS = [("web-1", "app"), ("web-1", "root"), ("dev-1", "app")]
VERSIONS = {"both": (PROD, DEV), "prod": (PROD,), "dev": (DEV,)}

person = st.sampled_from(PEOPLE)
decider = st.sampled_from(("max", "bob", "ada", "max", "bob", "eve"))
target = st.sampled_from(TARGETS)
number = st.integers(0, 3)


@dataclass
class ModelRequest:
    """A request as the model remembers it."""

    asked: Asked
    person: str
    what: tuple[str, str]
    minutes: int
    version: str
    status: str = "open"


@dataclass
class ModelGrant:
    """A grant as the model remembers it."""

    grant: str
    person: str
    what: tuple[str, str]
    ends: Instant
    ended: bool = False


class AccessMachine(RuleBasedStateMachine):
    """The company on one side, the model on the other."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.company = self.runner.run(Company.create(Path(self.folder.name)))
        self.enabled = set(HOLDS)
        self.signed_in = dict.fromkeys(HOLDS, Instant(self.company.clock.now + 12 * HOUR))
        self.roles = {person: set(roles) for person, roles in HOLDS.items()}
        self.version = "both"
        self.requests: list[ModelRequest] = []
        self.grants: list[ModelGrant] = []
        self.yeses: list[tuple[str, str]] = []

    def teardown(self) -> None:
        self.company.close()
        self.runner.close()
        found = compare(self.company.path)
        self.folder.cleanup()
        assert found == []

    # --- The model ---------------------------------------------------------------------------------------------------

    def present(self, who: str) -> bool:
        return who in self.enabled and self.signed_in[who] > self.company.clock.now

    def may_open(self, who: str, what: tuple[str, str]) -> bool:
        if who not in self.enabled or "engineer" not in self.roles[who]:
            return False
        if what[0] == "dev-1":
            return self.version != "prod"
        return self.version != "dev" and any(
            each.person == who and each.what == what and not each.ended and each.ends > self.company.clock.now
            for each in self.grants
        )

    def given(self, who: str, what: tuple[str, str]) -> bool:
        """Whether a grant of theirs runs for exactly that: then it is theirs, and is not asked for again."""
        at = self.company.clock.now
        return any(
            (each.person, each.what) == (who, what) and not each.ended and each.ends > at for each in self.grants
        )

    def waits(self, each: ModelRequest) -> bool:
        return each.status == "open" and each.asked.expires > self.company.clock.now

    def stands(self, each: ModelRequest) -> bool:
        return each.person in self.enabled and "engineer" in self.roles[each.person] and each.version == self.version

    def decides(self, who: str, each: ModelRequest) -> bool:
        return self.present(who) and who != each.person and "manager" in self.roles[who]

    def gives_back(self, who: str, each: ModelRequest) -> bool:
        """Whether it would be a yes for a yes, where somebody else could decide."""
        others = {one for one in self.enabled if "manager" in self.roles[one]} - {who, each.person}
        return (each.person, who) in self.yeses and any((each.person, one) not in self.yeses for one in others)

    # --- The acts and the rules --------------------------------------------------------------------------------------

    @initialize()
    def a_busy_morning(self) -> None:
        """Two approvers, three engineers, and something to decide and to lose from the first step on."""
        for who, role in (("bob", "manager"), ("ada", "engineer"), ("max", "engineer")):
            self.bind_or_unbind(who, role)
        for who in ("eve", "ada", "max"):
            self.ask(who, ("web-1", "root"), 60)
        self.approve("bob", 2)
        self.approve("max", 1)

    # Few rules with an act each: many rules would be drawn too unevenly in a short run.

    @rule(
        act=st.sampled_from(["approve", "approve", "approve_and_undo", "deny", "withdraw", "end"]),
        who=decider,
        number=number,
    )
    def somebody_decides(self, act: str, who: str, number: int) -> None:
        getattr(self, act)(who, number)

    @rule(
        act=st.sampled_from(["away and back", "disable", "enable", "sign in", "engineer", "manager"]),
        actor=decider,
        who=person,
    )
    def people_come_and_go(self, act: str, actor: str, who: str) -> None:
        if act == "sign in":
            self.sign_in(who)
        elif act in ("engineer", "manager"):
            self.bind_or_unbind(who, act)
        else:
            if act != "enable":
                self.disable(actor, who)
            if act != "disable":
                self.enable(actor, who)

    @rule(minutes=st.sampled_from([1, 5, 60, 600]), swept=st.booleans())
    def time_passes(self, minutes: int, swept: bool) -> None:
        self.company.clock.advance(minutes * MINUTE)
        if swept:
            self.sweep()

    @rule(version=st.sampled_from(["both", "both", "prod", "dev"]))
    def the_role_changes(self, version: str) -> None:
        if version != self.version:
            self.change_the_role(version)

    @rule(who=person, what=target, minutes=st.sampled_from([5, 60, 240, 241]))
    def ask(self, who: str, what: tuple[str, str], minutes: int) -> None:
        mine = [each for each in self.requests if each.person == who and self.waits(each)]
        expected = (
            self.present(who)
            and "engineer" in self.roles[who]
            and self.version != "dev"
            and what[0] == "web-1"
            and minutes <= 240
            and len(mine) < MAX_OPEN_REQUESTS
            and not any((each.what, each.minutes, each.version) == (what, minutes, self.version) for each in mine)
            and not self.given(who, what)
        )
        company = self.company
        outcome = self.run(
            make_request(company.ledger, company.actor(who), company.new("req"), *what, minutes * MINUTE, "work")
        )
        assert isinstance(outcome, Asked) == expected, outcome
        if isinstance(outcome, Asked):
            self.requests.append(ModelRequest(outcome, who, what, minutes, self.version))

    def approve(self, who: str, number: int) -> None:
        if self.approved(who, number):
            self.company.clock.advance(UNDO)

    def approve_and_undo(self, who: str, number: int) -> None:
        """As if nothing had been: the request waits, the grant opens nothing."""
        each = self.requests[-1 - number % len(self.requests)]
        if self.approved(who, number):
            undone = undo_approval(self.company.ledger, self.company.actor(who), each.asked.request)
            assert self.run(undone) is None
            each.status = "open"
            self.grants.pop()
            self.yeses.remove((who, each.person))

    def approved(self, who: str, number: int) -> bool:
        each = self.requests[-1 - number % len(self.requests)]
        decides, stands = self.decides(who, each) and self.waits(each), self.stands(each)
        decides = decides and not self.gives_back(who, each)
        company = self.company
        if self.present(who):
            self.sign_in(who)  # how fresh a factor a yes takes is tested in domain/
        outcome = self.run(
            approve_request(
                company.ledger, company.actor(who), each.asked.request, each.asked.digest, company.new("grt")
            )
        )
        assert isinstance(outcome, Granted) == (decides and stands), outcome
        if decides:
            each.status = "approved" if stands else "void"
        if isinstance(outcome, Granted):
            assert outcome.ends - outcome.starts == each.minutes * MINUTE
            self.grants.append(ModelGrant(outcome.grant, each.person, each.what, outcome.ends))
            self.yeses.append((who, each.person))
        return isinstance(outcome, Granted)

    def deny(self, who: str, number: int) -> None:
        each = self.requests[-1 - number % len(self.requests)]
        expected = self.decides(who, each) and self.waits(each)
        outcome = self.run(deny_request(self.company.ledger, self.company.actor(who), each.asked.request))
        assert (outcome is None) == expected, outcome
        if expected:
            each.status = "denied"

    def withdraw(self, who: str, number: int) -> None:
        each = self.requests[-1 - number % len(self.requests)]
        expected = self.present(who) and who == each.person and self.waits(each)
        outcome = self.run(withdraw_request(self.company.ledger, self.company.actor(who), each.asked.request))
        assert (outcome is None) == expected, outcome
        if expected:
            each.status = "withdrawn"

    def end(self, who: str, number: int) -> None:
        each = self.grants[-1 - number % len(self.grants)]
        approver = "manager" in self.roles[who] and self.version != "dev"
        expected = (
            self.present(who)
            and (who == each.person or approver or "administrator" in self.roles[who])
            and not each.ended
            and each.ends > self.company.clock.now
        )
        outcome = self.run(end_grant(self.company.ledger, self.company.actor(who), each.grant, "enough"))
        assert (outcome is None) == expected, outcome
        each.ended |= expected

    def disable(self, actor: str, who: str) -> None:
        administrator = self.present(actor) and "administrator" in self.roles[actor]
        expected = administrator and actor != who and who in self.enabled
        outcome = self.run(disable_person(self.company.ledger, self.company.actor(actor), who, "left"))
        assert isinstance(outcome, Ended) == expected, outcome
        if expected:
            self.enabled.discard(who)
            self.signed_in[who] = self.company.clock.now
            detail = self.company.reader.now(read_person, None, who)
            assert detail is not None
            assert detail.held == Held(0, detail.held.sessions, 0, 0)
            for grant in self.grants:
                grant.ended |= grant.person == who
            for each in self.requests:
                if each.person == who and each.status == "open":
                    each.status = "void"

    def enable(self, actor: str, who: str) -> None:
        administrator = self.present(actor) and "administrator" in self.roles[actor]
        expected = administrator and who not in self.enabled
        outcome = self.run(enable_person(self.company.ledger, self.company.actor(actor), who, "back"))
        assert (outcome is None) == expected, outcome
        if expected:
            for role in self.roles[who]:
                self.run(self.company.bind(who, role))
            self.enabled.add(who)

    def sweep(self) -> None:
        void = [
            each for each in self.requests if each.status == "open" and not (self.waits(each) and self.stands(each))
        ]
        swept = self.run(expire_access(self.company.ledger))
        assert swept.requests == len(void)
        for each in void:
            each.status = "void"
        for grant in self.grants:
            grant.ended |= "engineer" not in self.roles[grant.person]
        assert self.run(expire_access(self.company.ledger)) == type(swept)(0, 0, "")

    def bind_or_unbind(self, who: str, role: str) -> None:
        self.run(self.company.unbind(who, role) if role in self.roles[who] else self.company.bind(who, role))
        self.roles[who] ^= {role}

    def change_the_role(self, version: str) -> None:
        self.run(record(self.company.ledger, role_set("engineer", VERSIONS[version])))
        self.version = version

    def sign_in(self, who: str) -> None:
        if who in self.enabled:
            self.run(self.company.sign_in(who))
            self.signed_in[who] = Instant(self.company.clock.now + 12 * HOUR)

    @rule(who=person, what=target)
    def knock(self, who: str, what: tuple[str, str]) -> None:
        expected = self.may_open(who, what) and self.present(who)
        assert isinstance(self.run(self.company.open(who, *what)), Opened) == expected

    # --- What must hold after every step -----------------------------------------------------------------------------

    @invariant()
    def both_agree_on_who_may_open_what(self) -> None:
        at = self.company.clock()
        expected = {(who, *what) for who in PEOPLE for what in TARGETS if self.may_open(who, what)}
        assert self.company.reader.now(doors, at) == expected
        assert self.company.reader.now(shown, at) == expected

    @invariant()
    def both_agree_on_where_each_request_stands(self) -> None:
        at = self.company.clock()
        found = {each.request: each for each in self.company.reader.now(requests, at)}
        assert len(found) == len(self.requests)
        for each in self.requests:
            lapsed = each.status == "open" and not self.waits(each)
            assert found[each.asked.request].status.value == ("void" if lapsed else each.status)
        assert all(each.decider != each.person for each in found.values() if each.status is RequestStatus.APPROVED)

    @invariant()
    def the_inbox_holds_what_one_may_decide(self) -> None:
        at = self.company.clock()
        for who in self.enabled:
            mine = {each.row.request for each in self.company.reader.now(inbox, at, who, self.roles[who])}
            assert mine == {
                each.asked.request
                for each in self.requests
                if self.waits(each) and who != each.person and "manager" in self.roles[who] and self.version != "dev"
            }

    def run(self, command: Any) -> Any:
        """Awaits a use case."""
        return self.runner.run(command)


def doors(db: Snapshot, at: Instant) -> set[tuple[str, str, str]]:
    """Who the door would let in, where, as whom."""
    return {
        (who, resource, login)
        for who in PEOPLE
        for resource, login in TARGETS
        if isinstance(decide(access_facts(db, who, resource, at), login, at), Permitted)
    }


def shown(db: Snapshot, at: Instant) -> set[tuple[str, str, str]]:
    """What the catalogues say is open, of the same targets."""
    return {
        (who, each.site.resource, each.login)
        for who in PEOPLE
        for each in catalogue(db, at, who).open
        if (each.site.resource, each.login) in TARGETS
    }


AccessMachine.TestCase.settings = settings(max_examples=20, stateful_step_count=25)
TestAccessModel = AccessMachine.TestCase
