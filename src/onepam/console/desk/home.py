"""Home: what waits for the reader, what they run, watch or audit; and the launcher: what is open, what may be asked
for, their requests and sessions."""

from dataclasses import dataclass

from starlette.responses import Response

from onepam.app.ports import LedgerHealth, Snapshot
from onepam.app.requests.make_request import When, make_request
from onepam.console.desk.health import lights, wall
from onepam.console.desk.home_page import HomePage
from onepam.console.desk.reading import read_room, wanted
from onepam.console.frame.page import Context
from onepam.console.frame.period import typed_instant
from onepam.console.frame.places import DECIDES, MEMBER, Place, Shown
from onepam.console.frame.rendering import Flash, day, duration, plural, words
from onepam.console.frame.services import ConsoleServices
from onepam.console.frame.view import View
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import visible
from onepam.console.matrix.launching import offers, opened
from onepam.console.roster.roster import HELD_WORDS
from onepam.domain.access.authority import ActorFacts
from onepam.domain.access.model import ConsoleRight
from onepam.domain.reviews.events import Withheld
from onepam.domain.roster.events import Standing
from onepam.kernel.clock import DAY, MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read.alarms import Alarm, alarms
from onepam.store.read.backups import backups
from onepam.store.read.catalogue import catalogue
from onepam.store.read.confirmations import waiting_confirmations
from onepam.store.read.console import Setup, setup
from onepam.store.read.controls.board import failing_of
from onepam.store.read.incidents import figures, of_owner
from onepam.store.read.leavers import open_doors, stranded
from onepam.store.read.names import name
from onepam.store.read.outbox import is_anybody_told
from onepam.store.read.proposals import BEGINNING, proposals
from onepam.store.read.provisioned import groups_without_directory
from onepam.store.read.requests import RequestRow, inbox, request, requests
from onepam.store.read.reviews import withheld_from
from onepam.store.read.sessions import SessionFilter, sessions
from onepam.store.read.staff import health

MOST_OPEN = 15
MOST_OFFERED = 10
MOST_BESIDE = 5
"""Of what is open, and of what may be asked for, on the home of somebody who does more here than reach resources, until
they search."""
MOST_OFFERS = 2_000
MOST_OF_MINE = 8
MOST_ALERTS = 5
MOST_WAITING = 5


async def home_page(visit: Visit) -> Response:
    """The reader's home: what waits for them, what they run, watch or audit, and the launcher; whoever has several hats
    has them one below the other. A refusal in a terminal leads here with `?request=TARGET`."""
    asked, me = visit.request.query_params, visit.me
    query = (asked.get("q") or asked.get("request", "")).strip()[:100]
    runs, watches = me.has(ConsoleRight.ADMINISTER), me.has(ConsoleRight.MONITOR)
    now = visit.at is None
    rung = visit.alarms if runs else await visit.services.reader(alarms) if watches and now else ()
    hats = _Hats(
        facts=me.facts,
        waiting=visit.waiting,
        setup=await _setup(visit),
        alerts=await _alerts(visit),
        alarms=rung,
        health=await visit.services.health() if now and (runs or watches) else None,
        reading=wanted(visit) if me.has(ConsoleRight.AUDIT) else None,
    )
    return visit.page(await visit.services.reader(_mine, visit.at, visit.services, View.of(visit), query, hats))


async def ask(visit: Visit) -> Response:
    """Asks for access; the answer is the request's own page."""
    role, _, login = visit.form.get("option", "").partition(":")
    name = visit.form.get("resource", "")[:100]
    hours, begins = visit.form.get("hours", "").strip()[:200], visit.form.get("begins", "").strip()
    minutes = _number(visit.form.get("minutes", ""))
    if hours:
        minutes = _number(visit.form.get("days", "")) * (DAY // MINUTE)
    when = typed_instant(begins) if begins else None
    if begins and when is None:
        refused = Refused("input.begins", "Not before is a time in UTC.", "Such as 2026-12-31 18:00")
        return visit.outcome(refused, visit.back("/"), "")
    latest = visit.form.get("until", "").strip()
    until = typed_instant(latest) if latest else None
    if latest and until is None:
        refused = Refused("input.until", "At most until is a time in UTC.", "Such as 2026-12-31 18:00")
        return visit.outcome(refused, visit.back("/"), "")
    made = await make_request(
        visit.services.ledger,
        visit.me.actor,
        new_id("req", visit.services.random),
        name,
        login,
        min(minutes, 1_000_000) * MINUTE,
        visit.form.get("reason", ""),
        visit.form.get("ticket", ""),
        role or None,
        When(when, hours, bool(visit.form.get("extend", "")), until),
        new_id("grt", visit.services.random),
    )
    if isinstance(made, Refused):
        already = made.code == "request.duplicate"
        return visit.outcome(made, made.hint if already else visit.back("/"), "")
    said = Flash("done", "Asked.", "You see here when somebody decided.")
    if made.given is not None:
        said = Flash("done", "Open to you.", "A rule of your role approved it at once.")
    return visit.go(f"/requests/{made.request}", said)


def _number(text: str) -> int:
    try:
        return max(0, int(text[:9]))
    except ValueError:
        return 0


@dataclass(frozen=True, slots=True)
class _Hats:
    """What a home needs besides the tables: who reads, and what was read for their rights. `waiting`: how much waits
    for their word."""

    facts: ActorFacts
    waiting: int
    setup: Context | None
    alerts: list[Context]
    alarms: tuple[Alarm, ...]
    health: LedgerHealth | None
    reading: Context | None

    @property
    def several(self) -> bool:
        """Whether they do anything here but reach resources."""
        return bool(self.facts.rights())


def _mine(db: Snapshot, at: Instant, services: ConsoleServices, view: View, query: str, hats: _Hats) -> HomePage:
    me, rights = view.person, hats.facts.rights()
    found = catalogue(db, at, me, query, MOST_OFFERS)
    beside = hats.several and not query
    most_open, most_offered = (MOST_BESIDE, MOST_BESIDE) if beside else (MOST_OPEN, MOST_OFFERED)
    offered = offers(db, at, me, found, most_offered)
    asked = requests(db, at, me, most=MOST_OF_MINE)
    been = sessions(db, at, SessionFilter(person=me, most=MOST_OF_MINE))
    decides, told = not rights.isdisjoint(DECIDES.rights), is_anybody_told(db, at)
    withheld = {role for role, _ in withheld_from(db, at, me)}
    return HomePage(
        query=query,
        waits=_waits(db, at, view, hats) if decides else None,
        setup=hats.setup,
        alerts=[*_withheld(db, at, me), *_answered_for(db, at, view), *_open(db, at, rights), *hats.alerts],
        lights=lights(hats.health, hats.alarms, told, (backups(db, at), services.backup_days), view, at)
        if hats.health is not None
        else [],
        runs=ConsoleRight.ADMINISTER in rights,
        wall=wall(db, at, hats.alarms, view) if ConsoleRight.MONITOR in rights else None,
        reading=read_room(db, at, view, hats.reading) if hats.reading is not None else None,
        launcher=bool(query or found.open or offered or asked or been or not hats.several),
        terminals=[
            {
                "id": each.confirmation,
                "target": each.resource,
                "login": each.login,
                "source": each.source,
                "ends": each.expires,
            }
            for each in waiting_confirmations(db, at, me)
        ],
        open=[opened(db, at, services, view, each) for each in found.open[:most_open]],
        open_beyond=max(0, len(found.open) - most_open),
        requestable=offered[:most_offered],
        beyond=max(0, len(offered) - most_offered) + found.beyond,
        requests=[_asked(db, at, each, withheld) for each in asked],
        sessions=[
            {
                "id": each.session,
                "resource": each.resource,
                "login": each.login,
                "started": each.opened,
                "ended": each.closed,
                "state": each.state,
            }
            for each in been
        ],
    )


def _asked(db: Snapshot, at: Instant, each: RequestRow, withheld: set[str]) -> Context:
    """A request of the reader's, with what became of it."""
    return {
        "id": each.request,
        "resource": each.resource,
        "login": each.login,
        "status": each.state,
        "at": each.made,
        "ends": each.grant_ends,
        "waiting_for": _waiting_for(db, at, each.request) if each.status == "open" else "",
        "when": each.schedule_words,
        "withheld": each.grant_state == "running" and each.role in withheld,
    }


def _waits(db: Snapshot, at: Instant, view: View, hats: _Hats) -> Context:
    """{total, first (list of {id, title, by, at})}: how much waits for the reader's word, and the oldest of it."""
    if not hats.waiting:
        return {"total": 0, "first": []}
    rights, roles = hats.facts.rights(), hats.facts.roles_with(ConsoleRight.APPROVE)
    asked = [
        {
            "id": each.row.request,
            "title": ", ".join(
                filter(
                    None,
                    (
                        f"{each.row.login} on {each.row.resource}",
                        duration(each.row.duration),
                        each.row.schedule_words,
                    ),
                )
            ),
            "by": each.row.person_name,
            "at": each.row.made,
        }
        for each in inbox(db, at, view.person, roles, BEGINNING, MOST_WAITING)
    ]
    laid = [
        {"id": each.proposal.proposal, "title": each.title, "by": each.by_name, "at": each.proposal.since}
        for each in proposals(db, at, view.person, rights, BEGINNING, MOST_WAITING)
        if each.decides
    ]
    first = sorted([*asked, *laid], key=lambda each: int(str(each["at"])))[:MOST_WAITING]
    return {"total": hats.waiting, "first": first}


def _waiting_for(db: Snapshot, at: Instant, ident: str) -> str:
    found = request(db, at, ident)
    return " or ".join(name for _, name in found.approvers[:3]) if found else ""


def _withheld(db: Snapshot, at: Instant, me: str) -> list[Context]:
    """What reviews took from the reader: why a role gives them nothing."""
    said = {
        Withheld.REMOVED: "A review took the role {role} from you: it gives you nothing any more.",
        Withheld.REDUCED: "A review kept your role {role} until a day that is over: it gives you nothing any more.",
        Withheld.SILENCE: "Your role {role} is withheld: nobody confirmed it in a review in time. Ask your manager.",
    }
    found = withheld_from(db, at, me)
    return [{"text": said[why].format(role=role), "href": f"/people/{me}", "state": "due"} for role, why in found]


def _answered_for(db: Snapshot, at: Instant, view: View) -> list[Context]:
    """The controls that fail and the incidents that are open, of those that the reader answers for."""
    sees = "/controls" in view.sections
    found = [
        {
            "text": f"The control {each.control}, which you answer for, fails since {day(each.since)}.",
            "href": f"/controls/{each.control}" if sees else "/my-notices",
            "state": "finding",
        }
        for each in failing_of(db, at, view.person)[:MOST_ALERTS]
    ]
    return found + [
        {
            "text": f"You answer for the incident “{visible(each.title or each.incident)}”, due {day(each.due)}.",
            "href": f"/incidents/{each.incident}",
            "state": "finding" if each.due <= at else "due",
        }
        for each in of_owner(db, at, view.person)[:MOST_ALERTS]
    ]


def _open(db: Snapshot, at: Instant, rights: frozenset[ConsoleRight]) -> list[Context]:
    """For whoever watches: how many incidents are open, and how many past their day."""
    if ConsoleRight.MONITOR not in rights or not (known := figures(db, at)).open:
        return []
    late = f", {known.overdue} past the day" if known.overdue else ""
    words = f"{plural(known.open, 'incident')} open{late}."
    return [{"text": words, "href": "/incidents", "state": "finding" if known.overdue else "due"}]


async def _alerts(visit: Visit) -> list[Context]:
    """What administrators must see besides the alarms, which stand on every page: doors that would still open for a
    leaver, requests that nobody may decide."""
    if visit.at is not None or not visit.me.has(ConsoleRight.ADMINISTER):
        return []
    return await visit.services.reader(_found, None)


def _found(db: Snapshot, at: Instant) -> list[Context]:
    found = _roster(db, at) + [
        {
            "text": f"A listener would still open for {name(db, at, each)}, who has left.",
            "href": f"/leavers#{each}",
            "state": "finding",
        }
        for each in open_doors(db, at)[:MOST_ALERTS]
    ]
    return (
        found
        + [
            {
                "text": f"Nobody is left who may decide what {each.person_name} asks: {each.login} on {each.resource}. "
                f"It takes the role {words(each.roles) or 'that was removed'}.",
                "href": f"/requests/{each.request}",
                "state": "due",
            }
            for each in stranded(db, at, MOST_ALERTS)
        ]
        + [
            {
                "text": f"No directory sends the group {group}: bindings of {words(roles)} to it reach nobody.",
                "href": "/provisioning",
                "state": "due",
            }
            for group, roles in groups_without_directory(db, at)[:MOST_ALERTS]
        ]
    )


def _roster(db: Snapshot, at: Instant) -> list[Context]:
    """A version of the staff roster that waits, a file that could not be taken, or none for too long."""
    known = health(db, at)
    if known.held is not None and known.held.standing is Standing.HELD:
        why = HELD_WORDS.get(known.held.because, "")
        words, state = f"A version of the staff roster is held, and nothing of it is applied. {why}", "finding"
    elif known.trouble:
        words, state = f"The last file of the staff roster was refused: {known.trouble[0]}", "due"
    elif known.stale:
        words, state = "The staff roster is stale: whoever left since its last version still has access.", "due"
    else:
        return []
    return [{"text": words.strip(), "href": "/roster", "state": state}]


async def _setup(visit: Visit) -> Context | None:
    """The checklist; None for others than administrators, in the past, and once all is done."""
    if visit.at is not None or not visit.me.has(ConsoleRight.ADMINISTER):
        return None
    health = await visit.services.health()
    steps = _steps(await visit.services.reader(setup), bool(health.witness), visit.services.backup_days)
    done = sum(each["done"] for each in steps)
    return {"done": done, "steps": steps} if done < len(steps) else None


def _steps(found: Setup, witnessed: bool, backup_days: int) -> list[Context]:
    backup = ("A first backup", "On the host: onepam backup, its keys to another place", found.backed_up, "/ledger")
    return [
        {"title": title, "text": text, "done": done, "href": href}
        for title, text, done, href in (
            (
                "A second administrator",
                "What widens access takes two people",
                found.administrators >= 2,
                "/people",
            ),
            (
                "Connect your identity provider",
                "People sign in where they always do, and leavers leave here too",
                found.providers > 0,
                "/providers" if found.providers else "/providers/new",
            ),
            (
                "Resources and roles in access.yaml",
                "Say who may do what, and where",
                found.resources > 0 and found.roles > 0,
                "/changes",
            ),
            (
                "Host keys and certificates pinned",
                f"{found.unpinned} of {found.resources} resources cannot be reached without",
                found.unpinned == 0,
                "/resources",
            ),
            (
                "Everybody has a second factor",
                f"{plural(found.factorless, 'person', 'people')} without",
                found.factorless == 0,
                "/second-factors",
            ),
            ("A witness on another host", "So that nobody here can rewrite history", witnessed, "/ledger"),
            *([backup] if backup_days else ()),
        )
    ]


PLACES = (
    Place("GET", "/", MEMBER, home_page, Shown("Home", "home", "Me")),
    Place("POST", "/requests", MEMBER, ask),
)
