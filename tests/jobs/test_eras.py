"""Tree heads of before a seam, held against what the seam says was lost."""

import pytest

from onepam.jobs.eras import Seam, place, place_unnamed
from onepam.ledger.check import Anchor

SEAM = Seam(60, "log/2", "log", 100, "ab" * 32, 50, "recovery_key")
HERE, OTHER = b"h" * 32, b"o" * 32


def root_of(size: int) -> bytes | None:
    return HERE if size <= 70 else None


@pytest.mark.parametrize(
    ("size", "root", "says"),
    [
        (50, HERE, "anchor"),
        (50, OTHER, "anchor"),
        (51, HERE, "declares as lost what is here"),
        (60, HERE, "declares as lost what is here"),
        (51, OTHER, "lost"),
        (99, OTHER, "lost"),
        (100, bytes.fromhex("ab" * 32), "lost"),
        (100, OTHER, "has another root of 100 entries"),
        (101, OTHER, "more was lost than it says"),
    ],
)
def test_a_head_of_the_log_before(size: int, root: bytes, says: str) -> None:
    found = place(anchor := Anchor(size, root, "the mail of May"), "log", (SEAM,), root_of)
    assert {"anchor": found is anchor, "lost": found is None}.get(says, says in str(found)), found


@pytest.mark.parametrize(
    ("size", "root", "says"),
    [
        (50, OTHER, "anchor"),
        (51, HERE, "declares as lost what is here"),
        (60, HERE, "declares as lost what is here"),
        (61, HERE, "anchor"),
        (61, OTHER, "lost"),
        (100, OTHER, "lost"),
        (101, OTHER, "anchor"),
    ],
)
def test_a_head_without_a_name(size: int, root: bytes, says: str) -> None:
    found = place_unnamed(anchor := Anchor(size, root, "the paper of May"), (SEAM,), root_of)
    assert {"anchor": found is anchor, "lost": found is None}.get(says, says in str(found)), found


def test_a_lost_signer_is_told_without_a_loss_of_entries() -> None:
    said = Seam(60, "log/2", "log", 50, "ab" * 32, 50, "delay").words()
    assert said.startswith("the signer of the log log is lost, and none of its 50 entries: entry 60 continues it")


def test_of_a_log_that_this_one_never_was_nothing_is_judged() -> None:
    with pytest.raises(ValueError, match=r"of another log: third/log"):
        place(Anchor(1, HERE, "x"), "third/log", (SEAM,), root_of)
