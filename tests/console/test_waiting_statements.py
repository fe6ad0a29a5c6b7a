"""Statements that wait, on the approvals page: who sees what they say, and decides on them."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.open_session import Knock, Opened, open_session
from onepam.app.sessions.ask_statement import ask_statement
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.model import Action, ConsoleRight
from onepam.domain.sessions.events import EntryPoint
from onepam.domain.sessions.waiting_statements import Asking, StatementAsked
from onepam.gateway.ask_first import Said
from tests.company import DEV, record, role_set
from tests.console.browsing import Office, opened

pytestmark = pytest.mark.anyio

READ, WRITE, ASK_WRITE = StatementClass.READ, StatementClass.WRITE, StatementClass.ASK_WRITE
WRITES = replace(DEV, actions=(Action.QUERY,), guardrails=Guardrails((READ, ASK_WRITE)), approvers=("manager",))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A write of eve's waits for max, a manager; bob approves other things."""
    async with opened(tmp_path) as office:
        company = office.company
        await company.databases()
        lead = role_set("lead", (), (ConsoleRight.APPROVE,))
        await record(company.ledger, role_set("engineer", (WRITES,)), lead)
        await company.bind("bob", "lead")
        knock = Knock(
            session="ses_1", entry=EntryPoint.POSTGRES_CERTIFICATE, person="eve", target="dev-1", login="app",
            node="node-1", source="192.0.2.1", client='psql, database "or<ders"', sign_in="sgn_eve",
        )  # fmt: skip
        assert isinstance(await open_session(company.ledger, knock), Opened)
        asked = await ask_statement(company.ledger, Asking("stm_1", "ses_1", 1, (WRITE,), in_transaction=True))
        assert isinstance(asked, StatementAsked)
        office.services.statements.keep(
            "stm_1", Said("DELETE FROM t -- <b>", ("'<i>'", "NULL"), "SET search_path TO <x>")
        )
        yield office


async def test_whoever_decides_sees_what_it_says_as_text_and_says_yes(office: Office) -> None:
    max_ = await office.sign_in("max")
    page = await max_.read("/approvals")
    assert "DELETE FROM t -- &lt;b&gt;</pre>" in page
    assert "&#39;&lt;i&gt;&#39;" in page
    assert "A statement of Eve Example as app on dev-1" in page
    assert "others wait for what it has locked" in page
    assert 'action="/approvals/stm_1"' in page
    assert "<dt>Began in</dt><dd>or&lt;ders</dd>" in page
    assert "<dt>Client</dt><dd>psql</dd>" in page
    assert "<dt>search_path was set by</dt><dd>SET search_path TO &lt;x&gt;</dd>" in page
    assert "<dt>From</dt><dd>192.0.2.1</dd>" in page
    assert "<dt>Asked by</dt>" in page
    assert "Proposed by" not in page
    assert "<dd>ses_1</dd>" in page  # whoever decides may not look at everybody's sessions
    assert "Approved: it runs now, once." in await max_.done("/approvals/stm_1", decision="approve")
    assert "stm_1" not in await max_.read("/approvals")


async def test_who_decides_on_other_things_sees_nothing_of_it(office: Office) -> None:
    bob = await office.sign_in("bob")
    page = await bob.read("/approvals")
    assert "DELETE FROM t" not in page
    assert "stm_1" not in page
    assert "None of your roles may decide on it." in await bob.refused("/approvals/stm_1", decision="approve")


async def test_whoever_sees_all_sessions_is_led_to_what_ran_before(office: Office) -> None:
    await office.company.bind("max", "auditor")
    page = await (await office.sign_in("max")).read("/approvals")
    assert '<dd><a href="/sessions/ses_1">ses_1</a></dd>' in page


async def test_the_database_of_a_session_is_told_wherever_the_session_is(office: Office) -> None:
    ada = await office.sign_in("aud")
    page = await ada.read("/sessions/ses_1")
    assert "<small>database <code>or&lt;ders</code></small>" in page
    assert "<small>psql</small>" in page
    assert "database or&lt;ders</small>" in await ada.read("/sessions?q=or%3Cders")
    sheet = csv.DictReader(io.StringIO((await ada.read("/sessions?as=csv")).lstrip("\ufeff")))
    assert [each["database"] for each in sheet] == ["or<ders"]


async def test_a_no_ends_it(office: Office) -> None:
    max_ = await office.sign_in("max")
    assert "It will not take effect." in await max_.done("/approvals/stm_1", decision="deny", comment="not today")
    assert "waits for a decision" in await max_.refused("/approvals/stm_1", decision="approve")
