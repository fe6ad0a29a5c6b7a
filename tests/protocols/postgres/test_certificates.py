"""A certificate at the door of databases: the stock client by a service that `onepam login` writes, and who is refused.

What a certificate opens, and what the proof behind it must be, is asked by the tables of the one door
(tests/app/test_open_session.py, tests/app/test_second_factor.py)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from onepam.boot.clock import wall_clock
from onepam.cli import database_files
from onepam.cli.home import Home
from onepam.domain.people.events import PersonDisabled
from onepam.domain.sessions.events import EntryPoint, SessionOpened, SessionRefused
from onepam.domain.signing_in.events import SignedOut
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.vault.database_clients import ClientCertificate
from tests.gateway_fixture import SECONDS, Done, Gateway, Person, outcome
from tests.protocols.postgres.server import Pair, pair
from tests.protocols.ways import TARGET, Postgres, way_through

pytestmark = pytest.mark.anyio

LOGIN_AGAIN = "Sign in again: onepam login"


@pytest.fixture(scope="module")
async def way(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    async with way_through("postgres", tmp_path_factory.mktemp("gateway")) as running:
        assert isinstance(running, Postgres)
        yield running


class Desk:
    """A person's machine, with what `onepam login` writes there."""

    def __init__(self, way: Postgres, person: Person, home: Home) -> None:
        self.way, self.person, self.home, self.login = way, person, home, way.gateway.target.login

    def signed_in(self, at: Instant | None = None, shown: Pair | None = None) -> "Desk":
        """With a certificate that is issued `at` a moment, or with another's."""
        private, public = database_files.new_key()
        now, authorities = wall_clock(), self.way.gateway.platform.authorities
        made = authorities.database_client(now).issue(public, self.person.sign_in, self.person.id, at or now, HOUR)
        assert isinstance(made, ClientCertificate)
        given: dict[str, Any] = {
            "certificate": shown.certificate.decode() if shown else made.certificate,
            "root": authorities.database(now).root.decode(), "host": "localhost", "port": self.way.port,
        }  # fmt: skip
        private = shown.key.decode() if shown else private
        database_files.write_databases(self.home, private, given, [(self.login, TARGET), ("nobody", TARGET)])
        return self

    async def psql(self, script: str = "SELECT 6 * 7", service: str = "") -> Done:
        words = f"service={service or f'{TARGET}-{self.login}'} hostaddr=127.0.0.1 dbname=postgres"
        command = ("env", f"PGSERVICEFILE={self.home.services}", "psql", "-X", "-A", "-t", words, "-c", script)
        return await outcome(await self.way.gateway.start(*command))


async def desk(way: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("ONEPAM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "none"))
    return Desk(way, await way.gateway.person(certificate=False), Home())


@pytest.fixture
async def mine(way: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return await desk(way, tmp_path, monkeypatch)


def refusals(gateway: Gateway, person: Person) -> list[tuple[EntryPoint, str]]:
    return [(each.entry, each.code) for each in gateway.events(SessionRefused, person)]


async def asleep(way: Postgres) -> None:
    """Until a statement sleeps at the server."""
    asked = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%asleep%' AND wait_event = 'PgSleep'"
    async with asyncio.timeout(SECONDS):
        while not await asyncio.to_thread(way.server.sql, asked):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_service_just_works(way: Postgres, mine: Desk) -> None:
    done = await mine.signed_in().psql()
    assert (done.stdout, done.stderr) == (b"42\n", "")
    (opened,) = way.gateway.events(SessionOpened, mine.person)
    assert (opened.entry, opened.mfa.session) == (EntryPoint.POSTGRES_CERTIFICATE, mine.person.sign_in)


async def test_what_the_roles_do_not_give_is_refused(way: Postgres, mine: Desk) -> None:
    denied = await mine.signed_in().psql(service=f"{TARGET}-nobody")
    assert "FATAL:  OnePAM: " in denied.stderr
    assert [entry for entry, _ in refusals(way.gateway, mine.person)] == [EntryPoint.POSTGRES_CERTIFICATE]


async def test_it_ends_with_the_sign_in(way: Postgres, mine: Desk) -> None:
    mine.signed_in()
    assert (await mine.psql()).stdout == b"42\n"
    await way.gateway.record(SignedOut(mine.person.sign_in, mine.person.id, "signed out", mine.person.id))
    assert "The sign-in behind this certificate has ended." in (await mine.psql()).stderr
    assert refusals(way.gateway, mine.person) == [(EntryPoint.POSTGRES_CERTIFICATE, "sign_in.ended")]


async def test_a_leavers_is_refused_and_what_runs_by_it_ends(way: Postgres, mine: Desk) -> None:
    mine.signed_in()
    sleeping = asyncio.create_task(mine.psql("SELECT 'asleep', pg_sleep(600)"))
    await asleep(way)
    await way.gateway.record(PersonDisabled(mine.person.id, "per_ada", "left"))
    assert "FATAL:  OnePAM" in (await sleeping).stderr
    assert "FATAL:  OnePAM: " in (await mine.psql()).stderr
    assert refusals(way.gateway, mine.person) == [(EntryPoint.POSTGRES_CERTIFICATE, "person.disabled")]


async def test_an_expired_one_is_told_so_in_words(way: Postgres, mine: Desk) -> None:
    """TLS alone would say "certificate expired", and whose it was nobody would know."""
    said = (await mine.signed_in(Instant(wall_clock() - DAY)).psql()).stderr
    assert "OnePAM: This certificate has expired." in said
    assert LOGIN_AGAIN in said
    assert refusals(way.gateway, mine.person) == [(EntryPoint.POSTGRES_CERTIFICATE, "certificate.expired")]


async def test_of_another_authority_or_of_our_listener_none_is_taken(
    way: Postgres, mine: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    now = wall_clock()
    shown = way.gateway.platform.authorities.database(now).issue(("localhost",), now)
    others = (pair("localhost"), way.server.shown, Pair(shown.certificate, shown.key.reveal()))
    for each in others:
        said = (await mine.signed_in(shown=each).psql()).stderr
        assert "unknown ca" in said
    assert caplog.text.count("a certificate from 127.0.0.1 is refused") == len(others)
    assert refusals(way.gateway, mine.person) == [], "whose they are nobody knows"
    assert way.gateway.events(SessionOpened, mine.person) == []


async def test_nobody_comes_by_a_certificate_without_its_key(way: Postgres, mine: Desk) -> None:
    mine.signed_in()
    mine.home.write(mine.home.database_key, database_files.new_key()[0])
    assert "key values mismatch" in (await mine.psql()).stderr
