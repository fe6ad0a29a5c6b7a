"""The installation itself: its beginning, its clock, its verifications, and what was erased."""

from dataclasses import dataclass

from onepam.domain.history.event import event


@event("system.started", klass="system", control="CHG-02", words="{node} started with release {release}")
@dataclass(frozen=True, slots=True)
class SystemStarted:
    """A process of this installation began to work. `log_key` is the vkey of the ledger's signer; `environment` is what
    the installation is called in its configuration (`production`), and so in what it hands out."""

    node: str
    release: str
    origin: str
    log_key: str
    environment: str


@event("system.clock_jumped", klass="system", alarm=True, control="LOG-03", words="The clock of {node} jumped")
@dataclass(frozen=True, slots=True)
class ClockJumped:
    """The clock of `node` moved by `microseconds` (negative: backwards) against its steady clock, or stands so far
    behind the newest entry. `stops`: no command of the node is decided until an operator confirms the clock."""

    node: str
    microseconds: int
    stops: bool


@event("system.clock_confirmed", klass="system", control="LOG-03", words="{by} confirmed the clock of {node}")
@dataclass(frozen=True, slots=True)
class ClockConfirmed:
    """An operator confirmed the clock of `node`, which said `wall` then; commands run again. The ledger's time was
    `ahead` microseconds later than the clock, and passes at nine tenths of its pace until both agree."""

    node: str
    by: str
    wall: int
    ahead: int


LAWFUL = "lawful"
"""The kind of verification that asks whether the history gave every right that was used."""


@event(
    "system.verified",
    klass="system",
    alarm=True,
    control="LOG-03",
    words="The history was verified up to entry {size}[; findings: {findings}]",
)
@dataclass(frozen=True, slots=True)
class LedgerVerified:
    """A verification that ran by itself: its kind (incremental, fold, lawful), up to which size, and what it found."""

    kind: str
    size: int
    root: str
    findings: tuple[str, ...]


@event(
    "evidence.packed",
    klass="system",
    control="LOG-05 EVD-02",
    words="{by} drew an evidence pack under the checkpoint of {size} entries",
)
@dataclass(frozen=True, slots=True)
class EvidencePacked:
    """Somebody drew an evidence pack of [starts, ends) under a checkpoint of `size`; `digest` is the file's SHA-256."""

    by: str
    starts: int
    ends: int
    size: int
    digest: str


@event(
    "anchor.handed_out",
    klass="system",
    control="LOG-03",
    words="The checkpoint of {size} entries was handed out, as each {occasion}",
)
@dataclass(frozen=True, slots=True)
class AnchorHandedOut:
    """The signed checkpoint `note`, of `size` entries under `root` (hex), is handed out to those who keep it elsewhere.
    `occasion`: hour, or day for the first of each day of ledger time."""

    occasion: str
    origin: str
    size: int
    root: str
    note: str


@event(
    "payload.erased",
    klass="system",
    control="LOG-03 LOG-04",
    words="Personal data of {person} were erased, in entries that stay",
)
@dataclass(frozen=True, slots=True)
class PayloadsErased:
    """The payloads and salts of these entries are gone, by an erasure that two people agreed to. The entries stay.

    `naming`: they are lists and files that name many, and this person among them; else they speak of this person.
    """

    erasure: str
    person: str
    indexes: tuple[int, ...]
    naming: bool
