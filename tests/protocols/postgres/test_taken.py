"""Access that is taken while a statement runs: the statement is cancelled at the server, and its backend is gone.

A backend that sleeps does not look at its connection: what only hangs up leaves it asleep for ten minutes. How long it
takes, bench/postgres.py measures."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from onepam.boot.clock import wall_clock
from onepam.domain.access.model import Mode, Substance
from onepam.domain.people.events import PersonDisabled
from onepam.domain.requests.events import GrantStarted
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import KillOrdered, SessionClosed, SessionOpened
from onepam.domain.signing_in.events import SignedOut
from onepam.kernel.clock import MINUTE, SECOND, Instant
from onepam.recording.statements import Finished, StatementText
from tests.gateway_fixture import SECONDS, STANDING, Person, outcome
from tests.protocols.ways import TARGET, Postgres, way_through

pytestmark = pytest.mark.anyio

ASLEEP = "SELECT '{}', pg_sleep(600)"


@pytest.fixture(scope="module")
async def way(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    async with way_through("postgres", tmp_path_factory.mktemp("gateway")) as running:
        assert isinstance(running, Postgres)
        yield running


async def asleep(way: Postgres, person: Person, wanted: bool) -> None:
    """Until the person's statement sleeps at the server, or no backend has it any more."""
    asked = f"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%{person.id}%' AND pid <> pg_backend_pid()"
    asked += " AND wait_event = 'PgSleep'" if wanted else ""
    async with asyncio.timeout(SECONDS):
        while (await asyncio.to_thread(way.server.sql, asked)).strip() != str(int(wanted)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


TAKEN: dict[str, tuple[Callable[[Postgres, Person, str], object], SessionEnd]] = {
    "killed": (lambda way, person, session: KillOrdered(session, "per_ada"), SessionEnd.KILLED),
    "disabled": (lambda way, person, session: PersonDisabled(person.id, "per_ada", "left"), SessionEnd.PERSON_DISABLED),
    "expired": (lambda way, person, session: _grant(way, person), SessionEnd.EXPIRED),
}


def _grant(way: Postgres, person: Person) -> GrantStarted:
    substance = Substance(
        person.id, TARGET, way.gateway.target.login, person.role, "v1", STANDING.name, STANDING.actions, MINUTE
    )
    ident, now = person.id[4:], wall_clock()
    return GrantStarted(
        f"grt_{ident}", f"req_{ident}", substance, person.binding, "per_max", now, Instant(now + 10 * SECOND)
    )


@pytest.mark.parametrize("how", TAKEN)
async def test_what_runs_is_cancelled_at_the_server(way: Postgres, how: str) -> None:
    event, because = TAKEN[how]
    mode = Mode.REQUEST if how == "expired" else Mode.STANDING
    person = await way.gateway.person(replace(STANDING, mode=mode))
    if how == "expired":
        await way.gateway.record(event(way, person, ""))
    text = ASLEEP.format(person.id)
    client = await way.gateway.start("psql", "-X", "-c", text, way.words(await way.token(person)))
    await asleep(way, person, True)
    (opened,) = way.gateway.events(SessionOpened, person)
    if how != "expired":
        await way.gateway.record(event(way, person, opened.session))
    assert f"OnePAM: {because.told}." in (await outcome(client, None)).stderr
    (closed,) = await way.gateway.ended(person)
    assert isinstance(closed, SessionClosed)
    assert (closed.because, closed.verified) == (because, True)
    await asleep(way, person, False)
    frames = way.gateway.recorded(opened.session)
    assert [each.text for each in frames if isinstance(each, StatementText)] == [text.encode()]
    assert len([each for each in frames if isinstance(each, Finished)]) == 1


async def test_a_sign_in_that_ends_admits_nobody_and_ends_no_session(way: Postgres) -> None:
    """As over SSH: signing the command line out takes no access away."""
    person = await way.gateway.person()
    token = await way.token(person)
    client = await way.working(person)
    await way.gateway.record(SignedOut(person.sign_in, person.id, "signed out", person.id))
    refused = await outcome(await way.gateway.start("psql", "-X", "-c", "SELECT 1", way.words(token)))
    assert "FATAL:  OnePAM: " in refused.stderr
    await outcome(client, b"")
    (closed,) = await way.gateway.ended(person)
    assert isinstance(closed, SessionClosed)
    assert closed.because is SessionEnd.CLIENT_LEFT
