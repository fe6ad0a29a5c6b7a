"""Every attack of the table, on an installation of either layout: found and named, or not, because."""

import asyncio
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.domain.history.system import ClockJumped
from onepam.ledger.checkpoint import Checkpoint, sign_checkpoint
from onepam.ledger.note import ED25519, VerifierKey
from onepam.ledger.verdict import ExitCode
from tests.boot.installation import ORIGIN, verify
from tests.tampering.every import ATTACKS
from tests.tampering.forging import certified, published, rewritten
from tests.tampering.installed import INSIDE, MALLORY, OUTSIDE, Installation, installed
from tests.tampering.table import Found, Unreachable

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Installation]]:
    """An installation of each layout."""
    async with (
        installed(tmp_path_factory.mktemp(INSIDE), INSIDE) as one,
        installed(tmp_path_factory.mktemp(OUTSIDE), OUTSIDE) as other,
    ):
        yield {INSIDE: one, OUTSIDE: other}


CASES = [(what, layout) for what, each in ATTACKS.items() for layout in (INSIDE, OUTSIDE)
         if each.answer(layout) != Unreachable()]  # fmt: skip


@pytest.mark.claim(
    "Nobody can rewrite unnoticed what an anchor outside covers",
    altered="the check held the entries against the folder's checkpoint and no other anchor",
)
@pytest.mark.parametrize(("what", "layout"), CASES, ids=lambda each: each)
async def test_it_is_found_and_named_or_not_because(
    what: str, layout: str, both: dict[str, Installation], tmp_path: Path
) -> None:
    attack = ATTACKS[what]
    answer, copy = attack.answer(layout), both[layout].copy(tmp_path)
    await asyncio.to_thread(attack.change, copy)
    code, told = await asyncio.to_thread(copy.verified, anchored=True)
    assert "Traceback" not in told
    if not isinstance(answer, Found):
        assert code is ExitCode.INTACT, told
        return
    assert (code, bool(re.search(answer.words, told))) == (answer.code, True), told
    alone, told = await asyncio.to_thread(copy.verified, anchored=False)
    assert alone is (ExitCode.UNANCHORED if answer.anchored else answer.code), told
    assert "intact" not in told
    assert answer.anchored or re.search(answer.words, told), told


def test_what_nobody_touched_is_intact(both: dict[str, Installation], tmp_path: Path) -> None:
    for layout, each in both.items():
        folder = tmp_path / layout
        folder.mkdir()
        code, told = each.copy(folder).verified(anchored=True)
        assert code is ExitCode.INTACT, told


def test_sixty_are_tried_and_no_key_of_the_signer_lies_in_a_folder_without_it(both: dict[str, Installation]) -> None:
    assert len(ATTACKS) >= 60
    assert not (both[OUTSIDE].data / "signer").exists()
    assert (both[INSIDE].data / "signer" / "key").exists()


def test_all_rewritten_under_another_key_is_found_by_a_kept_checkpoint_alone(
    both: dict[str, Installation], tmp_path: Path
) -> None:
    """Nobody gives --log-key: the key in the folder is taken, and it did not sign what was kept elsewhere."""
    copy = both[OUTSIDE].copy(tmp_path)
    rewritten(copy, lambda event: not isinstance(event, ClockJumped), certified(copy))
    published(copy)
    (copy.data / "log-key").write_text(f"{copy.public.encode()}\n")
    found, told = verify(copy.data, "--no-state", "--checkpoint", str(both[OUTSIDE].kept))
    assert found == 1, told
    assert "log-key: not the key that lies with the database" in told
    found, told = verify(copy.data, "--no-state")
    assert found in (1, 3), told
    assert "intact" not in told


def test_anchors_that_are_none_judge_nothing(both: dict[str, Installation], tmp_path: Path) -> None:
    one = both[INSIDE]
    data = one.copy(tmp_path).data
    note = one.kept.read_bytes()
    text = note.split(b"\n\n")[0]
    stranger = VerifierKey(ORIGIN, ED25519, MALLORY.public_key().public_bytes_raw())
    forged, foreign, junk = tmp_path / "forged", tmp_path / "foreign", tmp_path / "junk"
    forged.write_bytes(note.replace(text.split(b"\n")[2], b64encode(bytes(32))))
    foreign.write_bytes(sign_checkpoint(Checkpoint(ORIGIN, 3, bytes(32)), stranger, MALLORY.sign))
    junk.write_bytes(b"\x00")
    inside = data / "log" / "checkpoint"
    keyed = ("--no-state", "--log-key", one.key)
    for file, says in (
        (forged, "does not hold"),
        (foreign, "by none of the keys"),
        (junk, "note"),
        (inside, "lies in the data"),
        (tmp_path / "nothing", "No such file"),
    ):
        found, told = verify(data, *keyed, "--checkpoint", str(file))
        assert found == 2, told
        assert says in re.sub(r"[\s│]+", " ", told), told
    root = re.findall(r"root (\w{64})", verify(data, *keyed)[1])[0]
    size = text.split(b"\n")[1].decode()
    assert verify(data, *keyed, "--at-least", size, root)[0] == 0
    assert verify(data, *keyed, "--at-least", size, "ab" * 32)[0] == 1
    assert verify(data, *keyed, "--at-least", "0", root)[0] == 2
    assert verify(data, *keyed, "--at-least", size, "xy")[0] == 2
    assert verify(data, *keyed, "--signer", str(data / "signer" / "socket"))[0] == 2
