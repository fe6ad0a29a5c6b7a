"""The staff roster: how it stands, what does not agree with the accounts, and taking a version after a dry run."""

import zlib
from base64 import b64decode, b64encode
from urllib.parse import urlsplit

from starlette.responses import Response

from onepam.app.ports import Snapshot
from onepam.app.roster.follow_roster import follow_roster
from onepam.app.roster.take_roster import (
    NewId,
    Upload,
    plan_roster,
    release_roster,
    set_roster_rules,
    set_roster_source,
    take_roster,
)
from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged, pager
from onepam.console.frame.places import ADMINISTERS, SEES_ALL, Place, Shown
from onepam.console.frame.rendering import Flash, field_time, plural
from onepam.console.frame.sheet import every, sheet
from onepam.console.frame.visit import Visit
from onepam.console.roster.roster_page import RosterPage, RosterPlanPage
from onepam.domain.access.model import ConsoleRight
from onepam.domain.roster.cells import MAX_FILE_BYTES
from onepam.domain.roster.difference import Changed, Entry
from onepam.domain.roster.events import SOURCE_SECRET, UPLOAD, RosterRules, RosterSourceSet
from onepam.domain.roster.file import COLUMNS, InvalidRoster
from onepam.domain.roster.taking import Held, RosterPlan, Took
from onepam.kernel.clock import HOUR, MINUTE, Instant, iso
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.kernel.secret import Secret
from onepam.store.read import staff as rows
from onepam.store.read.paging import Page, Window
from onepam.store.read.reconciliation import Finding, FindingFilter, Findings, findings

MOST_SHOWN = 200
MOST_FORM_BYTES = 2 * MAX_FILE_BYTES

HELD_WORDS = {
    "roster.empty": "It is empty.",
    "roster.shrinks": "It drops too many rows.",
    "roster.leavers": "It would end the access of too many people.",
}
ACCOUNTS = {
    "left_enabled": "left by the roster, and the account is enabled",
    "no_entry": "on no roster",
    "owner_gone": "service account, its owner is not on the roster",
    "sponsor_gone": "vendor, the sponsor has left",
    "manager_gone": "the manager has left",
    "other_address": "another address on the roster: renamed, or the number went to somebody else",
    "not_bounded": "vendor without a sponsor or an end",
}
PEOPLE = {"disabled": "on the roster, and the account is disabled", "no_account": "on the roster, without an account"}
_SAID = ACCOUNTS | PEOPLE


async def roster_page(visit: Visit) -> Response:
    """How the roster stands, and what does not agree with the accounts, narrowed, a page at a time; or as a sheet."""
    query = visit.request.query_params
    wanted = {name: query.get(name, "").strip()[:100] for name in ("q", "finding")}
    if visit.wants_sheet():
        return _sheet(visit, wanted)
    may_take = visit.me.has(ConsoleRight.ADMINISTER)
    return visit.page(await visit.services.reader(_page, visit.at, wanted, paged(visit), may_take))


async def plan(visit: Visit) -> Response:
    """What an uploaded file would do. Nothing is recorded."""
    upload = Upload(visit.file, UPLOAD, visit.now)
    planned = await plan_roster(visit.services.ledger, visit.me.actor, upload, _ids(visit))
    if isinstance(planned, InvalidRoster):
        return _invalid(visit, planned)
    if isinstance(planned, Refused):
        return visit.outcome(planned, "/roster", "")
    kept = b64encode(zlib.compress(visit.file, 6)).decode("ascii")
    return visit.page(RosterPlanPage(plan=_plan(planned), file=kept, errors=[], error_count=0))


async def take(visit: Visit) -> Response:
    """Takes the file of the dry run, by its digest."""
    data = _unpacked(visit.form.get("file", ""))
    if data is None:
        return visit.outcome(Refused("form.malformed", "This could not be read."), "/roster", "")
    upload = Upload(data, UPLOAD, visit.now)
    digest = visit.form.get("digest", "")
    match await take_roster(visit.services.ledger, visit.me.actor, upload, digest, _ids(visit)):
        case Took():
            steps = await follow_roster(visit.services.ledger, _ids(visit))
            left = plural(steps.left, "person", "people")
            done = f"{left} lost their access, {steps.changed} changed, {steps.added} added."
            return visit.go("/roster", Flash("done", "The roster is in force.", done))
        case Held():
            return visit.go("/roster", Flash("refused", "The brake holds this version.", "Nothing of it was applied."))
        case InvalidRoster() as invalid:
            return _invalid(visit, invalid)
        case Refused() as refused:
            return visit.outcome(refused, "/roster", "")


async def release(visit: Visit) -> Response:
    """Lets the held version through for its next take."""
    refused = await release_roster(visit.services.ledger, visit.me.actor, visit.form.get("digest", ""))
    if refused is not None and refused.code == "factor.stale":
        return visit.go("/step-up?next=/roster", Flash("note", refused.message))
    return visit.outcome(refused, "/roster", "Released: the next time exactly these bytes come, they are taken.")


async def source(visit: Visit) -> Response:
    """Where the roster is pulled from; without an address it is uploaded only."""
    form, url = visit.form, visit.form.get("url", "").strip()
    value, minutes = form.get("secret", ""), form.get("minutes", "60")
    sealed = None
    if value:
        sealed = b64encode(visit.services.envelope.seal(Secret(value.encode()), SOURCE_SECRET)).decode("ascii")
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:  # such as an unclosed bracket
        host = ""
    if url and (not host or not url.startswith(("https://", "http://"))):
        return visit.outcome(Refused("fetch.url", "This is not a web address."), "/roster", "")
    header = form.get("header", "").strip() or None
    interval = int(minutes) * MINUTE if minutes.isdecimal() and len(minutes) < 6 else 0
    event = RosterSourceSet(host, interval, visit.me.actor.person, url or None, header, sealed)
    refused = await set_roster_source(visit.services.ledger, visit.me.actor, event)
    return visit.outcome(refused, "/roster", "It is pulled within seconds." if host else "It is uploaded only.")


async def rules(visit: Visit) -> Response:
    """How versions are judged."""
    form = visit.form
    percent, hours = form.get("brake", ""), form.get("stale", "")
    columns = tuple(
        (name, form[f"column-{name}"].strip()) for name in COLUMNS if form.get(f"column-{name}", "").strip()
    )
    judged = RosterRules(
        int(percent) if percent.isdecimal() and len(percent) < 4 else 0,
        int(hours) * HOUR if hours.isdecimal() and len(hours) < 5 else 0,
        form.get("creates") == "yes",
        columns,
    )
    return visit.outcome(
        await set_roster_rules(visit.services.ledger, visit.me.actor, judged), "/roster", "Versions are judged so."
    )


def _page(db: Snapshot, at: Instant, wanted: Context, window: Window, may_take: bool) -> RosterPage:
    health, found = rows.health(db, at), findings(db, at, _filter(wanted), window)
    held = health.held
    return RosterPage(
        may_take=may_take,
        taken=health.taken,
        stale=health.stale,
        source=health.source,
        rules=health.rules,
        columns=[(name, dict(health.rules.columns).get(name, "")) for name in COLUMNS],
        trouble=health.trouble,
        held=held,
        held_why=HELD_WORDS.get(held.because, held.because) if held else "",
        accounts=_counted(found, ACCOUNTS),
        people=_counted(found, PEOPLE),
        filter=wanted,
        findings=[
            {
                "person": each.person,
                "name": each.name,
                "words": _SAID[each.kind],
                "detail": each.detail,
                "since": each.since,
            }
            for each in found.page.rows
        ],
        pager=pager(found.page, window, wanted),
        versions=rows.versions(db, at, 20),
    )


def _filter(wanted: Context) -> FindingFilter:
    return FindingFilter(wanted["finding"], wanted["q"])


def _counted(found: Findings, words: dict[str, str]) -> list[Context]:
    return [
        {"kind": kind, "words": said, "count": found.counts[kind]}
        for kind, said in words.items()
        if found.counts.get(kind)
    ]


def _sheet(visit: Visit, wanted: Context) -> Response:
    at, which = visit.moment, _filter(wanted)

    async def asked(window: Window) -> Page[Finding]:
        return (await visit.services.reader(findings, at, which, window)).page

    head = ("name", "finding", "detail", "since", "account")
    parts = every(asked, lambda row: [(row.name, _SAID[row.kind], row.detail, iso(row.since), row.person or "")])
    return sheet(f"roster-findings-{field_time(at).replace(':', '')}.csv", head, parts)


def _plan(planned: RosterPlan) -> Context:
    found = planned.difference
    return {
        "digest": planned.digest,
        "rows": found.rows,
        "before": found.before,
        "held": HELD_WORDS.get(planned.held, planned.held) if planned.held else "",
        "released": planned.released,
        "leavers": [{"id": each.person, "name": each.name} for each in found.leavers[:MOST_SHOWN]],
        "added": [_entry(each) for each in found.added[:MOST_SHOWN]],
        "changed": [_changed(each) for each in found.changed[:MOST_SHOWN]],
        "ended": [_entry(each) for each in found.ended[:MOST_SHOWN]],
        "counts": {
            "added": len(found.added),
            "changed": len(found.changed),
            "ended": len(found.ended),
            "leavers": len(found.leavers),
        },
    }


def _entry(each: Entry) -> Context:
    return {"name": each.name or "erased", "detail": f"{each.number or ''} {each.email or ''}".strip()}


def _changed(each: Changed) -> Context:
    before, after = each.before, each.after
    assert before is not None
    assert after is not None
    fields = ("number", "name", "email", "type", "manager", "sponsor", "starts", "ends", "time_zone")
    what = [name.replace("_", " ") for name in fields if getattr(before, name) != getattr(after, name)]
    return {**_entry(after), "what": ", ".join(what) or "account"}


def _invalid(visit: Visit, invalid: InvalidRoster) -> Response:
    errors = [str(each) for each in invalid.errors]
    return visit.page(RosterPlanPage(plan=None, file="", errors=errors, error_count=invalid.count), 422)


def _unpacked(text: str) -> bytes | None:
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(b64decode(text.encode("ascii"), validate=True), MAX_FILE_BYTES + 1)
    except (ValueError, zlib.error):
        return None
    return data


def _ids(visit: Visit) -> NewId:
    return lambda prefix: new_id(prefix, visit.services.random)


PLACES = (
    Place("GET", "/roster", SEES_ALL, roster_page, Shown("Staff roster", "user", "Identity")),
    Place("POST", "/roster/plan", ADMINISTERS, plan, most_bytes=MOST_FORM_BYTES),
    Place("POST", "/roster", ADMINISTERS, take, most_bytes=MOST_FORM_BYTES),
    Place("POST", "/roster/release", ADMINISTERS, release),
    Place("POST", "/roster/source", ADMINISTERS, source),
    Place("POST", "/roster/rules", ADMINISTERS, rules),
)
