"""Gateway sessions: who was where, what was recorded, and ending one."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Query
from fastapi.responses import StreamingResponse

from onepam.api.errors import ApiError
from onepam.api.guard import SIGNED_IN, AsOf, Caller, Services, Who, done
from onepam.api.models import Answer, Chain, Done, Happened, Id, MaybeMoment, Moment, Name, Reason, told
from onepam.api.routes.route import Route
from onepam.api.services import ApiServices
from onepam.app.sessions.kill_session import kill_session
from onepam.app.sessions.watch_recording import watch_live, watch_recording, watches_on
from onepam.domain.access.authority import Actor
from onepam.domain.access.model import Action
from onepam.domain.access.proof import MfaBasis
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import OF_STATEMENTS, EntryPoint
from onepam.domain.sessions.recordings import Condition
from onepam.gateway.watching import Growing, LiveCast, LiveStatements, watched
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.store.read import sessions as rows
from onepam.store.read.console import OVERSEERS
from onepam.store.read.recordings import final_head
from onepam.store.read.waited import waited

MEDIA_TYPE = "application/x-asciicast"
LINES_TYPE = "application/jsonl"


class Factors(Answer):
    """Which factors were shown, when, in which sign-in session, and why that counts: `basis`, and `provider`, who saw
    the first one (empty: ourselves)."""

    session: str
    factors: list[str]
    at: Moment
    basis: MfaBasis
    provider: str
    phishing_resistant: bool


class SessionOut(Answer):
    """A session as it stands; `database`: the one on the server that its client asked for at its start ("": none);
    `counts` are the recording's records by kind. Nothing more was sent after `last_byte`
    (null: it runs, or nobody saw it); `closed` is later, when the recording had been read back
    (`verified`: as it was written). `recording_checked` is when it was last held against the ledger since then (null:
    never), `recording_bad` what it was found to be (null: what it should be)."""

    session: str
    person: str
    person_name: str
    resource: str
    login: str
    entry: EntryPoint
    actions: list[Action]
    privileged: bool
    status: str
    state_words: str
    source: str | None
    client: str | None
    database: str
    opened: Moment
    ends: Moment
    closed: MaybeMoment
    last_byte: MaybeMoment
    closed_because: SessionEnd | None
    closed_words: str
    killed_by: str | None
    counts: dict[str, int]
    verified: bool | None
    gap: str | None
    recording_checked: MaybeMoment
    recording_bad: Condition | None
    recording_found: str
    because: Chain
    also: list[Chain]
    mfa: Factors


class Why(Answer):
    """One link of the chain that made the session possible."""

    kind: str
    reference: str
    words: str | None
    by: str | None
    by_name: str
    at: MaybeMoment


class SessionDetail(Answer):
    """A session with the proof of its recording, its why, and every entry about it."""

    session: SessionOut
    mfa: Factors
    head: str | None
    chunks: int | None
    why: list[Why]
    history: list[Happened]


class ChannelOut(Answer):
    """A shell, a command or a file transfer. Times are microseconds since the recording began."""

    channel: int
    kind: str
    command: str
    opened: int
    closed: int | None
    status: int | None
    signal: str | None
    output_bytes: int
    input_bytes: int
    omitted_bytes: int


class FileOut(Answer):
    """A file operation; `at` is microseconds since the recording began."""

    at: int
    channel: int
    operation: str
    path: str
    outcome: str
    target: str
    size: int | None
    sha256: str | None
    sparse: bool


class TimelineOut(Answer):
    """What a recording holds. `gap` says where it ends too early; `unlisted` counts what did not fit the lists."""

    session: str
    started: MaybeMoment
    lasted: int
    channels: list[ChannelOut]
    files: list[FileOut]
    unlisted: int
    reason: str | None
    gap: str | None


async def list_sessions(
    caller: Who,
    services: Services,
    at: AsOf,
    person: Name | None = None,
    resource: Name | None = None,
    status: Annotated[str | None, Query(pattern="^(open|closed|failed)$")] = None,
    most: Annotated[int, Query(ge=1, le=rows.MOST)] = 100,
) -> list[SessionOut]:
    """Sessions, the newest first: mine, or everybody's for those who administer, monitor or audit."""
    whose = person if caller.may(*OVERSEERS) else caller.actor.person
    which = rows.SessionFilter(person=whose, resource=resource, status=status, most=most)
    return [SessionOut.model_validate(each) for each in await services.reader(rows.sessions, at, which)]


async def read_session(session: Id, caller: Who, services: Services, at: AsOf) -> SessionDetail:
    """One session."""
    found = await _visible(session, caller, services, at)
    return SessionDetail(
        session=SessionOut.model_validate(found.row),
        mfa=Factors.model_validate(found.row.mfa),
        head=found.row.head,
        chunks=found.row.chunks,
        why=[Why.model_validate(each) for each in found.why],
        history=await services.reader(told, at, found.history),
    )


async def timeline(session: Id, caller: Who, services: Services) -> TimelineOut:
    """The channels and file operations of a recording; looking is an event."""
    done(await watch_recording(services.ledger, caller.actor, session, "timeline"))
    head = await services.reader(final_head, None, session)
    return TimelineOut.model_validate(await services.playback.timeline(session, head))


async def recording(
    session: Id, caller: Who, services: Services, channel: Annotated[int | None, Query(ge=0, le=1 << 31)] = None
) -> StreamingResponse:
    """A channel of a recording as asciicast v3 (the first terminal by default); watching is an event."""
    done(await watch_recording(services.ledger, caller.actor, session, "asciicast"))
    pieces = services.playback.asciicast(session, channel, await services.reader(final_head, None, session))
    first = await anext(pieces)
    name = f'attachment; filename="{session}.cast"'
    return StreamingResponse(_from(first, pieces), media_type=MEDIA_TYPE, headers={"Content-Disposition": name})


async def statements(
    session: Id,
    caller: Who,
    services: Services,
    form: Annotated[str, Query(alias="format", pattern="^(jsonl|csv)$")] = "jsonl",
) -> StreamingResponse:
    """The statements of a database's session as JSON lines (or `format=csv`): when, what, with which values, and what
    came of it; reading is an event. A last line with a `note` says where the recording ends too early."""
    done(await watch_recording(services.ledger, caller.actor, session, "statements"))
    head = await services.reader(final_head, None, session)
    waits = await services.reader(waited, None, session)
    pieces = services.playback.statement_lines(session, form == "csv", head, waits)
    first = await anext(pieces, b"")
    name = f'attachment; filename="{session}.{form}"'
    media = "text/csv; charset=utf-8" if form == "csv" else LINES_TYPE
    return StreamingResponse(_from(first, pieces), media_type=media, headers={"Content-Disposition": name})


async def live(
    session: Id, caller: Who, services: Services, channel: Annotated[int | None, Query(ge=0, le=1 << 31)] = None
) -> StreamingResponse:
    """A session that runs, as it goes on: its terminal as asciicast v3 (the newest shell or command, or `channel`), of
    a database's its statements as JSON lines, each when it has ended. It ends with the session. Lines without words
    come while nothing happens; a marker or a note says what somebody missed who reads too slowly. Watching is an
    event."""
    found = await services.reader(rows.session, None, session)
    database = found is not None and found.row.entry in OF_STATEMENTS
    lines = LiveStatements() if database else LiveCast(channel)
    pieces = _watched(services, session, caller.actor, lines)
    return StreamingResponse(_from(await anext(pieces), pieces), media_type=LINES_TYPE)


async def _watched(
    services: ApiServices, session: str, actor: Actor, lines: LiveCast | LiveStatements
) -> AsyncIterator[bytes]:
    with services.watchers.place(session, actor.person) as full:
        done(full)
        done(await watch_live(services.ledger, actor, session))
        growing = Growing(services.playback, session)
        async for piece in watched(growing, lines, lambda: watches_on(services.ledger, actor, session)):
            yield piece


async def kill(session: Id, body: Reason, caller: Who, services: Services) -> Done:
    """End a session now: my own, or any for those who administer or monitor, with a reason."""
    done(await kill_session(services.ledger, caller.actor, session, body.reason))
    return Done()


async def _visible(session: str, caller: Caller, services: Services, at: Instant | None) -> rows.SessionDetail:
    found = await services.reader(rows.session, at, session)
    if found is None or not (found.row.person == caller.actor.person or caller.may(*OVERSEERS)):
        raise ApiError(
            Refused("session.unknown", f"There is no session {session} that you may see.", "onepam sessions")
        )
    return found


async def _from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


ROUTES = (
    Route("GET", "/sessions", SIGNED_IN, list_sessions),
    Route("GET", "/sessions/{session}", SIGNED_IN, read_session),
    Route("GET", "/sessions/{session}/timeline", SIGNED_IN, timeline),
    Route("GET", "/sessions/{session}/recording", SIGNED_IN, recording, media=MEDIA_TYPE),
    Route("GET", "/sessions/{session}/statements", SIGNED_IN, statements, media=LINES_TYPE),
    Route("GET", "/sessions/{session}/live", SIGNED_IN, live, media=LINES_TYPE),
    Route("POST", "/sessions/{session}/kill", SIGNED_IN, kill),
)
