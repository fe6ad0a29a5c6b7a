"""What the grammar has read is not read again, as far as it is kept."""

from collections import OrderedDict
from dataclasses import replace
from functools import partial
from typing import Any

import pgparse
import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask
from onepam.protocols.postgres import guarding, statements
from onepam.protocols.postgres.catalogue import Catalogue, Relation
from onepam.protocols.postgres.machine import Conversation
from onepam.protocols.postgres.masked_columns import refusal
from onepam.protocols.postgres.statements import tree
from tests.protocols.postgres import messages as pg


def test_the_grammar_reads_a_text_once_however_much_is_asked_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read = list[str]()

    def parse(sql: str) -> list[dict[str, Any]]:
        read.append(sql)
        trees: list[dict[str, Any]] = parsed(sql)
        return trees

    parsed = pgparse.parse
    monkeypatch.setattr(statements, "_READ", OrderedDict())
    monkeypatch.setattr(pgparse, "parse", parse)
    mask = Mask(("customers.email",), ())
    rails = Guardrails((StatementClass.READ, StatementClass.OTHER, StatementClass.ASK_WRITE))
    proves = partial(refusal, known=Catalogue((Relation(1, "public", "orders", 3, {}),)))
    talk = Conversation(replace(guarding.allowance(rails, mask), proves=proves))
    for text in ("INSERT INTO orders (a) VALUES ('x'); DEALLOCATE s", "DELETE FROM orders WHERE a = $1", "no sql"):
        talk.from_client(pg.parse("", text) + pg.SYNC)
    assert read == ["INSERT INTO orders (a) VALUES ('x'); DEALLOCATE s", "DELETE FROM orders WHERE a = $1", "no sql"]


def test_only_so_many_trees_are_kept_those_used_last(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = OrderedDict[bytes, Any]()
    monkeypatch.setattr(statements, "_READ", kept)
    for each in range(statements.MOST_TREES + 3):
        tree(f"SELECT {each}")
        tree("SELECT 'again'")
    assert len(kept) == statements.MOST_TREES
    assert [size for size, _ in kept.values()][-1] == len("SELECT 'again'")
    for each in range(9):
        tree(f"SELECT '{str(each) * 10_000}'")
    assert sum(size for size, _ in kept.values()) <= statements.MOST_READ_BYTES
    assert len(kept) == 6
