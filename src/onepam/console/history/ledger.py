"""The ledger: whether the history is whole, one entry, and its proof to take away."""

from dataclasses import asdict, dataclass, replace

from starlette.responses import JSONResponse, Response

from onepam.app.host.announced import cancel_announced
from onepam.app.ports import LedgerHealth, Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged
from onepam.console.frame.period import day_begins, day_text
from onepam.console.frame.places import ADMINISTERS, SEES_ALL, Place, Shown
from onepam.console.frame.rendering import field_time, plural
from onepam.console.frame.sheet import every, sheet
from onepam.console.frame.view import View
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import happened
from onepam.console.history.ledger_page import LedgerPage
from onepam.console.history.one_entry import one_entry
from onepam.console.history.packs import AUDITS, shown
from onepam.console.history.subjects import SUBJECTS, narrowed
from onepam.domain.access.model import ConsoleRight
from onepam.domain.host.announcing import Deed
from onepam.evidence.verifiers import VERIFIERS, digest_of
from onepam.kernel.clock import Instant, iso, utc
from onepam.kernel.errors import Refused
from onepam.store.read.announced import open_announcements
from onepam.store.read.concerned import Concern, concerning, known_resource, meant
from onepam.store.read.console import Entries, Verified, entry, kept, kinds_there, listed, newest, verified
from onepam.store.read.everybody import find_people
from onepam.store.read.matters import Matters
from onepam.store.read.moments import readable
from onepam.store.read.paging import SIZE, Page, Window
from onepam.store.read.resources import find_resources

_CHECKS = (
    ("incremental", "Newest entries", "each minute, written down each hour; a finding at once"),
    ("fold", "Everything, and every table", "at each start, and each week"),
)
LOOKS = 200
"""So often a page of the entries that concern somebody looks further by itself."""
_ALIKE = 5
"""So many names are offered in the place of one that nobody has."""


@dataclass(frozen=True, slots=True)
class Narrow:
    """Which entries: of a subject, from a first day to a last one (UTC, as fields have them; empty: no bound),
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
        first, last = ("" if (at := day_begins(each)) is None else day_text(at) for each in (first, last))
        who, where = (asked.get(word, "").strip()[:254] for word in ("who", "where"))
        return Narrow(subject if subject in SUBJECTS else "", first, last, who, where)

    @property
    def filters(self) -> dict[str, str]:
        """As links keep it."""
        return {"of": self.subject, "from": self.first, "to": self.last, "who": self.who, "where": self.where}

    def nobody(self, db: Snapshot, at: Instant) -> Context | None:
        """`unknown` of the page: what was typed that is nobody's name, or nothing's; none where all are known. Alike is
        what the search of all pages finds."""
        if self.who and not meant(db, at, self.who):
            people = find_people(db, at, self.who, _ALIKE)
            return _unknown("who", self.who, [[name or ident, ident] for ident, name, _ in people])
        if self.where and not known_resource(db, at, self.where):
            found = find_resources(db, at, self.where, _ALIKE)
            return _unknown("where", self.where, [[name, name] for name, _ in found])
        return None

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


def _unknown(what: str, typed: str, alike: list[list[str]]) -> Context:
    return {"what": what, "typed": typed, "alike": alike}


async def ledger_page(visit: Visit) -> Response:
    """Health, the entries of a subject, the newest first, a page at a time; and one entry of `?entry=`."""
    narrow, search = Narrow.of(visit), Search.of(visit)
    window = paged(visit, search.lacks)
    if visit.wants_sheet():
        return _sheet(visit, narrow)
    asked = visit.request.query_params.get("entry", "")
    index = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 17 else None
    health = await visit.services.health()
    may_change = visit.me.has(ConsoleRight.ADMINISTER)
    found = await visit.services.reader(
        _ledger, visit.at, View.of(visit), health, index, may_change, narrow, window, search
    )
    if asked and found.entry is None:
        return visit.refusal(Refused("ledger.no_entry", "The ledger has no such entry.", "/ledger"), 404)
    if found.entry is not None and found.entry["proof"]["altered"]:
        headline = f"Entry {index:,} was altered: it is not what was published."
        advice = "Run “onepam ledger verify” on the host."
        found = replace(found, state="finding", headline=headline, advice=advice)
    if visit.at is None and visit.me.has(*AUDITS.rights):
        found = replace(found, may_draw=True, pack=shown(visit.services.packs.of(visit.me.actor.person)))
    return visit.page(found)


@dataclass(frozen=True, slots=True)
class Search:
    """A page that is sought in parts: each look goes through a bounded part of the ledger and shows what it found.
    `lacks` is how many entries the page still wants, `looks` how many more there may be without a person's word."""

    lacks: int = SIZE
    looks: int = LOOKS

    @staticmethod
    def of(visit: Visit) -> "Search":
        """What the address asks for; a page is begun where it says nothing of it."""
        lacks, looks = (visit.request.query_params.get(word, "") for word in ("lacks", "looks"))
        if not all(each.isascii() and each.isdigit() and len(each) < 4 for each in (lacks, looks)):
            return Search()
        return Search(max(1, min(int(lacks), SIZE)), min(int(looks), LOOKS - 1))

    def told(self, some: Entries) -> Context:
        """What the template needs to go on with it."""
        return {"lacks": self.lacks - len(some.rows), "looks": max(0, self.looks - 1), "goes_on": self.looks < LOOKS}


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
    search: Search,
) -> LedgerPage:
    some, known = narrow.entries(db, at, window), Matters(db, at)
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
        checks=[_check(checked.get(kind), name, every, health) for kind, name, every in _CHECKS],
        stored={"entries": store.entries, "recordings": store.recorded, "oldest": store.oldest},
        entry=one_entry(found, view, health, known) if found else None,
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
        **search.told(some),
        unknown=narrow.nobody(db, at),
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
    found, known = narrow.entries(db, at, window), Matters(db, at)
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


def _check(found: Verified | None, name: str, every: str, health: LedgerHealth) -> Context:
    """One that passed is not said to have, where the history has a finding now."""
    if found is None:
        return {"name": name, "at": None, "state": "untested", "words": "", "every": every}
    whole = found.whole and not health.findings and not health.unlawful
    state, size = "proven" if whole else "finding", plural(found.size, "entry", "entries")
    return {"name": name, "at": found.at, "state": state, "words": size, "every": every}


PLACES = (
    Place("GET", "/ledger", SEES_ALL, ledger_page, Shown("Ledger", "book-2", "Proof")),
    Place("GET", "/ledger/proof/{index}", SEES_ALL, proof),
    Place("POST", "/ledger/announced/{announcement}/cancel", ADMINISTERS, cancel),
)
