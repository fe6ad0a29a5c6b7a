"""Rules of databases at the door: by which door, and with which guardrails."""

import re
from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.decision import Because
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.hours import Schedule
from onepam.domain.access.model import Action, Mode, Permission, ResourceKind
from onepam.domain.access.proof import MfaProof
from onepam.domain.requests.events import RequestMade
from onepam.domain.sessions.events import EntryPoint, SessionOpened
from onepam.kernel.clock import DAY, FOREVER, HOUR, MINUTE, SECOND, Instant
from onepam.ledger.lawful.guardrails import narrower
from tests.ledger.lawful.story import Story, resource_set, role_set, substance
from tests.ledger.lawful.test_sessions import opened

READ, WRITE = StatementClass.READ, StatementClass.WRITE
READING = Guardrails((READ,), 100, MINUTE, 1_000, 5 * MINUTE)
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
    "guardrails",
    [
        READING,
        replace(READING, statements=()),
        replace(READING, rows=99),
        replace(READING, timeout=1),
        replace(READING, bytes=999),
        replace(READING, wait=SECOND),
    ],
)
def test_a_session_has_the_guardrails_of_its_chain_or_narrower_ones(guardrails: Guardrails) -> None:
    told = ready()
    told.add(session(told, guardrails=guardrails))
    assert told.said() == []


@pytest.mark.parametrize(
    "guardrails",
    [
        None,
        replace(READING, statements=(READ, WRITE)),
        replace(READING, rows=101),
        replace(READING, rows=None),
        replace(READING, timeout=MINUTE + 1),
        replace(READING, timeout=None),
        replace(READING, bytes=1_001),
        replace(READING, bytes=None),
        replace(READING, wait=5 * MINUTE + 1),
        replace(READING, wait=None),
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
    narrow = Guardrails((READ,), 5, 7, 8, MINUTE)
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
    some = {"statements": ["read", "write"], "rows": None, "timeout": 5, "bytes": 9, "wait": None}
    assert narrower(None, None) is None
    assert narrower(some, None) == narrower(None, some) == some
    both = narrower(some, {"statements": ["ddl", "read"], "rows": 3, "timeout": None, "bytes": 8, "wait": MINUTE})
    assert both == {"statements": ["read"], "rows": 3, "timeout": 5, "bytes": 8, "wait": MINUTE}
    both = narrower(some, {"statements": ["read"], "rows": None, "timeout": None})  # of before there were the others
    assert both == {"statements": ["read"], "rows": FOREVER, "timeout": 5, "bytes": 9, "wait": 10 * MINUTE}


def test_what_entries_of_before_say_nothing_of_is_as_it_was_then() -> None:
    guarded = Guardrails((READ,), 100, MINUTE)
    role = role_set("engineer", (replace(ASKS, guardrails=guarded),))
    told = ready()
    told.change("chg_10", "ada", role)
    told.wait(SECOND)
    told.sign_in("eve", "sgn_eve_2")
    shown = told.rows[-1].time
    wanted = substance(
        resource="dev-1", role_version=role.version, permission="asks", actions=(Action.QUERY,), guardrails=guarded,
        schedule=Schedule(extends=""),
    )  # fmt: skip
    told.add(RequestMade("req_1", wanted, wanted.digest(), Instant(told.at() + DAY), "why", ""))
    told.approve(wanted)
    told.wait(10 * SECOND)
    because = Because("engineer", role.version, "asks", "bnd_eve_engineer", "", "req_1", "max", "grt_1")
    proof = MfaProof("sgn_eve_2", ("password", "totp"), Instant(shown - 1))
    told.add(replace(by_grant(told, shown, guarded), because=because, mfa=proof))
    assert told.said() == []
    kinds = ("role.set", "request.made", "grant.started", "session.opened")
    for changed in (kinds, *((each,) for each in kinds)):  # all of then, or one that was written before the others
        rows = list(told.rows)
        for place, row in enumerate(rows):
            if row.kind in changed:
                body = re.sub(rb',"(?:wait|until|unasked)":null|"bytes":null,|"first_use":false,', b"", row.body)
                assert body != row.body or row.kind == "role.set"
                told.rows[place] = row._replace(version=row.version - (body != row.body), body=body)
        assert told.said() == []
        told.rows[:] = rows
