"""Rules of databases at the door: by which door, and with which guardrails."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.decision import Because
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.model import Action, Mode, Permission, ResourceKind
from onepam.domain.requests.events import RequestMade
from onepam.domain.sessions.events import EntryPoint, SessionOpened
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.ledger.lawful.guardrails import narrower
from tests.ledger.lawful.story import Story, resource_set, role_set, substance
from tests.ledger.lawful.test_sessions import opened

READ, WRITE = StatementClass.READ, StatementClass.WRITE
READING = Guardrails((READ,), 100, MINUTE)
READS = Permission(
    "reads", (Action.QUERY,), {"env": "dev"}, ("app", "root"), Mode.STANDING, 8 * HOUR, guardrails=READING
)
ASKS = replace(READS, name="asks", mode=Mode.REQUEST, approvers=("manager",))
ROLE = role_set("engineer", (ASKS, READS))


def ready() -> Story:
    """dev-1 is a database; max is signed in, and eve the last, who may read it, and ask for reading it."""
    told = Story().ready("ada", "max")
    database = replace(resource_set("dev-1", {"env": "dev"}), kind=ResourceKind.POSTGRES, port=5432)
    told.change("chg_9", "ada", database, ROLE)
    told.sign_in("eve", "sgn_eve")
    return told


def session(told: Story, permission: str = "reads", **other: Any) -> SessionOpened:
    """Eve's, by a token."""
    because = Because("engineer", ROLE.version, permission, "bnd_eve_engineer")
    values = {
        "entry": EntryPoint.POSTGRES_CERTIFICATE,
        "actions": (Action.QUERY,),
        "because": because,
        "guardrails": READING,
    }
    return opened(told, **{**values, **other})


@pytest.mark.parametrize(
    "guardrails", [READING, Guardrails((), 100, MINUTE), Guardrails((READ,), 99, MINUTE), Guardrails((READ,), 100, 1)]
)
def test_a_session_has_the_guardrails_of_its_chain_or_narrower_ones(guardrails: Guardrails) -> None:
    told = ready()
    told.add(session(told, guardrails=guardrails))
    assert told.said() == []


@pytest.mark.parametrize(
    "guardrails",
    [
        None,
        Guardrails((READ, WRITE), 100, MINUTE),
        Guardrails((READ,), 101, MINUTE),
        Guardrails((READ,), None, MINUTE),
        Guardrails((READ,), 100, MINUTE + 1),
        Guardrails((READ,), 100, None),
    ],
)
def test_a_session_lets_no_more_through_than_its_chain(guardrails: Guardrails | None) -> None:
    told = ready()
    at = told.add(session(told, guardrails=guardrails))
    assert told.said() == [(at, "it lets more statements through than the chain does")]


def test_a_door_leads_to_what_it_speaks() -> None:
    told = ready()
    at = told.add(session(told, entry=EntryPoint.SSH_CERTIFICATE))
    assert told.said() == [(at, "the target speaks another protocol than the door")]


def asked(told: Story, guardrails: Guardrails | None) -> int:
    """Eve asks for reading; which entry that is."""
    wanted = substance(
        resource="dev-1",
        role_version=ROLE.version,
        permission="asks",
        actions=(Action.QUERY,),
        guardrails=guardrails,
    )
    at = told.add(RequestMade("req_1", wanted, wanted.digest(), Instant(told.at() + DAY), "why", ""))
    told.approve(wanted)
    told.wait(10 * SECOND)
    return at


def by_grant(told: Story, shown: int, guardrails: Guardrails | None) -> SessionOpened:
    because = Because("engineer", ROLE.version, "asks", "bnd_eve_engineer", "", "req_1", "max", "grt_1")
    ends = Instant(told.at() + 30 * MINUTE)
    return session(told, because=because, shown=shown, guardrails=guardrails, ends=ends)


def test_nobody_asks_for_wider_guardrails_than_the_role_has() -> None:
    told = ready()
    at = asked(told, None)
    assert told.said() == [(at, "it is more than the role offered"), (at + 1, "it is more than the role offered")]


def test_what_was_asked_for_with_narrower_guardrails_has_them() -> None:
    narrow = Guardrails((READ,), 5, 7)
    told = ready()
    shown = told.rows[-1].time
    asked(told, narrow)
    told.add(by_grant(told, shown, narrow))
    assert told.said() == []
    told = ready()
    shown = told.rows[-1].time
    asked(told, narrow)
    at = told.add(by_grant(told, shown, READING))
    assert told.said() == [(at, "it lets more statements through than the chain does")]


def test_what_two_guardrails_let_through_both() -> None:
    some = {"statements": ["read", "write"], "rows": None, "timeout": 5}
    assert narrower(None, None) is None
    assert narrower(some, None) == narrower(None, some) == some
    both = narrower(some, {"statements": ["ddl", "read"], "rows": 3, "timeout": None})
    assert both == {"statements": ["read"], "rows": 3, "timeout": 5}
