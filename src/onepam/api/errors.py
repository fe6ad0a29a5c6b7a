"""Every "no" of the API has one shape: `{"code", "message", "hint"}`, and a status that its code decides."""

import logging
from dataclasses import replace
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from onepam.domain.matrix.parse import Problem
from onepam.gateway.playback import NoRecording
from onepam.kernel.errors import Fault, Refused, Unavailable

log = logging.getLogger(__name__)

_UNAUTHORISED = frozenset({"sign_in.ended", "sign_in.stale", "token.missing", "cli_code.gone"})
_FORBIDDEN = frozenset(
    {
        "right.missing",
        "request.own_service",
        "request.no_authority",
        "request.not_yours",
        "person.self_change",
        "person.self",
        "factor.stale",
        "change.own_gain",
        "review.own",
        "account_list.self_release",
        "review.not_yours",
        "review.took_part",
        "review.lost_by_it",
        "incident.links_kept",
        "incident.own",
        "incident.two_hands",
    }
)
_NOT_FOUND = frozenset({"enrolment.gone"})
_INVALID = frozenset(
    {
        "request.too_short",
        "request.too_long",
        "request.role",
        "access.login",
        "access.invalid",
        "roster.invalid",
        "roster.interval",
        "account_list.invalid",
        "account_list.system",
        "account_list.ahead",
        "account_list.days",
        "certificate.subject",
        "person.email",
        "person.end_past",
        "person.manager",
        "person.no_end",
        "person.no_owner",
        "service_key.person",
        "review.lasts",
        "review.scope",
        "review.to",
        "review.suspends",
        "review.verdict",
    }
)
_INVALID_ROOMS = ("text.", "ssh_key.", "input.")


class Error(BaseModel):
    """Why not, in words, and what to do next. `code` is stable and for programs."""

    code: str
    message: str
    hint: str = ""


class ApiError(Exception):
    """A refusal on its way to the client."""

    def __init__(self, refused: Refused, status: int | None = None, problems: tuple[Problem, ...] = ()) -> None:
        if refused.code == "factor.stale":
            # A CLI session keeps the moment of its own sign-in, so stepping up in the console does not reach it.
            refused = replace(refused, hint="Run “onepam login” again once you have shown it in the console: /step-up")
        self.refused = refused
        self.status = status or status_of(refused)
        self.problems = problems


def status_of(refused: Refused) -> int:
    """The HTTP status of a refusal: 401, 403, 404, 422, 503, and 409 for all that the state forbids."""
    code = refused.code
    if code in _UNAUTHORISED:
        return 401
    if code in _FORBIDDEN or code.endswith((".self_approval", ".one_hand")):
        return 403
    if code in _NOT_FOUND or code.endswith(".unknown"):
        return 404
    if code in _INVALID or code.startswith(_INVALID_ROOMS):
        return 422
    return 503 if code.startswith("clock.") else 409


def handle_errors(app: FastAPI) -> None:
    """Gives every failure of the app its shape. What broke inside is logged, and never told."""
    app.add_exception_handler(ApiError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(NoRecording, _no_recording)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(Fault, _fault)
    app.add_exception_handler(Exception, _fault)


def answer(status: int, code: str, message: str, hint: str = "", **more: Any) -> JSONResponse:
    """An error in its shape."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"code": code, "message": message, "hint": hint, **more}, status, headers)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    refused, console_url = error.refused, request.app.state.services.console_url
    found = [
        {"file": each.file, "line": each.line, "column": each.column, "message": each.message, "hint": each.hint}
        for each in error.problems
    ]
    more = {"problems": found} if found else {}
    return answer(error.status, refused.code, refused.message, refused.hint_at(console_url), **more)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "body")
    if first["type"] == "json_invalid":
        return answer(400, "input.json", "The body is not JSON.")
    return answer(422, "input.invalid", f"{where or 'body'}: {first['msg']}."[:500])


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    words = {404: ("route.unknown", "There is no such address."), 405: ("route.method", "Not with this method.")}
    code, message = words.get(error.status_code, ("http.error", "This request cannot be answered."))
    return answer(error.status_code, code, message)


async def _no_recording(request: Request, error: Exception) -> JSONResponse:
    return answer(404, "recording.unknown", "There is no such recording, or no such channel in it.")


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s: %s", request.method, request.url.path, error)
    return answer(503, "gateway.unavailable", "The gateway cannot do this now; nothing was changed.", "Try again soon.")


async def _fault(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s", request.method, request.url.path, exc_info=error)
    return answer(500, "gateway.fault", "Something broke inside the gateway.", "Its log says what.")
