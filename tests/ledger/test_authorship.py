"""Entries that nobody wrote are named, and nothing else is."""

from typing import Any

import pytest

from onepam.ledger.authors import MAX_BATCH_ENTRIES, SEAM, Batch, Standing
from onepam.ledger.authorship import Authorship
from onepam.ledger.findings import Row, What
from onepam.ledger.note import VerifierKey
from tests.ledger.written import LOG, ORIGIN, Key, Written, two_nodes

KEYS = {ORIGIN: LOG.public}
NEXT = Key("log.example/b")
ANNOUNCED = "ledger.continuation_announced"


def found(ledger: Written, keys: dict[str, VerifierKey] = KEYS, **other: Any) -> list[tuple[int, int]]:
    """The ranges that nobody wrote."""
    authors = run(ledger, keys, **other)
    findings = authors.end()
    assert all(each.what is What.AUTHOR for each in findings)
    assert all(each.message.startswith("no node of this ledger wrote it: ") for each in findings)
    return [(each.begin, each.end) for each in findings]


def run(ledger: Written, keys: dict[str, VerifierKey] = KEYS, start: Standing | None = None) -> Authorship:
    begin = start or Standing(ORIGIN)
    left = [each for each in ledger.batches if each.first >= begin.size] if start else ledger.batches
    authors = Authorship(begin, left, keys)
    for row in ledger.rows[begin.size :]:
        authors.take(row)
    return authors


def test_what_nodes_wrote_has_no_finding_from_the_beginning_or_from_the_middle() -> None:
    ledger, a, _ = two_nodes()
    authors = run(ledger)
    assert authors.end() == ()
    assert (authors.standing.size, authors.unjudged) == (8, 0)
    ledger.write(a)
    assert found(ledger, start=authors.standing) == []


def test_it_says_where_batches_begin() -> None:
    ledger, a, _ = two_nodes()
    ledger.write(a, ("thing.done", {}), ("thing.done", {}))
    ledger.add()
    authors, began = Authorship(Standing(ORIGIN), ledger.batches, KEYS), []
    for row in ledger.rows:
        authors.take(row)
        began += [row.position] if authors.begins(row.position) else []
    assert began == [each.first for each in ledger.batches]


def test_an_entry_of_no_batch_is_named() -> None:
    ledger, a, _ = two_nodes()
    ledger.add()
    assert found(ledger) == [(8, 9)]
    ledger.write(a)
    assert found(ledger) == [(8, 9)], "and those after it are somebody's"
    ledger.add()
    ledger.add()
    assert found(ledger) == [(8, 9), (10, 12)]


def test_a_batch_that_nobody_in_force_signed_is_named_and_no_other() -> None:
    ledger, a, b = two_nodes()
    ledger.write(Key("nod_x"))
    ledger.write(a, ledger.revoked(b))
    ledger.write(b, ("thing.done", {}), ("thing.done", {}))
    ledger.write(a)
    assert found(ledger) == [(8, 9), (10, 12)]


def test_a_key_that_stands_in_nobodys_batch_does_not_come_into_force() -> None:
    ledger, _, _ = two_nodes()
    thief = Key("nod_t")
    ledger.write(thief, ledger.certified(thief, 9, certificate=Key(ORIGIN, 2).certify(9, thief.public)))
    ledger.write(thief)
    assert found(ledger) == [(8, 9), (9, 10)]


def test_a_certificate_that_holds_counts_in_whatever_batch_it_stands() -> None:
    ledger, _, _ = two_nodes()
    c = Key("nod_c")
    ledger.write(Key("nod_x"), ledger.certified(c, 3))
    ledger.write(c)
    ledger.write(Key("nod_x"), ledger.certified(c, 3), ledger.revoked(c))
    ledger.write(c)
    assert found(ledger) == [(8, 9), (10, 12)]


def test_what_revokes_a_key_without_being_written_by_anybody_revokes_nothing() -> None:
    ledger, _, b = two_nodes()
    ledger.write(Key("nod_x"), ledger.revoked(b))
    ledger.write(b)
    assert found(ledger) == [(8, 9)]


@pytest.mark.parametrize(
    ("stored", "ranges"),
    [
        (Batch("x", 8, "nod_a", bytes(64)), [(8, 9), (8, 9)]),  # type: ignore[arg-type]
        (Batch(8, None, "nod_a", bytes(64)), [(8, 9), (8, 9)]),  # type: ignore[arg-type]
        (Batch(8, 1 << 60, "nod_a", bytes(64)), [(8, 9), (8, 9)]),
        (Batch(8, 8, 7, bytes(64)), [(8, 9), (8, 9)]),  # type: ignore[arg-type]
        (Batch(8, 8, "nod_a", "x"), [(8, 9), (8, 9)]),  # type: ignore[arg-type]
        (Batch(8, 8, "nod_a", bytes(63)), [(8, 9), (8, 9)]),
        (Batch(8, 8 + MAX_BATCH_ENTRIES, "nod_a", bytes(64)), [(8, 9 + MAX_BATCH_ENTRIES), (8, 9)]),
        (Batch(9, 9, "nod_a", bytes(64)), [(8, 9), (9, 10)]),
        (Batch(7, 8, "nod_a", bytes(64)), [(7, 9), (8, 9)]),
    ],
)
def test_what_is_stored_as_a_batch_and_is_none(stored: Batch, ranges: list[tuple[int, int]]) -> None:
    ledger, _, _ = two_nodes()
    ledger.add()
    ledger.batches.append(stored)
    assert found(ledger) == ranges


@pytest.mark.parametrize("at", [0, 2, 6, 7])
def test_rows_of_other_types_are_of_nobody(at: int) -> None:
    ledger, _, _ = two_nodes()
    values: list[Any] = list(ledger.rows[3])
    values[at] = 1.5
    ledger.rows[3] = Row(*values)
    assert found(ledger) == [(2, 4)]


def test_a_leaf_that_is_no_hash_is_in_nobodys_batch() -> None:
    ledger, _, _ = two_nodes()
    ledger.rows[3] = ledger.rows[3]._replace(leaf=b"short")
    assert found(ledger) == [(2, 4)]


def test_a_ledger_that_was_continued_has_two_logs() -> None:
    ledger, a, _ = two_nodes()
    keys = {**KEYS, NEXT.public.name: NEXT.public}
    stranger = Key("nod_s")
    ledger.write(stranger, (ANNOUNCED, {"origin": NEXT.public.name}))
    assert found(ledger, keys) == [(8, 9)], "as long as nothing came of it"
    ledger.add()
    ledger.write(stranger, (SEAM, {"origin": NEXT.public.name}))
    ledger.log = NEXT
    again = Key("nod_a", 2)
    ledger.write(again, ledger.certified(again, 1))
    assert found(ledger, keys) == [(9, 10)], "the seam needs nobody's signature; what stood before it does"
    ledger.write(a)
    assert found(ledger, keys) == [(9, 10), (12, 13)]
    authors = run(ledger, {NEXT.public.name: NEXT.public})
    assert [(each.begin, each.end) for each in authors.end()] == [(12, 13)]
    assert authors.unjudged == 11


def test_a_seam_to_the_same_name_or_with_company_needs_a_signature() -> None:
    for entries in ([(SEAM, {"origin": ORIGIN})], [(SEAM, {"origin": "log.example/b"}), ("thing.done", {})]):
        ledger, a, _ = two_nodes()
        ledger.write(Key("nod_s"), *entries)
        ledger.write(a)
        assert found(ledger) == [(8, 8 + len(entries))], "and the log is what it was"


def test_missing_rows_leave_a_batch_that_nobody_signed() -> None:
    ledger, _, _ = two_nodes()
    del ledger.rows[6]
    assert found(ledger) == [(5, 8)]
    ledger.rows = ledger.rows[:5]
    assert found(ledger) == [(5, 8)]
