"""What an erasure takes is what speaks of that person, and the documents that were agreed to: nothing of another's."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onepam.app.leaving.erase_person import approve_erasure, erase_portion, propose_erasure
from onepam.app.open_session import Opened
from onepam.app.people.add_person import add_person
from onepam.app.people.change_person import change_person
from onepam.app.requests.deny_request import deny_request
from onepam.app.sessions.kill_session import kill_session
from onepam.domain.access.guardrails import StatementClass
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.system import PayloadsErased
from onepam.domain.leaving.erasure_events import ErasureProposed
from onepam.domain.matrix.events import ChangeApplied, ChangeProposed
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.provisioning.events import ScimUserSet
from onepam.domain.roster.events import RosterHeld
from onepam.domain.sessions.waiting_statements import StatementAsked, StatementEnded
from onepam.jobs.erasing import Erasing
from onepam.kernel import canonical
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Corrupt
from onepam.store.db import rows
from onepam.store.engine.database import connect, forget
from onepam.store.engine.entries import entries, entries_of
from onepam.store.engine.rebuild import compare
from onepam.store.facts import erasing as facts
from onepam.store.read import erasing as read
from onepam.store.read.changes import text_in_force
from onepam.store.read.proposals import proposals
from tests.company import Company, record, refused
from tests.jobs.test_erasing import NEWER, agree, erasing, left_in, life, version

pytestmark = pytest.mark.anyio

FILE = "roles:\n  role: {hosts: [web-01]}\n  other: {hosts: [web-012]}\n"


@pytest.fixture
async def company(tmp_path: Path) -> Any:
    company = await Company.create(tmp_path)
    await life(company)
    company.clock.advance(400 * DAY)
    for who in ("ada", "bob"):
        await company.sign_in(who)
    yield company
    company.close()


def written(company: Company, sql: str, *values: object) -> None:
    """Past the product."""
    with closing(connect(company.path)) as db:
        assert db.execute(sql, values).rowcount == 1


def first_of(company: Company, kind: str, person: str) -> int:
    with closing(connect(company.path)) as db:
        found = (each for each in entries(db, 0, 1 << 40) if each.header.kind == kind and each.payload is not None)
        return next(each.header.index for each in found if each.fields.get("person") == person)


async def dan_is_refused(company: Company) -> None:
    """By max, who goes on to decide."""
    dan = Attributes("Dan Example", "dan@example.com")
    assert await add_person(company.ledger, company.actor("ada"), "dan", PersonKind.EMPLOYEE, dan, "new") is None
    await company.bind("dan", "engineer")
    await company.sign_in("dan")
    await company.sign_in("max")
    made = await company.ask("dan", "web-1", "app", reason="of dan")
    assert await deny_request(company.ledger, company.actor("max"), made.request, "no, says max") is None


def has_payload(company: Company, index: int) -> bool:
    with closing(connect(company.path)) as db:
        return bool(rows(db, "SELECT 1 FROM payload WHERE idx = ?", (index,)))


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE payload SET person = 'eve' WHERE idx = ?", "put down to another than whom it is of"),
        (
            "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), '\"max\"', '\"eve\"') AS BLOB) WHERE idx = ?",
            "is not as it was written",
        ),
    ],
    ids=["the row beside it", "the entry itself"],
)
async def test_what_is_anothers_does_not_go_whatever_was_written_there(
    company: Company, sql: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing goes, everything is verified at once, and the erasure waits until the ledger is what it was."""
    await agree(company)
    index, told = first_of(company, "person.added", "max"), list[str]()
    with closing(connect(company.path)) as db:
        before = bytes(rows(db, "SELECT body FROM entry WHERE idx = ?", (index,))[0][0])
    written(company, sql, index)
    work = Erasing(company.ledger, company.reader, lambda: forget(company.path), lambda: told.append("verify"))
    for _ in range(2):
        await work.turn()
    assert has_payload(company, index)
    assert told == ["verify"], "once for each alteration"
    assert why in caplog.text
    assert any(str(each).endswith(why) or "entry" in str(each) for each in compare(company.path)), "a finding"
    written(company, "UPDATE entry SET body = ? WHERE idx = ?", before, index)
    written(company, "UPDATE payload SET person = 'max' WHERE idx = ?", index)
    await work.turn()
    assert left_in(company.path) == set()
    assert has_payload(company, index)
    assert compare(company.path) == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE request SET person = 'eve' WHERE person = 'dan'",
        (
            "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), '\"dan\"', '\"eve\"') AS BLOB) "
            "WHERE kind = 'request.made' AND instr(body, '\"dan\"') > 0"
        ),
    ],
    ids=["the table of requests", "the entry that says whose request it is"],
)
async def test_what_others_wrote_on_anothers_request_stays(company: Company, sql: str) -> None:
    """Whatever somebody makes of the table of requests, or of the entry that says whose it is."""
    await dan_is_refused(company)
    await agree(company)
    with closing(connect(company.path)) as db:
        assert db.execute(sql).rowcount >= 1
        denied = max(each[0] for each in rows(db, "SELECT idx FROM entry WHERE kind = 'request.denied'"))
    await erasing(company).turn()
    assert has_payload(company, denied)


async def test_what_went_that_was_anothers_is_found_afterwards(company: Company) -> None:
    """Whoever writes to the database and has a node may have it taken: the entries still say whose it was."""
    await agree(company)
    theirs, file = first_of(company, "person.added", "max"), first_of(company, "person.added", "bob")
    await record(
        company.ledger,
        PayloadsErased("ers_1", "eve", (theirs,), naming=False),
        PayloadsErased("ers_1", "eve", (file,), naming=True),
    )
    found = [str(each) for each in compare(company.path) if isinstance(each, Corrupt)]
    assert [each.partition(": ")[2] for each in found] == [
        f"it erased what entry {theirs} (person.added) says of another than eve",
        f"it erased entry {file} (person.added) as a list or a file, which that is not",
    ]


async def test_what_others_wrote_of_what_is_anothers_is_found_afterwards_where_it_went(company: Company) -> None:
    """The entries name nobody: whose request, session and statement it was, those say that made them."""
    await dan_is_refused(company)
    await company.approve("max", await company.ask("dan", "web-2", "app", reason="of dan"))
    opened = await company.open("dan", "web-2", "app")
    assert isinstance(opened, Opened)
    await kill_session(company.ledger, company.actor("ada"), opened.session, "thrown out, for dan")
    until, classes = Instant(company.clock() + DAY), (StatementClass.WRITE,)
    asked = StatementAsked("stm_2", opened.session, "dan", "web-2", "app", 1, classes, False, ("manager",), until)
    await record(company.ledger, asked, StatementEnded("stm_2", "denied", "max", "not for dan"))
    await agree(company)
    kinds = ("request.denied", "session.kill_ordered", "statement.ended")
    with closing(connect(company.path)) as db:
        taken = [entries_of(db, (kind,))[-1].index for kind in kinds]
    assert compare(company.path) == []
    await record(company.ledger, *(PayloadsErased("ers_1", "eve", (each,), naming=False) for each in taken))
    found = [str(each).partition(": ")[2] for each in compare(company.path) if isinstance(each, Corrupt)]
    assert found == [
        f"it erased what entry {each} ({kind}) says of another than eve"
        for each, kind in zip(taken, kinds, strict=True)
    ]


async def test_nothing_goes_that_came_after_somebody_agreed(company: Company) -> None:
    """Not by the product, and what went otherwise is found afterwards."""
    await agree(company)
    later = company.ledger.size()
    scim: dict[str, Any] = {"user": "usr_1", "provider": "okta", "trouble": "", "token": "stk_1"}
    said = {"user_name": "nobody", "external_id": "nobody", "document": "{}"}
    nobodys = ScimUserSet(person=None, active=False, version=5, **scim, **said)
    hers = ScimUserSet(person="eve", active=False, version=4, **scim, **said)
    await record(company.ledger, hers, nobodys, replace(hers, version=6))
    with pytest.raises(Corrupt, match=rf"entry {later} \(scim_user.set\) came after the erasure was agreed to"):
        await erase_portion(company.ledger, "ers_1", ((later, later),), naming=False)
    await erasing(company).turn()
    assert all(has_payload(company, later + each) for each in range(3))
    assert left_in(company.path) == set()
    assert compare(company.path) == []
    await record(company.ledger, PayloadsErased("ers_1", "eve", (later,), naming=False))
    found = [str(each).partition(": ")[2] for each in compare(company.path) if isinstance(each, Corrupt)]
    assert found == [f"it erased entry {later} (scim_user.set), which came after the erasure was agreed to"]


async def test_what_named_nobody_is_of_whom_it_came_to_lead_to_next(company: Company) -> None:
    """A user of a directory that was another's before, or waited for another, is not eve's, in tables and payloads."""
    scim: dict[str, Any] = {"user": "usr_2", "provider": "okta", "active": False, "trouble": "", "token": "stk_1"}

    def said(word: str) -> dict[str, Any]:
        return {"user_name": word, "external_id": word, "document": f'{{"userName":"{word}"}}'}

    begin = company.ledger.size()
    await record(
        company.ledger,
        ScimUserSet(person=None, version=1, **scim, **said("of max")),
        ScimUserSet(person="max", version=2, **scim, **said("max")),
        ScimUserSet(person=None, version=3, **scim, **said("waits for dan"), waits_for="dan"),
        ScimUserSet(person=None, version=4, **scim, **said("waits for her"), waits_for="eve"),
        ScimUserSet(person=None, version=5, **scim, **said("hers")),
        ScimUserSet(person="eve", version=6, **scim, **said("her")),
        ScimUserSet(person=None, version=7, **scim, **said("of nobody")),
    )
    await agree(company)
    for each in (2, 6):
        with pytest.raises(Corrupt, match=rf"entry {begin + each} \(scim_user.set\) does not speak of eve"):
            await erase_portion(company.ledger, "ers_1", ((begin + each, begin + 5),), naming=False)
    await erasing(company).turn()
    assert [has_payload(company, begin + each) for each in range(7)] == [True, True, True, False, False, False, True]
    with closing(connect(company.path)) as db:
        kept = [
            each[0] for each in rows(db, "SELECT user_name FROM scim_user WHERE scim_user = 'usr_2' ORDER BY version")
        ]
    assert kept == ["of max", "max", "waits for dan", None, None, None, "of nobody"]
    assert compare(company.path) == []
    for each in (0, 2, 6):
        await record(company.ledger, PayloadsErased("ers_1", "eve", (begin + each,), naming=False))
    found = [str(each).partition(": ")[2] for each in compare(company.path) if isinstance(each, Corrupt)]
    assert found == [
        f"it erased what entry {begin + each} (scim_user.set) says of another than eve" for each in (0, 2, 6)
    ]


async def test_whoever_is_renamed_after_they_left_takes_no_document_along(company: Company) -> None:
    """By an administrator, the roster or the directory: a word of the files is no name of theirs for that."""
    ada = company.actor("ada")
    scim: dict[str, Any] = {"user": "usr_1", "provider": "okta", "trouble": "", "token": "stk_1"}
    said = {"user_name": "bindings", "external_id": "bindings", "document": "{}"}
    await change_person(company.ledger, ada, "eve", Attributes("role", "role@example.com"))
    await record(company.ledger, ScimUserSet(person="eve", active=False, version=4, **scim, **said))
    await record(
        company.ledger,
        ChangeProposed("chg_a", "da", "da", False, None, "changes", "roles:\n  role: {hosts: [web-01]}\n"),
        ChangeApplied("chg_a", "da", "da", None, bootstrap=True),
        ChangeProposed("chg_b", "db", "db", False, None, "changes", NEWER),
        ChangeApplied("chg_b", "db", "db", None, bootstrap=True),
    )
    shown = await company.reader(read.named_in, None, "eve")
    await agree(company)
    await erasing(company).turn()
    with closing(connect(company.path)) as db:
        texts = {each[0]: each[1] for each in rows(db, "SELECT change, text FROM change WHERE change LIKE 'chg_%'")}
    assert texts["chg_a"] is not None
    assert texts["chg_8"] is None
    assert {line for each in shown if not each.kind.startswith("incident.") for line in each.lines} == {
        "- {role: engineer, person: eve@example.com}", "Eve Example", "line 2: eve@example.com twice",
    }  # fmt: skip


@pytest.mark.parametrize("word", ["role", "web-01"])
async def test_a_word_of_the_files_that_was_a_name_is_shown_before_somebody_agrees(tmp_path: Path, word: str) -> None:
    """Whoever is renamed to it and leaves takes the documents along that have the word, if another agrees to those."""
    company = await Company.create(tmp_path)
    counts = {"rows": 1, "added": 0, "changed": 0, "ended": 0, "leavers": 1, "accounts": 6}
    held = {
        "because": "roster.leavers",
        "who": ("Max Example", f"Mr {word}"),
        **counts,
        **version("ver_2", company.clock()),
    }
    await record(
        company.ledger,
        ChangeProposed("chg_a", "da", "da", False, None, "changes", FILE),
        ChangeApplied("chg_a", "da", "da", None, bootstrap=True),
        ChangeProposed("chg_b", "db", "db", False, None, "changes", NEWER),
        ChangeApplied("chg_b", "db", "db", None, bootstrap=True),
        RosterHeld(**held),
    )
    await change_person(company.ledger, company.actor("ada"), "eve", Attributes(word, "eve@example.com"))
    await company.leaves("eve")
    company.clock.advance(400 * DAY)
    for who in ("ada", "bob"):
        await company.sign_in(who)
    ada, bob = company.actor("ada"), company.actor("bob")
    assert await propose_erasure(company.ledger, ada, "ers_1", "eve", "letter", 400) is None
    shown = await company.reader(read.named_in, None, "eve")
    assert [each.lines for each in shown] == [("role: {hosts: [web-01]}",), (f"Mr {word}",)]
    with closing(connect(company.path)) as db:
        proposed = next(each.event for each in entries(db, 0, 1 << 40) if isinstance(each.event, ErasureProposed))
    assert proposed.documents == tuple(each.entry for each in shown)
    await record(
        company.ledger,
        ChangeProposed("chg_c", "dc", "dc", False, None, "changes", FILE),
        ChangeApplied("chg_c", "dc", "dc", None, bootstrap=True),
        ChangeProposed("chg_d", "dd", "dd", False, None, "changes", NEWER),
        ChangeApplied("chg_d", "dd", "dd", None, bootstrap=True),
    )
    refused(await approve_erasure(company.ledger, bob, "ers_1"), "erasure.changed")
    company.close()


@pytest.mark.parametrize("word", ["roles", "hosts"])
async def test_a_word_of_the_file_in_force_that_was_a_name_stays_and_keeps_nobody(tmp_path: Path, word: str) -> None:
    """Whoever agrees sees the lines."""
    company = await Company.create(tmp_path)
    ada = company.actor("ada")
    await record(
        company.ledger,
        ChangeProposed("chg_a", "da", "da", False, None, "changes", FILE),
        ChangeApplied("chg_a", "da", "da", None, bootstrap=True),
    )
    await change_person(company.ledger, ada, "eve", Attributes(word, "eve@example.com"))
    await change_person(company.ledger, ada, "eve", Attributes("Eve Example", "eve@example.com"))
    await company.leaves("eve")
    company.clock.advance(400 * DAY)
    for who in ("ada", "bob"):
        await company.sign_in(who)
    assert await propose_erasure(company.ledger, company.actor("ada"), "ers_1", "eve", "letter", 400) is None
    [waiting] = await company.reader(proposals, None, "bob", frozenset({ConsoleRight.ADMINISTER}))
    lines = {"roles": "roles:", "hosts": "role: {hosts: [web-01]}"}
    [stays] = [(name, said) for name, said in waiting.facts if name.endswith(", change.proposed, stays")]
    assert lines[word] in stays[1]
    assert await approve_erasure(company.ledger, company.actor("bob"), "ers_1") is None
    await erasing(company).turn()
    assert await company.reader(text_in_force) == FILE
    company.close()


async def test_an_address_in_the_file_in_force_keeps_them_unless_it_is_anothers_by_now(company: Company) -> None:
    ada, text = company.actor("ada"), "bindings:\n  - {role: engineer, person: eve@example.com}\n"
    await record(
        company.ledger,
        ChangeProposed("chg_a", "da", "da", False, None, "changes", text),
        ChangeApplied("chg_a", "da", "da", None, bootstrap=True),
    )
    refused(await propose_erasure(company.ledger, ada, "ers_1", "eve", "letter", 400), "erasure.named")
    another = Attributes("Another Eve", "eve@example.com")
    assert await add_person(company.ledger, ada, "eve_2", PersonKind.EMPLOYEE, another, "joined") is None
    assert await propose_erasure(company.ledger, ada, "ers_1", "eve", "letter", 400) is None
    [waiting] = await company.reader(proposals, None, "bob", frozenset({ConsoleRight.ADMINISTER}))
    assert "“- {role: engineer, person: eve@example.com}”" in [
        said for name, said in waiting.facts if name.endswith("stays")
    ]


async def test_what_was_looked_through_is_not_looked_through_again_while_others_wait(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proposing asks for what came since the proposer looked, agreeing for what came since it was proposed, and both
    for files that were in force then."""
    looked = list[bytes]()

    def decode(payload: bytes) -> Any:
        looked.append(payload)
        return canonical.decode(payload)

    async def change(name: str, text: str) -> int:
        at = company.ledger.size()
        applied = ChangeApplied(name, name, name, None, bootstrap=True)
        await record(company.ledger, ChangeProposed(name, name, name, False, None, "changes", text), applied)
        return at

    monkeypatch.setattr(facts, "decode", decode)
    ada, before = company.actor("ada"), await change("chg_a", "# Eve Example\nbindings: []\n")
    found = await company.reader(read.seen, None, "eve")
    assert (before in found.documents, len(looked)) == (False, 9), "it is in force"
    looked.clear()
    newer = await change("chg_b", "# for Eve Example\nbindings: []\n")
    await change("chg_c", NEWER)
    assert await propose_erasure(company.ledger, ada, "ers_1", "eve", "letter", 400, found) is None
    assert len(looked) == len(found.documents) + 2 == 10
    with closing(connect(company.path)) as db:
        proposed = next(each.event for each in entries_of(db, ("erasure.proposed",)))
    assert proposed.documents == (*found.documents, before, newer)
    looked.clear()
    await change("chg_d", "# not Eve Example\nbindings: []\n")
    await change("chg_e", "bindings: []\n")
    refused(await approve_erasure(company.ledger, company.actor("bob"), "ers_1"), "erasure.changed")
    assert len(looked) == 2, "the file that was in force, and the one that came"


async def test_what_goes_is_counted_beforehand(company: Company) -> None:
    before, documents = (
        await company.reader(read.counted, None, "eve"),
        await company.reader(read.named_in, None, "eve"),
    )
    await agree(company)
    await erasing(company).turn()
    with closing(connect(company.path)) as db:
        gone = [each.event for each in entries(db, 0, 1 << 40) if isinstance(each.event, PayloadsErased)]
    assert sum(before.values()) == sum(len(each.indexes) for each in gone if not each.naming)
    assert len(documents) == sum(len(each.indexes) for each in gone if each.naming) == 8
    assert before["session.kill_ordered"] == 1
    assert await company.reader(read.counted, None, "eve") == {}
