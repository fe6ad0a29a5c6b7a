"""Statements that ask first, by real clients through the whole gateway: psql waits, somebody else decides, it runs."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from onepam.app.sessions.ask_statement import approve_statement, deny_statement
from onepam.boot.clock import wall_clock
from onepam.domain.access.events import BindingEnded, ResourceRemoved, RoleRemoved
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.model import ConsoleRight, Mode
from onepam.domain.people.events import PersonChanged, PersonDisabled
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import KillOrdered, SessionOpened
from onepam.domain.sessions.waiting_statements import (
    StatementApproved,
    StatementAsked,
    StatementEnded,
)
from onepam.kernel.clock import SECOND
from onepam.recording.frames import Marker
from onepam.recording.statements import Finished, Outcome
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from tests.gateway_fixture import SECONDS, STANDING, Gateway, Person, outcome, role_set
from tests.protocols.ways import TARGET, Postgres, way_through

pytestmark = pytest.mark.anyio

READ, OTHER, ASK_WRITE = StatementClass.READ, StatementClass.OTHER, StatementClass.ASK_WRITE
ASKS = Guardrails((READ, OTHER, ASK_WRITE))
APPROVE = (ConsoleRight.APPROVE,)


@dataclass
class Scene:
    """The way through, somebody who decides, and a table of which everybody may write."""

    way: Postgres
    max: Person
    taken: int = 0

    @property
    def gateway(self) -> Gateway:
        return self.way.gateway

    async def eve(self, *classes: StatementClass) -> Person:
        """Somebody whose writes ask first."""
        guards = Guardrails(classes) if classes else ASKS
        return await self.gateway.person(replace(STANDING, guardrails=guards, approvers=(self.max.role,)))

    async def psql(self, person: Person, *said: str, target: str = TARGET) -> asyncio.subprocess.Process:
        commands = [part for each in said for part in ("-c", each)]
        words = self.way.words(await self.way.token(person, target), target)
        return await self.gateway.start("psql", "-X", "-At", *commands, words)

    async def asked(self, person: Person) -> StatementAsked:
        """What waits of the person, the newest, once there is one that waits."""
        async with asyncio.timeout(SECONDS):
            while True:
                over = {each.statement for each in self.gateway.events(StatementEnded)}
                over |= {each.statement for each in self.gateway.events(StatementApproved)}
                mine = [each for each in self.gateway.events(StatementAsked) if each.by == person.id]
                if waits := [each for each in mine if each.statement not in over]:
                    return waits[-1]
                await asyncio.sleep(0.05)

    async def ended(self, statement: str) -> StatementEnded:
        """How it ended, once it has."""
        async with asyncio.timeout(SECONDS):
            while True:
                for each in self.gateway.events(StatementEnded):
                    if each.statement == statement:
                        return each
                await asyncio.sleep(0.05)

    async def approves(self, who: Person, statement: str) -> str:
        """Says yes; the code of the refusal, "" where it runs."""
        refused = await approve_statement(self.gateway.platform.ledger, self.gateway.actor(who), statement)
        return refused.code if refused is not None else ""

    async def denies(self, who: Person, statement: str, reason: str = "") -> str:
        refused = await deny_statement(self.gateway.platform.ledger, self.gateway.actor(who), statement, reason)
        return refused.code if refused is not None else ""

    async def rows(self) -> list[str]:
        return (await asyncio.to_thread(self.way.server.sql, "SELECT word FROM said ORDER BY word")).split()

    async def locks(self) -> int:
        """Those that others hold on the table."""
        return int(await asyncio.to_thread(self.way.server.sql, LOCKED))


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with way_through("postgres", tmp_path_factory.mktemp("gateway")) as way:
        assert isinstance(way, Postgres)
        await asyncio.to_thread(way.server.sql, "CREATE TABLE said (word text); GRANT ALL ON said TO public")
        yield Scene(way, await way.gateway.person(console=APPROVE))


@pytest.mark.claim("and never the text", altered="the entry that a statement waits had its text behind its id")
async def test_a_write_waits_for_somebody_elses_yes_and_runs_then(scene: Scene) -> None:
    eve = await scene.eve()
    client = await scene.psql(eve, "SELECT 1", "INSERT INTO said VALUES ('one') RETURNING word", "SELECT 2")
    asked = await scene.asked(eve)
    assert (asked.classes, asked.in_transaction, asked.approvers) == ((StatementClass.WRITE,), False, (scene.max.role,))
    assert "one" not in await scene.rows()
    assert "INSERT INTO" not in repr(scene.gateway.events(object)), "the text stands in no entry"
    shown = scene.gateway.platform.statements.shown(asked.statement)
    assert shown is not None
    assert shown.text == "INSERT INTO said VALUES ('one') RETURNING word"
    assert await scene.approves(eve, asked.statement) == "right.missing"
    assert await scene.approves(scene.max, asked.statement) == ""
    done = await outcome(client, None)
    assert done.stdout.split() == [b"1", b"one", b"INSERT", b"0", b"1", b"2"]
    assert f"OnePAM: this statement waits for a yes of the role {scene.max.role}, until " in done.stderr
    assert f"/approvals#{asked.statement}" in done.stderr
    assert await scene.approves(scene.max, asked.statement) == "statement.unknown"
    await scene.gateway.ended(eve)
    (opened,) = scene.gateway.events(SessionOpened, eve)
    assert opened.client == "psql, database postgres"
    frames = scene.gateway.recorded(opened.session)
    ran = {each.execution: each.outcome for each in frames if isinstance(each, Finished)}
    assert ran[asked.execution] is Outcome.OK
    words = [each.text for each in frames if isinstance(each, Marker)]
    assert any(asked.statement in each for each in words)
    assert f"execution {asked.execution}: somebody has said yes" in words
    assert len(scene.gateway.platform.statements) == 0


async def heard(client: asyncio.subprocess.Process, words: str) -> str:
    """What a client says on standard error, until it has said these words."""
    assert client.stderr is not None
    text = ""
    async with asyncio.timeout(SECONDS):
        while words not in text:
            piece = await client.stderr.read(4096)
            assert piece, text
            text += piece.decode()
    return text


async def test_a_no_is_an_error_with_the_reason_and_the_session_goes_on(scene: Scene) -> None:
    eve = await scene.eve()
    client = await scene.psql(eve, "INSERT INTO said VALUES ('denied')", "SELECT 3")
    asked = await scene.asked(eve)
    assert await scene.denies(scene.max, asked.statement, "not today") == ""
    done = await outcome(client, None)
    assert f"ERROR:  OnePAM: {scene.max.id} said no to this statement: not today." in done.stderr
    assert done.stdout.split() == [b"3"]
    assert "denied" not in await scene.rows()


LOCKED = "SELECT count(*) FROM pg_locks WHERE relation = 'said'::regclass AND pid <> pg_backend_pid()"
CLIENT = (sys.executable, "-m", "tests.protocols.postgres.pipeline_client")


@pytest.mark.parametrize("says_no", [True, False])
async def test_of_a_pipeline_nothing_reaches_the_server_before_the_yes_to_it(scene: Scene, says_no: bool) -> None:
    eve = await scene.eve()
    words = scene.way.words(await scene.way.token(eve))
    inserted = [f"piped {says_no} {each}".replace(" ", "-") for each in ("one", "two")]
    client = await scene.gateway.start(*CLIENT, words, *inserted)
    first = await scene.asked(eve)
    assert not first.in_transaction
    assert await scene.locks() == 0, "neither parsed nor bound"
    assert await scene.approves(scene.max, first.statement) == ""
    second = await scene.asked(eve)
    assert second.in_transaction, "the first one has its locks until the Sync"
    assert await scene.locks() > 0
    said = scene.denies if says_no else scene.approves
    assert await said(scene.max, second.statement) == ""
    done = (await outcome(client, None)).stdout.decode().splitlines()
    last = f"PGRES_FATAL_ERROR ERROR:  OnePAM: {scene.max.id} said no" if says_no else "PGRES_COMMAND_OK"
    assert [each.startswith(word) for each, word in zip(done, ("PGRES_COMMAND_OK", last), strict=False)] == [True] * 2
    assert ({*inserted} & {*await scene.rows()}) == (set() if says_no else {*inserted}), "a batch is done whole"


async def test_in_a_transaction_it_waits_shorter_and_its_person_may_take_it_back(scene: Scene) -> None:
    eve = await scene.eve()
    client = await scene.psql(eve, "BEGIN", "INSERT INTO said VALUES ('taken')", "COMMIT", "SELECT 4")
    asked = await scene.asked(eve)
    assert asked.in_transaction
    (opened,) = scene.gateway.events(SessionOpened, eve)
    assert asked.expires <= opened.ends
    assert await scene.denies(eve, asked.statement) == ""
    done = await outcome(client, None)
    assert "took this statement back" in done.stderr
    assert done.stdout.split() == [b"BEGIN", b"COMMIT", b"4"], "the server had no error, so its transaction goes on"


async def test_a_client_that_cancels_or_goes_away_asks_no_more(scene: Scene) -> None:
    for ends, because in ((signal.SIGINT, "client.cancelled"), (signal.SIGKILL, "client.left")):
        eve = await scene.eve()
        client = await scene.psql(eve, "INSERT INTO said VALUES ('cancelled')")
        asked = await scene.asked(eve)
        await heard(client, "waits for a yes")
        client.send_signal(ends)
        ended = await scene.ended(asked.statement)
        assert (ended.because, ended.by) == (because, None)
        assert await scene.approves(scene.max, asked.statement) == "statement.unknown"
        done = await outcome(client, None)
        if ends is signal.SIGINT:
            assert "OnePAM: the statement was cancelled while it waited." in done.stderr
        await scene.gateway.ended(eve)
    assert "cancelled" not in await scene.rows()


@pytest.mark.parametrize("how", ["killed", "disabled", "narrowed"])
async def test_what_ends_the_session_ends_the_wait(scene: Scene, how: str) -> None:
    eve = await scene.eve()
    client = await scene.psql(eve, "INSERT INTO said VALUES ('ended')")
    asked = await scene.asked(eve)
    guards = Guardrails((READ, OTHER))
    taken = {
        "killed": KillOrdered(asked.session, "per_ada"),
        "disabled": PersonDisabled(eve.id, "per_ada", "left"),
        "narrowed": role_set(eve.role, replace(STANDING, guardrails=guards)),
    }
    await scene.gateway.record(taken[how])
    ended = await scene.ended(asked.statement)
    assert (ended.because, ended.by) == ("session.over", None)
    await outcome(client, None)
    await scene.gateway.ended(eve)
    assert "ended" not in await scene.rows()
    frames = scene.gateway.recorded(asked.session)
    refused = [each for each in frames if isinstance(each, Finished) and each.execution == asked.execution]
    assert [each.outcome for each in refused] == [Outcome.REFUSED]


GONE = "ask-gone"
LOST = "server lost"
LOSE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_addr IS NOT NULL"

TAKEN: dict[str, Callable[[Scene, Person], object]] = {
    "last day": lambda scene, eve: PersonChanged(eve.id, "per_ada", None, None, wall_clock()),
    "binding ended": lambda scene, eve: BindingEnded(eve.binding, "left", "chg_2", None),
    "role removed": lambda scene, eve: RoleRemoved(eve.role, "chg_2", None),
    "role that asks for the access": lambda scene, eve: role_set(
        eve.role, replace(STANDING, guardrails=ASKS, approvers=(scene.max.role,), mode=Mode.REQUEST)
    ),
    "role in which other classes ask": lambda scene, eve: role_set(
        eve.role, replace(STANDING, guardrails=Guardrails((READ, OTHER, StatementClass.ASK_DDL)))
    ),
    "resource removed": lambda scene, eve: ResourceRemoved(GONE, "chg_2", None),
}


async def test_the_end_of_an_access_ends_the_wait(scene: Scene) -> None:
    """In whichever way it ends, and where the server's side of the session does."""
    await scene.gateway.record(scene.way.resource(GONE))

    async def waits(how: str) -> tuple[Person, asyncio.subprocess.Process, StatementAsked]:
        eve = await scene.eve()
        target = GONE if how == "resource removed" else TARGET
        client = await scene.psql(eve, "INSERT INTO said VALUES ('taken')", target=target)
        return eve, client, await scene.asked(eve)

    waiting = dict(zip((*TAKEN, LOST), await asyncio.gather(*map(waits, (*TAKEN, LOST))), strict=True))
    for how, taken in TAKEN.items():
        await scene.gateway.record(taken(scene, waiting[how][0]))
    for how, (eve, client, asked) in waiting.items():
        if how == LOST:
            await asyncio.to_thread(scene.way.server.sql, LOSE)
        because = (await scene.ended(asked.statement)).because
        # a client that hears the server's own last words may leave before the gateway has ended its session
        assert because == "session.over" or (how, because) == (LOST, "client.left"), how
        assert await scene.approves(scene.max, asked.statement) == "statement.unknown", how
        await outcome(client, None)
        await scene.gateway.ended(eve)
        frames = scene.gateway.recorded(asked.session)
        refused = [each for each in frames if isinstance(each, Finished) and each.execution == asked.execution]
        assert [each.outcome for each in refused] == [Outcome.REFUSED], how
    assert "taken" not in await scene.rows()


async def test_nobody_decides_in_time(scene: Scene) -> None:
    """As long as the permission says, and no longer."""
    guards = replace(ASKS, wait=SECOND)
    eve = await scene.gateway.person(replace(STANDING, guardrails=guards, approvers=(scene.max.role,)))
    client = await scene.psql(eve, "INSERT INTO said VALUES ('lapsed')", "SELECT 5")
    done = await outcome(client, None)
    assert "ERROR:  OnePAM: nobody decided on this statement in time." in done.stderr
    assert done.stdout.split() == [b"5"]
    (asked,) = [each for each in scene.gateway.events(StatementAsked) if each.by == eve.id]
    assert (await scene.ended(asked.statement)).because == "statement.lapsed"
    assert "lapsed" not in await scene.rows()


async def test_nobody_who_could_decide_is_here(scene: Scene) -> None:
    guards = Guardrails((READ, OTHER, ASK_WRITE))
    eve = await scene.gateway.person(replace(STANDING, guardrails=guards, approvers=("gone",)))
    done = await outcome(await scene.psql(eve, "INSERT INTO said VALUES ('nobody')", "SELECT 6"), None)
    assert "takes somebody's yes, and nobody of gone is here" in done.stderr
    assert done.stdout.split() == [b"6"]


async def test_a_gateway_that_stops_refuses_what_waits(tmp_path: Path) -> None:
    async with way_through("postgres", tmp_path) as way:
        assert isinstance(way, Postgres)
        scene = Scene(way, await way.gateway.person(console=APPROVE))
        await asyncio.to_thread(way.server.sql, "CREATE TABLE said (word text); GRANT ALL ON said TO public")
        eve = await scene.eve()
        client = await scene.psql(eve, "INSERT INTO said VALUES ('stopped')")
        asked = await scene.asked(eve)
        database = way.gateway.platform.database
    done = await outcome(client, None)
    assert SessionEnd.GATEWAY_STOPPED.told in done.stderr
    with contextlib.closing(connect(database, read_only=True)) as db:
        ended = [each.event for each in entries(db, 0, 1 << 30) if isinstance(each.event, StatementEnded)]
    assert [(each.statement, each.because) for each in ended] == [(asked.statement, "session.over")]
