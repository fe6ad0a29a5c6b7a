"""A pack of any entries, without reports: for what the verifier says of a history, not of what stands in reports."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from onepam.evidence.envelope import Period, System
from onepam.evidence.pack import Disclosed, Erased, PackInput
from onepam.kernel.clock import Instant
from onepam.ledger.authors import Batch
from onepam.ledger.entry import Entry, Header
from onepam.ledger.findings import Row
from onepam.ledger.merkle import CompactRange, node_hash
from tests.evidence.company import LOG, Signer, written


def as_logged(rows: Iterable[Row]) -> list[Entry]:
    """The entries as they would stand in a log: each class counted."""
    found, counters = list[Entry](), dict[str, int]()
    for index, row in enumerate(rows):
        number = counters.get(row.klass, 0)
        counters[row.klass] = number + 1
        found.append(Entry(Header(index, Instant(row.time), row.kind, row.version, row.klass, number), row.body))
    return found


def bare_pack(
    entries: Sequence[Entry],
    batches: Sequence[Batch] = (),
    nodes: Mapping[str, str | None] | None = None,
    *,
    first: int = 0,
    end: int | None = None,
    log: Signer = LOG,
    withheld: Sequence[int] = (),
    erased: Sequence[Erased] = (),
) -> bytes:
    """Entries [first, end) of the log, all disclosed but those `withheld`, under its newest checkpoint. Of payloads it
    says which are `erased`."""

    def subtree(level: int, index: int) -> bytes:
        if level == 0:
            return entries[index].leaf()
        return node_hash(subtree(level - 1, 2 * index), subtree(level - 1, 2 * index + 1))

    size, end = len(entries), len(entries) if end is None else end
    root = CompactRange.prove(subtree, size, size, size).root([])
    assert root is not None
    text = f"{log.name}\n{size}\n{b64encode(root).decode()}\n".encode()
    begin = entries[first].header.time + 1 if first else entries[0].header.time
    until = Instant(entries[-1].header.time + 1) if end == size else entries[end - 1].header.time
    inside = entries[first:end]
    pack: dict[str, Any] = {
        "system": System("onepam-example", "0.1.0", "test"),
        "period": Period(Instant(begin), until),
        "checkpoint": text + b"\n" + log.line(text),
        "log_key": log.vkey(),
        "witnesses": (),
        "proof": CompactRange.prove(subtree, first, end, size),
        "headers": [(each.header, sha256(each.body).digest()) for each in inside],
        "disclosed": [Disclosed(each.header.index, each.body) for each in inside if each.header.index not in withheld],
        "payloads": erased,
        "batches": batches,
        "nodes": dict.fromkeys(sorted({each.node for each in batches})) if nodes is None else nodes,
        "reports": (),
    }
    return written(PackInput(**pack))
