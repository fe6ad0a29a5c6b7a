"""The history on another host: cosigned while all is well, and the way back when the signing key is in wrong hands."""

import asyncio
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from onepam.blobs.tile_folder import TileFolder
from onepam.boot.config import Config
from onepam.kernel.clock import Instant
from onepam.ledger.checkpoint import Checkpoint, sign_checkpoint
from onepam.ledger.entry import Header, leaf_hash
from onepam.ledger.merkle import Frontier
from onepam.ledger.note import VerifierKey
from onepam.ledger.tiles import grow, grow_entries
from onepam.signing.key_file import load_key
from tests.boot.installation import ONEPAM, ORIGIN, live, verify
from tests.targets import free_port


@dataclass(frozen=True)
class Running:
    url: str
    key: str


@contextmanager
def witness(folder: Path, log_key: str) -> Iterator[Running]:
    port = free_port()
    command = [*ONEPAM, "witness", "--folder", str(folder), "--name", "w.test/1", "--log-key", log_key]
    process = subprocess.Popen(
        [*command, "--port", str(port)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        key = process.stdout.readline().strip()
        assert key.startswith("w.test/1+")
        yield Running(f"http://127.0.0.1:{port}", key)
    finally:
        process.terminate()
        process.wait(10)


def rewrite(data: Path, index: int) -> None:
    """What somebody with the database, the tiles and the signing key can do: a history in which an entry says another
    thing, consistent in itself and signed."""
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        body = b'{"microseconds":999,"node":"nod_forged","stops":false}'
        row = db.execute(
            "SELECT idx, time, kind, version, class, class_seq FROM entry WHERE idx = ?", (index,)
        ).fetchone()
        leaf = leaf_hash(Header(row[0], Instant(row[1]), *row[2:]).encode(), sha256(body).digest())
        db.execute("UPDATE entry SET body = ?, leaf = ? WHERE idx = ?", (body, leaf, index))
        db.commit()
        rows = db.execute(
            "SELECT idx, time, kind, version, class, class_seq, body, leaf FROM entry ORDER BY idx"
        ).fetchall()
    tiles, tree = TileFolder(data / "log"), Frontier()
    tree.extend([row[7] for row in rows])
    preimages = [Header(row[0], Instant(row[1]), *row[2:6]).encode() + sha256(row[6]).digest() for row in rows]
    for tile, written in [*grow(0, [row[7] for row in rows], tiles.read), *grow_entries(0, preimages, tiles.read)]:
        tiles.write(tile, written)
    key = load_key(data / "signer" / "key")
    signer = VerifierKey(ORIGIN, 1, key.public_key().public_bytes_raw())
    tiles.write_checkpoint(sign_checkpoint(Checkpoint(ORIGIN, len(rows), tree.root()), signer, key.sign))
    state = data / "signer" / "state"
    state.write_bytes(re.sub(rb'"root":"[0-9a-f]+"', b'"root":"%s"' % tree.root().hex().encode(), state.read_bytes()))


@pytest.mark.anyio
async def test_a_history_rewritten_with_the_signing_key_is_found_back_to_the_witness(tmp_path: Path) -> None:
    data = tmp_path / "data"
    config = Config(data, origin=ORIGIN, console_port=free_port(), ssh_port=free_port())
    log_key = await live(config, 3)
    keyed = ("--log-key", log_key)
    code, told = await asyncio.to_thread(verify, data, *keyed)
    assert code == 3, told
    assert "no independent witness" in told

    with witness(tmp_path / "witness", log_key) as outside:
        watched = Config(
            data,
            origin=ORIGIN,
            console_port=free_port(),
            ssh_port=free_port(),
            witness=outside.url,
            witness_key=outside.key,
        )
        await live(watched, 20)
        witnessed = (*keyed, "--witness-key", outside.key, "--witness", outside.url)
        code, told = await asyncio.to_thread(verify, data, *witnessed)
        assert code == 0, told
        assert re.search(r"anchored and intact: \d+ entries, by witness w.test/1", told)

        rewrite(data, 2)
        code, told = await asyncio.to_thread(verify, data, *keyed)
        assert code == 1, told
        assert "no node of this ledger wrote it" in told, "without the witness it is broken by its authors"
        code, told = await asyncio.to_thread(verify, data, *witnessed)
        assert code == 1
        assert "forked" in told
        assert "witness w.test/1" in told
        code, told = await asyncio.to_thread(verify, data, *keyed, "--witness-key", outside.key)
        assert code == 1
        assert "no witness of the given keys has cosigned it" in told
