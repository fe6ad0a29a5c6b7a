"""Providers as signing in needs them, the sign-ins that one opened, and exceptions from the second factor."""

from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.setting import Provider
from onepam.domain.signing_in.rules import CLI_SESSION, CONSOLE_SESSION
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.providers import provider_of
from onepam.store.read.names import name

MOST_CANDIDATES = 20_000
LONGEST = CONSOLE_SESSION + CLI_SESSION
"""Whatever a sign-in opened has run out after this."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A provider that people can sign in through."""

    provider: str
    name: str
    kind: ProviderKind


@dataclass(frozen=True, slots=True)
class OpenedThere:
    """A sign-in that a provider opened, as its logout may name it."""

    session: str
    provider_session: str
    name_id: str


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """An exception from the second factor; `accepted_by` is "" while it waits. It counts until `ends`."""

    exception: str
    person: str
    person_name: str
    reason: str
    control: str
    proposed_by: str
    proposed_by_name: str
    proposed: Instant
    accepted_by: str
    accepted_by_name: str
    accepted: Instant | None
    ends: Instant


def choices(db: Snapshot, at: Instant) -> list[Choice]:
    """The providers in force, by name."""
    found = rows(db, f"SELECT provider, name, kind FROM provider WHERE {AT} ORDER BY name", {"at": at})
    return [Choice(each["provider"], each["name"], ProviderKind(each["kind"])) for each in found]


def in_force(db: Snapshot, at: Instant, provider: str) -> Provider | None:
    """One provider in force, or None."""
    found = row(db, f"SELECT * FROM provider WHERE provider = :provider AND {AT}", {"provider": provider, "at": at})
    return provider_of(found) if found else None


def came_by(db: Snapshot, at: Instant, session: str) -> tuple[Provider, OpenedThere] | None:
    """The provider in force that opened a sign-in, and how it calls the session; None for one of our own."""
    found = row(
        db,
        f"SELECT session, provider, provider_session, name_id FROM sign_in WHERE session = :session AND {AT}",
        {"session": session, "at": at},
    )
    provider = in_force(db, at, found["provider"]) if found and found["provider"] else None
    if found is None or provider is None:
        return None
    return provider, OpenedThere(found["session"], found["provider_session"] or "", found["name_id"] or "")


def opened_there(db: Snapshot, at: Instant, provider: str, subject_digest: str, session: str) -> list[OpenedThere]:
    """What a provider opened and may still run, itself or by a session under it: of a subject, of a session there, of
    both where both are given, else all."""
    found = rows(
        db,
        "SELECT DISTINCT session, provider_session, name_id FROM sign_in WHERE provider = :provider AND parent IS NULL "
        "AND opened > :since AND (:session = '' OR provider_session = :session) AND (:digest = '' OR person IN "
        f"(SELECT person FROM identity WHERE subject_digest = :digest AND {AT})) LIMIT {MOST_CANDIDATES}",
        {"provider": provider, "session": session, "digest": subject_digest, "at": at, "since": at - LONGEST},
    )
    return [OpenedThere(each["session"], each["provider_session"] or "", each["name_id"] or "") for each in found]


def exceptions(db: Snapshot, at: Instant, person: str = "") -> list[ExceptionRow]:
    """Those that wait or count, of everybody or of one person, the ones that end soonest first."""
    found = rows(
        db,
        "SELECT * FROM mfa_exception WHERE ends > :at AND (:person = '' OR person = :person) "
        f"AND {AT} ORDER BY ends LIMIT 500",
        {"at": at, "person": person},
    )
    return [
        ExceptionRow(
            exception=each["exception"],
            person=each["person"],
            person_name=name(db, at, each["person"]),
            reason=each["reason"] or "",
            control=each["control"] or "",
            proposed_by=each["proposed_by"],
            proposed_by_name=name(db, at, each["proposed_by"]),
            proposed=each["proposed"],
            accepted_by=each["accepted_by"] or "",
            accepted_by_name=name(db, at, each["accepted_by"]) if each["accepted_by"] else "",
            accepted=each["accepted"],
            ends=each["ends"],
        )
        for each in found
    ]
