"""Who is to read a policy, who has, who is reminded; and its versions at any time."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.policies.keep_policy import (
    confirm_policy,
    look_policy_through,
    publish_policy,
    remind_readers,
    retire_policy,
)
from onepam.blobs.document_folder import DocumentFolder
from onepam.domain.access.authority import Actor
from onepam.domain.policies.events import PolicyReminded
from onepam.domain.policies.publishing import MOST_BYTES, MOST_TIMES, REMINDED_EACH, Draft
from onepam.domain.telling.outbox import Channel, Occurrence, ReceiverSet
from onepam.jobs.policies import PolicyReminders
from onepam.kernel.clock import DAY, MINUTE, Instant
from onepam.kernel.errors import Corrupt, Refused
from onepam.store.engine.entries import entries
from onepam.store.facts import policies as facts
from onepam.store.read.outbox import to_tell
from onepam.store.read.policies import is_anybody_due, missing, policies, policy, versions
from onepam.store.read.telling import plan
from tests.company import Company, record

pytestmark = pytest.mark.anyio

PEOPLE = ["Ada Example", "Aud Example", "Bob Example", "Eve Example", "Max Example", "Vic Example"]


class Kept:
    """A company, its documents, and a draft of a policy for everybody."""

    def __init__(self, company: Company, folder: Path) -> None:
        self.company = company
        self.folder = folder
        self.documents = DocumentFolder(folder, MOST_BYTES, secrets.token_bytes)
        self.draft = Draft(
            "access", "Access control", "md", "", 0, "max", Instant(company.clock.now + 90 * DAY), (), "first"
        )

    def actor(self, who: str) -> Actor:
        return self.company.actor(who)

    async def publish(self, document: bytes, **changes: object) -> int | Refused:
        draft = replace(self.draft, **changes)  # type: ignore[arg-type]
        return await publish_policy(self.company.ledger, self.documents, self.actor("ada"), draft, document)

    async def missing(self) -> list[str]:
        return [each.name for each in await self.company.reader(missing, None, "access")]


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    company = await Company.create(tmp_path)
    yield Kept(company, tmp_path / "policies")
    company.close()


async def test_a_version_is_kept_with_its_digest_and_who_confirmed_it(kept: Kept) -> None:
    company = kept.company
    assert await kept.publish(b"# One") == 1
    assert await kept.missing() == PEOPLE
    then = company.clock.now
    (row,) = await company.reader(policies, None, "eve")
    assert (row.version, row.asked, row.done, row.mine, row.confirmed) == (1, 6, 0, True, None)
    assert await confirm_policy(company.ledger, kept.actor("eve"), "access", row.digest) is None
    assert "Eve Example" not in await kept.missing()
    assert await kept.publish(b"# Two") == 2
    assert await kept.missing() == PEOPLE, "another version is read anew"
    found = await company.reader(versions, None, "access")
    assert [each.version for each in found] == [2, 1]
    assert [kept.documents.read(each.digest) for each in found] == [b"# Two", b"# One"]
    past = await company.reader(policy, then, "access", "eve")
    assert past is not None
    assert (past.version, past.done) == (1, 0)
    assert await look_policy_through(company.ledger, kept.actor("max"), "access", kept.draft.review_by, "") is None
    assert [each.version for each in await company.reader(versions, None, "access")] == [2, 1]
    assert await retire_policy(company.ledger, kept.actor("ada"), "access", "enough") is None
    assert await company.reader(policies, None, "eve") == ()
    assert [each.version for each in await company.reader(versions, None, "access")] == [2, 1]
    assert await kept.publish(b"# One") == 3, "a number is given once"


async def test_whoever_holds_a_role_is_to_read_it_directly_or_by_a_group_and_nobody_else(kept: Kept) -> None:
    assert await kept.publish(b"x", readers=("engineer", "manager")) == 1
    assert await kept.missing() == ["Eve Example", "Max Example"]
    (row,) = await kept.company.reader(policies, None, "ada")
    assert not row.mine


async def test_nobody_who_may_not_publish_leaves_a_document(kept: Kept) -> None:
    refused = await publish_policy(kept.company.ledger, kept.documents, kept.actor("eve"), kept.draft, b"x")
    assert isinstance(refused, Refused)
    assert not kept.folder.exists()
    for document in (b"", b"x" * (MOST_BYTES + 1)):
        refused = await kept.publish(document)
        assert isinstance(refused, Refused)
        assert refused.code == "policy.size"


async def test_a_document_that_was_altered_is_not_read_and_is_mended_by_the_right_one(kept: Kept) -> None:
    assert await kept.publish(b"right") == 1
    (file,) = kept.folder.iterdir()
    assert file.stat().st_mode & 0o077 == 0
    file.write_bytes(b"wrong")
    with pytest.raises(Corrupt, match="was altered"):
        kept.documents.read(file.name)
    kept.documents.keep(file.name, b"right")
    kept.documents.keep(file.name, b"right")
    assert kept.documents.read(file.name) == b"right"


async def test_everybody_is_reminded_until_they_confirm_four_times_at_most(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = kept.company
    monkeypatch.setattr(facts, "AT_ONCE", 4)
    await record(company.ledger, ReceiverSet("mail", Channel.MAIL))
    job = PolicyReminders(company.ledger, company.reader)
    assert job.job().name == "policies"
    await job.turn()
    assert await remind_readers(company.ledger) == 0
    assert await kept.publish(b"x") == 1
    assert await company.reader(is_anybody_due)
    await job.turn()
    found, _ = await company.reader(to_tell, None, 0)
    told = [each.occurrence for each in found if each.receiver == "mail:eve"]
    assert [each.sentence for each in told] == ["Version 1 of the policy access waits for you to read and confirm it."]
    assert not await over(company, told)
    (row,) = await company.reader(policies, None, "eve")
    assert await confirm_policy(company.ledger, kept.actor("eve"), "access", row.digest) is None
    assert await over(company, told)
    for _ in range(MOST_TIMES + 2):
        company.clock.advance(REMINDED_EACH + MINUTE)
        await job.turn()
    times = {each.name: each.times for each in await company.reader(missing, None, "access")}
    assert times == dict.fromkeys((each for each in PEOPLE if each != "Eve Example"), MOST_TIMES)
    assert PolicyReminded("access", 1, "eve", 2) not in await events(company)


async def over(company: Company, told: list[Occurrence]) -> bool:
    return bool((await company.reader(plan, None, "mail:eve", told)).dropped)


async def events(company: Company) -> list[object]:
    return [each.event for each in await company.reader(lambda db, at: entries(db, 0, 1 << 53))]
