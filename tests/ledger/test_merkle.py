"""The tree against a reference written straight from RFC 6962's recursive definitions."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.ledger.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    CompactRange,
    Frontier,
    HashReader,
    consistency_proof,
    inclusion_proof,
    node_hash,
    perfect_root,
    subtrees,
    verify_consistency,
    verify_inclusion,
)


def leaves_of(size: int) -> list[bytes]:
    return [sha256(b"leaf %d" % index).digest() for index in range(size)]


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """RFC 6962, section 2.1.2."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def reader(leaves: list[bytes]) -> HashReader:
    def read(level: int, index: int) -> bytes:
        covered = leaves[index << level : (index + 1) << level]
        assert len(covered) == 1 << level
        return mth(covered)

    return read


def flipped(value: bytes) -> bytes:
    return bytes([value[0] ^ 1]) + value[1:]


sizes = st.integers(1, 70)


@given(st.integers(0, 700), st.data())
def test_a_frontier_has_the_root_of_the_definition(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    cut = data.draw(st.integers(0, size))
    frontier = Frontier()
    frontier.extend(leaves[:cut])
    again = Frontier.decode(frontier.encode())
    for leaf in leaves[cut:]:
        frontier.append(leaf)
    again.extend(leaves[cut:])
    assert frontier.size == again.size == size
    assert frontier.root() == again.root() == mth(leaves)
    assert frontier.peaks() == again.peaks()


def test_a_copy_grows_alone() -> None:
    frontier = Frontier()
    copy = frontier.copy()
    copy.append(bytes(32))
    assert (frontier.size, frontier.root(), copy.size) == (0, EMPTY_ROOT, 1)


def test_perfect_root() -> None:
    assert perfect_root(leaves_of(1)) == mth(leaves_of(1))
    assert perfect_root(leaves_of(64)) == mth(leaves_of(64))
    assert node_hash(*leaves_of(2)) == mth(leaves_of(2))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1234567",
        (1).to_bytes(8, "big"),
        (2).to_bytes(8, "big") + bytes(64),
        (1).to_bytes(8, "big") + bytes(31),
        (1 << 63).to_bytes(8, "big") + bytes(32),
    ],
)
def test_a_frontier_is_decoded_strictly(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"subtrees|frontier"):
        Frontier.decode(data)


def test_a_frontier_takes_only_hashes_and_fitting_subtrees() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Frontier(1, [b"short"])
    with pytest.raises(ValueError, match="level 1"):
        Frontier(1, [bytes(32)]).push(1, bytes(32))


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_subtrees_tile_a_range(begin: int, length: int) -> None:
    at = begin
    for level, index in subtrees(begin, begin + length):
        assert index << level == at
        at += 1 << level
    assert at == begin + length


@given(sizes, st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(reader(leaves), index, size)
    root = mth(leaves)
    assert proof == path(index, leaves)
    assert verify_inclusion(leaves[index], index, size, proof, root)
    assert not verify_inclusion(flipped(leaves[index]), index, size, proof, root)
    assert not verify_inclusion(leaves[index], index, size, proof, flipped(root))
    assert not verify_inclusion(leaves[index], index, size, [*proof, bytes(32)], root)
    assert not any(verify_inclusion(leaves[index], other, size, proof, root) for other in range(size) if other != index)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not verify_inclusion(leaves[index], index, size, proof[:-1], root)
        assert not verify_inclusion(
            leaves[index], index, size, [*proof[:at], flipped(proof[at]), *proof[at + 1 :]], root
        )


@given(st.integers(0, 70), st.data())
def test_consistency(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    old = data.draw(st.integers(0, size))
    proof = consistency_proof(reader(leaves), old, size)
    before, after = mth(leaves[:old]), mth(leaves)
    assert proof == (subproof(old, leaves, True) if old else [])
    assert verify_consistency(old, before, size, after, proof)
    assert not verify_consistency(old, flipped(before), size, after, proof)
    assert not verify_consistency(old, before, size, after, [*proof, bytes(32)])
    if old or not size:
        assert not verify_consistency(old, before, size, flipped(after), proof)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not verify_consistency(old, before, size, after, proof[:-1])
        assert not verify_consistency(old, before, size, after, [*proof[:at], flipped(proof[at]), *proof[at + 1 :]])


@given(st.integers(2, 40), st.data())
def test_a_fork_is_never_consistent(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    old = data.draw(st.integers(1, size))
    changed = data.draw(st.integers(0, old - 1))
    fork = [*leaves[:changed], flipped(leaves[changed]), *leaves[changed + 1 :]]
    for history in (leaves, fork):
        proof = consistency_proof(reader(history), old, size)
        assert not verify_consistency(old, mth(leaves[:old]), size, mth(fork), proof)


@given(st.integers(0, 600), st.data())
def test_a_compact_range_is_exactly_its_leaves(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    begin = data.draw(st.integers(0, size))
    end = data.draw(st.integers(begin, size))
    root = mth(leaves)
    proof = CompactRange.prove(reader(leaves), begin, end, size)
    inside = leaves[begin:end]
    assert proof.verify(inside, root)
    assert not proof.verify([*inside, bytes(32)], root)
    if inside:
        at = data.draw(st.integers(0, len(inside) - 1))
        assert not proof.verify(inside[:at] + inside[at + 1 :], root)
        assert not proof.verify([*inside[:at], flipped(inside[at]), *inside[at + 1 :]], root)


@pytest.mark.parametrize(
    "proof",
    [
        CompactRange(1, 0, 2, (), ()),
        CompactRange(0, 1, 2, (), ()),
        CompactRange(0, 1, 2, (bytes(32),), (bytes(32),)),
        CompactRange(0, 1, MAX_SIZE + 1, (), (bytes(32),)),
    ],
)
def test_a_compact_range_of_the_wrong_shape_has_no_root(proof: CompactRange) -> None:
    assert proof.root([bytes(32)]) is None


def test_nothing_is_proven_outside_the_tree() -> None:
    read = reader(leaves_of(3))
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(read, 3, 3)
    with pytest.raises(ValueError, match="does not extend"):
        consistency_proof(read, 4, 3)
    with pytest.raises(ValueError, match="no range"):
        CompactRange.prove(read, 2, 1, 3)
    assert not verify_inclusion(bytes(32), 3, 3, [], bytes(32))
    assert not verify_inclusion(bytes(32), 0, 1, [b"short"], bytes(32))
    assert not verify_inclusion(bytes(32), 0, 1, [bytes(32)] * 64, bytes(32))
    assert not verify_consistency(4, bytes(32), 3, bytes(32), [])
    assert not verify_consistency(1, bytes(32), 2, bytes(32), [b""])
    assert not verify_consistency(3, bytes(32), 5, bytes(32), [])


def test_an_inclusion_is_of_an_index_in_the_tree_and_of_whole_hashes() -> None:
    leaf, short = b"l" * 32, b"s" * 31
    assert verify_inclusion(leaf, 0, 1, [], leaf)
    assert not verify_inclusion(leaf, 1, 1, [], leaf)
    assert not verify_inclusion(leaf, -1, 1, [], leaf)
    assert not verify_inclusion(leaf, 0, 2, [short], node_hash(leaf, short))
