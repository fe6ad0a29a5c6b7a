"""Reports of a live ledger: all rows are there, cells say what happened, the matrix is what the door would do."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.open_session import Knock, Opened, open_session
from onepam.app.people.add_person import add_person
from onepam.app.people.add_service_key import add_service_key
from onepam.app.ports import Snapshot
from onepam.app.sessions.close_session import close_session
from onepam.domain.access.decision import Permitted, decide
from onepam.domain.access.model import Action, Mode, Permission
from onepam.domain.leaving.brake import DirectoryPersonDecided, DirectoryPersonHeld, HoldOutcome, HoldReason
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import GroupMemberRemoved, PersonDisabled, PersonEnabled, PersonKind
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint
from onepam.domain.signing_in.events import SignedOut
from onepam.domain.signing_in.service_keys import ServiceKey
from onepam.evidence.envelope import AsOf, Period
from onepam.evidence.reports import REPORTS, Drawn, Scope, TooLarge, access, leavers, requests, scope, sessions
from onepam.kernel.clock import DAY, HOUR, MILLISECOND, MINUTE, SECOND, Instant, iso
from onepam.kernel.errors import Corrupt
from onepam.store.db import rows
from onepam.store.engine.database import connect
from onepam.store.engine.history import SqliteHistory
from onepam.store.engine.rebuild import compare
from onepam.store.facts.holdings import access_facts
from onepam.store.read.matrix import access_matrix
from tests.company import PROD, RESOURCES, START, Company, record, role_set
from tests.evidence.lawful_company import LawfulCompany
from tests.evidence.live import afternoon, closed, morning

pytestmark = pytest.mark.anyio

Table = list[dict[str, str]]


def table(drawn: Drawn) -> Table:
    names = [column.name for column in drawn.report.columns]
    return [dict(zip(names, row.cells, strict=True)) for row in drawn.report.rows]


def drawn(path: Path, name: str, begin: int, until: int, as_of: int | None = None) -> Drawn:
    with SqliteHistory(path) as history:
        period = Period(Instant(begin), Instant(until))
        return REPORTS[name](Scope(history, period, Instant(as_of or until - 1), 0, history.size))


async def told(folder: Path) -> LawfulCompany:
    company = await LawfulCompany.create(folder)
    await morning(company)
    await afternoon(company)
    return company


async def test_sessions_tell_from_the_knock_to_the_proof(tmp_path: Path) -> None:
    company = await told(tmp_path)
    rows = table(drawn(company.path, "sessions", START, START + DAY))
    company.close()
    granted, cut, failed, unasked, unknown, ghost, later = rows
    assert [each["outcome"].removeprefix("session.") for each in rows] == [
        "opened", "opened", "opened", "refused", "refused", "refused", "opened",
    ]  # fmt: skip
    assert (granted["name"], granted["reason"]) == ("Eve Example", "=cmd|'/c calc'!A0")
    assert (granted["approved_by_name"], granted["ticket"], granted["because"]) == (
        "Max Example",
        "OPS-7",
        "client.closed",
    )
    assert (granted["factors"], granted["factors_age_seconds"]) == ('["password","totp"]', "10")
    assert (granted["factors_basis"], granted["factors_provider"], granted["phishing_resistant"]) == ("own", "", "no")
    assert (granted["also_because"], unasked["factors_basis"]) == ("[]", "")
    assert (granted["recorded"], granted["verified"], granted["gap"]) == ('{"bytes":512,"output":7}', "yes", "")
    assert (cut["killed_by"], cut["kill_reason"], cut["gap"], cut["verified"]) == (
        "ada",
        "looks wrong",
        "chunk 3",
        "no",
    )
    assert (cut["request"], cut["approved_by_name"], cut["privileged"]) == ("", "", "no")
    assert (failed["because"], failed["recording_head"]) == ("target.hanging", "")
    assert failed["ended"] > failed["time"]
    assert (unasked["because"], unasked["name"], unasked["asked"]) == ("access.needs_approval", "Vic Example", "web-1")
    assert (unknown["resource"], unknown["asked"]) == ("", "nowhere")
    assert (ghost["person"], ghost["name"]) == ("ghost", "")
    assert (later["factors_age_seconds"], later["because"], later["name"]) == ("3620", "expired", "Eve Example")


async def test_a_machine_is_told_as_one_and_never_as_a_second_factor(tmp_path: Path) -> None:
    company = await Company.create(tmp_path)
    known = Attributes("Deploy bot", None, owner="max", ends=Instant(START + 30 * DAY))
    assert await add_person(company.ledger, company.actor("ada"), "bot", PersonKind.SERVICE, known, "deploys") is None
    await company.bind("bot", "engineer")
    key = ServiceKey("fac_bot", "bot", "ci", "SHA256:bot", "ssh-ed25519 AAAA", ("192.0.2.0/24",))
    assert await add_service_key(company.ledger, company.actor("ada"), key) is True
    for source in ("192.0.2.9", "198.51.100.9"):
        entry, session = EntryPoint.SSH_SERVICE_KEY, company.new("ses")
        await open_session(
            company.ledger, Knock(session, entry, "bot", "dev-1", "app", "node-1", source, "OpenSSH", key="fac_bot")
        )
    opened, turned_away = table(drawn(company.path, "sessions", START, START + DAY))
    company.close()
    assert (opened["entry"], opened["factors"], opened["sign_in"]) == ("ssh_service_key", '["machine"]', "")
    assert (opened["factors_age_seconds"], opened["name"]) == ("", "Deploy bot")
    assert (turned_away["because"], turned_away["source"]) == ("service.network", "198.51.100.9")


async def test_requests_tell_from_the_asking_to_the_grants_end(tmp_path: Path) -> None:
    company = await told(tmp_path)
    rows = table(drawn(company.path, "requests", START, START + DAY))
    company.close()
    approved, denied, withdrawn, expired, running = rows
    assert (approved["decision"], approved["decided_by_name"], approved["decided_under"]) == (
        "request.approved", "Max Example", "manager",
    )  # fmt: skip
    assert (approved["refused_decisions"], approved["refused_decisions_by"]) == ("request.no_authority", "ada")
    assert (approved["ended_as"], approved["ended_by"], approved["ended_reason"]) == ("grant.ended", "max", "done")
    assert (denied["decision"], denied["comment"], denied["grant"]) == ("request.denied", "not today", "")
    assert (withdrawn["decided_by_name"], withdrawn["withdrawn_because"]) == ("Eve Example", "withdrawn")
    assert (expired["ended_as"], expired["ended_because"]) == ("grant.expired", "")
    assert expired["ended"] > expired["granted_until"] > expired["granted"]
    assert (running["grant"] != "", running["ended"]) == (True, "")


def doors(db: Snapshot, at: Instant) -> set[tuple[str, str, str]]:
    """Who the door would let in, where, as whom: asked one by one."""
    people = [each[0] for each in rows(db, "SELECT DISTINCT person FROM person")]
    return {
        (person, resource, login)
        for person in people
        for resource in RESOURCES
        for login in ("app", "root", "db")
        if isinstance(decide(access_facts(db, person, resource, at), login, at), Permitted)
    }


def paged(db: Snapshot, at: Instant) -> set[tuple[str, ...]]:
    """The matrix of the pages, of what has a pinned host key."""
    return {
        (each.person, each.resource, each.login, each.how.value, each.because.role, each.because.permission,
         each.because.binding, each.because.group, each.because.grant, ", ".join(each.actions), str(each.privileged))
        for each in access_matrix(db, at) if RESOURCES[each.resource][1]
    }  # fmt: skip


def reported(rows: Table) -> set[tuple[str, ...]]:
    columns = ("person", "resource", "login", "mode", "role", "permission", "binding", "group", "grant", "actions")
    return {(*(each[name] for name in columns), str(each["privileged"] == "yes")) for each in rows}


async def change_much(company: LawfulCompany) -> list[Instant]:
    """Roles narrowed and emptied, groups left, bindings that end by themselves; the instants in between."""
    instants = []

    def remember() -> None:
        instants.append(company.clock.advance(MINUTE))

    remember()
    await morning(company)
    remember()
    await afternoon(company)
    remember()
    both = Permission("any", (Action.SFTP,), {"app": "web"}, ("*",), Mode.STANDING, HOUR, (), True)
    await record(company.ledger, role_set("engineer", (PROD, both)), role_set("auditor", (both,)))
    await company.bind("max", "engineer", Instant(company.clock.now + HOUR))
    remember()
    narrow = Permission("prod", (Action.EXEC,), PROD.where, PROD.logins, Mode.REQUEST, HOUR, ("manager",))
    await record(company.ledger, role_set("engineer", (narrow,)))
    remember()
    company.clock.advance(HOUR)
    await record(company.ledger, GroupMemberRemoved("ops", "gus", "scim", None))
    remember()
    await record(
        company.ledger, DirectoryPersonHeld("hld_1", "gus", "scim:okta", HoldReason.MANY, "x", None, None, None)
    )
    await record(
        company.ledger,
        DirectoryPersonHeld("hld_2", "max", "scim:okta", HoldReason.LAST_ADMINISTRATOR, "x", None, None, None),
    )
    remember()
    await record(company.ledger, DirectoryPersonDecided("hld_2", "max", HoldOutcome.KEPT, "ada", "here"))
    remember()
    nothing = Permission("prod", (Action.EXEC,), {}, ("*",), Mode.STANDING, HOUR)
    await record(company.ledger, role_set("engineer", (nothing,)), role_set("auditor", ()))
    company.clock.advance(91 * DAY)
    remember()
    return instants


async def test_the_matrix_is_what_the_door_would_do_and_what_pages_show(tmp_path: Path) -> None:
    company = await LawfulCompany.create(tmp_path)
    instants = await change_much(company)
    company.close()
    sizes = []
    with connect(company.path, read_only=True) as db:
        for at in instants:
            rows = table(drawn(company.path, "access", START - 1, at + 1, at))
            open_now = {(each["person"], each["resource"], each["login"]) for each in rows if each["mode"] != "request"}
            assert open_now == doors(db, at)
            assert reported(rows) == paged(db, at)
            assert len(rows) == len(reported(rows))
            sizes.append(len(rows))
    assert len(set(sizes)) >= 5, sizes
    assert sizes[-1] == 0
    assert compare(company.path) == []


async def test_everybody_and_everything_is_in_a_row_or_left_out_with_a_reason(tmp_path: Path) -> None:
    company = await LawfulCompany.create(tmp_path)
    instants = await change_much(company)
    company.close()
    reasons = set()
    with connect(company.path, read_only=True) as db:
        for at in instants:
            found = drawn(company.path, "access", START - 1, at + 1, at)
            assert found.over == AsOf(at)
            rows, as_of = table(found), "valid_from <= ? AND ? < valid_until"
            people = {each[0] for each in db.execute(f"SELECT person FROM person WHERE {as_of}", (at, at))}
            places = {each[0] for each in db.execute(f"SELECT resource FROM resource WHERE {as_of}", (at, at))}
            shown = {each["person"] for each in rows} | {each["resource"] for each in rows}
            assert len(found.exclusions) == len((people | places) - shown)
            assert found.filters[0].before == len(rows) + len(found.exclusions)
            assert found.filters[-1].after == len(rows)
            reasons |= {each.reason for each in found.exclusions}
    assert reasons == {
        access.DISABLED, access.HELD, access.REACHES_NOTHING, access.NO_HOST_KEY, access.NOBODY_REACHES,
    }  # fmt: skip


async def test_leavers_with_both_stamps_per_system(tmp_path: Path) -> None:
    """Vic left in the afternoon with a sign-in; eve leaves with a session that ends after a while, and max with one
    that goes on. Each has a row, with what the listeners said, and the news that came before."""
    company = await told(tmp_path)
    await company.sign_in("eve")
    opened = await company.open("eve", "dev-1", "app")
    assert isinstance(opened, Opened)
    news = Instant(company.clock() - 2 * DAY)
    await record(company.ledger, PersonDisabled("eve", None, "left", "roster", news, Instant(news + HOUR)))
    await record(company.ledger, SignedOut("sgn_eve", "eve", "person.disabled", None))
    last_byte = company.clock.advance(MINUTE)
    company.clock.advance(SECOND)
    await close_session(
        company.ledger, replace(closed(opened.session, SessionEnd.PERSON_DISABLED), last_byte=last_byte)
    )
    await record(company.ledger, PersonDisabled("gus", "ada", "left"), PersonEnabled("gus", "ada", "came back"))
    found = drawn(company.path, "leavers", START, company.clock())
    vic, eve, gus = table(found)
    company.close()
    assert (vic["name"], vic["origin"], vic["probe_paths"], vic["probe_results"]) == (
        "Vic Example", "administrator", "ssh; console", "refused; refused",
    )  # fmt: skip
    assert (vic["console_held"], vic["ssh_held"], vic["within_24_hours"]) == ("1", "0", "yes")
    assert vic["console_ended"] == vic["last_sign_ins_ended"] > vic["removed"]
    assert (vic["last_bytes"], vic["recordings_verified"]) == ("", "")
    assert (eve["left"], eve["notified"]) == (iso(news), iso(Instant(news + HOUR)))
    assert eve["recordings_verified"] > eve["ssh_ended"] == eve["last_bytes"] == iso(last_byte)
    assert eve["ssh_ended"] > eve["console_ended"] == eve["last_sign_ins_ended"]
    assert (eve["within_24_hours"], eve["command_line_held"]) == ("no", "0")
    assert int(eve["milliseconds"]) >= 2 * DAY // 1000
    assert (gus["console_ended"], gus["milliseconds"], gus["within_24_hours"]) == ("runs still", "", "no")
    assert gus["returned"] > gus["removed"]
    assert found.report.rows[0].ledger[0] not in found.rests


@pytest.mark.parametrize(("signed_in", "held"), [(0, "0"), (1, "1")])
async def test_a_sign_in_that_ends_as_somebody_leaves_was_not_held(tmp_path: Path, signed_in: int, held: str) -> None:
    company = await Company.create(tmp_path)
    removed = await company.leaves("eve", signed_in=signed_in)
    await company.sign_in("ada")
    (eve,) = table(drawn(company.path, "leavers", START, removed + HOUR))
    company.close()
    assert (eve["removed"], eve["console_held"]) == (iso(removed), held)
    assert eve["console_ended"] == iso(Instant(removed + signed_in))


@pytest.mark.parametrize(("before", "ended"), [(0, True), (1, False)])
async def test_a_sign_in_has_ended_at_its_end_and_runs_a_microsecond_before(
    tmp_path: Path, before: int, ended: bool
) -> None:
    company = await Company.create(tmp_path)
    over = Instant(await company.leaves("eve", signed_in=HOUR) + HOUR)
    company.clock.now = Instant(over - before - 4 * MILLISECOND)  # each look takes one
    await record(company.ledger, PersonDisabled("gus", "ada", "left"))
    (eve, gus) = table(drawn(company.path, "leavers", START, over + DAY))
    company.close()
    assert gus["removed"] == iso(Instant(over - before)), "the newest entry says until when it is known"
    assert eve["console_ended"] == (iso(over) if ended else "runs still")


@pytest.mark.parametrize(("news", "within"), [(DAY, "yes"), (DAY + 1, "no")])
async def test_a_leaving_may_take_24_hours_and_not_a_microsecond_more(tmp_path: Path, news: int, within: str) -> None:
    company = await Company.create(tmp_path)
    removed = await company.leaves("eve", news)
    (eve,) = table(drawn(company.path, "leavers", START, removed + HOUR))
    company.close()
    assert (eve["milliseconds"], eve["within_24_hours"]) == (str(news // 1000), within)


async def test_the_last_byte_of_a_process_that_died_is_unknown(tmp_path: Path) -> None:
    """The latest entry says by when; a later byte that was seen makes it known again."""
    company = await Company.create(tmp_path)
    died, seen = await company.open("eve", "dev-1", "app"), await company.open("eve", "dev-1", "app")
    assert isinstance(died, Opened)
    assert isinstance(seen, Opened)
    await record(company.ledger, PersonDisabled("eve", "ada", "left"))
    first = company.clock.advance(MINUTE)
    await close_session(company.ledger, closed(died.session, SessionEnd.GATEWAY_DIED))

    def ended() -> tuple[str, str]:
        (eve,) = table(drawn(company.path, "leavers", START, company.clock()))
        return eve["ssh_ended"], eve["recordings_verified"]

    assert ended() == ("runs still", "")
    last_byte = company.clock.advance(MINUTE)
    await close_session(company.ledger, replace(closed(seen.session), last_byte=Instant(first - SECOND)))
    assert ended()[0].startswith("unknown, before ")
    company.close()
    assert last_byte > first


async def test_a_contract_that_is_over_is_a_reason(tmp_path: Path) -> None:
    company = await Company.create(tmp_path)
    at = company.clock.advance(91 * DAY)
    company.close()
    found = drawn(company.path, "access", START, at + 1)
    assert access.ENDED in {each.reason for each in found.exclusions}
    assert "vic" not in {each["person"] for each in table(found)}


async def test_a_row_that_somebody_slipped_into_the_tables_is_found(tmp_path: Path) -> None:
    company = await Company.create(tmp_path)
    company.close()
    with connect(company.path) as db:
        db.execute(
            "INSERT INTO binding SELECT 'bnd_x', 'engineer', 'person', 'aud', starts, NULL, source, because, change, "
            "valid_from + 100000, valid_until FROM binding LIMIT 1"
        )
    with pytest.raises(Corrupt, match="no entry has this time"):
        drawn(company.path, "access", START, START + DAY)


async def test_queries_read_versioned_views_only(tmp_path: Path) -> None:
    company = await Company.create(tmp_path)
    company.close()
    texts = [drawn(company.path, name, START, START + DAY).query for name in REPORTS]
    named = {word for text in texts for word in re.findall(r"(?:FROM|JOIN) (\w+)", text)}
    own = {"account", "holder", "site", "alike", "covers", "reach", "way", "json_each"}
    assert {word for word in named - own if not re.fullmatch(r"ev_[a-z]+_v\d+", word)} == set()
    with connect(company.path, read_only=True) as db:
        views = {each[0] for each in db.execute("SELECT name FROM sqlite_master WHERE type = 'view'")}
    assert named - own <= views


async def test_too_many_rows_are_not_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company = await told(tmp_path)
    company.close()
    for room in (access, leavers, requests, sessions):
        monkeypatch.setattr(room, "MAX_ROWS", 2 if room is not leavers else 0)
        with pytest.raises(TooLarge, match=room.NAME):
            drawn(company.path, room.NAME, START, START + DAY)
    assert scope.MAX_ROWS > 2


async def test_the_periods_ends(tmp_path: Path) -> None:
    """What happens at the beginning is in the period, what happens at the end is not; what follows a head is."""
    company = await Company.create(tmp_path)
    outcome = await company.open("eve", "dev-1", "app")
    assert isinstance(outcome, Opened)
    company.close()
    with connect(company.path, read_only=True) as db:
        (at,) = db.execute("SELECT time FROM entry WHERE kind = 'session.opened'").fetchone()

    def count(begin: int, until: int) -> int:
        return len(drawn(company.path, "sessions", begin, until).report.rows)

    assert [count(at, at + 1), count(at - 1, at), count(at + 1, at + 2)] == [1, 0, 0]
