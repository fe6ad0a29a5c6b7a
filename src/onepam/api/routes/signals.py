"""Signal streams, to read: how each fares. They are set and tested in the console."""

from onepam.api.guard import AsOf, Services, right
from onepam.api.models import Answer, MaybeMoment, Moment
from onepam.api.routes.route import Route
from onepam.domain.access.model import ConsoleRight
from onepam.domain.providers.signals import Delivery
from onepam.store.read import signals as rows

OVERSEE = right(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR)


class SignalStreamOut(Answer):
    """A stream in force. `status` is the last one that the transmitter told ("" for none); `signals` came so far, and
    `ended` sign-ins ended by them."""

    stream: str
    name: str
    issuer: str
    audience: str
    delivery: Delivery
    provider: str
    endpoint: str
    since: Moment
    proposed_by: str
    approved_by: str
    last: MaybeMoment
    verified: MaybeMoment
    status: str
    signals: int
    ended: int


async def list_streams(services: Services, at: AsOf) -> list[SignalStreamOut]:
    """All signal streams in force."""
    return [_out(each) for each in await services.reader(rows.streams, at)]


def _out(found: rows.StreamRow) -> SignalStreamOut:
    stream = found.stream
    return SignalStreamOut(
        stream=stream.stream,
        name=stream.name,
        issuer=stream.issuer,
        audience=stream.audience,
        delivery=stream.delivery,
        provider=stream.provider,
        endpoint=stream.endpoint,
        since=found.since,
        proposed_by=found.proposed_by,
        approved_by=found.approved_by,
        last=found.last,
        verified=found.verified,
        status=found.status,
        signals=found.signals,
        ended=found.ended,
    )


ROUTES = (Route("GET", "/signals", OVERSEE, list_streams),)
