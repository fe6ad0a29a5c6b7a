"""Statements that ask first, by real clients through the whole gateway: psql waits, somebody else decides, it runs."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from onepam.app.sessions.ask_statement import approve_statement, deny_statement
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.model import ConsoleRight
from onepam.domain.sessions.events import SessionOpened
from onepam.domain.sessions.waiting_statements import (
    StatementApproved,
    StatementAsked,
    StatementEnded,
)
from onepam.recording.frames import Marker
from onepam.recording.statements import Finished, Outcome
from tests.gateway_fixture import SECONDS, STANDING, Gateway, Person, outcome
from tests.protocols.ways import Postgres, way_through

pytestmark = pytest.mark.anyio

READ, OTHER, ASK_WRITE = StatementClass.READ, StatementClass.OTHER, StatementClass.ASK_WRITE
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
        guards = Guardrails(classes or (READ, OTHER, ASK_WRITE))
        return await self.gateway.person(replace(STANDING, guardrails=guards, approvers=(self.max.role,)))

    async def psql(self, person: Person, *said: str) -> asyncio.subprocess.Process:
        commands = [part for each in said for part in ("-c", each)]
        return await self.gateway.start("psql", "-X", "-At", *commands, self.way.words(await self.way.token(person)))

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


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with way_through("postgres", tmp_path_factory.mktemp("gateway")) as way:
        assert isinstance(way, Postgres)
        await asyncio.to_thread(way.server.sql, "CREATE TABLE said (word text); GRANT ALL ON said TO public")
        yield Scene(way, await way.gateway.person(console=APPROVE))


async def test_a_write_waits_for_somebody_elses_yes_and_runs_then(scene: Scene) -> None:
    eve = await scene.eve()
    client = await scene.psql(eve, "SELECT 1", "INSERT INTO said VALUES ('one') RETURNING word", "SELECT 2")
    asked = await scene.asked(eve)
    assert (asked.classes, asked.in_transaction, asked.approvers) == ((StatementClass.WRITE,), False, (scene.max.role,))
    assert "one" not in await scene.rows()
    shown = scene.gateway.platform.statements.shown(asked.statement)
    assert shown is not None
    assert shown.text == "INSERT INTO said VALUES ('one') RETURNING word"
    assert await scene.approves(eve, asked.statement) == "right.missing"
    assert await scene.approves(scene.max, asked.statement) == ""
    done = await outcome(client, None)
    assert done.stdout.split() == [b"1", b"one", b"INSERT", b"0", b"1", b"2"]
    assert f"OnePAM: this statement waits for a yes of {scene.max.role}, until " in done.stderr
    assert f"/approvals#{asked.statement}" in done.stderr
    assert await scene.approves(scene.max, asked.statement) == "statement.unknown"
    await scene.gateway.ended(eve)
    (opened,) = scene.gateway.events(SessionOpened, eve)
    frames = scene.gateway.recorded(opened.session)
    ran = {each.execution: each.outcome for each in frames if isinstance(each, Finished)}
    assert ran[asked.execution] is Outcome.OK
    words = [each.text for each in frames if isinstance(each, Marker)]
    assert any(asked.statement in each for each in words)
    assert f"execution {asked.execution}: somebody has said yes" in words
    assert len(scene.gateway.platform.statements) == 0
