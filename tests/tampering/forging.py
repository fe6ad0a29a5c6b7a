"""What somebody who writes to the data folder can make with the product's own code: entries, batches, trees, notes."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from secrets import token_bytes

from onepam.blobs.tile_folder import TileFolder
from onepam.domain.host.nodes import NodeCertified, NodeRevoked
from onepam.kernel.clock import Instant
from onepam.ledger.authors import certificate_text
from onepam.ledger.checkpoint import Checkpoint, sign_checkpoint
from onepam.ledger.merkle import Frontier
from onepam.ledger.note import Note, VerifierKey, sign
from onepam.ledger.tiles import grow, grow_entries
from onepam.signing.author import Certificate, NodeAuthor
from onepam.store.db import rows
from onepam.store.engine.append import append, read_head, write_head
from onepam.store.engine.batches import Author, seal
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries, size_of
from onepam.store.engine.schema import create
from tests.boot.installation import ORIGIN
from tests.lawful import laid_by_hand
from tests.tampering.installed import Copy

HIGHEST = 9_000_000_000
"""A number of a certificate that no signer has given yet."""


def certified(copy: Copy, node: str = "nod_mallory") -> NodeAuthor:
    """A node of the attacker's, certified by the best key that lies in the folder."""

    def certify(key: VerifierKey) -> Certificate:
        text = certificate_text(ORIGIN, HIGHEST, key)
        return Certificate(HIGHEST, Note(text, (sign(text, copy.public, copy.key.sign),)).encode().decode())

    return NodeAuthor.certified(node, certify)


def joined(author: NodeAuthor) -> NodeCertified:
    """The event that brings its key into force."""
    event = author.join(None)
    assert event is not None
    return event


def written_past(copy: Copy, author: Author | None, *events: object) -> None:
    """Entries in perfect form, with their leaves, payloads, state rows and the head, and with an `author` a batch."""
    with closing(connect(copy.database)) as db:
        db.execute("BEGIN")
        head, leaves = read_head(db), list[bytes]()
        write_head(db, append(db, head, Instant(head.time + 1), events, token_bytes, leaves))
        if author is not None:
            seal(db, author, head.size, leaves)
        db.execute("COMMIT")
    laid_by_hand(*leaves)


def rewritten(copy: Copy, keep: Callable[[object], bool], author: NodeAuthor) -> None:
    """All of the history anew, but for what is not kept, as the attacker's node would have written it."""
    with closing(connect(copy.database, read_only=True)) as db:
        told = [(each.header.time, each.event) for each in entries(db, 0, size_of(db))]
    other, leaves = copy.database.with_name("rewritten"), list[bytes]()
    with closing(connect(other)) as db:
        create(db)
        db.execute("BEGIN")
        head = append(db, read_head(db), Instant(1), (joined(author),), token_bytes, leaves)
        for time, command in commands(told):
            head = append(db, head, time, [each for each in command if keep(each)], token_bytes, leaves)
        write_head(db, head)
        seal(db, author, 0, leaves)
        db.execute("COMMIT")
    laid_by_hand(*leaves)
    for each in copy.data.glob("ledger.db*"):
        each.unlink()
    for each in copy.data.glob("rewritten*"):
        each.rename(copy.data / each.name.replace("rewritten", "ledger.db"))


def commands(told: list[tuple[Instant, object]]) -> Iterator[tuple[Instant, list[object]]]:
    """The events of nobody's keys, command by command: those of one are a microsecond apart."""
    command: list[object] = []
    begun = before = Instant(-1)
    for time, event in told:
        if time != before + 1:
            yield begun, command
            begun, command = time, []
        before = time
        command += [] if isinstance(event, NodeCertified | NodeRevoked) else [event]
    yield begun, command


def published(copy: Copy) -> None:
    """Tiles and a checkpoint over the entries as they are, signed by the best key at hand, and the signer's memory to
    fit where it lies here."""
    with closing(connect(copy.database, read_only=True)) as db:
        found = list(entries(db, 0, size_of(db)))
    shutil.rmtree(copy.data / "log", ignore_errors=True)
    tiles, tree = TileFolder(copy.data / "log"), Frontier()
    leaves = [each.leaf for each in found]
    tree.extend(leaves)
    preimages = [each.header.encode() + sha256(each.body).digest() for each in found]
    for tile, content in [*grow(0, leaves, tiles.read), *grow_entries(0, preimages, tiles.read)]:
        tiles.write(tile, content)
    size, root = len(found), tree.root()
    tiles.write_checkpoint(sign_checkpoint(Checkpoint(ORIGIN, size, root), copy.public, copy.key.sign))
    if (copy.data / "signer").exists():
        memory = {"origin": ORIGIN, "root": root.hex(), "size": size, "time": 1}
        (copy.data / "signer" / "state").write_text(json.dumps(memory, sort_keys=True, separators=(",", ":")))


def rehashed(copy: Copy) -> None:
    """Numbers, leaves and head anew over whatever the rows say; nobody signs the batches."""
    with closing(connect(copy.database)) as db:
        db.execute("BEGIN")
        counters: dict[str, int] = {}
        found = [each["idx"] for each in rows(db, "SELECT idx FROM entry ORDER BY idx")]
        for at, index in enumerate(found):
            (klass,) = rows(db, "SELECT class FROM entry WHERE idx = ?", (index,))[0]
            number = counters[klass] = counters.get(klass, -1) + 1
            db.execute("UPDATE entry SET idx = ?, class_seq = ? WHERE idx = ?", (at, number, index))
        for stored in list(entries(db, 0, len(found))):
            leaf = stored.entry.leaf()
            db.execute("UPDATE entry SET leaf = ? WHERE idx = ?", (leaf, stored.header.index))
            laid_by_hand(leaf)
        (last,) = rows(db, "SELECT max(time) FROM entry")[0]
        heads = json.dumps({name: count + 1 for name, count in counters.items()})
        db.execute("UPDATE head SET size = ?, time = ?, counters = ?", (len(found), last, heads))
        db.execute("COMMIT")
