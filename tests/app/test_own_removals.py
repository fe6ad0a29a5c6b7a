"""Who could decide before somebody's own removals: nobody becomes the only administrator by their own hand."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from onepam.app.signing_in.enrol import open_enrolment
from onepam.domain.access.events import BindingEnded, RoleSet
from onepam.domain.access.model import ConsoleRight
from onepam.domain.people.events import PersonChanged, PersonDisabled
from onepam.domain.signing_in.enrolling import OWN_REMOVALS
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind, FactorRemoved
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from onepam.store.facts import removals
from tests.company import Company, binding, record, role_set

GONE = Instant(1)
REMOVALS: dict[str, Callable[[str | None], object]] = {
    "binding": lambda by: BindingEnded("bnd_bob_administrator", "no longer", "chg_2", by),
    "account": lambda by: PersonDisabled("bob", by, "left"),
    "end": lambda by: PersonChanged("bob", by, None, None, GONE, "Bob", "bob@example.com"),
    "factor": lambda by: FactorRemoved("fac_bob", "bob", "lost", by),
    "role": lambda by: RoleSet("administrator", "v2", "work", "ada", (), (), "chg_2", by),
}


async def wants_a_link(company: Company, for_whom: str = "max") -> Instant | None:
    """When ada may make the link alone; None where somebody else must decide."""
    await company.sign_in("ada")
    enrolment, digest = company.new("enr"), f"{company.new('dig'):0>64}"
    opened = await open_enrolment(company.ledger, company.actor("ada"), for_whom, enrolment, digest, "lost it")
    assert not isinstance(opened, Refused), opened
    assert opened.expires is None
    return opened.alone


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Company]:
    """Ada and bob administer, and max approves; each has a passkey."""
    company = await Company.create(tmp_path)
    known = [
        FactorEnrolled(f"fac_{who}", who, FactorKind.PASSKEY, "v1", None, None, reference=f"ref_{who}")
        for who in ("ada", "bob", "max")
    ]
    await record(company.ledger, *known, binding("ada", "keeper"), role_set("keeper", (), (ConsoleRight.ADMINISTER,)))
    yield company
    company.close()


@pytest.mark.anyio
@pytest.mark.parametrize("how", list(REMOVALS))
@pytest.mark.parametrize("by", ["ada", None])
async def test_whoever_took_the_others_right_is_not_alone_for_a_month(two: Company, how: str, by: str | None) -> None:
    """A company that became small by other hands is small at once."""
    await record(two.ledger, REMOVALS[how](by))
    assert (await wants_a_link(two) is None) is (by == "ada")


@pytest.mark.anyio
async def test_after_a_month_or_when_the_other_is_back_it_counts_no_more(two: Company) -> None:
    await record(two.ledger, REMOVALS["account"]("ada"))
    two.clock.advance(OWN_REMOVALS + DAY)
    assert await wants_a_link(two) is not None


@pytest.mark.anyio
async def test_deeds_that_hide_a_removal_hide_none(two: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removals, "MOST", 2)
    await record(two.ledger, REMOVALS["binding"]("ada"))
    for number in range(5):
        await record(two.ledger, PersonChanged("eve", "ada", None, None, None, f"Eve {number}", "eve@example.com"))
    assert await wants_a_link(two) is None
