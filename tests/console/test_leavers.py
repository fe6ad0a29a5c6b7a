"""The board of leavers and what a leaver leaves behind, with the company's real data."""

import pytest

from onepam.domain.leaving.probing import Probe, ProbedProof, ProbePath, ProbePurpose, WouldOpen, made
from onepam.kernel.clock import DAY
from tests.company import record
from tests.console.browsing import Office, count

pytestmark = pytest.mark.anyio


async def test_the_board_has_both_stamps_and_asks_again(office: Office) -> None:
    aud, ada = await office.sign_in("aud"), await office.sign_in("ada")
    assert "Nobody left in this time" in await aud.read("/leavers")
    await office.sign_in("eve")
    await ada.done("/people/eve/disable", reason="left the company")
    page = await aud.read("/leavers")
    assert "Eve Example" in page
    assert "left the company" in page
    assert "not probed" in page
    assert "Access removed" in page
    assert "Probe again" not in page
    assert (await aud.post("/leavers/eve/probe")).status_code == 403
    assert await office.company.reader(count, None, "probe.ordered") == 0
    assert "Probe again" in await ada.read("/leavers")
    await ada.done("/leavers/eve/probe")
    assert await office.company.reader(count, None, "probe.ordered") == 1
    office.company.clock.advance(91 * DAY)
    aud = await office.sign_in("aud")
    assert "Nobody left in this time" in await aud.read("/leavers")
    assert "Eve Example" in await aud.read("/leavers?from=2026-03-01&to=2026-03-05")


async def test_an_open_door_is_on_every_administrators_home(office: Office) -> None:
    ada, max_ = await office.sign_in("ada"), await office.sign_in("max")
    await ada.done("/people/eve/disable", reason="left")
    assert "would still open" not in await ada.read("/")
    probe = Probe("prb_1", "eve", ProbePath.SSH, ProbedProof.CERTIFICATE, ProbePurpose.LEAVER, "4711", "SHA256:x")
    await record(office.company.ledger, made(probe, WouldOpen(), "node-1"))
    assert "A listener would still open for Eve Example" in await ada.read("/")
    assert "1 would open" in await ada.read("/leavers")
    assert "would still open" not in await max_.read("/")


async def test_what_a_leaver_answered_for_and_decided_needs_somebody_else(office: Office) -> None:
    ada = await office.sign_in("ada")
    asked = await office.company.ask("eve", "web-1", "app")
    assert "Nobody is left" not in await ada.read("/")
    await ada.done("/people/max/disable", reason="left")
    assert await office.company.reader(count, None, "request.rerouted") == 1
    home = await ada.read("/")
    assert "Nobody is left who may decide what Eve Example asks: app on web-1." in home
    assert f'"/requests/{asked.request}"' in home
    assert "Eve Example" in await ada.read(f"/requests/{asked.request}")
    page = await ada.read("/people/max")
    assert "Needs somebody else now" in page
    assert "vendor without a sponsor" in page
    assert "/leavers#max" in page
    await office.company.bind("ada", "manager")
    await office.company.bind("bob", "manager")
    assert "Nobody is left" not in await ada.read("/")
    await office.company.unbind("bob", "manager")
    await office.company.unbind("ada", "manager")
    assert "Nobody is left" in await ada.read("/")
