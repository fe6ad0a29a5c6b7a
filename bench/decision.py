"""The decision alone: may this person reach this resource as this login, over facts that are at hand."""

import random
import secrets
import time
from contextlib import closing

from bench import Figure, Progress
from bench.company import settle
from bench.room import room
from bench.yardstick import interpreter, median
from onepam.boot.demo.company import company, resource_id
from onepam.domain.access.decision import Permitted, decide
from onepam.kernel.clock import Instant
from onepam.signing.author import NodeAuthor
from onepam.store.engine.database import connect
from onepam.store.engine.schema import create
from onepam.store.engine.writer import Writer
from onepam.store.facts.holdings import access_facts

NAME = "Decision"
PEOPLE, RESOURCES = 5_000, 10_000
PAIRS = 2_000
ROUNDS = 9


def clock() -> Instant:
    """The wall clock."""
    return Instant(time.time_ns() // 1000)


def run(progress: Progress) -> list[Figure]:
    """Random people at random targets, of which some are theirs."""
    with room() as folder:
        progress(f"a company of {PEOPLE:,} people and {RESOURCES:,} resources")
        path = folder / "ledger.sqlite"
        with closing(connect(path)) as db:
            create(db)
            with closing(Writer(path, NodeAuthor.uncertified("bench"), clock, secrets.token_bytes)) as writer:
                settle(writer, company(PEOPLE, RESOURCES))
            chance, now = random.Random(1), clock()
            pairs = [
                (f"per_{chance.randrange(PEOPLE)}", resource_id(chance.randrange(RESOURCES))) for _ in range(PAIRS)
            ]
            began = time.perf_counter()
            known = [access_facts(db, person, resource, now) for person, resource in pairs]
            asking = (time.perf_counter() - began) / PAIRS * 1e6
    open_ = sum(isinstance(decide(facts, "deploy", now), Permitted) for facts in known)

    def once() -> float:
        began = time.perf_counter()
        for facts in known:
            decide(facts, "deploy", now)
        return (time.perf_counter() - began) / PAIRS * 1e6

    progress(f"{PAIRS:,} decisions, {open_} of them yes")
    pure, yard = median(ROUNDS, once), 1e6 / median(ROUNDS, interpreter)
    return [
        Figure("one small object as JSON (yardstick)", yard, "µs"),
        Figure("a decision, pure", pure, "µs", "≤ 20", pure <= 20),
        Figure("a decision, over the yardstick", pure / yard, "ratio"),
        Figure("its facts out of the tables, nothing remembered", asking, "µs"),
    ]
