"""What falls with a change of the matrix: grants, requests, open sessions."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.decision import HeldGrant
from onepam.domain.access.model import Action
from onepam.domain.matrix.ending import access_under, endings, session_falls
from onepam.domain.requests.asking import OpenRequest
from onepam.domain.requests.events import GrantEnded, RequestStatus, RequestWithdrawn
from onepam.kernel.clock import DAY, HOUR, Instant, later
from tests.domain.small_company import FILE, NOW, PEOPLE, WIDER, base, substance


def grant(**changes: Any) -> HeldGrant:
    (binding,) = (each.binding for each in base().bindings.values() if each.role == "dev")
    made = HeldGrant("grt", "req", substance(), binding, "max", NOW, later(NOW, HOUR))
    return replace(made, **changes)


def falls(text: str, at: Instant = NOW) -> tuple[str | None, str | None]:
    """Why a grant and a request fall under the file; None where they stand."""
    request = OpenRequest("req", substance(), "d", later(NOW, HOUR))
    found = endings(base(), base(text), (grant(),), (request,), "ada", at)
    ended = [each.because for each in found if isinstance(each, GrantEnded)]
    void = [each for each in found if isinstance(each, RequestWithdrawn)]
    assert all((each.status, each.by) == (RequestStatus.VOID, "ada") for each in void)
    return (ended[0] if ended else None), (void[0].because if void else None)


MODE = ", mode: standing, longest: 4h"
FALLS = {
    "nothing": ("version: 1", "version: 1", None, None),
    "another role": ("purpose: leads", "purpose: leads people", None, None),
    "a longer time": ("longest: 4h", "longest: 6h", None, "role.changed"),
    "less to do": ("[shell, exec]", "[shell]", "role.changed", "role.changed"),
    "another permission": ("      prod:\n", "      other:\n", "role.changed", "role.changed"),
    "no request": (", mode: request, longest: 4h, approvers: [lead]", MODE, "role.changed", "role.changed"),
    "other labels": ("labels: {env: prod}", "labels: {env: dev}", "resource.changed", "resource.changed"),
    "other logins": ("logins: [app, root]", "logins: [root]", "resource.changed", "resource.changed"),
    "another resource": ("  web:\n", "  web2:\n", "resource.changed", "resource.changed"),
    "not a member": ("members: [eve@example.com]", "members: []", "binding.ended", "binding.ended"),
    "a date": ("group: engineers,", "group: engineers, ends: 2020-01-01,", "binding.ended", "binding.ended"),
    "no binding": ("  - {role: dev, group: engineers, because: builds}\n", "", "binding.ended", "binding.ended"),
    "another binding": ("group: engineers, because", "person: eve@example.com, because", "binding.ended", None),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "of_grant", "of_request"), FALLS.values(), ids=FALLS)
def test_grants_and_requests_fall_with_what_bears_them(
    old: str, new: str, of_grant: str | None, of_request: str | None
) -> None:
    assert old in FILE
    assert falls(FILE.replace(old, new)) == (of_grant, of_request)


def test_what_has_not_begun_falls_with_any_change_of_its_role() -> None:
    wider = base(FILE.replace("longest: 4h", "longest: 6h"))
    for begins, because in ((NOW, []), (later(NOW, 1), ["role.changed"])):
        found = endings(base(), wider, (grant(starts=begins),), (), "ada", NOW)
        assert [each.because for each in found if isinstance(each, GrantEnded)] == because
    assert endings(base(), base(), (grant(starts=later(NOW, 1)),), (), "ada", NOW) == ()


def test_what_has_run_out_is_not_ended_again() -> None:
    assert falls(FILE.replace("[shell, exec]", "[shell]"), later(NOW, DAY))[0] is None


def test_a_role_that_is_gone_bears_nothing() -> None:
    without = (
        FILE[: FILE.index("  dev:")]
        + "bindings:\n"
        + "".join(line for line in FILE.splitlines(keepends=True) if "- {role: admin" in line)
    )
    assert falls(without) == ("binding.ended", "binding.ended")
    stray = replace(base(without), bindings=base().bindings)
    assert isinstance(endings(base(), stray, (grant(),), (), None, NOW)[0], GrantEnded)
    assert access_under(stray, PEOPLE[3], "web", (), NOW).roles == ()


def test_sessions_fall_as_the_gateway_would_cut_them() -> None:
    def cut(text: str, *grants: HeldGrant, resource: str = "web") -> bool:
        facts = access_under(base(text), PEOPLE[3], resource, grants, NOW)
        return session_falls(base(), facts, "app", (Action.SHELL, Action.EXEC), NOW)

    assert not cut(FILE, grant())
    assert not cut(WIDER, grant())
    assert cut(FILE)
    assert cut(FILE, grant(), resource="gone")
    assert cut(FILE.replace("[shell, exec]", "[shell]"), grant())
    assert cut(FILE.replace("web.example.com:22", "web.example.com:23"), grant())
    new = replace(base(), resources={})
    assert session_falls(new, access_under(base(), PEOPLE[3], "web", (grant(),), NOW), "app", (Action.SHELL,), NOW)
    person = FILE.replace("group: engineers", "person: eve@example.com")
    assert [each.group for each in access_under(base(person), PEOPLE[3], "web", (), NOW).roles] == [""]
    assert [each.group for each in access_under(base(), PEOPLE[3], "web", (), NOW).roles] == ["engineers"]
