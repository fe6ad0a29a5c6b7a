"""Sessions of earlier versions, as they read now."""

from dataclasses import fields, replace

import pytest

from onepam.domain.access.decision import Because
from onepam.domain.access.earlier import Guardrails1
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.model import Action, Recording
from onepam.domain.access.proof import MfaProof
from onepam.domain.history.event import newest
from onepam.domain.sessions.events import EntryPoint, SessionOpened, SessionOpened1
from tests.domain.given import NOW

BECAUSE = Because("dba", "v1", "query", "bnd_1")
OPENED = SessionOpened(
    "ses_1", "eve", "db-1", "app", EntryPoint.POSTGRES_TOKEN, (Action.QUERY,), NOW, True, BECAUSE,
    MfaProof("sgn_1", ("totp",), NOW), "node-1", None, None, (replace(BECAUSE, permission="unmasked"),),
    Recording.HEAD_TAIL,
)  # fmt: skip


@pytest.mark.parametrize("told", [("10.0.0.1", "psql"), (None, None)])
@pytest.mark.parametrize("guarded", [True, False])
def test_a_session_of_before_had_no_bound_of_bytes(told: tuple[str | None, str | None], guarded: bool) -> None:
    values = {each.name: getattr(OPENED, each.name) for each in fields(SessionOpened1)}
    source, client = told
    old = Guardrails1((StatementClass.READ,), 7, 8) if guarded else None
    now = Guardrails((StatementClass.READ,), 7, 8) if guarded else None
    opened = SessionOpened1(**{**values, "source": source, "client": client, "guardrails": old})
    assert newest(opened) == replace(OPENED, source=source, client=client, guardrails=now)
