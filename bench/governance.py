"""Governance at company size: a review opens, a page of it, what a change would do, and who could reach what then.

5,000 people hold a role that reaches each of 200 resources, beside those of their teams: a million ways in and more.
"""

import asyncio
import json
import re
import resource
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from bench import Figure, Progress
from bench.company import settle
from bench.room import room
from bench.yardstick import interpreter, median
from onepam.app.matrix.plan_access import plan_access
from onepam.app.ports import Snapshot
from onepam.app.reviews.open_review import open_review
from onepam.boot.demo.company import bound, called, founding, person_id, sign_in_id, signed_in
from onepam.boot.platform import settled
from onepam.domain.access.authority import Actor
from onepam.domain.access.events import BindingEnded, RoleSet
from onepam.domain.access.model import Action, Mode, Permission, SubjectKind
from onepam.domain.matrix.matrix import Matrix, RoleDefinition
from onepam.domain.matrix.plan import Plan
from onepam.domain.people.events import GroupMemberAdded
from onepam.domain.reviews.events import Scope
from onepam.domain.reviews.opening import Opened, Opening
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.signing.author import NodeAuthor
from onepam.store.engine.database import connect
from onepam.store.engine.schema import create
from onepam.store.engine.writer import Writer
from onepam.store.facts.changes import matrix
from onepam.store.read.changes import sessions_cut
from onepam.store.read.matrix import AccessRow, access_matrix
from onepam.store.read.reviews import review_page
from tests.company import HOST_KEY, START, Company, ManualClock, record

NAME = "Governance, for 5,000 people and 200 resources"
PEOPLE, RESOURCES = 5_000, 200
ROUNDS = 5
LINES = 1_000_000
MOST_MB = 512
EVERYWHERE = Permission("everywhere", (Action.SHELL,), {"region": "eu-1"}, ("deploy",), Mode.STANDING, 8 * HOUR)
ROLE = RoleDefinition("everybody", "Looks everywhere", "per_0", (), (EVERYWHERE,))
HERSELF = Actor(person_id(0), sign_in_id(0))

T = TypeVar("T")


class Large(Company):
    """Its history is long: it is judged once, with the room."""

    def close(self) -> None:
        """Closes the ledger and the reader."""
        self.ledger.close()
        self.reader.close()


def run(progress: Progress) -> list[Figure]:
    """Each by its own, in seconds of the wall; and how much memory all of it took."""
    with room() as folder:
        progress(f"a company of {PEOPLE:,} people and {RESOURCES:,} resources")
        _lay(folder / "ledger.sqlite")
        return asyncio.run(_measured(folder / "ledger.sqlite", progress))


def _lay(path: Path) -> None:
    also = (
        RoleSet(ROLE.role, ROLE.version(), ROLE.purpose, ROLE.owner, ROLE.permissions, (), "", None),
        bound("bnd_everybody", ROLE.role, SubjectKind.GROUP, "everybody", "all of them"),
        *(GroupMemberAdded("everybody", person_id(number), "access.yaml", None) for number in range(PEOPLE)),
    )
    with closing(connect(path)) as db:
        create(db)
    with closing(Writer(path, NodeAuthor.uncertified("node-1"), ManualClock(START), secrets.token_bytes)) as writer:
        settle(writer, founding(PEOPLE, RESOURCES, also))
        settle(writer, iter((lambda now: signed_in(0, now),)))


async def _measured(path: Path, progress: Progress) -> list[Figure]:
    company = Large(path)
    company.clock.advance(HOUR)
    with closing(company):
        then = company.clock.now
        company.clock.advance(MINUTE)
        await record(company.ledger, BindingEnded("bnd_everybody", "binding.removed", "", None))
        settled()  # as the platform once it has started: what was loaded is not walked again
        return [*await _reviewed(company, progress), *await _foreseen(company, progress), *await _asked(company, then)]


async def _reviewed(company: Company, progress: Progress) -> list[Figure]:
    progress("a review of everybody")
    wanted = Opening(Scope((), (), (), False), 21 * DAY)
    opens, opened = await _timed(lambda: open_review(company.ledger, HERSELF, wanted, "rev_1"))
    assert isinstance(opened, Opened), opened
    pages = []
    for _ in range(ROUNDS):
        took, page = await _timed(lambda: company.reader(review_page, None, "rev_1", "per_0", True, "all"))
        assert page is not None
        pages.append(took * 1000)
    shown = median(ROUNDS, pages.pop)
    return [
        Figure("items of the review", opened.items, ""),
        Figure("a review opens", opens, "s", "≤ 30", opens <= 30),
        Figure("a page of 100 items, read", shown, "ms", "≤ 200", shown <= 200),
    ]


async def _foreseen(company: Company, progress: Progress) -> list[Figure]:
    progress("a change of a role that everybody had")
    now: Matrix = await company.reader(matrix, None)
    text = _text(now)
    took, plan = await _timed(lambda: _what_if(company, text))
    assert sum(len(each.people) for each in plan.differences if each.gains) == PEOPLE, plan.summary()
    return [Figure("what-if of a whole file by which everybody gains", took, "s", "≤ 5", took <= 5)]


async def _what_if(company: Company, text: str) -> Plan:
    plan = await plan_access(company.ledger, HERSELF, text)
    assert isinstance(plan, Plan), str(plan)[:500]
    await company.reader(sessions_cut, None, plan)
    return plan


async def _asked(company: Company, then: Instant) -> list[Figure]:
    took, count = await _timed(lambda: company.reader(lambda db, at: sum(1 for _ in access_matrix(db, at)), then))
    assert count >= LINES, count
    one = []
    for number in range(ROUNDS):
        who = person_id(1 + number * 700)
        alone, ways = await _timed(partial(company.reader, _ways, then, who))
        assert len(ways) >= RESOURCES
        one.append(alone * 1000)
    single, yard = median(ROUNDS, one.pop), 1e6 / median(ROUNDS, interpreter)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Figure("effective access of one person, as of a past instant", single, "ms", "≤ 50", single <= 50),
        Figure("effective access of everybody, as of a past instant", took, "s", "≤ 5", took <= 5),
        Figure("its lines", count, ""),
        Figure("a line of it, over one small object as JSON", took * 1e6 / count / yard, "ratio"),
        Figure("most memory of the whole process", used, "MB", f"≤ {MOST_MB:,}", used <= MOST_MB),
    ]


def _ways(db: Snapshot, at: Instant, who: str) -> list[AccessRow]:
    return list(access_matrix(db, at, who))


async def _timed(ask: Callable[[], Awaitable[T]]) -> tuple[float, T]:
    """Seconds of the wall, and what was answered."""
    began = time.perf_counter()
    found = await ask()
    return time.perf_counter() - began, found


def _text(now: Matrix) -> str:
    """The matrix as a file, which gives back to everybody what they had: JSON is YAML."""
    email = {person_id(number): called(number)[1] for number in range(PEOPLE)}
    everybody = {"role": ROLE.role, "group": "everybody", "because": "all of them"}
    bindings: list[dict[str, str]] = [everybody]
    for each in now.bindings.values():
        kind = each.subject_kind.value
        bindings.append({"role": each.role, kind: email.get(each.subject, each.subject), "because": each.because})
    text = json.dumps(
        {
            "version": 1,
            "groups": {name: {"members": [email[each] for each in members]} for name, members in now.groups.items()},
            "resources": {name: _resource(each, email) for name, each in now.resources.items()},
            "roles": {name: _role(each, email) for name, each in now.roles.items()},
            "bindings": bindings,
        },
        separators=(",", ": "),
    )
    return re.sub(r'"([^",:]+)"', r"\1", text)  # a quote counts twice where the file is kept


def _resource(each: Any, email: dict[str, str]) -> dict[str, Any]:
    return {
        "kind": each.kind.value, "address": f"{each.address}:{each.port}", "labels": dict(each.labels),
        "owner": email[each.owner], "logins": list(each.logins), "host_keys": [HOST_KEY],
    }  # fmt: skip


def _role(role: RoleDefinition, email: dict[str, str]) -> dict[str, Any]:
    permissions = {
        each.name: {
            "actions": [one.value for one in each.actions], "where": dict(each.where), "logins": list(each.logins),
            "mode": each.mode.value, "longest": f"{each.longest // HOUR}h", "administrative": each.administrative,
            **({"approvers": list(each.approvers)} if each.approvers else {}),
        }
        for each in role.permissions
    }  # fmt: skip
    found: dict[str, Any] = {"purpose": role.purpose, "owner": email[role.owner], "permissions": permissions}
    return {**found, "console": [each.value for each in role.console]} if role.console else found
