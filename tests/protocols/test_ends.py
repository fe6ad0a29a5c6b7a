"""The table of ends: how a session may end or fail, and what is true of it then, the same for every protocol.

Whoever adds a protocol gives it a row in `WAYS`. At the end the client has heard why, the ledger has it with the last
byte, the recording is whole or its gap is named, and neither side has a connection left.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from onepam.app.sessions.confirm import give_confirmation
from onepam.boot.clock import wall_clock
from onepam.domain.access.events import BindingAdded, BindingEnded, ResourceRemoved, RoleRemoved
from onepam.domain.access.locking import LockScope, LockSet
from onepam.domain.access.model import Action, Mode, SubjectKind, Substance
from onepam.domain.people.events import PersonChanged, PersonDisabled
from onepam.domain.requests.events import GrantStarted
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import KillOrdered, SessionClosed, SessionFailed, SessionOpened
from onepam.domain.signing_in.events import FactorKind, SteppedUp
from onepam.identity.tokens import code_digest
from onepam.kernel.clock import MINUTE, SECOND, Instant
from tests.gateway_fixture import SECONDS, STANDING, Person, outcome, role_set, shown_code
from tests.protocols.sockets import connections, own_port
from tests.protocols.ways import ENDS, TARGET, Way, heard, said_back, way_through

pytestmark = pytest.mark.anyio

WITHIN_SECONDS = 45.0  # the goal is one second, and bench/revocation.py measures it; a test tells ended from running


@pytest.fixture(scope="module", params=list(ENDS))
async def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Way]:
    async with way_through(request.param, tmp_path_factory.mktemp("gateway")) as running:
        yield running


async def session_of(way: Way, person: Person) -> str:
    return way.gateway.events(SessionOpened, person)[-1].session


async def closed(way: Way, person: Person, because: SessionEnd) -> SessionClosed:
    """The one end of the person's session, and that it is whole and over."""
    (found,) = await way.gateway.ended(person)
    assert isinstance(found, SessionClosed), found
    assert (found.because, found.gap, found.verified) == (because, None, True)
    assert found.last_byte is not None
    return found


async def failed(way: Way, person: Person, because: SessionEnd) -> SessionFailed:
    (found,) = await way.gateway.ended(person)
    assert isinstance(found, SessionFailed), found
    assert found.code is because
    return found


# The client, the target, the time -------------------------------------------------------------------------------------


async def test_what_was_said_is_recorded_and_the_client_leaves(way: Way) -> None:
    person = await way.gateway.person()
    process = await way.working(person)
    assert await said_back(process, b"there and back\n") == b"there and back\n"
    await heard(process, b"")
    found = await closed(way, person, SessionEnd.CLIENT_LEFT)
    frames = way.gateway.recorded(found.session)
    assert way.said(frames) == b"there and back\n"


async def test_a_client_is_killed(way: Way) -> None:
    person = await way.gateway.person()
    process = await way.working(person)
    process.kill()
    await outcome(process, None)
    await closed(way, person, SessionEnd.CLIENT_LEFT)


async def test_the_time_of_a_grant_is_over(way: Way) -> None:
    person = await way.gateway.person(replace(STANDING, mode=Mode.REQUEST))
    substance = Substance(
        person.id, TARGET, way.gateway.target.login, person.role, "v1", STANDING.name, STANDING.actions, MINUTE
    )
    ident, now = person.id[4:], wall_clock()
    grant = GrantStarted(
        f"grt_{ident}", f"req_{ident}", substance, person.binding, "per_max", now, Instant(now + 4 * SECOND)
    )
    await way.gateway.record(grant)
    process = await way.working(person)
    assert "the time of this access is over" in await heard(process)
    assert 0 <= wall_clock() - grant.ends < WITHIN_SECONDS * SECOND
    await closed(way, person, SessionEnd.EXPIRED)


@pytest.mark.parametrize(
    ("name", "changed", "because"),
    [
        ("down", lambda way: {"port": way.gateway.closed_port}, SessionEnd.TARGET_DOWN),
        ("other", lambda way: {"pins": (way.other_pin,)}, None),
        ("metadata", lambda way: {"address": "169.254.169.254"}, SessionEnd.TARGET_ADDRESS),
    ],
)
async def test_a_target_that_is_never_reached(
    way: Way, name: str, changed: Callable[[Way], dict[str, object]], because: SessionEnd | None
) -> None:
    await way.gateway.record(way.resource(name, **changed(way)))
    person = await way.gateway.person()
    process = await way.start(person, name)
    assert process.stdin is not None
    process.stdin.write(b"for the target\n")
    await heard(process)
    await failed(way, person, because or way.mismatched)
    assert way.said(way.gateway.recorded(await session_of(way, person))) == b""


async def test_too_many_targets_are_dialled_at_once(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds no place hears it, and the target nothing."""
    dials = way.gateway.platform.gateway.dials
    monkeypatch.setattr(dials, "_free", 0)
    monkeypatch.setattr(dials, "_most_of_one", 0)
    person = await way.gateway.person()
    assert "too many sessions are being opened at this moment" in await heard(await way.start(person))
    found = await failed(way, person, SessionEnd.GATEWAY_UNAVAILABLE)
    assert found.detail == "too many sessions are being opened at this moment"


async def test_a_client_that_leaves_on_its_way_in_leaves_no_open_session(way: Way) -> None:
    """At every moment: what was opened is closed, and nothing stays registered."""
    person = await way.gateway.person()
    for number in range(25):
        process = await way.start(person)
        await asyncio.sleep(0.06 + 0.006 * number)
        process.kill()
        await outcome(process, None)
    async with asyncio.timeout(SECONDS):
        while len(way.gateway.platform.live):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    opened = way.gateway.events(SessionOpened, person)
    assert len(await way.gateway.ended(person, len(opened))) == len(opened)


# Who loses the access -------------------------------------------------------------------------------------------------

TAKEN: dict[str, tuple[Callable[[Way, Person, str], object], str, str]] = {
    "killed": (lambda way, person, session: KillOrdered(session, "per_ada"), "killed", "ended by order"),
    "person locked": (
        lambda way, person, session: LockSet("lck_1", LockScope.PERSON, person.id, None, "per_ada", "odd"),
        "access.locked", "was locked"),
    "person disabled": (
        lambda way, person, session: PersonDisabled(person.id, "per_ada", "left"),
        "person.disabled", "has been disabled"),
    "person's last day": (
        lambda way, person, session: PersonChanged(person.id, "per_ada", None, None, wall_clock()),
        "person.disabled", "has been disabled"),
    "binding ended": (
        lambda way, person, session: BindingEnded(person.binding, "left", "chg_2", None),
        "resource.unknown", "was taken away"),
    "role removed": (
        lambda way, person, session: RoleRemoved(person.role, "chg_2", None), "resource.unknown", "was taken away"),
    "role for other targets": (
        lambda way, person, session: role_set(person.role, replace(STANDING, where={"env": "test"})),
        "resource.unknown", "was taken away"),
    "role for other logins": (
        lambda way, person, session: role_set(person.role, replace(STANDING, logins=("other",))),
        "access.login", "this login is not allowed there any more"),
    "role for fewer actions": (
        lambda way, person, session: role_set(person.role, way.narrower),
        "access.narrowed", "narrowed"),
    "role that asks first": (
        lambda way, person, session: role_set(person.role, replace(STANDING, mode=Mode.REQUEST)),
        "access.needs_approval", "it needs an approval now"),
}  # fmt: skip


@pytest.mark.claim(
    "Losing access ends the running session, not only the next one: kill, expiry, disabling, removal of a role",
    altered="an order to kill touched no live session; in another run, the removal of a role",
)
@pytest.mark.parametrize("how", TAKEN)
async def test_access_that_is_taken_ends_the_session(way: Way, how: str) -> None:
    person = await way.gateway.person()
    event, because, words = TAKEN[how]
    process = await way.working(person)
    began = await way.gateway.record(event(way, person, await session_of(way, person)))
    assert f"OnePAM: {SessionEnd(because).told}." in (said := await heard(process))
    assert words in said
    found = await closed(way, person, SessionEnd(because))
    assert found.last_byte is not None
    assert began <= found.last_byte < began + WITHIN_SECONDS * SECOND
    if how == "person locked":
        assert "This access is locked" in await heard(await way.start(person))


@pytest.mark.parametrize("how", ["removed", "moved", "relabelled"])
async def test_a_resource_that_changes_ends_its_sessions_only(way: Way, how: str) -> None:
    name = f"gone-{how}"
    await way.gateway.record(way.resource(name))
    person, bystander = await way.gateway.person(), await way.gateway.person()
    process, stays = await way.working(person, name), await way.working(bystander)
    event, because = {
        "removed": (ResourceRemoved(name, "chg_2", None), SessionEnd.ACCESS_TAKEN),
        "moved": (way.resource(name, port=way.gateway.closed_port), SessionEnd.RESOURCE_MOVED),
        "relabelled": (way.resource(name, labels={"env": "other"}), SessionEnd.ACCESS_TAKEN),
    }[how]
    await way.gateway.record(event)
    assert because.told in await heard(process)
    await closed(way, person, because)
    assert await said_back(stays, b"still here\n") == b"still here\n"
    await heard(stays, b"")


async def test_a_session_goes_on_while_something_still_allows_it(way: Way) -> None:
    """Two roles; the one it rests on goes, then the other."""
    person = await way.gateway.person()
    other = BindingAdded(
        f"bnd_{person.id[4:]}", f"{person.role}-2", SubjectKind.PERSON, person.id, None, "file", "work", "chg_1", None
    )
    await way.gateway.record(role_set(other.role, STANDING), other)
    process = await way.working(person)
    await way.gateway.record(BindingEnded(person.binding, "moved", "chg_2", None))
    await way.gateway.record(role_set(f"{person.role}-3", replace(STANDING, actions=(Action.SHELL,))))
    assert await said_back(process, b"still here\n") == b"still here\n"
    await way.gateway.record(BindingEnded(other.binding, "moved", "chg_2", None))
    assert "taken away" in await heard(process)
    await closed(way, person, SessionEnd.ACCESS_TAKEN)


async def test_every_session_of_a_person_ends_at_once(way: Way) -> None:
    person = await way.gateway.person()
    processes = [await way.working(person) for _ in range(5)]
    await way.gateway.record(PersonDisabled(person.id, "per_ada", "left"))
    await asyncio.gather(*map(heard, processes))
    ends = await way.gateway.ended(person, 5)
    assert {each.because for each in ends if isinstance(each, SessionClosed)} == {SessionEnd.PERSON_DISABLED}


async def test_no_client_stays_in_whatever_the_moment(way: Way) -> None:
    """Twenty people connect while their access is taken."""
    for number in range(20):
        person = await way.gateway.person()
        process = await way.start(person)
        await asyncio.sleep(0.02 * number)
        await way.gateway.record(BindingEnded(person.binding, "left", "chg_2", None))
        began = time.monotonic()
        await heard(process)
        assert time.monotonic() - began < WITHIN_SECONDS, number
        await way.gateway.ended(person, len(way.gateway.events(SessionOpened, person)))
    assert len(way.gateway.platform.live) == 0


# A side that sleeps ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("busy", [False, True], ids=["silent", "full of output"])
async def test_a_kill_does_not_wait_for_a_client_that_sleeps(way: Way, busy: bool) -> None:
    """It sleeps on until all is over. Not even our kernel goes on sending: no connection is left that has something for
    the client or the target."""
    person = await way.gateway.person()
    process = await way.working(person)
    its_port = own_port(way.pids(process), way.port)  # a probe of ours may be at the listener, too
    if busy:
        assert process.stdin is not None
        process.stdin.write(way.flood)
    sleepers = way.pids(process)
    for pid in sleepers:
        os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(0.5)
        await way.gateway.record(KillOrdered(await session_of(way, person), "per_ada"))
        await closed(way, person, SessionEnd.KILLED)
        assert connections(way.port, its_port) == []
        assert connections(theirs=way.target_port) == []
    finally:
        for pid in reversed(sleepers):
            os.kill(pid, signal.SIGKILL)
        await outcome(process, None)


async def test_a_kill_does_not_wait_for_a_target_that_sleeps(way: Way) -> None:
    """Megabytes were on their way to it: those that it has not read never come."""
    person = await way.gateway.person()
    process = await way.working(person)
    sleeping = way.serving()
    for pid in sleeping:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert process.stdin is not None
        process.stdin.write(b"a line of some length, many times\n" * 500_000)
        await asyncio.sleep(0.5)
        await way.gateway.record(KillOrdered(await session_of(way, person), "per_ada"))
        await closed(way, person, SessionEnd.KILLED)
        assert connections(theirs=way.target_port) == []
    finally:
        for pid in sleeping:
            os.kill(pid, signal.SIGCONT)
        await outcome(process, None)


# The way in -----------------------------------------------------------------------------------------------------------


async def test_who_only_holds_a_registered_key_confirms_in_the_browser(way: Way) -> None:
    person = await way.gateway.person(certificate=False, registered=True)
    process = await way.unconfirmed(person)
    if not way.shows_before:
        assert "a fresh second factor, for which this client shows nothing" in await heard(process)
        return
    confirmation, code = await shown_code(process, way.shows(process))
    digest = code_digest(code)
    assert digest is not None
    actor = way.gateway.actor(person)
    await way.gateway.record(SteppedUp(person.sign_in, person.id, FactorKind.TOTP, wall_clock()))
    assert await give_confirmation(way.gateway.platform.ledger, actor, confirmation, digest.hex()) is None
    await way.ready(process)
    await heard(process, b"")
    ends = await way.gateway.ended(person, len(way.gateway.events(SessionOpened, person)))
    assert {each.because for each in ends if isinstance(each, SessionClosed)} == {SessionEnd.CLIENT_LEFT}


async def test_who_may_not_hears_why_and_nothing_is_opened(way: Way) -> None:
    person = await way.gateway.person(replace(STANDING, where={"env": "test"}))
    assert "There is no such target in your catalogue." in await heard(await way.start(person))
    assert way.gateway.events(SessionOpened, person) == []
    assert len(way.gateway.platform.live) == 0


# The target is lost; last, as the way's own target does not come back -------------------------------------------------


async def test_the_target_is_lost(way: Way) -> None:
    person = await way.gateway.person()
    process = await way.working(person)
    await way.lose()
    assert "lost" in await heard(process)
    await closed(way, person, SessionEnd.TARGET_LOST)
