"""Locks on a real ledger: what they close, who lifts them, and that none is set twice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.open_session import Opened
from onepam.app.sessions.lock_access import lift_lock, lock_access
from onepam.app.signing_in.enrol import enrol, open_enrolment
from onepam.domain.access.locking import LockScope
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.kernel.clock import HOUR
from onepam.kernel.errors import Refused
from onepam.store.read.alarms import alarms
from onepam.store.read.locks import locks
from tests.company import Company, binding, record, refused

pytestmark = pytest.mark.anyio

HAND = "0" * 64
"""The digest of the link that ada makes for cyd."""


def passkey(company: Company, person: str) -> FactorEnrolled:
    reference = company.new("ref")
    return FactorEnrolled(company.new("fac"), person, FactorKind.PASSKEY, "", None, None, reference=reference)


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    """Of its administrators, ada and bob could sign in; cyd could as well, by a link of ada's."""
    company = await Company.create(tmp_path)
    await company.join("cyd")
    await record(company.ledger, *(passkey(company, each) for each in ("ada", "bob")))
    opened = await open_enrolment(company.ledger, company.actor("ada"), "cyd", company.new("enr"), HAND, "new")
    assert not isinstance(opened, Refused)
    assert await enrol(company.ledger, HAND, (passkey(company, "cyd"),)) is None
    await record(company.ledger, binding("cyd", "administrator"))
    for each in ("ada", "bob", "cyd"):
        await company.sign_in(each)
    yield company
    company.close()


async def lock(company: Company, by: str, scope: LockScope, about: str = "") -> str | Refused:
    return await lock_access(company.ledger, company.actor(by), company.new("lck"), scope, about, "odd commands")


async def lift(company: Company, by: str, name: str | Refused) -> Refused | None:
    assert isinstance(name, str)
    return await lift_lock(company.ledger, company.actor(by), name)


@pytest.mark.parametrize(
    ("scope", "about", "another"),
    [(LockScope.PERSON, "eve", "max"), (LockScope.RESOURCE, "dev-1", "web-1"), (LockScope.EVERYTHING, "", None)],
)
async def test_nothing_opens_until_every_lock_on_it_is_lifted(
    company: Company, scope: LockScope, about: str, another: str | None
) -> None:
    if another is not None:
        assert isinstance(await lock(company, "ada", scope, another), str)
        assert isinstance(await company.open("eve", "dev-1", "app"), Opened)
    first = await lock(company, "ada", scope, about)
    refused(await lock(company, "ada", scope, about), "lock.stands")
    second = await lock(company, "bob", scope, about)
    refused(await company.open("eve", "dev-1", "app"), "access.locked")
    assert await lift(company, "bob", first) is None
    refused(await lift(company, "bob", first), "lock.unknown")
    refused(await company.open("eve", "dev-1", "app"), "access.locked")
    assert await lift(company, "ada", second) is None
    assert isinstance(await company.open("eve", "dev-1", "app"), Opened)
    assert isinstance(await lock(company, "ada", scope, about), str)
    refused(await company.open("eve", "dev-1", "app"), "access.locked")


async def test_what_is_not_there_is_not_locked_and_only_some_lock(company: Company) -> None:
    refused(await lock(company, "ada", LockScope.PERSON, "dev-1"), "lock.target.unknown")
    refused(await lock(company, "ada", LockScope.RESOURCE, "eve"), "lock.target.unknown")
    refused(await lock(company, "eve", LockScope.EVERYTHING), "right.missing")
    assert await company.reader(locks) == ()


async def test_neither_side_of_a_lock_lifts_it_nor_who_may_be_one_hand_with_it(company: Company) -> None:
    on_ada = await lock(company, "bob", LockScope.PERSON, "ada")
    for who in ("ada", "cyd"):
        refused(await lift(company, who, on_ada), "lock.self_approval")
    assert await lift(company, "bob", on_ada) is None  # cyd, whom ada made a link for, is no other
    hers = await lock(company, "ada", LockScope.PERSON, "eve")
    refused(await lift(company, "ada", hers), "lock.self_approval")
    refused(await lift(company, "cyd", hers), "lock.self_approval")
    company.clock.advance(HOUR)
    refused(await lift(company, "bob", hers), "factor.stale")
    await company.sign_in("bob")
    assert await lift(company, "bob", hers) is None


async def test_where_nobody_else_administers_whoever_is_left_lifts_it(company: Company) -> None:
    await company.unbind("bob", "administrator")
    hers = await lock(company, "ada", LockScope.EVERYTHING)
    assert await lift(company, "cyd", hers) is None
    await company.unbind("cyd", "administrator")
    hers = await lock(company, "ada", LockScope.PERSON, "ada")
    [found] = await company.reader(locks)
    [alarm] = [each for each in await company.reader(alarms) if each.kind == "locks"]
    assert alarm.sentence == "Locked: Ada Example. No session opens there."
    assert (found.lock, found.person, found.person_name, found.by) == (hers, "ada", "Ada Example", "ada")
    assert await lift(company, "ada", hers) is None
    assert await company.reader(locks) == ()
    assert "locks" not in {each.kind for each in await company.reader(alarms)}
