"""Sessions: who did what, when, from where; one session with its player, timeline and proof; and ending it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from operator import itemgetter

from starlette.responses import Response, StreamingResponse

from onepam.app.ports import LedgerHealth, Snapshot
from onepam.app.sessions.kill_session import kill_session
from onepam.app.sessions.watch_recording import WATCHERS, watch_recording
from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged, pager
from onepam.console.frame.places import ANYBODY, MEMBER, Place, Shown
from onepam.console.frame.refusal_page import RefusalPage
from onepam.console.frame.rendering import PLAYER_CSP, field_time, plural
from onepam.console.frame.sheet import every, sheet
from onepam.console.frame.view import View, resources
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import (
    ENTRY,
    counts_words,
    factor_words,
    probe_words,
    recording_state,
    session_because,
    visible,
    words_of,
)
from onepam.console.sessions.inspections import inspection
from onepam.console.sessions.sessions_page import PlayerFramePage, SessionPage, SessionsPage
from onepam.console.sessions.statements import statement_counts, statement_file, statement_list
from onepam.console.sessions.timeline import FilmStrip, film_strip, ssh_counts
from onepam.console.sessions.watching import watching
from onepam.domain.access.model import ConsoleRight
from onepam.domain.sessions.events import OF_STATEMENTS, EntryPoint
from onepam.gateway.playback import NoRecording
from onepam.kernel.clock import DAY, Instant, iso
from onepam.kernel.errors import Corrupt, Refused
from onepam.store.read import sessions as rows
from onepam.store.read.moments import Moment
from onepam.store.read.paging import Page, Window
from onepam.store.read.probes import probed_after, takes_away
from onepam.store.read.recordings import final_head
from onepam.store.read.requests import request
from onepam.store.read.session_users import user_of

PERIODS = (1, 7, 90, 366)
STATES = {"": None, "live": "open", "closed": "ended", "refused": None, "gap": None}
MEDIA_TYPE = "application/x-asciicast"
_LOCKED = "default-src 'none'; sandbox"


async def sessions_page(visit: Visit) -> Response:
    """The list; live ones first, refusals at the door among the others."""
    query = visit.request.query_params
    state, view = query.get("state", ""), View.of(visit)
    days = _number(query.get("days"))
    wanted = {
        "q": query.get("q", "").strip()[:100],
        "state": state if state in STATES else "",
        "days": days if days in PERIODS else 7,
    }
    if visit.wants_sheet():
        return _sheet(visit, view, wanted)
    return visit.page(await visit.services.reader(_listed, visit.at, view, wanted, paged(visit)))


async def session_page(visit: Visit) -> Response:
    """One session. Its contents are shown to its own person, to auditors and to those who monitor, and that is told."""
    ident, view, services = visit.path("session"), View.of(visit), visit.services
    found = await services.reader(_session, visit.at, view, ident, await services.health())
    if found is None:
        return await _refused_at_the_door(visit, view, ident)
    page, row = found
    own = row.person == view.person
    watches = own or visit.me.has(*WATCHERS)
    strip, statements, database = FilmStrip(), None, row.entry in OF_STATEMENTS
    if watches and row.status != "failed":
        if not own or database:
            how = "statements" if database else "timeline"
            refused = await watch_recording(services.ledger, visit.me.actor, ident, how)
            if refused is not None:
                return visit.refusal(refused, 404)
        if database:
            strip, statements = await statement_list(visit, ident, row.opened)
        else:
            strip = await _strip(visit, ident)
    shown = {**page.session}
    if strip.problem and not shown["found"]:
        shown.update(recording=strip.condition, found=strip.problem)
    elif strip.vouched:
        shown["read_now"] = True
    live = shown["state"] == "live"
    counts = strip.counts if live else row.counts  # the ledger counts what is closed
    shown.update(bytes=counts.get("row_bytes" if database else "bytes", 0), omitted=counts.get("omitted_bytes", 0))
    named = statement_counts(counts, shown["gap"]) if database else ssh_counts(counts, strip, shown["gap"])
    closed = "Its contents are shown to its own person, to auditors and to those who monitor."
    return visit.page(
        replace(
            page,
            session=shown,
            counts=[] if live and not counts else named,
            events=strip.events,
            statements=statements,
            recording=f"/sessions/{ident}/recording" if strip.playable else "",
            unplayable="" if watches else closed,
            may_kill=own or visit.me.has(ConsoleRight.ADMINISTER, ConsoleRight.MONITOR),
            may_export=watches,
            watching=await watching(visit, ident) if watches and live else [],
            inspection=await inspection(visit, row) if watches else None,
        )
    )


async def recording(visit: Visit) -> Response:
    """The recording as asciicast v3. That it is shown stands in the ledger before its first byte leaves."""
    ident = visit.path("session")
    download = visit.request.query_params.get("download") == "1"
    channel = _number(visit.request.query_params.get("channel"))
    head = await visit.services.reader(final_head, None, ident)
    pieces = visit.services.playback.asciicast(ident, channel, head)
    try:
        first = await anext(pieces, b"")
    except (NoRecording, Corrupt):
        first = b""
    how = "export" if download else "play"
    refused = await watch_recording(visit.services.ledger, visit.me.actor, ident, how) if first else _nothing(ident)
    if refused is not None:
        return visit.refusal(_nothing(ident), 404)
    headers = {"Content-Security-Policy": _LOCKED}
    if download:
        headers["Content-Disposition"] = f'attachment; filename="{ident}.cast"'
    return StreamingResponse(_from(first, pieces), media_type=MEDIA_TYPE, headers=headers)


async def kill(visit: Visit) -> Response:
    """Ends a session now."""
    ident = visit.path("session")
    outcome = await kill_session(visit.services.ledger, visit.me.actor, ident, visit.form.get("reason", ""))
    if outcome is not None and outcome.code == "session.unknown":
        return visit.refusal(_unknown(ident), 404)
    return visit.outcome(outcome, f"/sessions/{ident}", "The session is being ended.")


async def player_frame(visit: Visit) -> Response:
    """The player's sandbox: an empty page that holds nothing of anybody."""
    return visit.page(PlayerFramePage(), csp=PLAYER_CSP)


async def _strip(visit: Visit, ident: str) -> FilmStrip:
    head = await visit.services.reader(final_head, visit.at, ident)
    try:
        return film_strip(await visit.services.playback.timeline(ident, head), vouched=head is not None)
    except NoRecording:
        return FilmStrip(problem="The file is gone", condition="missing") if head is not None else FilmStrip()
    except Corrupt as error:
        return FilmStrip(problem=f"It is not what was sealed: {error}")


async def _refused_at_the_door(visit: Visit, view: View, ident: str) -> Response:
    """Who was refused has no session; what is known of the refusal is shown in its place."""
    found = await visit.services.reader(rows.refusal, visit.at, ident)
    if found is None or not view.sees(found.person):
        return visit.refusal(_unknown(ident), 404)
    what = visible(f"{found.login or 'somebody'} on {found.resource or found.asked or 'a target'}")
    who = found.person_name or "Somebody unknown"
    entry = view.link(f"/ledger?entry={found.index}")
    return visit.page(
        RefusalPage(
            heading=f"{who} was refused {what}",
            why=f"{words_of(found.code).capitalize()}. From {visible(found.source or 'an erased address')}.",
            next={"href": entry, "word": f"Entry {found.index:,} in the ledger"} if entry else None,
            code=found.code,
            chain=None,
        )
    )


def _filter(at: Instant, view: View, wanted: Context, before: Instant | None, most: int) -> rows.SessionFilter:
    return rows.SessionFilter(
        person=None if view.everybody else view.person,
        status=STATES[wanted["state"]],
        since=Instant(max(0, at - wanted["days"] * DAY)),
        before=before,
        gap=wanted["state"] == "gap",
        search=wanted["q"],
        most=most,
    )


def _page(db: Snapshot, at: Instant, view: View, wanted: Context, window: Window) -> Page[Context]:
    """Sessions and refusals, the newest first."""
    return _counted(db, at, view, wanted, window)[0]


def _counted(db: Snapshot, at: Instant, view: View, wanted: Context, window: Window) -> tuple[Page[Context], str]:
    """The page, and how many sessions and refusals all pages have: who was refused had no session."""
    which = _filter(at, view, wanted, rows.place_in_lists(db, at, window.after), window.most + 1)
    found, opened, refused = list[Context](), 0, 0
    if wanted["state"] != "refused":
        found += [_row(each, at) for each in rows.sessions(db, at, which)]
        opened = rows.count_sessions(db, at, which)
    if wanted["state"] in ("", "refused"):
        found += [_refusal_row(each) for each in rows.refusals(db, at, which)]
        refused = rows.count_refusals(db, at, which)
    newest = sorted(found, key=lambda each: -each["started"])[: which.most]
    said = [plural(number, word) for number, word in ((opened, "session"), (refused, "refusal")) if number]
    return Page.of(newest, window, opened + refused, itemgetter("id")), ", ".join(said)


def _listed(db: Snapshot, at: Instant, view: View, wanted: Context, window: Window) -> SessionsPage:
    page, counted = _counted(db, at, view, wanted, window)
    return SessionsPage(
        filter=wanted,
        sessions=sorted(page.rows, key=lambda row: row["state"] != "live"),
        pager=pager(page, window, {name: str(value) for name, value in wanted.items()}),
        counted=counted,
    )


def _sheet(visit: Visit, view: View, wanted: Context) -> Response:
    at, reader = visit.moment, visit.services.reader
    head = (
        "started", "ended", "state", "person", "resource", "login", "way in", "from", "recording", "because", "id",
        "database",
    )  # fmt: skip
    parts = every(lambda window: reader(_page, at, view, wanted, window), lambda row: [_line(row)])
    return sheet(f"sessions-{field_time(at).replace(':', '')}.csv", head, parts)


def _line(row: Context) -> tuple[object, ...]:
    ended = iso(row["ended"]) if row["ended"] is not None else ""
    who = row["person"]["name"] if row["person"] else ""
    return (
        iso(row["started"]), ended, row["state"], who, row["resource"], row["login"], row["entry"], row["source"],
        row["recording"], row["because"], row["id"], row["database"],
    )  # fmt: skip


def _row(each: rows.SessionRow, at: Instant) -> Context:
    return {
        "id": each.session,
        "state": each.state,
        "person": {"id": each.person, "name": each.person_name},
        "resource": each.resource,
        "login": each.login,
        "database": visible(each.database),
        "entry": ENTRY[each.entry],
        "source": visible(each.source or "erased"),
        "started": each.opened,
        "ended": each.closed,
        "recording": recording_state(each, at),
        "checked": each.recording_checked,
        "partial": bool(each.counts.get("omitted_bytes")),
        "counts": counts_words(each.counts),
        "client": visible(each.client or "") if each.entry in OF_STATEMENTS else "",
        "because": session_because(each),
    }


def _refusal_row(each: rows.RefusalRow) -> Context:
    return {
        "id": each.session,
        "state": "refused",
        "person": {"id": each.person, "name": each.person_name} if each.person else None,
        "resource": visible(each.resource or each.asked or "unknown target"),
        "login": visible(each.login or ""),
        "database": "",
        "entry": ENTRY[each.entry],
        "source": visible(each.source or "erased"),
        "started": each.time,
        "ended": None,
        "recording": "none",
        "checked": None,
        "partial": False,
        "counts": "",
        "client": "",
        "because": words_of(each.code),
    }


def _session(
    db: Snapshot, at: Instant, view: View, ident: str, health: LedgerHealth
) -> tuple[SessionPage, rows.SessionRow] | None:
    """The page before its recording was looked at, and what it is about; None for nobody's business."""
    found = rows.session(db, at, ident)
    if found is None or not view.sees(found.row.person):
        return None
    row = found.row
    asked = request(db, at, row.because.request) if row.because.request else None
    shown = {
        "id": ident,
        "state": row.state,
        "person": {"id": row.person, "name": row.person_name},
        "resource": resources(db, at, [row.resource])[row.resource],
        "login": row.login,
        "entry": ENTRY[row.entry],
        "source": visible(row.source or "erased"),
        "client": visible(row.client or ""),
        "began_in": visible(row.database),
        "made_user": user_of(db, at, ident),
        "started": row.opened,
        "ended": row.closed,
        "last_byte": row.last_byte,
        "probe": _probe(db, at, row),
        "ends": row.ends,
        "because": session_because(row),
        "factor": factor_words(row.mfa.basis, row.mfa.factors, row.provider_name),
        "resistant": row.mfa.phishing_resistant,
        "factor_age": None if row.entry is EntryPoint.SSH_SERVICE_KEY else row.opened - row.mfa.at,
        "approval": {
            "by": asked.row.decider_name,
            "by_id": row.because.approval_by,
            "at": asked.row.decided,
            "request": row.because.request,
        }
        if asked and asked.row.decided is not None
        else None,
        "recording": recording_state(row, at),
        "checked": row.recording_checked,
        "found": row.recording_found,
        "read_now": False,
        "gap": row.gap or "",
        "database": row.entry in OF_STATEMENTS,
        "host_key": "",
    }
    page = SessionPage(
        session=shown,
        counts=[],
        events=[],
        statements=None,
        recording="",
        unplayable="",
        frame="/player-frame",
        may_kill=False,
        may_export=False,
        inspection=None,
        chain=view.chain(found.why),
        proof=view.proof_of(_proven_last(found.history), health),
    )
    return page, row


def _proven_last(history: Sequence[Moment]) -> list[Moment]:
    """The entries with what ended the session last, or what opened it while it lives: looking on and orders to end it,
    which may come after, make nothing of what the page shows."""
    order = ("session.opened", "session.closed", "session.failed")
    return sorted(history, key=lambda each: order.index(each.kind) if each.kind in order else -1)


def _probe(db: Snapshot, at: Instant, row: rows.SessionRow) -> Context | None:
    """What the probe found after a session was cut because its ground was gone; None for any other end."""
    if row.closed is None or row.status != "closed" or not takes_away(row.closed_because or ""):
        return None
    return probe_words(probed_after(db, at, row.person, row.resource, row.login, row.closed))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 17 else None


def _nothing(ident: str) -> Refused:
    return Refused(
        "recording.unknown", "There is no such recording that you may watch.", f"You asked for {ident[:40]}."
    )


def _unknown(ident: str) -> Refused:
    return Refused("session.unknown", "There is no such session that you may see.", f"You asked for {ident[:40]}.")


async def _from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


PLACES = (
    Place("GET", "/sessions", MEMBER, sessions_page, Shown("Sessions", "terminal-2", "Activity")),
    Place("GET", "/sessions/{session}", MEMBER, session_page),
    Place("GET", "/sessions/{session}/recording", MEMBER, recording),
    Place("GET", "/sessions/{session}/statements", MEMBER, statement_file),
    Place("POST", "/sessions/{session}/kill", MEMBER, kill),
    Place("GET", "/player-frame", ANYBODY, player_frame),
)
