"""Reviews as people see them: each with how far it is, a reviewer's items, and the calendar of what fell due."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import islice

from onepam.app.ports import Snapshot
from onepam.domain.access.review_schedule import Suspends
from onepam.domain.reviews.events import Scope, Stage, Verdict, Withheld
from onepam.domain.reviews.population import Item
from onepam.domain.reviews.reminding import is_due, stage_of
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.reviews import chains, items_of, last_told, not_remediated, scope_of
from onepam.store.read.names import Called
from onepam.store.read.review_items import ItemRow, Said, item_rows

MOST = 200
"""Reviews that a page shows: fifty years of quarters."""

PAGE = 100
"""Items that a page of one shows."""


_ANSWERS = f"""
SELECT 1 FROM role WHERE owner = :reader AND {AT}
UNION ALL SELECT 1 FROM review_passed WHERE passed_to = :reader AND {AT}
UNION ALL SELECT 1 FROM account_system WHERE owner = :reader AND {AT}
UNION ALL SELECT 1 FROM person WHERE (manager = :reader OR owner = :reader) AND {AT} LIMIT 1"""
"""Whether somebody may come to answer for anything."""


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A review and how far it is. `mine` are the items that wait for the reader, `nobody` those that nobody left can
    decide on, `open_removals` what was removed and a binding still gives: withheld until the file agrees; `signed` is
    when somebody signed it off."""

    review: str
    period: str
    scope: Scope
    opened: Instant
    closes: Instant
    closed: Instant | None
    suspends: Suspends
    opened_by: str | None
    fallback: str | None
    digest: str
    items: int
    kept: int
    removed: int
    mine: int
    nobody: int
    suspended: int
    open_removals: int
    signed: Instant | None = None
    signer_name: str = ""
    sign_note: str = ""
    not_remediated: int = 0
    """Items of other systems that were removed and are there still."""

    @property
    def waiting(self) -> int:
        """Items that nobody decided on."""
        return self.items - self.kept - self.removed


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """A review with some of its items; `more` after which the next page begins ("": none does)."""

    review: ReviewRow
    items: tuple[ItemRow, ...]
    more: str


def due_to_close(db: Snapshot, at: Instant) -> tuple[str, ...]:
    """Open reviews of which all is decided, or whose time is over."""
    found = rows(
        db,
        "SELECT r.review FROM review r WHERE r.closed IS NULL AND r.valid_from <= :at AND :at < r.valid_until "
        "AND (r.closes <= :at OR r.items <= (SELECT count(*) FROM review_decision d WHERE d.review = r.review "
        "AND d.valid_from <= :at AND :at < d.valid_until)) ORDER BY r.opened",
        {"at": at},
    )
    return tuple(each["review"] for each in found)


def reminders_due(db: Snapshot, at: Instant) -> tuple[str, ...]:
    """Open reviews of which those who decide are to be told now."""
    found = rows(
        db, f"SELECT review, opened, closes FROM review WHERE closed IS NULL AND {AT} ORDER BY opened", {"at": at}
    )
    return tuple(
        each["review"]
        for each in found
        if is_due(stage_of(each["opened"], each["closes"], at), last_told(db, each["review"], at))
    )


def reviews(db: Snapshot, at: Instant, reader: str, everybody: bool) -> tuple[ReviewRow, ...]:
    """The newest first: all of them, or those in which something is or was the reader's to decide."""
    found = rows(db, f"SELECT * FROM review WHERE {AT} ORDER BY opened DESC LIMIT {MOST}", {"at": at})
    made = (_summary(db, at, each, reader) for each in found)
    return tuple(each for each, took_part in made if everybody or each.mine or took_part)


def withheld_from(db: Snapshot, at: Instant, person: str) -> tuple[tuple[str, Withheld], ...]:
    """The roles that reviews withhold from somebody, and why."""
    found = rows(
        db, f"SELECT role, because FROM role_withheld WHERE person = :person AND {AT} ORDER BY role",
        {"person": person, "at": at},
    )  # fmt: skip
    return tuple((each["role"], Withheld(each["because"])) for each in found)


def waiting_for(db: Snapshot, at: Instant, reader: str) -> int:
    """How many items of reviews that run wait for somebody. Of who answers for nobody it asks no more than that."""
    found = rows(db, f"SELECT * FROM review WHERE closed IS NULL AND closes > :at AND {AT}", {"at": at})
    if not found or (not answers_for_others(db, at, reader) and all(each["fallback"] != reader for each in found)):
        return 0
    return sum(_mine(db, at, each, reader) for each in found)


def answers_for_others(db: Snapshot, at: Instant, reader: str) -> bool:
    """Whether somebody may come to decide on what others hold, but for the fallback of a review."""
    return row(db, _ANSWERS, {"reader": reader, "at": at}) is not None


def waits_behind(db: Snapshot, at: Instant, found: Row, reader: str) -> bool:
    """Whether something waits in a review for somebody after whom the reader is next."""
    asked = ((each, each.decides) for each in chains(db, found, _waiting(db, at, found), at, reader).values())
    return any(decides is not None and each.after(decides[0]) == reader for each, decides in asked)


def waits_for_nobody(db: Snapshot, at: Instant, found: Row) -> bool:
    """Whether something waits in a review on which nobody is left to decide."""
    return any(each.decides is None for each in chains(db, found, _waiting(db, at, found), at).values())


def _mine(db: Snapshot, at: Instant, found: Row, reader: str) -> int:
    mine = (each.decides for each in chains(db, found, _waiting(db, at, found), at, reader).values())
    return sum(each is not None and each[0] == reader for each in mine)


def _waiting(db: Snapshot, at: Instant, found: Row) -> list[Item]:
    of = {"review": found["review"], "at": at}
    decided = rows(db, f"SELECT person, role FROM review_decision WHERE review = :review AND {AT}", of)
    said = {(each["person"], each["role"]) for each in decided}
    return [each for each in items_of(db, found) if (each.person, each.role) not in said]


def review_page(
    db: Snapshot, at: Instant, review: str, reader: str, everybody: bool, which: str = "mine", after: str = ""
) -> ReviewPage | None:
    """A review with a page of its items; None where the reader may see none of it. `which`: mine, waiting, nobody,
    removed, suspended or all; whoever does not oversee sees what is or was theirs."""
    found = row(db, f"SELECT * FROM review WHERE review = :review AND {AT}", {"review": review, "at": at})
    if found is None:
        return None
    look = _Look(db, found, at)
    summary, took_part = _summary(db, at, found, reader, look)
    if not (everybody or summary.mine or took_part):
        return None
    person, _, role = after.partition("/")
    begin = bisect_right(look.items, (person, role), key=lambda each: (each.person, each.role)) if after else 0
    which = which if everybody else "mine"
    wanted = (each for each in islice(look.items, begin, None) if look.shows(each, reader, which))
    shown = tuple(islice(wanted, PAGE))
    more = f"{shown[-1].person}/{shown[-1].role}" if next(wanted, None) is not None else ""
    return ReviewPage(summary, look.rows(shown), more)


class _Look:
    """All of one review as of an instant: its items, whose each is, and what was decided."""

    def __init__(self, db: Snapshot, found: Row, at: Instant) -> None:
        self._db, self._at = db, at
        self.runs = found["closed"] is None and found["closes"] > at
        stage = stage_of(found["opened"], found["closes"], at)
        self.escalated = found["closed"] is None and stage in (Stage.HALF, Stage.LAST)
        of = {"review": found["review"], "at": at}
        self.items = items_of(db, found)
        self.chains = chains(db, found, self.items, at)
        decided = rows(db, f"SELECT * FROM review_decision WHERE review = :review AND {AT}", of)
        self.decided = {(each["person"], each["role"]): each for each in decided}
        until = rows(db, f"SELECT person, role, until FROM role_reduced WHERE review = :review AND {AT}", of)
        self._until = {(each["person"], each["role"]): each["until"] for each in until}
        kept_back = rows(db, f"SELECT * FROM role_withheld WHERE review = :review AND {AT}", of)
        self.withheld = {(each["person"], each["role"]): each for each in kept_back}

    def decides(self, item: Item) -> str:
        """Whose an item is; empty where nobody is left."""
        found = self.chains[item.person, item.role].decides
        return found[0] if found is not None else ""

    def waits_for(self, item: Item, reader: str) -> bool:
        """Whether it waits for the reader: undecided, or withheld because nobody answered."""
        key = (item.person, item.role)
        open_still = (self.runs and key not in self.decided) or self._silent(key)
        return open_still and self.decides(item) == reader

    def _silent(self, key: tuple[str, str]) -> bool:
        return key in self.withheld and self.withheld[key]["because"] == Withheld.SILENCE

    def comes_to(self, item: Item, reader: str) -> bool:
        """Whether it waits for somebody else since half time, and the reader is next."""
        if not self.escalated or (item.person, item.role) in self.decided:
            return False
        chain = self.chains[item.person, item.role]
        found = chain.decides
        return found is not None and found[0] != reader and chain.after(found[0]) == reader

    def shows(self, item: Item, reader: str, which: str) -> bool:
        """Whether an item is one of those that are asked for."""
        key = (item.person, item.role)
        decided = self.decided.get(key)
        match which:
            case "waiting":
                return decided is None
            case "nobody":
                return decided is None and not self.decides(item)
            case "removed":
                return decided is not None and decided["verdict"] == Verdict.REMOVE
            case "suspended":
                return self._silent(key)
            case "mine":
                said = decided is not None and decided["decider"] == reader
                return said or self.waits_for(item, reader) or self.comes_to(item, reader)
            case _:
                return True

    def rows(self, items: tuple[Item, ...]) -> tuple[ItemRow, ...]:
        """These items with what their reviewer wants to know."""
        keys = ((each.person, each.role) for each in items)
        said = tuple(
            Said(self.chains[key].decides, self.decided.get(key), self.withheld.get(key), self._until.get(key))
            for key in keys
        )
        return item_rows(self._db, self._at, self.items, items, said)


def _summary(db: Snapshot, at: Instant, found: Row, reader: str, look: _Look | None = None) -> tuple[ReviewRow, bool]:
    """A review, and whether the reader decided something in it, or is next since half time. Whose its items are is
    worked out only where something waits: while it runs, or for what silence took."""
    of = {"review": found["review"], "reader": reader, "at": at}
    decided = rows(
        db, f"SELECT verdict, decider = :reader AS own FROM review_decision WHERE review = :review AND {AT}", of
    )
    taken = [
        each["because"] for each in rows(db, f"SELECT because FROM role_withheld WHERE review = :review AND {AT}", of)
    ]
    kept = sum(each["verdict"] == Verdict.KEEP for each in decided)
    silent = taken.count(Withheld.SILENCE)
    runs = found["closed"] is None
    if look is None and (runs or silent):
        look = _Look(db, found, at)
    signed = row(db, f"SELECT * FROM review_signed WHERE review = :review AND {AT}", of)
    summary = ReviewRow(
        review=found["review"],
        period=found["period"],
        scope=scope_of(found),
        opened=found["opened"],
        closes=found["closes"],
        closed=found["closed"],
        suspends=Suspends(found["suspends"]),
        opened_by=found["opened_by"],
        fallback=found["fallback"],
        digest=found["digest"],
        items=found["items"],
        kept=kept,
        removed=len(decided) - kept,
        mine=sum(look.waits_for(each, reader) for each in look.items) if look else 0,
        nobody=sum(look.shows(each, reader, "nobody") for each in look.items) if look and runs else 0,
        suspended=silent,
        open_removals=len(taken) - silent,
        signed=signed["signed"] if signed else None,
        signer_name=Called(db, at)[signed["signer"]] if signed else "",
        sign_note=(signed["note"] or "") if signed else "",
        not_remediated=len(not_remediated(db, found, at)) if found["beyond"] else 0,
    )
    comes = look is not None and any(look.comes_to(each, reader) for each in look.items)
    return summary, comes or any(each["own"] for each in decided)
