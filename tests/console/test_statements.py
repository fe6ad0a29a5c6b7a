"""The statements of a database's session on its page: listed, filtered, paged, as files; nothing of them acts."""

import json
import re

import pytest

from onepam.domain.access.guardrails import StatementClass
from onepam.domain.sessions.waiting_statements import StatementApproved, StatementAsked, StatementEnded
from onepam.kernel.clock import MINUTE, SECOND, Instant
from onepam.recording.frames import Frame, Marker
from onepam.recording.statements import Executed, Finished, Form, Outcome, Parameter, StatementText
from onepam.store.engine.entries import entries_of
from onepam.store.read import names
from tests.company import record
from tests.console.browsing import Browser, Office, count

pytestmark = pytest.mark.anyio

WORK: tuple[Frame, ...] = (
    StatementText(100_000, 1, b"SELECT '<script>alert(1)</script>\x1b[2J\xe2\x80\xae',\n\t$1, $2"),
    Executed(100_001, 1, 1, Form.EXTENDED, (Parameter(b"<b>x</b>\x07"), Parameter(None), Parameter(70_000))),
    Finished(112_301, 1, Outcome.OK, b"I", 1204, 5_000, "SELECT 1204"),
    StatementText(200_000, 2, b"=1+1"),
    Marker(200_000, "statement 2: 4 of 900 bytes are kept, SHA-256 of all 00"),
    Executed(200_001, 2, 2, Form.SIMPLE),
    Finished(200_801, 2, Outcome.ERROR, b"E", 0, 0, "42601 <i>syntax</i>"),
    Executed(300_000, 3, 2, Form.SIMPLE),
    Finished(300_001, 3, Outcome.REFUSED, b"I", 0, 0, "OnePAM: not here"),
)


async def watched(office: Office) -> int:
    return await office.company.reader(count, None, "recording.watched")


def rows(page: str) -> list[str]:
    """The lines of the list, as they are read."""
    return re.findall(r"<tr>(.*?)</tr>", page[page.index("<tbody>") : page.index("</tbody>")], re.DOTALL)


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page))


async def test_statements_stand_on_the_page_and_none_of_them_acts(office: Office) -> None:
    ident = await office.database_session("eve", *WORK)
    eve = await office.sign_in("eve")
    page = await eve.read(f"/sessions/{ident}")
    assert "data-island" not in page
    assert "player-frame" not in page
    for raw in ("<script>alert", "<b>x", "<i>syntax", "\x1b", "\x07", "\u202e"):
        assert raw not in page
    first, wrong, refused = rows(page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u001b[2J\\u202e" in first
    for words in ("OK", "SELECT 1204", "1,204", "5.0 kB", "12.3 ms", "NULL", "70,000 bytes, not kept", "\\u0007"):
        assert words in first, words
    for words in ("state-finding", "Error", "800 µs", "4 of 900 bytes are kept", "in a failed transaction"):
        assert words in wrong, words
    assert "Refused" in refused
    said = text(page)
    assert "3 statements run" in said
    assert "1,204 rows" in said
    assert "Read as a whole for this page, now." in said
    assert "3 statements run, OpenSSH_9.2" in text(await eve.read("/sessions"))


async def test_each_reading_is_recorded_and_nobody_else_reads(office: Office) -> None:
    ident = await office.database_session("eve", *WORK)
    eve, bob, vic = await office.sign_in("eve"), await office.sign_in("bob"), await office.sign_in("vic")
    aud = await office.sign_in("aud")
    for number, browser in enumerate((eve, aud), 1):
        await browser.read(f"/sessions/{ident}")
        assert await watched(office) == number
    assert (await aud.get(f"/sessions/{ident}/statements")).status_code == 200
    assert await watched(office) == 3
    page = await bob.read(f"/sessions/{ident}")
    assert "Not shown to you" in page
    assert "SELECT" not in page
    for stranger in (bob, vic):
        assert (await stranger.get(f"/sessions/{ident}/statements")).status_code == 404
    assert (await vic.get(f"/sessions/{ident}")).status_code == 404
    assert (await aud.get("/sessions/ses_nothing/statements")).status_code == 404
    assert await watched(office) == 3


async def filtered(browser: Browser, ident: str, query: str) -> list[str]:
    page = await browser.read(f"/sessions/{ident}?{query}")
    return rows(page) if "<tbody>" in page else []


async def test_filters_and_pages(office: Office) -> None:
    many = [
        each
        for number in range(4, 110)
        for each in (Executed(400_000, number, 2, Form.SIMPLE), Finished(400_000, number, Outcome.OK, b"I"))
    ]
    ident = await office.database_session("eve", *WORK, *many)
    eve = await office.sign_in("eve")
    assert [len(await filtered(eve, ident, query)) for query in ("outcome=error", "q=SYNTAX", "q=script")] == [1, 1, 1]
    assert "Nothing matches" in await eve.read(f"/sessions/{ident}?q=nowhere&outcome=ok")
    assert len(await filtered(eve, ident, "outcome=nonsense&after=-1")) == 50
    page, seen = await eve.read(f"/sessions/{ident}?q=%3D1%2B1"), 0
    while True:
        seen += len(rows(page))
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if following is None:
            break
        page = await eve.read(following[1].replace("&amp;", "&"))
    assert seen == 108
    assert "108 lines" in text(page)


async def test_as_files(office: Office) -> None:
    ident = await office.database_session("eve", *WORK)
    eve = await office.sign_in("eve")
    told = await eve.get(f"/sessions/{ident}/statements")
    assert told.headers["Content-Disposition"] == f'attachment; filename="{ident}.jsonl"'
    assert [json.loads(line)["outcome"] for line in told.text.splitlines()] == ["ok", "error", "refused"]
    sheet = await eve.get(f"/sessions/{ident}/statements?as=csv")
    assert sheet.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert '"\'=1+1"' in sheet.text
    assert '"=' not in sheet.text


async def test_what_cannot_be_read_is_named(office: Office) -> None:
    ident = await office.database_session("eve", *WORK)
    eve = await office.sign_in("eve")
    file = next(office.recordings.rglob(f"*{ident}*"))
    file.write_bytes(file.read_bytes()[:-4] + b"abcd")
    page = await eve.read(f"/sessions/{ident}")
    assert "Altered" in page
    assert "No statements" in page
    file.unlink()
    assert "Missing" in await eve.read(f"/sessions/{ident}")
    assert (await eve.get(f"/sessions/{ident}/statements")).status_code == 404


async def test_rows_that_were_kept_stand_below_their_statement(office: Office) -> None:
    script = json.dumps(["<b>x</b>\x07" + "y" * 300, 16, None])
    kept = [Marker(100_001, f"execution 1: row {number}: {script}") for number in range(1, 31)]
    named = Marker(100_001, 'execution 1: row 0: ["<i>id", "card", "c"]')
    ident = await office.database_session("eve", *WORK[:2], named, *kept, *WORK[2:])
    page = await (await office.sign_in("eve")).read(f"/sessions/{ident}")
    assert "&lt;i&gt;id</th>" in page
    assert "<b>x" not in page
    assert page.count("<em>masked, 16 bytes</em>") == page.count("<em>NULL</em>") == 19
    assert "&lt;b&gt;x&lt;/b&gt;\\u0007" in page
    assert "y" * 250 not in page
    assert "and 11 kept rows more" in text(page)


async def test_what_waited_says_who_decided_and_takes_no_longer_for_it(office: Office) -> None:
    ran = (
        StatementText(0, 1, b"DELETE FROM t"),
        Executed(0, 1, 1, Form.SIMPLE),
        Finished(5 * SECOND + 12_300, 1, Outcome.ERROR, b"I", 0, 0, "42501 permission denied"),
        Executed(6 * SECOND, 2, 1, Form.SIMPLE),
        Finished(8 * SECOND, 2, Outcome.REFUSED, b"I", 0, 0, "OnePAM: not today"),
        Executed(8_500_000, 3, 1, Form.SIMPLE),
        Finished(8_500_000 + 800, 3, Outcome.OK, b"I", 1, 0, "DELETE 1"),
    )
    ident, company = await office.database_session("eve", *ran), office.company
    for execution, length, end in (
        (1, 5 * SECOND, StatementApproved("stm_1", "max", "manager")),
        (2, 2 * SECOND, StatementEnded("stm_2", "denied", "max")),
    ):
        until = Instant(company.clock.now + 10 * MINUTE)
        classes = (StatementClass.WRITE,)
        asks = StatementAsked(
            end.statement, ident, "eve", "dev-1", "app", execution, classes, False, ("manager",), until
        )
        await record(company.ledger, asks)
        company.clock.now = Instant(company.clock.now + length)
        await record(company.ledger, end)
    index = await company.reader(
        lambda db, at: [each.header.index for each in entries_of(db, ("statement.approved",))], None
    )
    auditor = await office.sign_in("aud")
    page = await auditor.read(f"/sessions/{ident}")
    approved, denied, other = rows(page)
    name = await company.reader(lambda db, at: names.name(db, at, "max"), None)
    assert f'<a href="/ledger?entry={index[0]}">approved by {name}, waited 5 s</a>' in approved
    assert "5.0" not in approved
    assert re.search(r">\d+\.\d ms<", approved)  # the 12.3 ms, less what the ledger took to hear of it
    assert f"denied by {name}, waited 2 s" in denied
    assert "waited" not in other
    assert "800 \u00b5s" in other
    told = [json.loads(line) for line in (await auditor.get(f"/sessions/{ident}/statements")).text.splitlines()]
    assert [(each["decision"], each["decided_by"]) for each in told] == [("approved", name), ("denied", name), ("", "")]
    assert told[0]["waited_microseconds"] + told[0]["microseconds"] == 5 * SECOND + 12_300
    assert [each["entry"] for each in told] == [index[0], index[0] + 2, None]
    assert f'"approved","{name}"' in (await auditor.get(f"/sessions/{ident}/statements?as=csv")).text
