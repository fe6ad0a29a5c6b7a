"""What an auditor asks of a period: six questions, how many answers there are to each, and a sample that a seed draws.

A sample is drawn from the whole population by digests of the seed with each answer's id: whoever has the seed draws the
same again, and nobody who makes a fact can know whether it will be looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from onepam.app.ports import Snapshot
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.entries import Stored, entries, size_at
from onepam.store.facts.holders import PRESENT

Span = tuple[Instant, Instant]
"""A period: begin <= time < end."""


class Question(StrEnum):
    """Who could reach what, who asked, who was in, what was refused, who changed the roles, who left."""

    REACH = "reach"
    ASKED = "asked"
    SESSIONS = "sessions"
    REFUSED = "refused"
    CHANGED = "changed"
    LEFT = "left"


KINDS = {
    Question.ASKED: "request.made",
    Question.SESSIONS: "session.opened",
    Question.REFUSED: "session.refused",
    Question.CHANGED: "change.proposed",
}
"""The questions whose answers are entries, each of one kind; of the others they are people."""

_REACH = f"SELECT p.person FROM person p WHERE {PRESENT}"
_LEFT = "SELECT DISTINCT person FROM leaver WHERE removed >= :begin AND removed < :until AND valid_from <= :at"


@dataclass(frozen=True, slots=True)
class Drawn:
    """One answer of a sample: a person, or an entry."""

    person: str = ""
    entry: Stored | None = None


def population(db: Snapshot, at: Instant, question: Question, span: Span) -> int:
    """How many answers there are, as it was known at `at`. Who could reach what is asked of everybody
    who had an account at the period's end."""
    if (kind := KINDS.get(question)) is not None:
        found = row(
            db,
            "SELECT count(*) FROM entry WHERE kind = :kind AND idx >= :first AND idx < :end",
            {"kind": kind, **_between(db, at, span)},
        )
    else:
        statement, values = _people(question, at, span)
        found = row(db, f"SELECT count(*) FROM ({statement}) x", values)
    return found[0] if found else 0


def draw(db: Snapshot, at: Instant, question: Question, span: Span, seed: str, most: int) -> tuple[Drawn, ...]:
    """At most so many answers, by the seed, in the order in which it draws them."""
    if (kind := KINDS.get(question)) is not None:
        found = rows(
            db,
            "SELECT idx FROM entry WHERE kind = :kind AND idx >= :first AND idx < :end",
            {"kind": kind, **_between(db, at, span)},
        )
        chosen = _chosen([str(each["idx"]) for each in found], seed, most)
        return tuple(Drawn(entry=entries(db, int(each), int(each) + 1)[0]) for each in chosen)
    statement, values = _people(question, at, span)
    return tuple(Drawn(each) for each in _chosen([each[0] for each in rows(db, statement, values)], seed, most))


def _chosen(ids: list[str], seed: str, most: int) -> list[str]:
    ranked: Callable[[str], bytes] = lambda ident: sha256(f"{seed}:{ident}".encode()).digest()  # noqa: E731
    return sorted(ids, key=ranked)[:most]


def _between(db: Snapshot, at: Instant, span: Span) -> dict[str, int]:
    begin, until = span
    return {"first": size_at(db, Instant(begin - 1)), "end": size_at(db, min(Instant(until - 1), at))}


def _people(question: Question, at: Instant, span: Span) -> tuple[str, dict[str, int]]:
    begin, until = span
    if question is Question.REACH:
        return _REACH, {"at": min(at, Instant(until - 1))}
    return _LEFT, {"begin": begin, "until": until, "at": at}
