"""Statements that ask first, by the real use cases on a real ledger: what waits, who sees it, and what ends it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.deciding.decide_proposal import Seen, approve_proposal, deny_proposal
from onepam.app.open_session import Knock, Opened, open_session
from onepam.app.requests.lapse_proposals import lapse_proposals
from onepam.app.sessions.ask_statement import DecidingQuery, ask_statement, end_statement
from onepam.app.sessions.close_session import close_session
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.model import Action, ConsoleRight
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint, SessionClosed
from onepam.domain.sessions.waiting_statements import LONGEST, Asking, StatementAsked
from onepam.kernel.clock import HOUR, MINUTE
from onepam.kernel.errors import Refused
from onepam.store.engine.rebuild import compare
from onepam.store.facts.waiting_statements import deciding
from onepam.store.read.proposals import count_proposals, proposals
from tests.company import DEV, Company, record, role_set

pytestmark = pytest.mark.anyio

READ, WRITE, ASK_WRITE = StatementClass.READ, StatementClass.WRITE, StatementClass.ASK_WRITE
WRITES = replace(DEV, actions=(Action.QUERY,), guardrails=Guardrails((READ, ASK_WRITE)), approvers=("manager",))
SEEN = Seen("", "", "")
ALL = frozenset(ConsoleRight)


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    """Eve's writes on dev-1 ask max, a manager; bob approves as a lead."""
    company = await Company.create(tmp_path)
    await company.databases()
    await record(company.ledger, role_set("engineer", (WRITES,)), role_set("lead", (), (ConsoleRight.APPROVE,)))
    await company.bind("bob", "lead")
    await company.bind("eve", "manager")
    try:
        yield company
    finally:
        company.close()
    assert compare(company.path) == []


async def opened(company: Company) -> str:
    """Eve's session; its id."""
    session = company.new("ses")
    knock = Knock(
        session=session, entry=EntryPoint.POSTGRES_CERTIFICATE, person="eve", target="dev-1", login="app",
        node="node-1", source="192.0.2.1", client="psql", sign_in="sgn_eve",
    )  # fmt: skip
    found = await open_session(company.ledger, knock)
    assert isinstance(found, Opened), found
    assert found.guardrails == WRITES.guardrails
    return session


async def asked(company: Company, session: str) -> StatementAsked | Refused:
    return await ask_statement(company.ledger, Asking(company.new("stm"), session, 1, (WRITE,), in_transaction=False))


async def waits(company: Company, session: str) -> str:
    found = await asked(company, session)
    assert isinstance(found, StatementAsked), found
    return found.statement


async def says(company: Company, who: str, statement: str, *, yes: bool = True) -> str:
    """The code of the refusal, or ""."""
    actor, kind = company.actor(who), ProposalKind.STATEMENT
    if yes:
        outcome = await approve_proposal(company.ledger, actor, kind, statement, SEEN)
    else:
        outcome = await deny_proposal(company.ledger, actor, kind, statement, "")
    return outcome.code if isinstance(outcome, Refused) else ""


async def seen(company: Company, who: str) -> tuple[list[bool], int]:
    """Of what waits, whether somebody may say yes to it; and the number that they see beside it."""
    at = company.clock()
    found = await company.reader(proposals, at, who, ALL)
    return [each.decides for each in found], await company.reader(count_proposals, at, who)


async def test_it_is_seen_by_whoever_may_decide_and_by_its_person_and_runs_once(company: Company) -> None:
    session = await opened(company)
    statement = await waits(company, session)
    assert await seen(company, "max") == ([True], 1)
    assert await seen(company, "eve") == ([False], 0)
    for stranger in ("bob", "ada", "aud"):
        assert await seen(company, stranger) == ([], 0), stranger
    assert await says(company, "eve", statement) == "statement.self_approval"
    assert await says(company, "bob", statement) == "statement.no_authority"
    assert await says(company, "max", statement) == ""
    assert await says(company, "max", statement) == "statement.unknown"
    assert await seen(company, "max") == ([], 0)
    again = await waits(company, session)
    assert await says(company, "bob", again, yes=False) == "statement.no_authority"
    assert await says(company, "max", again, yes=False) == ""
    taken_back = await waits(company, session)
    assert await says(company, "eve", taken_back, yes=False) == ""


async def test_one_waits_in_a_session_and_none_in_one_that_is_over(company: Company) -> None:
    session, other = await opened(company), await opened(company)
    statement = await waits(company, session)
    refused = await asked(company, session)
    assert isinstance(refused, Refused)
    assert refused.code == "statement.one_waits"
    await waits(company, other)
    closing = SessionClosed(session, SessionEnd.CLIENT_LEFT, "", 0, {}, True, None, None)
    assert await close_session(company.ledger, closing) is None
    refused = await asked(company, session)
    assert isinstance(refused, Refused)
    assert refused.code == "statement.session_over"
    assert await says(company, "max", statement) == "statement.proposer_right"
    assert await says(company, "max", statement) == "statement.unknown"


async def test_nobody_waits_for_nobody(company: Company) -> None:
    """The manager has gone, and eve, who is one, does not decide for herself."""
    await company.unbind("max", "manager")
    refused = await asked(company, await opened(company))
    assert isinstance(refused, Refused)
    assert refused.code == "statement.nobody"


async def test_it_lapses_by_itself_and_ends_once(company: Company) -> None:
    statement = await waits(company, await opened(company))
    company.clock.advance(LONGEST - MINUTE)
    assert await lapse_proposals(company.ledger) == 0
    company.clock.advance(MINUTE)
    assert await lapse_proposals(company.ledger) == 1
    assert await end_statement(company.ledger, statement, "client.left") is False
    other = await waits(company, await opened(company))
    assert await end_statement(company.ledger, other, "client.left") is True
    assert await says(company, "max", other) == "statement.unknown"
    company.clock.advance(HOUR)
    assert await lapse_proposals(company.ledger) == 0


@pytest.mark.parametrize("privileged", [True, False])
async def test_it_is_as_privileged_as_its_session(company: Company, privileged: bool) -> None:
    await record(company.ledger, role_set("engineer", (replace(WRITES, administrative=privileged),)))
    query = DecidingQuery(company.actor("max"), await waits(company, await opened(company)))
    found = await company.reader(lambda db, at: deciding(db, query, at), None)
    assert found.privileged is privileged
