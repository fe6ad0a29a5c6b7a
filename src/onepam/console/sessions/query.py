"""Statements at a database from a page: through the gateway's own door, as any client.

The page connects with a login token that was made for it and that nobody sees, so sign-in, second factor, role,
guardrails, recording and every end are those of a session like others. What comes of a statement is answered and
forgotten: it stands in no address, no log and no cache, and is kept nowhere here.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response, StreamingResponse

from onepam.app.sessions.issue_token import issue_token
from onepam.console.frame.page import Context
from onepam.console.frame.places import MEMBER, Place
from onepam.console.frame.queries import Open
from onepam.console.frame.rendering import render
from onepam.console.frame.visit import Visit
from onepam.console.sessions.query_page import QueryPage, QueryPartPage
from onepam.console.sessions.query_words import notice_of, result_of
from onepam.domain.access.model import ResourceKind
from onepam.identity.tokens import LOGIN_TOKEN, new_token, token_digest
from onepam.kernel.errors import Fault, Refused
from onepam.kernel.ids import new_id
from onepam.protocols.postgres.runner import Result
from onepam.protocols.postgres.said import Notice, Wrong
from onepam.store.read.catalogue import catalogue
from onepam.store.read.login_tokens import opened_by

log = logging.getLogger(__name__)

MOST_CHARACTERS = 64 * 1024
"""Of a text: all sessions wait while it is split."""

BEAT_SECONDS = 10.0
"""After so long without a word an empty line is sent, so that nothing in between takes the connection for dead."""

LONG = Refused("query.long", f"A text has at most {MOST_CHARACTERS:,} characters here.", "psql takes more.")
UNAVAILABLE = Refused("unavailable", "OnePAM cannot do this right now.", "Try again soon.")

_CLOSED = Refused("query.closed", "Here is no database that is open to you under this login.")

Parts = AsyncGenerator[Context, None]
"""{notice} or {result, status} (HTML), {query, session}, {over}, {refused, hint}: each alone in a line of JSON."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page sent, bounded."""

    resource: str
    login: str
    database: str
    text: str

    @classmethod
    def of(cls, sent: Mapping[str, Any]) -> "Asked":
        """Of a form, or of JSON. Line ends are those that a script sees in the field."""
        text = _plain(sent.get("text")).replace("\r\n", "\n")
        resource, login, database = (_plain(sent.get(name))[:100] for name in ("resource", "login", "database"))
        return cls(resource, login, database, text)


def _plain(sent: object) -> str:
    """A text without what no client can send to a database: NUL, and half of a letter."""
    return sent.replace("\0", "").encode("utf-8", "replace").decode() if isinstance(sent, str) else ""


async def query_page(visit: Visit) -> Response:
    """The page, for a login that is open to the reader. Nothing is opened by looking at it, and no address brings a
    statement with it."""
    asked = Asked.of({**visit.request.query_params, "text": ""})
    found = await visit.services.reader(catalogue, visit.at, visit.me.actor.person, "", 1, asked.resource)
    wanted = (ResourceKind.POSTGRES, asked.resource, asked.login)
    if not any((each.site.kind, each.site.resource, each.login) == wanted for each in found.open):
        return visit.refusal(replace(_CLOSED, hint=f"/?{urlencode({'q': asked.resource})}"), 404)
    return visit.page(_page(visit, asked))


async def query_once(visit: Visit) -> Response:
    """Without script: a session for one text."""
    asked, notices, results, over = Asked.of(visit.form), list[Context](), list[Context](), ""
    async with aclosing(_once(visit, asked)) as said:
        async for each in said:
            if isinstance(each, Refused):
                over = f"{each.message} {each.hint}".strip()
            elif isinstance(each, Notice):
                notices.append(notice_of(each, ""))  # who must confirm has done so, or has no session any more
            else:
                results.append(await asyncio.to_thread(result_of, each, asked.text))
    return await asyncio.to_thread(visit.page, _page(visit, asked, notices, results, over))


async def _once(visit: Visit, asked: Asked) -> AsyncGenerator[Notice | Result | Refused, None]:
    queries = visit.services.queries
    page = queries.open(new_id("qry", visit.services.random), visit.me.actor)
    if isinstance(page, Refused) or len(asked.text) > MOST_CHARACTERS:
        yield page if isinstance(page, Refused) else LONG
        return
    try:
        with queries.runs(page) as busy:
            async for said in _connected(visit, page, asked) if busy is None else _only(busy):
                if not isinstance(said, str):
                    yield said
            if page.runner.over is None and page.session:
                async for each in page.runner.run(asked.text):
                    yield each
    finally:
        queries.end(page)


def _page(
    visit: Visit,
    asked: Asked,
    notices: list[Context] | None = None,
    results: list[Context] | None = None,
    over: str = "",
) -> QueryPage:
    return QueryPage(
        resource=asked.resource,
        login=asked.login,
        database=asked.database,
        text=asked.text,
        served=visit.services.queries.connect is not None,
        notices=notices or [],
        results=results or [],
        over=over,
    )


# With script: a session for as long as the page is open ---------------------------------------------------------------


async def connect(visit: Visit) -> Response:
    """Opens the page's session. What is told meanwhile, as that somebody must confirm, comes as it is told."""
    return _answer(_connect(visit, Asked.of(visit.json or visit.form)))


async def _connect(visit: Visit, asked: Asked) -> Parts:
    queries = visit.services.queries
    page = queries.open(new_id("qry", visit.services.random), visit.me.actor)
    if isinstance(page, Refused):
        yield _refused(page)
        return
    with queries.runs(page) as busy:
        async for said in _connected(visit, page, asked) if busy is None else _only(busy):
            if isinstance(said, Refused):
                queries.end(page)
                yield _refused(said)
            elif isinstance(said, Notice):
                yield {"notice": _part(visit, QueryPartPage(notice=notice_of(said, visit.services.origin)))}
            else:
                yield {"query": page.ident, "session": said}


async def _only(refused: Refused) -> AsyncIterator[Notice | Refused | str]:
    yield refused


async def _connected(visit: Visit, page: Open, asked: Asked) -> AsyncIterator[Notice | Refused | str]:
    """What is told on the way in, and then the session's id, or why there is none."""
    services = visit.services
    secret, ident = new_token(LOGIN_TOKEN, services.random), new_id("tok", services.random)
    digest = token_digest(secret).hex()
    issued = await issue_token(services.ledger, visit.me.actor, ident, asked.resource, asked.login, digest)
    if isinstance(issued, Refused):
        yield issued
        return
    async for told in page.runner.start(f"{asked.login}@{asked.resource}", secret, asked.database):
        yield told
    if (over := page.runner.over) is not None:
        yield Refused("query.refused", _words(over), over.hint)
        return
    page.session = await services.reader(opened_by, None, ident)
    yield page.session


async def run(visit: Visit) -> Response:
    """Runs a text at the page's session. Whoever does not wait for the end of it ends the session."""
    return _answer(_run(visit, Asked.of(visit.json or visit.form).text))


async def _run(visit: Visit, text: str) -> Parts:
    page = visit.services.queries.of(visit.path("query"), visit.me.actor)
    if isinstance(page, Refused) or len(text) > MOST_CHARACTERS:
        yield _refused(page if isinstance(page, Refused) else LONG)
        return
    with visit.services.queries.runs(page) as busy:
        if busy is not None:
            yield _refused(busy)
            return
        async for said in page.runner.run(text):
            if isinstance(said, Notice):
                # whatever the database says, here nobody asks for a confirmation
                yield {"notice": _part(visit, QueryPartPage(notice=notice_of(said, "")))}
            else:
                shown = await asyncio.to_thread(result_of, said, text)
                html = await asyncio.to_thread(_part, visit, QueryPartPage(result=shown))
                yield {"result": html, "status": said.status}
        if page.runner.over is not None:
            yield {"over": page.ending or _words(page.runner.over)}


async def cancel(visit: Visit) -> Response:
    """Has the server stop what runs on the page."""
    page = visit.services.queries.of(visit.path("query"), visit.me.actor)
    if isinstance(page, Refused):
        return JSONResponse(_refused(page), 404)
    await page.runner.cancel()
    return JSONResponse({})


async def alive(visit: Visit) -> Response:
    """The page says that it is there, and hears whether its session is."""
    page = visit.services.queries.of(visit.path("query"), visit.me.actor)
    if isinstance(page, Refused):
        return JSONResponse({"over": page.message})
    if page.runner.over is not None and not page.busy:
        visit.services.queries.end(page)
        return JSONResponse({"over": _words(page.runner.over)})
    return JSONResponse({"status": page.runner.status})


async def leave(visit: Visit) -> Response:
    """The page is left."""
    page = visit.services.queries.of(visit.path("query"), visit.me.actor)
    if not isinstance(page, Refused):
        visit.services.queries.end(page)
    return JSONResponse({})


def _answer(parts: Parts) -> StreamingResponse:
    """One line of JSON for each part, as they come. When nobody reads it any more, what makes the parts is ended."""

    async def written() -> AsyncIterator[bytes]:
        made: asyncio.Queue[Context | None] = asyncio.Queue(4)
        task = asyncio.get_running_loop().create_task(_make(parts, made))
        try:
            while True:
                try:
                    async with asyncio.timeout(BEAT_SECONDS):
                        part = await made.get()
                except TimeoutError:
                    yield b"\n"
                    continue
                if part is None:
                    return
                yield json.dumps(part).encode() + b"\n"
        finally:
            task.cancel()

    return StreamingResponse(written(), media_type="application/x-ndjson", headers={"X-Accel-Buffering": "no"})


async def _make(parts: Parts, made: "asyncio.Queue[Context | None]") -> None:
    try:
        async with aclosing(parts):
            async for part in parts:
                await made.put(part)
    except Fault as fault:
        log.error("a query page's answer failed: %s", type(fault).__name__)
        await made.put(_refused(UNAVAILABLE))
    except Exception:
        log.exception("a query page's answer failed")
        await made.put(_refused(UNAVAILABLE))
    await made.put(None)


def _part(visit: Visit, page: QueryPartPage) -> str:
    return render(page, visit.shell())


def _refused(refused: Refused) -> Context:
    return {"refused": refused.message, "hint": refused.hint}


def _words(wrong: Wrong) -> str:
    return wrong.words.removeprefix("OnePAM: ")


PLACES = (
    Place("GET", "/databases/query", MEMBER, query_page),
    Place("POST", "/databases/query", MEMBER, query_once),
    Place("POST", "/databases/queries", MEMBER, connect),
    Place("POST", "/databases/queries/{query}/run", MEMBER, run),
    Place("POST", "/databases/queries/{query}/cancel", MEMBER, cancel),
    Place("POST", "/databases/queries/{query}/alive", MEMBER, alive),
    Place("POST", "/databases/queries/{query}/leave", MEMBER, leave),
)
