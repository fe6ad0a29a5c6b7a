"""What one's own terminals wait for; it is answered in the console only, where the factor is shown."""

from onepam.api.guard import SIGNED_IN, Services, Who
from onepam.api.models import Answer, Moment
from onepam.api.routes.route import Route
from onepam.store.read.confirmations import waiting_confirmations


class ConfirmationOut(Answer):
    """A terminal at `source` that waits until `expires`; `address` is the page to answer it at."""

    confirmation: str
    resource: str
    login: str
    source: str
    expires: Moment
    address: str


async def confirmations(caller: Who, services: Services) -> list[ConfirmationOut]:
    """The sign-ins of terminals that wait for my confirmation."""
    return [
        ConfirmationOut(
            confirmation=each.confirmation,
            resource=each.resource,
            login=each.login,
            source=each.source,
            expires=each.expires,
            address=f"{services.console_url}/confirm/{each.confirmation}",
        )
        for each in await services.reader(waiting_confirmations, None, caller.actor.person)
    ]


ROUTES = (Route("GET", "/confirmations", SIGNED_IN, confirmations),)
