"""The sweep writes down what time has ended, and nothing else."""

from dataclasses import replace

from onepam.domain.requests.asking import OpenRequest
from onepam.domain.requests.events import GrantEnded, GrantExpired, RequestStatus, RequestWithdrawn
from onepam.domain.requests.expiry import OverdueFacts, Swept, sweep
from tests.domain.given import ENGINEER, GRANT, LATER, NOW, OPEN, access


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
