"""Appending events to the ledger's tables, and projecting them, inside the caller's transaction."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from onepam.app.ports import Snapshot
from onepam.domain.history.event import kind_of, kind_to_write
from onepam.domain.history.ledger_time import APART
from onepam.kernel import limits
from onepam.kernel.canonical import utf8
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt, Fault
from onepam.kernel.ids import RandomBytes
from onepam.ledger.entry import Header, leaf_hash, payload_digest
from onepam.store.db import Db, row
from onepam.store.engine.projections import Place
from onepam.store.project import project

SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Head:
    """The ledger's newest state: how many entries, the time of the last one, and the next number of each class."""

    size: int
    time: Instant
    counters: dict[str, int]


def read_head(db: Snapshot) -> Head:
    """The head row. Raises `Corrupt` when it is missing or unreadable."""
    found = row(db, "SELECT size, time, counters FROM head")
    if found is None:
        raise Corrupt("the ledger has no head row")
    size, time, said = found
    try:
        counters = json.loads(said) if type(said) is str else None
    except (ValueError, RecursionError):
        counters = None
    numbers = list(counters.values()) if type(counters) is dict else [None]
    if any(type(each) is not int or each < 0 for each in (size, time, *numbers)):
        raise Corrupt("the head row cannot be read")
    return Head(size, Instant(time), counters or {})


def write_head(db: Db, head: Head) -> None:
    """Replaces the head row."""
    db.execute("UPDATE head SET size = ?, time = ?, counters = ?", (head.size, head.time, json.dumps(head.counters)))


def append(
    db: Db, head: Head, now: Instant, events: Iterable[object], random: RandomBytes, leaves: list[bytes]
) -> Head:
    """The head after the events of one command. Each gets the next index, a time of its own (>= now) and the next
    number of its class; its leaf hash is added to `leaves`.

    Raises `Fault` for a body or payload over its limit, `ValueError` for a record of an older version, and whatever a
    projection raises.
    """
    size, at = head.size, max(now, Instant(head.time + APART))
    counters = dict(head.counters)
    for event in events:
        kind = kind_to_write(event)
        if kind.private_fields:
            payload, salt = utf8(kind.write_payload(event)), random(SALT_BYTES)
            if len(payload) > limits.MAX_PAYLOAD_BYTES:
                raise Fault(f"the payload of {kind.name} has {len(payload)} bytes")
            body = utf8(kind.write_body(event, payload_digest(salt, payload)))
        else:
            payload, body = None, utf8(kind.write_open(event))
        if len(body) > limits.MAX_BODY_BYTES:
            raise Fault(f"the body of {kind.name} has {len(body)} bytes")
        number = counters.get(kind.klass, 0)
        header = Header(size, at, kind.name, kind.version, kind.klass, number)
        leaf = leaf_hash(header.encode(), sha256(body).digest())
        db.execute(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (size, at, kind.name, kind.version, kind.klass, number, body, leaf),
        )
        leaves.append(leaf)
        if payload is not None:
            db.execute("INSERT INTO payload VALUES (?, ?, ?, ?)", (size, subject(event), salt, payload))
        project(db, Place(size, at), event)
        counters[kind.klass] = number + 1
        size, at = size + 1, Instant(at + 1)
    return Head(size, Instant(at - 1), counters)


def subject(event: object) -> str | None:
    """The person whose erasure takes this payload along."""
    if "person" in kind_of(event).open_fields:
        person: str | None = getattr(event, "person", None)
        return person
    return getattr(getattr(event, "substance", None), "person", None)
