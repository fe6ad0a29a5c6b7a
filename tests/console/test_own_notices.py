"""My notices: everybody chooses for themselves, sees what cannot be chosen, and sees later how it was."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.domain.telling.outbox import Channel, ReceiverSet
from onepam.kernel.clock import HOUR, iso
from onepam.store.read.telling import choice
from tests.company import record
from tests.console.browsing import Office, opened

pytestmark = pytest.mark.anyio

PAGE = "/my-notices"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as office:
        yield office


def form(**changes: str) -> dict[str, str]:
    """The form as the page sends it."""
    return {"zone": "Europe/Berlin", "digest_at": "08:00", "quiet_from": "", "quiet_until": "", "day-1": "1", **changes}


async def test_somebody_chooses_and_sees_what_holds_and_what_held(office: Office) -> None:
    max_, eve = await office.sign_in("max"), await office.sign_in("eve")
    before = await max_.read(PAGE)
    assert "sends no e-mail yet" in before
    await record(office.company.ledger, ReceiverSet("mail", Channel.MAIL))
    assert "To max@example.com." in await max_.read(PAGE)
    assert "Alarms, which come at once" not in before, "they are told to whoever administers"
    assert "Alarms, which come at once" in await (await office.sign_in("ada")).read(PAGE)
    assert "Somebody asks for access" in before
    assert "Somebody asks for access" not in await eve.read(PAGE), "she decides on nothing"
    then = office.company.clock.advance(HOUR)
    chosen = form(
        quiet_from="22:00", quiet_until="07:00", **{"how-request.made": "digest", "how-statement.asked": "never"}
    )
    assert "Saved. It holds from now on." in await max_.done(PAGE, **chosen)
    shown = await max_.read(PAGE)
    assert 'value="Europe/Berlin"' in shown
    assert '<option value="digest" selected>' in shown
    assert '<option value="never" selected>' in shown
    assert 'value="22:00"' in shown
    assert 'value="22:00"' not in await max_.read(f"{PAGE}?as_of={iso(then)}")
    assert '<option value="digest" selected>' not in await eve.read(PAGE)
    found = await office.company.reader(choice, None, "max")
    assert found is not None
    assert (found.days, found.digest_at) == ((1,), 480)
    assert found.in_digest == {"request.made"}
    assert found.untold == {"statement.asked"}
    assert await office.company.reader(choice, None, "eve") is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"zone": "Mars/Olympus"}, "There is no such time zone."),
        ({"zone": "../../etc/passwd"}, "There is no such time zone."),
        ({"zone": "x" * 5000}, "There is no such time zone."),
        ({"digest_at": "25:00"}, "A time is missing, or is none."),
        ({"quiet_from": "22:00"}, "A time is missing, or is none."),
        ({"day-1": ""}, "The digest needs a day of the week."),
        ({"how-role.withheld": "never"}, "This cannot be turned off"),
        ({"how-factor.removed": "never"}, "This cannot be turned off"),
        ({"how-statement.asked": "digest"}, "This does not wait for a digest"),
        ({"quiet_from": "07:00", "quiet_until": "23:30"}, "Quiet hours are 16 a day at most."),
        ({"quiet_from": "07:00", "quiet_until": "08:30"}, "The digest would come in your quiet hours."),
    ],
)
async def test_what_cannot_be_chosen_is_said(office: Office, changes: dict[str, str], says: str) -> None:
    eve = await office.sign_in("eve")
    assert says in await eve.refused(PAGE, **form(**changes))
    assert await office.company.reader(choice, None, "eve") is None


async def test_nobody_chooses_for_somebody_else(office: Office) -> None:
    """Whose it is follows from who is signed in, whatever the form says."""
    eve = await office.sign_in("eve")
    await eve.done(PAGE, **form(person="ada", by="ada", **{"how-request.made": "never"}))
    assert await office.company.reader(choice, None, "ada") is None
    assert await office.company.reader(choice, None, "eve") is not None
