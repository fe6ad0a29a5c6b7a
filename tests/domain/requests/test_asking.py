"""Asking: what may be asked for, and what exactly is then asked."""

from dataclasses import replace

import pytest

from onepam.domain.access.authority import HeldRole
from onepam.domain.access.model import Action, Mode
from onepam.domain.access.proposal import REQUEST
from onepam.domain.access.separation import Separation
from onepam.domain.history.commit import Decided
from onepam.domain.requests.asking import (
    MAX_OPEN_REQUESTS,
    Ask,
    Asked,
    AskFacts,
    OpenRequest,
    WithdrawFacts,
    ask,
    withdraw,
)
from onepam.domain.requests.events import (
    ApprovalRefused,
    RequestMade,
    RequestStatus,
    RequestWithdrawn,
)
from onepam.kernel.clock import HOUR, MINUTE
from onepam.kernel.errors import Refused
from tests.domain.given import DEV, ENGINEER, EVE, LATER, MANAGER, MAX, NOW, OPEN, PROD, WEB, present

COMMAND = Ask("req_9", "web-1", "root", HOUR, " restart  nginx ", "OPS-7")
FACTS = AskFacts(present("eve", ENGINEER), WEB, ())


def made(facts: AskFacts = FACTS, command: Ask = COMMAND) -> tuple[RequestMade, Asked]:
    decided = ask(facts, command, NOW)
    assert isinstance(decided, Decided), decided
    (event,) = decided.events
    assert isinstance(event, RequestMade)
    return event, decided.result


def code(facts: AskFacts = FACTS, command: Ask = COMMAND) -> str:
    outcome = ask(facts, command, NOW)
    assert isinstance(outcome, Refused), outcome
    return outcome.code


def test_a_request_says_exactly_what_is_asked() -> None:
    event, asked = made()
    assert (event.reason, event.ticket) == ("restart nginx", "OPS-7")
    assert event.digest == event.substance.digest() == asked.digest
    assert (event.substance.role_version, event.substance.actions) == ("v1", PROD.actions)
    assert event.expires == NOW + REQUEST.lapse
    assert asked.approvers == ("manager",)


def test_a_request_waits_no_longer_than_its_binding_or_its_person() -> None:
    bound = replace(FACTS, actor=present("eve", replace(ENGINEER, ends=LATER)))
    assert made(bound)[0].expires == LATER
    leaving = replace(FACTS, actor=replace(FACTS.actor, ends=LATER))
    assert made(leaving)[0].expires == LATER


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        (replace(COMMAND, reason=""), "text.missing"),
        (replace(COMMAND, ticket="\x1b]0;x"), "text.not_plain"),
        (replace(COMMAND, duration=5 * MINUTE - 1), "request.too_short"),
        (replace(COMMAND, duration=4 * HOUR + 1), "request.too_long"),
        (replace(COMMAND, login="db"), "access.login"),
        (replace(COMMAND, role="vendor"), "request.role"),
    ],
)
def test_what_cannot_be_asked_for(command: Ask, refused: str) -> None:
    assert code(command=command) == refused


def test_the_longest_duration_is_named_in_hours_and_minutes() -> None:
    short = replace(ENGINEER, permissions=(replace(PROD, longest=90 * MINUTE),))
    outcome = ask(replace(FACTS, actor=present("eve", short)), replace(COMMAND, duration=2 * HOUR), NOW)
    assert isinstance(outcome, Refused)
    assert "1 h 30 min" in outcome.message


def test_the_shortest_duration_is_named_in_minutes() -> None:
    outcome = ask(FACTS, replace(COMMAND, duration=1), NOW)
    assert isinstance(outcome, Refused)
    assert outcome.message == "Ask for at least 5 minutes."


def test_who_is_not_signed_in_asks_for_nothing() -> None:
    assert code(replace(FACTS, actor=replace(FACTS.actor, signed_in_until=NOW))) == "sign_in.ended"


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, resource=None),
        replace(FACTS, resource=replace(WEB, labels={"env": "test"})),
        replace(FACTS, actor=present("eve")),
        replace(FACTS, actor=present("eve", replace(ENGINEER, ends=NOW))),
    ],
)
def test_what_is_outside_the_catalogue_is_unknown(facts: AskFacts) -> None:
    assert code(facts) == "resource.unknown"


def test_nothing_is_asked_for_under_a_role_that_is_kept_apart_from_another_of_theirs() -> None:
    apart = (Separation("production", ("engineer", "manager"), "nobody approves their own"),)
    both = replace(FACTS, actor=present("eve", ENGINEER, MANAGER), separations=apart)
    assert code(both) == "request.separated"
    over = replace(both, actor=present("eve", ENGINEER, replace(MANAGER, ends=NOW)))
    assert made(over)[0].substance.role == "engineer"


def test_what_stands_already_needs_no_request() -> None:
    dev = replace(WEB, labels={"env": "dev"})
    assert code(replace(FACTS, resource=dev)) == "request.not_needed"


def test_no_login_at_all_is_said_so() -> None:
    outcome = ask(replace(FACTS, resource=replace(WEB, logins=("other",))), COMMAND, NOW)
    assert isinstance(outcome, Refused)
    assert "none" in outcome.hint


def test_of_several_roles_the_one_that_gives_most_is_asked_for_unless_another_is_named() -> None:
    narrow = HeldRole(
        "bnd_8", "", "auditing", "v7", (replace(PROD, actions=(Action.SHELL,), longest=8 * HOUR),), (), None
    )
    both = replace(FACTS, actor=present("eve", narrow, ENGINEER))
    assert made(both)[0].substance.role == "engineer"
    assert made(both, replace(COMMAND, role="auditing"))[0].substance.role == "auditing"
    assert made(both, replace(COMMAND, duration=6 * HOUR))[0].substance.role == "auditing"
    assert code(both, replace(COMMAND, duration=9 * HOUR)) == "request.too_long"


def test_the_binding_that_lasts_longest_bounds_the_request() -> None:
    twice = present("eve", replace(ENGINEER, ends=LATER), replace(ENGINEER, binding="bnd_9"))
    assert made(replace(FACTS, actor=twice))[0].expires == NOW + REQUEST.lapse


def test_the_same_is_not_asked_twice_and_not_too_much_at_once() -> None:
    event, _ = made()
    same = OpenRequest("req_1", event.substance, event.digest, LATER)
    outcome = ask(replace(FACTS, open=(same,)), COMMAND, NOW)
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.hint) == ("request.duplicate", "/requests/req_1")
    made(replace(FACTS, open=(replace(same, expires=NOW),)))
    others = tuple(replace(same, digest=str(n)) for n in range(MAX_OPEN_REQUESTS))
    assert code(replace(FACTS, open=others)) == "request.too_many"
    made(replace(FACTS, open=others[1:]))


def test_permissions_that_only_stand_are_not_offered() -> None:
    standing = replace(ENGINEER, permissions=(replace(PROD, mode=Mode.STANDING), DEV))
    assert code(replace(FACTS, actor=present("eve", standing))) == "request.not_needed"


WITHDRAW = WithdrawFacts(present("eve"), OPEN, RequestStatus.OPEN)


def test_the_requester_takes_a_waiting_request_back() -> None:
    decided = withdraw(WITHDRAW, EVE, "req_1", NOW)
    assert decided == Decided((RequestWithdrawn("req_1", RequestStatus.WITHDRAWN, "withdrawn", "eve"),), None)


@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        (replace(WITHDRAW, actor=replace(WITHDRAW.actor, enabled=False)), "person.disabled"),
        (replace(WITHDRAW, request=None, status=None), "request.unknown"),
        (replace(WITHDRAW, status=RequestStatus.DENIED), "request.closed"),
        (replace(WITHDRAW, request=replace(OPEN, expires=NOW)), "request.closed"),
    ],
)
def test_what_cannot_be_withdrawn(facts: WithdrawFacts, refused: str) -> None:
    outcome = withdraw(facts, EVE, "req_1", NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == refused


def test_nobody_else_withdraws_and_the_attempt_is_an_event() -> None:
    decided = withdraw(replace(WITHDRAW, actor=present("max")), MAX, "req_1", NOW)
    assert isinstance(decided, Decided)
    assert decided.events == (ApprovalRefused("req_1", "max", "request.not_yours"),)
    assert isinstance(decided.result, Refused)
