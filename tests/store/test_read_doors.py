"""Pressed doors, their banner, and from where somebody signed in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.open_session import Opened
from onepam.app.sessions.close_session import append_event
from onepam.domain.history.system import PayloadsErased
from onepam.domain.host.doors import Door, DoorCalm, DoorPressed
from onepam.store.read import doors as module
from onepam.store.read.alarms import alarms
from onepam.store.read.doors import PressedDoor, pressed_doors, signed_in_from
from tests.company import Company, record

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()


async def test_a_pressed_door_is_a_banner_until_it_is_calm(company: Company) -> None:
    assert await company.reader(pressed_doors) == []
    since = company.clock()
    await append_event(company.ledger, DoorPressed("nod_1", Door.SSH, 90, 12, 700, 3))
    await append_event(company.ledger, DoorPressed("nod_2", Door.WEB, 50, 60, 20, 20))
    found = await company.reader(pressed_doors)
    assert found[0] == PressedDoor("nod_1", Door.SSH, found[0].since, 90, 3)
    assert found[0].since >= since
    (alarm,) = [each for each in await company.reader(alarms) if each.kind == "door"]
    assert "to SSH and to the console" in alarm.sentence
    await append_event(company.ledger, DoorCalm("nod_1", Door.SSH, 900, 60))
    await append_event(company.ledger, DoorCalm("nod_1", Door.WEB, 0, 0))  # another process's own
    assert [each.node for each in await company.reader(pressed_doors)] == ["nod_2"]
    await append_event(company.ledger, DoorCalm("nod_2", Door.WEB, 900, 60))
    assert [each for each in await company.reader(alarms) if each.kind == "door"] == []


async def test_where_somebody_signed_in_is_known(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each entry is looked at once; what was erased tells nothing."""
    sources, after = await company.reader(signed_in_from, None, None)
    assert sources
    assert await company.reader(signed_in_from, None, after) == ([], after)
    opened = await company.open("eve", "dev-1", "app")
    assert isinstance(opened, Opened)
    sources, later = await company.reader(signed_in_from, None, after)
    assert (sources, later) == (["192.0.2.1"], after + 1)
    await record(company.ledger, PayloadsErased("ers_1", "eve", (after,), naming=False))
    sources, _ = await company.reader(signed_in_from, None, after)
    assert sources == []
    monkeypatch.setattr(module, "WINDOW", 1)
    assert (await company.reader(signed_in_from, None, 0))[1] == 1
    monkeypatch.setattr(module, "LATELY", 2)
    assert (await company.reader(signed_in_from, None, None))[1] == later  # of later + 1 entries the last but one
