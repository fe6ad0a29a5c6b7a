"""The sweep writes down what time has ended, and nothing else."""

from dataclasses import replace

from onepam.domain.access.asked import Asking
from onepam.domain.requests.asking import OpenRequest
from onepam.domain.requests.events import GrantEnded, GrantExpired, RequestEscalated, RequestStatus, RequestWithdrawn
from onepam.domain.requests.expiry import OverdueFacts, Swept, sweep
from onepam.kernel.clock import HOUR, Instant
from tests.domain.given import ENGINEER, GRANT, LATER, NOW, OPEN, PROD, access


def test_nothing_overdue_is_no_event() -> None:
    decided = sweep(OverdueFacts((GRANT,), (), ((OPEN, access()),), "req_1"), NOW)
    assert decided.events == ()
    assert decided.result == Swept(0, 0, "req_1")


def test_receipts_and_void_requests() -> None:
    late = OpenRequest("req_2", OPEN.substance, OPEN.digest, NOW)
    stale = access(replace(ENGINEER, version="v2"))
    decided = sweep(OverdueFacts((replace(GRANT, ends=NOW),), (), ((late, access()), (OPEN, stale)), ""), NOW)
    assert decided.events == (
        GrantExpired("grt_1", GRANT.request, NOW),
        RequestWithdrawn("req_2", RequestStatus.VOID, "expired", None),
        RequestWithdrawn("req_1", RequestStatus.VOID, "role.changed", None),
    )
    assert decided.result == Swept(1, 2, "")


def test_a_grant_expires_at_its_end_and_not_before() -> None:
    assert sweep(OverdueFacts((GRANT,), (), (), ""), LATER).events == (GrantExpired("grt_1", GRANT.request, LATER),)


def test_a_grant_without_its_binding_gets_its_receipt_at_once() -> None:
    decided = sweep(OverdueFacts((), (GRANT,), (), ""), NOW)
    assert decided.events == (GrantEnded("grt_1", GRANT.request, "binding.ended", None),)
    assert decided.result == Swept(1, 0, "")


def test_a_request_escalates_once_and_only_where_and_when_its_permission_says() -> None:
    """Nothing is said of what is void, nor where nobody else would decide."""
    later = access(replace(ENGINEER, permissions=(replace(PROD, asking=Asking(escalates=HOUR, then=("head",))),)))
    since = replace(OPEN, made=Instant(NOW - HOUR))
    for request, requester, told, said in (
        (since, later, (), (RequestEscalated("req_1", ("head",)),)),
        (replace(since, made=Instant(since.made + 1)), later, (), ()),
        (since, later, ("req_1",), ()),
        (since, access(), (), ()),
        (replace(since, expires=NOW), later, (), (RequestWithdrawn("req_1", RequestStatus.VOID, "expired", None),)),
    ):
        assert sweep(OverdueFacts((), (), ((request, requester),), "", frozenset(told)), NOW).events == said
