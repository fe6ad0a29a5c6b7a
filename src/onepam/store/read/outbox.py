"""What the outbox has to tell, and how it goes with its receivers."""

from collections.abc import Mapping
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.access.model import Substance
from onepam.domain.requests.events import RequestEscalated, RequestMade, RequestPreapproved
from onepam.domain.sessions.waiting_statements import StatementAsked
from onepam.domain.telling.audience import ALARM, Audience
from onepam.domain.telling.notices import MOST_DECIDERS_TOLD, TABLE, Telling, telling
from onepam.domain.telling.outbox import (
    ALARMS,
    GIVEN_UP,
    MAIL,
    REQUESTS,
    SECURITY,
    Channel,
    Occurrence,
    Told,
    mail_to,
    subject_of,
)
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Corrupt
from onepam.store.db import row, rows
from onepam.store.engine.entries import Stored, entries_of, size_at, size_of
from onepam.store.engine.tables import AT
from onepam.store.facts.deciding import deciders
from onepam.store.facts.directory_brake import administrators
from onepam.store.facts.holdings import substance
from onepam.store.facts.requests import approvers
from onepam.store.read.names import name
from onepam.store.read.telling import plan

KINDS = tuple(each.kind for each in TABLE)
LOOKED_BACK = GIVEN_UP + 7 * DAY


@dataclass(frozen=True, slots=True)
class Addressed:
    """An occurrence, and the receiver who is told of it."""

    receiver: str
    channel: Channel
    occurrence: Occurrence


@dataclass(frozen=True, slots=True)
class Deliveries:
    """How it goes with one receiver: since when it fails and the code of why, when it took its last notice, and when
    one was given up."""

    receiver: str
    channel: Channel
    failing: Instant | None
    because: str
    sent: Instant | None
    given_up: Instant | None


def to_tell(db: Snapshot, at: Instant, after: int) -> tuple[list[Addressed], int]:
    """What the entries with index >= `after` tell to whom, in order, and the first index that was not looked at.

    Each receiver is told of what happened since it was set; settled notices are among it.
    """
    size = size_of(db)
    receivers = {
        each["receiver"]: (Channel(each["channel"]), int(each["since"]))
        for each in rows(db, f"SELECT receiver, channel, since FROM receiver WHERE {AT}", {"at": at})
    }
    begin = max([after, *([min(since for _, since in receivers.values())] if receivers else [size])])
    found: list[Addressed] = []
    for stored in entries_of(db, KINDS, begin, size):
        told = _telling(db, stored)
        if told is None:
            continue
        index = stored.header.index
        occurrence = Occurrence(
            index, stored.header.time, stored.header.kind, told.alike, told.sentence, told.where, told.alarm, told.text,
            told.about, told.folded, told.settles,
        )  # fmt: skip
        since = {each: channel for each, (channel, begun) in receivers.items() if begun <= index}
        found += [Addressed(each, channel, occurrence) for each, channel in _audience(db, stored, told, since)]
    return found, max(after, size)


def settled(db: Snapshot, at: Instant) -> dict[str, dict[str, Told]]:
    """The last notice of each like that each receiver was told, or that was given up."""
    found: dict[str, dict[str, Told]] = {}
    for each in rows(
        db,
        f"SELECT n.receiver, n.alike, n.last, e.time FROM notice n JOIN entry e ON e.idx = n.first WHERE {AT}",
        {"at": at},
    ):
        found.setdefault(each["receiver"], {})[each["alike"]] = Told(Instant(each["time"]), each["last"])
    return found


def mail_address(db: Snapshot, at: Instant, person: str) -> str:
    """The address that somebody is told at; "" for whoever is not here, or has none."""
    here = f"SELECT email FROM person WHERE person = :person AND enabled = 1 AND (ends IS NULL OR ends > :at) AND {AT}"
    found = row(db, here, {"person": person, "at": at})
    return (found["email"] or "") if found else ""


def waiting(db: Snapshot, at: Instant) -> dict[str, int]:
    """How many entries each receiver still has to be told of: of the last days, for older ones are given up. What they
    do not want to hear of, or what is over, is not among them."""
    found, _ = to_tell(db, at, size_at(db, Instant(at - LOOKED_BACK)))
    known = settled(db, at)
    last = {(receiver, alike): told.last for receiver, all_told in known.items() for alike, told in all_told.items()}
    left = dict[str, list[Occurrence]]()
    for each in found:
        if each.occurrence.index > last.get((each.receiver, each.occurrence.alike), -1) and each.occurrence.at <= at:
            left.setdefault(each.receiver, []).append(each.occurrence)
    dropped = {receiver: plan(db, at, receiver, waits).dropped for receiver, waits in left.items()}
    return {receiver: count for receiver, waits in left.items() if (count := len(waits) - len(dropped[receiver])) > 0}


def deliveries(db: Snapshot, at: Instant) -> list[Deliveries]:
    """How it goes with every receiver that was ever tried or is configured, those who fail first."""
    found = rows(
        db,
        f"""SELECT * FROM (
            SELECT receiver, channel, failing, because, sent, given_up FROM delivery WHERE {AT}
            UNION SELECT receiver, channel, NULL, NULL, NULL, NULL FROM receiver r WHERE {AT} AND NOT EXISTS (
                SELECT 1 FROM delivery d
                WHERE d.receiver = r.receiver AND d.valid_from <= :at AND :at < d.valid_until)) AS told
        ORDER BY failing IS NULL, receiver""",
        {"at": at},
    )
    return [
        Deliveries(
            each["receiver"],
            Channel(each["channel"]),
            each["failing"],
            each["because"] or "",
            each["sent"],
            each["given_up"],
        )
        for each in found
    ]


def is_anybody_told(db: Snapshot, at: Instant) -> bool:
    """Whether the configuration names a mail server, a webhook or a syslog."""
    return bool(rows(db, f"SELECT EXISTS (SELECT 1 FROM receiver WHERE {AT})", {"at": at})[0][0])


def is_told(db: Snapshot, at: Instant, receiver: str) -> bool:
    """Whether the configuration names this receiver."""
    return (
        row(db, f"SELECT 1 FROM receiver WHERE receiver = :receiver AND {AT}", {"receiver": receiver, "at": at})
        is not None
    )


def _telling(db: Snapshot, stored: Stored) -> Telling | None:
    try:
        return telling(stored.event, lambda ident: _called(db, stored.header.time, ident))
    except Corrupt:
        return Telling(
            ALARM,
            "",
            f"{stored.header.kind} unreadable",
            f"Entry {stored.header.index} of the history cannot be read: it was altered.",
            "/ledger",
            True,
            "",
        )


def _audience(
    db: Snapshot, stored: Stored, told: Telling, receivers: Mapping[str, Channel]
) -> list[tuple[str, Channel]]:
    people: set[str] = set()
    if MAIL in receivers and Audience.PERSON in told.audience and told.person:
        people.add(told.person)
    if MAIL in receivers and Audience.ADMINISTRATORS in told.audience:
        people |= administrators(db, stored.header.time)
    if MAIL in receivers and Audience.DECIDERS in told.audience and isinstance(stored.event, RequestMade):
        people |= _deciders(db, stored.header.time, stored.event.substance)
    if MAIL in receivers and isinstance(stored.event, RequestEscalated):
        people |= _further(db, stored.header.time, stored.event)
    if MAIL in receivers and isinstance(stored.event, RequestPreapproved):
        asked_for = _asked(db, stored.header.time, stored.event.request)
        people |= _deciders(db, stored.header.time, asked_for) if asked_for is not None else set()
    if MAIL in receivers and Audience.DECIDERS in told.audience and isinstance(stored.event, StatementAsked):
        asked = deciders(db, stored.header.time, stored.event.approvers, stored.event.by)
        people |= {person for person, _ in asked[:MOST_DECIDERS_TOLD]}
    if MAIL in receivers and Audience.REQUESTER in told.audience:
        people |= {_requester(db, stored.header.time, told.request)} - {"", told.by}
    found = [(mail_to(each), Channel.MAIL) for each in sorted(people)]
    if SECURITY in receivers and Audience.SECURITY in told.audience:
        found.append((SECURITY, Channel.MAIL))
    if Audience.SYSTEMS in told.audience:
        found += [(each, channel) for each, channel in receivers.items() if channel in _SYSTEMS]
    subjects = {subject for audience, subject in _SUBJECTS.items() if audience in told.audience}
    found += [(each, channel) for each, channel in receivers.items() if subject_of(each) in subjects]
    return found


_SYSTEMS = frozenset({Channel.WEBHOOK, Channel.SYSLOG})
_SUBJECTS = {Audience.ADMINISTRATORS: ALARMS, Audience.DECIDERS: REQUESTS}
"""What a chat hears of what is told to these."""


def _called(db: Snapshot, at: Instant, ident: str | None) -> str:
    """A person's name; of a request what it asks for."""
    asked = row(db, f"SELECT substance FROM request WHERE request = :ident AND {AT}", {"ident": ident, "at": at})
    if asked is None:
        return name(db, at, ident)
    found = substance(asked["substance"])
    return f"{found.resource} as {found.login}"


def _requester(db: Snapshot, at: Instant, request: str) -> str:
    """Whoever asked."""
    found = row(db, f"SELECT person FROM request WHERE request = :request AND {AT}", {"request": request, "at": at})
    return found["person"] if found is not None else ""


def _deciders(db: Snapshot, at: Instant, asked: Substance) -> set[str]:
    """Who could decide on it when it was asked."""
    return {
        person
        for person, _ in deciders(db, at, approvers(db, asked, at, at), asked.person, asked.resource)[
            :MOST_DECIDERS_TOLD
        ]
    }


def _asked(db: Snapshot, at: Instant, request: str) -> Substance | None:
    """What a request is for."""
    of = {"request": request, "at": at}
    found = row(db, f"SELECT substance FROM request WHERE request = :request AND {AT}", of)
    return substance(found["substance"]) if found is not None else None


def _further(db: Snapshot, at: Instant, event: RequestEscalated) -> set[str]:
    """Who could not decide on it before, and may now."""
    asked = _asked(db, at, event.request)
    if asked is None:
        return set()
    before = deciders(db, at, approvers(db, asked, at, at), asked.person, asked.resource)
    now = deciders(db, at, event.to, asked.person, asked.resource)
    return {person for person, _ in [each for each in now if each not in before][:MOST_DECIDERS_TOLD]}
