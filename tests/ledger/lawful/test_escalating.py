"""Rules of what is said when a request escalates."""

from dataclasses import replace

from onepam.domain.access.asked import Asking
from onepam.domain.access.model import ConsoleRight
from onepam.domain.requests.events import RequestDenied, RequestEscalated
from onepam.kernel.clock import HOUR, SECOND
from tests.ledger.lawful.story import DEV, HOLDS, PROD, Story, role_set
from tests.ledger.lawful.test_asked_when import asks, request

LATER = Asking(escalates=HOUR, then=("senior",))
SAID = RequestEscalated("req_1", ("senior",))
NOT_YET = "the role lets nobody else decide on it yet"
NO_MORE = "no such request waited, or it was said already"


def asked(asking: Asking | None = LATER) -> Story:
    """Eve asks for what senior people decide on after an hour."""
    told = Story().found()
    told.change("chg_1", None, role_set("engineer", [DEV, replace(PROD, asking=asking)]))
    told.change("chg_2", None, role_set("senior", (), (ConsoleRight.APPROVE,)))
    for who in HOLDS:
        told.enrol(who)
    for who in ("sue", "eve"):
        told.sign_in(who)
    told.add(request(told, asks(asking)))
    return told


def test_it_is_said_once_when_others_decide_too() -> None:
    told = asked()
    told.wait(HOUR)
    told.add(SAID)
    assert told.said() == []
    again = told.add(SAID)
    assert told.said() == [(again, NO_MORE)]


def test_it_is_not_said_too_early_nor_of_others_nor_of_what_does_not_escalate() -> None:
    for asking, wait, said in (
        (LATER, HOUR - 2 * SECOND, SAID),
        (LATER, HOUR, replace(SAID, to=("senior", "manager"))),
        (None, 9 * HOUR, SAID),
    ):
        told = asked(asking)
        told.wait(wait)
        at = told.add(said)
        assert told.said() == [(at, NOT_YET)]


def test_it_is_not_said_of_what_waits_no_more() -> None:
    told = asked()
    told.wait(HOUR)
    told.sign_in("sue")
    told.add(RequestDenied("req_1", "sue", "senior", ""))
    at = told.add(SAID, replace(SAID, request="req_2"))
    assert told.said() == [(at, NO_MORE), (at + 1, NO_MORE)]
