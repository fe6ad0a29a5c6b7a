"""Tree heads of before a seam, held against what the seam says was lost."""

from contextlib import closing
from pathlib import Path

import pytest

from onepam.domain.host.announcing import Ground
from onepam.domain.host.continuing import LedgerContinued
from onepam.jobs.eras import Seam, judge, place, place_unnamed, roots_of
from onepam.ledger.check import Anchor
from onepam.ledger.note import ED25519, VerifierKey
from onepam.store.engine.database import connect
from tests.company import Company, record

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


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("kept", "size", "root", "says"),
    [
        (3, 3, "here", None),
        (3, 3, "other", "it names another root of the 3 entries that it keeps"),
        (2, 3, "other", None),
        (2, 3, "here", "it names only 2 as left: it declares as lost what is here"),
        (0, 0, "other", None),
        (3, 9999, "other", None),
        (4, 3, "here", "it names no loss that can be"),
    ],
)
async def test_a_seam_is_held_against_the_entries_at_hand(
    tmp_path: Path, kept: int, size: int, root: str, says: str | None
) -> None:
    company = await Company.create(tmp_path)
    here = roots_of(company.path)(3)
    assert here is not None
    named = here.hex() if root == "here" else "ab" * 32
    ground = Ground.RECOVERY_KEY
    await record(company.ledger, LedgerContinued("log/2", "log", size, named, kept, ground, None, "nod_1", "lost"))
    with closing(connect(company.path, read_only=True)) as db:
        found = judge(db, VerifierKey("log/2", ED25519, bytes(range(32))))
    company.close()
    assert [each.partition(": it ")[2] for each in found] == ([] if says is None else [says.removeprefix("it ")])


@pytest.mark.anyio
async def test_a_leaf_that_is_no_hash_is_left_to_the_check_of_the_entries(tmp_path: Path) -> None:
    company = await Company.create(tmp_path)
    ground = Ground.RECOVERY_KEY
    await record(company.ledger, LedgerContinued("log/2", "log", 3, "ab" * 32, 3, ground, None, "nod_1", "lost"))
    company.close()
    with closing(connect(company.path)) as db:
        db.execute("UPDATE entry SET leaf = 0 WHERE idx = 1")
    assert roots_of(company.path)(1) is not None
    assert roots_of(company.path)(2) is None
    with closing(connect(company.path, read_only=True)) as db:
        assert judge(db, VerifierKey("log/2", ED25519, bytes(range(32)))) == []
