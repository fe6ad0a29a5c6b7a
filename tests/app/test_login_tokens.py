"""Login tokens at the door: what one opens, and what it does not. An attack is a case of `test_what_it_does_not`."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from onepam.app.open_session import Challenge, Knock, Opened, open_session
from onepam.app.people.disable_person import disable_person
from onepam.app.sessions.close_session import close_session
from onepam.app.sessions.issue_token import issue_token
from onepam.boot.login_tokens import proven_by_token
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint, SessionClosed
from onepam.domain.sessions.login_tokens import FIRST_USE, INVALID, MOST_LIVE, MOST_WAITING, Issued
from onepam.domain.signing_in.events import SignedOut
from onepam.gateway.entering import Proven, Unfit
from onepam.identity.tokens import LOGIN_TOKEN, new_token, token_digest
from onepam.kernel.clock import HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.store.read.login_tokens import token_holder
from tests.company import Company, record, refused

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    await company.databases()
    yield company
    company.close()


def digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


async def issued(company: Company, resource: str = "dev-1", login: str = "app", person: str = "eve") -> str:
    """A token of eve's for her address."""
    token = company.new("tok")
    expires = await issue_token(company.ledger, company.actor(person), token, resource, login, digest(token))
    assert isinstance(expires, Issued), expires
    return token


async def knock(company: Company, token: str | None, **other: object) -> Opened | Challenge | Refused:
    asked = Knock(
        company.new("ses"), EntryPoint.POSTGRES_TOKEN, "eve", "dev-1", "app", "node-1", "192.0.2.1", "psql",
        sign_in="sgn_eve", token=token,
    )  # fmt: skip
    return await open_session(company.ledger, replace(asked, **other))  # type: ignore[arg-type]


async def closed(company: Company, opened: Opened) -> None:
    end = SessionClosed(opened.session, SessionEnd.CLIENT_LEFT, "", 0, {}, verified=True)
    assert await close_session(company.ledger, end) is None


async def test_a_token_opens_many_connections_until_the_first_ones_end(company: Company) -> None:
    token = await issued(company)
    first = await knock(company, token)
    assert isinstance(first, Opened)
    company.clock.advance(2 * FIRST_USE)
    later = await knock(company, token)
    assert isinstance(later, Opened)
    assert later.ends == first.ends < Instant(later.opened + 8 * HOUR)
    company.clock.advance(first.ends - company.clock.now)
    await company.sign_in("eve")
    refused(await knock(company, token), "login_token.invalid")


async def test_its_holder_is_found_by_the_digest_while_it_is_good(company: Company) -> None:
    token = await issued(company)
    found = await company.reader(token_holder, None, digest(token))
    assert found is not None
    assert (found.token, found.person, found.sign_in, found.source) == (token, "eve", "sgn_eve", "192.0.2.1")
    assert await company.reader(token_holder, None, digest("another")) is None
    company.clock.advance(FIRST_USE)
    assert await company.reader(token_holder, None, digest(token)) is None


async def test_whoever_shows_it_elsewhere_is_told_as_little_and_its_person_is_known(company: Company) -> None:
    secret = new_token(LOGIN_TOKEN, secrets.token_bytes)
    word, told = secret.reveal().decode(), token_digest(secret).hex()
    assert isinstance(await issue_token(company.ledger, company.actor("eve"), "tok_1", "dev-1", "app", told), Issued)
    eves = Proven("eve", EntryPoint.POSTGRES_TOKEN, sign_in="sgn_eve", token="tok_1")
    assert await proven_by_token(company.reader, word, "192.0.2.1") == eves
    assert await proven_by_token(company.reader, word, "192.0.2.2") == Unfit(eves, INVALID)
    for wrong in (word[:-1] + ("A" if word[-1] != "A" else "B"), "opl_", "", "\u00e9"):
        assert await proven_by_token(company.reader, wrong, "192.0.2.1") == INVALID
    company.clock.advance(FIRST_USE)
    assert await proven_by_token(company.reader, word, "192.0.2.1") == INVALID


@pytest.mark.parametrize(
    "other",
    [
        {"source": "192.0.2.2"},
        {"source": ""},
        {"target": "web-1"},
        {"login": "root"},
        {"person": "max"},
        {"sign_in": "sgn_max"},
        {"token": "tok_none"},
        {"token": None},
    ],
    ids=str,
)
async def test_what_it_does_not(other: dict[str, object], company: Company) -> None:
    """Whoever copied it learns nothing of what else there is."""
    token = await issued(company)
    refused(await knock(company, **{"token": token, **other}), "login_token.invalid")  # type: ignore[arg-type]
    assert isinstance(await knock(company, token), Opened)


async def test_unused_it_lapses_after_ten_minutes(company: Company) -> None:
    token = await issued(company)
    company.clock.advance(FIRST_USE)
    refused(await knock(company, token), "login_token.invalid")


async def test_it_dies_with_the_sign_in_behind_it(company: Company) -> None:
    token = await issued(company)
    assert isinstance(await knock(company, token), Opened)
    await record(company.ledger, SignedOut("sgn_eve", "eve", "logout", "eve"))
    refused(await knock(company, token), "sign_in.ended")
    await record(company.ledger, replace(company.signed_in("eve"), session="sgn_other"))
    refused(await knock(company, token), "sign_in.ended")
    refused(await knock(company, token, sign_in="sgn_other"), "login_token.invalid")


async def test_it_dies_with_its_person(company: Company) -> None:
    token = await issued(company)
    gone = await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    assert not isinstance(gone, Refused)
    refused(await knock(company, token), "person.disabled")


async def test_it_gives_no_more_than_the_roles_do_by_then(company: Company) -> None:
    token = await issued(company)
    await company.unbind("eve", "engineer")
    refused(await knock(company, token), "resource.unknown")


async def test_sixty_four_connections_at_a_time(company: Company) -> None:
    token = await issued(company)
    opened = [await knock(company, token) for _ in range(MOST_LIVE)]
    refused(await knock(company, token), "login_token.busy")
    assert isinstance(opened[7], Opened)
    await closed(company, opened[7])
    assert isinstance(await knock(company, token), Opened)
    refused(await knock(company, token), "login_token.busy")


async def test_nobody_gets_a_token_for_what_they_may_not_open(company: Company) -> None:
    async def asked(person: str, resource: str, login: str = "app") -> Issued | Refused:
        return await issue_token(company.ledger, company.actor(person), "tok_1", resource, login, "d")

    refused(await asked("aud", "dev-1"), "resource.unknown")
    refused(await asked("eve", "web-1"), "access.needs_approval")
    refused(await asked("eve", "dev-1", "root"), "access.login")
    await record(company.ledger, SignedOut("sgn_eve", "eve", "logout", "eve"))
    refused(await asked("eve", "dev-1"), "sign_in.ended")


async def test_what_speaks_ssh_takes_none(tmp_path: Path) -> None:
    company = await Company.create(tmp_path)
    actor = company.actor("eve")
    refused(await issue_token(company.ledger, actor, "tok_1", "dev-1", "app", "d"), "login_token.kind")
    company.close()


async def test_so_many_wait_and_none_outlives_its_sign_in(company: Company) -> None:
    await company.sign_in("eve", lasts=MINUTE)
    for _ in range(MOST_WAITING):
        token = await issued(company)
    again = await issue_token(company.ledger, company.actor("eve"), "tok_x", "dev-1", "app", "d")
    refused(again, "login_token.many")
    assert isinstance(await knock(company, token), Opened)
    expires = await issue_token(company.ledger, company.actor("eve"), "tok_x", "dev-1", "app", "d")
    assert isinstance(expires, Issued)
    assert expires.expires - company.clock.now < MINUTE
