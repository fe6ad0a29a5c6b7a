"""Notices: who is told of what by e-mail, webhook and syslog, and whether they are."""

from starlette.responses import Response

from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.places import SEES_ALL, Place, Shown
from onepam.console.frame.visit import Visit
from onepam.console.history.notices_page import NoticesPage
from onepam.domain.telling.audience import Audience
from onepam.domain.telling.notices import TABLE
from onepam.domain.telling.outbox import MAIL, SECURITY, Channel, person_of
from onepam.kernel.clock import Instant
from onepam.store.read.names import name
from onepam.store.read.outbox import Deliveries, deliveries, waiting

MOST_LISTED = 200
_CHANNELS = {
    Channel.MAIL: "e-mail",
    Channel.WEBHOOK: "webhook",
    Channel.SYSLOG: "syslog",
    Channel.SLACK: "Slack",
    Channel.TEAMS: "Teams",
}
_AUDIENCES = {
    Audience.PERSON: "the person",
    Audience.REQUESTER: "whoever asked",
    Audience.DECIDERS: "whoever may decide",
    Audience.ADMINISTRATORS: "administrators",
    Audience.SECURITY: "security address",
    Audience.SYSTEMS: "systems",
}
_WHY = {
    "mail.recipient": "The mail server says that there is no such address.",
    "mail.refused": "The mail server refuses the message.",
    "mail.sign_in": "The mail server does not take the user and password of the configuration.",
    "mail.tls": "The mail server's certificate is not trusted, or it offers no TLS.",
    "mail.down": "The mail server is down, or breaks off.",
    "webhook.secret": "The file of the secret holds none.",
    "webhook.status": "It answers with an error.",
    "chat.address": "The file of the address holds none.",
    "chat.status": "It answers with an error: the webhook is gone, or its channel.",
    "syslog.tls": "Its certificate is not trusted, or it speaks no TLS.",
    "syslog.down": "It is down, or does not take the message.",
}


async def notices_page(visit: Visit) -> Response:
    """How it goes with every receiver."""
    return visit.page(await visit.services.reader(_notices, visit.at))


def _notices(db: Snapshot, at: Instant) -> NoticesPage:
    left = waiting(db, at)
    found = [each for each in deliveries(db, at) if each.receiver != MAIL]
    return NoticesPage(
        receivers=[_receiver(db, at, each, left.get(each.receiver, 0)) for each in found[:MOST_LISTED]],
        more=max(0, len(found) - MOST_LISTED),
        rows=[
            {
                "says": row.says[0].upper() + row.says[1:],
                "who": ", ".join(words for audience, words in _AUDIENCES.items() if audience in row.audience),
                "alarm": row.alarm,
            }
            for row in TABLE
        ],
    )


def _receiver(db: Snapshot, at: Instant, found: Deliveries, left: int) -> Context:
    person = person_of(found.receiver)
    named = "Security address" if found.receiver == SECURITY else found.receiver.replace(":", ": ")
    return {
        "person": person,
        "name": name(db, at, person) if person else named,
        "channel": _CHANNELS[found.channel],
        "failing": found.failing,
        "why": _WHY.get(found.because, "It cannot be reached.") if found.failing else "",
        "sent": found.sent,
        "given_up": found.given_up,
        "waiting": left,
    }


PLACES = (Place("GET", "/notices", SEES_ALL, notices_page, Shown("Notices", "alert-circle", "Proof")),)
