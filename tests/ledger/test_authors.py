"""Who wrote an entry: each clause of the chain of batches, broken once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from onepam.kernel import canonical
from onepam.ledger.authors import (
    MAX_NODES,
    SEAM,
    Batch,
    Known,
    Standing,
    Told,
    batch_text,
    certificate_text,
    judge,
    pass_over,
    root_of,
)
from onepam.ledger.checkpoint import Checkpoint
from onepam.ledger.merkle import Frontier
from onepam.ledger.note import BadNote
from tests.ledger.written import LOG, ORIGIN, Key, Written, two_nodes

KEYS = {ORIGIN: LOG.public}


def one(ledger: Written, before: Standing, batch: Batch, **other: Any) -> Standing | str:
    """The judgement of one batch."""
    leaves = other.get("leaves", ledger.leaves(batch.first, batch.last))
    return judge(before, batch, leaves, ledger.told(batch.first, batch.last), KEYS)


def followed(ledger: Written) -> Standing | str:
    """How the chain stands after all batches, or why one is none."""
    standing: Standing | str = Standing(ORIGIN)
    for batch in ledger.batches:
        assert isinstance(standing, Standing)
        standing = one(ledger, standing, batch)
        if isinstance(standing, str):
            return standing
    return standing


def test_the_texts_that_are_signed() -> None:
    """As docs/format.md says: whoever changes them changes the format."""
    key = Key("nod_a").public
    assert batch_text("nod_a", 3, 5, b"\1" * 32, b"\2" * 64) == (
        "onepam-batch/1\nnod_a\n3 5\n"
        "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"
        "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg==\n"
    )
    assert certificate_text(ORIGIN, 7, key) == f"log.example/a\nonepam-node/1 7\n{key.encode()}\n"
    with pytest.raises(BadNote):
        Checkpoint.parse(certificate_text(ORIGIN, 7, key))


def test_the_root_of_a_batch_is_that_of_a_tree_of_its_own() -> None:
    ledger, tree = Written(), Frontier()
    assert root_of([]) == tree.root()
    for count in range(1, 70):
        ledger.add()
        tree.append(ledger.rows[-1].leaf)
        assert root_of(ledger.leaves(0, count - 1)) == tree.root()


def test_nodes_that_were_certified_write_in_turn() -> None:
    ledger, a, b = two_nodes()
    end = followed(ledger)
    assert end == Standing(ORIGIN, 8, ledger.previous, {"nod_a": Known(1, a.public), "nod_b": Known(2, b.public)})


def another_chain(ledger: Written, a: Key, b: Key) -> None:
    ledger.previous = b"\7" * 64
    ledger.write(a)


def skipped(ledger: Written, a: Key, b: Key) -> None:
    ledger.previous = ledger.batches[-2].signature
    ledger.write(a)


def gap(ledger: Written, a: Key, b: Key) -> None:
    ledger.add()
    ledger.write(a)


def overlap(ledger: Written, a: Key, b: Key) -> None:
    ledger.add()
    ledger.seal(a, 7)


def reordered(ledger: Written, a: Key, b: Key) -> None:
    ledger.batches[1:3] = ledger.batches[2:0:-1]


def other_entries(ledger: Written, a: Key, b: Key) -> None:
    ledger.write(a)
    ledger.rows[8] = Written(rows=ledger.rows[:8]).rows[0]


def revoked(ledger: Written, a: Key, b: Key) -> None:
    ledger.write(a, ledger.revoked(b))
    ledger.write(b)


def replaced(ledger: Written, a: Key, b: Key) -> None:
    again = Key("nod_b", 2)
    ledger.write(again, ledger.certified(again, 3))
    ledger.write(b)


def an_old_certificate(ledger: Written, a: Key, b: Key) -> None:
    ledger.write(a, ledger.revoked(b))
    ledger.write(b, ledger.certified(b, 2))


def another_signer(ledger: Written, a: Key, b: Key) -> None:
    c = Key("nod_c")
    note = Key(ORIGIN, 2).certify(3, c.public)
    ledger.write(c, ledger.certified(c, 3, certificate=note))


def another_log(ledger: Written, a: Key, b: Key) -> None:
    c = Key("nod_c")
    ledger.write(c, ledger.certified(c, 3, certificate=LOG.certify(3, c.public, "log.example/b")))


def another_number(ledger: Written, a: Key, b: Key) -> None:
    c = Key("nod_c")
    ledger.write(c, ledger.certified(c, 4, certificate=LOG.certify(3, c.public)))


def anothers_certificate(ledger: Written, a: Key, b: Key) -> None:
    c = Key("nod_c")
    ledger.write(c, ledger.certified(c, 3, node="nod_b"))


def no_field(ledger: Written, a: Key, b: Key) -> None:
    c = Key("nod_c")
    ledger.write(c, ledger.certified(c, 3, certificate=None))


def no_note(ledger: Written, a: Key, b: Key) -> None:
    c = Key("nod_c")
    ledger.write(c, ledger.certified(c, 3, certificate="a certificate"))


def altered(ledger: Written, batch: Batch, **changes: Any) -> None:
    ledger.batches[-1] = replace(batch, **changes)


BROKEN: dict[str, tuple[Callable[[Written, Key, Key], object], str]] = {
    "never certified": (lambda w, a, b: w.write(Key("nod_c")), "is of nod_c, which has no key in force"),
    "no name to print": (lambda w, a, b: w.write(a, name="\x1b[2J"), "of a node without a name"),
    "another's name": (lambda w, a, b: w.write(a, name="nod_b"), "no signature of nod_b that holds"),
    "another key": (lambda w, a, b: w.write(Key("nod_a", 2)), "no signature of nod_a that holds"),
    "other first entry": (lambda w, a, b: altered(w, w.write(b), first=7), "begins at entry 7, and 8 is the next"),
    "other last entry": (lambda w, a, b: altered(w, w.write(b), last=9), "has 2 entries, and 1 are there"),
    "no entry": (lambda w, a, b: altered(w, w.write(b), last=7), "begins at entry 8"),
    "gap": (gap, "begins at entry 9, and 8 is the next"),
    "overlap": (overlap, "begins at entry 7, and 8 is the next"),
    "reordered": (reordered, "begins at entry 4, and 2 is the next"),
    "other entries": (other_entries, "no signature of nod_a that holds"),
    "previous of another chain": (another_chain, "no signature of nod_a that holds"),
    "previous skipped": (skipped, "no signature of nod_a that holds"),
    "revoked before": (revoked, "is of nod_b, which has no key in force"),
    "another key since": (replaced, "no signature of nod_b that holds"),
    "old certificate": (an_old_certificate, "a newer certificate of this node"),
    "another signer": (another_signer, "its certificate does not hold"),
    "certificate of another log": (another_log, "certificate is of another key"),
    "certificate of another number": (another_number, "certificate is of another key"),
    "certificate of another node": (anothers_certificate, "certificate is of another key"),
    "certificate without a field": (no_field, "it lacks a field"),
    "certificate that is no note": (no_note, "its certificate does not hold"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_no_node_in_force_wrote_is_refused_and_says_why(name: str) -> None:
    change, why = BROKEN[name]
    ledger, a, b = two_nodes()
    change(ledger, a, b)
    found = followed(ledger)
    assert isinstance(found, str), found
    assert why in found


def test_a_key_is_in_force_to_the_end_of_the_batch_that_revokes_it() -> None:
    ledger, _, b = two_nodes()
    ledger.write(b, ledger.revoked(b), ("thing.done", {}))
    end = followed(ledger)
    assert isinstance(end, Standing)
    assert end.nodes["nod_b"] == Known(2, None)
    again = Key("nod_b", 2)
    ledger.write(again, ledger.certified(again, 3))
    end = followed(ledger)
    assert isinstance(end, Standing)
    assert end.nodes["nod_b"] == Known(3, again.public)


def test_what_revokes_nobody_changes_nothing() -> None:
    ledger, a, _ = two_nodes()
    values: tuple[object, ...] = (1, None, [], {}, ["nod_a"])
    odd = [("node.revoked", {"node": each}) for each in values]
    ledger.write(a, ledger.revoked(Key("nod_z")), *odd)
    end = followed(ledger)
    assert isinstance(end, Standing)
    assert sorted(end.nodes) == ["nod_a", "nod_b"]


def test_the_number_of_nodes_is_bounded() -> None:
    ledger, a = Written(), Key("nod_a")
    ledger.write(a, ledger.certified(a, 9))
    many = {f"nod_{number}": Known(1, None) for number in range(MAX_NODES)}
    found = one(ledger, Standing(ORIGIN, nodes=many), ledger.batches[0])
    assert isinstance(found, str)
    assert "nodes are known already" in found
    assert isinstance(
        one(ledger, Standing(ORIGIN, nodes={**many, "nod_a": Known(8, None)}), ledger.batches[0]), Standing
    )


def test_from_a_seam_on_every_node_needs_another_certificate() -> None:
    ledger, a, _ = two_nodes()
    ledger.write(a, (SEAM, {"origin": "log.example/b"}))
    after = followed(ledger)
    assert after == Standing("log.example/b", 9, ledger.previous)
    ledger.write(a)
    found = judge(after, ledger.batches[-1], ledger.leaves(9, 9), [], {"log.example/b": Key("log.example/b").public})
    assert found == "its batch is of nod_a, which has no key in force there"


def test_of_an_era_without_a_key_nothing_is_judged() -> None:
    ledger, a, _ = two_nodes()
    batch = replace(ledger.write(a), signature=b"short")
    before = Standing("log.example/elsewhere", 8, b"\1" * 64)
    assert one(ledger, before, batch) == Standing("log.example/elsewhere", 9, b"\1" * 64)
    ledger.add()
    later = Batch(9, 9, "nod_z", bytes(64))
    assert one(ledger, before, later) == Standing("log.example/elsewhere", 10, bytes(64))
    assert isinstance(one(ledger, before, replace(later, first=7)), str)
    assert isinstance(one(ledger, before, later, leaves=[]), str)


@pytest.mark.parametrize("body", [b"{", b"[]", canonical.encode({"origin": 1}), canonical.encode({})])
def test_a_seam_that_names_no_log_begins_none(body: bytes) -> None:
    told = [Told(0, SEAM, body)]
    assert pass_over(Standing(ORIGIN), Batch(0, 0, "nod_a", bytes(64)), told, KEYS).era == ORIGIN
