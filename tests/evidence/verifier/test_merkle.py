"""The verifier's own tree gives the roots of the ledger's."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from onepam.evidence.verifier.merkle import Tree, spans
from onepam.ledger.merkle import node_hash


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written there."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(root(leaves[:split]), root(leaves[split:]))


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8).filter(any))
def test_however_it_is_cut(cuts: list[int]) -> None:
    leaves = [sha256(b"%d" % number).digest() for number in range(sum(cuts))]
    tree, at = Tree(), 0
    for count in cuts:
        tree.extend(leaves[at : at + count])
        at += count
    assert (tree.size, tree.root()) == (len(leaves), root(leaves))


@given(st.integers(0, 300), st.integers(0, 300))
def test_spans_are_full_aligned_and_meet(begin: int, length: int) -> None:
    at = begin
    for level in spans(begin, begin + length):
        assert at % (1 << level) == 0
        at += 1 << level
    assert at == begin + length


@given(st.integers(1, 200), st.integers(0, 200))
def test_subtrees_stand_for_their_leaves(size: int, first: int) -> None:
    leaves = [sha256(b"%d" % number).digest() for number in range(size)]
    first = min(first, size)
    tree, at = Tree(), 0
    for level in spans(0, first):
        tree.push(level, root(leaves[at : at + (1 << level)]))
        at += 1 << level
    tree.extend(leaves[first:])
    assert tree.root() == root(leaves)
