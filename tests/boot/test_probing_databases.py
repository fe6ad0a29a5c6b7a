"""Probes of the listener for databases: what a leaver held is refused there, and nobody else can use the way."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from secrets import token_bytes

import pytest

from onepam.boot.clock import wall_clock
from onepam.boot.databases import known_by
from onepam.boot.jobs import prober_of
from onepam.domain.leaving.probing import (
    Probe,
    ProbedProof,
    ProbeMade,
    ProbeOrdered,
    ProbePath,
    ProbePurpose,
    ProbeResult,
)
from onepam.domain.people.events import PersonDisabled
from onepam.domain.sessions.events import SessionOpened, SessionRefused
from onepam.domain.sessions.login_tokens import LoginTokenIssued
from onepam.domain.signing_in.events import CertificateIssued, SignedOut
from onepam.identity.tokens import LOGIN_TOKEN, new_token, token_digest
from onepam.kernel.clock import HOUR, MINUTE, Instant
from onepam.kernel.ids import new_id
from onepam.protocols.postgres.probe import ask
from onepam.protocols.sql.probe import PROBER
from tests.boot.test_probing import probed
from tests.gateway_fixture import Person, outcome
from tests.protocols.postgres.server import pair
from tests.protocols.ways import TARGET, Postgres, way_through

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def way(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    async with way_through("postgres", tmp_path_factory.mktemp("gateway")) as running:
        assert isinstance(running, Postgres)
        yield running


async def somebody(way: Postgres) -> Person:
    """A person who was at the database by a token, and has a certificate, too."""
    person = await way.gateway.person()
    await outcome(await way.working(person), b"")
    await way.gateway.ended(person)
    ends = Instant(wall_clock() + HOUR)
    await way.gateway.record(CertificateIssued(person.sign_in, person.id, 4711, ends, "SHA256:x"))
    return person


async def test_every_proof_of_a_leaver_is_refused_there(way: Postgres) -> None:
    person = await somebody(way)
    gateway = way.gateway
    before = len(gateway.events(SessionOpened)), len(gateway.events(SessionRefused))
    await gateway.record(
        PersonDisabled(person.id, "per_ada", "left"), SignedOut(person.sign_in, person.id, "person.disabled", None)
    )
    made = [each for each in await probed(gateway, person, 4, ProbePurpose.LEAVER) if each.path is ProbePath.POSTGRES]
    assert {(each.proof, each.result, each.resource, each.login) for each in made} == {
        (proof, ProbeResult.REFUSED, TARGET, gateway.target.login)
        for proof in (ProbedProof.ACCOUNT, ProbedProof.CERTIFICATE, ProbedProof.TOKEN)
    }
    assert {each.code for each in made if each.proof is not ProbedProof.TOKEN} == {"person.disabled"}
    assert (len(gateway.events(SessionOpened)), len(gateway.events(SessionRefused))) == before


async def test_a_probe_sees_an_open_door(way: Postgres) -> None:
    """Else a refusal would prove nothing; and nobody went in. Of a token that was got elsewhere it is asked as from
    there."""
    person = await somebody(way)
    ends, digest = Instant(wall_clock() + 10 * MINUTE), token_digest(new_token(LOGIN_TOKEN, token_bytes)).hex()
    login = way.gateway.target.login
    await way.gateway.record(
        LoginTokenIssued(
            new_id("tok", token_bytes), person.id, TARGET, login, person.sign_in, ends, digest, "192.0.2.7"
        )
    )
    before = len(way.gateway.events(SessionOpened))
    await way.gateway.record(ProbeOrdered(person.id, "per_ada"))
    made = await probed(way.gateway, person, 5, ProbePurpose.ORDERED)
    assert [each.proof for each in made if each.path is ProbePath.POSTGRES].count(ProbedProof.TOKEN) == 2
    assert {(each.proof, each.result) for each in made if each.path is ProbePath.POSTGRES} == {
        (ProbedProof.ACCOUNT, ProbeResult.REFUSED),  # no proof at all
        (ProbedProof.CERTIFICATE, ProbeResult.WOULD_OPEN),
        (ProbedProof.TOKEN, ProbeResult.WOULD_OPEN),
    }
    assert len(way.gateway.events(SessionOpened)) == before
    assert len(way.gateway.platform.live) == 0


def question(path: ProbePath = ProbePath.POSTGRES) -> Probe:
    return Probe(new_id("prb", token_bytes), "per_x", path, ProbedProof.ACCOUNT, ProbePurpose.ORDERED, resource=TARGET)


async def test_a_ticket_serves_once_on_its_path_and_is_asked_of_our_listener_alone(way: Postgres) -> None:
    platform = way.gateway.platform
    tickets, trusted = platform.probes, known_by(platform.config, platform.authorities)

    async def asked(ticket: str, trusted: bytes = trusted) -> bool:
        return await asyncio.to_thread(ask, "127.0.0.1", way.port, trusted, ticket)

    mine = tickets.ticket(question())
    assert await asked(mine)
    assert not await asked(mine)
    assert not await asked(tickets.ticket(question(ProbePath.SSH)))
    made = len(way.gateway.events(ProbeMade))
    for wrong in ("x", "x" * 43, "x" * 42, "x" * 4000):
        assert not await asked(wrong)
    assert not await asked(tickets.ticket(question()), pair("localhost").certificate), "somebody else listens there"
    assert not await asyncio.to_thread(ask, "127.0.0.1", way.gateway.closed_port, trusted, "x" * 43)
    assert len(way.gateway.events(ProbeMade)) == made


async def test_the_probers_name_opens_nothing(way: Postgres) -> None:
    """Neither with a person's token, nor by a certificate, nor by what a guess is."""
    person = await way.gateway.person()
    words = way.words(await way.token(person)).replace(f"user={way.gateway.target.login}@{TARGET}", f"user={PROBER}")
    said = (await outcome(await way.gateway.start("psql", "-X", "-c", "SELECT 1", words))).stderr
    assert "FATAL:  OnePAM: " in said
    assert way.gateway.events(SessionOpened, person) == []


async def test_a_listener_that_cannot_be_asked_is_said_to_be_unanswered(way: Postgres, tmp_path: Path) -> None:
    nowhere = prober_of(way.gateway.platform)
    nowhere._listeners = replace(nowhere._listeners, postgres_port=way.gateway.closed_port)
    person = await way.gateway.person()
    await nowhere._ask([replace(question(), person=person.id)])
    (made,) = way.gateway.events(ProbeMade, person)
    assert (made.path, made.result) == (ProbePath.POSTGRES, ProbeResult.UNANSWERED)
