"""Every route of the console against every role, and what no form does: without our token, or from elsewhere.

The table is written out. A route that is not in it, or that let others in than it says, fails here.
"""

import re
from collections.abc import AsyncIterator
from itertools import groupby

import pytest

from onepam.console.app import PLACES
from onepam.console.frame.places import Needs, Place
from onepam.domain.access.model import ConsoleRight
from tests.console.browsing import Browser, Office, opened

ROLES = {
    "engineer": "eve",
    "approver": "max",
    "administrator": "bob",
    "auditor": "aud",
    "monitor": "mon",
}
EVERYBODY, SIGNED_IN = frozenset({"anonymous", *ROLES}), frozenset(ROLES)
ADMINISTRATOR = frozenset({"administrator"})
AUDITOR = frozenset({"auditor"})
DECIDER = frozenset({"approver", "administrator"})
OVERSEERS = frozenset({"administrator", "auditor", "monitor"})
INSPECTORS = frozenset({"auditor", "monitor"})
READERS_OF_CHANGES = frozenset({"administrator", "auditor"})

TABLE: dict[str, frozenset[str]] = {
    "GET /sign-in": EVERYBODY,
    "POST /sign-in": EVERYBODY,
    "GET /sign-in/second": EVERYBODY,
    "POST /sign-in/totp": EVERYBODY,
    "POST /sign-in/passkey/options": EVERYBODY,
    "POST /sign-in/passkey/verify": EVERYBODY,
    "GET /sign-in/recovery": EVERYBODY,
    "POST /sign-in/recovery": EVERYBODY,
    "GET /sign-in/begin/{provider}": EVERYBODY,
    "GET /sign-in/return/{provider}": EVERYBODY,
    "POST /sign-in/return/{provider}": EVERYBODY,
    "POST /sign-in/return/{provider}/finish": EVERYBODY,
    "GET /sign-in/metadata/{provider}": EVERYBODY,
    "POST /sign-in/backchannel/{provider}": EVERYBODY,
    "GET /sign-in/logout/{provider}": EVERYBODY,
    "POST /sign-in/logout/{provider}": EVERYBODY,
    "POST /sign-out": EVERYBODY,
    "GET /step-up/provider": SIGNED_IN,
    "GET /step-up": SIGNED_IN,
    "POST /step-up/totp": SIGNED_IN,
    "POST /step-up/passkey/options": SIGNED_IN,
    "POST /step-up/passkey/verify": SIGNED_IN,
    "GET /confirm/{token}": SIGNED_IN,
    "POST /confirm/{token}": SIGNED_IN,
    "POST /confirm/{token}/refuse": SIGNED_IN,
    "GET /cli/authorize": SIGNED_IN,
    "POST /cli/authorize": SIGNED_IN,
    "GET /cli/device/{device}": SIGNED_IN,
    "POST /cli/device/{device}": SIGNED_IN,
    "POST /cli/device/{device}/refuse": SIGNED_IN,
    "GET /enrol/{token}": EVERYBODY,
    "POST /enrol/{token}/password": EVERYBODY,
    "POST /enrol/{token}/totp/start": EVERYBODY,
    "POST /enrol/{token}/totp": EVERYBODY,
    "POST /enrol/{token}/passkey/options": EVERYBODY,
    "POST /enrol/{token}/passkey/verify": EVERYBODY,
    "POST /enrol/{token}/codes": EVERYBODY,
    "GET /factors": SIGNED_IN,
    "POST /factors/passkey/options": SIGNED_IN,
    "POST /factors/passkey/verify": SIGNED_IN,
    "POST /factors/totp/start": SIGNED_IN,
    "POST /factors/totp": SIGNED_IN,
    "POST /factors/keys": SIGNED_IN,
    "POST /factors/keys/{factor}/remove": SIGNED_IN,
    "POST /factors/recovery-codes": SIGNED_IN,
    "POST /factors/{factor}/remove": SIGNED_IN,
    "POST /factors/cli/{session}/end": SIGNED_IN,
    "GET /": SIGNED_IN,
    "GET /requests": OVERSEERS,
    "POST /requests": SIGNED_IN,
    "GET /requests/{request}": SIGNED_IN,
    "POST /requests/{request}/withdraw": SIGNED_IN,
    "POST /grants/{grant}/end": SIGNED_IN,
    "GET /approvals": DECIDER,
    "GET /waiting": DECIDER,
    "POST /approvals/{item}": SIGNED_IN,
    "POST /approvals/{item}/undo": DECIDER,
    "GET /sessions": SIGNED_IN,
    "GET /sessions/{session}": SIGNED_IN,
    "GET /sessions/{session}/recording": SIGNED_IN,
    "GET /sessions/{session}/statements": SIGNED_IN,
    "POST /sessions/{session}/kill": SIGNED_IN,
    "GET /inspections": INSPECTORS,
    "GET /incidents": OVERSEERS,
    "POST /incidents": OVERSEERS,
    "GET /incidents/new": OVERSEERS,
    "GET /incidents/{incident}": SIGNED_IN,
    "POST /incidents/{incident}/note": SIGNED_IN,
    "POST /incidents/{incident}/assign": OVERSEERS,
    "POST /incidents/{incident}/close": frozenset({"administrator", "auditor"}),
    "POST /incidents/{incident}/reopen": OVERSEERS,
    "POST /sessions/{session}/inspect": INSPECTORS,
    "GET /player-frame": EVERYBODY,
    "GET /roster": OVERSEERS,
    "POST /roster/plan": ADMINISTRATOR,
    "POST /roster": ADMINISTRATOR,
    "POST /roster/release": ADMINISTRATOR,
    "POST /roster/source": ADMINISTRATOR,
    "POST /roster/rules": ADMINISTRATOR,
    "GET /systems": OVERSEERS,
    "POST /systems": ADMINISTRATOR,
    "GET /systems/{system}": OVERSEERS,
    "POST /systems/{system}/release": ADMINISTRATOR,
    "POST /systems/{system}/link": ADMINISTRATOR,
    "POST /systems/{system}/owner": ADMINISTRATOR,
    "POST /delegations": DECIDER,
    "POST /delegations/{delegation}/end": DECIDER,
    "GET /reviews": SIGNED_IN,
    "POST /reviews": ADMINISTRATOR,
    "GET /reviews/{review}": SIGNED_IN,
    "POST /reviews/{review}/decide": SIGNED_IN,
    "GET /policies": SIGNED_IN,
    "POST /policies": ADMINISTRATOR,
    "GET /policies/{policy}": SIGNED_IN,
    "GET /policies/{policy}/versions/{version}": SIGNED_IN,
    "POST /policies/{policy}/confirm": SIGNED_IN,
    "POST /policies/{policy}/look-through": SIGNED_IN,
    "POST /policies/{policy}/retire": ADMINISTRATOR,
    "GET /controls": OVERSEERS,
    "POST /controls/run": frozenset({"administrator", "auditor"}),
    "GET /controls/{control}": OVERSEERS,
    "POST /controls/{control}/owner": ADMINISTRATOR,
    "POST /reviews/{review}/keep": SIGNED_IN,
    "POST /reviews/{review}/sign-off": READERS_OF_CHANGES,
    "GET /leavers": OVERSEERS,
    "POST /leavers/{person}/probe": frozenset({"administrator", "monitor"}),
    "GET /people": OVERSEERS,
    "POST /people": ADMINISTRATOR,
    "GET /people/{person}": SIGNED_IN,
    "POST /people/{person}": ADMINISTRATOR,
    "POST /people/{person}/enrol-link": ADMINISTRATOR,
    "POST /people/{person}/keys": ADMINISTRATOR,
    "POST /people/{person}/keys/{factor}/remove": ADMINISTRATOR,
    "POST /people/{person}/disable": ADMINISTRATOR,
    "POST /people/{person}/enable": ADMINISTRATOR,
    "POST /people/{person}/erase": ADMINISTRATOR,
    "GET /providers": OVERSEERS,
    "GET /providers/new": ADMINISTRATOR,
    "POST /providers": ADMINISTRATOR,
    "GET /providers/proposed/{change}": OVERSEERS,
    "POST /providers/{change}/test": ADMINISTRATOR,
    "GET /providers/{provider}": OVERSEERS,
    "POST /providers/{provider}/remove": ADMINISTRATOR,
    "POST /providers/{provider}/declare": ADMINISTRATOR,
    "POST /providers/{provider}/declarations/{declaration}/end": ADMINISTRATOR,
    "GET /provisioning": OVERSEERS,
    "POST /provisioning/held/{person}/keep": ADMINISTRATOR,
    "POST /provisioning/held/{person}/end": ADMINISTRATOR,
    "POST /provisioning/holds/{hold}/keep": ADMINISTRATOR,
    "POST /provisioning/holds/{hold}/end": ADMINISTRATOR,
    "POST /provisioning/users/{user}/agree": ADMINISTRATOR,
    "POST /provisioning/tokens": ADMINISTRATOR,
    "POST /provisioning/tokens/{token}/end": ADMINISTRATOR,
    "GET /notices": OVERSEERS,
    "GET /my-notices": SIGNED_IN,
    "POST /my-notices": SIGNED_IN,
    "GET /second-factors": OVERSEERS,
    "GET /signals": OVERSEERS,
    "GET /signals/new": ADMINISTRATOR,
    "POST /signals": ADMINISTRATOR,
    "POST /signals/{stream}/remove": ADMINISTRATOR,
    "POST /signals/{stream}/test": ADMINISTRATOR,
    "GET /exceptions": SIGNED_IN,
    "POST /exceptions": SIGNED_IN,
    "POST /exceptions/{exception}/end": SIGNED_IN,
    "GET /catalogue": SIGNED_IN,
    "GET /resources": OVERSEERS,
    "GET /resources/{resource}": SIGNED_IN,
    "GET /roles": OVERSEERS,
    "GET /roles/{role}": OVERSEERS,
    "GET /roles.csv": OVERSEERS,
    "GET /difference": READERS_OF_CHANGES,
    "GET /unused": READERS_OF_CHANGES,
    "GET /changes": READERS_OF_CHANGES,
    "GET /changes/new": ADMINISTRATOR,
    "POST /changes/role": ADMINISTRATOR,
    "POST /changes/plan": ADMINISTRATOR,
    "POST /changes/unused": ADMINISTRATOR,
    "POST /changes": ADMINISTRATOR,
    "GET /changes/{change}": READERS_OF_CHANGES,
    "GET /ledger": OVERSEERS,
    "GET /ledger/proof/{index}": OVERSEERS,
    "GET /ledger/checkpoint": OVERSEERS,
    "GET /ledger/checkpoint/file": OVERSEERS,
    "GET /ledger/verifier/{name}": OVERSEERS,
    "GET /databases/root.pem": EVERYBODY,
    "POST /databases/token": SIGNED_IN,
    "GET /databases/query": SIGNED_IN,
    "POST /databases/query": SIGNED_IN,
    "POST /databases/queries": SIGNED_IN,
    "POST /databases/queries/{query}/run": SIGNED_IN,
    "POST /databases/queries/{query}/cancel": SIGNED_IN,
    "POST /databases/queries/{query}/alive": SIGNED_IN,
    "POST /databases/queries/{query}/leave": SIGNED_IN,
    "POST /ledger/pack": AUDITOR,
    "GET /ledger/pack/file": AUDITOR,
    "POST /ledger/announced/{announcement}/cancel": ADMINISTRATOR,
    "GET /find": SIGNED_IN,
}
"""Who gets past the door of a route. What is behind it may still be somebody else's: that is a 404."""

POSTED_BY_PROVIDERS = frozenset(
    {
        "/sign-in/return/{provider}",
        "/sign-in/return/{provider}/finish",
        "/sign-in/backchannel/{provider}",
        "/sign-in/logout/{provider}",
    }
)
"""Forms that carry no token of ours, since a provider sends them; its signature alone is believed."""


@pytest.fixture(scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with opened(tmp_path_factory.mktemp("office")) as office:
        await office.company.join("mon", "security")
        yield office


@pytest.fixture(scope="module")
async def browsers(office: Office) -> AsyncIterator[dict[str, Browser]]:
    found = {role: await office.sign_in(person) for role, person in ROLES.items()}
    found["anonymous"] = office.browser()
    yield found
    for each in found.values():
        await each.close()


def path_of(place: Place) -> str:
    """An address of the route, of nothing that exists."""
    return re.sub(r"\{\w+\}", "nothing", place.path)


def test_the_table_is_of_all_routes_and_each_once() -> None:
    routes = [f"{place.method} {place.path}" for place in PLACES]
    assert len(routes) == len(set(routes))
    assert set(routes) == set(TABLE)
    assert {place.path for place in PLACES if place.outside} == POSTED_BY_PROVIDERS
    assert all(place.method == "POST" for place in PLACES if place.outside)


def test_needs_are_what_the_table_says() -> None:
    rights = {
        ADMINISTRATOR: {ConsoleRight.ADMINISTER},
        DECIDER: {ConsoleRight.APPROVE, ConsoleRight.ADMINISTER, ConsoleRight.ACCEPT_RISK},
        OVERSEERS: {ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR},
        READERS_OF_CHANGES: {ConsoleRight.ADMINISTER, ConsoleRight.AUDIT},
        AUDITOR: {ConsoleRight.AUDIT},
        INSPECTORS: {ConsoleRight.AUDIT, ConsoleRight.MONITOR},
        frozenset({"administrator", "monitor"}): {ConsoleRight.ADMINISTER, ConsoleRight.MONITOR},
    }
    for place in PLACES:
        who, needs = TABLE[f"{place.method} {place.path}"], place.needs
        assert needs.signed_in == ("anonymous" not in who), place
        assert set(needs.rights) == rights.get(who, set()), place
        assert isinstance(needs, Needs)


@pytest.mark.anyio
@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.method} {place.path}")
async def test_every_route_lets_in_whom_it_should(place: Place, browsers: dict[str, Browser]) -> None:
    """GETs are asked for; POSTs are sent without the token, so that who is let in is refused for that alone."""
    may = TABLE[f"{place.method} {place.path}"]
    for role, browser in browsers.items():
        path = path_of(place)
        answer = await (browser.get(path) if place.method == "GET" else browser.post(path, csrf="x" * 43))
        if role not in may:
            if role == "anonymous":
                assert answer.status_code == 303, (role, place)
                assert answer.headers["Location"].startswith("/sign-in"), (role, place)
            else:
                assert answer.status_code == 403, (role, place)
                assert "right.missing" in answer.text, (role, place)
        elif place.outside:
            assert answer.status_code < 500, (role, place)
            assert "Set-Cookie" not in answer.headers or "onepam_session=op" not in answer.headers["Set-Cookie"]
        elif place.method == "POST":
            assert answer.status_code == 403, (role, place)
            assert "csrf.token" in answer.text, (role, place)
        else:
            assert answer.status_code < 500, (role, place)
            assert "right.missing" not in answer.text, (role, place)


@pytest.mark.anyio
@pytest.mark.parametrize("role", ROLES)
async def test_what_is_shown_opens_and_what_does_not_open_is_neither_shown_nor_found(
    role: str, browsers: dict[str, Browser]
) -> None:
    """What waits for whoever answers for others is not shown to somebody who answers for nobody."""
    browser = browsers[role]
    shown = [place for place in PLACES if place.shown and not (role == "engineer" and place.shown.answering)]
    page = await browser.read("/")
    bar = re.findall(r'<a class="nav-link" href="([^"]+)"', page.partition('aria-label="Main"')[2])
    opening = [place.path for place in shown if (await browser.get(place.path)).status_code == 200]
    assert bar == opening
    assert opening == [place.path for place in shown if role in TABLE[f"GET {place.path}"]]
    for query in ["", "e", "web", "max", *(place.shown.word for place in PLACES if place.shown)]:
        found = (await browser.get(f"/find?q={query}")).json()["results"]
        assert {each["href"] for each in found if each["kind"] == "Page"} <= set(opening)
        assert query or [each["href"] for each in found] == opening
        for each in found:
            assert (await browser.get(each["href"])).status_code == 200, (query, each)


def test_the_side_bar_has_each_heading_once() -> None:
    headings = [place.shown.group for place in PLACES if place.shown]
    assert [each for each, _ in groupby(headings)] == ["Me", "Activity", "Access", "Identity", "Proof"]
    assert all(place.method == "GET" and place.needs.signed_in for place in PLACES if place.shown)
    icons = [place.shown.icon for place in PLACES if place.shown]
    assert len(icons) == len(set(icons)), "no two entries look alike"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "place",
    [place for place in PLACES if place.method == "POST" and not place.outside],
    ids=lambda place: f"{place.method} {place.path}",
)
async def test_no_form_is_taken_from_elsewhere_or_breaks(place: Place, browsers: dict[str, Browser]) -> None:
    role = next(role for role in [*ROLES, "anonymous"] if role in TABLE[f"POST {place.path}"])
    for origin in ("https://evil.example", "null", "http://localhost:1", "http://localhost.evil.example"):
        answer = await browsers[role].post(path_of(place), origin=origin)
        assert answer.status_code == 403, (origin, place)
        assert "csrf.origin" in answer.text
    if place.path == "/sign-out":
        return
    for form in ({}, {"reason": "\u202e", "decision": "x", "minutes": "9" * 40, "option": ":", "ends": "0000-99-99"}):
        answer = await browsers[role].post(path_of(place), **form)
        assert answer.status_code < 500, (form, place, answer.status_code)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "path",
    [
        "/?q=" + "x" * 3000,
        "/sessions?state=odd&days=-1&before=abc&q=%27%22%00",
        "/sessions?before=99999999999999999999&days=1e9",
        "/sessions/ses_..%2f..%2fetc",
        "/sessions/nothing/recording?channel=-1",
        "/people?kind=odd&role=%00",
        "/leavers?from=odd&to=9999-99-99",
        "/leavers?from=2999-01-01&to=0001-01-01",
        "/resources/%00",
        "/ledger?entry=-1",
        "/ledger?entry=99999999999999999999",
        "/ledger/proof/x",
        "/ledger/proof/9007199254740991",
        "/changes/%F0%9F%92%A9",
        "/find?q=%00",
        "/people?as_of=never",
        "/people?as_of=0001-01-01T00:00",
        "/people?as_of=9999-12-31T23:59",
        "/roles.csv?as_of=1999-01-01T00:00",
        "/roles?view=actual&as_of=1999-01-01T00:00",
        "/difference?after=%00&kind=odd&as_of=1999-01-01T00:00",
        "/unused?after=-1&role=%00&as_of=1999-01-01T00:00",
        "/unused?as=csv",
        "/difference?as=csv",
        "/ledger?as_of=1999-01-01T00:00",
    ],
)
async def test_odd_addresses_are_answered(path: str, browsers: dict[str, Browser]) -> None:
    for role in ("administrator", "auditor"):
        answer = await browsers[role].get(path)
        assert answer.status_code in (200, 400, 404), (path, answer.status_code)


@pytest.mark.anyio
async def test_every_answer_has_the_headers_that_protect_it(browsers: dict[str, Browser]) -> None:
    for place in PLACES:
        if place.method != "GET":
            continue
        answer = await browsers["administrator"].get(path_of(place))
        assert answer.headers["X-Content-Type-Options"] == "nosniff", place
        assert answer.headers["Cache-Control"] == "no-store", place
        if "text/html" in answer.headers.get("Content-Type", ""):
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"], place
    frame = await browsers["anonymous"].get("/player-frame")
    assert frame.headers["Content-Security-Policy"].startswith("sandbox allow-scripts; default-src 'none'")


@pytest.mark.anyio
async def test_a_form_larger_than_it_may_be_is_refused(browsers: dict[str, Browser]) -> None:
    answer = await browsers["administrator"].post("/changes/plan", text="x" * 1_200_000)
    assert answer.status_code == 403
    assert "form.large" in answer.text
