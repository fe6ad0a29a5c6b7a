"""A pack held against what somebody kept elsewhere: a checkpoint, or the size and root of one."""

from base64 import b64decode, b64encode
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.evidence.pack import Disclosed
from tests.evidence.company import LOG, ORIGIN, PART, STRANGER, WITNESS, History, Signer, history, pack_input, written
from tests.evidence.conftest import Check
from tests.evidence.forge import Forge


@pytest.fixture(scope="module")
def unwitnessed(company: History) -> bytes:
    return written(pack_input(company, checkpoint=company.checkpoint(witnesses=()), witnesses=()))


def head(h: History, size: int) -> History:
    """The history as it was when it had `size` entries."""
    earlier = deepcopy(h)
    del earlier.entries[size:]
    return earlier


def root_of(note: bytes) -> str:
    return b64decode(note.splitlines()[2]).hex()


def test_a_checkpoint_that_was_kept_anchors_a_pack(
    unwitnessed: bytes, company: History, check: Check, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(company.checkpoint(witnesses=()))
    code, result = check(unwitnessed, "--log-key", LOG.vkey(), "--checkpoint", str(kept))
    assert code == PART, result
    assert result["history"].startswith("anchored and intact: ")
    assert f"the checkpoint {kept}, of 318 entries" in result["history"]
    assert check(unwitnessed, "--checkpoint", str(kept))[0] == 3, "the author is not checked"


def test_size_and_root_anchor_as_well(unwitnessed: bytes, company: History, check: Check) -> None:
    root = root_of(company.checkpoint())
    code, result = check(unwitnessed, "--log-key", LOG.vkey(), "--at-least", "318", root)
    assert code == PART, result
    code, result = check(unwitnessed, "--log-key", LOG.vkey(), "--at-least", "318", "00" * 32)
    assert code == 1
    assert "the history is not the one of the tree head of 318 entries that you gave" in result["history"]


@pytest.mark.parametrize("size", [1, 63, 64, 65, 200, 256, 257, 317])
def test_every_earlier_tree_can_be_held_against_it(
    size: int, unwitnessed: bytes, company: History, check: Check, tmp_path: Path
) -> None:
    (tmp_path / "kept").write_bytes(head(company, size).checkpoint(witnesses=()))
    _, result = check(unwitnessed, "--log-key", LOG.vkey(), "--checkpoint", str(tmp_path / "kept"))
    said = [line for line in result["proved"] if line.startswith(f"the first {size} entries are those of")]
    assert len(said) == 1
    (tmp_path / "kept").write_bytes(head(history(seed=1), size).checkpoint(witnesses=()))
    code, result = check(unwitnessed, "--log-key", LOG.vkey(), "--checkpoint", str(tmp_path / "kept"))
    assert code == 1
    assert "it was rewritten" in result["verdict"]


def test_an_anchor_older_than_a_day_is_named_and_does_not_suffice(
    unwitnessed: bytes, company: History, check: Check, tmp_path: Path
) -> None:
    (tmp_path / "kept").write_bytes(head(company, 100).checkpoint(witnesses=()))
    code, result = check(unwitnessed, "--log-key", LOG.vkey(), "--checkpoint", str(tmp_path / "kept"))
    assert code == 3
    assert any("it is older than a day" in line for line in result["not_proved"])


def test_an_anchor_newer_than_the_pack_is_named(
    company: History, unwitnessed: bytes, check: Check, tmp_path: Path
) -> None:
    short = head(company, 300)
    pack = written(pack_input(short, checkpoint=short.checkpoint(witnesses=()), witnesses=()))
    (tmp_path / "kept").write_bytes(company.checkpoint(witnesses=()))
    code, result = check(pack, "--log-key", LOG.vkey(), "--checkpoint", str(tmp_path / "kept"))
    assert code == 3, result
    assert any("newer than the pack, which has 300" in line for line in result["not_proved"])


def test_a_forged_or_foreign_checkpoint_judges_nothing(
    unwitnessed: bytes, company: History, check: Check, tmp_path: Path
) -> None:
    note = company.checkpoint(witnesses=())
    text, line = note.split(b"\n\n")
    other = text.replace(ORIGIN.encode(), b"another.example/log") + b"\n"
    forged = text.replace(b"\n318\n", b"\n319\n") + b"\n\n" + line
    foreign = other + b"\n" + Signer("another.example/log", 1, LOG.seed).line(other)
    for content, says in ((forged, "is forged"), (foreign, "of another log: another"), (b"junk", "not a signed note")):
        (tmp_path / "kept").write_bytes(content)
        code, result = check(unwitnessed, "--log-key", LOG.vkey(), "--checkpoint", str(tmp_path / "kept"))
        assert code == 2, result
        assert says in result["verdict"]
        assert result["verdict"].startswith("NOT JUDGED: ")
    for size, root in (("0", "00" * 32), ("318", "00"), ("-1", "00" * 32), ("318", b64encode(bytes(32)).decode())):
        code, _ = check(unwitnessed, "--log-key", LOG.vkey(), "--at-least", size, root)
        assert code == 2, (size, root)


def test_a_pack_by_a_new_key_does_not_fit_the_checkpoint_of_before(
    company: History, check: Check, tmp_path: Path
) -> None:
    """Somebody makes a new history under a key of their own and names that key in the pack."""
    (tmp_path / "kept").write_bytes(company.checkpoint(witnesses=()))
    false = history(seed=1)
    note = false.checkpoint(STRANGER, witnesses=())
    forge = Forge(false, written(pack_input(false, checkpoint=note, witnesses=())))
    forge.edit("manifest.json", lambda m: m.update(log_key=STRANGER.vkey()))
    pack = forge.seal()
    code, result = check(pack, "--checkpoint", str(tmp_path / "kept"))
    assert code == 1
    assert f"is not signed by {STRANGER.name}+{STRANGER.id().hex()}, which signed this pack" in result["history"]


def test_a_checkpoint_that_the_witness_cosigned_suffices(
    unwitnessed: bytes, company: History, check: Check, tmp_path: Path
) -> None:
    """The witness's line on the kept checkpoint: its key must be given, and the pack's own has none of its lines."""
    (tmp_path / "kept").write_bytes(company.checkpoint())
    code, _ = check(unwitnessed, "--log-key", LOG.vkey(), "--checkpoint", str(tmp_path / "kept"))
    assert code == PART
    assert check(unwitnessed, "--log-key", LOG.vkey(), "--witness-key", WITNESS.vkey())[0] == 1


OLD = Signer("old.example/log", 1, b"o" * 32)


def continued(h: History, origin: str = ORIGIN, before: str = OLD.name, kept: int = 318) -> int:
    """The log goes on after a loss; the index of the seam."""
    body = {"origin": origin, "before": before, "size": 900, "root": "ab" * 32, "kept": kept}
    h.append(h.entries[-1].header.time + 1, "ledger.continued", body)
    return len(h.entries) - 1


def test_a_seam_is_told_and_cannot_be_hidden(company: History, check: Check) -> None:
    h = deepcopy(company)
    index = continued(h)
    honest = pack_input(h, checkpoint=h.checkpoint(witnesses=()), witnesses=())
    code, result = check(written(honest), "--log-key", LOG.vkey())
    assert code == 1
    assert f"entry {index} (ledger.continued) is not disclosed" in result["verdict"]
    shown = [*honest.disclosed, Disclosed(index, h.entries[index].body)]
    told = replace(pack_input(h, checkpoint=h.checkpoint(witnesses=()), witnesses=()), disclosed=shown)
    code, result = check(written(told), "--log-key", LOG.vkey())
    assert code == 3, result
    assert f"entries 318 to 899 of old.example/log are lost: entry {index} continues it as" in result["history"]


def test_a_seam_that_names_another_log_is_refused(company: History, check: Check) -> None:
    h = deepcopy(company)
    index = continued(h, "third.example/log")
    honest = pack_input(h, checkpoint=h.checkpoint(witnesses=()), witnesses=())
    told = replace(honest, disclosed=[*honest.disclosed, Disclosed(index, h.entries[index].body)])
    code, result = check(written(told), "--log-key", LOG.vkey())
    assert code == 1
    assert "continued under another name" in result["verdict"]


def told_of(h: History, *seams: int) -> bytes:
    """A pack that discloses its seams."""
    honest = pack_input(h, checkpoint=h.checkpoint(witnesses=()), witnesses=())
    shown = [Disclosed(index, h.entries[index].body) for index in seams]
    return written(replace(honest, disclosed=[*honest.disclosed, *shown]))


@pytest.fixture(scope="module")
def before() -> History:
    """What was written under the old log."""
    return history(log=OLD)


@pytest.fixture(scope="module")
def continued_pack(before: History) -> bytes:
    """The first 300 of 900 entries are said to be left, and 318 of them are."""
    h = deepcopy(before)
    return told_of(h, continued(h, kept=300))


def old_note(size: int, root: str) -> bytes:
    text = f"{OLD.name}\n{size}\n{b64encode(bytes.fromhex(root)).decode()}\n".encode()
    return text + b"\n" + OLD.line(text)


OTHERS = "not those of the company"


@pytest.mark.parametrize(
    ("size", "root", "code", "says"),
    [
        (300, "", 3, "the first 300 entries are those of"),
        (300, OTHERS, 1, "the history is not the one of"),
        (
            301,
            "",
            1,
            "has seen 301 entries of old.example/log, and entry 318 names only 300 as left: it declares",
        ),
        (318, "", 1, "it declares as lost what is here"),
        (301, OTHERS, 3, "of its 301 entries those from 300 on are lost"),
        (319, OTHERS, 3, "of its 319 entries those from 300 on are lost"),
        (900, "ab" * 32, 3, "of its 900 entries those from 300 on are lost"),
        (900, "cd" * 32, 1, "has seen 900 entries of old.example/log, and entry 318 names another root of them"),
        (901, "ab" * 32, 1, "has seen 901 entries of old.example/log, and entry 318 names a loss up to 900: more"),
    ],
)
def test_a_checkpoint_of_before_a_loss_is_held_against_what_is_said_of_it(
    continued_pack: bytes, before: History, check: Check, tmp_path: Path, size: int, root: str, code: int, says: str
) -> None:
    if len(root) != 64:
        root = root_of(head(history(seed=1) if root else before, size).checkpoint())
    (tmp_path / "kept").write_bytes(old_note(size, root))
    keys = ("--log-key", LOG.vkey(), "--log-key", OLD.vkey())
    found, told = check(continued_pack, *keys, "--checkpoint", str(tmp_path / "kept"))
    assert found == code, told
    assert any(says in line for line in [told["verdict"], *told["proved"], *told["not_proved"]]), told


def test_a_checkpoint_of_before_a_loss_needs_the_key_of_that_log(
    continued_pack: bytes, check: Check, tmp_path: Path
) -> None:
    (tmp_path / "kept").write_bytes(old_note(900, "ab" * 32))
    found, told = check(continued_pack, "--log-key", LOG.vkey(), "--checkpoint", str(tmp_path / "kept"))
    assert found == 2
    assert "give that log's key, too" in told["verdict"]


@pytest.mark.parametrize(("size", "code"), [(300, 3), (301, 1), (318, 1), (319, PART)])
def test_a_tree_head_without_a_name_is_of_before_the_loss_or_of_this_log(
    continued_pack: bytes, before: History, check: Check, size: int, code: int
) -> None:
    h = deepcopy(before)
    continued(h, kept=300)
    keys = ("--log-key", LOG.vkey())
    found, told = check(continued_pack, *keys, "--at-least", str(size), root_of(head(h, size).checkpoint()))
    assert found == code, told
    assert code != 1 or "it declares as lost what is here" in told["verdict"]
    found, told = check(continued_pack, *keys, "--at-least", str(size), "cd" * 32)
    assert found == (1 if size == 300 else 3), "what was lost may have been anything"


@pytest.mark.parametrize(
    ("kept", "before", "says"),
    [
        (901, OLD.name, "names no loss that can be"),
        (320, OLD.name, "names no loss that can be"),
        (-1, OLD.name, "names no loss that can be"),
        ("318", OLD.name, "names no loss that can be"),
        (319, OLD.name, "entry 319 continues old.example/log, and the log was second.example/log"),
    ],
)
def test_a_seam_that_cannot_be_is_refused(company: History, check: Check, kept: int, before: str, says: str) -> None:
    h = deepcopy(company)
    first = continued(h, "second.example/log")
    code, told = check(told_of(h, first, continued(h, before=before, kept=kept)), "--log-key", LOG.vkey())
    assert code == 1
    assert says in told["verdict"]
