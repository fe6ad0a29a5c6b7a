"""A recording in which something ran without the yes that it waited for, by the ledger's word or its own."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.open_session import Knock, Opened, open_session
from onepam.app.sessions.ask_statement import approve_statement, ask_statement, deny_statement
from onepam.app.sessions.close_session import close_session
from onepam.domain.access.authority import Actor
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.model import Action
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint, SessionClosed
from onepam.domain.sessions.recordings import Checked, Condition
from onepam.domain.sessions.waiting_statements import Asking, StatementAsked
from onepam.gateway.recheck import Claim, recheck
from onepam.jobs.recording_check import check_all
from onepam.kernel.clock import Instant
from onepam.recording import frames
from onepam.recording.frames import Frame, Marker
from onepam.recording.seal import Sealer
from onepam.recording.statements import Executed, Finished, Form, Outcome, StatementText
from tests.company import DEV, Company, record, role_set

SESSION, KEY = "ses_1", bytes(32)
WAITS, YES = Marker(0, "execution 1 waits: this statement waits"), Marker(0, "execution 1: somebody has said yes")


def sealed(folder: Path, said: tuple[Frame, ...]) -> Sealer:
    sealer = Sealer(SESSION, KEY)
    sealer.append(frames.Opened(0, SESSION, "eve", "dev-1", "app", "postgres", Instant(1)))
    for each in (StatementText(0, 1, b"DELETE FROM t"), Executed(0, 1, 1, Form.SIMPLE), *said):
        sealer.append(each)
    sealer.append(frames.Closed(0, "client.closed", sealer.counts))
    (folder / f"{SESSION}.rec").write_bytes(sealer.header + sealer.seal()[0])
    return sealer


def ran(outcome: Outcome) -> Finished:
    return Finished(0, 1, outcome)


UNASKED = "ran without the yes that they waited for: executions 1"


@pytest.mark.parametrize(
    ("said", "waits", "right"),
    [
        ((ran(Outcome.OK),), {}, ""),
        ((WAITS, YES, ran(Outcome.OK)), {1: True}, ""),
        ((WAITS, ran(Outcome.REFUSED)), {1: False}, ""),
        ((WAITS, ran(Outcome.UNFINISHED)), {1: False}, ""),
        ((WAITS, ran(Outcome.REFUSED)), {}, ""),
        ((WAITS, ran(Outcome.OK)), {1: False}, UNASKED),
        ((WAITS, YES, ran(Outcome.OK)), {1: False}, UNASKED),
        ((ran(Outcome.ERROR),), {1: False}, UNASKED),
        ((ran(Outcome.SUSPENDED),), {1: False}, UNASKED),
        ((WAITS, YES, ran(Outcome.OK)), {}, UNASKED),
        ((YES, ran(Outcome.OK)), {}, UNASKED),
        ((YES, ran(Outcome.OK)), {2: True}, UNASKED),
    ],
)
def test_an_execution_that_waited_and_ran_had_its_yes(
    tmp_path: Path, said: tuple[Frame, ...], waits: Mapping[int, bool], right: str
) -> None:
    sealer = sealed(tmp_path, said)
    claim = Claim(SESSION, sealer.head, sealer.counts, True, None, waits)
    condition = Condition.UNASKED if right else Condition.WHOLE
    assert recheck(tmp_path, lambda _: KEY, claim) == Checked(SESSION, condition, right)


def test_what_else_is_wrong_with_it_is_said_first_and_only_so_many_are_named(tmp_path: Path) -> None:
    many: tuple[Frame, ...] = (
        *(Executed(0, each, 1, Form.SIMPLE) for each in range(2, 14)),
        *(Finished(0, each, Outcome.OK) for each in range(1, 14)),
    )
    sealer = sealed(tmp_path, many)
    claim = Claim(SESSION, sealer.head, sealer.counts, True, None, dict.fromkeys(range(1, 14), False))
    assert recheck(tmp_path, lambda _: KEY, claim).found.endswith("executions 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …")
    wrong = replace(claim, counts={**sealer.counts, "frames": 1})
    assert recheck(tmp_path, lambda _: KEY, wrong).condition is Condition.ALTERED


@pytest.mark.anyio
@pytest.mark.parametrize("yes", [True, False])
async def test_the_ledger_is_asked_for_the_yes(tmp_path: Path, yes: bool) -> None:
    company = await Company.create(tmp_path)
    await company.databases()
    classes = (StatementClass.READ, StatementClass.ASK_WRITE)
    writes = replace(DEV, actions=(Action.QUERY,), guardrails=Guardrails(classes), approvers=("manager",))
    await record(company.ledger, role_set("engineer", (writes,)))
    knock = Knock(
        session=SESSION, entry=EntryPoint.POSTGRES_CERTIFICATE, person="eve", target="dev-1", login="app",
        node="node-1", source="192.0.2.1", client="psql", sign_in="sgn_eve",
    )  # fmt: skip
    assert isinstance(await open_session(company.ledger, knock), Opened)
    asking = Asking("stm_1", SESSION, 1, (StatementClass.WRITE,), in_transaction=False)
    assert isinstance(await ask_statement(company.ledger, asking), StatementAsked)
    max_ = Actor("max", "sgn_max")
    if yes:
        assert await approve_statement(company.ledger, max_, "stm_1") is None
    else:
        assert await deny_statement(company.ledger, max_, "stm_1", "") is None
    sealer = sealed(tmp_path, (WAITS, YES, ran(Outcome.OK)))
    end = SessionClosed(
        SESSION, SessionEnd.CLIENT_LEFT, sealer.head.digest.hex(), sealer.head.seq, dict(sealer.counts), True
    )
    assert await close_session(company.ledger, end) is None
    (found,) = check_all(company.reader, tmp_path, lambda _: KEY)
    assert found == (Checked(SESSION, Condition.WHOLE) if yes else Checked(SESSION, Condition.UNASKED, UNASKED))
    company.close()
