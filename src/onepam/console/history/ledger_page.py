"""Ledger: what its templates are given."""

from dataclasses import dataclass
from typing import Any, ClassVar

from onepam.console.frame.page import Context, PageContext
from onepam.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class LedgerPage(PageContext):
    """Ledger health: is the history whole, signed, witnessed, checked?

    `state`: "proven" | "due" | "finding": the whole
    `headline`: that in one sentence
    `head`: {size, at}: the newest entry
    `signed`: {size, at, signer, root} or none: the newest checkpoint
    `witnessed`: list of {name, size, at}: empty means "no independent witness"
    `checks`: list of {name ("Newest entries", ...), at (or none), state, words, every (str)}
    `stored`: {entries, recordings (bytes), oldest (Instant)}
    `key`: the log's verification key (vkey line)
    `entry`: none, or {index, at, kind, klass, klass_seq, words (list of [text, href]), leaf, fields (list of [word,
        value, href]), proof}: ?entry=
    `entries`: list of {index, at, kind, words}: of the subject, the newest first
    `subject`, `subjects`: what they are narrowed to, and what they may be: word of the address -> how it is called
    `who`, `where`: the person and the resource that they concern, as typed; `reached`: none, or back to when this page
        looked for them, `lacks`: how many of a page it has not found yet, `looks`: how often it may look further by
        itself, `goes_on`: whether this is such a look
    `unknown`: none, or {what ("who", "where"), typed, alike (list of [name, word of the address])}: what was typed is
        nobody's name, or nothing's
    `first_day`, `last_day`: the period that they are narrowed to, as fields have it; empty without
    `may_draw`: whether the viewer may draw an evidence pack, `pack`: none, or of the viewer's newest {state ("drawing",
        "ready", "refused"), first, last, step, percent, size, refused (message, hint)}
    `pager`: of parts/ui.html
    `commands`: list of [word, command]: how to check it yourself
    `verifiers`: list of [name, SHA-256 in hex]: the verifier to take away
    `may_change`: whether the viewer administers
    `announced`: list of {id, words, due, origin}: what the host has announced and any administrator may cancel
    """

    template: ClassVar = "ledger.html"

    state: str
    headline: str
    advice: str
    head: Context
    signed: Context | None
    witnessed: list[Context]
    checks: list[Context]
    stored: Context
    key: str
    entry: Context | None
    entries: list[Context]
    subject: str
    subjects: dict[str, str]
    who: str
    where: str
    reached: Instant | None
    lacks: int
    looks: int
    goes_on: bool
    unknown: Context | None
    first_day: str
    last_day: str
    may_draw: bool
    pack: Context | None
    pager: Context
    commands: list[Any]
    verifiers: list[list[str]]
    may_change: bool
    announced: list[Context]


@dataclass(frozen=True, slots=True)
class CheckpointPage(PageContext):
    """The newest signed checkpoint, to print and keep elsewhere.

    `text`: the signed note
    `svg`: data: address of its QR code ("" when it is too long for one)
    `size`: the entries it covers
    `root`: the tree's root in hex
    `origin`: the log's name
    `at`: of the newest entry in it, or none
    `key`: the log's verification key
    """

    template: ClassVar = "checkpoint.html"

    text: str
    svg: str
    size: int
    root: str
    origin: str
    at: Instant | None
    printed: Instant
    key: str
