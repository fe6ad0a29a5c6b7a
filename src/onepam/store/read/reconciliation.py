"""The staff roster held against the accounts, both ways: all that does not agree, counted, and a page at a time."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows, streamed
from onepam.store.read.names import Called
from onepam.store.read.paging import Page, Window
from onepam.store.read.staff import in_force

MOST_FINDINGS = 500
"""Findings of one kind that are listed together; all are counted."""

KINDS = (
    "left_enabled",
    "no_entry",
    "owner_gone",
    "sponsor_gone",
    "manager_gone",
    "other_address",
    "not_bounded",
    "disabled",
    "no_account",
)
"""In the order of a list that has several."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Where roster and accounts do not agree.

    `kind`: no_entry (an account on no roster), left_enabled (left by the roster, the account is enabled), owner_gone (a
    service account whose owner is on no roster), manager_gone, sponsor_gone, not_bounded (a vendor without sponsor or
    end), other_address (the entry has another one than the account: renamed, or the number went to somebody else),
    no_account (on the roster without an account), disabled (on the roster, the account is disabled).
    """

    kind: str
    person: str | None
    name: str
    since: Instant
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The findings, and how many there are of each kind."""

    findings: tuple[Finding, ...]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """Which findings; what is "" narrows nothing. `kind` is one of `KINDS`, `search` a part of a name or address."""

    kind: str = ""
    search: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """A page of the findings, by kind and name; `counts` is how many there are of each kind, narrowed or not."""

    page: Page[Finding]
    counts: Mapping[str, int]


def reconciliation(db: Snapshot, at: Instant) -> Reconciliation:
    """Both ways, as of `at`. Before the first version there is nothing to compare with."""
    if not in_force(db, at):
        return Reconciliation((), {})
    called = Called(db, at)
    found: list[Finding] = []
    counts: Counter[str] = Counter()
    for each in streamed(db, _ALL, {"at": at}):
        counts[each["kind"]] += 1
        if counts[each["kind"]] <= MOST_FINDINGS:
            found.append(_finding(each, called))
    return Reconciliation(tuple(found), counts)


def findings(db: Snapshot, at: Instant, which: FindingFilter, window: Window) -> Findings:
    """A page of what does not agree, the kinds one after the other, each by name. A kind is read only where the page
    shows some of it: what is counted is counted in the database."""
    if not in_force(db, at):
        return Findings(Page((), 0, ""), {})
    of = {"at": at, "search": which.search.strip().casefold()}
    counted = rows(db, _COUNTED, of)
    matching = {each["kind"]: each["matching"] for each in counted}
    kinds = [each for each in KINDS if matching.get(each) and which.kind in ("", each)]
    begun, _, ident = window.after.partition("/")
    sort = _sort_of(db, at, begun, ident) if begun in kinds else None
    found = list[Row]()
    for kind in kinds if sort is None else kinds[kinds.index(begun) :]:
        after = (sort, ident) if sort is not None and kind == begun else ("", "")
        most = window.most + 1 - len(found)
        found += rows(db, _OF_KIND[kind], {**of, "sort": after[0], "after": after[1], "most": most})
        if len(found) > window.most:
            break
    page = Page.of(found, window, sum(matching[each] for each in kinds), lambda last: f"{last['kind']}/{last['ident']}")
    called = Called(db, at)
    return Findings(
        page.map(lambda shown: [_finding(each, called) for each in shown]),
        {each["kind"]: each["number"] for each in counted if each["number"]},
    )


def _sort_of(db: Snapshot, at: Instant, kind: str, ident: str) -> str | None:
    found = row(db, _SORT_OF[kind], {"at": at, "ident": ident})
    return found["sort"] if found else None


def _finding(found: Row, called: Called) -> Finding:
    person, detail = found["person"], found["detail"] or ""
    name = found["name"] or (called.get(person, person) if person else "erased")
    return Finding(found["kind"], person, name, found["since"], called.get(detail, detail) if detail else "")


_P = "p.valid_from <= :at AND :at < p.valid_until"
_E = "e.valid_from <= :at AND :at < e.valid_until"
_ON = f"e.removed IS NULL AND (e.ends IS NULL OR e.ends > :at) AND {_E}"
_GONE = f"SELECT e.person FROM staff_entry e WHERE e.person IS NOT NULL AND NOT ({_ON}) AND {_E}"
_THERE = f"SELECT e.person FROM staff_entry e WHERE e.person IS NOT NULL AND {_ON}"
_LEFT = f"({_GONE} EXCEPT {_THERE})"
_ACCOUNT = f"FROM person p WHERE p.enabled = 1 AND {_P}"
_LAST = f"(SELECT max(coalesce(e.removed, e.ends)) FROM staff_entry e WHERE e.person = p.person AND {_E})"
_SOURCES = {
    "left_enabled": ("p.person", _LAST, "''", f"{_ACCOUNT} AND p.kind <> 'service' AND p.person IN {_LEFT}"),
    "no_entry": (
        "p.person",
        "p.added",
        "p.email",
        (
            f"{_ACCOUNT} AND p.kind <> 'service' "
            f"AND p.person NOT IN (SELECT e.person FROM staff_entry e WHERE e.person IS NOT NULL AND {_E})"
        ),
    ),
    "owner_gone": (
        "p.person",
        "p.valid_from",
        "p.owner",
        f"{_ACCOUNT} AND p.kind = 'service' AND (p.owner IS NULL OR p.owner NOT IN ({_THERE}))",
    ),
    "sponsor_gone": (
        "p.person",
        "p.valid_from",
        "p.owner",
        f"{_ACCOUNT} AND p.kind = 'vendor' AND p.owner IN {_LEFT}",
    ),
    "manager_gone": ("p.person", "p.valid_from", "p.manager", f"{_ACCOUNT} AND p.manager IN {_LEFT}"),
    "other_address": (
        "p.person",
        "e.said",
        "e.email",
        (
            f"FROM staff_entry e JOIN person p ON p.person = e.person AND p.enabled = 1 AND {_P} "
            f"WHERE lower(e.email) <> lower(p.email) AND {_ON}"
        ),
    ),
    "not_bounded": (
        "p.person",
        "p.valid_from",
        "''",
        f"{_ACCOUNT} AND p.kind = 'vendor' AND (p.owner IS NULL OR p.ends IS NULL)",
    ),
    "disabled": (
        "p.person",
        "p.valid_from",
        "''",
        f"FROM staff_entry e JOIN person p ON p.person = e.person AND p.enabled = 0 AND {_P} WHERE {_ON}",
    ),
    "no_account": (
        "NULL",
        "max(coalesce(e.starts, e.said), e.said)",
        "e.email",
        f"FROM staff_entry e WHERE e.person IS NULL AND {_ON}",
    ),
}
"""By kind: whose account it is, since when, the detail, and where it is found."""


def _called(kind: str) -> str:
    """The row that the finding's name and words stand in: the account `p`, or the entry of the roster `e`."""
    return "e" if kind == "no_account" else "p"


def _ident(kind: str) -> str:
    """What tells the findings of a kind apart: several entries may lead to one account."""
    return "e.entry" if "staff_entry e" in _SOURCES[kind][3].partition(" WHERE ")[0] else "p.person"


def _each(kind: str, more: str = "") -> str:
    """Selects the findings of the kind."""
    person, since, detail, source = _SOURCES[kind]
    return (
        f"SELECT '{kind}' AS kind, {person} AS person, {_called(kind)}.name AS name, {since} AS since, "
        f"{detail} AS detail{more} {source}"
    )


def _sort(kind: str) -> str:
    return f"coalesce({_called(kind)}.sort, '')"


def _matches(kind: str) -> str:
    return f"(:search = '' OR instr({_called(kind)}.sought, :search) > 0)"


_ALL = " UNION ALL ".join(_each(kind) for kind in KINDS) + " ORDER BY 1, 3"
_COUNTED = " UNION ALL ".join(
    f"SELECT '{kind}' AS kind, count(*) AS number, count(*) FILTER (WHERE {_matches(kind)}) AS matching "
    f"{_SOURCES[kind][3]}"
    for kind in KINDS
)
_OF_KIND = {
    kind: f"{_each(kind, f', {_ident(kind)} AS ident')} AND {_matches(kind)} "
    f"AND ({_sort(kind)}, {_ident(kind)}) > (:sort, :after) ORDER BY {_sort(kind)}, {_ident(kind)} LIMIT :most"
    for kind in KINDS
}
_SORT_OF = {kind: f"SELECT {_sort(kind)} AS sort {_SOURCES[kind][3]} AND {_ident(kind)} = :ident" for kind in KINDS}
