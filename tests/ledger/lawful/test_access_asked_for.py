"""Rules of requests and grants, beside `test_requests.py`: what is asked once, given once, and ended by whom."""

from dataclasses import replace

from onepam.domain.access.events import BindingEnded
from onepam.domain.access.model import Substance
from onepam.domain.requests.events import ApprovalUndone, GrantEnded, RequestMade, RequestStatus, RequestWithdrawn
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from tests.ledger.lawful.story import PROD, Story, binding, role_set, substance
from tests.ledger.lawful.test_requests import grant, ready, yes

ASKED_TWICE = "exactly this waited already"


def request(told: Story, asked: Substance, name: str = "req_2", lasts: int = DAY) -> RequestMade:
    return RequestMade(name, asked, asked.digest(), Instant(told.at() + lasts), "", "")


def test_what_is_asked_is_asked_once_for_long_enough_and_not_for_longer_than_the_role_lasts() -> None:
    told = ready()
    at = told.add(request(told, substance(duration=4 * MINUTE)))
    assert told.said() == [(at, "nobody asks for less than five minutes")]
    told = ready()
    told.ask()
    at = told.add(request(told, substance()))
    assert told.said() == [(at, ASKED_TWICE)]
    told = ready()
    told.ask()
    at = told.add(request(told, substance(duration=HOUR + 1), "req_1"))
    assert told.said() == [(at, "there was such a request already")]
    told = ready()
    for number in range(20):
        told.add(request(told, substance(duration=HOUR + number), f"req_{number}"))
    assert told.said() == []
    at = told.add(request(told, substance(duration=2 * HOUR), "req_20"))
    assert told.said() == [(at, "20 requests of theirs waited already")]
    told = ready()
    ends = Instant(told.at() + HOUR)
    told.change("chg_1", "ada", replace(binding("bnd_eve_engineer", "engineer", "eve"), ends=ends))
    at = told.add(request(told, substance()))
    assert told.said() == [(at, "it outlives the account, or the role that it is asked under")]


def test_access_outlives_no_binding_and_no_approval_gives_it_twice() -> None:
    told = ready()
    ends = Instant(told.at() + HOUR)
    told.change("chg_1", "ada", replace(binding("bnd_eve_engineer", "engineer", "eve"), ends=ends))
    told.add(request(told, substance(), "req_1", 30 * MINUTE))
    at = told.add(yes(told), grant(told))
    assert told.said() == [(at + 1, "it outlives the account or the binding")]
    told = ready()
    told.ask()
    at = told.add(yes(told), grant(told), grant(told, grant="grt_2"))
    assert told.said() == [(at + 2, "nobody approved it, or it was given already")]
    told = ready()
    told.approve(told.ask())
    other = substance(duration=2 * HOUR)
    told.add(request(told, other))
    starts = Instant(told.at() + 10 * SECOND)
    at = told.add(
        yes(told, request="req_2", digest=other.digest()),
        grant(told, request="req_2", substance=other, ends=Instant(starts + 2 * HOUR)),
    )
    assert told.said() == [(at + 1, "there was such access already")]


def test_nothing_is_approved_that_has_ended_before_it_takes_effect() -> None:
    told = ready()
    ends = Instant(told.at() + 5 * SECOND)
    told.change("chg_1", "ada", replace(binding("bnd_eve_engineer", "engineer", "eve"), ends=ends))
    told.add(request(told, substance(), "req_1", SECOND))
    told.wait(-SECOND + 1)
    at = told.add(yes(told))
    assert told.said() == [(at, "the account or the role ended before it took effect")]


def test_an_approval_that_is_undone_gives_nothing_any_more_and_nothing_else_is_undone() -> None:
    told = ready()
    told.approve(told.ask())
    at = told.add(ApprovalUndone("req_1", "grt_1", "max"))
    assert told.said() == [(at, "the access goes on")]
    told = ready()
    told.approve(told.ask())
    at = told.add(GrantEnded("grt_1", "req_1", "undone", "max"))
    assert told.said() == [(at, "nobody had undone the approval")]


def test_a_request_is_void_by_whoever_would_have_approved_what_does_not_stand_any_more() -> None:
    told = ready("joe")
    told.ask()
    at = told.add(RequestWithdrawn("req_1", RequestStatus.VOID, "role.changed", "max"))
    assert told.said() == [(at, "it stood, had not lapsed, and nothing voided it")]
    told = ready("joe")
    told.ask()
    told.change("chg_1", "ada", role_set("engineer", [PROD]))
    told.add(RequestWithdrawn("req_1", RequestStatus.VOID, "role.changed", "max"))
    assert told.said() == []
    told = ready("joe")
    told.ask()
    told.wait(DAY)
    told.sign_in("eve")
    at = told.add(RequestWithdrawn("req_1", RequestStatus.WITHDRAWN, "withdrawn", "eve"))
    assert told.said() == [(at, "it waited no longer")]


def test_who_ends_access_early() -> None:
    for by in ("eve", "max", "ada"):
        told = ready()
        told.approve(told.ask())
        told.add(GrantEnded("grt_1", "req_1", "x", by))
        assert told.said() == []
    told = ready("joe")
    told.approve(told.ask())
    at = told.add(GrantEnded("grt_1", "req_1", "x", "joe"))
    assert told.said() == [(at, "joe held no role with the right to administer")]
    told = ready()
    told.approve(told.ask())
    at = told.add(GrantEnded("grt_1", "req_1", "binding.ended", None))
    assert told.said() == [(at, "it is on nobody's word, and what it rests on was there")]
    told = ready()
    told.approve(told.ask())
    told.change("chg_1", "ada", BindingEnded("bnd_eve_engineer", "binding.removed", "", None))
    told.add(GrantEnded("grt_1", "req_1", "binding.ended", None))
    assert told.said() == []


def test_what_somebody_unknown_asks_gets_and_loses() -> None:
    told = ready()
    asked = substance("nobody")
    at = told.add(request(told, asked, "req_1"))
    then = told.add(
        yes(told, digest=asked.digest()), grant(told, substance=asked), GrantEnded("grt_1", "req_1", "x", "ada")
    )
    told.add(request(told, asked))
    told.add(RequestWithdrawn("req_2", RequestStatus.VOID, "expired", None))
    assert {each for each, _ in told.said()} >= {at, then, then + 1}


def test_a_request_waits_again_after_an_approval_was_undone() -> None:
    told = ready()
    told.approve(told.ask())
    told.add(ApprovalUndone("req_1", "grt_1", "max"), GrantEnded("grt_1", "req_1", "undone", "max"))
    at = told.add(request(told, substance()))
    assert told.said() == [(at, ASKED_TWICE)]
