"""The way of every request to a page: source, session, right, form, page, headers. Deny by default.

A place says who may (`Needs`); what is not listed does not exist. A POST carries the CSRF token of its browser and an
Origin that is ours. Bodies are bounded. A refusal is a page; a fault is a page without details, and a log line.
"""

import json
import logging
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from hmac import compare_digest
from typing import Any
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from onepam.app.leaving.probe_access import record_probe
from onepam.console.frame.period import typed_instant
from onepam.console.frame.places import ANYBODY, MAX_BODY_BYTES, Place
from onepam.console.frame.rendering import Flash
from onepam.console.frame.services import ConsoleServices
from onepam.console.frame.visit import CSRF_COOKIE, FLASH_COOKIE, SESSION_COOKIE, Member, Visit
from onepam.domain.access.authority import Actor, ActorFacts
from onepam.domain.access.model import ConsoleRight
from onepam.domain.leaving.probing import ProbePath, WouldOpen
from onepam.gateway.probes import HEADER, told
from onepam.identity.tokens import is_token, token_digest
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Fault, Refused
from onepam.kernel.secret import Secret
from onepam.store.read.alarms import alarms
from onepam.store.read.console import counts
from onepam.store.read.proofs_of_sign_in import account, acting

log = logging.getLogger(__name__)

SESSION_PREFIX = "opc"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def routes(services: ConsoleServices, places: tuple[Place, ...]) -> list[Route]:
    """Starlette's routes for a table."""
    shown = tuple(each for each in places if each.shown)
    return [
        Route(each.path, _endpoint(services, each, shown), methods=[each.method], name=f"{each.method} {each.path}")
        for each in places
    ]


def nowhere(
    services: ConsoleServices, places: tuple[Place, ...]
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """What answers an address that no place has, or has for another method: a page with a way back."""
    shown = tuple(each for each in places if each.shown)

    async def answer(request: Request, raised: Exception) -> Response:
        assert isinstance(raised, HTTPException)
        status, headers = raised.status_code, raised.headers

        async def say(visit: Visit) -> Response:
            return visit.refusal(
                Refused("page.unknown", "There is no such page.", "The address may be mistyped."), status
            )

        response = await _endpoint(services, Place("GET", request.url.path, ANYBODY, say), shown)(request)
        response.headers.update(headers or {})
        return response

    return answer


def _endpoint(
    services: ConsoleServices, place: Place, shown: tuple[Place, ...]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        visit = Visit(services, request, _source(request), services.clock(), services.wall(), shown)
        try:
            response = await _answer(visit, place)
        except ClientDisconnect:  # within its form, as a page that is left may be
            return Response(status_code=400)
        except Fault:
            log.exception("%s %s failed", place.method, place.path)
            response = visit.refusal(
                Refused("unavailable", "OnePAM cannot do this right now.", "Nothing was changed. Try again soon."), 503
            )
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if visit.cookie(CSRF_COOKIE) != visit.nonce and not place.outside:
            visit.set_cookie(response, CSRF_COOKIE, visit.nonce, 86400)
        if visit.cookie(FLASH_COOKIE) and response.status_code == 200:
            visit.drop_cookie(response, FLASH_COOKIE)
        return response

    return endpoint


async def _answer(visit: Visit, place: Place) -> Response:
    if (ticket := visit.request.headers.get(HEADER)) is not None:
        return await _probed(visit, ticket)
    if (refused := _as_of(visit)) is not None:
        return visit.refusal(refused, 400)
    await _recognise(visit)
    if place.needs.signed_in and visit.member is None:
        return _to_sign_in(visit)
    if visit.member is not None and not visit.member.may(place):
        runs = visit.member.has(ConsoleRight.ADMINISTER)
        hint = "The role matrix says which roles have it." if runs else "Ask an administrator if it should be."
        return visit.refusal(Refused("right.missing", "This page is not for your role.", hint), 403)
    if place.method == "POST" and (refused := await _posted(visit, place)) is not None:
        return visit.refusal(refused, 403)
    visit.flashes = _flashes(visit)
    return await place.handler(visit)


async def _recognise(visit: Visit) -> None:
    """Who is behind the session cookie; a dead cookie is nobody's."""
    token = visit.cookie(SESSION_COOKIE)
    if not is_token(token, SESSION_PREFIX):
        return
    digest = token_digest(Secret(token.encode("ascii"))).hex()
    found = await _behind(visit, digest)
    if found is None:
        return
    actor, facts = found
    known = await visit.services.reader(account, None, actor.person)
    detail = ", ".join(sorted({held.role for held in facts.roles})) or "no role"
    visit.member = Member(actor, facts, known.name if known else actor.person, detail)
    numbers = await visit.services.reader(counts, None, actor.person)
    visit.waiting, visit.changes, visit.live = numbers.waiting, numbers.changes, numbers.live
    visit.reviews, visit.answers = numbers.reviews, numbers.answers
    if visit.member.has(ConsoleRight.ADMINISTER):
        visit.alarms = await visit.services.reader(alarms)


async def _behind(visit: Visit, digest: str) -> tuple[Actor, ActorFacts] | None:
    """Whose cookie has this digest."""
    return await visit.services.reader(acting, None, digest, visit.source)


async def _probed(visit: Visit, ticket: str) -> Response:
    """A probe is answered here, by the same look-up, and reaches no page; a ticket that is not ours gets nothing."""
    services, own = visit.services, visit.request.scope.get("server") or ("", 0)
    probe = services.probes.redeem(ticket, ProbePath.CONSOLE, visit.source, str(own[0]))
    if probe is None:
        return Response(status_code=403)
    found = await _behind(visit, probe.sought)
    verdict = WouldOpen() if found is not None else Refused("sign_in.ended", "There is no such sign-in any more.")
    await record_probe(services.ledger, probe, verdict, services.probes.node)
    return JSONResponse(told(verdict))


def _as_of(visit: Visit) -> Refused | None:
    """`?as_of=` as it was typed (UTC), or with a zone."""
    text = visit.request.query_params.get("as_of", "")
    if not text:
        return None
    at = typed_instant(text)
    if at is None:
        return Refused("as_of.malformed", "This is not a time.", "Write it as 2026-03-03 14:00.")
    if at > visit.now:
        return Refused("as_of.ahead", "This lies ahead; nothing is known of the future.", "Give a time that has been.")
    visit.as_of = Instant(at)
    return None


async def _posted(visit: Visit, place: Place) -> Refused | None:
    """Reads a bounded form or JSON body whose sender is one of our own pages, or anybody for what is `outside`."""
    request, outside = visit.request, place.outside
    origin = request.headers.get("origin")
    if not outside and origin is not None and origin != visit.services.origin and not _same_site(request, origin):
        return Refused("csrf.origin", "This form was not sent by the console.", "Open the page again, and repeat.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > place.most_bytes:
            return Refused("form.large", "That is more than a form may carry.")
    if request.headers.get("content-type", "").startswith("application/json"):
        token, refused = request.headers.get("x-csrf-token", ""), _json_body(visit, bytes(body))
        if refused is not None:
            return refused
    else:
        await _read_form(visit, bytes(body), place.most_bytes)
        token = visit.form.get("csrf", "")
    if outside:
        return None
    if not visit.cookie(CSRF_COOKIE) or not compare_digest(token.encode(), visit.csrf.encode()):
        return Refused("csrf.token", "This form has lapsed.", "Open the page again, and repeat.")
    return None


def _json_body(visit: Visit, body: bytes) -> Refused | None:
    try:
        visit.json = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return Refused("form.malformed", "This could not be read.")
    return None if isinstance(visit.json, dict) else Refused("form.malformed", "This could not be read.")


async def _read_form(visit: Visit, body: bytes, most: int) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    replayed, files = Request(visit.request.scope, receive), int(most > MAX_BODY_BYTES)
    async with replayed.form(max_files=files, max_fields=100, max_part_size=most) as form:
        visit.form = {name: value for name, value in form.items() if isinstance(value, str)}
        for value in form.values():
            if isinstance(value, UploadFile):
                visit.file = await value.read()


def _same_site(request: Request, origin: str) -> bool:
    """In a try the console is reached as localhost and as 127.0.0.1; the Host header then says which."""
    return origin == f"{request.url.scheme}://{request.headers.get('host', '')}" and request.url.hostname in (
        "localhost",
        "127.0.0.1",
    )


def _to_sign_in(visit: Visit) -> Response:
    if visit.request.headers.get("accept", "").startswith("application/json"):
        return JSONResponse({"error": "Your sign-in has ended.", "hint": "Sign in again."}, 401)
    if visit.request.method != "GET":
        return RedirectResponse("/sign-in", 303)
    url = visit.request.url
    here = url.path + (f"?{url.query}" if url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(here, safe='')}" if here != "/" else "/sign-in", 303)


def _flashes(visit: Visit) -> tuple[Flash, ...]:
    try:
        kind, text, hint = json.loads(urlsafe_b64decode(visit.cookie(FLASH_COOKIE)))
    except (ValueError, TypeError):
        return ()
    return (Flash(str(kind) if kind in ("done", "refused", "note") else "note", str(text), str(hint)),)


def _source(request: Request) -> str:
    return request.client.host if request.client else ""
