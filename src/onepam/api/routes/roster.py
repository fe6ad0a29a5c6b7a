"""The staff roster: how it stands, what a version would change, taking one, releasing one, where it comes from."""

import asyncio
from base64 import b64decode, b64encode
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from onepam.api.errors import ApiError
from onepam.api.guard import AsOf, Services, Who, done, right
from onepam.api.models import Answer, Body, Digest, Done, MaybeMoment, Moment, Seconds
from onepam.api.routes.route import Route
from onepam.api.services import ApiServices
from onepam.app.roster.follow_roster import follow_roster
from onepam.app.roster.take_roster import (
    NewId,
    Upload,
    plan_roster,
    release_roster,
    set_roster_rules,
    set_roster_source,
    take_roster,
    zone_of,
)
from onepam.domain.access.model import ConsoleRight
from onepam.domain.matrix.parse import Problem
from onepam.domain.roster.difference import Entry
from onepam.domain.roster.directory import parse_directory, read_directory
from onepam.domain.roster.events import SOURCE_SECRET, UPLOAD, RosterRules, RosterSourceSet
from onepam.domain.roster.file import InvalidRoster
from onepam.domain.roster.taking import LEAST_BRAKE, MOST_BRAKE, Held, RosterPlan, Took
from onepam.egress.ldap.client import checked
from onepam.kernel.clock import HOUR, SECOND
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.kernel.secret import Secret
from onepam.store.read import staff as rows
from onepam.store.read.reconciliation import reconciliation

ADMINISTER = right(ConsoleRight.ADMINISTER)
READERS = right(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR)
MOST_LISTED = 1_000
TRY_SECONDS = 30.0


class RosterFileIn(Body):
    """A CSV file, its bytes in base64."""

    data: Annotated[str, StringConstraints(max_length=7 * 1024 * 1024)]


class RosterApplyIn(RosterFileIn):
    """A file with the digest of the dry run that was looked at."""

    digest: Digest


class RosterDigestIn(Body):
    """The digest of the held version."""

    digest: Digest


class RosterSourceIn(Body):
    """Where the roster is pulled from (empty: it is uploaded only), and the header that carries a secret. With
    `directory`, the settings of one (see docs/roster.md), the secret is its account's password."""

    url: Annotated[str, StringConstraints(max_length=2000)]
    interval_seconds: Annotated[int, Field(ge=1, le=10_000_000)] = 3600
    header: Annotated[str, StringConstraints(max_length=100)] = ""
    secret: Annotated[str, StringConstraints(max_length=2000)] = ""
    directory: dict[str, Annotated[str, StringConstraints(max_length=2000)]] | None = None


class RosterRulesIn(Body):
    """How versions are judged from now on; what is left out stays. `columns`: other names of columns, by ours."""

    brake_percent: Annotated[int | None, Field(ge=LEAST_BRAKE, le=MOST_BRAKE)] = None
    stale_hours: Annotated[int | None, Field(ge=1, le=720)] = None
    creates: bool | None = None
    columns: dict[str, Annotated[str, StringConstraints(max_length=100)]] | None = None


class RosterRulesOut(Answer):
    """How versions are judged: held whole above `brake_percent` of accounts or rows; `creates`: who is new on the
    roster get an account."""

    brake_percent: int
    stale_hours: int
    creates: bool
    columns: dict[str, str]


class EntryNamed(Answer):
    """Somebody on the roster."""

    number: str | None
    name: str | None
    email: str | None


class RosterPlanOut(Answer):
    """What a version would do. The lists hold the first thousand; `held`: why the brake would hold it."""

    digest: str
    rows: int
    added: int
    changed: int
    ended: int
    leavers: int
    accounts: int
    held: str | None
    who_leaves: list[str]
    who_ends: list[EntryNamed]
    who_changes: list[EntryNamed]
    who_is_new: list[EntryNamed]


class RosterTakenOut(Answer):
    """What became of a version, and of how many accounts: `left` lost their access."""

    outcome: Literal["taken", "held"]
    version: str
    plan: RosterPlanOut | None
    linked: int
    changed: int
    left: int
    added: int


class RosterVersionOut(Answer):
    """A version of the roster; `said` is what was wrong with it, or who would have left."""

    version: str
    standing: str
    digest: str
    source: str
    because: str
    rows: int
    added: int
    changed: int
    ended: int
    leavers: int
    received: Moment
    said: list[str]


class RosterFindingOut(Answer):
    """Where roster and accounts do not agree."""

    kind: str
    person: str | None
    name: str
    since: Moment
    detail: str


class RosterOut(Answer):
    """How the roster stands, its versions, and where it and the accounts do not agree."""

    stale: bool
    held: RosterVersionOut | None
    taken: RosterVersionOut | None
    host: str
    interval_seconds: Seconds
    rules: RosterRulesOut
    versions: list[RosterVersionOut]
    counts: dict[str, int]
    findings: list[RosterFindingOut]


class RosterEntryOut(Answer):
    """Somebody on the roster; manager and sponsor by name."""

    person: str | None
    number: str | None
    name: str | None
    email: str | None
    type: str
    manager: str | None
    sponsor: str | None
    starts: MaybeMoment
    ends: MaybeMoment


async def shown(services: Services, at: AsOf) -> RosterOut:
    """How the roster stands, and the reconciliation with the accounts."""
    health = await services.reader(rows.health, at)
    found = await services.reader(reconciliation, at)
    source = health.source
    return RosterOut(
        stale=health.stale,
        held=RosterVersionOut.model_validate(health.held) if health.held else None,
        taken=RosterVersionOut.model_validate(health.taken) if health.taken else None,
        host=source.host if source else "",
        interval_seconds=source.interval if source else 0,
        rules=_rules(health.rules),
        versions=[RosterVersionOut.model_validate(each) for each in await services.reader(rows.versions, at)],
        counts=dict(found.counts),
        findings=[RosterFindingOut.model_validate(each) for each in found.findings],
    )


async def list_roster(services: Services, at: AsOf) -> list[RosterEntryOut]:
    """Who is on the roster."""
    return [RosterEntryOut.model_validate(each) for each in await services.reader(rows.entries, at)]


async def plan(body: RosterFileIn, caller: Who, services: Services) -> RosterPlanOut:
    """What a version would change. Nothing is recorded."""
    found = await plan_roster(services.ledger, caller.actor, _upload(body, services), _ids(services))
    if isinstance(found, InvalidRoster):
        raise _problems(found)
    return _plan(done(found))


async def apply(body: RosterApplyIn, caller: Who, services: Services) -> RosterTakenOut:
    """Take the version whole, or have it held by the brake."""
    ids = _ids(services)
    found = await take_roster(services.ledger, caller.actor, _upload(body, services), body.digest, ids)
    match found:
        case InvalidRoster():
            raise _problems(found)
        case Refused():
            raise ApiError(found)
        case Held():
            plan = _plan(found.plan)
            return RosterTakenOut(
                outcome="held", version=found.version, plan=plan, linked=0, changed=0, left=0, added=0
            )
        case Took():
            steps = await follow_roster(services.ledger, ids)
            return RosterTakenOut(
                outcome="taken",
                version=found.version,
                plan=None,
                linked=steps.linked,
                changed=steps.changed,
                left=steps.left,
                added=steps.added,
            )


async def release(body: RosterDigestIn, caller: Who, services: Services) -> Done:
    """Let a held version through for its next take. Needs a fresh factor."""
    done(await release_roster(services.ledger, caller.actor, body.digest))
    return Done()


async def source(body: RosterSourceIn, caller: Who, services: Services) -> Done:
    """Set where the roster is pulled from. Needs a fresh factor."""
    host = _host(body)
    sealed = None
    if body.secret:
        sealed = b64encode(services.envelope.seal(Secret(body.secret.encode()), SOURCE_SECRET)).decode("ascii")
    event = RosterSourceSet(
        host,
        body.interval_seconds * SECOND,
        caller.actor.person,
        body.url or None,
        body.header or None,
        sealed,
        body.directory,
    )
    done(await set_roster_source(services.ledger, caller.actor, event))
    return Done()


async def try_source(body: RosterSourceIn, caller: Who, services: Services) -> RosterPlanOut:
    """What a directory, read now with these settings, would change. Nothing is recorded, and none of it is kept."""
    if body.directory is None:
        raise ApiError(Refused("input.directory", "Only a directory can be tried.", "Plan a file by /roster/plan."))
    host, wanted = _host(body), done(parse_directory(body.directory))
    entries = done(await services.directory.entries(body.url, wanted, body.secret, TRY_SECONDS))
    read = await asyncio.to_thread(read_directory, entries, wanted, zone_of)
    upload = Upload(read, host, services.clock())
    found = await plan_roster(services.ledger, caller.actor, upload, _ids(services))
    if isinstance(found, InvalidRoster):
        raise _problems(found)
    return _plan(done(found))


async def rules(body: RosterRulesIn, caller: Who, services: Services) -> RosterRulesOut:
    """Set how versions are judged. Needs a fresh factor."""
    known = (await services.reader(rows.health)).rules
    judged = RosterRules(
        known.brake_percent if body.brake_percent is None else body.brake_percent,
        known.stale_after if body.stale_hours is None else body.stale_hours * HOUR,
        known.creates if body.creates is None else body.creates,
        known.columns if body.columns is None else tuple(sorted(body.columns.items())),
    )
    done(await set_roster_rules(services.ledger, caller.actor, judged))
    return _rules(judged)


def _rules(known: RosterRules) -> RosterRulesOut:
    return RosterRulesOut(
        brake_percent=known.brake_percent,
        stale_hours=known.stale_after // HOUR,
        creates=known.creates,
        columns=dict(known.columns),
    )


def _host(body: RosterSourceIn) -> str:
    if body.directory is not None:
        wanted = done(parse_directory(body.directory))
        if zone_of(wanted.zone) is None:
            raise ApiError(Refused("input.zone", f"{wanted.zone[:60]!r} is not a time zone.", "Such as Europe/Berlin."))
        if bool(wanted.bind_dn) != bool(body.secret):
            raise ApiError(Refused("directory.password", "An account needs a password, and a password an account."))
        return done(checked(body.url, wanted))[0]
    try:
        parts = urlsplit(body.url)
    except ValueError:
        parts = urlsplit("")
    if body.url and (not parts.hostname or parts.scheme not in ("https", "http")):
        raise ApiError(Refused("input.url", "This is not a web address.", "Such as https://hr.example.com/roster.csv"))
    return parts.hostname or ""


def _upload(body: RosterFileIn, services: ApiServices) -> Upload:
    try:
        data = b64decode(body.data.encode("ascii"), validate=True)
    except ValueError:
        raise ApiError(Refused("input.data", "The file is not base64.")) from None
    return Upload(data, UPLOAD, services.clock())


def _problems(found: InvalidRoster) -> ApiError:
    what = "directory" if found.errors[0].place else "file"
    refused = Refused("roster.invalid", f"The {what} has {found.count:,} mistakes; nothing was applied.")
    problems = tuple(
        Problem("roster", each.line, 1, ": ".join(filter(None, (each.place, each.column, each.message))), "")
        for each in found.errors
    )
    return ApiError(refused, problems=problems)


def _plan(found: RosterPlan) -> RosterPlanOut:
    what = found.difference
    return RosterPlanOut(
        digest=found.digest,
        rows=what.rows,
        added=len(what.added),
        changed=len(what.changed),
        ended=len(what.ended),
        leavers=len(what.leavers),
        accounts=found.accounts,
        held=found.held,
        who_leaves=[each.name for each in what.leavers[:MOST_LISTED]],
        who_ends=[_named(each) for each in what.ended[:MOST_LISTED]],
        who_changes=[_named(each.after) for each in what.changed[:MOST_LISTED] if each.after],
        who_is_new=[_named(each) for each in what.added[:MOST_LISTED]],
    )


def _named(each: Entry) -> EntryNamed:
    return EntryNamed(number=each.number, name=each.name, email=each.email)


def _ids(services: ApiServices) -> NewId:
    return lambda prefix: new_id(prefix, services.random)


ROUTES = (
    Route("GET", "/roster", READERS, shown),
    Route("GET", "/roster/entries", READERS, list_roster),
    Route("POST", "/roster/plan", ADMINISTER, plan),
    Route("POST", "/roster/apply", ADMINISTER, apply),
    Route("POST", "/roster/release", ADMINISTER, release),
    Route("POST", "/roster/source", ADMINISTER, source),
    Route("POST", "/roster/source/plan", ADMINISTER, try_source),
    Route("POST", "/roster/rules", ADMINISTER, rules),
)
