"""A report as it lies in the pack: its columns and rows, its spreadsheet, and what its envelope says of it."""

from __future__ import annotations

import hashlib
from typing import Any, Dict, List, Optional

from onepam.evidence.verifier.canonical import canonical, instant, members, parse
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.disclosed import Disclosed
from onepam.evidence.verifier.refusal import need
from onepam.evidence.verifier.rules import AS_OF, RULES, Sources
from onepam.evidence.verifier.tabular import as_csv


class Report:
    """`columns` are names with the sources that hold; `excluded` are entries of the population without a row, with
    their reasons; `as_of` is None where the report is over the period."""

    def __init__(self, pack: Contents, name: str) -> None:
        self.name, self.what = name, f"reports/{name}.json"
        report = parse(pack.files[self.what], self.what)
        members(report, self.what, report=str, title=str, version=int, columns=list, rows=list)
        need(report["report"] == name, f"{self.what}: says it is report {report['report']}")
        self.version: int = report["version"]
        self.rows: List[Any] = report["rows"]
        self.columns = _columns(self.what, name, report["columns"])
        for number, row in enumerate(self.rows, 1):
            _check_row(f"{self.what} row {number}", row, self.columns, pack.disclosed)
        same = pack.files[f"reports/{name}.csv"] == as_csv(list(self.columns), self.rows)
        need(same, f"reports/{name}.csv: differs from {self.what}")
        self.excluded: Dict[int, str] = {}
        self.as_of: Optional[int] = None
        self._read_envelope(pack)

    def at(self, column: str) -> int:
        """The place of a column."""
        return list(self.columns).index(column)

    def _read_envelope(self, pack: Contents) -> None:
        name, what = self.name, f"reports/{self.name}.envelope.json"
        e = members(
            parse(pack.files[what], what), what, report=str, system=dict, run_by=str, role=str, started=str, ended=str,
            clock=str, period=object, as_of=object, query=str, parameters=dict, query_sha256=str, filters=list,
            exclusions=list, range=dict, checkpoint=str, command=str, files=dict)  # fmt: skip
        digest = hashlib.sha256(e["query"].encode() + b"\0" + canonical(e["parameters"]).encode()).hexdigest()
        need(e["query_sha256"] == digest, f"{what}: the query hash is not that of the query and its parameters")
        contents = {file: pack.files[f"reports/{file}"] for file in (f"{name}.csv", f"{name}.json")}
        fits = e["files"] == {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()}
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
        need(name not in RULES or as_of is None, f"{what}: this report is over a period")
        need(name not in AS_OF or as_of is not None, f"{what}: this report is as of an instant")
        self.as_of, self.excluded = as_of, _exclusions(what, e["exclusions"], pack.disclosed)
        _check_filters(what, e["filters"], len(self.rows), len(self.excluded))


def _columns(what: str, name: str, declared: List[Any]) -> Dict[str, Sources]:
    """The columns with the sources that hold: those of the tables, and for others what the report declares."""
    columns: Dict[str, Sources] = {}
    for column in declared:
        members(column, f"{what} columns", **{"name": str, "from": list})
        need(column["name"] not in columns, f"{what}: two columns are named {column['name']}")
        for source in column["from"]:
            fits = type(source) is list and len(source) in (2, 5) and all(type(part) is str for part in source)
            need(fits, f"{what}: column {column['name']} has an unknown source")
        columns[column["name"]] = column["from"]
    known = RULES[name].columns if name in RULES else AS_OF[name].columns if name in AS_OF else {}
    for each, sources in known.items():
        need(each in columns, f"{what}: lacks the column {each}")
        columns[each] = sources
    return columns


def _check_row(where: str, row: Any, columns: Dict[str, Sources], disclosed: Disclosed) -> None:
    members(row, where, cells=list, ledger=list)
    need(row["ledger"], f"{where}: rests on no entry")
    fits = len(row["cells"]) == len(columns) and all(type(cell) is str for cell in row["cells"])
    need(fits, f"{where}: its cells do not fit the columns")
    for index in row["ledger"]:
        known = type(index) is int and index in disclosed.bodies
        need(known, f"{where}: rests on entry {index}, which is not disclosed")
    for cell, (column, sources) in zip(row["cells"], columns.items()):
        same = not sources or cell == cell_of(disclosed, sources, row["ledger"])
        need(same, f"{where}: {column} is not what the entries say")


def cell_of(disclosed: Disclosed, sources: Sources, ledger: List[int]) -> str:
    """What the row's entries say, in their order, joined by `; `."""
    found: List[Optional[str]] = []
    value, kind_of = disclosed.value, disclosed.log.kind
    for kind, path, *join in sources:
        equal = {value(i, join[2]) for i in ledger if kind_of(i) == join[1]} if join else set()
        for index in ledger:
            if kind == kind_of(index) and (not join or value(index, join[0]) in equal):
                found += [value(index, path)]
    return "; ".join(text for text in found if text is not None)


def _exclusions(what: str, items: List[Any], disclosed: Disclosed) -> Dict[int, str]:
    excluded: Dict[int, str] = {}
    for item in items:
        members(item, what, index=int, reason=str)
        index = item["index"]
        need(item["reason"] and index not in excluded, f"{what}: exclusion without a reason, or doubled")
        need(index in disclosed.bodies, f"{what}: excludes entry {index}, which is not disclosed")
        excluded[index] = item["reason"]
    return excluded


def _check_filters(what: str, filters: List[Any], rows: int, excluded: int) -> None:
    left = rows + excluded
    for step in filters:
        members(step, what, filter=str, before=int, after=int)
        need(step["before"] == left >= step["after"], f"{what}: rows before and after the filters do not add up")
        left = step["after"]
    need(left == rows, f"{what}: rows after the filters are not those of the report")
