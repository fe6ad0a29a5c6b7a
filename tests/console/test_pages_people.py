"""People on the console: the list by every filter, one person, changing what is known, and second factors."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from onepam.domain.access.model import MfaRule
from onepam.domain.access.proof import MfaBasis
from onepam.domain.people.events import PersonAdded, PersonDisabled, PersonKind
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import IdentityLinked, ProviderRule, ProviderSet
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.kernel.clock import DAY, Instant
from onepam.store.read.everybody import PersonRow
from onepam.store.read.people import person
from tests.company import START, record, resource_set
from tests.console.browsing import Browser, Office, opened

pytestmark = pytest.mark.anyio

OKTA = ProviderSet("chg_9", "idp_1", ProviderKind.OIDC, "Okta", "{}", ProviderRule(), "ada", "bob")
SOON = Instant(START + 5 * DAY)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as office:
        eve = replace(office.company.signed_in("eve"), basis=MfaBasis.ATTESTED, provider="idp_1")
        await record(
            office.company.ledger,
            OKTA,
            IdentityLinked("idn_1", "idp_1", "eve", "joined", None, "d" * 64, subject="00u1", user_name="eve.example"),
            eve,
            FactorEnrolled("fac_1", "max", FactorKind.PASSKEY, "v1", None, None),
            PersonAdded("sue", PersonKind.EMPLOYEE, "hired", None, None, None, None, "Sue Scim", "sue@example.com",
                        "scim:idp_1"),
            PersonAdded("ron", PersonKind.VENDOR, "contract", None, "max", SOON, None, "Ron Roster", "ron@example.com",
                        "roster"),
            PersonDisabled("aud", "ada", "left the company", "scim:idp_1", office.company.clock.now,
                           office.company.clock.now),
        )  # fmt: skip
        yield office


@pytest.fixture
async def ada(office: Office) -> AsyncIterator[Browser]:
    browser = await office.sign_in("ada")
    yield browser
    await browser.close()


EVERYBODY = {"ada", "bob", "max", "eve", "vic", "aud", "sue", "ron"}
FILTERS = {
    "": EVERYBODY,
    "kind=vendor": {"vic", "ron"},
    "origin=scim": {"sue"},
    "origin=roster": {"ron"},
    "origin=administrator": EVERYBODY - {"sue", "ron"},
    "state=disabled": {"aud"},
    "state=ending": {"ron"},
    "state=invited": {"sue"},
    "factor=own": {"max"},
    "factor=attested": {"eve"},
    "factor=declared": set(),
    "factor=none": EVERYBODY - {"max", "eve"},
    "q=roster": {"ron"},
    "state=odd": set(),
}


@pytest.mark.parametrize("query", FILTERS)
async def test_the_list_by_every_filter(ada: Browser, query: str) -> None:
    listed = await ada.read(f"/people?{query}")
    shown = {each for each in EVERYBODY if f'href="/people/{each}"' in listed}
    assert shown == FILTERS[query]


async def test_the_list_says_where_from_in_what_state_and_by_what(ada: Browser) -> None:
    listed = unescape(await ada.read("/people")).replace("<wbr>", "")
    for words in ("sue@example.com · SCIM from Okta", "ron@example.com · roster", "attested by Okta", "attested, Okta",
                  "left the company", "Ends in 4 days", "None yet"):  # fmt: skip
        assert words in listed, words


async def test_a_person_shows_identities_and_how_access_ended(ada: Browser) -> None:
    eve = await ada.read("/people/eve")
    assert "as eve.example" in eve
    assert "attested by Okta" in eve
    aud = await ada.read("/people/aud")
    assert "All access ended" in aud
    assert "We heard" in aud


async def test_what_is_known_is_changed_by_an_administrator(office: Office, ada: Browser) -> None:
    known = {"name": "Vic Vendor", "email": "vic@new.example", "owner": "max@example.com", "ends": "2026-05-31"}
    page = await ada.read("/people/vic")
    assert 'value="max@example.com"' in page
    page = await ada.done("/people/vic", **{**known, "ends": "2026-06-30"})
    assert "Vic Vendor" in page
    assert "vic@new.example" in page
    row = await _row(office, "vic")
    assert (row.name, row.owner, row.ends) == ("Vic Vendor", "max", 1782864000000000)
    assert "sponsor" in await ada.refused("/people/vic", **{**known, "owner": ""})
    assert "Nobody here has the sponsor" in unescape(
        await ada.refused("/people/vic", **{**known, "owner": "x@y.example"})
    )
    assert "needs an end date" in await ada.refused("/people/vic", **{**known, "ends": ""})
    assert "not a date" in await ada.refused("/people/vic", **{**known, "ends": "soon"})
    assert "Nobody changes their own" in await ada.refused("/people/ada", name="Ada Boss", email="ada@example.com")
    assert (await ada.post("/people/nobody", **known)).status_code == 404
    assert 'id="change-person"' not in await ada.read("/people/ada")
    await ada.done("/people/eve", name="Eve Example", email="eve@example.com", manager="max@example.com")
    assert (await _row(office, "eve")).manager == "max"


async def test_an_end_that_is_not_touched_keeps_its_instant(office: Office, ada: Browser) -> None:
    exact = Instant(SOON + 3_600_000_000)
    await record(
        office.company.ledger,
        PersonAdded("tom", PersonKind.VENDOR, "contract", None, "max", exact, None, "Tom", "tom@example.com", "roster"),
    )
    page = await ada.read("/people/tom")
    assert 'value="2026-03-07"' in page
    await ada.done("/people/tom", name="Tom T", email="tom@example.com", owner="max@example.com", ends="2026-03-07")
    assert (await _row(office, "tom")).ends == exact


async def test_second_factors_are_counted_on_one_page(office: Office, ada: Browser) -> None:
    plain = await ada.read("/second-factors")
    assert "None asks for more" in plain
    assert "Sessions without one" in plain
    rule = MfaRule(3_600_000_000, True, True)
    await record(office.company.ledger, replace(resource_set("web-1", {"env": "prod"}), mfa=rule))
    assert "a passkey only; a factor of its own" in await ada.read("/resources/web-1")
    page = await ada.read("/second-factors")
    assert "a passkey only; a factor of its own for each session; at most 1 h old" in page
    assert 'href="/people/sue"' in page
    assert 'href="/people/eve"' not in page


async def _row(office: Office, who: str) -> PersonRow:
    found = await office.company.reader(person, None, who)
    assert found is not None
    return found.row


async def test_a_list_goes_on_and_is_downloaded_whole(office: Office) -> None:
    ada = await office.sign_in("ada")
    named = [f"Zed {number}" for number in range(1, 31)]
    added = [
        PersonAdded(f"per_{number}", PersonKind.EMPLOYEE, "hired", None, None, None, None, name, f"z{number}@x.org")
        for number, name in enumerate(named)
    ]
    formula = PersonAdded("per_x", PersonKind.EMPLOYEE, "hired", None, None, None, None, "=1+1 Zed", "zx@x.org")
    await record(office.company.ledger, *added, formula)
    first = await ada.read("/people?q=zed")
    assert "31 people" in first
    assert "Zed 2</a>" in first, "its numbers sort by their value"
    assert "Zed 30</a>" not in first
    link = re.search(r'rel="next" href="([^"]+)"', first)
    assert link is not None
    second = await ada.read(link[1].replace("&amp;", "&"))
    assert "Zed 30</a>" in second
    assert "Zed 2</a>" not in second
    assert 'rel="next"' not in second
    assert "First page" in second
    sheet = await ada.get("/people?q=zed&as=csv")
    lines = sheet.text.removeprefix("\ufeff").splitlines()
    assert len(lines) == 32
    assert lines[1].startswith('"\'=1+1 Zed"'), "no cell is a formula"
    assert [line.split(",")[0].strip('"') for line in lines[2:]] == named
    then = await ada.read("/people?q=zed&as_of=2026-03-02T08:00")
    assert "Nobody matches" in then
