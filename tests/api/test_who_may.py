"""Every route with every kind of caller. What is not in these tables does not exist: an unlisted route fails here."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from onepam.api.app import ROUTES, describe_api
from onepam.api.routes.route import Route
from onepam.cli.database_files import new_key as new_database_key
from onepam.domain.host.announcing import RenewalAnnounced
from onepam.domain.leaving.brake import DirectoryPersonHeld, HoldReason
from onepam.domain.matrix.events import ChangeProposed
from onepam.domain.signing_in.events import EnrolmentProposed
from onepam.kernel.clock import FOREVER
from onepam.kernel.ids import new_id
from tests.api.office import Office, new_key

ROLES = ("nobody", "expired", "owner", "engineer", "manager", "administrator", "auditor", "monitor")
RIGHTS = {"manager": "approve", "administrator": "administer", "auditor": "audit", "monitor": "monitor"}


@dataclass(frozen=True)
class People:
    """One of each; `owner` is the engineer whose objects the routes are about."""

    office: Office
    ids: dict[str, str]


Prepare = Callable[[People], tuple[dict[str, str], Any]]
"""What a call needs: the values of its path, and its body."""


@dataclass(frozen=True)
class Call:
    """How a route is called, and what those get who pass its guard: `good`, or what `rules` says of their role."""

    good: int = 200
    prepare: Prepare = lambda people: ({}, None)
    rules: dict[str, int] = field(default_factory=dict)


def request_of(body: Callable[[Any], Any]) -> Prepare:
    def prepare(people: People) -> tuple[dict[str, str], Any]:
        made = people.office.asked(people.ids["owner"])
        return {"request": made.request}, body(made)

    return prepare


def approved_request(people: People) -> tuple[dict[str, str], Any]:
    """Another manager has just approved it."""
    granted = people.office.granted(people.ids["owner"], people.office.join("manager"))
    return {"request": granted.request}, None


def session_of(people: People) -> tuple[dict[str, str], Any]:
    return {"session": people.office.session(people.ids["owner"])}, None


def ended_session(people: People) -> tuple[dict[str, str], Any]:
    return {"session": people.office.session(people.ids["owner"], closed=True)}, None


def killed(people: People) -> tuple[dict[str, str], Any]:
    return {"session": people.office.session(people.ids["owner"])}, {"reason": "it is odd"}


def inspected(people: People) -> tuple[dict[str, str], Any]:
    """It runs still."""
    return {"session": people.office.session(people.ids["owner"])}, {"verdict": "as_expected"}


def grant_of(people: People) -> tuple[dict[str, str], Any]:
    return {"grant": people.office.granted(people.ids["owner"], people.ids["manager"]).grant}, {"reason": "done"}


def listed_person(people: People) -> tuple[dict[str, str], Any]:
    return {"person": people.ids["owner"]}, None


def held_person(people: People) -> tuple[dict[str, str], Any]:
    person = people.office.join("engineer")
    people.office.record(
        DirectoryPersonHeld("hld_1", person, "scim:okta", HoldReason.MANY, "deactivated", None, None, None)
    )
    return {"person": person}, {"reason": "because"}


def announced(people: People) -> tuple[dict[str, str], Any]:
    """Another one each time: the first who may cancels it."""
    people.office.record(RenewalAnnounced("ann_1", int(FOREVER) // 2, "nod_1"))
    return {"announcement": "ann_1"}, None


def person_of(people: People) -> tuple[dict[str, str], Any]:
    return {"person": people.ids["owner"]}, {"reason": "because"}


def service_of(people: People) -> tuple[dict[str, str], Any]:
    return {"person": people.office.service()}, {"public_key": new_key(), "networks": ["192.0.2.0/24"]}


def service_key_of(people: People) -> tuple[dict[str, str], Any]:
    values, body = service_of(people)
    people.office.show_factor(people.office.founder)
    with people.office.client(people.office.founder) as founder:
        made = founder.post(f"/people/{values['person']}/keys", json=body)
    return {**values, "factor": made.json()["factor"]}, None


def changed_person(people: People) -> tuple[dict[str, str], Any]:
    person = people.office.join("engineer")
    return {"person": person}, {"name": "Nia New", "email": f"{person}@new.example"}


def disabled(people: People) -> tuple[dict[str, str], Any]:
    person = people.office.join("vendor")
    founder = people.office.client(people.office.founder)
    assert founder.post(f"/people/{person}/disable", json={"reason": "left"}).status_code == 200
    return {"person": person}, {"reason": "came back"}


def proposed_enrolment(people: People) -> tuple[dict[str, str], Any]:
    office, enrolment = people.office, new_id("enr", secrets.token_bytes)
    office.record(EnrolmentProposed(enrolment, people.ids["monitor"], "lost the telephone", office.founder))
    return {"proposal": enrolment}, {}


def proposed_change(people: People) -> tuple[dict[str, str], Any]:
    office, change = people.office, new_id("chg", secrets.token_bytes)
    office.record(ChangeProposed(change, "0" * 64, "1" * 64, True, office.founder, "nothing changes", "text: wrong"))
    return {"change": change}, {"digest": "2" * 64}


ITEM = {"person": "per_nobody", "role": "engineer"}
REQUEST = {"engineer": 404, "manager": 200, "administrator": 403, "auditor": 403, "monitor": 404, "owner": 403}
RECORDING = {"engineer": 404, "manager": 404, "administrator": 404}
ASK = {"resource": "web-1", "login": "app", "duration_seconds": 3600, "reason": "restart nginx"}
LOGIN = {"resource": "dev-1", "login": "app"}
CODE = {"code": "x", "verifier": "v" * 43, "redirect": "http://127.0.0.1:40000/callback"}
SIGNATURE = {"public_key": "x", "signature": "x"}
KEY = {"public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDx3nPZM1SeFmqZ3Zr2ctmVPT2YhJQ0rsbmYb4rAr0lG"}
FILE = {"text": "nonsense: ["}
WEEK = {"starts": "2026-01-01T00:00:00Z", "ends": "2026-01-08T00:00:00Z"}
NEW = {"name": "New Person", "email": "new@example.com", "because": "hired"}

SHOWN = {"person": "eve", "version": 1}
POLICY = {"policy": "a", "title": "A", "ending": "md", "owner": "eve", "review_by": "soon", "data": ""}

CALLS: dict[tuple[str, str], Call] = {
    ("POST", "/cli/token"): Call(401, lambda people: ({}, {**CODE, **KEY})),
    ("POST", "/cli/device"): Call(prepare=lambda people: ({}, {"client": "eve@build"})),
    ("POST", "/cli/device/keys"): Call(409, lambda people: ({}, {"device_code": "x", "keys": [SIGNATURE]})),
    ("POST", "/cli/device/token"): Call(409, lambda people: ({}, {"device_code": "x", **KEY})),
    ("POST", "/cli/certificate"): Call(prepare=lambda people: ({}, KEY)),
    ("POST", "/cli/database-certificate"): Call(prepare=lambda people: ({}, {"public_key": new_database_key()[1]})),
    ("POST", "/sign-out"): Call(),
    ("GET", "/me"): Call(),
    ("GET", "/confirmations"): Call(),
    ("GET", "/access"): Call(),
    ("GET", "/requests"): Call(),
    ("POST", "/requests"): Call(404, lambda people: ({}, ASK), {"owner": 201, "engineer": 201}),
    ("GET", "/requests/{request}"): Call(
        prepare=request_of(lambda made: None), rules={"engineer": 404, "monitor": 404}
    ),
    ("POST", "/requests/{request}/approve"): Call(
        prepare=request_of(lambda made: {"digest": made.digest}), rules=REQUEST
    ),
    ("POST", "/requests/{request}/undo"): Call(prepare=approved_request, rules={**REQUEST, "manager": 403}),
    ("POST", "/requests/{request}/deny"): Call(prepare=request_of(lambda made: {"comment": "no"}), rules=REQUEST),
    ("POST", "/requests/{request}/withdraw"): Call(
        prepare=request_of(lambda made: None), rules={**REQUEST, "manager": 403, "owner": 200}
    ),
    ("POST", "/grants/{grant}/end"): Call(prepare=grant_of, rules={"engineer": 404, "auditor": 404, "monitor": 404}),
    ("GET", "/inbox"): Call(),
    ("GET", "/sessions"): Call(),
    ("GET", "/sessions/{session}"): Call(prepare=session_of, rules={"engineer": 404, "manager": 404}),
    ("GET", "/sessions/{session}/timeline"): Call(prepare=session_of, rules=RECORDING),
    ("GET", "/sessions/{session}/recording"): Call(prepare=session_of, rules=RECORDING),
    ("GET", "/sessions/{session}/statements"): Call(prepare=session_of, rules=RECORDING),
    ("GET", "/sessions/{session}/live"): Call(409, ended_session, RECORDING),
    ("POST", "/sessions/{session}/kill"): Call(prepare=killed, rules={"engineer": 404, "manager": 404, "auditor": 404}),
    ("GET", "/locks"): Call(),
    ("POST", "/locks"): Call(404, lambda people: ({}, {"scope": "resource", "about": "no-1", "reason": "odd"})),
    ("POST", "/locks/{lock}/lift"): Call(404, lambda people: ({"lock": "lck_none"}, None)),
    ("GET", "/inspections"): Call(),
    ("POST", "/sessions/{session}/inspect"): Call(409, inspected),
    ("POST", "/login-tokens"): Call(404, lambda people: ({}, LOGIN), {"owner": 409, "engineer": 409}),
    ("GET", "/secrets"): Call(),
    ("POST", "/secrets"): Call(409, lambda people: ({}, {**LOGIN, "value": "x"})),
    ("POST", "/secrets/remove"): Call(404, lambda people: ({}, LOGIN)),
    ("GET", "/people"): Call(),
    ("POST", "/people"): Call(201, lambda people: ({}, {**NEW, "email": people.ids["owner"][4:] + "@new.example"})),
    ("GET", "/people/{person}"): Call(prepare=listed_person),
    ("PUT", "/people/{person}"): Call(prepare=changed_person),
    ("GET", "/second-factors"): Call(),
    ("POST", "/people/{person}/disable"): Call(prepare=person_of),
    ("POST", "/people/{person}/enable"): Call(prepare=disabled),
    ("POST", "/people/{person}/erasure"): Call(409, person_of),
    ("POST", "/people/{person}/enrolment"): Call(201, person_of),
    ("GET", "/people/{person}/keys"): Call(prepare=listed_person),
    ("POST", "/people/{person}/keys"): Call(201, service_of),
    ("POST", "/people/{person}/keys/{factor}/remove"): Call(prepare=service_key_of),
    ("GET", "/proposals"): Call(),
    ("GET", "/proposals/{proposal}"): Call(
        prepare=lambda people: (proposed_enrolment(people)[0], None),
        rules=dict.fromkeys(("owner", "engineer", "manager", "auditor"), 404),
    ),
    ("POST", "/proposals/{proposal}/approve"): Call(
        prepare=proposed_enrolment,
        rules=dict.fromkeys(("owner", "engineer", "manager", "auditor", "monitor"), 403),
    ),
    ("POST", "/proposals/{proposal}/deny"): Call(
        prepare=proposed_enrolment, rules=dict.fromkeys(("owner", "engineer", "manager", "auditor"), 403)
    ),
    ("POST", "/access/plan"): Call(422, lambda people: ({}, FILE)),
    ("POST", "/access/what-if"): Call(422, lambda people: ({}, FILE)),
    ("GET", "/access/unused"): Call(),
    ("GET", "/access/unused/file"): Call(),
    ("GET", "/access/difference"): Call(),
    ("GET", "/access/suggested"): Call(),
    ("POST", "/access/role"): Call(404, lambda people: ({}, {"person": "nothing", "role": "engineer", "gives": True})),
    ("POST", "/access/apply"): Call(422, lambda people: ({}, {**FILE, "digest": "0" * 64})),
    ("GET", "/roster"): Call(),
    ("GET", "/roster/entries"): Call(),
    ("POST", "/roster/plan"): Call(422, lambda people: ({}, {"data": ""})),
    ("POST", "/roster/apply"): Call(422, lambda people: ({}, {"data": "", "digest": "0" * 64})),
    ("POST", "/roster/release"): Call(409, lambda people: ({}, {"digest": "0" * 64})),
    ("POST", "/roster/source"): Call(prepare=lambda people: ({}, {"url": "", "interval_seconds": 3600})),
    ("POST", "/roster/source/plan"): Call(422, lambda people: ({}, {"url": ""})),
    ("GET", "/systems"): Call(),
    ("GET", "/systems/findings"): Call(),
    ("GET", "/systems/{system}/accounts"): Call(prepare=lambda people: ({"system": "crm"}, None)),
    ("GET", "/systems/{system}/lists"): Call(prepare=lambda people: ({"system": "crm"}, None)),
    ("POST", "/systems/{system}/lists"): Call(422, lambda people: ({"system": "crm"}, {"data": ""})),
    ("POST", "/systems/{system}/release"): Call(409, lambda people: ({"system": "crm"}, {"digest": "0" * 64})),
    ("POST", "/systems/{system}/links"): Call(404, lambda people: ({"system": "crm"}, {"account": "eve"})),
    ("POST", "/systems/{system}/owner"): Call(404, lambda people: ({"system": "crm"}, {"owner": "eve"})),
    ("POST", "/roster/rules"): Call(prepare=lambda people: ({}, {"brake_percent": 60})),
    ("GET", "/changes"): Call(),
    ("GET", "/changes/{change}"): Call(prepare=proposed_change),
    ("GET", "/delegations"): Call(),
    ("POST", "/delegations"): Call(409, lambda people: ({}, {"to": "nobody", "ends": "2999-01-01T00:00:00Z"})),
    ("POST", "/delegations/{delegation}/end"): Call(404, lambda people: ({"delegation": "dlg_nothing"}, None)),
    ("GET", "/reviews"): Call(),
    ("POST", "/reviews"): Call(prepare=lambda people: ({}, {"days": 14})),
    ("GET", "/reviews/{review}"): Call(404, lambda people: ({"review": "rev_nothing"}, None)),
    ("POST", "/reviews/{review}/decide"): Call(
        404, lambda people: ({"review": "rev_nothing"}, {**ITEM, "verdict": "keep"})
    ),
    ("POST", "/reviews/{review}/keep"): Call(409, lambda people: ({"review": "rev_nothing"}, {"items": [ITEM]})),
    ("POST", "/reviews/{review}/pass"): Call(404, lambda people: ({"review": "rev_nothing"}, ITEM)),
    ("GET", "/controls"): Call(),
    ("GET", "/controls/{control}"): Call(prepare=lambda people: ({"control": "RBC-03"}, None)),
    ("POST", "/controls/run"): Call(404, lambda people: ({}, {"controls": ["NO-01"]})),
    ("POST", "/controls/{control}/owner"): Call(404, lambda people: ({"control": "NO-01"}, {"owner": "nobody"})),
    ("GET", "/reviews/{review}/figures"): Call(404, lambda people: ({"review": "rev_nothing"}, None)),
    ("POST", "/reviews/{review}/sign-off"): Call(
        404, lambda people: ({"review": "rev_nothing"}, {"note": "seen", "seen": "0.0.0.0"})
    ),
    ("GET", "/incidents"): Call(),
    ("POST", "/incidents"): Call(409, lambda people: ({}, {"title": "A key", "severity": "low", "owner": "nobody"})),
    ("GET", "/incidents/{incident}"): Call(404, lambda people: ({"incident": "inc_none"}, None)),
    ("POST", "/incidents/{incident}/notes"): Call(404, lambda people: ({"incident": "inc_none"}, {"note": "x"})),
    ("POST", "/incidents/{incident}/assign"): Call(
        404, lambda people: ({"incident": "inc_none"}, {"severity": "low", "owner": "nobody", "because": "x"})
    ),
    ("POST", "/incidents/{incident}/close"): Call(
        404, lambda people: ({"incident": "inc_none"}, {"cause": "x", "done": "x"})
    ),
    ("POST", "/incidents/{incident}/reopen"): Call(404, lambda people: ({"incident": "inc_none"}, {"because": "x"})),
    ("GET", "/policies"): Call(),
    ("POST", "/policies"): Call(400, lambda people: ({}, POLICY)),
    ("GET", "/policies/{policy}"): Call(404, lambda people: ({"policy": "none"}, None)),
    ("GET", "/policies/{policy}/versions/{version}"): Call(
        404, lambda people: ({"policy": "none", "version": "1"}, None)
    ),
    ("POST", "/policies/{policy}/confirm"): Call(404, lambda people: ({"policy": "none"}, {"digest": "0" * 64})),
    ("GET", "/leavers"): Call(),
    ("POST", "/leavers/{person}/probe"): Call(prepare=listed_person),
    ("GET", "/providers"): Call(),
    ("GET", "/scim"): Call(),
    ("GET", "/held"): Call(),
    ("POST", "/held/{person}/keep"): Call(prepare=held_person),
    ("POST", "/held/{person}/end"): Call(prepare=held_person),
    ("POST", "/scim/users/{user}/agree"): Call(
        404, lambda people: ({"user": "usr_nothing"}, {"person": "eve", "version": 1})
    ),
    ("GET", "/signals"): Call(),
    ("GET", "/providers/{provider}"): Call(404, lambda people: ({"provider": "idp_nothing"}, None)),
    ("GET", "/ledger"): Call(),
    ("GET", "/ledger/entries/{index}/proof"): Call(prepare=lambda people: ({"index": "1"}, None)),
    ("GET", "/ledger/announced"): Call(),
    ("POST", "/ledger/announced/{announcement}/cancel"): Call(prepare=announced),
    ("POST", "/evidence"): Call(prepare=lambda people: ({}, WEEK)),
}


def expected(route: Route, role: str) -> int:
    """From the table's `needs`, then from the rules of the object."""
    call = CALLS[route.method, route.path]
    if not route.needs.sign_in:
        return call.good
    if role in ("nobody", "expired"):
        return 401
    if route.needs.rights and RIGHTS.get(role) not in route.needs.rights:
        return 403
    return call.rules.get(role, call.good)


@pytest.fixture(scope="module")
def crowd(office: Office) -> dict[str, str]:
    """Those who keep their roles from test to test."""
    return {
        "engineer": office.join("engineer"),
        "manager": office.join("manager"),
        "auditor": office.join("auditor"),
        "monitor": office.join("security"),
    }


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method}{route.path}")
def test_route_and_role(office: Office, crowd: dict[str, str], route: Route, role: str) -> None:
    people = People(office, {**crowd, "owner": office.join("engineer")})
    if role == "administrator":
        people.ids[role] = office.join("administrator")
    if role == "expired":
        people.ids[role] = office.join("administrator", "security", "auditor", "manager")
        office.expire(people.ids[role])
    if role != "owner" and route.path in ("/requests", "/sign-out") and role in crowd:
        people.ids[role] = office.join({"monitor": "security"}.get(role, role))
    values, body = CALLS[route.method, route.path].prepare(people)
    path = route.path.format(**values)
    with office.client(people.ids.get(role)) as client:
        answer = (
            client.request(route.method, path, json=body) if body is not None else client.request(route.method, path)
        )
    assert answer.status_code == expected(route, role), answer.text[:500]
    assert answer.headers["cache-control"] == "no-store"
    if answer.status_code >= 400:
        assert set(answer.json()) - {"problems"} == {"code", "message", "hint"}


def test_every_route_is_in_the_table() -> None:
    served = {
        (method, path) for path, item in describe_api().openapi()["paths"].items() for method in map(str.upper, item)
    }
    assert served == {(route.method, route.path) for route in ROUTES} == set(CALLS)
    assert len(ROUTES) == len(served)


def test_nothing_else_is_served(office: Office, crowd: dict[str, str]) -> None:
    with office.client(crowd["auditor"]) as client:
        for path in ("/", "/docs", "/openapi.json", "/redoc", "/unknown", "/me/"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "route.unknown"), path
        assert client.delete("/me").status_code == 405
