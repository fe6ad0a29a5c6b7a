"""The console as one table: every page and form, and who may.

A test walks this table with every role; what is not in it does not exist. Its order is the side bar's.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from onepam.console.controls import controls
from onepam.console.desk import away, find, home, inbox
from onepam.console.frame.dispatch import nowhere, routes
from onepam.console.frame.places import Place
from onepam.console.frame.rendering import STATIC
from onepam.console.frame.services import ConsoleServices
from onepam.console.history import checkpoint, ledger, notices, own_notices, packs, verifiers
from onepam.console.incidents import incidents
from onepam.console.leaving import holds, leavers
from onepam.console.matrix import changes, difference, proposing, resources, role, roles, unused
from onepam.console.people import people, service_keys
from onepam.console.policies import policies
from onepam.console.providers import providers, signals
from onepam.console.provisioning import provisioning
from onepam.console.requests import asked_for, catalogue, requests
from onepam.console.reviews import reviews
from onepam.console.roster import roster
from onepam.console.sessions import database_root, database_token, inspections, query, sessions
from onepam.console.signing_in import auth, exceptions, factors, second_factors
from onepam.console.systems import systems

PLACES: tuple[Place, ...] = (
    *auth.PLACES,
    *home.PLACES,
    *catalogue.PLACES,
    *inbox.PLACES,
    *away.PLACES,
    *requests.PLACES,
    *reviews.PLACES,
    *factors.PLACES,
    *own_notices.PLACES,
    *sessions.PLACES,
    *inspections.PLACES,
    *incidents.PLACES,
    *asked_for.PLACES,
    *database_root.PLACES,
    *database_token.PLACES,
    *query.PLACES,
    *people.PLACES,
    *resources.PLACES,
    *roles.PLACES,
    *role.PLACES,
    *difference.PLACES,
    *unused.PLACES,
    *proposing.PLACES,
    *changes.PLACES,
    *roster.PLACES,
    *systems.PLACES,
    *leavers.PLACES,
    *service_keys.PLACES,
    *providers.PLACES,
    *provisioning.PLACES,
    *holds.PLACES,
    *exceptions.PLACES,
    *signals.PLACES,
    *second_factors.PLACES,
    *controls.PLACES,
    *policies.PLACES,
    *ledger.PLACES,
    *checkpoint.PLACES,
    *verifiers.PLACES,
    *packs.PLACES,
    *notices.PLACES,
    *find.PLACES,
)


def create_console(services: ConsoleServices) -> Starlette:
    """The application that serves the console."""
    unknown = nowhere(services, PLACES)
    return Starlette(
        routes=[*routes(services, PLACES), Mount("/static", _Static(directory=STATIC), name="static")],
        exception_handlers={404: unknown, 405: unknown},
    )


class _Static(StaticFiles):
    """Our own built files, whose addresses carry their digest."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        scope = args[2] if len(args) > 2 else kwargs.get("scope")
        versioned = isinstance(scope, dict) and "v" in Request(scope).query_params
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Access-Control-Allow-Origin"] = "null"
        return response
