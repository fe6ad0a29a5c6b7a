"""The names that a ledger has had: an era is what was written under one origin, and a seam is where the next began.

Read from the stored bodies, not through events: verification shares no code with what wrote them.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onepam.app.ports import Snapshot
from onepam.files.data_file import content
from onepam.kernel.canonical import NotCanonical, decode
from onepam.kernel.errors import Corrupt, Fault
from onepam.ledger.authors import CERTIFIED
from onepam.ledger.check import Anchor
from onepam.ledger.merkle import Frontier
from onepam.ledger.note import BadNote, VerifierKey
from onepam.store.as_stored import first_body, stored_bodies, stored_leaves
from onepam.store.engine.database import connect, is_new

SEAM, STARTED = "ledger.continued", "system.started"

MAX_BYTES = 1 << 21
"""More than a checkpoint, a key or a signer's state has."""

RootOf = Callable[[int], bytes | None]
"""The root over so many entries from the beginning; None where there are not so many."""


@dataclass(frozen=True, slots=True)
class Seam:
    """Entry `index` begins the log `origin`; of the `size` entries of the log `before`, under `root` (hex), the first
    `kept` are here. `ground` is recovery_key or delay."""

    index: int
    origin: str
    before: str
    size: int
    root: str
    kept: int
    ground: str

    def words(self) -> str:
        """What is lost, for people."""
        ground = "the recovery key" if self.ground == "recovery_key" else "a day's announcement"
        said = f"entry {self.index} continues it as {self.origin}, by {ground}"
        if self.kept == self.size:
            return f"the signer of the log {self.before} is lost, and none of its {self.size} entries: {said}"
        what = f"entry {self.kept} is" if self.kept + 1 == self.size else f"entries {self.kept} to {self.size - 1} are"
        return f"{what} lost of the log {self.before}: {said}"


def seams(db: Snapshot) -> list[Seam]:
    """All seams, in order; bodies that make none are left out (their entries are findings of their own)."""
    found = []
    for index, raw in stored_bodies(db, SEAM):
        body = _body(raw)
        texts = [body.get(name) for name in ("origin", "before", "root", "ground")]
        numbers = [body.get(name) for name in ("size", "kept")]
        if all(type(text) is str for text in texts) and all(type(number) is int for number in numbers):
            origin, before, root, ground = map(str, texts)
            size, kept = (int(number or 0) for number in numbers)
            found.append(Seam(index, origin, before, size, root, kept, ground))
    return found


def origin_of(db: Snapshot) -> str | None:
    """The name that the ledger has now: before its first start that for which its first node was certified. None while
    nothing stands in it."""
    found = seams(db)
    if found:
        return found[-1].origin
    said = _body(first_body(db, STARTED)).get("origin")
    if said is None:
        certificate = _body(first_body(db, CERTIFIED)).get("certificate")
        said = certificate.partition("\n")[0] if type(certificate) is str else None
    return said if type(said) is str else None


def log_key_of(db: Snapshot) -> str | None:
    """The log key (vkey) of the first start under the name that the ledger has now; None before it."""
    known = seams(db)
    said = _body(first_body(db, STARTED, known[-1].index if known else 0)).get("log_key")
    return said if type(said) is str else None


def log_keys_of(db: Snapshot, origin: str, keys: Sequence[VerifierKey]) -> tuple[str, dict[str, VerifierKey]]:
    """The name under which the ledger began that is `origin` now, and the key of each log that it has been: of `keys`,
    else the one that its first start names."""
    known = seams(db)
    found = {each.name: each for each in keys}
    for begin in (0, *(each.index for each in known)):
        said = _body(first_body(db, STARTED, begin)).get("log_key")
        with contextlib.suppress(BadNote):
            key = VerifierKey.parse(said) if type(said) is str else None
            if key is not None:
                found.setdefault(key.name, key)
    return known[0].before if known else origin, found


def judge(db: Snapshot, key: VerifierKey) -> list[str]:
    """Whether every start was under the name and the log key of its era; `key` is that of the newest one."""
    known = seams(db)
    findings = []
    origin: str | None = None
    log_key: str | None = None
    left = list(known)
    for index, body in [*((at, _body(raw)) for at, raw in stored_bodies(db, STARTED)), (None, {})]:
        while left and (index is None or left[0].index < index):
            seam = left.pop(0)
            if origin is not None and seam.before != origin:
                findings.append(f"seam: entry {seam.index}: it continues {seam.before}, and the log was {origin}")
            origin, log_key = seam.origin, None
        if index is None:
            break
        origin = origin or str(body.get("origin"))
        log_key = log_key or (key.encode() if origin == key.name and not left else str(body.get("log_key")))
        if body.get("origin") != origin:
            findings.append(f"origin: entry {index}: the log calls itself {body.get('origin')}, and it is {origin}")
        elif body.get("log_key") != log_key:
            findings.append(f"log-key: entry {index}: it began under {body.get('log_key')}, and the key is {log_key}")
    if origin is not None and origin != key.name:
        findings.append(f"origin: the log is {origin}, and the key is of {key.name}")
    for seam in known:
        if not 0 <= seam.kept <= seam.index or seam.kept > seam.size:
            findings.append(f"seam: entry {seam.index}: it names no loss that can be")
        elif (said := _held_against(db, seam)) is not None:
            findings.append(f"seam: entry {seam.index}: {said}")
    return findings


def _held_against(db: Snapshot, seam: Seam) -> str | None:
    """What is wrong with the root that a seam names, where as many entries are here."""
    leaves = stored_leaves(db, seam.size) if seam.size else []
    if not 0 < seam.size == len(leaves):
        return None
    tree = Frontier()
    tree.extend(leaves)
    if seam.kept == seam.size and tree.root().hex() != seam.root:
        return f"it names another root of the {seam.size} entries that it keeps"
    if seam.kept < seam.size and tree.root().hex() == seam.root:
        return f"it names only {seam.kept} as left: it declares as lost what is here"
    return None


def place(anchor: Anchor, origin: str, known: Sequence[Seam], root_of: RootOf) -> Anchor | str | None:
    """An anchor of an earlier log, held against its seam: the anchor where its entries are all here; None where it
    covers lost ones, as the seam says; else what does not fit."""
    seam = next((each for each in known if each.before == origin), None)
    if seam is None:
        raise ValueError(f"{anchor.holder} is of another log: {origin}")
    if anchor.size <= seam.kept:
        return anchor
    if root_of(anchor.size) == anchor.root:
        return _not_lost(anchor, seam)
    if anchor.size > seam.size:
        return (
            f"seam: {anchor.holder} has seen {anchor.size} entries of {origin}, and entry {seam.index} names a loss "
            f"up to {seam.size}: more was lost than it says"
        )
    if anchor.size == seam.size and anchor.root.hex() != seam.root:
        return f"seam: {anchor.holder} has another root of {anchor.size} entries than entry {seam.index} names"
    return None


def place_unnamed(anchor: Anchor, known: Sequence[Seam], root_of: RootOf) -> Anchor | str | None:
    """The same for a tree head that names no log: of one before a seam where its size is among the lost ones of it."""
    seam = next((each for each in known if each.kept < anchor.size <= each.size), None)
    if seam is None:
        return anchor
    if root_of(anchor.size) != anchor.root:
        return None
    return anchor if anchor.size > seam.index else _not_lost(anchor, seam)


def roots_of(database: Path) -> RootOf:
    """The roots over the first entries that are stored here."""

    def root_of(size: int) -> bytes | None:
        tree = Frontier()
        with contextlib.closing(connect(database, read_only=True)) as db:
            tree.extend(stored_leaves(db, size))
        return tree.root() if tree.size == size else None

    return root_of


def _not_lost(anchor: Anchor, seam: Seam) -> str:
    return (
        f"seam: {anchor.holder} has seen {anchor.size} entries of {seam.before}, and entry {seam.index} names only "
        f"{seam.kept} as left: it declares as lost what is here"
    )


def set_aside(data: Path, seam: Seam, signer: bool = False) -> Path:
    """Puts what was published and signed under the log before the seam into a folder of its own; may be repeated.
    `signer`: its folder too, whatever is left in it."""
    aside = data / f"before-{seam.index}"
    aside.mkdir(mode=0o700, exist_ok=True)
    for name, says in (("log", "log/checkpoint"), ("log-key", "log-key"), ("signer", "signer/state")):
        if _names(data / says, seam.before) and not (aside / name).exists():
            (data / name).rename(aside / name)
    if signer and (data / "signer").exists() and not (aside / "signer").exists():
        (data / "signer").rename(aside / "signer")
    return aside


@dataclass(frozen=True, slots=True)
class Began:
    """How a ledger took the name that it has: `under` is the log key (vkey) of its first start by it, None before that;
    `seam` is where it continued another log."""

    under: str | None = None
    seam: Seam | None = None


def follow_seams(database: Path, data: Path, origin: str) -> Began:
    """At a start: the configuration names this ledger, and what is from before its seam lies aside in the folder
    `data`. Raises `Fault`."""
    named, began = began_as(database)
    if named is not None and named != origin:
        raise Fault(f"this ledger is {named}, and the configuration says {origin}: it never changes by itself")
    if began.seam is not None:
        set_aside(data, began.seam)
    return began


def began_as(database: Path) -> tuple[str | None, Began]:
    """The name that a ledger has now, None while nothing stands in it; and how it took it."""
    if not database.exists():
        return None, Began()
    with contextlib.closing(connect(database, read_only=True)) as db:
        if is_new(db):
            return None, Began()
        known = seams(db)
        return origin_of(db), Began(log_key_of(db), known[-1] if known else None)


def _names(file: Path, origin: str) -> bool:
    """Whether a checkpoint, a verifier key or a signer's state is there, and of this log."""
    try:
        text = content(file, MAX_BYTES).decode("utf-8", "replace")
    except (OSError, Corrupt):
        return False
    return text.startswith((f"{origin}\n", f"{origin}+")) or _body(text.encode()).get("origin") == origin


def _body(raw: Any) -> dict[str, Any]:
    """What a stored body says; nothing where there is none, or what lies there is no body."""
    try:
        found = decode(raw) if isinstance(raw, bytes) else {}
    except NotCanonical:
        return {}
    return found if isinstance(found, dict) else {}
