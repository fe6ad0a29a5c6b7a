"""An administrator's word on what a directory did: kept, ended, agreed to, and told on every page until then."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.domain.leaving.brake import DirectoryHeld, DirectoryLeaverReported, DirectoryPersonHeld, HoldReason
from onepam.domain.provisioning.events import ScimUserSet
from onepam.kernel.clock import HOUR, Instant
from onepam.store.read.directory_brake import held_people, own_words
from onepam.store.read.people import person
from tests.company import record
from tests.console.browsing import Office, opened

pytestmark = pytest.mark.anyio


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as office:
        yield office


async def held(office: Office, *people: str, reason: HoldReason = HoldReason.MANY) -> None:
    due = Instant(office.company.clock() + 12 * HOUR) if reason is HoldReason.MANY else None
    await record(
        office.company.ledger,
        DirectoryHeld("hld_1", "scim:okta", reason, due),
        *(DirectoryPersonHeld("hld_1", each, "scim:okta", reason, "deactivated", due, None, None) for each in people),
    )


async def test_held_accounts_are_told_on_every_page_and_decided_one_by_one_or_all(office: Office) -> None:
    ada = await office.sign_in("ada")
    assert "wait for your word" not in await ada.read("/resources")
    await held(office, "eve", "vic", "max", "aud")
    assert "4 accounts wait for your word" in await ada.read("/resources")
    assert (await ada.read("/")).count("4 accounts wait for your word") == 1
    page = await ada.read("/provisioning")
    assert "Accounts that wait for your word" in page
    assert "keeps the account, and no right" in page
    assert "1 account kept." in await ada.done("/provisioning/held/eve/keep", reason="she works here")
    assert "1 account ended." in await ada.done("/provisioning/held/vic/end", reason="true")
    assert "2 accounts ended." in await ada.done("/provisioning/holds/hld_1/end", reason="true")
    assert office.company.reader.now(held_people) == ()
    states = {each: office.company.reader.now(person, None, each) for each in ("eve", "vic", "max", "aud")}
    assert {each: found.row.enabled for each, found in states.items() if found is not None} == {
        "eve": True,
        "vic": False,
        "max": False,
        "aud": False,
    }
    assert "wait for your word" not in await ada.read("/resources")
    assert (await ada.post("/provisioning/held/eve/keep", reason="again")).status_code == 404


async def test_a_word_on_oneself_is_a_finding_on_the_page(office: Office) -> None:
    bob = await office.sign_in("bob")
    await held(office, "bob", reason=HoldReason.LAST_ADMINISTRATOR)
    assert "keeps the console, and nothing else" in await bob.read("/provisioning")
    assert "Nobody ends themselves" in await bob.refused("/provisioning/held/bob/end", reason="I go")
    page = await bob.done("/provisioning/held/bob/keep", reason="I am here")
    assert "Decided on themselves" in page
    assert [each.person for each in office.company.reader.now(own_words)] == ["bob"]


async def test_a_reported_leaver_is_told_until_somebody_decides(office: Office) -> None:
    ada = await office.sign_in("ada")
    now = office.company.clock()
    await record(
        office.company.ledger,
        *(
            DirectoryLeaverReported(each, "scim:okta", f"usr_{each}", "deleted in the directory", now)
            for each in ("eve", "vic", "ada")
        ),
    )
    assert "3 people have left, a directory says, and still work here" in await ada.read("/")
    assert "3 people have left" in await ada.read("/resources")
    page = await ada.read("/provisioning")
    assert "whose people have left" in page
    assert "scim:okta: deleted in the directory" in page
    assert "1 account kept." in await ada.done("/provisioning/held/eve/keep", reason="she works here")
    assert "1 account ended." in await ada.done("/provisioning/held/vic/end", reason="true")
    assert "Nobody answers a report on themselves" in await ada.refused("/provisioning/held/ada/keep", reason="me")
    assert "One person has left" in await ada.read("/resources")
    states = {each: office.company.reader.now(person, None, each) for each in ("eve", "vic", "ada")}
    assert [found.row.enabled for found in states.values() if found is not None] == [True, False, True]
    bob = await office.sign_in("bob")
    assert "1 account kept." in await bob.done("/provisioning/held/ada/keep", reason="she works here")
    assert "a directory says" not in await bob.read("/resources")


async def test_a_directory_leads_an_account_made_by_hand_after_a_yes(office: Office) -> None:
    waits = ScimUserSet("usr_1", "okta", None, True, 1, "takeover", "stk_1", "eve", "", "{}", "eve")
    await record(office.company.ledger, waits)
    ada, eve = await office.sign_in("ada"), await office.sign_in("eve")
    assert "Let this directory lead the account of Eve Example?" in await ada.read("/provisioning")
    assert (await eve.post("/provisioning/users/usr_1/agree")).status_code == 403
    page = await ada.read("/provisioning")
    assert 'name="person" value="eve"' in page
    assert 'name="version" value="1"' in page
    # The directory gives its user another address while the page is being read.
    await record(office.company.ledger, replace(waits, version=2, user_name="bob", waits_for="bob"))
    for seen in ({"person": "eve", "version": "1"}, {"person": "eve", "version": "2"}, {}):
        assert "has changed meanwhile" in await ada.refused("/provisioning/users/usr_1/agree", **seen)
    await record(office.company.ledger, replace(waits, version=3))
    seen = {"person": "eve", "version": "3"}
    assert "leads this account from now on" in await ada.done("/provisioning/users/usr_1/agree", **seen)
    assert (await ada.post("/provisioning/users/usr_1/agree", **seen)).status_code == 404
