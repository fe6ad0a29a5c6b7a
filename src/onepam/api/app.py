"""The API as one application: every route comes from the table, with its guard; there is no other way in."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from onepam import __version__
from onepam.api.bounds import Bounds
from onepam.api.errors import Error, handle_errors
from onepam.api.guard import ProbeAnswered, guard
from onepam.api.routes import (
    cli,
    confirmations,
    controls,
    databases,
    delegations,
    device,
    incidents,
    inspections,
    leavers,
    ledger,
    locks,
    matrix,
    people,
    policies,
    proposals,
    providers,
    provisioning,
    requests,
    reviews,
    rights,
    roster,
    second_factors,
    sessions,
    signals,
    systems,
)
from onepam.api.routes.route import Route
from onepam.api.services import ApiServices
from onepam.gateway.probes import told

ROUTES: tuple[Route, ...] = (
    *cli.ROUTES,
    *device.ROUTES,
    *confirmations.ROUTES,
    *requests.ROUTES,
    *delegations.ROUTES,
    *proposals.ROUTES,
    *reviews.ROUTES,
    *sessions.ROUTES,
    *inspections.ROUTES,
    *locks.ROUTES,
    *databases.ROUTES,
    *people.ROUTES,
    *second_factors.ROUTES,
    *leavers.ROUTES,
    *controls.ROUTES,
    *policies.ROUTES,
    *incidents.ROUTES,
    *providers.ROUTES,
    *provisioning.ROUTES,
    *signals.ROUTES,
    *roster.ROUTES,
    *systems.ROUTES,
    *matrix.ROUTES,
    *rights.ROUTES,
    *ledger.ROUTES,
)
"""The table of routes; the tests walk it with every role."""

_ABOUT = "What the command line speaks. Sign in with the bearer token of a CLI session (`onepam login`)."


def create_api(services: ApiServices) -> FastAPI:
    """The application to mount at `/api/v1`."""
    app = describe_api()
    app.state.services = services
    return app


def describe_api() -> FastAPI:
    """The application without the parts behind it: enough for its OpenAPI document."""
    app = FastAPI(
        title="OnePAM",
        version=__version__,
        description=_ABOUT,
        servers=[{"url": "/api/v1"}],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=True,
    )
    for route in ROUTES:
        app.add_api_route(
            route.path,
            route.handler,
            methods=[route.method],
            status_code=route.status,
            dependencies=guard(route.needs),
            operation_id=_operation(route),
            response_class=StreamingResponse if route.media else JSONResponse,
            responses={"default": {"model": Error, "description": "Why not, and what to do next"}, **_streamed(route)},
        )
    handle_errors(app)
    app.add_exception_handler(ProbeAnswered, _probed)
    app.add_middleware(Bounds)
    return app


async def _probed(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProbeAnswered)
    return Response(status_code=403) if error.verdict is None else JSONResponse(told(error.verdict))


def _streamed(route: Route) -> dict[int | str, dict[str, Any]]:
    return {route.status: {"content": {route.media: {}}}} if route.media else {}


def _operation(route: Route) -> str:
    words = [part for part in route.path.split("/") if part and not part.startswith("{")]
    last = "_one" if route.path.endswith("}") else ""
    return f"{route.method.lower()}_{'_'.join(words).replace('-', '_')}{last}"
