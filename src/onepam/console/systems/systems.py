"""Other systems: how their accounts stand, what is found, bringing a list, and who stands behind an account."""

from starlette.responses import Response

from onepam.app.systems.answer_for import link_account, set_system
from onepam.app.systems.import_accounts import Brought, import_list, release_list
from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged, pager
from onepam.console.frame.period import day_begins
from onepam.console.frame.places import ADMINISTERS, SEES_ALL, Place, Shown
from onepam.console.frame.rendering import Flash, field_time, plural
from onepam.console.frame.sheet import every, sheet
from onepam.console.frame.visit import Visit
from onepam.console.systems.systems_page import SystemPage, SystemsPage
from onepam.domain.access.model import ConsoleRight
from onepam.domain.roster.cells import MAX_FILE_BYTES
from onepam.domain.systems.events import Match, Standing
from onepam.domain.systems.file import InvalidList
from onepam.domain.systems.importing import AGAIN, SHRINKS, ListHeld
from onepam.kernel.clock import Instant, iso
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read import systems as rows
from onepam.store.read.concerned import meant
from onepam.store.read.paging import Page, Window

HERE = "/systems"
MOST_SHOWN = 100

HELD_WORDS = {
    SHRINKS: "It lacks more than half of the accounts of the list in force.",
    AGAIN: "These very bytes were in force before the list that is.",
}
FINDINGS = {
    rows.NOBODY: "nobody stands behind it",
    rows.LEFT: "who stood behind it has left",
    rows.STILL_THERE: "who stood behind it has left, and it is still there",
}
KNOWN = {
    Match.EMAIL: "by e-mail",
    Match.NAME: "by its name",
    Match.OWNER: "as the owner",
    Match.SAID: "an administrator said so",
    Match.NOBODY: "",
}
_NOBODY_SUCH = Refused("person.unknown", "Nobody here, or several, are called that.", "Give an address or an id.")


async def systems_page(visit: Visit) -> Response:
    """All systems, and what is found of their accounts."""
    return visit.page(await _all(visit))


async def bring(visit: Visit) -> Response:
    """Takes an uploaded list, or has the brake hold it."""
    system = visit.form.get("system", "").strip().casefold()
    made = _made(visit)
    if isinstance(made, Refused):
        return visit.outcome(made, HERE, "")
    brought, random = Brought(visit.file, system, made), visit.services.random
    outcome = await import_list(visit.services.ledger, visit.me.actor, brought, lambda prefix: new_id(prefix, random))
    if isinstance(outcome, InvalidList):
        return visit.page(await _all(visit, [str(each) for each in outcome.errors], outcome.count), 422)
    if isinstance(outcome, Refused):
        return visit.outcome(outcome, HERE, "")
    found = outcome.plan.difference
    if isinstance(outcome, ListHeld):
        said = Flash("refused", "The brake holds this list.", "Nothing of it was applied.")
        return visit.go(f"{HERE}/{system}", said)
    changes = f"{len(found.added)} added, {len(found.changed)} changed, {len(found.gone)} gone"
    done = f"{plural(found.accounts, 'account')}: {changes}."
    return visit.go(f"{HERE}/{system}", Flash("done", "The list is in force.", done))


async def system_page(visit: Visit) -> Response:
    """One system, its accounts narrowed, a page at a time; or all of them as a sheet."""
    system, query = visit.path("system"), visit.request.query_params
    wanted = {name: query.get(name, "").strip()[:100] for name in ("q", "finding")}
    which = rows.AccountFilter(wanted["finding"], wanted["q"])
    if visit.wants_sheet():
        return _sheet(visit, system, which)
    window = paged(visit)
    found = {each.system: each for each in await visit.services.reader(rows.systems, visit.at)}
    if system not in found:
        return visit.refusal(Refused("account_list.unknown", "There is no list of such a system.", HERE), 404)
    page = await visit.services.reader(rows.accounts, visit.at, system, which, window)
    it, may_take = found[system], visit.me.has(ConsoleRight.ADMINISTER)
    held = it.held if it.held is not None and it.held.standing is Standing.HELD else None
    return visit.page(
        SystemPage(
            system=it,
            held_why=HELD_WORDS.get(it.held.because, it.held.because) if it.held is not None else "",
            filter=wanted,
            accounts=[_account(each, visit.moment) for each in page.rows],
            pager=pager(page, window, wanted),
            lists=await visit.services.reader(rows.lists, visit.at, system),
            may_take=may_take,
            releases=may_take and held is not None and held.by != visit.me.actor.person,
        )
    )


async def release(visit: Visit) -> Response:
    """Lets the held list through for its next import."""
    system = visit.path("system")
    back = f"{HERE}/{system}"
    digest = visit.form.get("digest", "")
    refused = await release_list(visit.services.ledger, visit.me.actor, system, digest)
    if refused is not None and refused.code == "factor.stale":
        return visit.go(f"/step-up?next={back}", Flash("note", refused.message))
    return visit.outcome(refused, back, "Released: the next time exactly these bytes come, they are taken.")


async def link(visit: Visit) -> Response:
    """Says who stands behind an account."""
    system, named = visit.path("system"), visit.form.get("person", "").strip()
    back = visit.back(f"{HERE}/{system}")
    people = await visit.services.reader(meant, None, named) if named else ()
    if named and len(people) != 1:
        return visit.outcome(_NOBODY_SUCH, back, "")
    person, service = (people[0] if people else None), visit.form.get("service") == "yes"
    account = visit.form.get("account", "")
    refused = await link_account(visit.services.ledger, visit.me.actor, system, account, person, service)
    return visit.outcome(refused, back, "It is said so. Lists change it no more.")


async def answer_for(visit: Visit) -> Response:
    """Says who answers for what is found, and within how many days."""
    system, days = visit.path("system"), visit.form.get("days", "")
    back = f"{HERE}/{system}"
    people = await visit.services.reader(meant, None, visit.form.get("owner", "").strip())
    if len(people) != 1:
        return visit.outcome(_NOBODY_SUCH, back, "")
    within = int(days) if days.isascii() and days.isdigit() and len(days) < 4 else 0
    refused = await set_system(visit.services.ledger, visit.me.actor, system, people[0], within)
    return visit.outcome(refused, back, "It is said so.")


async def _all(visit: Visit, errors: list[str] | None = None, count: int = 0) -> SystemsPage:
    found = await visit.services.reader(rows.findings, visit.at)
    return SystemsPage(
        systems=await visit.services.reader(rows.systems, visit.at),
        findings=[
            {
                **_account(each, visit.moment),
                "system": each.system,
                "since": each.since,
                "answers": each.answers_name,
            }
            for each in found[:MOST_SHOWN]
        ],
        more=max(0, len(found) - MOST_SHOWN),
        errors=errors or [],
        error_count=count,
        may_take=visit.me.has(ConsoleRight.ADMINISTER),
    )


def _account(each: rows.AccountRow, at: Instant) -> Context:
    return {
        "account": each.account,
        "name": each.name or "erased",
        "email": each.email,
        "rights": ", ".join(each.rights),
        "person": each.person,
        "person_name": each.person_name,
        "service": each.service,
        "known": f"{KNOWN[each.because]}: {each.linked_by_name}" if each.linked_by_name else KNOWN[each.because],
        "used": each.used,
        "said_owner": each.said_owner,
        "words": FINDINGS.get(each.finding, ""),
        "due": each.due,
        "overdue": each.due is not None and each.due <= at,
    }


def _sheet(visit: Visit, system: str, which: rows.AccountFilter) -> Response:
    at = visit.moment

    async def asked(window: Window) -> Page[rows.AccountRow]:
        return await visit.services.reader(rows.accounts, at, system, which, window)

    def line(each: rows.AccountRow) -> list[tuple[object, ...]]:
        who = (each.person or "", each.person_name, "owner" if each.service else "", KNOWN[each.because])
        times = (iso(each.used) if each.used is not None else "", iso(each.due) if each.due is not None else "")
        finding = FINDINGS.get(each.finding, "")
        return [(each.name, "; ".join(each.rights), each.email, *who, finding, each.answers_name, *times)]

    head = ("account", "rights", "email", "person", "name", "as", "known", "finding", "answers", "last used", "due")
    return sheet(f"accounts-{field_time(at).replace(':', '')}.csv", head, every(asked, line))


def _made(visit: Visit) -> Instant | Refused | None:
    """When a list was made: at the end of the day that is named, or now."""
    text = visit.form.get("made", "").strip()
    if not text:
        return None
    begins, ends = day_begins(text), day_begins(text, 1)
    if begins is None or ends is None or begins > visit.now:
        return Refused("account_list.made", "This is no day that a list can be of.", "Such as 2026-11-29.")
    return min(Instant(ends - 1), visit.now)


PLACES = (
    Place("GET", HERE, SEES_ALL, systems_page, Shown("Systems", "external-link", "Identity")),
    Place("POST", HERE, ADMINISTERS, bring, most_bytes=MAX_FILE_BYTES + 64 * 1024),
    Place("GET", "/systems/{system}", SEES_ALL, system_page),
    Place("POST", "/systems/{system}/release", ADMINISTERS, release),
    Place("POST", "/systems/{system}/link", ADMINISTERS, link),
    Place("POST", "/systems/{system}/owner", ADMINISTERS, answer_for),
)
