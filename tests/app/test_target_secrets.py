"""Secrets of targets on a real ledger: in versions, leased to sessions, and never in clear in what is written."""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.open_session import Opened
from onepam.app.sessions.target_secrets import (
    give_up_secret,
    lease_secret,
    prove_secret,
    remove_secret,
    store_secret,
)
from onepam.domain.sessions.target_secrets import Kept, Leased, SecretStatus, about
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Corrupt, Refused
from onepam.kernel.secret import Secret
from onepam.store.read.target_secrets import dialled, next_version, target_secrets
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.app.test_login_tokens import issued, knock
from tests.company import CERTIFICATE, Company, Counted, refused

pytestmark = pytest.mark.anyio
CANARY = b"correct-horse-battery-staple"


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    await company.databases()
    yield company
    company.close()


@pytest.fixture
def envelope(tmp_path: Path) -> Envelope:
    (tmp_path / "vault").mkdir(mode=0o700)
    FileKeys.create(tmp_path / "vault" / "keys.json", Counted())
    return Envelope(FileKeys(tmp_path / "vault" / "keys.json", Counted()), Counted())


async def kept(company: Company, envelope: Envelope, value: bytes = CANARY) -> Kept:
    await company.sign_in("ada")
    due = await company.reader(next_version, None, "dev-1", "app") or Kept(company.new("sec"), 1)
    made = await store_secret(company.ledger, company.actor("ada"), due, "dev-1", "app", sealed(envelope, due, value))
    assert made == due
    return due


def sealed(envelope: Envelope, as_version: Kept, value: bytes = CANARY) -> str:
    return b64encode(envelope.seal(Secret(value), about(as_version, "dev-1", "app"))).decode()


async def opened(company: Company) -> Opened:
    made = await knock(company, await issued(company))
    assert isinstance(made, Opened), made
    return made


async def leased(company: Company) -> Leased | Refused:
    return await lease_secret(company.ledger, (await opened(company)).session, "dev-1", "app")


async def test_a_new_version_is_in_use_once_the_target_took_it(company: Company, envelope: Envelope) -> None:
    refused(await leased(company), "target.secret")
    first = await kept(company, envelope, b"one")
    assert first.version == 1
    given = await leased(company)  # nothing else is known
    assert isinstance(given, Leased)
    assert given.version == 1
    assert await prove_secret(company.ledger, first) is None
    second = await kept(company, envelope, b"two")
    assert second == Kept(first.secret, 2)
    given = await leased(company)
    assert isinstance(given, Leased)
    assert envelope.open(b64decode(given.sealed), about(first, "dev-1", "app")).reveal() == b"one"
    for kept_as, login in ((first, "root"), (second, "app"), (Kept("sec_other", 1), "app")):
        with pytest.raises(Corrupt):
            envelope.open(b64decode(given.sealed), about(kept_as, "dev-1", login))
    assert await prove_secret(company.ledger, second) is None
    given = await leased(company)
    assert isinstance(given, Leased)
    assert envelope.open(b64decode(given.sealed), about(second, "dev-1", "app")).reveal() == b"two"
    (row,) = await company.reader(target_secrets, None)
    assert (row.version, row.status, row.set_by, row.resource, row.login) == (
        2, SecretStatus.CURRENT, "ada", "dev-1", "app",
    )  # fmt: skip
    assert row.used is not None


async def test_a_version_that_the_target_refused_leaves_the_one_before(company: Company, envelope: Envelope) -> None:
    first = await kept(company, envelope)
    assert await prove_secret(company.ledger, first) is None
    second = await kept(company, envelope)
    assert await give_up_secret(company.ledger, second, "target.refusing") is None
    given = await leased(company)
    assert isinstance(given, Leased)
    assert given.version == 1
    refused(await prove_secret(company.ledger, second), "secret.changed")
    refused(await give_up_secret(company.ledger, second, "target.refusing"), "secret.changed")


async def test_of_two_who_set_it_at_once_the_second_is_told(company: Company, envelope: Envelope) -> None:
    first = await kept(company, envelope)
    due, actor = Kept(first.secret, 2), company.actor("ada")
    assert await store_secret(company.ledger, actor, due, "dev-1", "app", sealed(envelope, due)) == due
    again = await store_secret(company.ledger, actor, due, "dev-1", "app", sealed(envelope, due))
    refused(again, "secret.changed")
    assert await company.reader(next_version, None, "dev-1", "app") == Kept(first.secret, 3)
    assert await remove_secret(company.ledger, actor, "dev-1", "app") is None
    assert await company.reader(next_version, None, "dev-1", "app") == Kept(first.secret, 3)


async def test_a_removed_secret_opens_nothing(company: Company, envelope: Envelope) -> None:
    await kept(company, envelope)
    assert await remove_secret(company.ledger, company.actor("ada"), "dev-1", "app") is None
    refused(await leased(company), "target.secret")
    refused(await remove_secret(company.ledger, company.actor("ada"), "dev-1", "app"), "secret.unknown")


async def test_a_session_gets_the_secret_of_its_own_login_alone(company: Company, envelope: Envelope) -> None:
    await kept(company, envelope)
    session = (await opened(company)).session
    for resource, login in (("web-1", "app"), ("dev-1", "root")):
        refused(await lease_secret(company.ledger, session, resource, login), "session.ended")
    refused(await lease_secret(company.ledger, "ses_none", "dev-1", "app"), "session.ended")


async def test_a_session_that_is_over_gets_none_though_nobody_has_closed_it_yet(
    company: Company, envelope: Envelope
) -> None:
    await kept(company, envelope)
    made = await opened(company)
    company.clock.now = Instant(made.ends - SECOND)
    assert isinstance(await lease_secret(company.ledger, made.session, "dev-1", "app"), Leased)
    company.clock.now = made.ends
    refused(await lease_secret(company.ledger, made.session, "dev-1", "app"), "session.ended")


async def test_the_value_stands_in_no_byte_of_the_ledger(company: Company, envelope: Envelope, tmp_path: Path) -> None:
    await kept(company, envelope)
    assert isinstance(await leased(company), Leased)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        data = path.read_bytes()
        assert CANARY not in data
        assert b64encode(CANARY)[:-4] not in data


async def test_where_a_resource_is_dialled(company: Company) -> None:
    assert await company.reader(dialled, None, "dev-1") == ("postgres", "dev-1.example.com", 5432, (CERTIFICATE,))
    assert await company.reader(dialled, None, "none") is None
