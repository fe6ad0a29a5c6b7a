"""Who wrote the entries, by the verifier and by the platform: both name the same alterations, and the verifier which
entries and which node."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.evidence.verifier import batches as judging
from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.batches import DRAWN, Draw, draw_of, drawn
from onepam.evidence.verifier.refusal import Refused, Usage
from onepam.evidence.verifier.verdict import verify
from onepam.kernel.canonical import decode
from onepam.ledger.authors import Batch, Standing
from onepam.ledger.authorship import Authorship
from onepam.ledger.note import VerifierKey
from tests.evidence.bare import as_logged, bare_pack
from tests.evidence.company import Signer
from tests.ledger.written import ORIGIN, Key, Written, two_nodes

A, B = Key("nod_a"), Key("nod_b")


def signer(key: Key) -> Signer:
    """The key of a written ledger, as packs are signed with it."""
    return Signer(key.public.name, 1, key.private.private_bytes_raw())


def judge(
    tmp_path: Path,
    ledger: Written,
    batches: Sequence[Batch] | None = None,
    *,
    keys: Sequence[Key] = (),
    first: int = 0,
    end: int | None = None,
    nodes: dict[str, str | None] | None = None,
    every: bool = True,
    seed: str = "",
) -> Answer:
    """What the verifier says of a pack of the ledger."""
    written = ledger.batches if batches is None else batches
    pack = bare_pack(as_logged(ledger.rows), written, nodes, first=first, end=end, log=signer(ledger.log))
    path = tmp_path / "pack.zip"
    path.write_bytes(pack)
    return verify(str(path), [each.public.encode() for each in (ledger.log, *keys)], [], (), Draw(every, seed))


def found(ledger: Written, batches: Sequence[Batch] | None = None, *keys: VerifierKey) -> list[str]:
    """What the platform finds."""
    known = {each.name: each for each in (ledger.log.public, *keys)}
    authors = Authorship(Standing(ORIGIN), ledger.batches if batches is None else batches, known)
    for row in ledger.rows:
        authors.take(row)
    return [each.message for each in authors.end()]


def test_what_nodes_in_force_wrote_is_theirs(tmp_path: Path) -> None:
    ledger, *_ = two_nodes()
    answer = judge(tmp_path, ledger)
    assert answer.signatures == "4 of 4 batch signatures checked"
    assert (
        "every batch is of a node that the log's signer had certified; 4 of 4 batch signatures checked" in answer.proved
    )
    assert found(ledger) == []


def _with(batches: Sequence[Batch], place: int, **changes: object) -> list[Batch]:
    return [replace(each, **changes) if at == place else each for at, each in enumerate(batches)]  # type: ignore[arg-type]


MOVED: dict[str, tuple[Callable[[list[Batch]], list[Batch]], str]] = {
    "missing": (lambda b: [b[0], *b[2:]], "entries 2 to 3: of no batch"),
    "the last one missing": (lambda b: b[:-1], "entries 5 to 7: of no batch"),
    "the first one missing": (lambda b: b[1:], "entries 0 to 1: of no batch"),
    "all missing": (lambda b: [], "entries 0 to 7: of no batch"),
    "doubled": (
        lambda b: [b[0], b[1], b[1], *b[2:]],
        "entries 2 to 3, a batch of nod_b: it lies over what stands before",
    ),
    "two exchanged": (lambda b: [b[1], b[0], *b[2:]], "entries 0 to 1: of no batch"),
    "longer": (lambda b: _with(b, 1, last=4), "entries 2 to 4, a batch of nod_b: it bears no signature"),
    "shorter": (lambda b: _with(b, 1, last=2), "entry 2, a batch of nod_b: it bears no signature"),
    "beyond the log": (lambda b: _with(b, 3, last=8), "entries 5 to 8, a batch of nod_b: it ends after the checkpoint"),
    "another's": (lambda b: _with(b, 2, node="nod_b"), "entry 4, a batch of nod_b: it bears no signature of that node"),
    "nobody's": (lambda b: _with(b, 2, node="nod_c"), "entry 4, a batch of nod_c: no key of it is in force there"),
    "forged": (lambda b: _with(b, 2, signature=bytes(64)), "entry 4, a batch of nod_a: it bears no signature of that"),
    "of other entries": (
        lambda b: _with(b, 3, signature=b[1].signature),
        "entries 5 to 7, a batch of nod_b: it bears no",
    ),
}


@pytest.mark.parametrize("name", MOVED)
def test_an_altered_batch_is_named(name: str, tmp_path: Path) -> None:
    ledger, *_ = two_nodes()
    change, says = MOVED[name]
    altered = change(ledger.batches)
    with pytest.raises(Refused, match=says):
        judge(tmp_path, ledger, altered)
    assert found(ledger, altered)


def _by_a_stranger(ledger: Written) -> str:
    ledger.write(Key("nod_c"))
    return "entry 8, a batch of nod_c: no key of it is in force there"


def _by_another_key(ledger: Written) -> str:
    ledger.write(Key("nod_a", seed=2))
    return "entry 8, a batch of nod_a: it bears no signature of that node"


def _after_the_revocation(ledger: Written) -> str:
    ledger.write(B, ledger.revoked(A))
    ledger.write(A)
    return "entry 9, a batch of nod_a: no key of it is in force there"


def _certified_by_a_stranger(ledger: Written) -> str:
    stranger = Written(log=Key(ORIGIN, seed=9))
    ledger.write(Key("nod_c"), stranger.certified(Key("nod_c"), 3))
    return "entry 8 certifies a key of nod_c, and its certificate does not hold: certificate: no signature by the log's"


def _certified_again(ledger: Written) -> str:
    ledger.write(A, ledger.certified(A, 1))
    return "entry 8 certifies a key of nod_a, and a newer certificate of it was there before"


def _altered(entry: tuple[str, dict[str, object]], **changes: object) -> tuple[str, dict[str, object]]:
    kind, body = entry
    return kind, body | changes


def _certificate_of_another_key(ledger: Written) -> str:
    ledger.write(A, _altered(ledger.certified(A, 3), key=Key("nod_a", seed=2).public.encode()))
    return "entry 8 certifies a key of nod_a, and its certificate is of another key"


def _certificate_of_another_node(ledger: Written) -> str:
    ledger.write(A, _altered(ledger.certified(A, 3), node="nod_c"))
    return "entry 8 certifies a key of nod_c, and its certificate does not hold: it is of something else"


def _certificate_of_another_number(ledger: Written) -> str:
    ledger.write(A, _altered(ledger.certified(A, 3), number=4))
    return "entry 8 certifies a key of nod_a, and its certificate is of another key"


def _no_certificate(ledger: Written) -> str:
    ledger.write(A, _altered(ledger.certified(A, 3), certificate=7))
    return "entry 8 certifies a key of nod_a, and its certificate does not hold"


ADDED = (
    _by_a_stranger,
    _by_another_key,
    _after_the_revocation,
    _certified_by_a_stranger,
    _certified_again,
    _certificate_of_another_key,
    _certificate_of_another_node,
    _certificate_of_another_number,
    _no_certificate,
)


@pytest.mark.parametrize("add", ADDED, ids=lambda add: add.__name__)
def test_who_had_no_key_in_force_is_named(add: Callable[[Written], str], tmp_path: Path) -> None:
    ledger, *_ = two_nodes()
    says = add(ledger)
    with pytest.raises(Refused, match=says):
        judge(tmp_path, ledger)
    assert found(ledger)


def test_a_revocation_ends_with_its_batch_and_a_new_certificate_begins_at_once(tmp_path: Path) -> None:
    ledger, *_ = two_nodes()
    ledger.write(A, ledger.revoked(A), ("thing.done", {"n": 9}))
    new = Key("nod_a", seed=2)
    ledger.write(new, ("thing.done", {"n": 10}), ledger.certified(new, 5))
    ledger.write(B, ledger.revoked(Key("nod_z")))
    assert judge(tmp_path, ledger).signatures == "7 of 7 batch signatures checked"
    assert found(ledger) == []


def seam(after: Written, origin: str = "log.example/b", before: str = ORIGIN) -> tuple[str, dict[str, object]]:
    size = len(after.rows)
    said = {"origin": origin, "before": before, "size": size, "root": after.root(size).hex(), "kept": size}
    return "ledger.continued", said


def continued() -> Written:
    """A ledger whose signer was lost: the host announced and continued it, certified by nobody."""
    ledger, *_ = two_nodes()
    host = Key("nod_host")
    ledger.write(host, ("ledger.continuation_announced", {"origin": "log.example/b"}))
    ledger.write(host, seam(ledger))
    ledger.log = Key("log.example/b")
    ledger.write(A, ledger.certified(A, 1))
    return ledger


def test_after_a_seam_everybody_has_another_certificate(tmp_path: Path) -> None:
    ledger, old = continued(), Key(ORIGIN)
    assert judge(tmp_path, ledger, keys=[old]).signatures == "5 of 5 batch signatures checked"
    assert found(ledger, None, old.public) == []
    ledger.write(B)
    with pytest.raises(Refused, match="entry 11, a batch of nod_b: no key of it is in force there"):
        judge(tmp_path, ledger, keys=[old])


def test_without_the_key_of_before_it_says_whose_authors_are_not_known(tmp_path: Path) -> None:
    ledger = continued()
    answer = judge(tmp_path, ledger)
    assert answer.signatures == "1 of 1 batch signature checked"
    assert not answer.whole
    assert any(each.startswith("It is not judged which node wrote entries 0 to 9: ") for each in answer.lacks)
    said = f"which node wrote entries 0 to 9: they are of the log {ORIGIN}: give its key, too, with --log-key"
    assert said in answer.not_proved
    altered = [each for each in ledger.batches if each.first != 4]
    assert said in judge(tmp_path, ledger, altered).not_proved


def test_what_is_written_without_a_signer_counts_only_if_a_seam_follows(tmp_path: Path) -> None:
    ledger, *_ = two_nodes()
    ledger.write(Key("nod_host"), ("ledger.continuation_announced", {"origin": "log.example/b"}))
    with pytest.raises(Refused, match="entry 8, a batch of nod_host: no key of it is in force there"):
        judge(tmp_path, ledger)
    ledger, *_ = two_nodes()
    ledger.write(Key("nod_host"), seam(ledger), ("thing.done", {"n": 9}))
    ledger.log = Key("log.example/b")
    with pytest.raises(Refused, match="entries 8 to 9, a batch of nod_host"):
        judge(tmp_path, ledger, keys=[Key(ORIGIN)])


def test_an_older_range_goes_on_from_the_batch_before_it(tmp_path: Path) -> None:
    ledger, *_ = two_nodes()
    notes = {
        name: str(body["certificate"]) for name, body in (("nod_a", _body(ledger, 1)), ("nod_b", _body(ledger, 2)))
    }
    whole: dict[str, str | None] = {"nod_a": notes["nod_a"], "nod_b": notes["nod_b"]}
    answer = judge(tmp_path, ledger, ledger.batches[1:], first=4, nodes=whole)
    assert answer.signatures == "2 of 2 batch signatures checked"
    answer = judge(tmp_path, ledger, ledger.batches[1:], first=3, nodes=whole)
    assert answer.signatures == "2 of 2 batch signatures checked"
    assert "which node wrote entry 3: their batch begins before the range" in answer.not_proved
    answer = judge(tmp_path, ledger, end=7)
    assert answer.signatures == "3 of 3 batch signatures checked"
    assert "which node wrote entries 5 to 6: their batch ends after the range" in answer.not_proved
    for batches, nodes, says in (
        (ledger.batches[2:], whole, "the batch of entry 3 is missing"),
        (ledger.batches, whole, "entries 0 to 1, a batch of nod_a: it ends before the entry before the range"),
        (ledger.batches[1:], {**whole, "nod_b": None}, "entries 5 to 7, a batch of nod_b: no key of it is in force"),
        (
            ledger.batches[1:],
            {**whole, "nod_b": notes["nod_a"]},
            "certificate of nod_b, and its certificate does not hold",
        ),
        ([], {}, "entries 4 to 7: of no batch"),
    ):
        with pytest.raises(Refused, match=says):
            judge(tmp_path, ledger, batches, first=4, nodes=nodes)


def _body(ledger: Written, index: int) -> dict[str, object]:
    value: dict[str, object] = decode(ledger.rows[index].body)
    return value


def test_a_share_is_drawn_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "DRAWN", 3)
    ledger, a, _ = two_nodes()
    for _ in range(40):
        ledger.write(a)
    answer = judge(tmp_path, ledger, every=False)
    checked = int(answer.signatures.split()[0])
    assert 4 <= checked <= 3 + 4, "three drawn, the first of each key, the newest of each node"
    assert answer.signatures.endswith(" of 44 batch signatures checked")
    (said,) = [each for each in answer.not_proved if "--all-signatures checks all" in each]
    seed = said.split("--draw ")[1].split()[0]
    again = judge(tmp_path, ledger, every=False, seed=seed)
    assert again.signatures == answer.signatures
    assert said in again.not_proved
    assert "that nobody knew which signatures are drawn: --draw gave the seed" in again.not_proved
    assert not any("nobody knew" in each for each in answer.not_proved)
    forged = _with(ledger.batches, 43, signature=bytes(64))
    with pytest.raises(Refused, match="entry 47, a batch of nod_a"):
        judge(tmp_path, ledger, forged, every=False)
    assert judge(tmp_path, ledger).signatures == "44 of 44 batch signatures checked"


def test_whoever_makes_a_pack_does_not_know_which_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One batch of 44 is forged that a seed does not draw: with seeds of the verifier's own it is found."""
    monkeypatch.setattr(judging, "DRAWN", 20)
    ledger, a, _ = two_nodes()
    for _ in range(40):
        ledger.write(a)
    known = "0" * 32
    for place in range(4, 43):
        forged = _with(ledger.batches, place, signature=ledger.batches[place - 1].signature)
        try:
            judge(tmp_path, ledger, forged, every=False, seed=known)
        except Refused:
            continue
        break
    else:
        pytest.fail("each is drawn")
    found = 0
    for _ in range(40):
        try:
            judge(tmp_path, ledger, forged, every=False)
        except Refused:
            found += 1
    assert 0 < found < 40, "by chance, which nobody can choose"


@pytest.mark.parametrize(("every", "seed"), [(False, "0" * 31), (False, "G" * 32), (False, ""), (True, "0" * 32)])
def test_a_seed_that_is_none_is_named(every: bool, seed: str) -> None:
    with pytest.raises(Usage, match="--draw"):
        draw_of(every, seed)
    assert draw_of(every, None) == Draw(every)


def test_the_draw_is_the_same_for_everybody_with_the_same_seed() -> None:
    assert drawn(b"root", 5) == {0, 1, 2, 3, 4}
    many = drawn(b"r" * 32, 100_000)
    assert len(many) == DRAWN
    assert max(many) < 100_000
    assert many == drawn(b"r" * 32, 100_000) != drawn(b"s" * 32, 100_000)
    assert len(drawn(b"r" * 32, DRAWN + 1)) == DRAWN
