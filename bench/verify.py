"""Verification: hashes, form and counters of the entries, the full fold into state tables, and the lawful check; the
last two on ledgers of two sizes, too. All in processor seconds: nothing here waits for anything."""

import secrets
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from threading import Semaphore

from bench import Figure, Progress
from bench.company import knocks
from bench.ledger import PEOPLE, RESOURCES, clock, found
from bench.room import room
from bench.yardstick import interpreter, median
from onepam.app.open_session import KnockQuery, answer
from onepam.boot.demo.month import Size, lay
from onepam.ledger.check import check
from onepam.ledger.entry import leaf_hash
from onepam.ledger.findings import Row
from onepam.ledger.lawful.rows import of_rows, through
from onepam.ledger.merkle import Frontier
from onepam.signing.author import NodeAuthor
from onepam.store.db import Db
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries, size_of
from onepam.store.engine.rebuild import compare, fold
from onepam.store.engine.writer import Writer

NAME = "Verification"
SESSIONS = 20_000
ROUNDS = 3
GROWN = (1_000, 10_000)
"""People of the two companies whose first month is compared; each has about 100 entries a person."""

_ROWS = "SELECT idx, time, kind, version, class, class_seq, body, leaf FROM entry ORDER BY idx"


def run(progress: Progress) -> list[Figure]:
    """Over the ledger of a company whose people opened 20,000 sessions."""
    with room() as folder:
        path = folder / "ledger.sqlite"
        progress("a ledger to verify")
        found(path)
        _open_sessions(path)
        with closing(connect(path, read_only=True)) as db:
            size = size_of(db)
            yard = median(ROUNDS, interpreter)
            progress(f"hashes of {size:,} entries")
            hashes = _hashes(db, size)
            progress("form and counters")
            form = _rate(size, lambda: _form(db))
            progress("lawful")
            lawful = _rate(size, lambda: _lawful(db))
            progress("fold")
            folded = _rate(size, lambda: _fold(db))
        both = _both(folded, lawful)
        progress("fold and comparison")
        compared = _rate(size, lambda: _compare(path))
    return [
        Figure("bare Python, small objects as JSON (yardstick)", yard, "/s"),
        Figure("hashes, leaves and tree", hashes, "/s", "≥ 500,000", hashes >= 500_000),
        Figure("parsing, form and counters, hashes included", form, "entries/s", "≥ 140,000", form >= 140_000),
        Figure("lawful: every entry by its rule", lawful, "entries/s"),
        Figure("full fold, with lawful", both, "entries/s", "≥ 20,000", both >= 20_000),
        Figure("full fold with lawful, over the fold alone", folded / both, "ratio"),
        Figure("full fold", folded, "entries/s", "≥ 40,000", folded >= 40_000),
        Figure("full fold, in small JSON objects of bare Python", yard / folded, "objects"),
        Figure("full fold, and every row compared", compared, "entries/s"),
        *_grown(progress),
    ]


def _grown(progress: Progress) -> list[Figure]:
    """The fold with the lawful check, on one ledger and on another of ten times as many people and entries."""
    figures, costs = list[Figure](), list[float]()
    for people in GROWN:
        with room() as folder:
            path = folder / "ledger.sqlite"
            progress(f"the first month of {people:,} people")
            lay(path, NodeAuthor.uncertified("bench"), Size(people, people // 5, people * 25, people * 2), clock())
            with closing(connect(path, read_only=True)) as db:
                size = size_of(db)
                progress(f"fold and lawful, {size:,} entries")
                rounds = ROUNDS if people == GROWN[0] else 1
                rate = _both(_rate(size, partial(_fold, db), rounds), _rate(size, partial(_lawful, db), rounds))
        costs.append(1 / rate)
        what = f"full fold with lawful, {people:,} people and {size:,} entries"
        figures.append(Figure(what, rate, "entries/s", "≥ 20,000", rate >= 20_000))
    more = costs[1] / costs[0]
    figures.append(Figure("an entry of the larger one, over one of the smaller", more, "ratio", "≤ 1.2", more <= 1.2))
    return figures


def _both(folded: float, lawful: float) -> float:
    """Entries a second where each is folded and judged."""
    return 1 / (1 / folded + 1 / lawful)


def _open_sessions(path: Path) -> None:
    knocking, room = knocks(PEOPLE, RESOURCES), Semaphore(1_000)
    with closing(Writer(path, NodeAuthor.uncertified("bench"), clock, secrets.token_bytes)) as writer:
        for knock in islice(knocking, SESSIONS):
            room.acquire()
            query = KnockQuery(knock.person, knock.target, knock.sign_in, knock.confirmation)
            writer.submit(query, answer(knock), lambda done: room.release())


def _rate(count: int, once: Callable[[], None], rounds: int = ROUNDS) -> float:
    """So many things a second of the processor, in the middle one of the rounds."""

    def measure() -> float:
        began = time.process_time()
        once()
        return count / (time.process_time() - began)

    return median(rounds, measure)


def _hashes(db: Db, size: int) -> float:
    """All entries are in memory for it, as for nothing that is measured after it."""
    stored = [each.entry for each in entries(db, 0, size)]
    preimages = [(entry.header.encode(), sha256(entry.body).digest()) for entry in stored]
    leaves = [entry.leaf() for entry in stored]
    return _rate(2 * size - 1, lambda: _tree(preimages, leaves))


def _tree(preimages: list[tuple[bytes, bytes]], leaves: list[bytes]) -> None:
    """As a verifier of an export does, who has headers and body hashes: each leaf, and the tree over them."""
    assert [leaf_hash(header, body_hash) for header, body_hash in preimages] == leaves
    tree = Frontier()
    tree.extend(leaves)
    assert tree.root()


def _form(db: Db) -> None:
    assert check(map(Row._make, db.execute(_ROWS))).findings == ()


def _lawful(db: Db) -> None:
    judging = of_rows()
    for _ in through(judging, map(Row._make, db.execute(_ROWS))):
        pass
    assert judging.end().findings == ()


def _fold(db: Db) -> None:
    with closing(connect(":memory:")) as rebuilt:
        assert fold(db, rebuilt) == []


def _compare(path: Path) -> None:
    assert compare(path) == []
