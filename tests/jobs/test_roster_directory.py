"""The roster taken from a real directory: what it says is so, and what cannot be read changes nothing."""

from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from onepam.app.roster.take_roster import release_roster, set_roster_source
from onepam.domain.people.adding import PersonFacts
from onepam.domain.roster.events import SOURCE_SECRET, RosterSourceSet, Standing
from onepam.egress.fetch import Fetch
from onepam.egress.ldap.client import Directory
from onepam.jobs.roster import RosterJob
from onepam.kernel.clock import HOUR, Instant, parse
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.store.db import rows
from onepam.store.engine.rebuild import compare
from onepam.store.facts.people import person_facts
from onepam.store.read.staff import RosterHealth, entries, health
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.company import Company, Counted
from tests.slapd import PASSWORD, PEOPLE, READER, Slapd, running_slapd, somebody

pytestmark = pytest.mark.anyio

SETTINGS = {
    "base": PEOPLE,
    "transport": "ldaps",
    "bind_dn": READER,
    "type": "employeeType",
    "vendors": "contractor",
    "employees": "permanent",
    "starts": "firstDay",
    "ends": "lastDay",
    "sponsor": "sponsor",
}


def dn(uid: str) -> str:
    return f"uid={uid},{PEOPLE}"


STAFF = {
    "ada": somebody("ada", "1", "employeeType: permanent"),
    "bob": somebody("bob", "2", "employeeType: permanent", f"manager: {dn('ada')}"),
    "max": somebody("max", "3", "employeeType: permanent", f"manager: {dn('ada')}"),
    "eve": somebody("eve", "4", "employeeType: permanent", f"manager: UID=Max, OU=People,{PEOPLE.partition(',')[2]}"),
    "aud": somebody("aud", "5", "employeeType: permanent", f"manager: {dn('ada')}"),
    "vic": somebody(
        "vic",
        "6",
        "employeeType: contractor",
        f"sponsor: {dn('max')}",
        "firstDay: 20260101000000Z",
        "lastDay: 20260531100000Z",
    ),
}


@dataclass
class Pulled:
    """A company whose roster is the directory's."""

    company: Company
    slapd: Slapd
    job: RosterJob
    envelope: Envelope

    async def source(self, url: str = "", password: str = PASSWORD, **changed: str) -> Refused | None:
        sealed = b64encode(self.envelope.seal(Secret(password.encode()), SOURCE_SECRET)).decode()
        event = RosterSourceSet(
            "127.0.0.1", HOUR, "ada", url or self.slapd.tls_url, None, sealed, {**SETTINGS, **changed}
        )
        return await set_roster_source(self.company.ledger, self.company.actor("ada"), event)

    async def pull(self, later: int = 0) -> RosterHealth:
        """At once where it is the first pull of a source, else an interval later."""
        self.company.clock.advance(later)
        await self.job.turn()
        return await self.company.reader(health)

    async def person(self, who: str) -> PersonFacts:
        found = await self.company.reader(lambda db, at: person_facts(db, who, at))
        assert found is not None
        return found


@pytest.fixture
async def pulled(tmp_path: Path) -> AsyncIterator[Pulled]:
    company = await Company.create(tmp_path)
    envelope = Envelope(FileKeys.create(tmp_path / "keys.json", Counted()), Counted())
    with running_slapd(tmp_path / "slapd", STAFF.values()) as slapd:
        fetch, directory = Fetch(slapd.egress), Directory(slapd.egress, slapd.ca_file)
        job = RosterJob(company.ledger, company.reader, fetch, envelope, company.clock, directory)
        found = Pulled(company, slapd, job, envelope)
        assert await found.source() is None
        yield found
        await fetch.aclose()
    company.close()
    assert compare(company.path) == []


async def test_people_are_what_the_directory_says(pulled: Pulled) -> None:
    found = await pulled.pull()
    assert found.trouble == ()
    assert found.taken is not None
    assert (found.taken.rows, found.taken.added, found.taken.source) == (6, 6, "127.0.0.1")
    people = {each.person: each for each in await pulled.company.reader(entries)}
    assert people.keys() == STAFF.keys()
    assert people["eve"].manager == "Max Example"
    assert (people["vic"].sponsor, people["vic"].ends) == ("Max Example", parse("2026-05-31T10:00:00Z"))

    digest = found.taken.digest
    assert (await pulled.pull(HOUR)).taken.digest == digest  # type: ignore[union-attr]


async def test_a_last_day_that_is_over_ends_all_access(pulled: Pulled) -> None:
    await pulled.pull()
    pulled.slapd.modify(f"dn: {dn('eve')}\nchangetype: modify\nadd: lastDay\nlastDay: 20260301170000Z\n")
    await pulled.pull(HOUR)
    assert not (await pulled.person("eve")).enabled
    assert (await pulled.person("max")).enabled
    left: Instant = await pulled.company.reader(
        lambda db, at: rows(db, "SELECT left_at FROM leaver WHERE person = 'eve'")[0][0]
    )
    assert left == parse("2026-03-01T17:00:00Z")


async def test_who_is_no_longer_in_the_directory_has_left(pulled: Pulled) -> None:
    await pulled.pull()
    pulled.slapd.modify(f"dn: {dn('vic')}\nchangetype: delete\n")
    found = await pulled.pull(HOUR)
    assert found.taken is not None
    assert (found.taken.rows, found.taken.ended) == (5, 1)
    assert not (await pulled.person("vic")).enabled


async def test_a_circle_of_managers_changes_nothing_and_is_named(pulled: Pulled) -> None:
    await pulled.pull()
    pulled.slapd.modify(f"dn: {dn('ada')}\nchangetype: modify\nadd: manager\nmanager: {dn('eve')}\n")
    pulled.slapd.modify(f"dn: {dn('vic')}\nchangetype: modify\nadd: mail\nmail: vic@other.example\n")
    found = await pulled.pull(HOUR)
    assert f"{dn('vic')}: mail: it has 2 values; one is read." in found.trouble
    assert any("a circle of managers: 1 \u2192 4 \u2192 3 \u2192 1" in each for each in found.trouble)
    assert (await pulled.person("vic")).enabled


async def test_the_brake_holds_what_a_narrow_filter_would_remove_until_it_is_released(pulled: Pulled) -> None:
    await pulled.pull()
    assert await pulled.source(filter="(|(uid=ada)(uid=max))") is None
    found = await pulled.pull()
    assert found.held is not None
    assert found.held.standing is Standing.HELD
    for who in STAFF:
        assert (await pulled.person(who)).enabled
    actor = pulled.company.actor("ada")
    assert await release_roster(pulled.company.ledger, actor, "f" * 64) is not None
    assert await release_roster(pulled.company.ledger, actor, found.held.digest) is None
    found = await pulled.pull(HOUR)
    assert found.taken is not None
    assert found.taken.rows == 2, "the same entries are the same digest"
    assert not (await pulled.person("eve")).enabled


@pytest.mark.parametrize("why", ["password", "down", "account", "secret", "settings"])
async def test_what_cannot_be_read_changes_nothing(pulled: Pulled, why: str) -> None:
    await pulled.pull()
    expected = {
        "password": "127.0.0.1 does not let the account in: account or password is wrong.",
        "down": "127.0.0.1 is down, or broke off the connection.",
        "account": "An account needs a password, and a password an account.",
        "secret": "The source's secret cannot be opened.",
        "settings": "'colour' is no setting of a directory.",
    }[why]
    if why == "password":
        assert await pulled.source(password="wrong") is None
    elif why == "down":
        pulled.slapd.process.terminate()
        pulled.slapd.process.wait(30)
    elif why == "account":
        assert await pulled.source(bind_dn="") is None
    elif why == "secret":
        event = RosterSourceSet("127.0.0.1", HOUR, "ada", pulled.slapd.tls_url, None, "c2VhbGVk", SETTINGS)
        assert await set_roster_source(pulled.company.ledger, pulled.company.actor("ada"), event) is None
    else:
        refused = await pulled.source(colour="red")
        assert isinstance(refused, Refused)
        assert refused.message == expected
        return
    found = await pulled.pull(HOUR if why == "down" else 0)
    assert found.trouble == (expected,)
    assert found.taken is not None
    for who in STAFF:
        assert (await pulled.person(who)).enabled
