"""Confirming a terminal on a resource that asks for a factor of its own: one that served a session sends to step up."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.domain.access import MfaRule
from onepam.domain.sessions import ConfirmationAsked, ConfirmationGiven
from onepam.domain.sign_in import FactorKind, SteppedUp
from onepam.identity.tokens import code_digest
from onepam.kernel.clock import MINUTE, Instant
from onepam.store.entries import entries
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
