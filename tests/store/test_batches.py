"""What a group commit writes is one batch, signed by its node; after what nobody wrote nothing is decided."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.sessions.close_session import NoFacts
from onepam.domain.host.announcing import Ground
from onepam.domain.host.continuing import LedgerContinued
from onepam.domain.host.nodes import NodeRevoked
from onepam.kernel.errors import Corrupt, Unavailable
from onepam.ledger.authors import Batch, Standing
from onepam.ledger.authorship import Authorship
from onepam.ledger.findings import Row
from onepam.ledger.note import VerifierKey
from onepam.signing.author import Certificate, NodeAuthor
from onepam.store.as_stored import stored_batches, stored_rows
from onepam.store.engine.batches import newest_key
from onepam.store.engine.database import connect
from onepam.store.engine.schema import create
from onepam.store.engine.writer import Writer
from tests.ledger.written import LOG, ORIGIN
from tests.store.events import clock, events, one_group, person, submit, unprojectable, write

NODE = "nod_1"
SEAM = LedgerContinued("log.example/b", ORIGIN, 1, "00" * 32, 1, Ground.RECOVERY_KEY, None, NODE, "lost")


def certified(number: int = 1, node: str = NODE) -> NodeAuthor:
    def certify(key: VerifierKey) -> Certificate:
        return Certificate(number, LOG.certify(number, key))

    return NodeAuthor.certified(node, certify)


@contextmanager
def writer(path: Path, author: NodeAuthor) -> Iterator[Writer]:
    with closing(connect(path)) as db:
        create(db)
    with closing(Writer(path, author, clock, bytes)) as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def judged(path: Path) -> tuple[list[tuple[int, int]], list[tuple[int, int]], Standing]:
    """The ranges of the batches, those that nobody wrote, and where the chain has come to."""
    with closing(connect(path, read_only=True)) as db:
        batches = [Batch(*each) for each in stored_batches(db, 0)]
        authors = Authorship(Standing(ORIGIN), batches, {ORIGIN: LOG.public})
        for each in stored_rows(db, 0):
            authors.take(Row(*each))
    findings = [(each.begin, each.end) for each in authors.end()]
    return [(each.first, each.last) for each in batches], findings, authors.standing


def test_each_group_is_one_batch_and_the_first_brings_the_key_into_force(path: Path) -> None:
    author = certified()
    with writer(path, author) as opened:
        write(opened, person(1))
        with one_group(opened):
            several = [submit(opened, events(person(number), person(number + 10))) for number in range(2, 5)]
        for each in several:
            each.result(10)
        write(opened)
    assert judged(path)[:2] == ([(0, 1), (2, 7)], [])
    with closing(connect(path)) as db:
        assert newest_key(db, NODE) == (author.key.encode(), 1, True)
        assert newest_key(db, "nod_2") is None


def test_a_command_that_fails_leaves_nothing_in_the_batch(path: Path) -> None:
    with writer(path, certified()) as opened:
        with one_group(opened):
            first = submit(opened, events(person(1)))
            bad = submit(opened, events(person(2), unprojectable()))
            last = submit(opened, events(person(3)))
        assert first.result(10).size == 1
        assert isinstance(bad.result(10), Exception)
        assert last.result(10).size == 2
    assert judged(path)[:2] == ([(0, 2)], [])


def test_nodes_take_turns_and_a_restart_has_another_key(path: Path) -> None:
    with writer(path, certified()) as here, writer(path, certified(2, "nod_2")) as there:
        for number in range(3):
            write(here, person(number))
            write(there, person(number + 10))
    with writer(path, certified(3)) as again:
        write(again, person(20))
    batches, findings, standing = judged(path)
    assert findings == []
    assert len(batches) == 7
    assert {name: known.number for name, known in standing.nodes.items()} == {NODE: 3, "nod_2": 2}


def test_after_entries_of_no_batch_nothing_is_decided_but_a_continuation(path: Path) -> None:
    with writer(path, certified()) as opened:
        write(opened, person(1))
    with closing(connect(path)) as db:
        db.execute("DELETE FROM batch")
    with writer(path, certified(2)) as opened:
        with pytest.raises(Corrupt, match="entries 0 to 1 were written by no node of this ledger"):
            write(opened, person(2))
        assert opened.commit(NoFacts(), events(SEAM)).size == 3
        with pytest.raises(Unavailable, match="was revoked"):
            write(replace_author(opened, certified(1)), person(3))
    assert judged(path)[:2] == ([(2, 2)], [(0, 2)])


def replace_author(opened: Writer, author: NodeAuthor) -> Writer:
    opened._author = author
    return opened


def test_a_revoked_key_writes_no_more_and_an_older_certificate_brings_none_into_force(path: Path) -> None:
    author = certified(5)
    with writer(path, author) as opened:
        write(opened, person(1))
        write(opened, NodeRevoked(NODE, author.key.encode(), "Ada", "stolen"))
        with pytest.raises(Unavailable, match="was revoked"):
            write(opened, person(2))
    for number in (4, 5):
        with writer(path, certified(number)) as opened, pytest.raises(Unavailable, match="was revoked"):
            write(opened, person(2))
    with writer(path, certified(6)) as opened:
        write(opened, replace(person(2), person="per_3"))
    assert judged(path)[1] == []
