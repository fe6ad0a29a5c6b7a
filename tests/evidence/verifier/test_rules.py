"""The verifier's tables against the product's: two hands wrote them, and they read the same entries."""

import pytest

from onepam.domain.history.event import kinds
from onepam.evidence.reports import (
    FROM_THE_BEGINNING,
    REPORTS,
    access,
    accounts,
    changes,
    controls,
    decisions,
    incidents,
    inspections,
    leavers,
    matrix,
    policies,
    requests,
    reviews,
    sessions,
    systems,
    vendors,
)
from onepam.evidence.verifier import rules
from scripts import rooms

COLUMNS = {room.NAME: room.COLUMNS for room in (
    access, accounts, changes, controls, decisions, incidents, inspections, leavers, matrix, policies, requests,
    reviews, sessions, systems, vendors)}  # fmt: skip


def test_a_pack_holds_what_the_product_draws() -> None:
    assert set(rules.REPORTS) == set(REPORTS)
    assert set(rules.FROM_THE_BEGINNING) == FROM_THE_BEGINNING


@pytest.mark.parametrize("name", REPORTS)
def test_each_column_is_read_from_where_it_was_written(name: str) -> None:
    declared = {
        column.name: [[said.kind, said.path, *(said.where or ())] for said in column.sources]
        for column in COLUMNS[name]
    }
    known = {**rules.DERIVED.get(name, {}), **rules.CHOSEN.get(name, {})}
    assert {column: sources for column, sources in declared.items() if sources} == known
    without = {column for column, sources in declared.items() if not sources}
    assert without >= set(rules.BY_RULE.get(name, ()))


def test_the_rules_fit_the_events() -> None:
    """Each kind, link and path that the verifier knows stands in the product's own list of events."""
    rooms.load()
    known = {kind.name: kind for kind in kinds()}
    for rule in rules.PERIOD.values():
        for name in rule.heads + rule.follows:
            assert set(rule.link) <= set(known[name].open_fields), name
    for columns in (*rules.DERIVED.values(), *rules.CHOSEN.values()):
        for column, sources in columns.items():
            for name, path, *where in sources:
                root, field = path.split(".")[:2]
                kind = known[name]
                fields = {"header": ("time", "kind"), "body": kind.open_fields, "payload": kind.private_fields}
                assert field.removesuffix(":time") in fields[root], (column, name, path)
                assert not where or where[0].removeprefix("body.") in kind.open_fields
                assert not where or where[2].split(".")[1] in known[where[1]].open_fields
    assert "indexes" in known["payload.erased"].open_fields
