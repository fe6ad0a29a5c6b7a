"""Signing in through a provider on the real ledger: what is kept of whom, and what erasing leaves."""

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from onepam.app.federated_sign_in import sign_in_by_provider, sign_out_by_provider
from onepam.domain.federated import NOBODY, Entering, SignedInto, subject_digest
from onepam.domain.federation import Assertion, ProviderKind
from onepam.domain.provider_logout import USED
from onepam.domain.providers import ProviderRule, ProviderSet
from onepam.domain.system import PayloadsErased
from onepam.kernel.clock import FOREVER
from onepam.store.database import connect, rows
from onepam.store.rebuild import compare
from tests.company import Company, record

pytestmark = pytest.mark.anyio

RULE = ProviderRule(attests=("mfa",), domains=("example.com",))
OKTA = ProviderSet("chg_1", "idp_1", ProviderKind.OIDC, "Okta", "{}", RULE, "ada", "bob")


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    await record(company.ledger, OKTA)
    yield company
    company.close()
    assert compare(company.path) == []


def said(company: Company, unique: str, email: str | None = "eve@example.com") -> Assertion:
    """A message about eve, whose subject is her address, as some providers have it."""
    return Assertion("idp_1", "eve@example.com", "eve", email, "Eve", None, ("mfa",), "", company.clock.now, unique)


def entering(number: int) -> Entering:
    return Entering(f"per_{number}", f"idn_{number}", f"enr_{number}", "", f"{number:0>64}", "192.0.2.1", "browser")


def in_bodies(company: Company, text: str) -> int:
    with closing(connect(company.path)) as db:
        return len(rows(db, "SELECT 1 FROM entry WHERE instr(body, ?)", (text.encode(),)))


async def test_an_erased_subject_is_unknown_again(company: Company) -> None:
    first = await sign_in_by_provider(company.ledger, said(company, "n1"), entering(1))
    assert isinstance(first, SignedInto)
    digest = subject_digest("idp_1", "eve@example.com")
    assert in_bodies(company, digest) == 0, "a digest of an address is as good as the address"
    known = await sign_in_by_provider(company.ledger, said(company, "n2", None), entering(2))
    assert isinstance(known, SignedInto)
    with closing(connect(company.path)) as db:
        indexes = tuple(each[0] for each in rows(db, "SELECT idx FROM payload WHERE person = 'eve' ORDER BY idx"))
    await record(company.ledger, PayloadsErased("eve", indexes, "asked for it", "ada"))
    with closing(connect(company.path)) as db:
        kept = rows(db, "SELECT provider, subject_digest, subject, user_name FROM identity WHERE person = 'eve'")
        assert [tuple(each) for each in kept] == [("idp_1", None, None, None)]
    assert await sign_in_by_provider(company.ledger, said(company, "n3", None), entering(3)) == NOBODY


async def test_a_logout_serves_once_whichever_node_it_comes_to(company: Company) -> None:
    """The ledger remembers it: not a process, which another one does not know of."""
    first = await sign_in_by_provider(company.ledger, said(company, "n1"), entering(1))
    assert isinstance(first, SignedInto)
    assert await sign_out_by_provider(company.ledger, "idp_1", "jti-1", (first.session,)) == 1
    again = await sign_in_by_provider(company.ledger, said(company, "n2"), entering(2))
    assert isinstance(again, SignedInto)
    assert await sign_out_by_provider(company.ledger, "idp_1", "jti-1", (again.session,)) == USED
    with closing(connect(company.path)) as db:
        open_now = rows(db, f"SELECT session FROM sign_in WHERE person = 'eve' AND valid_until = {FOREVER}")
    assert again.session in {each[0] for each in open_now}
    assert await sign_out_by_provider(company.ledger, "idp_2", "jti-1", ()) == 0, "another provider's id"
    assert await sign_out_by_provider(company.ledger, "idp_1", "jti-2", (again.session,)) == 1
