"""Access taken by the use cases ends an SSH session; all ways to take it are in tests/protocols/test_ends.py."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from onepam.app.people.disable_person import disable_person
from onepam.app.requests.end_grant import end_grant
from onepam.app.sessions.kill_session import kill_session
from onepam.boot.clock import wall_clock
from onepam.domain.access.model import (
    ConsoleRight,
    Mode,
    Substance,
)
from onepam.domain.requests.events import GrantEnded, GrantStarted
from onepam.domain.sessions.events import SessionClosed, SessionOpened
from onepam.kernel.clock import MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from tests.gateway_fixture import STANDING, Done, Gateway, Person, outcome, running_gateway

pytestmark = pytest.mark.anyio

WITHIN_SECONDS = 45.0  # the goal is one second, and bench/revocation.py measures it; a test tells ended from running


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


async def gone(gateway: Gateway, process: asyncio.subprocess.Process, since: float) -> tuple[Done, float]:
    """How the client ended, and how long after `since`."""
    done = await outcome(process, None)
    return done, time.monotonic() - since


async def ends(
    gateway: Gateway,
    person: Person,
    because: str,
    words: str,
    taken: Callable[[str], Awaitable[object]],
    user: str = "",
) -> None:
    process = await gateway.working(person, user=user)
    session = gateway.events(SessionOpened, person)[-1].session
    began = wall_clock()
    assert not isinstance(await taken(session), Refused)
    done, seconds = await gone(gateway, process, time.monotonic())
    assert seconds < WITHIN_SECONDS
    assert done.status == 255
    assert words in done.stderr
    closed = (await gateway.ended(person))[-1]
    assert isinstance(closed, SessionClosed)
    assert (closed.because, closed.gap, closed.verified) == (because, None, True)
    assert closed.last_byte is not None
    assert began < closed.last_byte < began + WITHIN_SECONDS * SECOND


async def test_by_the_use_cases(gateway: Gateway) -> None:
    ada = await gateway.person(console=(ConsoleRight.ADMINISTER,))
    ledger, actor = gateway.platform.ledger, gateway.actor(ada)
    eve, bob = await gateway.person(), await gateway.person()
    await ends(gateway, eve, "killed", "ended by order", lambda it: kill_session(ledger, actor, it, "looks odd"))
    await ends(
        gateway, bob, "person.disabled", "has been disabled", lambda it: disable_person(ledger, actor, bob.id, "left")
    )


def granted(gateway: Gateway, person: Person, ends: Instant) -> GrantStarted:
    substance = Substance(
        person.id, "web-1", gateway.target.login, person.role, "v1", STANDING.name, STANDING.actions, MINUTE
    )
    return GrantStarted(
        f"grt_{person.id[4:]}", f"req_{person.id[4:]}", substance, person.binding, "per_max", wall_clock(), ends
    )


async def test_a_grant_that_is_ended(gateway: Gateway) -> None:
    person = await gateway.person(replace(STANDING, mode=Mode.REQUEST), console=(ConsoleRight.ADMINISTER,))
    grant = granted(gateway, person, Instant(wall_clock() + MINUTE))
    await gateway.record(grant)
    ledger, actor = gateway.platform.ledger, gateway.actor(person)
    await ends(gateway, person, "access.needs_approval", "ended", lambda session: end_grant(ledger, actor, grant.grant))
    assert [each.grant for each in gateway.events(GrantEnded)] == [grant.grant]
