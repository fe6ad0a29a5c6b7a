"""What the samples show is what the product makes: each thing on a sample page has the members that the real page gives
it, no more and no fewer. Judged is what the company of the tests brings to light, walked through by its people."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import fields
from typing import Any

import pytest

from onepam.app.providers.propose_provider import propose_provider
from onepam.console.frame import rendering, visit
from onepam.console.frame.page import PageContext
from onepam.console.frame.rendering import Shell
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import ProviderRule
from onepam.domain.providers.setting import Provider
from onepam.kernel.clock import HOUR
from tests.console.browsing import Office, opened
from tests.console.samples.pages import SAMPLES
from tests.console.test_pages_admin import ACCESS, WHY

pytestmark = pytest.mark.anyio

Shape = dict[str, list[frozenset[str]]]
"""Place on a page -> the members of each thing that stands there."""

MAPS = frozenset({"labels", "choices", "subjects", "filters", "errors", "cells"})
"""Whose keys are data."""

LEAST_PLACES = 40
"""So many places are compared at least."""


def things(value: object, place: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Every mapping below a value, with its place; what is in lists stands at one place."""
    if isinstance(value, Mapping):
        if re.split("[ .]", place)[-1] in MAPS or not all(isinstance(each, str) for each in value):
            return
        yield place, frozenset(value)
        for name, each in value.items():
            yield from things(each, f"{place}.{name}")
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from things(each, f"{place}[]")


def shape(pages: list[PageContext]) -> Shape:
    """What stands where on some pages."""
    found: Shape = {}
    for page in pages:
        given: Any = page
        for each in fields(given):
            for place, members in things(getattr(page, each.name), f"{page.template} {each.name}"):
                found.setdefault(place, []).append(members)
    return found


@pytest.fixture(scope="module")
async def real(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shape]:
    """What the product gives its templates, on a morning on which something has happened."""
    given: list[PageContext] = []
    as_it_was = rendering.render

    def render(page: PageContext, shell: Shell) -> str:
        given.append(page)
        return as_it_was(page, shell)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(visit, "render", render)
        async with opened(tmp_path_factory.mktemp("office")) as office:
            await walked(office)
        yield shape(given)


async def walked(office: Office) -> None:
    """People at work, and then each of their pages."""
    company = office.company
    browsers = {who: await office.sign_in(who) for who in ("eve", "max", "ada", "bob", "aud")}
    sessions = [await office.session("eve", "dev-1", "app", close=close) for close in (True, False)]
    await company.open("eve", "old-1", "app")
    granted = await company.ask("eve", "web-1", "app", HOUR)
    await company.approve("max", granted)
    waiting = await company.ask("eve", "web-2", "root", HOUR)
    okta = Provider("chg_7", "idp_7", ProviderKind.OIDC, "Okta", '{"issuer":"https://o.example"}', ProviderRule(), None)
    assert await propose_provider(company.ledger, company.actor("ada"), okta, None) is None
    browsers = {who: await office.sign_in(who) for who in browsers}
    await browsers["ada"].post("/changes", text=ACCESS, **WHY)
    await browsers["ada"].upload("/systems", b"account,right\nroot,all\neve,read\n", system="payroll")
    await browsers["ada"].upload("/systems", b"account,right\nvic,read\n", system="payroll")
    paths = [
        *("/", "/approvals", "/factors", "/sessions", "/people", "/people/eve", "/people/vic", "/resources", "/roles"),
        *(
            "/resources/web-1",
            "/changes",
            "/ledger",
            "/ledger?entry=40",
            "/requests",
            "/leavers",
            "/providers",
            "/second-factors",
        ),
        *("/providers/proposed/chg_7", "/provisioning", "/notices", "/signals", "/exceptions", "/roster"),
        *("/systems", "/systems/payroll"),
        *(f"/requests/{each.request}" for each in (granted, waiting)),
        *(f"/sessions/{each}" for each in sessions),
    ]
    for browser in browsers.values():
        for path in paths:
            assert (await browser.get(path)).status_code in (200, 403, 404), path


async def test_a_sample_has_the_members_that_the_product_gives(real: Shape) -> None:
    sampled, compared, wrong = shape([page for _, page in SAMPLES.values()]), 0, []
    for place in sampled.keys() & real.keys():
        compared += 1
        ours, theirs = frozenset().union(*sampled[place]), frozenset().union(*real[place])
        if ours != theirs:
            wrong.append(f"{place}: made up {sorted(ours - theirs)}, left out {sorted(theirs - ours)}")
    assert not wrong, "\n".join(sorted(wrong))
    assert compared >= LEAST_PLACES
