"""Inspections in the browser: what was drawn waits, whoever looked says what they saw, and its own person does not."""

from pathlib import Path

import pytest

from tests.app.test_inspections import ended
from tests.console.browsing import opened

pytestmark = pytest.mark.anyio


async def test_whoever_monitors_looks_and_says_what_they_saw(tmp_path: Path) -> None:
    async with opened(tmp_path) as office:
        ada, aud, eve = [await office.sign_in(who) for who in ("ada", "aud", "eve")]
        nothing = await ada.read("/inspections")
        assert "nothing was drawn" in nothing
        assert "No session was drawn in 90 days." in nothing
        assert "100 %" not in nothing
        session = await ended(office.company)
        page = f"/sessions/{session}"
        listed = await ada.read("/inspections")
        assert "To inspect" in listed
        assert page in listed
        assert (await eve.get("/inspections")).status_code == 403
        assert "You have not looked at it" in await ada.refused(f"{page}/inspect", verdict="as_expected")
        shown = await ada.read(page)
        assert "Drawn: as any session" in shown
        assert "As expected" in shown
        assert "As expected" not in await eve.read(page)
        assert "The note is empty" in await ada.refused(f"{page}/inspect", verdict="concern")
        done = await ada.done(f"{page}/inspect", verdict="concern", note="copied the payroll", back="/inspections")
        assert "Kept: a concern." in done
        assert "What was drawn was inspected." in await ada.read("/inspections")
        assert "copied the payroll" in await aud.read("/inspections?state=done")
        assert "Ada Example: concern" in await aud.read(page)
        sheet = (await aud.get("/inspections?state=done&as=csv")).text
        assert '"Concern","Ada Example"' in sheet
        assert (await ada.post(f"{page}/inspect", verdict="perhaps")).status_code == 409
