"""A gateway whose clock was two hours ahead for a while, and is put right: who can get in, and what has ended."""

import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from onepam.boot.clock import wall_clock
from onepam.domain.history.system import ClockConfirmed, ClockJumped, SystemStarted
from onepam.domain.signing_in.events import EnrolmentOpened, SignedIn
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import HOUR, MINUTE, SECOND, Instant
from tests.gateway_process import Failed, Process, up
from tests.tour.corps import oidc_corp, saml_corp, through_oidc, through_saml
from tests.tour.federated import ADA, Federated
from tests.tour.people import Person
from tests.tour.terminal import ONEPAM, login

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
TWO_HOURS_AHEAD = ("env", f"LD_PRELOAD={FAKETIME}", "FAKETIME=+2h")
DORA, ELI = "per_doradoradoradora", "per_elielielielielie"


@dataclass
class Company:
    """`through` is the way in by the provider."""

    found: Federated
    ports: tuple[int, ...]
    through: Callable[[Person, str], None]

    def link(self, person: str, lasts: int) -> str:
        """An enrolment link made by the gateway's own reckoning of time."""
        token = new_token("enr", secrets.token_bytes)
        digest = token_digest(token).hex()
        ends = Instant(wall_clock() + lasts)
        self.found.record(EnrolmentOpened(f"enr_{digest[:8]}", person, ends, "x", None, digest))
        return f"{self.found.console}/enrol/{token.reveal().decode('ascii')}"

    def up(self, *under: str) -> Process | Failed:
        egress = [*self.found.egress, *(f"127.0.0.1/32:{port}" for port in self.ports)]
        port = int(self.found.console.rpartition(":")[2])
        return up(self.found.folder, under, egress=egress, console_port=port)

    def running(self, *under: str) -> None:
        process = self.up(*under)
        assert isinstance(process, Process), process
        self.found.process = process

    def stop(self) -> None:
        assert self.found.process is not None
        self.found.process.stop()


@contextmanager
def by_oidc(folder: Path) -> Iterator[Company]:
    with oidc_corp(folder) as (found, provider):
        yield Company(found, (provider.port,), through_oidc)


@contextmanager
def by_saml(folder: Path) -> Iterator[Company]:
    with saml_corp(folder) as (found, _):
        yield Company(found, (), through_saml)


@pytest.mark.parametrize("corp", [by_oidc, by_saml], ids=["oidc", "saml"])
def test_two_hours_ahead_and_put_right(
    browser: Browser, corp: Callable[[Path], AbstractContextManager[Company]], tmp_path: Path
) -> None:
    with corp(tmp_path) as company:
        found = company.found
        found.add(DORA, "Dora Built-In")
        found.add(ELI, "Eli Late")
        dora = Person(browser, found.console, "Dora", "dora@example.com")
        dora.enrol_with_app(company.link(DORA, HOUR))
        unused, lasting = company.link(ELI, HOUR), company.link(ELI, 23 * HOUR)
        company.stop()

        company.running(*TWO_HOURS_AHEAD)
        company.stop()
        started = found.events(SystemStarted)
        assert len(started) == 2, "it believed its clock: a start cannot know better"

        refused = company.up()
        assert isinstance(refused, Failed)
        assert "behind the newest entry" in refused.words
        assert "onepam ledger confirm-clock" in refused.words
        (jumped,) = found.events(ClockJumped)
        assert jumped.stops
        assert isinstance(company.up(), Failed)
        assert found.events(ClockJumped) == [jumped], "told once, however often it is started"

        word = [ONEPAM, "ledger", "confirm-clock", "--by", "Ada", "--data", str(found.folder / "data")]
        said = subprocess.run(word, capture_output=True, text=True, check=True).stdout
        assert "is confirmed by Ada as the time of nod_" in said
        (confirmed,) = found.events(ClockConfirmed)
        assert 2 * HOUR - 10 * MINUTE < confirmed.ahead < 2 * HOUR + 10 * SECOND
        company.running()

        ada = Person(browser, found.console, "Ada", "ada@example.com")
        company.through(ada, "ada")
        ada.page.wait_for_url(found.console + "/")
        assert found.events(SignedIn)[-1].person == ADA
        login(ada, found.console, tmp_path)
        done = found.ssh(tmp_path, "at-once")
        assert (done.returncode, done.stdout) == (0, "at-once\n"), done.stderr
        dora.sign_in_with_app(1)

        eli = Person(browser, found.console, "Eli", "eli@example.com")
        eli.page.goto(unused)
        expect(eli.page.get_by_text("This link")).to_be_visible()
        eli.page.goto(lasting)
        expect(eli.page.locator("input[name=again]")).to_be_visible()
        assert (ada.problems, dora.problems) == ([], [])
