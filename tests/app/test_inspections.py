"""A share of what was recorded is inspected by somebody else: drawn by the entries, kept with what they saw."""

from hashlib import sha256
from pathlib import Path

import pytest

from onepam.app.open_session import Knock, Opened, open_session
from onepam.app.people.add_person import add_person
from onepam.app.people.add_service_key import add_service_key
from onepam.app.sessions.inspect_recording import inspect_recording
from onepam.app.sessions.kill_session import kill_session
from onepam.app.sessions.watch_recording import watch_recording
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint, SessionClosed
from onepam.domain.sessions.inspecting import WITHIN, Risk, Verdict, is_drawn
from onepam.domain.sessions.recordings import Condition, RecordingFoundBad
from onepam.domain.signing_in.service_keys import ServiceKey
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.store.engine.rebuild import compare
from onepam.store.read.inspections import Figures, drawn, drawn_sessions, figures, said_of
from onepam.store.read.paging import Window
from tests.company import START, Company, record, refused

pytestmark = pytest.mark.anyio

EVES = (Risk.ANY, Risk.PRIVILEGED)


def head(session: str, risks: tuple[Risk, ...], *, wanted: bool) -> str:
    """A recording's last head by which the session is drawn, or is not."""
    digests = (sha256(b"%d" % number).hexdigest() for number in range(1_000))
    return next(each for each in digests if is_drawn(session, each, risks) is wanted)


async def ended(
    company: Company, person: str = "eve", *, wanted: bool = True, gap: str | None = None, kill: str = ""
) -> str:
    """A session on dev-1 that is over; its id."""
    opened = await company.open(person, "dev-1", "app")
    assert isinstance(opened, Opened), opened
    if kill:
        assert await kill_session(company.ledger, company.actor(kill), opened.session, "odd") is None
    found = (Risk.ANY, Risk.PRIVILEGED) if opened.privileged else (Risk.ANY,)
    last = head(opened.session, found, wanted=wanted)
    await record(
        company.ledger,
        SessionClosed(opened.session, SessionEnd.CLIENT_LEFT, last, 1, {"opened": 1}, True, gap, company.clock()),
    )
    return opened.session


async def waiting(company: Company, state: str = "") -> list[str]:
    return [each.session for each in (await company.reader(drawn_sessions, None, state)).rows]


async def test_what_is_drawn_waits_until_somebody_else_who_looked_says_what_they_saw(tmp_path: Path) -> None:
    company = await Company.create(tmp_path)
    of = company.ledger
    one, other = await ended(company), await ended(company, wanted=False)
    assert await waiting(company) == [one]
    refused(await inspect_recording(of, company.actor("ada"), one, Verdict.EXPECTED), "inspection.unseen")
    for who in ("ada", "aud"):
        assert await watch_recording(of, company.actor(who), one, "play") is None
    refused(await inspect_recording(of, company.actor("eve"), one, Verdict.EXPECTED), "session.unknown")
    refused(await inspect_recording(of, company.actor("bob"), one, Verdict.EXPECTED), "session.unknown")
    refused(await inspect_recording(of, company.actor("ada"), one, Verdict.CONCERN, " "), "text.missing")
    assert await inspect_recording(of, company.actor("ada"), one, Verdict.CONCERN, "read the payroll") is None
    refused(await inspect_recording(of, company.actor("ada"), one, Verdict.CONCERN, "x"), "inspection.said")
    assert await inspect_recording(of, company.actor("aud"), one, Verdict.EXPECTED, "explained by OPS-7") is None
    assert (await waiting(company), await waiting(company, "done")) == ([], [one])
    said = await company.reader(said_of, None, one)
    assert [(each.inspector_name, each.verdict, each.note) for each in said] == [
        ("Ada Example", Verdict.CONCERN, "read the payroll"),
        ("Aud Example", Verdict.EXPECTED, "explained by OPS-7"),
    ]
    assert await company.reader(figures, None) == Figures(2, 1, 1, 0, 0, 0, 1)
    # what was not drawn may be inspected all the same
    assert await watch_recording(of, company.actor("aud"), other, "play") is None
    assert await inspect_recording(of, company.actor("aud"), other, Verdict.EXPECTED) is None
    assert await company.reader(drawn, None, other) is None
    company.close()
    assert compare(company.path) == []


async def test_what_is_found_bad_later_is_looked_at_once_more(tmp_path: Path) -> None:
    company = await Company.create(tmp_path)
    session = await ended(company)
    of = (company.ledger, company.actor("aud"), session, Verdict.EXPECTED)
    assert await watch_recording(company.ledger, company.actor("aud"), session, "play") is None
    assert await inspect_recording(*of) is None
    refused(await inspect_recording(*of), "inspection.said")
    await record(company.ledger, RecordingFoundBad(session, Condition.ALTERED, "chunk 1 differs"))
    assert await waiting(company) == [session]
    refused(await inspect_recording(*of), "inspection.unseen")
    assert await watch_recording(company.ledger, company.actor("aud"), session, "timeline") is None
    assert await inspect_recording(*of) is None
    assert await waiting(company) == []
    company.close()


async def test_who_looked_while_it_ran_has_not_seen_its_end(tmp_path: Path) -> None:
    company = await Company.create(tmp_path)
    opened = await company.open("eve", "dev-1", "app")
    assert isinstance(opened, Opened)
    assert await watch_recording(company.ledger, company.actor("ada"), opened.session, "timeline") is None
    of = (company.ledger, company.actor("ada"), opened.session, Verdict.EXPECTED)
    refused(await inspect_recording(*of), "inspection.runs")
    last = head(opened.session, EVES, wanted=True)
    await record(company.ledger, SessionClosed(opened.session, SessionEnd.CLIENT_LEFT, last, 0, {}, True, None, None))
    refused(await inspect_recording(*of), "inspection.unseen")
    company.close()


async def test_what_was_killed_has_a_gap_or_is_bad_is_always_drawn_and_late_is_late(tmp_path: Path) -> None:
    company = await Company.create(tmp_path)
    killed, gap, plain = (
        await ended(company, wanted=False, kill="ada"),
        await ended(company, wanted=False, gap="the gateway died"),
        await ended(company, wanted=False),
    )
    own = await ended(company, wanted=False, kill="eve")
    assert await waiting(company) == [killed, gap]
    await record(company.ledger, RecordingFoundBad(plain, Condition.ALTERED, "chunk 1 differs"))
    assert await waiting(company) == [killed, gap, plain]
    row = await company.reader(drawn, None, plain)
    assert row is not None
    assert (row.risks, row.due - row.drawn) == ((Risk.BAD_RECORDING,), WITHIN)
    assert own not in await waiting(company)
    page = await company.reader(drawn_sessions, None, "", Window("", 2))
    assert (len(page.rows), page.total, page.next) == (2, 3, gap)
    rest = await company.reader(drawn_sessions, None, "", Window(gap, 2))
    assert [each.session for each in rest.rows] == [plain]

    then = company.clock.now
    company.clock.advance(WITHIN + HOUR)
    assert (await waiting(company, "overdue"), await waiting(company, "waiting")) == ([killed, gap, plain], [])
    await company.sign_in("aud")
    assert await watch_recording(company.ledger, company.actor("aud"), gap, "play") is None
    assert await inspect_recording(company.ledger, company.actor("aud"), gap, Verdict.EXPECTED) is None
    assert await company.reader(figures, None) == Figures(4, 3, 0, 1, 0, 2, 0)
    past = await company.reader(drawn_sessions, Instant(then + 1), "")
    assert [each.session for each in past.rows] == [killed, gap, plain], "as it was"
    company.clock.advance(90 * DAY)
    assert await company.reader(figures, None) == Figures(0, 0, 0, 0, 0, 0, 0)
    company.close()


async def test_nobody_inspects_what_a_service_account_of_theirs_did(tmp_path: Path) -> None:
    """Its owner holds its keys."""
    company = await Company.create(tmp_path)
    bot = Attributes("Deploy bot", None, owner="aud", ends=Instant(START + 30 * DAY))
    assert await add_person(company.ledger, company.actor("ada"), "bot", PersonKind.SERVICE, bot, "CI") is None
    await company.bind("bot", "engineer")
    key = ServiceKey("fac_bot", "bot", "ci", "SHA256:bot", "ssh-ed25519 AAAA", ("192.0.2.0/24",))
    assert await add_service_key(company.ledger, company.actor("ada"), key) is True
    entry = EntryPoint.SSH_SERVICE_KEY
    knock = Knock("ses_b", entry, "bot", "dev-1", "app", "node-1", "192.0.2.9", "OpenSSH", key="fac_bot")
    assert isinstance(await open_session(company.ledger, knock), Opened)
    last = SessionClosed("ses_b", SessionEnd.CLIENT_LEFT, "0" * 64, 1, {"opened": 1}, True, None, company.clock())
    await record(company.ledger, last)
    for who in ("aud", "ada"):
        assert await watch_recording(company.ledger, company.actor(who), "ses_b", "play") is None
    own = await inspect_recording(company.ledger, company.actor("aud"), "ses_b", Verdict.EXPECTED)
    refused(own, "inspection.own")
    assert await inspect_recording(company.ledger, company.actor("ada"), "ses_b", Verdict.EXPECTED) is None
    company.close()
