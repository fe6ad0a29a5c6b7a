"""An evidence pack from the page of the ledger: for the period shown, by whoever audits, with what becomes of it."""

import asyncio
from pathlib import Path

import pytest

from onepam.console.frame import packs as packs_of_people
from onepam.console.frame.packs import KEPT, Packs, Progress
from onepam.domain.access.authority import Actor
from onepam.kernel.clock import DAY, SECOND, Instant
from onepam.kernel.errors import Corrupt, Refused
from tests.company import START
from tests.console.browsing import Office

pytestmark = pytest.mark.anyio


async def test_a_pack_is_drawn_for_the_period_that_the_filter_shows(office: Office) -> None:
    aud, ada = await office.sign_in("aud"), await office.sign_in("ada")
    page = await aud.read("/ledger?of=requests&from=2026-01-01&to=2026-02-28")
    assert page.count('name="from" value="2026-01-01"') == 2, "of the filter and of the pack"
    assert "/ledger/pack" not in await ada.read("/ledger"), "an administrator draws none"
    assert (await aud.get("/ledger/pack/file")).status_code == 404
    page = await aud.done("/ledger/pack", **{"from": "2026-01-01", "to": "2026-02-28"})
    while "Download the pack" not in page:
        assert 'hx-trigger="every 2s"' in page
        await asyncio.sleep(0.01)
        page = await aud.read("/ledger")
    assert "2026-01-01 to 2026-02-28: drawn and verified" in page
    assert 'hx-trigger="every 2s"' not in page
    for _ in range(2):
        taken = await aud.get("/ledger/pack/file")
        assert taken.text == "aud 2026-01-01T00:00:00.000000Z 2026-03-01T00:00:00.000000Z"
    assert 'filename="onepam-evidence-2026-01-01-2026-02-28.zip"' in taken.headers["Content-Disposition"]
    assert not (office.recordings.parent / "drawn.zip").exists()
    await aud.refused("/ledger/pack", **{"from": "2026-03-01", "to": "2026-02-28"})
    await aud.refused("/ledger/pack", **{"from": "", "to": "2026-02-28"})


async def test_why_there_is_no_pack_is_said(office: Office) -> None:
    aud = await office.sign_in("aud")
    page = await aud.done("/ledger/pack", **{"from": "2024-01-01", "to": "2026-02-28"})
    while "no checkpoint covers the period" not in page:
        await asyncio.sleep(0.01)
        page = await aud.read("/ledger")
    assert (await aud.get("/ledger/pack/file")).status_code == 404


async def test_the_entries_of_a_period(office: Office) -> None:
    await office.session("eve", "dev-1", "app")
    aud = await office.sign_in("aud")
    day = "2026-01-01"
    assert "entry=" in await aud.read("/ledger?of=all")
    for address in (f"/ledger?to={day}", "/ledger?from=2100-01-01"):
        assert "No such entries" in await aud.read(address), address
    assert "entry=" in await aud.read(f"/ledger?of=all&from={day}&to=2100-01-01")
    assert "entry=" in await aud.read("/ledger?of=all&from=nonsense"), "what is no day narrows nothing"


async def test_packs_lapse_and_are_one_at_a_time_for_each_person(tmp_path: Path) -> None:
    now, told, go = [START], list[str](), asyncio.Event()

    async def draw(actor: Actor, starts: Instant, ends: Instant, progress: Progress) -> Path | Refused:
        progress("reports", 1, 4)
        await go.wait()
        if told:
            raise Corrupt("the ledger contradicts itself")
        (tmp_path / actor.person).write_bytes(b"pack" * 40_000)
        return tmp_path / actor.person

    packs = Packs(draw, lambda: now[0])
    aud, ada = (Actor(each, f"ses_{each}") for each in ("aud", "ada"))
    drawing = packs.begin(aud, START, Instant(START + DAY))
    assert not isinstance(drawing, Refused)
    await asyncio.sleep(0)
    assert (drawing.step, drawing.part, drawing.finished) == ("reports", 0.25, None)
    with pytest.raises(ValueError, match="not drawn"):
        next(drawing.pieces())
    busy = packs.begin(aud, START, Instant(START + DAY))
    assert isinstance(busy, Refused)
    other = packs.begin(ada, START, Instant(START + DAY))
    go.set()
    await asyncio.sleep(0.05)
    assert packs.of("aud") is drawing
    assert packs.of("ada") is other
    assert packs.of("eve") is None
    assert list(tmp_path.iterdir()) == [], "nothing is left on the disk"
    pieces = drawing.pieces()
    first = next(pieces)
    now[0] = Instant(START + KEPT + 1)
    assert packs.of("aud") is None
    assert b"".join([first, *pieces]) == b"pack" * 40_000, "whoever takes it goes on taking it"
    told.append("broken")
    broken = packs.begin(aud, START, Instant(START + DAY))
    assert not isinstance(broken, Refused)
    await asyncio.sleep(0.05)
    assert broken.refused is not None
    assert broken.refused.code == "evidence.failed"


async def test_whatever_ends_a_drawing_the_next_one_may_begin() -> None:
    async def draw(actor: Actor, starts: Instant, ends: Instant, progress: Progress) -> Path | Refused:
        raise LookupError("nobody had thought of that")

    packs, aud = Packs(draw, lambda: START), Actor("aud", "ses_aud")
    drawing = packs.begin(aud, START, Instant(START + DAY))
    assert not isinstance(drawing, Refused)
    await asyncio.sleep(0)
    assert drawing.finished is not None
    assert drawing.refused is not None
    assert drawing.refused.code == "evidence.failed"
    assert not isinstance(packs.begin(aud, START, Instant(START + DAY)), Refused)


async def test_a_pack_that_nobody_asks_for_any_more_holds_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs_of_people, "KEPT", -SECOND)  # so that it lapses at once

    async def draw(actor: Actor, starts: Instant, ends: Instant, progress: Progress) -> Path | Refused:
        (tmp_path / "drawn").write_bytes(b"pack")
        return tmp_path / "drawn"

    drawing = Packs(draw, lambda: START).begin(Actor("aud", "ses_aud"), START, Instant(START + DAY))
    assert not isinstance(drawing, Refused)
    async with asyncio.timeout(60):
        while drawing.file is None or not drawing.file.closed:  # noqa: ASYNC110 - the file closes by itself
            await asyncio.sleep(0.01)
