"""Confirming on a real ledger: asked, given once, by the right person only."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.sessions.confirm import ask_confirmation, give_confirmation
from onepam.domain.sessions.confirmation import LIFETIME, Ask
from onepam.kernel.clock import MINUTE
from onepam.kernel.errors import Refused
from tests.company import Company, refused

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()


async def asked(company: Company, name: str = "cnf_1", person: str = "eve") -> None:
    expires = await ask_confirmation(company.ledger, Ask(name, person, "dev-1", "app", "192.0.2.1", "c0de"))
    assert not isinstance(expires, Refused)
    assert expires > company.clock.now


async def give(company: Company, name: str = "cnf_1", person: str = "eve", digest: str = "c0de") -> Refused | None:
    return await give_confirmation(company.ledger, company.actor(person), name, digest)


async def test_given_once(company: Company) -> None:
    await asked(company)
    assert await give(company) is None
    refused(await give(company), "confirmation.gone")


async def test_a_wrong_code_and_a_wrong_person_end_it(company: Company) -> None:
    await asked(company, "cnf_1")
    refused(await give(company, "cnf_1", digest="0ther"), "confirmation.wrong_code")
    refused(await give(company, "cnf_1"), "confirmation.gone")
    await asked(company, "cnf_2")
    refused(await give(company, "cnf_2", person="max"), "confirmation.wrong_person")
    refused(await give(company, "cnf_2"), "confirmation.gone")


async def test_two_minutes_and_no_longer(company: Company) -> None:
    await asked(company)
    company.clock.advance(LIFETIME)
    refused(await give(company), "confirmation.gone")


async def test_an_old_factor_is_shown_again(company: Company) -> None:
    company.clock.advance(6 * MINUTE)
    await asked(company)
    refused(await give(company), "confirmation.stale_factor")
    await company.sign_in("eve")
    assert await give(company) is None


async def test_nothing_is_asked_for_what_would_not_open(company: Company) -> None:
    for resource, login, code in (
        ("web-1", "app", "access.needs_approval"),
        ("no-such", "app", "resource.unknown"),
        ("dev-1", "root", "access.login"),
    ):
        refused(await ask_confirmation(company.ledger, Ask("cnf_1", "eve", resource, login, "192.0.2.1", "c0de")), code)
    refused(await give(company, "cnf_1"), "confirmation.gone")
