"""A report as it lies in the pack: its head, its rows one after another, its spreadsheet, and its envelope."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Dict, List, Optional, Tuple

from onepam.evidence.verifier.archive import Archive
from onepam.evidence.verifier.canonical import canonical, decode_rows, instant, members, parse, raw_lines
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.disclosed import Disclosed, Wanted, picking
from onepam.evidence.verifier.refusal import Refused, need
from onepam.evidence.verifier.rules import AS_OF, BY_RULE, CHOSEN, DERIVED, PERIOD, SINCE, Sources
from onepam.evidence.verifier.tabular import csv_row, json_row

ByKind = Dict[str, List[int]]
"""Entries in their order, by their kinds."""


class Row:
    """`where` names it; `cells` are its texts, by their columns' places; `ledger` the entries it rests on."""

    __slots__ = ("cells", "ledger", "where")

    def __init__(self, where: str, line: bytes, columns: int, disclosed: Disclosed) -> None:
        self.where = where
        value = read_row(line, where)
        self.cells: List[str] = value["cells"]
        self.ledger: List[int] = value["ledger"]
        if not self.ledger:
            raise Refused(f"{where}: rests on no entry")
        if len(self.cells) != columns or set(map(type, self.cells)) - {str}:
            raise Refused(f"{where}: its cells do not fit the columns")
        for index in self.ledger:
            if type(index) is not int or index not in disclosed:
                raise Refused(f"{where}: rests on entry {index}, which is not disclosed")


def read_row(line: bytes, where: str) -> Any:
    """Cells and ledger. Where nothing is escaped but quotation marks, the one form of what was read is soon written: a
    line that is the same needs no look at each member."""
    if line.count(b"\\") == line.count(b'\\"'):
        try:
            text = line.decode("utf-8")
            value = decode_rows(text)
            if json_row(value["cells"], value["ledger"]) == text:
                return value
        except (ValueError, TypeError, KeyError, RecursionError, Refused):
            pass  # what is wrong is said below
    return members(parse(line, where), where, cells=list, ledger=list)


class Plan:
    """How rows are read that rest on entries of the same kinds. `columns` has all, each with those of its sources that
    there are. Most say what one entry says, each of `single` that of a kind (kind, places, what is read); nothing is
    said of those that `silent` picks; of `joined` ones what an entry says, if it names what another one does; `others`
    are the rest."""

    def __init__(self, columns: Iterable[Tuple[int, Sources]], of: ByKind) -> None:
        self.columns = [
            (place, [each for each in sources if each[0] in of and (len(each) == 2 or each[3] in of)])
            for place, sources in columns
        ]
        silent: List[int] = []
        self.joined: List[Tuple[int, str, Wanted, str, str]] = []
        self.others: List[Tuple[int, Sources]] = []
        single: Dict[str, List[Tuple[int, str]]] = {}
        for place, sources in self.columns:
            kind, path, *join = sources[0] if sources else ("", "")
            if not sources:
                silent.append(place)
            elif len(sources) > 1 or any(len(of.get(each, ())) != 1 for each in (kind, *join[1:2])):
                self.others.append((place, sources))
            elif join:
                self.joined.append((place, kind, Wanted([(0, path), (1, join[0])]), join[1], join[2]))
            else:
                single.setdefault(kind, []).append((place, path))
        self.single = [(kind, Wanted(each)) for kind, each in single.items()]
        self.silent = picking(silent)


class Places:
    """Columns by their places, and what they are read from."""

    def __init__(self, columns: Iterable[Tuple[int, Sources]]) -> None:
        self._columns = list(columns)
        self._known: Dict[Tuple[Tuple[str, bool], ...], Plan] = {}

    def plan(self, of: ByKind) -> Plan:
        """For rows that rest on such entries."""
        key = tuple([(kind, len(entries) > 1) for kind, entries in of.items()])
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Plan(self._columns, of)
        return known


class Report:
    """`columns` are places by name; `excluded` are entries of the population without a row, with their reasons; `as_of`
    is None where the report is over the period; `count` is the number of its rows, once they were read; `words` are
    columns by rule that nothing could be held against, nor was what the rows cite for them; `followed` those that were
    seen to follow from entries beside those that the rows cite."""

    def __init__(self, pack: Contents, name: str) -> None:
        self.name, self.what, self.count = name, f"reports/{name}.jsonl", 0
        self._pack, self._lines = pack, raw_lines(pack.files, self.what)
        head = parse(next(self._lines, b"null"), f"{self.what} line 1")
        members(head, self.what, report=str, title=str, version=int, columns=list)
        need(head["report"] == name, f"{self.what}: says it is report {head['report']}")
        self.title: str = head["title"]
        self.version: int = head["version"]
        self.columns: Dict[str, int] = {}
        for column in head["columns"]:
            need(type(column) is str, f"{self.what}: a column's name is not text")
            need(column not in self.columns, f"{self.what}: two columns are named {column}")
            self.columns[column] = len(self.columns)
        since = SINCE.get(name, {})
        for column in (*DERIVED.get(name, ()), *BY_RULE.get(name, ()), *CHOSEN.get(name, ())):
            need(
                column in self.columns or since.get(column, 1) > self.version, f"{self.what}: lacks the column {column}"
            )
        self.excluded: Dict[int, str] = {}
        self.words: Tuple[str, ...] = ()
        self.followed: Tuple[str, ...] = ()
        self.as_of: Optional[int] = None
        self._read_envelope(pack)

    def rows(self) -> Iterator[Row]:
        """The rows, each held against the spreadsheet; to be read once, to the end."""
        sheet = Sheet(self._pack.files, self.name)
        sheet.take([*self.columns, "ledger"])
        for line in self._lines:
            self.count += 1
            row = Row(f"{self.what} row {self.count}", line, len(self.columns), self._pack.disclosed)
            sheet.take([*row.cells, " ".join(map(str, row.ledger))])
            yield row
        sheet.end()
        _check_filters(f"reports/{self.name}.envelope.json", self._filters, self.count, len(self.excluded))

    def places(self, columns: Dict[str, Sources]) -> Places:
        """Where these columns stand."""
        return Places((self.columns[name], sources) for name, sources in columns.items() if name in self.columns)

    def check_cells(self, row: Row, places: Places, of: ByKind) -> None:
        """Whether these columns of the row say what these entries say."""
        plan = places.plan(of)
        if self._all_fit(row.cells, plan, of):
            return
        for place, sources in plan.columns:  # in their order, for the first one that does not is named
            if row.cells[place] != cell_of(self._pack.disclosed, sources, of):
                raise Refused(f"{row.where}: {list(self.columns)[place]} is not what the entries say")

    def _all_fit(self, cells: List[str], plan: Plan, of: ByKind) -> bool:
        """The same at once; false also where what an entry says is not there."""
        disclosed = self._pack.disclosed
        try:
            for kind, wanted in plan.single:
                if wanted.of_row(cells) != disclosed.cells(of[kind][0], wanted):
                    return False
            for place, kind, wanted, other, path in plan.joined:
                text, mine = disclosed.cells(of[kind][0], wanted)
                theirs = disclosed.value(of[other][0], path)
                if not (mine or theirs) or cells[place] != (text if mine == theirs else ""):
                    return False  # where neither says anything one may say that it is nothing
            if any(plan.silent(cells)):
                return False
            return all(cells[place] == cell_of(disclosed, sources, of) for place, sources in plan.others)
        except Refused:
            return False

    def _read_envelope(self, pack: Contents) -> None:
        name, what = self.name, f"reports/{self.name}.envelope.json"
        e = members(
            parse(pack.files[what], what), what, report=str, system=dict, run_by=str, role=str, started=str, ended=str,
            clock=str, period=object, as_of=object, query=str, parameters=dict, query_sha256=str, filters=list,
            exclusions=list, range=dict, checkpoint=str, command=str, files=dict)  # fmt: skip
        digest = hashlib.sha256(e["query"].encode() + b"\0" + canonical(e["parameters"]).encode()).hexdigest()
        need(e["query_sha256"] == digest, f"{what}: the query hash is not that of the query and its parameters")
        fits = e["files"] == {file: pack.files.sha256(f"reports/{file}") for file in (f"{name}.csv", f"{name}.jsonl")}
        need(fits, f"{what}: the SHA-256 of the report's files differs")
        due = {"report": name, "system": pack.manifest["system"], "checkpoint": pack.name,
               "range": {"first": pack.log.first, "end": pack.log.end}}  # fmt: skip
        for key in due:
            need(e[key] == due[key], f"{what}: {key} is not that of the pack")
        need(instant(e["started"], what) <= instant(e["ended"], what), f"{what}: ended before it started")
        need((e["period"] is None) != (e["as_of"] is None), f"{what}: needs either a period or an as-of")
        need(e["period"] in (None, pack.manifest["period"]), f"{what}: the period is not the pack's")
        as_of = None if e["as_of"] is None else instant(e["as_of"], what)
        need(as_of is None or as_of <= pack.until, f"{what}: the as-of is later than the period")
        need(name not in PERIOD or as_of is None, f"{what}: this report is over a period")
        need(name not in AS_OF or as_of is not None, f"{what}: this report is as of an instant")
        self.as_of, self.excluded = as_of, _exclusions(what, e["exclusions"], pack.disclosed)
        self._filters = e["filters"]


class Sheet:
    """The spreadsheet of a report, read line by line."""

    def __init__(self, files: Archive, report: str) -> None:
        self._pieces, self._piece, self._at = files.pieces(f"reports/{report}.csv"), b"", 0
        self._differs = f"reports/{report}.csv: differs from reports/{report}.jsonl"

    def take(self, cells: List[str]) -> None:
        """The next line must have these cells."""
        line = csv_row(cells)
        while len(self._piece) - self._at < len(line):
            more = next(self._pieces, None)
            if more is None:
                raise Refused(self._differs)
            self._piece, self._at = self._piece[self._at :] + more, 0
        if not self._piece.startswith(line, self._at):
            raise Refused(self._differs)
        self._at += len(line)

    def end(self) -> None:
        """There is no more."""
        need(self._at == len(self._piece) and not any(self._pieces), self._differs)


def by_kind(ledger: Iterable[int], disclosed: Disclosed) -> ByKind:
    """The entries in their order, by their kinds."""
    found: ByKind = {}
    for index in ledger:
        found.setdefault(disclosed.log.kind(index), []).append(index)
    return found


def cell_of(disclosed: Disclosed, sources: Sources, of: ByKind) -> str:
    """What a row's entries (by kind) say, in their order, joined by `; `."""
    found: List[str] = []
    value = disclosed.value
    for kind, path, *join in sources:
        indexes = of.get(kind, [])
        if join and indexes:
            equal = {value(index, join[2]) for index in of.get(join[1], ())}
            indexes = [index for index in indexes if value(index, join[0]) in equal]
        found += disclosed.texts(indexes, path)
    return found[0] if len(found) == 1 else "; ".join(found)


def _exclusions(what: str, items: List[Any], disclosed: Disclosed) -> Dict[int, str]:
    excluded: Dict[int, str] = {}
    for item in items:
        members(item, what, index=int, reason=str)
        index = item["index"]
        need(item["reason"] and index not in excluded, f"{what}: exclusion without a reason, or doubled")
        need(index in disclosed, f"{what}: excludes entry {index}, which is not disclosed")
        excluded[index] = item["reason"]
    return excluded


def _check_filters(what: str, filters: List[Any], rows: int, excluded: int) -> None:
    left = rows + excluded
    for step in filters:
        members(step, what, filter=str, before=int, after=int)
        need(step["before"] == left >= step["after"], f"{what}: rows before and after the filters do not add up")
        left = step["after"]
    need(left == rows, f"{what}: rows after the filters are not those of the report")
