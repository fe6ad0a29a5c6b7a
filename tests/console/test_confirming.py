"""Confirming a terminal on a resource that asks for a factor of its own: one that served a session sends to step up."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.domain.access.model import MfaRule
from onepam.domain.sessions.events import ConfirmationAsked, ConfirmationGiven
from onepam.domain.signing_in.events import FactorKind, SteppedUp
from onepam.identity.tokens import code_digest
from onepam.kernel.clock import MINUTE, Instant
from onepam.store.engine.entries import entries
from onepam.store.read.confirmations import waiting_confirmations
from tests.company import record, resource_set
from tests.console.browsing import Office, opened

pytestmark = pytest.mark.anyio

CODE = "BCDF-GHJK"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as office:
        rule = replace(resource_set("dev-1", {"env": "dev", "app": "web"}), mfa=MfaRule(fresh=True))
        await record(office.company.ledger, rule)
        yield office


async def asked(office: Office, name: str) -> str:
    """A terminal that shows `CODE` and waits for eve."""
    digest, now = code_digest(CODE), office.company.clock()
    assert digest is not None
    ends = Instant(now + 2 * MINUTE)
    await record(office.company.ledger, ConfirmationAsked(name, "eve", "dev-1", "app", ends, digest.hex(), "192.0.2.1"))
    return f"/confirm/{name}"


async def test_a_factor_that_served_a_session_is_shown_anew(office: Office) -> None:
    eve = await office.sign_in("eve")
    first = await asked(office, "cnf_1")
    assert "dev-1" in await eve.read(first)
    await office.session("eve", "dev-1", "app")  # the fresh factor has served
    answer = await eve.post(first, code=CODE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/step-up?next=/confirm/cnf_1")
    await record(office.company.ledger, SteppedUp("sgn_eve", "eve", FactorKind.TOTP, office.company.clock()))
    assert (await eve.post(first, code=CODE)).status_code == 200
    given = await office.company.reader(
        lambda db, at: [each.event for each in entries(db, 0, 1_000) if isinstance(each.event, ConfirmationGiven)]
    )
    assert [each.confirmation for each in given] == ["cnf_1"]
    await eve.close()


async def test_the_home_page_shows_what_waits_to_its_person_alone_and_until_it_is_answered(office: Office) -> None:
    eve, max_ = await office.sign_in("eve"), await office.sign_in("max")
    assert "/confirm/" not in await eve.read("/")
    where = await asked(office, "cnf_1")
    shown = await eve.read("/")
    assert f'href="{where}"' in shown
    assert "A terminal at 192.0.2.1 waits for you to confirm app@dev-1" in shown
    assert "/confirm/" not in await max_.read("/")
    assert CODE not in shown  # whoever reads the page must still see the terminal
    await eve.post(f"{where}/refuse")
    assert "/confirm/" not in await eve.read("/")
    await eve.close()
    await max_.close()


async def test_what_has_lapsed_waits_no_longer(office: Office) -> None:
    eve = await office.sign_in("eve")
    await asked(office, "cnf_1")
    [kept] = await office.company.reader(lambda db, at: waiting_confirmations(db, at, "eve"))
    lapsed = kept.expires
    waits = await office.company.reader(lambda db, at: waiting_confirmations(db, Instant(lapsed - 1), "eve"))
    assert [each.confirmation for each in waits] == ["cnf_1"]
    assert not await office.company.reader(lambda db, at: waiting_confirmations(db, lapsed, "eve"))
    await eve.close()
