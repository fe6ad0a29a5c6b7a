"""The ledger: whether the history is whole, one entry, and its proof to take away."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass, replace
from enum import StrEnum
from typing import Any, get_args, get_origin, get_type_hints

from starlette.responses import JSONResponse, Response

from onepam.app.host.announced import cancel_announced
from onepam.app.ports import LedgerHealth, Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged
from onepam.console.frame.period import day_begins
from onepam.console.frame.places import ADMINISTERS, SEES_ALL, Place, Shown
from onepam.console.frame.rendering import exact, field_time, plural
from onepam.console.frame.sheet import every, sheet
from onepam.console.frame.view import View
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import happened
from onepam.console.history.ledger_page import LedgerPage
from onepam.console.history.packs import AUDITS, shown
from onepam.console.history.subjects import SUBJECTS, narrowed
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.event import is_known, kind_named
from onepam.domain.host.announcing import Deed
from onepam.evidence.verifiers import VERIFIERS, digest_of
from onepam.kernel.clock import FOREVER, Instant, iso, utc
from onepam.kernel.errors import Corrupt, Refused
from onepam.store.read.announced import open_announcements
from onepam.store.read.concerned import Concern, concerning, meant
from onepam.store.read.console import Entries, Stored, Verified, entry, kept, kinds_there, listed, newest, verified
from onepam.store.read.moments import readable
from onepam.store.read.names import Called
from onepam.store.read.paging import Page, Window

_CHECKS = (
    ("incremental", "Newest entries", "each minute, written down each hour; a finding at once"),
    ("fold", "Everything, and every table", "at each start, and each week"),
)
_PEOPLE = ("by", "person", "approved_by", "owner", "manager")
MAX_VALUE_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class Narrow:
    """Which entries: of a subject, from a first day to a last one (UTC, as date fields have them; empty: no bound),
    that concern somebody (an id, an address or a whole name) and a resource."""

    subject: str
    first: str
    last: str
    who: str = ""
    where: str = ""

    @staticmethod
    def of(visit: Visit) -> "Narrow":
        """What the address asks for; what is no subject and no day narrows nothing."""
        asked = visit.request.query_params
        subject, first, last = (asked.get(word, "") for word in ("of", "from", "to"))
        first, last = (each if day_begins(each) is not None else "" for each in (first, last))
        who, where = (asked.get(word, "").strip()[:254] for word in ("who", "where"))
        return Narrow(subject if subject in SUBJECTS else "", first, last, who, where)

    @property
    def filters(self) -> dict[str, str]:
        """As links keep it."""
        return {"of": self.subject, "from": self.first, "to": self.last, "who": self.who, "where": self.where}

    def entries(self, db: Snapshot, at: Instant, window: Window) -> Entries:
        """A page of them, the newest first."""
        ends = day_begins(self.last, 1)
        until = at if ends is None else Instant(min(at, ends - 1))
        kinds, since = narrowed(self.subject, kinds_there(db)), day_begins(self.first)
        if not self.who and not self.where:
            return listed(db, until, window, kinds, since)
        people = meant(db, at, self.who) if self.who else ()
        if self.who and not people:
            return Entries((), "")
        return concerning(db, until, window, kinds, since, Concern(people, self.where))


async def ledger_page(visit: Visit) -> Response:
    """Health, the entries of a subject, the newest first, a page at a time; and one entry of `?entry=`."""
    narrow, window = Narrow.of(visit), paged(visit)
    if visit.wants_sheet():
        return _sheet(visit, narrow)
    asked = visit.request.query_params.get("entry", "")
    index = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 17 else None
    health = await visit.services.health()
    may_change = visit.me.has(ConsoleRight.ADMINISTER)
    found = await visit.services.reader(_ledger, visit.at, View.of(visit), health, index, may_change, narrow, window)
    if asked and found.entry is None:
        return visit.refusal(Refused("ledger.no_entry", "The ledger has no such entry.", "/ledger"), 404)
    if found.entry is not None and found.entry["proof"]["altered"]:
        headline = f"Entry {index:,} was altered: it is not what was published."
        advice = "Run “onepam ledger verify” on the host."
        found = replace(found, state="finding", headline=headline, advice=advice)
    if visit.at is None and visit.me.has(*AUDITS.rights):
        found = replace(found, may_draw=True, pack=shown(visit.services.packs.of(visit.me.actor.person)))
    return visit.page(found)


async def proof(visit: Visit) -> Response:
    """One entry with its path to the newest checkpoint, as a file."""
    text = visit.path("index")
    index = int(text) if text.isascii() and text.isdigit() and len(text) < 17 else -1
    found = await visit.services.proof(index)
    if isinstance(found, Refused):
        return visit.refusal(found, 404)
    headers = {"Content-Disposition": f'attachment; filename="onepam-entry-{index}.json"'}
    return JSONResponse(asdict(found), headers=headers)


async def cancel(visit: Visit) -> Response:
    """Cancels what the host has announced."""
    refused = await cancel_announced(visit.services.ledger, visit.me.actor, visit.path("announcement"))
    if refused is not None and refused.code == "announcement.unknown":
        return visit.refusal(refused, 404)
    return visit.outcome(refused, "/ledger", "Cancelled: nothing is done on it.")


_DEEDS = {
    Deed.RECOVERY_KEY: "Another recovery key, made without the old one",
    Deed.CONTINUATION: "The ledger goes on under another name, after a loss",
    Deed.ACCESS: "Somebody gets in as an administrator",
}
_COMMANDS = [
    ["The whole history against the tables", "onepam ledger verify"],
    ["A pack for an auditor", "onepam evidence pack --from 2026-01-01 --to 2027-01-01 --out pack.zip"],
    ["The pack, offline, without us", "python3 -I verify.py pack.zip --log-key KEY --witness-key KEY"],
]  # fmt: skip


def _verdict(health: LedgerHealth) -> Context:
    """The whole in one sentence: a finding before a lack, a lack before the good news."""
    if health.findings:
        return {"state": "finding", "headline": "The history is not whole.", "advice": "; ".join(health.findings[:5])}
    if health.unlawful:
        headline = "The history is whole, and a right was used that it did not give."
        return {"state": "finding", "headline": headline, "advice": "; ".join(health.unlawful[:5])}
    if health.trouble:
        return {"state": "finding", "headline": "The ledger cannot be published.", "advice": health.trouble}
    if not health.checkpoint_size:
        return {"state": "due", "headline": "Nothing is signed yet.", "advice": "The signer has signed no checkpoint."}
    if not health.witness:
        advice = "Whoever controls this machine and its key could rewrite it unnoticed. Run “onepam witness” elsewhere."
        return {"state": "due", "headline": "No independent witness confirms the history.", "advice": advice}
    if not health.witnessed_size:
        return {"state": "due", "headline": "The witness has not answered yet.", "advice": ""}
    if health.verified_at is None:
        return {"state": "due", "headline": "The history is signed and witnessed, and not checked yet.", "advice": ""}
    return {
        "state": "proven",
        "headline": "Every entry was there, in order, signed, and witnessed elsewhere.",
        "advice": f"So the check of {utc(health.verified_at)} found it, over {health.verified_size:,} entries.",
    }


def _ledger(
    db: Snapshot,
    at: Instant,
    view: View,
    health: LedgerHealth,
    index: int | None,
    may_change: bool,
    narrow: Narrow,
    window: Window,
) -> LedgerPage:
    some, known = narrow.entries(db, at, window), Called(db, at)
    head = last.header if (last := newest(db, at)) else None
    size = head.index + 1 if head else 0
    found = entry(db, at, index) if index is not None else None
    store, checked = kept(db, at), last_checks(db, at, health)
    signed_at = health.checkpoint_at or (health.head_at if health.checkpoint_size else None)
    return LedgerPage(
        **_verdict(health),
        key=health.log_key,
        commands=_COMMANDS,
        verifiers=[[name, digest] for name in VERIFIERS if (digest := digest_of(name))],
        announced=_announced(db, at),
        may_change=may_change,
        head={"size": size, "at": head.time if head else at},
        signed={
            "size": min(size, health.checkpoint_size),
            "at": signed_at,
            "signer": health.log_key.split("+")[0],
            "root": "",
        }
        if health.checkpoint_size
        else None,
        witnessed=[{"name": health.witness, "size": min(size, health.witnessed_size), "at": health.witnessed_at}]
        if health.witnessed_at is not None
        else [],
        checks=[_check(checked.get(kind), name, every) for kind, name, every in _CHECKS],
        stored={"entries": store.entries, "recordings": store.recorded, "oldest": store.oldest},
        entry=_entry(found, view, health, known) if found else None,
        entries=[
            {
                "index": each.header.index,
                "at": each.header.time,
                "kind": each.header.kind,
                "words": happened(readable(each), known),
            }
            for each in some.rows
        ],
        **_narrowed(narrow, some, window),
        may_draw=False,
        pack=None,
    )


def _narrowed(narrow: Narrow, some: Entries, window: Window) -> Context:
    """What the list is narrowed to, and its pages."""
    return {
        "subject": narrow.subject,
        "subjects": SUBJECTS,
        "who": narrow.who,
        "where": narrow.where,
        "reached": some.reached,
        "first_day": narrow.first,
        "last_day": narrow.last,
        "pager": {"total": None, "first": not window.after, "next": some.next, "filters": narrow.filters},
    }


def _sheet(visit: Visit, narrow: Narrow) -> Response:
    at, reader = visit.moment, visit.services.reader
    parts = every(lambda window: reader(_lines, at, narrow, window), lambda line: [line])
    return sheet(
        f"ledger-{field_time(at).replace(':', '')}.csv", ("entry", "time (UTC)", "kind", "what", "leaf"), parts
    )


def _lines(db: Snapshot, at: Instant, narrow: Narrow, window: Window) -> Page[tuple[object, ...]]:
    found, known = narrow.entries(db, at, window), Called(db, at)
    lines = (
        (each.header.index, iso(each.header.time), each.header.kind, happened(readable(each), known), each.hash.hex())
        for each in found.rows
    )
    return Page(tuple(lines), len(found.rows), found.next)


def _announced(db: Snapshot, at: Instant) -> list[Context]:
    return [
        {"id": each.announcement, "words": _DEEDS[each.deed], "due": each.due, "origin": each.origin or each.person}
        for each in open_announcements(db, at)
    ]


def last_checks(db: Snapshot, at: Instant, health: LedgerHealth) -> dict[str, Verified]:
    """The newest check of each kind; of the newest entries the one of this minute, which is not written down."""
    checked = verified(db, at)
    newest_entries = checked.get("incremental")
    if health.looked_at is not None and at >= health.looked_at > (newest_entries.at if newest_entries else 0):
        checked["incremental"] = Verified(health.looked_at, health.looked_size, whole=True)
    return checked


def _check(found: Verified | None, name: str, every: str) -> Context:
    if found is None:
        return {"name": name, "at": None, "state": "untested", "words": "", "every": every}
    state, size = "proven" if found.whole else "finding", plural(found.size, "entry", "entries")
    return {"name": name, "at": found.at, "state": state, "words": size, "every": every}


def _entry(found: Stored, view: View, health: LedgerHealth, known: Mapping[str, str]) -> Context:
    header = found.header
    known_kind = is_known(header.kind, header.version)
    hints = get_type_hints(kind_named(header.kind, header.version).record) if known_kind else {}
    return {
        "index": header.index,
        "at": header.time,
        "kind": header.kind,
        "klass": header.klass,
        "klass_seq": header.class_seq,
        "words": happened(readable(found), known),
        "leaf": found.hash.hex(),
        "fields": [
            [name.replace("_", " ").capitalize(), _value(value, hints.get(name), known if name in _PEOPLE else {})]
            for name, value in _fields(found).items()
        ],
        "proof": view.proof(header.index, found.hash, health),
    }


def _fields(stored: Stored) -> dict[str, Any]:
    """The body's fields; of one that somebody has made unreadable, that it is."""
    try:
        return stored.fields
    except Corrupt as error:
        return {"unreadable": str(error)}


def _value(value: Any, hint: Any, known: Mapping[str, str]) -> str:
    text = _plain(known.get(value, value) if isinstance(value, str) else value, hint)
    return text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[:MAX_VALUE_CHARACTERS]}…"


def _plain(value: Any, hint: Any) -> str:
    """A body's value in one line. `hint` is the type that its field should have; whoever altered it put in another."""
    kinds = (hint, *get_args(hint))
    if isinstance(value, dict):
        hints: dict[str, Any] = next((get_type_hints(each) for each in kinds if is_dataclass(each)), {})
        return "; ".join(f"{name} {_plain(each, hints.get(name))}" for name, each in value.items()) or "none"
    if isinstance(value, list):
        item = next((get_args(each)[0] for each in kinds if get_origin(each) is tuple), None)
        return ", ".join(_plain(each, item) for each in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and Instant in kinds and 0 <= value < FOREVER:
        return exact(Instant(value))
    if isinstance(value, str):
        codes = [each for kind in kinds if isinstance(kind, type) and issubclass(kind, StrEnum) for each in kind]
        return next((getattr(each, "words", value.replace("_", " ")) for each in codes if each == value), value)
    return "none" if value is None else str(value)


PLACES = (
    Place("GET", "/ledger", SEES_ALL, ledger_page, Shown("Ledger", "book-2", "Proof")),
    Place("GET", "/ledger/proof/{index}", SEES_ALL, proof),
    Place("POST", "/ledger/announced/{announcement}/cancel", ADMINISTERS, cancel),
)
