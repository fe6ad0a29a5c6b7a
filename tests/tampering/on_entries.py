"""What is tried on the entries, their payloads and the head."""

import shutil

from onepam.domain.history.system import ClockJumped, SystemStarted
from onepam.ledger.note import ED25519, VerifierKey
from tests.boot.installation import ORIGIN
from tests.tampering.forging import certified, joined, published, rehashed, rewritten, written_past
from tests.tampering.installed import MALLORY, Copy
from tests.tampering.table import Found, Unfindable, attack, by_sql

PLACE = "entries"
VKEY = VerifierKey(ORIGIN, ED25519, MALLORY.public_key().public_bytes_raw()).encode()
JUMP = "(SELECT max(idx) FROM entry WHERE kind = 'system.clock_jumped')"
ANCHOR = Found("forked|rolled_back", anchored=True)

by_sql(
    "the body of an entry", PLACE, "UPDATE entry SET body = CAST('{}' AS BLOB) WHERE idx = 4", Found("flipped: entry 4")
)
by_sql(
    "an entry whose members no rule of any kind expects, and another deleted",
    PLACE,
    'UPDATE entry SET kind = \'role.removed\', body = CAST(\'{"by":[],"change":"c","role":"engineer"}\' AS BLOB) '
    "WHERE idx = 4; DELETE FROM entry WHERE idx = 9",
    Found("missing: entry 9"),
)
by_sql(
    "a node revoked that is a list",
    PLACE,
    "UPDATE entry SET kind = 'node.revoked', body = CAST('{\"node\":[]}' AS BLOB) WHERE idx = 4",
    Found("flipped: entry 4"),
)
by_sql("the time of an entry", PLACE, "UPDATE entry SET time = time + 1 WHERE idx = 4", Found("flipped: entry 4"))
by_sql("the kind of an entry", PLACE, "UPDATE entry SET kind = 'disk.low' WHERE idx = 4", Found("flipped: entry 4"))
by_sql("the version of an entry", PLACE, "UPDATE entry SET version = 2 WHERE idx = 4", Found("flipped: entry 4"))
by_sql("the number of an entry in its class", PLACE, "UPDATE entry SET class_seq = 77 WHERE idx = 4", Found("entry 4"))
by_sql(
    "the column of a leaf", PLACE, "UPDATE entry SET leaf = zeroblob(32) WHERE idx = 4", Found("flipped: entry 4: its")
)
by_sql("a text in the place of a body", PLACE, "UPDATE entry SET body = 'x' WHERE idx = 4", Found("entry 4"))
by_sql("a number in the place of a leaf", PLACE, "UPDATE entry SET leaf = 0 WHERE idx = 4", Found("header: entry 4"))
by_sql("bytes in the place of a kind", PLACE, "UPDATE entry SET kind = x'ff' WHERE idx = 4", Found("header: entry 4"))
by_sql("an entry deleted", PLACE, "DELETE FROM entry WHERE idx = 4", Found("missing: entry 4"))
by_sql("the newest entries deleted", PLACE, "DELETE FROM entry WHERE idx >= 10", Found("tail_cut"))
by_sql(
    "two entries exchanged",
    PLACE,
    "UPDATE entry SET idx = -1 WHERE idx = 4; UPDATE entry SET idx = 4 WHERE idx = 5; "
    "UPDATE entry SET idx = 5 WHERE idx = -1",
    Found("reordered: entry 4"),
)
by_sql(
    "an entry twice",
    PLACE,
    "INSERT INTO entry SELECT (SELECT max(idx) + 1 FROM entry), time, kind, version, class, class_seq, body, leaf "
    "FROM entry WHERE idx = 4",
    Found("counter: entry"),
)
by_sql(
    "the log's name in the entries",
    PLACE,
    f"UPDATE entry SET body = CAST(replace(body, '{ORIGIN}', 'other.log') AS BLOB) WHERE kind = 'system.started'",
    Found("flipped: entry"),
)


@attack("an entry deleted and all after it renumbered", PLACE, Found("author: "))
def _(copy: Copy) -> None:
    copy.sql(f"DELETE FROM entry WHERE idx = {JUMP}")
    rehashed(copy)


@attack("the same, every proof in the folder deleted", PLACE, Found("author: "))
def _(copy: Copy) -> None:
    copy.sql(f"DELETE FROM entry WHERE idx = {JUMP}")
    rehashed(copy)
    shutil.rmtree(copy.data / "log")
    shutil.rmtree(copy.data / "signer", ignore_errors=True)


@attack("the same, published anew and signed by the best key at hand", PLACE, Found("author: "))
def _(copy: Copy) -> None:
    copy.sql(f"DELETE FROM entry WHERE idx = {JUMP}")
    rehashed(copy)
    published(copy)


@attack(
    "all rewritten by a node that the best key at hand certifies, with every proof", PLACE, ANCHOR, Found("author: ")
)
def _(copy: Copy) -> None:
    rewritten(copy, lambda event: not isinstance(event, ClockJumped), certified(copy))
    published(copy)


@attack("the whole folder as it was earlier", PLACE, Found("rolled_back", anchored=True))
def _(copy: Copy) -> None:
    shutil.rmtree(copy.data)
    shutil.copytree(copy.older, copy.data)


@attack(
    "the database and the published log as they were earlier",
    PLACE,
    Found("rolled_back"),
    Found("rolled_back", anchored=True),
)
def _(copy: Copy) -> None:
    for each in copy.data.glob("ledger.db*"):
        each.unlink()
    for each in copy.older.glob("ledger.db*"):
        shutil.copy(each, copy.data)
    shutil.rmtree(copy.data / "log")
    shutil.copytree(copy.older / "log", copy.data / "log")


@attack("a start under an exchanged key", PLACE, Found("log-key: entry .* it began under"))
def _(copy: Copy) -> None:
    author = certified(copy)
    started = SystemStarted("nod_mallory", "1", ORIGIN, VKEY, "production")
    written_past(copy, author, joined(author), started)


HEAD = "head"
by_sql("the counters of the head", HEAD, "UPDATE head SET counters = '{}'", Found("head: "))
by_sql("the size of the head", HEAD, "UPDATE head SET size = size + 7", Found("head: "))
by_sql("the head deleted", HEAD, "DELETE FROM head", Found("no head row"))
by_sql(
    "the time of the head",
    HEAD,
    "UPDATE head SET time = time + 3600000000",
    Unfindable(
        "it only moves the next entry's time forward, which that entry then says; refused commands move it, too"
    ),
)

PAYLOADS = "payloads"
FIRST = "(SELECT min(idx) FROM payload)"
SECOND = f"(SELECT min(idx) FROM payload WHERE idx > {FIRST})"
by_sql(
    "a payload altered",
    PAYLOADS,
    f"UPDATE payload SET data = CAST('{{}}' AS BLOB) WHERE idx = {FIRST}",
    Found("payload"),
)
by_sql(
    "the salt of a payload", PAYLOADS, f"UPDATE payload SET salt = zeroblob(32) WHERE idx = {FIRST}", Found("payload")
)
by_sql("a payload deleted", PAYLOADS, f"DELETE FROM payload WHERE idx = {FIRST}", Found("lost its payload without"))
by_sql(
    "two payloads exchanged",
    PAYLOADS,
    f"CREATE TEMP TABLE both AS SELECT idx, salt, data FROM payload WHERE idx IN ({FIRST}, {SECOND}); "
    "UPDATE payload SET (salt, data) = (SELECT salt, data FROM both WHERE both.idx <> payload.idx) "
    "WHERE idx IN (SELECT idx FROM both)",
    Found("payload"),
)
by_sql(
    "whom a payload is of",
    PAYLOADS,
    f"UPDATE payload SET person = 'per_mallory' WHERE idx = {FIRST}",
    Found("payload"),
)
by_sql(
    "a payload where the entry has none",
    PAYLOADS,
    f"INSERT INTO payload SELECT {JUMP}, NULL, salt, data FROM payload WHERE idx = {FIRST}",
    Found("payload"),
)
