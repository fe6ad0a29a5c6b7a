"""Other systems: their accounts, who stands behind them, what is found, and bringing a list."""

from base64 import b64decode
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field, StringConstraints

from onepam.api.errors import ApiError
from onepam.api.guard import AsOf, Services, Who, done, right
from onepam.api.models import Answer, Body, Digest, Done, Id, MaybeMoment, Moment
from onepam.api.routes.route import Route
from onepam.app.systems.answer_for import link_account, set_system
from onepam.app.systems.import_accounts import Brought, import_list, plan_list, release_list
from onepam.domain.access.model import ConsoleRight
from onepam.domain.matrix.parse import Problem
from onepam.domain.systems.events import Match
from onepam.domain.systems.file import InvalidList
from onepam.domain.systems.importing import ListHeld, ListPlan
from onepam.kernel.clock import parse
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read import systems as rows
from onepam.store.read.concerned import meant
from onepam.store.read.paging import MOST, Window

ADMINISTER = right(ConsoleRight.ADMINISTER)
READERS = right(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR)

Name = Annotated[str, StringConstraints(max_length=200)]


class ListIn(Body):
    """A CSV file, its bytes in base64; `made` is when the system wrote it (RFC 3339; empty: now). With `dry_run`
    nothing is recorded."""

    data: Annotated[str, StringConstraints(max_length=7 * 1024 * 1024)]
    made: Annotated[str, StringConstraints(max_length=40)] = ""
    dry_run: bool = False


class ListDigestIn(Body):
    """The digest of the held list."""

    digest: Digest


class LinkIn(Body):
    """An account by its name on the list or its id, and who stands behind it (id, address or name; empty: nobody does),
    as who owns it if it is a `service`."""

    account: Name
    person: Name = ""
    service: bool = False


class SystemIn(Body):
    """Who answers for what is found (id, address or name), and within how many days."""

    owner: Name
    days: Annotated[int, Field(ge=1, le=365)] = 30


class ListBroughtOut(Answer):
    """What became of a list: `planned` is a dry run. `held` says why the brake holds it, or would."""

    outcome: Literal["planned", "taken", "held"]
    list: str
    digest: str
    made: Moment
    accounts: int
    before: int
    added: int
    changed: int
    gone: int
    nobody: int
    held: str | None


class AccountListOut(Answer):
    """A list; of one that is held `gone` are the accounts that it lacks."""

    list: str
    standing: str
    digest: str
    made: Moment
    because: str
    accounts: int
    added: int
    changed: int
    gone: int
    decided: Moment
    by: str
    by_name: str
    released_by_name: str


class SystemOut(Answer):
    """A system: behind so many accounts stands `nobody`, who did has `left`, or is `still_there` though they left."""

    system: str
    owner: str
    owner_name: str
    days: int
    accounts: int
    services: int
    nobody: int
    left: int
    still_there: int
    overdue: int
    taken: AccountListOut
    held: AccountListOut | None


class ListedAccountOut(Answer):
    """An account of a system, and who stands behind it. `finding`: nobody, left, still_there, or empty; it is to be
    mended by `due`, by who `answers`."""

    account: str
    system: str
    name: str
    email: str
    rights: list[str]
    person: str | None
    person_name: str
    service: bool
    because: Match
    used: MaybeMoment
    said_owner: str
    linked_by_name: str
    finding: str
    since: MaybeMoment
    due: MaybeMoment
    answers: str
    answers_name: str


class ListedAccountsOut(Answer):
    """A page of accounts; the next one begins after `next` (empty: this is the last)."""

    accounts: list[ListedAccountOut]
    total: int
    next: str


async def list_systems(services: Services, at: AsOf) -> list[SystemOut]:
    """The systems that have a list."""
    return [SystemOut.model_validate(each) for each in await services.reader(rows.systems, at)]


async def list_findings(services: Services, at: AsOf) -> list[ListedAccountOut]:
    """The accounts of all systems behind which nobody stands who is here; what is due first comes first."""
    return [ListedAccountOut.model_validate(each) for each in await services.reader(rows.findings, at)]


async def list_accounts(
    system: Id,
    services: Services,
    at: AsOf,
    finding: Annotated[Literal["", "any", "nobody", "left", "still_there"], Query()] = "",
    search: Annotated[str, Query(max_length=100)] = "",
    after: Annotated[str, Query(max_length=100)] = "",
    most: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> ListedAccountsOut:
    """A page of the accounts of a system, by name."""
    which = rows.AccountFilter(finding, search)
    page = await services.reader(rows.accounts, at, system, which, Window(after, most))
    found = [ListedAccountOut.model_validate(each) for each in page.rows]
    return ListedAccountsOut(accounts=found, total=page.total, next=page.next)


async def list_lists(system: Id, services: Services, at: AsOf) -> list[AccountListOut]:
    """The lists of a system, the newest first."""
    return [AccountListOut.model_validate(each) for each in await services.reader(rows.lists, at, system)]


async def bring(system: Id, body: ListIn, caller: Who, services: Services) -> ListBroughtOut:
    """Take a list of a system's accounts, whole or not at all; the brake may hold it. Or, as a dry run, look at it."""
    brought, random = _brought(system, body), services.random
    if body.dry_run:
        planned = await plan_list(services.ledger, caller.actor, brought)
        if isinstance(planned, InvalidList):
            raise _problems(planned)
        return _of_plan("planned", "", done(planned))
    found = await import_list(services.ledger, caller.actor, brought, lambda prefix: new_id(prefix, random))
    if isinstance(found, InvalidList):
        raise _problems(found)
    if isinstance(found, Refused):
        raise ApiError(found)
    return _of_plan("held" if isinstance(found, ListHeld) else "taken", found.list, found.plan)


async def release(system: Id, body: ListDigestIn, caller: Who, services: Services) -> Done:
    """Let a held list through for its next import: another administrator, under a fresh factor."""
    done(await release_list(services.ledger, caller.actor, system, body.digest))
    return Done()


async def link(system: Id, body: LinkIn, caller: Who, services: Services) -> Done:
    """Say who stands behind an account."""
    person = await _one(services, body.person) if body.person else None
    done(await link_account(services.ledger, caller.actor, system, body.account, person, body.service))
    return Done()


async def answer_for(system: Id, body: SystemIn, caller: Who, services: Services) -> Done:
    """Say who answers for what is found of a system's accounts, and within how many days."""
    owner = await _one(services, body.owner)
    done(await set_system(services.ledger, caller.actor, system, owner, body.days))
    return Done()


async def _one(services: Services, named: str) -> str:
    people = await services.reader(meant, None, named)
    if len(people) != 1:
        raise ApiError(Refused("person.unknown", "Nobody here, or several, are called that.", "/people"))
    return people[0]


def _problems(found: InvalidList) -> ApiError:
    refused = Refused("account_list.invalid", f"The file has {found.count:,} mistakes; nothing was applied.")
    problems = tuple(
        Problem("list", each.line, 1, ": ".join(filter(None, (each.column, each.message))), "") for each in found.errors
    )
    return ApiError(refused, problems=problems)


def _brought(system: str, body: ListIn) -> Brought:
    try:
        data = b64decode(body.data.encode("ascii"), validate=True)
    except ValueError:
        raise ApiError(Refused("input.data", "The file is not base64.")) from None
    try:
        return Brought(data, system, parse(body.made) if body.made else None)
    except (ValueError, OverflowError):
        raise ApiError(Refused("input.made", "This is no time.", "Such as 2026-03-31T14:00:00Z.")) from None


def _of_plan(outcome: Literal["planned", "taken", "held"], name: str, plan: ListPlan) -> ListBroughtOut:
    found = plan.difference
    return ListBroughtOut(
        outcome=outcome,
        list=name,
        digest=plan.digest,
        made=plan.made,
        accounts=found.accounts,
        before=found.before,
        added=len(found.added),
        changed=len(found.changed),
        gone=len(found.gone),
        nobody=found.nobody,
        held=plan.held,
    )


ROUTES = (
    Route("GET", "/systems", READERS, list_systems),
    Route("GET", "/systems/findings", READERS, list_findings),
    Route("GET", "/systems/{system}/accounts", READERS, list_accounts),
    Route("GET", "/systems/{system}/lists", READERS, list_lists),
    Route("POST", "/systems/{system}/lists", ADMINISTER, bring),
    Route("POST", "/systems/{system}/release", ADMINISTER, release),
    Route("POST", "/systems/{system}/links", ADMINISTER, link),
    Route("POST", "/systems/{system}/owner", ADMINISTER, answer_for),
)
