"""What an attacker with the data folder tries against the history and its anchors: each is found and named, or it is
written down here that it cannot be found, and why. docs/security.md has the same table for people."""

import asyncio
import json
import re
import shutil
import sqlite3
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onepam.blobs.tile_folder import TileFolder
from onepam.boot.config import Config
from onepam.kernel.clock import Instant
from onepam.ledger.checkpoint import Checkpoint, sign_checkpoint
from onepam.ledger.entry import Header, leaf_hash
from onepam.ledger.merkle import Frontier
from onepam.ledger.note import ED25519, VerifierKey
from onepam.ledger.tiles import grow, grow_entries
from onepam.signing.key_file import load_key
from tests.boot.installation import ORIGIN, live, verify
from tests.targets import free_port

MALLORY = Ed25519PrivateKey.from_private_bytes(b"m" * 32)
FORGED = VerifierKey(ORIGIN, ED25519, MALLORY.public_key().public_bytes_raw())
COLUMNS = "idx, time, kind, version, class, class_seq, body, leaf"


@dataclass(frozen=True)
class Installed:
    """A data folder, an older copy of it, the log's key, and the checkpoint that somebody keeps elsewhere."""

    data: Path
    older: Path
    key: str
    kept: Path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("attacked")
    data, older, kept = folder / "data", folder / "older", folder / "kept-checkpoint"
    config = Config(data, origin=ORIGIN, console_port=free_port(), ssh_port=free_port())
    asyncio.run(live(config, 4))
    shutil.copytree(data, older, ignore=shutil.ignore_patterns("socket"))
    key = asyncio.run(live(config, 12))
    kept.write_bytes((data / "log" / "checkpoint").read_bytes())
    return Installed(data, older, key, kept)


def sql(data: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def forget(data: Path) -> None:
    """Published log and signer are gone, as where the signer lives elsewhere and the folder was emptied of proofs."""
    shutil.rmtree(data / "log")
    shutil.rmtree(data / "signer")


def rehash(data: Path) -> list[tuple[int, ...]]:
    """Every leaf and the head row made anew over whatever the rows say."""
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        rows = db.execute(f"SELECT {COLUMNS} FROM entry ORDER BY idx").fetchall()
        counters: dict[str, int] = {}
        for at, (idx, time, kind, version, klass, _, body, _) in enumerate(rows):
            seq = counters[klass] = counters.get(klass, -1) + 1
            leaf = leaf_hash(Header(at, Instant(time), kind, version, klass, seq).encode(), sha256(body).digest())
            db.execute("UPDATE entry SET idx = ?, class_seq = ?, leaf = ? WHERE idx = ?", (at, seq, leaf, idx))
        heads = json.dumps({name: count + 1 for name, count in counters.items()}, sort_keys=True, separators=(",", ":"))
        db.execute("UPDATE head SET size = ?, time = ?, counters = ?", (len(rows), rows[-1][1], heads))
        db.commit()
        found: list[tuple[int, ...]] = db.execute(f"SELECT {COLUMNS} FROM entry ORDER BY idx").fetchall()
        return found


def publish(data: Path, private: Ed25519PrivateKey) -> None:
    """Tiles and a checkpoint over the rows as they are, signed by whatever key, and the signer's memory to fit."""
    rows = rehash(data)
    shutil.rmtree(data / "log", ignore_errors=True)
    tiles, tree = TileFolder(data / "log"), Frontier()
    leaves = [row[7] for row in rows]
    tree.extend(leaves)  # type: ignore[arg-type]
    preimages = [Header(*row[:1], Instant(row[1]), *row[2:6]).encode() + sha256(row[6]).digest() for row in rows]  # type: ignore[call-arg, arg-type]
    for tile, written in [*grow(0, leaves, tiles.read), *grow_entries(0, preimages, tiles.read)]:  # type: ignore[arg-type]
        tiles.write(tile, written)
    key = VerifierKey(ORIGIN, ED25519, private.public_key().public_bytes_raw())
    tiles.write_checkpoint(sign_checkpoint(Checkpoint(ORIGIN, len(rows), tree.root()), key, private.sign))
    state = {"origin": ORIGIN, "root": tree.root().hex(), "size": len(rows), "time": 1}
    (data / "signer").mkdir(exist_ok=True)
    (data / "signer" / "state").write_text(json.dumps(state, sort_keys=True, separators=(",", ":")))
    (data / "log-key").write_text(key.encode() + "\n")


def own(data: Path) -> Ed25519PrivateKey:
    return load_key(data / "signer" / "key")


DROP = "DELETE FROM entry WHERE idx = (SELECT max(idx) FROM entry WHERE kind = 'system.clock_jumped')"


def rewritten_and_forgotten(data: Path) -> None:
    sql(data, DROP)
    rehash(data)
    forget(data)


def rewritten_and_signed(data: Path) -> None:
    private = own(data)
    sql(data, DROP)
    publish(data, private)


def rewritten_under_another_key(data: Path) -> None:
    sql(data, DROP)
    publish(data, MALLORY)


def cut_with_an_older_checkpoint(data: Path) -> None:
    """The tail, the checkpoint and the signer's memory, all as they genuinely were."""
    older = data.parent / "older"
    size = int((older / "log" / "checkpoint").read_text().splitlines()[1])
    sql(data, f"DELETE FROM entry WHERE idx >= {size}")
    rehash(data)
    for name in ("log", "signer"):
        shutil.rmtree(data / name)
        shutil.copytree(older / name, data / name)


def all_of_an_older_copy(data: Path) -> None:
    shutil.rmtree(data)
    shutil.copytree(data.parent / "older", data)


def flip(file: Path, at: int = 5) -> None:
    raw = bytearray(file.read_bytes())
    raw[at] ^= 1
    file.write_bytes(raw)


def tile_altered(data: Path) -> None:
    for each in (data / "log" / "tile" / "0").rglob("*"):
        if each.is_file():
            flip(each)


def tiles_gone(data: Path) -> None:
    shutil.rmtree(data / "log" / "tile")


def signer_forgets(data: Path) -> None:
    (data / "signer" / "state").unlink()


def signer_damaged(data: Path) -> None:
    (data / "signer" / "state").write_text("{}")


def signer_of_another_log(data: Path) -> None:
    state = data / "signer" / "state"
    state.write_text(state.read_text().replace(ORIGIN, "other.log"))


def signer_remembers_more(data: Path) -> None:
    state = data / "signer" / "state"
    state.write_text(re.sub(r'"size":(\d+)', lambda m: f'"size":{int(m[1]) + 9}', state.read_text()))


def signer_remembers_otherwise(data: Path) -> None:
    state = data / "signer" / "state"
    state.write_text(re.sub(r'"root":"..', '"root":"ff', state.read_text()))


def checkpoint_by_another_key(data: Path) -> None:
    note = (data / "log" / "checkpoint").read_text().split("\n")
    found = Checkpoint(note[0], int(note[1]), bytes(32))
    (data / "log" / "checkpoint").write_bytes(sign_checkpoint(found, FORGED, MALLORY.sign))


def checkpoint_of_another_log(data: Path) -> None:
    note = (data / "log" / "checkpoint").read_text().split("\n")
    key = VerifierKey("other.log", ED25519, MALLORY.public_key().public_bytes_raw())
    found = Checkpoint("other.log", int(note[1]), bytes(32))
    (data / "log" / "checkpoint").write_bytes(sign_checkpoint(found, key, MALLORY.sign))


def origin_changed(data: Path) -> None:
    """The entries call the log by another name."""
    sql(
        data,
        f"UPDATE entry SET body = CAST(replace(body, '{ORIGIN}', 'other.log') AS BLOB) WHERE kind = 'system.started'",
    )


def begun_under_another_key(data: Path) -> None:
    """A start under an exchanged signer, appended past the product and published by it."""
    private = own(data)
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        (index,) = db.execute("SELECT max(idx) FROM entry WHERE kind = 'system.started'").fetchone()
        (time,) = db.execute("SELECT max(time) FROM entry").fetchone()
        db.execute(
            "INSERT INTO entry SELECT (SELECT max(idx) + 1 FROM entry), ?, kind, version, class, class_seq, body, leaf "
            "FROM entry WHERE idx = ?",
            (time + 1, index),
        )
        db.execute(
            "UPDATE entry SET body = CAST(replace(body, ?, ?) AS BLOB) WHERE idx = (SELECT max(idx) FROM entry)",
            (VerifierKey(ORIGIN, ED25519, private.public_key().public_bytes_raw()).encode(), FORGED.encode()),
        )
        db.commit()
    publish(data, private)


def leaf_column(data: Path) -> None:
    sql(data, "UPDATE entry SET leaf = zeroblob(32) WHERE idx = 4")


def counters(data: Path) -> None:
    sql(data, "UPDATE head SET counters = '{}'")


def head_time(data: Path) -> None:
    sql(data, "UPDATE head SET time = time + 3600000000")


def bundles_altered(data: Path) -> None:
    for each in (data / "log" / "tile" / "entries").rglob("*"):
        if each.is_file():
            flip(each)


def upper_tiles_altered(data: Path) -> None:
    for each in (data / "log" / "tile" / "1").rglob("*"):
        if each.is_file():
            flip(each, 5)


def trigger_added(data: Path) -> None:
    sql(data, "CREATE TRIGGER quiet AFTER INSERT ON entry WHEN 0 BEGIN DELETE FROM entry; END")


def recovery_file_gone(data: Path) -> None:
    data.with_name("data.recovery-key").unlink(missing_ok=True)


def an_entry_twice(data: Path) -> None:
    again = COLUMNS.partition(", ")[2]
    sql(data, f"INSERT INTO entry SELECT (SELECT max(idx) + 1 FROM entry), {again} FROM entry WHERE idx = 4")


ATTACKS: dict[str, tuple[Callable[[Path], None], int, str]] = {
    "all rewritten, every proof in the folder deleted": (rewritten_and_forgotten, 1, "forked|rolled_back"),
    "all rewritten and signed with the true key": (rewritten_and_signed, 1, "forked|rolled_back"),
    "all rewritten and signed with another key": (rewritten_under_another_key, 1, "checkpoint: no signature"),
    "tail, checkpoint and signer as they were earlier": (cut_with_an_older_checkpoint, 1, "rolled_back"),
    "the whole folder as it was earlier": (all_of_an_older_copy, 1, "rolled_back"),
    "tiles altered": (tile_altered, 1, "tile: "),
    "tiles deleted": (tiles_gone, 1, "tile: .* the published hash is gone"),
    "the signer's memory deleted": (signer_forgets, 1, "signer: its key is here and its memory"),
    "the signer's memory damaged": (signer_damaged, 1, "signer: .* is not a signer's state"),
    "the signer's memory of another log": (signer_of_another_log, 1, "signer: .* belongs to another log"),
    "the signer's memory enlarged": (signer_remembers_more, 1, "rolled_back: .* the signer has seen it"),
    "the signer's memory of another root": (signer_remembers_otherwise, 1, "forked: .* not those of the signer"),
    "the checkpoint by another key": (checkpoint_by_another_key, 1, "checkpoint: no signature by a known key"),
    "the checkpoint of another log": (checkpoint_of_another_log, 1, "checkpoint: "),
    "the origin changed in the entries": (origin_changed, 1, "flipped: entry"),
    "a start under an exchanged key": (begun_under_another_key, 1, "log-key: entry .* it began under"),
    "the column of a leaf": (leaf_column, 1, "flipped: entry 4: its stored leaf was changed"),
    "the counters of the head": (counters, 1, "head: "),
    "an entry appended twice": (an_entry_twice, 1, "counter: entry"),
    "a trigger in the database": (trigger_added, 1, "database: there is a trigger"),
}

UNFINDABLE: dict[str, tuple[Callable[[Path], None], str]] = {
    "the time of the head row": (
        head_time,
        "it only moves the next entry's time forward, which that entry then says; refused commands move it as well",
    ),
    "bundles of entries altered": (
        bundles_altered,
        "copies for whoever reads the log as files, made anew from the database; a reader's own proof fails",
    ),
    "upper tiles altered": (
        upper_tiles_altered,
        "they follow from the lowest ones; the signer refuses what is proven with them, and publishing says so",
    ),
    "the file of the recovery key's digest deleted": (
        recovery_file_gone,
        "it lies outside the folder and is asked only when a key is shown; then nothing takes the key",
    ),
}


def copy_of(installed: Installed, tmp_path: Path) -> Path:
    shutil.copytree(installed.data, tmp_path / "data", ignore=shutil.ignore_patterns("socket"))
    shutil.copytree(installed.older, tmp_path / "older")
    return tmp_path / "data"


@pytest.mark.claim(
    "Nobody can rewrite unnoticed what an anchor outside covers",
    altered="the check held the entries against the folder's checkpoint and no other anchor",
)
@pytest.mark.parametrize("attack", ATTACKS)
def test_it_is_found_by_the_anchor_and_named(attack: str, installed: Installed, tmp_path: Path) -> None:
    change, code, name = ATTACKS[attack]
    data = copy_of(installed, tmp_path)
    change(data)
    found, told = verify(data, "--no-state", "--log-key", installed.key, "--checkpoint", str(installed.kept))
    assert found == code, told
    assert re.search(name, told), told
    assert "history     broken: " in told


@pytest.mark.parametrize(
    ("attack", "code"),
    [("all rewritten, every proof in the folder deleted", 1), ("the whole folder as it was earlier", 3)],
)
def test_without_the_anchor_it_is_not_called_intact(
    attack: str, code: int, installed: Installed, tmp_path: Path
) -> None:
    """What nobody of ours wrote is found by the log's key alone; what we once wrote takes an anchor."""
    data = copy_of(installed, tmp_path)
    ATTACKS[attack][0](data)
    found, told = verify(data, "--no-state", "--log-key", installed.key)
    assert found == code, told
    assert ("FOUND  author: " in told) == (code == 1)
    assert "intact" not in told


@pytest.mark.parametrize("attack", UNFINDABLE)
def test_what_is_not_found_changes_nothing_that_is_told(attack: str, installed: Installed, tmp_path: Path) -> None:
    data = copy_of(installed, tmp_path)
    UNFINDABLE[attack][0](data)
    found, told = verify(data, "--no-state", "--log-key", installed.key, "--checkpoint", str(installed.kept))
    assert found == 0, told


def test_the_key_exchanged_with_everything_else_is_found_by_a_kept_checkpoint_alone(
    installed: Installed, tmp_path: Path
) -> None:
    """Nobody gives --log-key: the key in the folder is taken, and it did not sign what was kept elsewhere."""
    data = copy_of(installed, tmp_path)
    rewritten_under_another_key(data)
    found, told = verify(data, "--no-state", "--checkpoint", str(installed.kept))
    assert found == 1, told
    assert "log-key: not the key that lies with the database" in told
    found, told = verify(data, "--no-state")
    assert found in (1, 3), told
    assert "intact" not in told


def test_anchors_that_are_none_judge_nothing(installed: Installed, tmp_path: Path) -> None:
    data = copy_of(installed, tmp_path)
    note = installed.kept.read_bytes()
    text = note.split(b"\n\n")[0]
    forged, foreign, junk = tmp_path / "forged", tmp_path / "foreign", tmp_path / "junk"
    forged.write_bytes(note.replace(text.split(b"\n")[2], b64encode(bytes(32))))
    foreign.write_bytes(sign_checkpoint(Checkpoint(ORIGIN, 3, bytes(32)), FORGED, MALLORY.sign))
    junk.write_bytes(b"\x00")
    inside = data / "log" / "checkpoint"
    keyed = ("--no-state", "--log-key", installed.key)
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
