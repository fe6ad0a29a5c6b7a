"""A small company's history, its log with keys, and packs drawn from it: what the tests of evidence stand on.

Notes are signed here by `cryptography`, not by the product: the verifier is held against another implementation.
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onepam.evidence.envelope import AsOf, Envelope, Exclusion, Filter, Period, Source, System
from onepam.evidence.pack import Disclosed, Erased, Packed, PackInput, Payload, checkpoint_name, write_pack
from onepam.evidence.report import Column, Report, Row
from onepam.evidence.reports import access, requests, sessions
from onepam.evidence.reports.entries import Told, _cell
from onepam.evidence.verifier.rules import RECORDING
from onepam.kernel.canonical import encode
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant, iso, parse
from onepam.ledger.authors import Batch, root_of
from onepam.ledger.entry import Entry, Header, payload_digest
from onepam.ledger.merkle import CompactRange, node_hash

ORIGIN = "log.example.com/onepam"
BEGIN = parse("2026-01-01T00:00:00Z")
UNTIL = parse("2026-04-01T00:00:00Z")
SYSTEM = System("onepam-example", "0.1.0", "production")


@dataclass(frozen=True)
class Signer:
    """An Ed25519 key with a C2SP name; `type` 1 signs notes, 4 cosigns checkpoints."""

    name: str
    type: int
    seed: bytes

    def public(self) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()

    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public()).digest()[:4]

    def vkey(self) -> str:
        return f"{self.name}+{self.id().hex()}+{b64encode(bytes([self.type]) + self.public()).decode()}"

    def sign(self, text: bytes) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(text)

    def line(self, text: bytes, time: int = 0) -> bytes:
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        if self.type == 1:
            raw = private.sign(text)
        else:
            raw = time.to_bytes(8, "big") + private.sign(b"cosignature/v1\ntime %d\n" % time + text)
        return f"\u2014 {self.name} {b64encode(self.id() + raw).decode()}\n".encode()


LOG = Signer(ORIGIN, 1, b"l" * 32)
WITNESS = Signer("witness.example.org/w1", 4, b"w" * 32)
STRANGER = Signer(ORIGIN, 1, b"x" * 32)
NODE = Signer("nod_1", 1, b"n" * 32)
NO_WITNESS = Signer(WITNESS.name, 4, b"y" * 32)


@dataclass
class History:
    """An append-only list of entries with their payloads, and the reports' rows kept beside, as projections would."""

    entries: list[Entry] = field(default_factory=list)
    payloads: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)

    def append(self, at: int, kind: str, body: dict[str, Any], payload: bytes | None = None) -> int:
        index, klass = len(self.entries), kind.partition(".")[0]
        if payload is not None:
            salt = sha256(b"salt %d" % index).digest()
            self.payloads[index] = salt, payload
            body = body | {"payload": payload_digest(salt, payload)}
        seq = self.counters.get(klass, 0)
        self.counters[klass] = seq + 1
        time = Instant(max(at, self.entries[-1].header.time + 1 if self.entries else 0))
        self.entries.append(Entry(Header(index, time, kind, 1, klass, seq), encode(body)))
        return index

    def certify(self, at: int, node: Signer = NODE, number: int = 7, log: Signer = LOG) -> int:
        """The entry that brings a node's key into force."""
        body = {"node": node.name, "key": node.vkey(), "number": number}
        return self.append(at, "node.certified", body | {"certificate": certificate(node, number, log)})

    def subtree(self, level: int, index: int) -> bytes:
        if level == 0:
            return self.entries[index].leaf()
        return node_hash(self.subtree(level - 1, 2 * index), self.subtree(level - 1, 2 * index + 1))

    def checkpoint(self, log: Signer = LOG, witnesses: Sequence[Signer] = (WITNESS,)) -> bytes:
        root = CompactRange.prove(self.subtree, len(self.entries), len(self.entries), len(self.entries)).root([])
        assert root is not None
        text = f"{ORIGIN}\n{len(self.entries)}\n{b64encode(root).decode()}\n".encode()
        time = self.entries[-1].header.time // 1_000_000 + 2
        return text + b"\n" + log.line(text) + b"".join(witness.line(text, time) for witness in witnesses)


def certificate(node: Signer = NODE, number: int = 7, log: Signer = LOG) -> str:
    """The log's word that a key is a node's."""
    text = f"{log.name}\nonepam-node/1 {number}\n{node.vkey()}\n".encode()
    return (text + b"\n" + log.line(text)).decode()


def batches_of(entries: Sequence[Entry], begin: int = 20) -> list[Batch]:
    """What the node wrote: `begin` entries, then ten at a time."""
    found, previous = list[Batch](), bytes(64)
    for first in (0, *range(begin, len(entries), 10)):
        last = min(first + 10 if first else begin, len(entries)) - 1
        root = root_of([each.leaf() for each in entries[first : last + 1]])
        lines = ("onepam-batch/1", NODE.name, f"{first} {last}", *(b64encode(x).decode() for x in (root, previous)))
        previous = NODE.sign("".join(f"{line}\n" for line in lines).encode())
        found.append(Batch(first, last, NODE.name, previous))
    return found


def history(people: int = 6, sessions: int = 90, seed: int = 0, log: Signer = LOG) -> History:
    """Roughly five months: people, roles, requests with approvals and denials, sessions opened and refused, and noise.

    The first two weeks of December lie before the period; the last sessions are closed in April. `log` certified the
    node that wrote it.
    """
    h = History()
    at = parse("2025-12-15T08:00:00Z") + seed
    h.append(at, "access.applied", {"roles": ["operator", "auditor"], "version": 1})
    names = ["Ada", "Bob \u00e9", "=cmd|'/c calc'!A0", "Dan", "Eve", "Finn", "Gus", "Hal"]
    for n in range(people):
        payload = encode({"name": names[n], "email": f"p{n}@example.com"})
        h.append(at + n * MINUTE, "person.added", {"person": f"per_{n}", "kind": "employee"}, payload)
        odd = b"\xff\xfe not text" if n == 0 else None
        binding = {"person": f"per_{n}", "role": "operator", "until": at + 400 * DAY}
        h.append(at + n * MINUTE, "binding.added", binding, odd)
    step = (UNTIL + 2 * DAY - at) // sessions
    for n in range(sessions):
        now, person = at + HOUR + n * step, f"per_{n % people}"
        if n % 3 == 0:
            substance = {"person": person, "resource": "db-1", "login": "postgres", "role": "operator"}
            words = encode({"reason": f"look into {n}", "ticket": f"OPS-{n}"})
            h.append(now, "request.made", {"request": f"req_{n}", "substance": substance}, words)
            verdict = "request.denied" if n % 9 == 0 else "request.approved"
            decided = {"by": f"per_{(n + 1) % people}", "request": f"req_{n}"}
            h.append(now + MINUTE, verdict, decided, encode({"comment": None}))
        body = {"person": person, "resource": f"web-{n % 4}", "session": f"ses_{n}", "entry": "ssh"}
        source = f"198.51.100.{n % 250}"
        if n % 7 == 3:
            told = encode({"asked": None, "login": None if n % 2 else "admin", "source": source})
            h.append(now + 2 * MINUTE, "session.refused", body | {"code": "access.none"}, told)
        else:
            peer = encode({"client": "OpenSSH_9.2", "source": source})
            h.append(now + 2 * MINUTE, "session.opened", body | {"login": "root", "mfa": MFA | {"at": now}}, peer)
            if n:
                h.append(now + 9 * MINUTE, "recording.chunks_sealed", {"root": sha256(b"%d" % n).hexdigest()})
            else:
                h.certify(now + 9 * MINUTE, log=log)
            end = {"session": f"ses_{n}", "because": "client.closed", "last_byte": now + 5 * DAY - SECOND}
            counts = {"bytes": n * 1000, **({"omitted_bytes": 7} if n % 40 == 9 else {})}
            proof = {"head": "ab" * 32, "chunks": 3, "gap": "no last word" if n % 40 == 20 else None}
            h.append(now + 5 * DAY, "session.closed", end | proof | {"counts": counts, "verified": n % 40 != 20})
        if n == 50:
            inside = [e.header for e in h.entries if e.header.kind == "session.opened" and e.header.time >= BEGIN]
            gone = [header.index for header in inside[:2]]
            said = {"erasure": "ers_0", "indexes": gone, "naming": False, "person": "per_0"}
            h.append(now + 10 * MINUTE, "payload.erased", said)
            for index in gone:
                del h.payloads[index]
    return h


def checked(bad: str | None = None) -> History:
    """The history, and two checks after all sessions: the last dozen of them is not checked, one is found cut and
    restored, and one is `bad` (a condition) and stays so."""
    h = history()
    at, closed = Instant(UNTIL + 8 * DAY), [e.header.index for e in h.entries if e.header.kind == "session.closed"]
    if bad is not None:
        session = body_of(h, closed[40])["session"]
        h.append(at, "recording.found_bad", {"session": session, "condition": bad, "found": "chunk 2 does not open"})
    restored = body_of(h, closed[42])["session"]
    h.append(at, "recording.found_bad", {"session": restored, "condition": "cut", "found": "it ends at chunk 1"})
    told = {"node": "node-1", "number": 1, "conditions": {}, "root": "00" * 32}
    h.append(at, "recordings.checked", told | {"turn": 0, "begin": 0, "until": closed[-12]})
    h.append(at + HOUR, "recording.found_good", {"session": restored, "condition": "whole"})
    h.append(at + HOUR, "recordings.checked", told | {"turn": 1, "begin": 0, "until": closed[43]})
    return h


FOUND = ("recording.found_bad", "recording.found_good")
HEADS = {"sessions": ("session.opened", "session.refused"), "requests": ("request.made",)}
FOLLOWS = {
    "sessions": ("session.closed", "session.failed", "session.kill_ordered", *FOUND),
    "requests": ("request.approved", "request.denied", "request.withdrawn"),
}
RULED_OUT = ("person.added", "person.changed", "request.made", "request.approved", "grant.started")
"""Kinds of which all entries are disclosed, so that none is hidden."""
LINK = {"sessions": "session", "requests": "request"}


MFA = {"at": 0, "basis": "attested", "factors": ["passkey"], "provider": "idp_1", "phishing_resistant": True}


def body_of(h: History, index: int) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(h.entries[index].body)
    return value


def related(h: History, name: str, head: int, end: int) -> list[int]:
    link = LINK[name]
    mine = body_of(h, head)[link]
    return [
        e.header.index
        for e in h.entries[head + 1 : end]
        if e.header.kind in FOLLOWS[name] and body_of(h, e.header.index)[link] == mine
    ]


def person_entry(h: History, person: str) -> int:
    return next(
        e.header.index
        for e in h.entries
        if e.header.kind == "person.added" and body_of(h, e.header.index)["person"] == person
    )


def payload_of(h: History, index: int) -> Any:
    """What its payload says; None where it has none, was erased or is no text."""
    try:
        return json.loads(h.payloads[index][1])
    except (KeyError, UnicodeDecodeError):
        return None


def row(h: History, columns: Sequence[Column], ledger: Sequence[int], **words: str) -> Row:
    """A row as the platform writes it: what the entries say, and these words where no entry says it."""
    told = [Told(h.entries[index].header, body_of(h, index), payload_of(h, index)) for index in ledger]
    return Row([_cell(each.sources, told) if each.sources else words[each.name] for each in columns], ledger)


def behind(first: Sequence[int], *others: int) -> list[int]:
    """The entries of a row: its head and what follows it, then the others in their order, each once."""
    return [*first, *sorted(set(others) - set(first))]


def newest_check(h: History, closing: int, end: int) -> list[int]:
    """The entry of the newest check of the recording that was closed by this entry: one, or none."""
    checks = [e.header.index for e in h.entries[closing:end] if e.header.kind == "recordings.checked"]
    return [i for i in checks if body_of(h, i)["begin"] <= closing < body_of(h, i)["until"]][-1:]


def recording(h: History, after: Sequence[int], checks: Sequence[int]) -> tuple[str, str, str]:
    """Condition, instant, and whether it is partial: the cells of a session that no source gives."""
    if not after:
        return "", "", ""
    closed = body_of(h, after[0])
    found = [body_of(h, i)["condition"] for i in after[1:]]
    good = ("gap" if closed["gap"] else "whole") if checks else "not checked"
    at = max((h.entries[i].header.time for i in [*after[1:], *checks]), default=None)
    partial = "partial by policy" if "omitted_bytes" in closed["counts"] else ""
    return [good, *found][-1], iso(at) if at else "", partial


def sessions_report(h: History, end: int, heads: Sequence[int], names: bool) -> Report:
    columns, rows = [*sessions.COLUMNS, Column("comment")], []
    for head in heads:
        body, after = body_of(h, head), related(h, "sessions", head, end)
        ends = [i for i in after if h.entries[i].header.kind == "session.closed"]
        checks = newest_check(h, ends[0], end) if ends else []
        named = [person_entry(h, body["person"])] if names else []
        said = dict(zip(RECORDING, recording(h, after, checks), strict=True))
        age = str((h.entries[head].header.time - body["mfa"]["at"]) // SECOND) if "mfa" in body else ""
        rests = behind([head, *after], *checks, *named)
        rows.append(row(h, columns, rests, comment="-1 is not a formula", factors_age_seconds=age, **said))
    return Report("sessions", "Sessions of the period", 1, columns, rows)


def requests_report(h: History, end: int, heads: Sequence[int], names: bool) -> Report:
    rows = []
    for head in heads:
        after = related(h, "requests", head, end)
        people = {body_of(h, head)["substance"]["person"], *(body_of(h, i)["by"] for i in after)}
        named = [person_entry(h, each) for each in people] if names else []
        rows.append(row(h, requests.COLUMNS, behind([head, *after], *named)))
    return Report("requests", "Requests and their verdicts", 1, requests.COLUMNS, rows)


def access_report(h: History) -> Report:
    free = dict.fromkeys(("login", "mode", "permission", "actions", "privileged", "until"), "")
    bound = [e.header.index for e in h.entries if e.header.kind == "binding.added"]
    rows = [row(h, access.COLUMNS, behind([i], 0, person_entry(h, body_of(h, i)["person"])), **free) for i in bound]
    return Report("access", "Who could reach what", 3, access.COLUMNS, rows)


def envelope_of(report: Report, source: Source, exclusions: Sequence[Exclusion]) -> Envelope:
    count = len(report.rows) + len(exclusions)
    return Envelope(
        report.name, SYSTEM, "per_4 Eve", "auditor", Instant(UNTIL + DAY), Instant(UNTIL + DAY + MINUTE),
        "synchronised, within 3 ms", Period(BEGIN, UNTIL) if report.name in HEADS else AsOf(UNTIL),
        f"SELECT * FROM ev_{report.name}_v1 WHERE time >= :from AND time < :to", {"from": BEGIN, "to": UNTIL}, source,
        "onepam evidence pack --from 2026-01-01 --to 2026-04-01 --out pack.zip",
        [Filter("without drills", count, len(report.rows))], exclusions,
    )  # fmt: skip


def pack_input(
    h: History,
    *,
    first: int = 0,
    end: int | None = None,
    checkpoint: bytes | None = None,
    witnesses: Sequence[str] = (WITNESS.vkey(),),
    exclude: int = 0,
) -> PackInput:
    """The honest input for the first quarter of 2026. `exclude` leaves out that many sessions, with a reason."""
    end = len(h.entries) if end is None else end
    checkpoint = h.checkpoint() if checkpoint is None else checkpoint
    proof = CompactRange.prove(h.subtree, first, end, len(h.entries))
    source, entries = Source(first, end, checkpoint_name(checkpoint)), h.entries[first:end]
    inside = [e.header for e in entries if BEGIN <= e.header.time < UNTIL]
    heads = {name: [header.index for header in inside if header.kind in kinds] for name, kinds in HEADS.items()}
    gone, kept = heads["sessions"][:exclude], heads["sessions"][exclude:]
    reports = [
        sessions_report(h, end, kept, names=first == 0),
        requests_report(h, end, heads["requests"], names=first == 0),
    ]
    if first == 0:
        reports.append(access_report(h))
    packed = []
    for report in reports:
        exclusions = [Exclusion(i, "the drill of January") for i in gone] if report.name == "sessions" else []
        packed.append(Packed(report, envelope_of(report, source, exclusions)))
    followed = [kind for kinds in FOLLOWS.values() for kind in kinds]
    cited = {i for report in reports for row in report.rows for i in row.ledger}
    disclosed = cited | set(gone) | {e.header.index for e in entries if e.header.kind in RULED_OUT}
    disclosed |= {e.header.index for e in entries if e.header.kind in followed and e.header.time >= BEGIN}
    disclosed |= {e.header.index for e in entries if e.header.kind in ("payload.erased", "node.certified")}
    erasures = [i for i in disclosed if h.entries[i].header.kind == "payload.erased"]
    erased = {gone: by for by in erasures for gone in body_of(h, by)["indexes"]}
    with_payload = [i for i in sorted(cited) if "payload" in body_of(h, i)]
    return PackInput(
        SYSTEM, Period(BEGIN, UNTIL), checkpoint, LOG.vkey(), witnesses, proof,
        [(e.header, sha256(e.body).digest()) for e in entries],
        [Disclosed(i, h.entries[i].body) for i in sorted(disclosed)],
        [Payload(i, *h.payloads[i]) if i in h.payloads else Erased(i, erased[i]) for i in with_payload],
        [each for each in batches_of(h.entries) if each.last >= first - 1 and each.first < end],
        {NODE.name: None},
        packed,
    )  # fmt: skip


PART = 7
"""The exit code of that pack: it has three of the reports, and not every body that the rules of lawful read."""


def written(pack: PackInput) -> bytes:
    out = BytesIO()
    write_pack(pack, out)
    return out.getvalue()
