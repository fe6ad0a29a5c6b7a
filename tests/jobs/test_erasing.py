"""An erasure carried out on a real ledger: nothing of the person is left, whatever stops it on the way."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from onepam.app.leaving.erase_person import approve_erasure, propose_erasure
from onepam.app.people.change_person import change_person
from onepam.app.people.disable_person import disable_person
from onepam.app.people.enable_person import enable_person
from onepam.app.requests.deny_request import deny_request
from onepam.app.sessions.kill_session import kill_session
from onepam.domain.access.guardrails import StatementClass
from onepam.domain.controls.control import Severity
from onepam.domain.history.event import every_version, kind_of
from onepam.domain.history.system import PayloadsErased
from onepam.domain.incidents.events import (
    IncidentAssigned,
    IncidentClosed,
    IncidentNoted,
    IncidentOpened,
    IncidentReopened,
)
from onepam.domain.leaving import erasing as rules
from onepam.domain.leaving.erasing import ErasureStatus
from onepam.domain.leaving.erasure_events import ErasureFinished
from onepam.domain.matrix.events import ChangeApplied, ChangeProposed
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.providers.events import IdentityLinked
from onepam.domain.provisioning.events import ScimUserSet
from onepam.domain.requests.events import GrantEnded
from onepam.domain.roster.events import RosterEntryEnded, RosterEntrySet, RosterHeld, RosterLinked, RosterRefused
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionFailed
from onepam.domain.sessions.waiting_statements import StatementAsked, StatementEnded
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.jobs import erasing as job
from onepam.jobs.erasing import Erasing
from onepam.kernel.clock import DAY, MINUTE, Instant
from onepam.kernel.errors import Refused, Unavailable
from onepam.store.db import rows
from onepam.store.engine import whose
from onepam.store.engine.database import connect, forget
from onepam.store.engine.entries import entries
from onepam.store.engine.rebuild import compare
from onepam.store.read import erasing as read
from onepam.store.read import people
from onepam.store.read.changes import text_in_force
from onepam.store.read.incidents import incident as read_incident
from onepam.store.read.names import names
from tests.company import Company, record, refused

pytestmark = pytest.mark.anyio

NAME, EMAIL = "Eve Example", "eve@example.com"
FILE = "bindings:\n  - {role: engineer, person: eve@example.com}\n"
NEWER = "bindings: []\n"
TRACES = ("Eve Example", "eve@example.com", "evelyn", "sha256-of-eve", "4711-eve", "for eve")
"""What stood in payloads about her, and is in no byte of the database afterwards."""


def version(name: str, at: Instant) -> dict[str, Any]:
    return {"version": name, "source": "upload", "digest": "d" * 64, "received": at, "by": "ada"}


async def life(company: Company) -> None:
    """Eve asks, is refused, works, is thrown out; roster, directory and provider know her; two files name her."""
    made = await company.ask("eve", "web-1", "app", reason="for eve: restart")
    await company.approve("max", made)
    other = await company.ask("eve", "web-2", "app", reason="for eve: look")
    assert await deny_request(company.ledger, company.actor("max"), other.request, "not for eve") is None
    await company.open("eve", "web-1", "app")
    at = company.clock()
    entry = {"version": "ver_1", "type": PersonKind.EMPLOYEE, "manager": None, "sponsor": None, "starts": None}
    known = {"ends": None, "contract_ends": None, "time_zone": "", "number": "4711-eve", "name": NAME, "email": EMAIL}
    counts = {"rows": 1, "added": 0, "changed": 0, "ended": 0, "leavers": 1, "accounts": 6}
    scim: dict[str, Any] = {"user": "usr_1", "provider": "okta", "trouble": "", "token": "stk_1"}
    said = {"user_name": "evelyn", "external_id": "evelyn", "document": '{"userName":"evelyn"}'}
    await record(
        company.ledger,
        ChangeProposed("chg_8", "d8", "d8", False, None, "changes", FILE),
        ChangeApplied("chg_8", "d8", "d8", None, bootstrap=True),
        ChangeProposed("chg_9", "d9", "d9", False, None, "changes", NEWER),
        ChangeApplied("chg_9", "d9", "d9", None, bootstrap=True),
        RosterEntrySet("stf_1", person=None, **entry, **known),  # type: ignore[arg-type]
        RosterLinked("stf_1", "eve"),
        RosterHeld(because="roster.leavers", who=("Max Example", NAME), **counts, **version("ver_2", at)),  # type: ignore[arg-type]
        RosterRefused(because="roster.rows", errors=1, said=(f"line 2: {EMAIL} twice",), **version("ver_3", at)),
        ScimUserSet(person=None, active=True, version=1, **scim, **said),
        ScimUserSet(person="eve", active=True, version=2, **scim, **said),
        IdentityLinked("idn_1", "okta", "eve", "scim", None, "sha256-of-eve", "evelyn", "evelyn"),
        FactorEnrolled(
            "fac_1", "eve", FactorKind.TOTP, "v1", None, None, label="phone for eve", secret="sealed for eve"
        ),
    )
    due, low = Instant(at + DAY), Severity.LOW
    await record(
        company.ledger,
        IncidentOpened("inc_1", low, None, at, "max", due, (), "ada", f"{NAME} lost a key", f"{EMAIL} wrote of it"),
        IncidentNoted("inc_1", at, (), "max", f"spoke with {NAME}"),
        IncidentAssigned("inc_1", low, "bob", due, "ada", f"{NAME} knows Bob"),
        IncidentClosed("inc_1", "aud", f"{NAME} was in a hurry", f"told {NAME}", f"what {NAME} learned"),
        IncidentReopened("inc_1", due, "ada", f"{NAME} found another"),
    )
    with closing(connect(company.path)) as db:
        session = rows(db, "SELECT session FROM session WHERE person = 'eve'")[0][0]
        grant = rows(db, "SELECT access_grant, request FROM access_grant WHERE person = 'eve'")[0]
    await kill_session(company.ledger, company.actor("ada"), session, "thrown out, for eve")
    asked = StatementAsked(
        "stm_1", session, "eve", "web-1", "app", 1, (StatementClass.WRITE,), False, ("manager",), Instant(at + MINUTE)
    )
    await record(company.ledger, asked, StatementEnded("stm_1", "denied", "max", "not for eve: never"))
    await record(
        company.ledger,
        SessionFailed(session, SessionEnd.TARGET_LOST, "for eve: no route"),
        GrantEnded(grant[0], grant[1], "ended", "max", "enough for eve"),
        RosterEntryEnded("stf_1", "ver_4", "eve", at),
        ScimUserSet(person="eve", active=False, version=3, **scim, **said),
    )
    ended = await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    assert not isinstance(ended, Refused)


@pytest.fixture
async def company(tmp_path: Path) -> Any:
    company = await Company.create(tmp_path)
    await life(company)
    company.clock.advance(400 * DAY)
    for who in ("ada", "bob"):
        await company.sign_in(who)
    yield company
    company.close()


async def agree(company: Company) -> None:
    made = await propose_erasure(company.ledger, company.actor("ada"), "ers_1", "eve", "letter of 3 March", 400)
    assert made is None
    assert await approve_erasure(company.ledger, company.actor("bob"), "ers_1") is None


def erasing(company: Company) -> Erasing:
    return Erasing(company.ledger, company.reader, lambda: forget(company.path))


def left_in(path: Path) -> set[str]:
    """Traces that stand in some byte of the database or of what lies beside it."""
    data = b"".join(each.read_bytes() for each in path.parent.iterdir() if each.is_file())
    return {each for each in TRACES if each.encode() in data}


async def test_nothing_of_the_person_is_left_in_any_byte(company: Company) -> None:
    assert left_in(company.path) == set(TRACES)
    before = company.ledger.size()
    await agree(company)
    await erasing(company).turn()
    assert left_in(company.path) == set()
    assert compare(company.path) == [], "the tables are what the ledger says"
    with closing(connect(company.path)) as db:
        assert rows(db, "SELECT count(*) FROM entry WHERE idx < ?", (before,))[0][0] == before, "the entries stay"
        told = [each.event for each in entries(db, before, 1 << 40)]
    gone = [each for each in told if isinstance(each, PayloadsErased)]
    assert told[-1] == ErasureFinished("ers_1", "eve", sum(len(each.indexes) for each in gone))
    assert (await company.reader(names, None, ["eve"]))["eve"] == "erased person eve"
    detail = await company.reader(people.person, None, "eve")
    assert detail is not None
    assert (detail.row.email, detail.erasure and detail.erasure.status) == (None, ErasureStatus.FINISHED)


async def test_what_others_need_stays(company: Company) -> None:
    await agree(company)
    await erasing(company).turn()
    assert await company.reader(text_in_force) == NEWER
    incident = await company.reader(read_incident, None, "inc_1")
    assert incident is not None
    assert (incident.row.title, len(incident.history)) == (None, 5), "what was written is gone, and its entries stay"
    with closing(connect(company.path)) as db:
        kept = {each[0]: each[1] for each in rows(db, "SELECT change, text FROM change WHERE change LIKE 'chg_%'")}
        assert kept["chg_8"] is None
        assert rows(db, "SELECT DISTINCT name FROM person WHERE person = 'max'")[0][0] == "Max Example"


async def test_the_account_never_comes_back(company: Company) -> None:
    await agree(company)
    ada = company.actor("ada")
    refused_now = await enable_person(company.ledger, ada, "eve", "back")
    refused(refused_now, "person.erased")
    refused(await change_person(company.ledger, ada, "eve", Attributes(NAME, EMAIL)), "person.erased")
    again = await propose_erasure(company.ledger, ada, "ers_2", "eve", "again", 400)
    refused(again, "erasure.done")


async def test_a_file_in_force_that_names_the_person_comes_first(company: Company) -> None:
    await record(
        company.ledger,
        ChangeProposed("chg_7", "d7", "d7", False, None, "changes", FILE),
        ChangeApplied("chg_7", "d7", "d7", None, bootstrap=True),
    )
    ada = company.actor("ada")
    refused(await propose_erasure(company.ledger, ada, "ers_1", "eve", "letter", 400), "erasure.named")


async def test_whoever_a_list_still_names_as_here_comes_off_it_first(company: Company) -> None:
    ada = company.actor("ada")
    there = ScimUserSet("usr_1", "okta", "eve", True, 4, "", "stk_1", "evelyn", "evelyn", "{}")
    await record(company.ledger, there)
    answer = await propose_erasure(company.ledger, ada, "ers_1", "eve", "letter", 400)
    assert "The directory okta" in refused(answer, "erasure.listed").message


async def test_whom_the_roster_lists_with_an_end_that_has_passed_comes_off_it_first(company: Company) -> None:
    """Its next version would bring name and address again."""
    entry: dict[str, Any] = {"version": "ver_5", "type": PersonKind.EMPLOYEE, "manager": None, "sponsor": None}
    entry["starts"] = None
    known: dict[str, Any] = {"contract_ends": None, "time_zone": "", "number": "4711", "name": NAME, "email": EMAIL}
    ended = RosterEntrySet("stf_1", person="eve", ends=Instant(company.clock() - DAY), **entry, **known)
    await record(company.ledger, ended)
    answer = await propose_erasure(company.ledger, company.actor("ada"), "ers_1", "eve", "letter", 400)
    assert "The staff roster" in refused(answer, "erasure.listed").message
    await record(company.ledger, RosterEntryEnded("stf_1", "ver_6", "eve", company.clock()))
    assert await propose_erasure(company.ledger, company.actor("ada"), "ers_1", "eve", "letter", 400) is None


class Breaking:
    """A ledger that goes away after some commands."""

    def __init__(self, company: Company, commands: int) -> None:
        self._company = company
        self._left = commands

    def __getattr__(self, name: str) -> Any:
        return getattr(self._company.ledger, name)

    async def commit(self, query: Any, decide: Any) -> Any:
        if self._left == 0:
            raise Unavailable("gone")
        self._left -= 1
        return await self._company.ledger.commit(query, decide)


@pytest.mark.parametrize("commands", range(6))
async def test_a_stop_at_any_step_is_gone_on_from(
    company: Company, commands: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With portions of three, so that there are steps; what is half done is found by no check, and comes to its end."""
    for module in (rules, read):
        monkeypatch.setattr(module, "MOST_ERASED", 3)
    monkeypatch.setattr(job, "MOST_DOCUMENTS", 2)
    await agree(company)
    ledger: Any = Breaking(company, commands)
    with pytest.raises(Unavailable):
        await Erasing(ledger, company.reader, lambda: forget(company.path)).turn()
    assert compare(company.path) == []
    await erasing(company).turn()
    assert left_in(company.path) == set()
    assert compare(company.path) == []
    with closing(connect(company.path)) as db:
        ends = [each.event for each in entries(db, 0, 1 << 40) if each.header.kind == "erasure.finished"]
    assert len(ends) == 1


async def test_the_log_is_emptied_once_nobody_reads_it(company: Company) -> None:
    tries, answers = list[bool](), iter([False, True])

    def forgetting() -> bool:
        tries.append(next(answers))
        return tries[-1]

    job = Erasing(company.ledger, company.reader, forgetting)
    for _ in range(3):
        await job.turn()
    assert tries == [False, True]


def test_of_every_payload_it_is_said_how_it_speaks_of_somebody() -> None:
    """By its entry's person, by what is theirs, as a list that names many; or it is about no person."""
    private = {each.name: each for each in every_version() if each.private_fields}
    by_person = {
        name for name, each in private.items() if "person" in each.open_fields or "substance" in each.open_fields
    }
    nobody = {
        "change.rejected", "ledger.continued", "node.revoked", "provider.declared", "provider.proposed", "provider.set",
        "resource.set", "roster.source_set", "scim_group.set", "scim_token.proposed", "secret.set",
        "sign_in.device_refused",  # what it says is of whoever sits at that terminal, whom nobody knows
        "signal_stream.proposed", "signal_stream.set", "policy.published", "policy.looked_through", "policy.retired",
        "review.signed_off",
    }  # fmt: skip
    said = [by_person - whose.LINKED.keys(), whose.LINKED.keys(), set(whose.NAMING), nobody]
    assert sorted(private) == sorted(name for each in said for name in each)
    assert all(kind_of(ErasureFinished("", "", 0)).name != name for name in private)
