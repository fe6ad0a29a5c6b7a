"""Erasing a leaver on the console: proposed on their page, agreed to by another, and what the page says then."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.domain.matrix.events import ChangeApplied, ChangeProposed
from onepam.jobs.erasing import Erasing
from onepam.kernel.clock import DAY, MINUTE
from tests.company import record
from tests.console.browsing import Browser, Office, opened

pytestmark = pytest.mark.anyio

OFFER = 'action="/people/eve/erase"'
WORDS = {"reason": "asked for it, letter of 3 March"}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as office:
        yield office


async def gone(office: Office) -> Browser:
    """Eve left 400 days ago, and an earlier access.yaml had her name; ada looks."""
    texts = ("# for Eve Example, until spring\nbindings: []\n", "bindings: []\n")
    for name, text in zip(("chg_8", "chg_9"), texts, strict=True):
        await record(
            office.company.ledger,
            ChangeProposed(name, name, name, False, None, "changes", text),
            ChangeApplied(name, name, name, None, bootstrap=True),
        )
    await office.company.leaves("eve")
    office.company.clock.advance(400 * DAY)
    return await office.sign_in("ada")


async def test_one_proposes_another_agrees_and_nobody_is_left(office: Office) -> None:
    ada = await gone(office)
    assert OFFER in await ada.read("/people/eve")
    page = await ada.done("/people/eve/erase", **WORDS)
    assert "It waits for another administrator." in page
    assert OFFER not in page
    assert 'value="approve"' not in page, "whoever proposed it does not agree to it"
    bob = await office.sign_in("bob")
    shown = await bob.read("/approvals")
    assert "Erasing what is known of Eve Example" in shown
    assert "person.added 1" in shown, "how much goes, by kind"
    assert "Whole documents that go" in shown
    assert "“# for Eve Example, until spring”" in shown, "and for which of its lines a document goes whole"
    page = await bob.read("/people/eve")
    name = page.partition('action="/approvals/ers_')[2].partition('"')[0]
    assert "being erased" in await bob.approves(f"ers_{name}", back="/people/eve")
    await Erasing(office.company.ledger, office.company.reader, lambda: True).turn()
    page = await bob.read("/people/eve")
    assert "What was known of this person was erased" in page
    assert "erased person eve" in page
    assert "Eve Example" not in page
    assert "eve@example.com" not in await bob.read("/people")
    assert 'action="/people/eve/enable"' not in page


async def test_who_has_not_left_or_not_long_enough_is_not_offered_or_refused(office: Office) -> None:
    ada = await office.sign_in("ada")
    assert OFFER not in await ada.read("/people/eve")
    assert "has not left" in await ada.refused("/people/eve/erase", **WORDS)
    await office.company.leaves("eve")
    assert "is kept for 400 days" in await ada.refused("/people/eve/erase", **WORDS)
    assert "reason" in await ada.refused("/people/eve/erase", reason="")


async def test_it_takes_a_fresh_factor_and_its_proposer_takes_it_back(office: Office) -> None:
    ada = await gone(office)
    office.company.clock.advance(6 * MINUTE)
    stale = await ada.post("/people/eve/erase", **WORDS)
    assert stale.headers["Location"] == "/step-up?next=/people/eve"
    ada = await office.sign_in("ada")
    page = await ada.done("/people/eve/erase", **WORDS)
    name = "ers_" + page.partition('action="/approvals/ers_')[2].partition('"')[0]
    assert "It will not take effect." in await ada.done(f"/approvals/{name}", decision="deny", back="/people/eve")
    assert OFFER in await ada.read("/people/eve")
