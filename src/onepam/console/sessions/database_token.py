"""A login token for a database, by a button: what its client gives in the place of a password."""

from starlette.responses import Response

from onepam.app.sessions.issue_token import issue_token
from onepam.console.frame.clients import lines
from onepam.console.frame.places import MEMBER, Place
from onepam.console.frame.visit import Visit
from onepam.console.sessions.database_token_page import DatabaseTokenPage
from onepam.identity.tokens import LOGIN_TOKEN, new_token, token_digest
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id


async def token(visit: Visit) -> Response:
    """Issues one for a login of the reader's, and shows it this once."""
    resource, login = visit.form.get("resource", "")[:100], visit.form.get("login", "")[:100]
    secret, services = new_token(LOGIN_TOKEN, visit.services.random), visit.services
    ident, digest = new_id("tok", services.random), token_digest(secret).hex()
    issued = await issue_token(services.ledger, visit.me.actor, ident, resource, login, digest)
    if isinstance(issued, Refused):
        return visit.outcome(issued, visit.back("/"), "")
    how = lines(services, issued.kind, login, resource)
    page = DatabaseTokenPage(
        user=f"{login}@{resource}",
        resource=resource,
        token=secret.reveal().decode("ascii"),
        expires=issued.expires,
        lines=[*how.once, (how.name, how.command), *how.more] if how.command else [],
    )
    return visit.page(page)


PLACES = (Place("POST", "/databases/token", MEMBER, token),)
