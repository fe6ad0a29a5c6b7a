"""Reviews in the browser: one opens, its items are decided by those whose they are, and what is removed is gone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.console.reviews.reviews import holiday
from onepam.domain.reviews.events import RoleWithheld, Withheld
from onepam.kernel.clock import DAY, HOUR
from onepam.store.read.reviews import reviews
from tests.company import record, refused
from tests.console.browsing import Office, opened

pytestmark = pytest.mark.anyio


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as office:
        yield office


async def the_review(office: Office) -> str:
    (row,) = await office.company.reader(reviews, None, "ada", True)
    return f"/reviews/{row.review}"


async def test_an_administrator_opens_one_and_reviewers_decide(office: Office) -> None:
    ada, max_, eve = await office.sign_in("ada"), await office.sign_in("max"), await office.sign_in("eve")
    asked = await office.company.ask("eve", "web-1", "app", HOUR)
    await office.company.approve("max", asked)
    grant = f"/requests/{asked.request}"
    assert "Open to you" in await eve.read(grant)
    assert "opens nothing" not in await eve.read(grant)
    assert "No review yet" in await max_.read("/reviews")
    assert "called that" in await ada.refused("/reviews", days="14", fallback="nobody at all")
    assert "Opened:" in await ada.done("/reviews", days="14", suspends="privileged", fallback="bob@example.com")
    page = await the_review(office)
    assert "1 for you" in await max_.read("/reviews")
    home = await max_.read("/")
    assert "1 for you" in home
    assert "Nothing waits for you" not in home
    inbox = await max_.read("/approvals")
    assert "1 for you" in inbox
    assert "Nothing else waits for you" in inbox
    assert '<a class="nav-link" href="/reviews"' in home.replace("nav-link active", "nav-link")
    assert 'href="/reviews"' not in await eve.read("/"), "she answers for nobody"
    assert "No review yet" in await eve.read("/reviews")
    assert (await eve.get(page)).status_code == 404
    mine = await max_.read(page)
    assert "Vic Example" in mine
    assert "Eve Example" not in mine
    console = (await ada.read(f"{page}?which=all")).split('id="aud-auditor"')[1].split("</details>")[0]
    assert "it opens no sessions" in console
    assert "Look at it" not in console
    assert "Never used to open a session" in await ada.read(f"{page}?which=all")
    assert "Kept." in await max_.done(f"{page}/decide", person="vic", role="vendor", decision="approve", comment="yes")
    assert 'data-item="Vic Example, vendor"' in await max_.read(page), "until it is over they may change their mind"
    assert "Somebody else decides" in await max_.refused(
        f"{page}/decide", person="eve", role="engineer", decision="deny"
    )
    assert "Removed: it gives nothing any more." in await ada.done(
        f"{page}/decide", person="eve", role="engineer", decision="deny"
    )
    refused(await office.company.open("eve", "dev-1", "app"), "resource.unknown")
    refused(await office.company.open("eve", "web-1", "app"), "resource.unknown")
    assert "Open to you" not in await eve.read(grant)
    assert "opens nothing: a review withholds the role engineer" in await eve.read(grant)
    hers = await eve.read("/")
    assert "A review took the role engineer from you" in hers
    assert "no role yet" not in hers
    assert "from you" not in await max_.read("/")
    assert "Removed; a binding gives it still" in await ada.read(f"{page}?which=removed")
    assert "; a review withholds it; since" in await ada.read("/roles/engineer")
    assert "; a review withholds it" not in await ada.read("/roles/vendor")
    assert "Passed on." in await ada.done(f"{page}/decide", person="aud", role="auditor", decision="pass")
    assert "called that" in await ada.refused(
        f"{page}/decide", person="max", role="manager", decision="pass", to="nobody at all"
    )
    assert "Passed on." in await ada.done(
        f"{page}/decide", person="max", role="manager", decision="pass", to="eve@example.com"
    )
    assert "Max Example" in await eve.read(page)
    assert (await ada.post(f"{page}/decide", person="max", role="manager", decision="odd")).status_code == 409
    assert "This list of the review is empty." in await ada.read(f"{page}?which=suspended")
    for which in ("waiting", "nobody", "suspended", "all", "odd"):
        assert (await ada.get(f"{page}?which={which}")).status_code == 200


async def test_to_keep_something_a_stale_factor_is_shown_again(office: Office) -> None:
    ada = await office.sign_in("ada")
    await ada.done("/reviews", days="14")
    page = await the_review(office)
    office.company.clock.advance(2 * HOUR)
    answer = await ada.post(f"{page}/decide", person="eve", role="engineer", decision="approve")
    assert answer.headers["location"].startswith("/step-up?next=")


async def test_a_quarter_that_was_missed_shows(office: Office) -> None:
    office.company.clock.advance(40 * DAY)
    aud = await office.sign_in("aud")
    assert "Missed" in await aud.read("/reviews")
    assert "Missed" not in await (await office.sign_in("eve")).read("/reviews")


async def test_home_says_that_a_role_is_withheld_and_who_brings_it_back(office: Office) -> None:
    await record(office.company.ledger, RoleWithheld("eve", "engineer", "rev_1", Withheld.SILENCE, None))
    home = await (await office.sign_in("eve")).read("/")
    assert "Your role engineer is withheld: nobody confirmed it in a review in time. Ask your manager." in home


def test_days_on_which_none_opens_are_said_as_people_say_them() -> None:
    assert [holiday("saturday"), holiday("2027-01-01")] == ["Saturdays", "1 January 2027"]
