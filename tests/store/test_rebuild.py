"""The tables are what the ledger says, and whatever somebody did to either of them is found and named."""

from contextlib import closing
from pathlib import Path

import pytest

from onepam.domain.history.system import PayloadsErased
from onepam.domain.people.events import GroupMemberAdded, PersonChanged, PersonDisabled
from onepam.kernel.errors import Corrupt
from onepam.store.db import rows
from onepam.store.engine.database import connect
from onepam.store.engine.entries import Stored
from onepam.store.engine.rebuild import Difference, compare
from tests.store.events import fresh, person, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.sqlite"
    with closing(fresh(path)) as writer:
        write(writer, *(person(number, f"Name {number}") for number in range(5)))
        write(writer, PersonChanged("per_1", None, None, "max", None, "Other Name", "1@x.org"))
        write(writer, GroupMemberAdded("ops", "per_1", "directory", None), PersonDisabled("per_2", None, "left"))
    assert compare(path) == []
    return path


def test_what_this_release_has_written_takes_the_quick_way_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Stored, "_checked")
    assert compare(path) == []


def tamper(path: Path, sql: str) -> None:
    with closing(connect(path)) as db:
        assert db.execute(sql).rowcount == 1


@pytest.mark.claim(
    "all state is computed from it",
    altered="rows that the rebuilt tables do not have were not looked for",
)
@pytest.mark.parametrize(
    ("sql", "found"),
    [
        (
            "INSERT INTO group_member VALUES ('admins', 'per_3', 'directory', 1, 9007199254740991)",
            [Difference("group_member", "extra", "admins/per_3/directory")],
        ),
        (
            "UPDATE person SET enabled = 1 WHERE person = 'per_2' AND enabled = 0",
            [Difference("person", "extra", "per_2"), Difference("person", "missing", "per_2")],
        ),
        (
            "UPDATE person SET valid_until = valid_until - 1 WHERE person = 'per_3'",
            [Difference("person", "extra", "per_3"), Difference("person", "missing", "per_3")],
        ),
        ("DELETE FROM group_member", [Difference("group_member", "missing", "ops/per_1/directory")]),
        ("DELETE FROM person WHERE name = 'Name 1'", [Difference("person", "missing", "per_1")]),
    ],
    ids=["slipped in", "changed", "interval changed", "deleted", "history deleted"],
)
def test_a_row_that_the_ledger_does_not_explain_is_found(path: Path, sql: str, found: list[Difference]) -> None:
    tamper(path, sql)
    assert compare(path) == found


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM payload WHERE idx = 3", "entry 3 has lost its payload without an erasure"),
        (
            'UPDATE payload SET data = \'{"email":null,"name":"X"}\' WHERE idx = 3',
            "entry 3 .* a text where bytes belong",
        ),
        ("UPDATE payload SET data = x'7b7d' WHERE idx = 3", "entry 3 .* not the one that the ledger names"),
        ("UPDATE payload SET salt = 'x' WHERE idx = 3", "entry 3 .* not the one that the ledger names"),
        ("UPDATE entry SET body = x'7b7d' WHERE idx = 7", r"entry 7 \(person.disabled\) cannot be read"),
        (
            "UPDATE entry SET body = x'5b5d' WHERE idx = 7",
            r"entry 7 \(person.disabled\) cannot be read: its body is no object",
        ),
        ("UPDATE entry SET body = CAST(body || ' ' AS BLOB) WHERE idx = 7", "entry 7 .* not in canonical form"),
        ("UPDATE entry SET body = 'x' WHERE idx = 7", "entry 7 .* a text where bytes belong"),
        ("UPDATE entry SET kind = 'person.vanished' WHERE idx = 7", r"entry 7 \(person.vanished\) cannot be read"),
    ],
)
def test_an_entry_that_cannot_be_folded_is_named(path: Path, sql: str, said: str) -> None:
    tamper(path, sql)
    first = compare(path)[0]
    assert isinstance(first, Corrupt)
    with pytest.raises(Corrupt, match=said):
        raise first


def test_an_entry_that_its_table_does_not_take_is_named(path: Path) -> None:
    with closing(fresh(path)) as writer:
        write(writer, PersonDisabled("per_1", None, "left"))
    with closing(connect(path)) as db:
        db.execute("UPDATE entry SET time = 5")  # so that several intervals of a key end at once
    assert "entry 8 (person.disabled) cannot be projected" in str(compare(path)[0])


def test_an_erasure_empties_payloads_and_every_interval_and_still_folds(path: Path) -> None:
    with closing(fresh(path)) as writer:
        write(writer, PayloadsErased("ers_1", "per_1", (1, 5), naming=False))
        write(writer, PersonDisabled("per_1", None, "left"))
    with closing(connect(path)) as db:
        assert rows(db, "SELECT 1 FROM payload WHERE idx IN (1, 5)") == []
        kept = rows(db, "SELECT name, email, owner FROM person WHERE person = 'per_1' ORDER BY valid_from")
        assert [tuple(each) for each in kept] == [(None, None, None), (None, None, "max"), (None, None, "max")]
        assert rows(db, "SELECT name FROM person WHERE person = 'per_3'")[0]["name"] == "Name 3"
    assert compare(path) == []


def test_what_is_written_about_somebody_after_an_erasure_stays(path: Path) -> None:
    with closing(fresh(path)) as writer:
        write(writer, PayloadsErased("ers_1", "per_1", (1, 5), naming=False), person(1, "Back Again"))
    with closing(connect(path)) as db:
        found = rows(db, "SELECT name FROM person WHERE person = 'per_1' ORDER BY valid_from")
        assert [each["name"] for each in found] == [None, None, "Back Again"]
    assert compare(path) == []


def test_progress_is_told(path: Path) -> None:
    told = list[tuple[int, int]]()
    assert compare(path, lambda done, of: told.append((done, of))) == []
    assert told == [(8, 8)]
