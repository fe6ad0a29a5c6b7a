"""A process that writes to the ledger as fast as it can, until it is killed."""

import os
import random
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bench.company import knocks, settle
from onepam.app.open_session import KnockQuery, answer
from onepam.app.sessions.close_session import NoFacts
from onepam.boot.demo.company import company
from onepam.domain.history.commit import Committed, Decided
from onepam.domain.history.system import PayloadsErased
from onepam.domain.people.events import PersonAdded, PersonDisabled, PersonKind
from onepam.kernel.clock import Instant
from onepam.signing.author import NodeAuthor
from onepam.store.engine import database
from onepam.store.engine.schema import create
from onepam.store.engine.writer import Writer
from tests.simulation.durable import Shim

PEOPLE, RESOURCES = 20, 80
ADMINISTRATOR = "per_1"
IN_FLIGHT = 64

ACKNOWLEDGED = struct.Struct(">QQ")
"""What the process says of a command once it is durable: the ledger's size after it, and the command's number."""


def clock() -> Instant:
    """The wall clock."""
    return Instant(time.time_ns() // 1000)


def found(path: Path) -> None:
    """A small company in a new ledger."""
    with closing(database.connect(path)) as db:
        create(db)
    with closing(Writer(path, NodeAuthor.uncertified("node-1"), clock, random.randbytes)) as writer:
        settle(writer, company(PEOPLE, RESOURCES))


def run(path: Path, first: int, pipe: Connection, copies: bool) -> None:
    """Writes commands numbered from `first`, and says of each through the pipe when it is durable.

    With `copies`, what is durable is kept beside the files (tests/simulation/durable.py). Says `ready` = (0, 0) first.
    """
    said = pipe.fileno()
    shim = Shim() if copies else None
    database.CHECKPOINT_PAGES = 60  # so that the end often comes in the middle of a checkpoint
    writer = Writer(path, NodeAuthor.uncertified("node-1"), clock, random.randbytes)
    room = threading.Semaphore(IN_FLIGHT)
    os.write(said, ACKNOWLEDGED.pack(0, 0))
    for number, (query, decide) in zip(count(first), _commands(first), strict=False):
        room.acquire()
        writer.submit(query, decide, partial(_say, number, said, room))
    del shim


def _say(number: int, said: int, room: threading.Semaphore, found: object) -> None:
    if not isinstance(found, Committed):
        os.write(2, f"command {number}: {found!r}\n".encode())
        os._exit(3)
    os.write(said, ACKNOWLEDGED.pack(found.size, number))
    room.release()


def _commands(first: int) -> Iterator[tuple[Any, Any]]:
    """Sessions mostly; people who join, many by one command, and who leave and are forgotten."""
    chance = random.Random(first)
    knocking = knocks(PEOPLE, RESOURCES, first)
    for number in count(first):
        match chance.randrange(10):
            case 0:
                yield NoFacts(), _decide(*(_added(f"{number}_{each}") for each in range(1 + chance.randrange(20))))
            case 1:
                person = f"per_{chance.randrange(PEOPLE)}"
                erased = PayloadsErased(f"ers_{number}", person, (), naming=False)
                yield (
                    NoFacts(),
                    _decide(erased, _added(f"{number}"), PersonDisabled(f"per_{number}", ADMINISTRATOR, "left")),
                )
            case _:
                knock = replace(next(knocking), session=f"ses_{number}")
                yield KnockQuery(knock.person, knock.target, knock.sign_in, knock.confirmation), answer(knock)


def _added(number: str) -> PersonAdded:
    kind = PersonKind.EMPLOYEE
    return PersonAdded(f"per_{number}", kind, "joined", ADMINISTRATOR, None, None, None, "A Name", "name@example.org")


def _decide(*events: object) -> Any:
    return lambda facts, now: Decided(events, None)
