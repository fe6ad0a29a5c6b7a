"""A review bites: what nobody answered opens nothing until it is kept, and what is removed ends the session that runs.

Chromium on the console of a whole gateway, the stock ssh client at its door, and a real sshd behind it.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from secrets import token_bytes
from threading import Event, Thread
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, Locator, expect, sync_playwright

from onepam.app.reviews.close_review import close_review
from onepam.app.reviews.open_review import OpeningQuery, open_review
from onepam.boot.clock import wall_clock
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.review_schedule import Suspends
from onepam.domain.history.commit import Decided
from onepam.domain.leaving.probing import ProbeMade, ProbeResult
from onepam.domain.people.events import PersonChanged
from onepam.domain.reviews import opening
from onepam.domain.reviews.events import ReviewOpened, RoleWithheld, Scope, Withheld
from onepam.domain.reviews.opening import Opening, OpeningFacts
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed
from onepam.domain.signing_in.events import FactorKind, SignedIn, SignInKind
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from tests.company import role_set
from tests.console.hands import Hands
from tests.gateway_fixture import SECONDS, STANDING, Gateway, Person, outcome, running_gateway

T = TypeVar("T")


@dataclass
class House:
    """A gateway that runs beside the browser."""

    gateway: Gateway
    loop: asyncio.AbstractEventLoop
    administrator: Person

    def does(self, command: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(command, self.loop).result(SECONDS)

    def hands(self, browser: Browser, person: Person) -> Hands:
        """Somebody who has just signed in to the console."""
        token, now = "opc_" + token_bytes(24).hex()[:43], wall_clock()
        factors = (FactorKind.PASSWORD, FactorKind.TOTP)
        signed_in = SignedIn(
            new_id("sgn", token_bytes), person.id, SignInKind.CONSOLE, factors, now, Instant(now + HOUR), None,
            token_digest=sha256(token.encode()).hexdigest(), source="127.0.0.1", agent="test",
        )  # fmt: skip
        self.does(self.gateway.record(signed_in))
        return Hands(browser, self.gateway.platform.config.url, token)

    def engineer(self) -> tuple[Person, Person]:
        """Somebody at work, and their manager."""
        manager, person = self.does(self.gateway.person()), self.does(self.gateway.person())
        mail = f"{person.id}@example.com"
        under = PersonChanged(person.id, None, manager.id, None, None, "Eve", mail)
        self.does(self.gateway.record(under, role_set(person.role, (STANDING,))))  # by its true version
        return person, manager

    def enters(self, person: Person) -> bool:
        """Whether the door lets somebody in."""
        return self.does(self.gateway.run(*self.gateway.ssh(person, "true"))).status == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    ready, over, found = Event(), asyncio.Event(), list[House]()

    async def stand() -> None:
        async with running_gateway(tmp_path_factory.mktemp("gateway")) as gateway:
            administrator = await gateway.person(console=(ConsoleRight.ADMINISTER,))
            found.append(House(gateway, asyncio.get_running_loop(), administrator))
            ready.set()
            await over.wait()

    thread = Thread(target=asyncio.run, args=(stand(),))
    thread.start()
    try:
        assert ready.wait(SECONDS), "the gateway did not come up"
        yield found[0]
    finally:
        if found:
            found[0].loop.call_soon_threadsafe(over.set)
        thread.join(SECONDS)


async def missed(gateway: Gateway, administrator: Person, person: Person) -> str:
    """A review of what somebody holds that was over as it opened, and that nobody answered."""
    review = new_id("rev", token_bytes)

    def opened(facts: OpeningFacts, now: Instant) -> Decided[None] | Refused:
        wanted = Opening(Scope(people=(person.id,)), DAY, Suspends.EVERYTHING)
        found = opening.open_review(facts, wanted, review, now)
        assert isinstance(found, Decided), found
        (event,) = found.events
        assert isinstance(event, ReviewOpened)
        return Decided((replace(event, closes=now),), None)

    await gateway.platform.ledger.commit(OpeningQuery(gateway.actor(administrator)), opened)
    await close_review(gateway.platform.ledger, review)  # if the gateway was not quicker
    return review


def item(hands: Hands, person: Person) -> Locator:
    return hands.page.locator(f"[id='{person.id}-{person.role}']")


def presses(hands: Hands, key: str) -> None:
    """One key on the item that is open."""
    hands.page.locator("[data-island=inbox][data-mounted=yes]").wait_for()
    with hands.page.expect_navigation():
        hands.press(key)


def test_what_nobody_answered_opens_nothing_until_it_is_kept_after_all(house: House, browser: Browser) -> None:
    person, manager = house.engineer()
    assert house.enters(person)
    review = house.does(missed(house.gateway, house.administrator, person))
    (taken,) = house.gateway.events(RoleWithheld, person)
    assert taken.because is Withheld.SILENCE
    assert not house.enters(person)
    theirs = house.hands(browser, person)
    expect(theirs.page.get_by_text(f"Your role {person.role} is withheld: nobody confirmed it")).to_be_visible()
    hands = house.hands(browser, manager)
    hands.page.goto(f"/reviews/{review}")
    expect(item(hands, person).get_by_text("Withheld: nobody answered")).to_be_visible()
    presses(hands, "a")
    expect(item(hands, person).get_by_text("Kept", exact=True)).to_be_visible()
    assert house.enters(person)
    theirs.page.reload()
    expect(theirs.page.get_by_text("is withheld")).to_have_count(0)


def test_a_removal_ends_the_session_that_runs_and_the_door_says_no_to_the_probe(house: House, browser: Browser) -> None:
    person, manager = house.engineer()
    working = house.does(house.gateway.working(person))
    review, actor = new_id("rev", token_bytes), house.gateway.actor(house.administrator)
    wanted = Opening(Scope(people=(person.id,)), DAY)
    assert not isinstance(house.does(open_review(house.gateway.platform.ledger, actor, wanted, review)), Refused)
    hands = house.hands(browser, manager)
    hands.page.goto(f"/reviews/{review}")
    presses(hands, "d")
    left = house.does(outcome(working, None))
    assert left.status == 255
    (ended,) = house.does(house.gateway.ended(person))
    assert isinstance(ended, SessionClosed)
    assert ended.because is SessionEnd.ACCESS_TAKEN
    house.does(probed(house.gateway, person))
    hands.page.reload()
    row = item(hands, person)
    if row.get_attribute("open") is None:
        row.locator("summary").click()
    expect(row.locator("dl.facts")).to_contain_text("web-1: refused")
    assert not house.enters(person)


async def probed(gateway: Gateway, person: Person) -> None:
    """Once the listener was asked, and refused."""
    made = list[ProbeMade]()
    async with asyncio.timeout(SECONDS):
        while not made:
            await asyncio.sleep(0.1)
            made = gateway.events(ProbeMade, person)
    assert {(each.resource, each.result) for each in made} == {("web-1", ProbeResult.REFUSED)}
