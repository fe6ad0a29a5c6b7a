"""The page of one's own request says by itself that something changed, and so does the number of what waits."""

import html
import re

import pytest

from onepam.kernel.clock import HOUR
from tests.console.browsing import Office

pytestmark = pytest.mark.anyio


async def test_a_page_that_waits_is_loaded_anew_once_somebody_decided(office: Office) -> None:
    company, eve = office.company, await office.sign_in("eve")
    made = await company.ask("eve", "web-1", "app", HOUR)

    async def asks() -> str:
        """What the page asks by itself, "" where it asks nothing."""
        found = re.search(
            r'hx-get="([^"]*seen=[^"]*)" hx-trigger="every 5s"', await eve.read(f"/requests/{made.request}")
        )
        return html.unescape(found[1]) if found else ""

    waiting = await asks()
    still = await eve.get(waiting)
    assert (still.status_code, "HX-Refresh" in still.headers) == (204, False)
    await company.approve("max", made)
    assert (await eve.get(waiting)).headers["HX-Refresh"] == "true"
    running = await asks()
    assert running != waiting
    assert (await eve.get(running)).status_code == 204
    company.clock.advance(HOUR)
    assert (await eve.get(running)).headers["HX-Refresh"] == "true"
    eve = await office.sign_in("eve")
    assert await asks() == "", "nothing changes any more"
    for other in ("vic", "max"):
        assert (await (await office.sign_in(other)).get(waiting)).status_code == 404


async def test_an_open_page_is_told_how_much_waits(office: Office) -> None:
    company, max_ = office.company, await office.sign_in("max")
    assert (await max_.get("/waiting")).json() == {"waiting": 0, "changes": 0}
    made = await company.ask("eve", "web-1", "app", HOUR)
    assert (await max_.get("/waiting")).json() == {"waiting": 1, "changes": 0}
    assert "<title>(1) Approvals" in await max_.read("/approvals")
    await company.approve("max", made)
    assert (await max_.get("/waiting")).json() == {"waiting": 0, "changes": 0}
    assert "<title>Approvals" in await max_.read("/approvals")
    assert (await (await office.sign_in("eve")).get("/waiting")).status_code == 403
    assert (await office.browser().get("/waiting", accept="application/json")).status_code == 401
