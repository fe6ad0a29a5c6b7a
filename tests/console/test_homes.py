"""Five people, five homes: each answers the question of whoever opens it, and no link there ends at a closed door."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape

import pytest

from onepam.console.app import PLACES
from onepam.console.desk.home import MOST_BESIDE
from onepam.domain.history.system import LedgerVerified
from onepam.domain.telling.outbox import Channel, ReceiverSet
from tests.company import DEV, record, resource_set, role_set
from tests.console.browsing import Browser, Office, opened
from tests.console.test_alarms import BROKEN, WORDS

pytestmark = pytest.mark.anyio

PEOPLE = {"engineer": "eve", "approver": "max", "administrator": "bob", "auditor": "aud", "monitor": "mon"}
MOST = 60
"""Links of one kind of page that are opened: lists have many alike."""


@pytest.fixture(scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with opened(tmp_path_factory.mktemp("office")) as office:
        await office.company.join("mon", "security")
        await office.sign_in("eve")
        await office.session("eve", "dev-1", "app")
        yield office


@pytest.fixture(scope="module")
async def browsers(office: Office) -> AsyncIterator[dict[str, Browser]]:
    found = {role: await office.sign_in(person) for role, person in PEOPLE.items()}
    yield found
    for each in found.values():
        await each.close()


def main_of(page: str) -> str:
    return page[page.index('id="main"') :]


async def test_everybody_lands_on_what_they_ask(browsers: dict[str, Browser]) -> None:
    homes = {role: main_of(await browser.read("/")) for role, browser in browsers.items()}
    said = {
        "What do you need to reach?": {"engineer"},
        "Nothing waits for you": {"approver", "administrator"},
        "Set up OnePAM": {"administrator"},
        ">Health<": {"administrator", "monitor"},
        "Live now": {"monitor"},
        "Show me": {"auditor"},
    }
    for words, whose in said.items():
        assert {role for role, page in homes.items() if words in page} == whose, words
    for role in ("administrator",):
        assert "Ask an administrator" not in homes[role]
    assert "My access" not in homes["auditor"]


async def test_who_does_more_than_reach_resources_sees_few_of_them_until_they_search(office: Office) -> None:
    company = office.company
    logins = [f"login-{number}" for number in range(MOST_BESIDE + 2)]
    many = replace(resource_set("many-1", {"env": "many"}), logins=tuple(logins))
    reach = replace(DEV, where={"env": "many"}, logins=tuple(logins))
    await record(company.ledger, many, role_set("many", (reach,)))
    for person, role, few in (("tea", "engineer", False), ("sea", "security", True)):
        await company.join(person, role, "many")
        browser = await office.sign_in(person)
        home, found = main_of(await browser.read("/")), main_of(await browser.read("/?q=many"))
        assert home.count('aria-label="Command for many-1"') == (MOST_BESIDE if few else len(logins))
        assert ("2 more: narrow the search." in home) is few
        assert found.count('aria-label="Command for many-1"') == len(logins)


async def test_a_refusal_in_a_terminal_leads_everybody_to_the_search(browsers: dict[str, Browser]) -> None:
    for browser in browsers.values():
        page = main_of(await browser.read("/?request=dev-1"))
        assert 'name="q" value="dev-1"' in page


@pytest.mark.parametrize("role", PEOPLE)
async def test_no_link_of_any_page_ends_at_a_closed_door(role: str, browsers: dict[str, Browser]) -> None:
    browser, seen = browsers[role], set[str]()
    ways = [place.path for place in PLACES if place.shown and (await browser.get(place.path)).status_code == 200]
    assert ways[0] == "/"
    ways += ["/people/eve", "/roles/engineer", "/?draw=sessions&seed=x", "/?draw=reach&seed=x", "/?draw=refused&seed=x"]
    for way in ways:
        answer = await browser.get(way)
        if answer.status_code != 200:
            continue
        for href in re.findall(r'<a [^>]*href="(/[^"#]*)', main_of(answer.text)):
            path = unescape(href)
            if path in seen or len(seen) > MOST * len(ways) or path.startswith(("/static", "/ledger/verifier")):
                continue
            seen.add(path)
            there = await browser.get(path)
            assert there.status_code in (200, 303), (way, path, there.status_code)
            assert "right.missing" not in there.text, (way, path)
    assert seen


async def test_an_address_that_is_none_has_the_frame_and_a_way_home(browsers: dict[str, Browser]) -> None:
    for browser in browsers.values():
        answer = await browser.get("/nosuch")
        assert answer.status_code == 404
        assert 'aria-label="Main"' in answer.text
        assert '<a class="btn" href="/">Home</a>' in answer.text


async def test_an_administrator_is_not_sent_to_an_administrator(browsers: dict[str, Browser]) -> None:
    refused = await browsers["administrator"].get("/ledger/pack/file")
    assert refused.status_code == 403
    assert "Ask an administrator" not in refused.text
    assert "Ask an administrator" in (await browsers["engineer"].get("/people")).text


async def test_a_sample_is_drawn_again_by_its_seed(office: Office, browsers: dict[str, Browser]) -> None:
    aud = browsers["auditor"]
    home = main_of(await aud.read("/"))
    way = re.search(r'href="([^"]*draw=sessions[^"]*)"', home)
    assert way
    one, two = [main_of(await aud.read(unescape(way[1]))) for _ in range(2)]
    sample = one[one.index('id="sample"') :]
    assert sample == two[two.index('id="sample"') :]
    assert re.search(r'href="/sessions/ses_\w+"', sample)
    assert "opened" in sample or "dev-1" in sample
    assert "1 session<" in home
    early = main_of(await aud.read("/?from=2001-01-01&to=2001-01-31"))
    assert "0 sessions" in early
    assert "Draw a sample: Who was in" not in early


async def test_no_light_says_more_than_what_is_known(office: Office, browsers: dict[str, Browser]) -> None:
    mon = browsers["monitor"]
    assert "nobody is told" in await mon.read("/")
    await record(office.company.ledger, ReceiverSet("siem", Channel.WEBHOOK))
    assert "everybody is told" in await mon.read("/")
    await record(office.company.ledger, LedgerVerified("lawful", 9, "0" * 64, ("entry 3 (role.set): not given",)))
    page = await mon.read("/")
    assert "a right was used that it did not give" in page
    assert "fails its verification" not in page


async def test_whoever_watches_reads_the_alarms_at_home(office: Office, browsers: dict[str, Browser]) -> None:
    await record(office.company.ledger, BROKEN)
    page = main_of(await browsers["monitor"].read("/"))
    assert WORDS in page
