"""Items of a review as their reviewers see them: a page of them at a time, and each table is asked once for all."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.reviews.advice import Odd, against, unusual
from onepam.domain.reviews.events import Answers, Verdict, Withheld
from onepam.domain.reviews.population import Item, is_beyond
from onepam.kernel.clock import Instant
from onepam.store.db import Row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.review_advice import Circumstances
from onepam.store.facts.systems import still_held
from onepam.store.read import beyond as told
from onepam.store.read.names import Called
from onepam.store.read.probes import Probed, probed_since


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item as its reviewer sees it. `decides` is whose it is ("": nobody left), `verdict` what was decided."""

    person: str
    name: str
    role: str
    purpose: str
    privileged: bool
    by: tuple[str, ...]
    """Why it was given: what each binding says."""
    opens: bool
    """The role opens sessions: it has permissions, and not rights in the console alone."""
    last_used: Instant | None
    peers: int
    """Others of the review who hold the role and have the same manager."""
    unusual: tuple[Odd, ...]
    against: tuple[Odd, ...]
    """Why it is recommended to remove it."""
    decides: str
    decides_name: str
    answers: Answers | None
    verdict: Verdict | None
    decider_name: str
    note: str
    withheld: Withheld | None
    held: bool
    """A binding gives it now; of another system: it is there now."""
    beyond: bool = False
    """It is of another system, where nothing is ours to withhold."""
    probed: tuple[str, Probed] | None = None
    """Of what was removed, or taken in silence: at which resource the listener was asked afterwards, and what it said.
    None where it was not asked."""
    until: Instant | None = None
    """Until when it was kept, while that is to come."""


@dataclass(frozen=True, slots=True)
class Said:
    """Of an item: who decides on it now and as what (None: nobody is left), the last decision, the withholding after
    this review, and until when it is kept (None: without an end)."""

    decides: tuple[str, Answers] | None
    decided: Row | None
    withheld: Row | None
    until: Instant | None

    def taken(self) -> Instant | None:
        """Since when it gives nothing; None where it was not taken."""
        removed = self.decided is not None and self.decided["verdict"] == Verdict.REMOVE
        since: Instant | None = self.decided["decided"] if self.decided and removed else None
        return self.withheld["withheld"] if since is None and self.withheld else since


def item_rows(
    db: Snapshot, at: Instant, everything: Iterable[Item], items: tuple[Item, ...], said: tuple[Said, ...]
) -> tuple[ItemRow, ...]:
    """These items of a review of `everything`, with what their reviewer wants to know."""
    people = {each.person for each in items}
    named = (
        people
        | {each.decides[0] for each in said if each.decides}
        | {each.decided["decider"] for each in said if each.decided}
    )
    called = Called(db, at, named)
    asked = Circumstances(db, at, everything, people)
    purposes, because, accounts = _purposes(db, at, items), _because(db, items), told.accounts(db, at, items)
    there = still_held(db, at, items)
    taken = {(each.person, each.role): so.taken() for each, so in zip(items, said, strict=True)}
    probed = probed_since(db, at, {key: since for key, since in taken.items() if since is not None})
    made = []
    for each, so in zip(items, said, strict=True):
        key = (each.person, each.role)
        use, beyond, decided = asked.use(*key), is_beyond(each.role), so.decided
        made.append(
            ItemRow(
                person=each.person,
                name=called[each.person],
                role=each.role,
                purpose=told.purpose(each.role) if beyond else purposes.get(each.role, "this role is gone"),
                opens=use.opens,
                privileged=each.privileged,
                by=told.words(accounts, each) if beyond else _given(because, each),
                last_used=told.used(accounts, each) if beyond else use.last_used,
                peers=asked.peers(each),
                unusual=unusual(use, asked.place(each), at),
                against=against(use, at),
                decides=so.decides[0] if so.decides else "",
                decides_name=called[so.decides[0]] if so.decides else "",
                answers=so.decides[1] if so.decides else None,
                verdict=Verdict(decided["verdict"]) if decided else None,
                decider_name=called[decided["decider"]] if decided else "",
                note=(decided["note"] or "") if decided else "",
                withheld=Withheld(so.withheld["because"]) if so.withheld else None,
                held=key in there if beyond else asked.bound(*key),
                beyond=beyond,
                probed=probed.get(key),
                until=so.until,
            )
        )
    return tuple(made)


def _purposes(db: Snapshot, at: Instant, items: tuple[Item, ...]) -> dict[str, str]:
    """What the roles are for."""
    of = {"roles": json.dumps(sorted({each.role for each in items})), "at": at}
    found = rows(db, f"SELECT role, purpose FROM role WHERE role IN (SELECT value FROM json_each(:roles)) AND {AT}", of)
    return {each["role"]: each["purpose"] for each in found}


def _because(db: Snapshot, items: tuple[Item, ...]) -> dict[str, str]:
    """Why the bindings give roles, as whoever wrote them says, also where they ended."""
    of = {"bindings": json.dumps(sorted({way.binding for each in items for way in each.ways}))}
    found = rows(
        db,
        "SELECT binding, because FROM binding WHERE binding IN (SELECT value FROM json_each(:bindings)) "
        "ORDER BY valid_from",
        of,
    )
    return {each["binding"]: each["because"] for each in found}


def _given(because: Mapping[str, str], item: Item) -> tuple[str, ...]:
    """Why each binding gives the role, and through which group."""
    return tuple(
        f"{because.get(way.binding, '')} (through {way.group})" if way.group else because.get(way.binding, "")
        for way in item.ways
    )
