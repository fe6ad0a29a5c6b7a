"""The hash tree over the entries (RFC 6962, section 2.1): SHA-256, leaves under 0x00, nodes under 0x01."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import List


def spans(begin: int, end: int) -> Iterator[int]:
    """The levels of the fewest full, aligned subtrees that cover [begin, end), left to right."""
    while begin < end:
        level = (end - begin).bit_length() - 1
        if begin:
            level = min(level, (begin & -begin).bit_length() - 1)
        yield level
        begin += 1 << level


class Tree:
    """The roots of the full subtrees of [0, size), largest first."""

    def __init__(self) -> None:
        self.size = 0
        self.roots: List[bytes] = []

    def push(self, level: int, node: bytes) -> None:
        """Adds the full subtree of 2^level leaves under `node`; it must be aligned."""
        at = self.size >> level
        while at & 1:
            node, at = hashlib.sha256(b"\1" + self.roots.pop() + node).digest(), at >> 1
        self.roots.append(node)
        self.size += 1 << level

    def extend(self, leaves: List[bytes]) -> None:
        """Adds leaves by their hashes."""
        sha, done = hashlib.sha256, 0
        for level in spans(self.size, self.size + len(leaves)):
            nodes = leaves[done : done + (1 << level)]
            done += 1 << level
            for _ in range(level):
                pairs = iter(nodes)
                nodes = [sha(b"\1" + left + right).digest() for left, right in zip(pairs, pairs)]
            self.push(level, nodes[0])

    def root(self) -> bytes:
        """The root of the tree, which has a leaf."""
        node = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            node = hashlib.sha256(b"\1" + left + node).digest()
        return node
