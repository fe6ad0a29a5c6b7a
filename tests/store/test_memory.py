"""What the writer remembers must never open a door that the tables would keep shut."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bench.company import knocks, settle
from onepam.app.open_session import Knock, KnockQuery, Opened, answer
from onepam.app.sessions.close_session import NoFacts
from onepam.boot.demo.company import GROUPS, TEAMS, company, resource_id, role_version
from onepam.domain.access.events import BindingEnded, ResourceRemoved, RoleRemoved
from onepam.domain.access.model import Action, Substance
from onepam.domain.people.events import GroupMemberRemoved, PersonDisabled, PersonEnabled
from onepam.domain.requests.events import GrantEnded, GrantStarted
from onepam.domain.reviews.events import RoleWithheld, Withheld
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind, SignedOut
from onepam.kernel.clock import HOUR, SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.store.engine.writer import Writer
from onepam.store.facts import holdings
from tests.store.events import clock, events, fresh, one_group, submit, unprojectable, write

PERSON, TARGET, ROLE, GROUP = "per_0", resource_id(0), TEAMS[0], GROUPS[0]
_number = count()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.sqlite"
    with closing(fresh(path)) as writer:
        settle(writer, company(10, 80))
    return path


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    with closing(fresh(path)) as writer:
        yield writer


def knock_of(person: str, target: str) -> Knock:
    knock = next(knocks(10, 80, random.randrange(1 << 30)))
    return replace(
        knock, session=f"ses_{next(_number)}", person=person, target=target, sign_in=person.replace("per", "sgn")
    )


def opens(writer: Writer, person: str = PERSON, target: str = TARGET, login: str = "deploy") -> bool:
    knock = replace(knock_of(person, target), login=login)
    query = KnockQuery(knock.person, knock.target, knock.sign_in, knock.confirmation)
    return isinstance(writer.commit(query, answer(knock)).result, Opened)


CHANGES: list[tuple[object, ...]] = [
    (PersonDisabled(PERSON, None, "left"),),
    (ResourceRemoved(TARGET, "chg", None),),
    (RoleRemoved(ROLE, "chg", None),),
    (GroupMemberRemoved(GROUP, PERSON, "access.yaml", None),),
    (BindingEnded(f"bnd_{GROUP}", "review", "chg", None),),
    (RoleWithheld(PERSON, ROLE, "rev", Withheld.REMOVED, None),),
    (SignedOut("sgn_0", PERSON, "left", None),),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: type(change[0]).__name__)
def test_what_ends_an_access_is_seen_at_once(writer: Writer, change: tuple[object, ...]) -> None:
    assert opens(writer)
    assert opens(writer)
    write(writer, *change)
    assert not opens(writer)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: type(change[0]).__name__)
def test_what_another_process_ends_is_seen_at_once(writer: Writer, path: Path, change: tuple[object, ...]) -> None:
    assert opens(writer)
    with closing(fresh(path)) as other:
        write(other, *change)
    assert not opens(writer)


def test_what_ends_in_the_same_group_is_seen(writer: Writer) -> None:
    assert opens(writer)
    knock = knock_of(PERSON, TARGET)
    answered: Future[Any] = Future()
    with one_group(writer):
        submit(writer, events(PersonDisabled(PERSON, None, "left")))
        query = KnockQuery(knock.person, knock.target, knock.sign_in, knock.confirmation)
        writer.submit(query, answer(knock), answered.set_result)
    assert isinstance(answered.result(10).result, Refused)


def test_what_was_rolled_back_is_not_remembered(writer: Writer) -> None:
    write(writer, PersonDisabled(PERSON, None, "left"))
    assert not opens(writer)
    with one_group(writer):
        failed = submit(writer, events(PersonEnabled(PERSON, None, "back"), unprojectable()))
    assert isinstance(failed.result(10), Exception)
    assert not opens(writer)


def granted(ends: Instant) -> GrantStarted:
    """The right to repair the target as root."""
    substance = Substance(PERSON, TARGET, "root", ROLE, role_version(ROLE), "repair", (Action.SHELL,), HOUR)
    return GrantStarted("grt_1", "req_1", substance, f"bnd_{GROUP}", "per_2", Instant(0), ends)


def test_a_grant_opens_until_it_is_ended(writer: Writer) -> None:
    assert not opens(writer, login="root")
    write(writer, granted(Instant(clock() + HOUR)))
    assert opens(writer, login="root")
    assert not opens(writer, target=resource_id(len(TEAMS)), login="root")
    write(writer, GrantEnded("grt_1", "req_1", "done", None))
    assert not opens(writer, login="root")


def test_a_grant_that_is_remembered_opens_nothing_once_it_has_run_out(writer: Writer) -> None:
    write(writer, granted(Instant(clock() + SECOND // 2)))
    assert opens(writer, login="root")
    time.sleep(0.6)
    assert not opens(writer, login="root")


def test_a_factor_that_is_replaced_closes_what_is_privileged_at_once(writer: Writer) -> None:
    write(writer, granted(Instant(clock() + HOUR)))
    assert opens(writer, login="root")
    write(writer, FactorEnrolled("fac_1", PERSON, FactorKind.TOTP, "policy", Instant(clock() + HOUR), None))
    assert not opens(writer, login="root")
    assert opens(writer)


def test_memory_is_bounded(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "MAX_REMEMBERED", 4)
    assert all(opens(writer, f"per_{number}", resource_id(number)) for number in (0, 1, 2, 3, 0, 1, 2))
    assert writer._db.memory.keys() == holdings.TOPICS.keys()
    assert all(len(facts) <= 4 for facts in writer._db.memory.values())


def test_nobody_who_is_unknown_becomes_known(writer: Writer) -> None:
    refused = writer.commit(NoFacts(), lambda facts, now: Refused("no", "No."))
    assert isinstance(refused, Refused)
    assert not opens(writer, "per_stranger")
    assert not opens(writer, target="web-999")
