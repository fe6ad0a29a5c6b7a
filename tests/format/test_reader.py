"""A verifier that was written from docs/format.md alone says what the page says of packs of the real program."""

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from onepam.ledger.authors import root_of
from tests.evidence.altered import altered_packs
from tests.evidence.bare import bare_pack
from tests.evidence.company import LOG, NODE, Signer, batches_of, certificate, pack_input, written
from tests.evidence.conftest import Check
from tests.format.alterations import ALTERATIONS, PERMITTED, altered
from tests.format.conftest import History
from tests.format.forged import MANIFEST, ForgersKey, unzip

Node = Callable[..., subprocess.CompletedProcess[str]]
Judge = Callable[[Sequence[tuple[bytes, Sequence[str]]]], list[str]]
VECTORS = Path(__file__).parents[1] / "golden" / "vectors"


def _keys(pack: bytes) -> list[str]:
    manifest = json.loads(unzip(pack)[MANIFEST])
    return [manifest["log_key"], *manifest["witnesses"]]


def _why(line: str) -> str:
    """The refusal, without the name of the pack."""
    assert line.startswith("refused "), line
    return line.split(": ", 1)[1]


def test_every_vector_is_judged_as_it_says(node: Node) -> None:
    files = sorted(VECTORS.glob("*.json"))
    result = node("vectors.mjs", *files)
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert [line for line in lines if not line.startswith("right ")] == []
    assert {line.split()[1] for line in lines} == {file.stem for file in files}
    assert result.returncode == 0


def test_packs_of_the_program_are_accepted(honest: bytes, drawn_pack: bytes, judge: Judge) -> None:
    lines = judge([(pack, _keys(pack)) for pack in (honest, drawn_pack)])
    assert [line.split(": ")[0] for line in lines] == ["accepted 0.zip", "accepted 1.zip"]
    assert "65 of 65 batch signatures checked" in lines[1]
    assert not re.search("no release|other columns", lines[1])
    assert "no release titles sessions so; other columns of sessions: comment" in lines[0]


def test_without_keys_it_is_said_what_was_not_judged(drawn_pack: bytes, judge: Judge) -> None:
    [line] = judge([(drawn_pack, [])])
    assert line.startswith("accepted ")
    assert "the key of the log is not given" in line
    assert "65 batches were not judged" in line
    assert "not anchored" in line


def test_every_alteration_is_refused_and_named(drawn_pack: bytes, judge: Judge) -> None:
    assert len(ALTERATIONS) >= 40
    keys = _keys(drawn_pack)
    lines = judge([(altered(drawn_pack, act), keys) for act, _ in ALTERATIONS.values()])
    wrong = {
        name: line
        for (name, (_, named)), line in zip(ALTERATIONS.items(), lines, strict=True)
        if not line.startswith("refused ") or not re.search(named, _why(line))
    }
    assert wrong == {}


def test_what_the_page_leaves_open_is_accepted(drawn_pack: bytes, judge: Judge) -> None:
    keys = _keys(drawn_pack)
    lines = judge([(altered(drawn_pack, act), keys) for act in PERMITTED.values()])
    assert [line for line in lines if not line.startswith("accepted ")] == []


def test_a_foreign_key_is_refused(drawn_pack: bytes, judge: Judge) -> None:
    log, witness = _keys(drawn_pack)
    name = log.split("+")[0]
    given = [
        ([ForgersKey(name).vkey, witness], r"^checkpoint: no signature of log\.example\.com/onepam"),
        (
            [ForgersKey("elsewhere.example/log").vkey, witness],
            r"^checkpoint: it is not of the log of the key elsewhere",
        ),
        (
            [log, ForgersKey("witness.example.net/2", algorithm=4).vkey],
            r"^checkpoint: no signature of witness\.example\.net",
        ),
        ([log.replace("+", "+00", 1)], r"^the keys"),
    ]
    for (_, named), line in zip(given, judge([(drawn_pack, keys) for keys, _ in given]), strict=True):
        assert re.search(named, _why(line)), line


def test_it_agrees_with_the_verifier_about_packs_that_were_altered_at_random(
    company: History, honest: bytes, judge: Judge
) -> None:
    drawn = altered_packs(company, honest, 150, seed=46)
    packs = [each for each in drawn if each.code not in (2, 4)]
    lines = judge([(each.data, [*each.log_keys, *each.witness_keys]) for each in packs])
    assert len(packs) > 100
    refused = [(each.name, each.code == 1) for each in packs]
    assert [(each.name, line.startswith("refused ")) for each, line in zip(packs, lines, strict=True)] == refused


def _range_of(*, first: int, end: int, extra: dict[int, Callable[[History, int], int]]) -> bytes:
    """Entries in batches 0 to 1, 2 to 11, 12 to 21 … of one node, which is certified in entry 0 unless it is said."""
    history = History()
    for index in range(32):
        at = (index + 1) * 1_000_000
        act = extra.get(index) or (_certify(1) if index == 0 else None)
        if act is None:
            history.append(at, "factor.used", {"x": index})
        else:
            act(history, at)
    batches = batches_of(history.entries, begin=2)[1:]
    number = 3 if extra.get(0) else 1
    return bare_pack(history.entries, batches, {NODE.name: certificate(number=number)}, first=first, end=end)


def _certify(number: int) -> Callable[[History, int], int]:
    return lambda history, at: history.certify(at, number=number)


def _revoke(history: History, at: int) -> int:
    return history.append(at, "node.revoked", {"by": "root", "key": NODE.vkey(), "node": NODE.name})


def test_of_the_batch_before_a_range_what_lies_in_it_is_heeded(judge: Judge) -> None:
    cases: list[tuple[dict[int, Callable[[History, int], int]], str]] = [
        ({}, r"^accepted .*the first batch is nobody's to judge"),
        ({5: _certify(2)}, r"^accepted "),
        ({5: _revoke}, r"batch of entry 12: nod_1 has no key in force"),
        ({5: _revoke, 7: _certify(2)}, r"batch of entry 12: nod_1 has no key in force"),
        ({0: _certify(3), 5: _certify(2)}, r"batch of entry 2: a certificate does not hold: .* was given before"),
        ({13: _revoke}, r"batch of entry 22: nod_1 has no key in force"),
        ({13: _revoke, 14: _certify(2)}, r"batch of entry 22: nod_1 has no key in force"),
    ]
    lines = judge([(_range_of(first=4, end=32, extra=extra), [LOG.vkey()]) for extra, _ in cases])
    for (_, said), line in zip(cases, lines, strict=True):
        assert re.search(said, line), line


def test_a_pack_of_a_smaller_range_is_accepted(company: History, judge: Judge) -> None:
    for first, end in ((0, 310), (13, 310), (13, 318)):
        pack = written(pack_input(company, first=first, end=end))
        [line] = judge([(pack, _keys(pack))])
        assert line.startswith("accepted "), line
        assert (end < 318) == ("hides 8 entries before its checkpoint" in line)


def test_a_head_from_elsewhere_anchors_or_refuses(drawn_pack: bytes, node: Node, tmp_path: Path) -> None:
    path = tmp_path / "pack.zip"
    path.write_bytes(drawn_pack)
    log, _ = _keys(drawn_pack)
    name = json.loads(unzip(drawn_pack)[MANIFEST])["checkpoint"]
    size, root = name.rsplit("@", 1)[1].split(" ")
    known = node("main.mjs", path, "--key", log, "--head", f"{size},{root}")
    assert (known.returncode, "not anchored" in known.stdout) == (0, False)
    larger = node("main.mjs", path, "--key", log, "--head", f"{int(size) + 1},{root}")
    assert (larger.returncode, "not anchored" in larger.stdout) == (0, True)
    other = node("main.mjs", path, "--key", log, "--head", f"{size},{'0' * 64}")
    assert (other.returncode, "checkpoint: an anchor of" in other.stdout) == (1, True)


OLD = Signer("old.example/log", 1, b"o" * 32)


def _lost(extra: dict[int, str], before: Signer = OLD, **said: object) -> bytes:
    """A log whose only node is revoked in its first batch; the second, 2 to 11, announces and continues the log. The
    seam keeps the two entries before it, unless something else is `said`."""
    history = History()
    history.certify(1_000_000, number=1, log=before)
    _revoke(history, 2_000_000)
    seam = {
        "before": before.name,
        "ground": "recovery_key",
        "kept": 2,
        "origin": LOG.name,
        "root": root_of([each.leaf() for each in history.entries]).hex(),
        "size": 2,
    } | said
    for index in range(2, 12):
        kind = extra.get(index, "ledger.continued" if index == 11 else "ledger.continuation_announced")
        history.append((index + 1) * 1_000_000, kind, seam)
    for index in range(12, 22):
        history.certify((index + 1) * 1_000_000, number=index)
    return bare_pack(history.entries, batches_of(history.entries, begin=2), {NODE.name: None})


def test_only_a_seam_and_what_announces_it_need_nobodys_signature(judge: Judge) -> None:
    keys = [LOG.vkey(), OLD.vkey()]
    packs = [_lost({}), _lost({5: "factor.used"}), _lost({}, LOG)]
    lines = judge([*[(pack, keys) for pack in packs], (packs[0], [LOG.vkey()])])
    assert lines[0].startswith("accepted ")
    for line in lines[1:3]:
        assert "batches.bin batch of entry 2: nod_1 has no key in force" in _why(line)
    assert "2 batches were not judged: the key of their log is not given" in lines[3]


def test_a_seam_is_held_against_the_entries_at_hand(judge: Judge, check: Check) -> None:
    """That keeps all of a log names its root; that declares as lost what is here is refused; of what is not here it
    may say what it likes."""
    keys = [LOG.vkey(), OLD.vkey()]
    other = "ab" * 32
    cases = [
        (_lost({}), ""),
        (_lost({}, root=other), "another root of the 2 entries that it keeps"),
        (_lost({}, root=other, kept=1), ""),
        (_lost({}, kept=1), "declares as lost what is here"),
        (_lost({}, root=other, size=900), ""),
    ]
    lines = judge([(pack, keys) for pack, _ in cases])
    for (pack, said), line in zip(cases, lines, strict=True):
        assert line.startswith("refused " if said else "accepted ")
        assert said in line
        found, told = check(pack, *(each for key in keys for each in ("--log-key", key)))
        assert (said in told["verdict"], found == 1) == (True, bool(said)), told


def test_members_that_a_kind_does_not_have_are_no_reason_to_refuse(judge: Judge, check: Check) -> None:
    """Nor is one that lacks: `factor.used` has no member `x`, and names a factor and a person."""
    pack = _range_of(first=4, end=32, extra={})
    [line] = judge([(pack, [LOG.vkey()])])
    assert line.startswith("accepted ")
    assert check(pack, "--log-key", LOG.vkey())[0] == 3
