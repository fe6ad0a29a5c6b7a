"""Facts of signal streams, and of the signals that come by them."""

import json
from typing import Any

from onepam.app.ports import Snapshot
from onepam.app.providers.receive_signal import SignalQuery
from onepam.app.providers.signal_streams import StreamQuery
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.providers.entering import subject_digest
from onepam.domain.providers.signal_setting import StreamFacts, StreamProposal
from onepam.domain.providers.signals import MOST_SIGN_INS, Delivery, SignalFacts, Stream
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.proposals import proposal_of

_THERE = (
    "SELECT session, person FROM sign_in WHERE provider = :provider AND opened <= :until "
    "AND (provider_session = :named OR (:person <> '' AND coalesce(provider_session, '') = '')) "
    f"AND (:person = '' OR person = :person) AND {AT}"
)
"""The sign-ins of a provider that a session of its names: where it gave no name, each of that person may be the one."""

_ALL = f"SELECT session, person FROM sign_in WHERE person = :person AND opened <= :until AND {AT} ORDER BY session"


@loads(StreamQuery)
def setting(db: Snapshot, query: StreamQuery, at: Instant) -> StreamFacts:
    waits = rows(db, f"SELECT change, stream FROM signal_stream_proposal WHERE {AT} ORDER BY change", {"at": at})
    used = row(db, "SELECT 1 FROM signal_stream_proposal WHERE change = :change LIMIT 1", {"change": query.change})
    return StreamFacts(
        actor=actor_facts(db, query.actor, at),
        streams=tuple(
            (stream_of(each), each["valid_from"])
            for each in rows(db, f"SELECT * FROM signal_stream WHERE {AT} ORDER BY stream", {"at": at})
        ),
        proposal=_proposal(db, query.change, at),
        waiting=tuple((each["change"], each["stream"]) for each in waits),
        providers=frozenset(
            each["provider"] for each in rows(db, f"SELECT provider FROM provider WHERE {AT}", {"at": at})
        ),
        taken=used is not None,
    )


def stream_of(found: Any) -> Stream:
    """The stream in a row of the tables `signal_stream` or `signal_stream_proposal`."""
    names = ("change", "stream", "name", "issuer", "audience", "provider", "endpoint", "remote", "digest", "secret")
    return Stream(delivery=Delivery(found["delivery"]), **{name: found[name] for name in names})


def _proposal(db: Snapshot, change: str, at: Instant) -> StreamProposal | None:
    of = {"change": change, "at": at}
    found = row(db, f"SELECT * FROM signal_stream_proposal WHERE change = :change AND {AT}", of)
    if found is None:
        return None
    waiting = proposal_of(db, ProposalKind.SIGNAL_STREAM, change, at)
    return StreamProposal(stream_of(found), waiting) if waiting is not None else None


@loads(SignalQuery)
def received(db: Snapshot, query: SignalQuery, at: Instant) -> SignalFacts:
    of = {"stream": query.stream, "change": query.change, "digest": query.jti_digest, "at": at}
    stream = row(db, f"SELECT provider FROM signal_stream WHERE stream = :stream AND change = :change AND {AT}", of)
    if stream is None:
        return SignalFacts(False, False, None, ())
    seen = row(db, "SELECT 1 FROM signal WHERE stream = :stream AND jti_digest = :digest LIMIT 1", of) is not None
    subject, provider = query.subject, stream["provider"]
    person = _person(db, query, provider, at) if subject.names_user else None
    if subject.names_user and person is None:
        return SignalFacts(True, seen, None, ())
    which = {
        "provider": provider,
        "named": subject.session,
        "person": person or "",
        "until": query.opened_until,
        "at": at,
    }
    if subject.session:
        named = rows(db, f"{_THERE} LIMIT {MOST_SIGN_INS}", which)
    else:
        named = rows(db, f"{_ALL} LIMIT {MOST_SIGN_INS}", which) if person is not None else []
    found = _with_those_under(db, named, at)
    people = set(found.values())
    return SignalFacts(True, seen, person or (people.pop() if len(people) == 1 else None), tuple(found.items()))


def _with_those_under(db: Snapshot, named: Any, at: Instant) -> dict[str, str]:
    """These sign-ins, and those of the command line that were opened under them, whenever that was."""
    found = {each["session"]: each["person"] for each in named}
    for session in tuple(found):
        under = rows(
            db,
            f"SELECT session, person FROM sign_in WHERE parent = :session AND {AT} LIMIT {MOST_SIGN_INS}",
            {"session": session, "at": at},
        )
        found |= {each["session"]: each["person"] for each in under}
    return dict(list(found.items())[:MOST_SIGN_INS])


def _person(db: Snapshot, query: SignalQuery, provider: str, at: Instant) -> str | None:
    """Whom the provider calls so; by an address only within the mail domains that it speaks for."""
    subject = query.subject
    if subject.subject:
        linked = row(
            db,
            f"SELECT person FROM identity WHERE subject_digest = :digest AND provider = :provider AND {AT}",
            {"digest": subject_digest(provider, subject.subject), "provider": provider, "at": at},
        )
        return linked["person"] if linked else None
    stored = row(db, f"SELECT rule FROM provider WHERE provider = :provider AND {AT}", {"provider": provider, "at": at})
    domains = json.loads(stored["rule"])["domains"] if stored else []
    if not subject.email or subject.email.rpartition("@")[2] not in domains:
        return None
    same = rows(
        db,
        f"SELECT person FROM person WHERE email = :email AND enabled = 1 AND {AT} LIMIT 2",
        {"email": subject.email, "at": at},
    )
    return same[0]["person"] if len(same) == 1 else None
