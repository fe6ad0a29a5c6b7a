"""Guessing at factors, on every path that takes one that can be guessed: the gate counts, locks and tells nothing."""

import ast
import asyncio
from base64 import b32encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher

from onepam.console.frame.gate import DEVICE_COOKIE
from onepam.console.frame.visit import FLOW_COOKIE
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind, FactorRemoved, SignedIn, SignInFailed
from onepam.domain.signing_in.gate import LOCKED
from onepam.gateway.guesses import OF_ADDRESS
from onepam.identity import passwords
from onepam.identity.passwords import hash_password
from onepam.identity.stored import codes_text, sealed_seed
from onepam.kernel.clock import MINUTE, SECOND
from onepam.kernel.secret import Secret
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from tests.company import record
from tests.console.browsing import Browser, Office, opened, recovery_codes
from tests.house.sources import PACKAGE

pytestmark = pytest.mark.anyio

PASSWORD = "violet harbour ladder"
SEED = Secret(b"twenty bytes of seed")
APP = pyotp.TOTP(b32encode(SEED.reveal()).decode())


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked here is what counts as a try. What a hash costs is `tests/identity`'s."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    monkeypatch.setattr(passwords, "_NOBODY", f"$argon2id$v=19$m=64,t=1,p=1${'A' * 22}${'A' * 43}")


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as office:
        seed = sealed_seed(SEED, "ada", office.services.envelope)
        kept = ((FactorKind.PASSWORD, hash_password(PASSWORD)), (FactorKind.RECOVERY, codes_text(recovery_codes()[1])),
                (FactorKind.TOTP, seed))  # fmt: skip
        await record(
            office.company.ledger,
            *(FactorEnrolled(f"fac_{kind}", "ada", kind, "v1", None, "ada", secret=secret, reference="")
              for kind, secret in kept),
        )  # fmt: skip
        yield office


def code(office: Office, wrong: bool = False) -> str:
    now = office.company.clock() // SECOND
    return f"{(int(APP.at(now)) + wrong) % 1_000_000:06}"


async def by_password(office: Office, browser: Browser, right: bool) -> bool:
    answer = await browser.post("/sign-in", login="ada@example.com", password=PASSWORD if right else "wrong")
    return answer.status_code == 303


async def by_app(office: Office, browser: Browser, right: bool) -> bool:
    answer = await browser.post("/sign-in/totp", code=code(office, not right))
    return answer.status_code == 303


async def by_recovery_code(office: Office, browser: Browser, right: bool) -> bool:
    answer = await browser.post(
        "/sign-in/recovery", code=recovery_codes()[0].reveal().decode() if right else "abcde-fghij"
    )
    return answer.status_code == 303


async def by_step_up(office: Office, browser: Browser, right: bool) -> bool:
    answer = await browser.post("/step-up/totp", code=code(office, not right), next="/factors")
    return answer.status_code == 303


async def stranger(office: Office) -> Browser:
    """Nobody is known."""
    return office.browser()


async def after_password(office: Office) -> Browser:
    browser = office.browser()
    assert await by_password(office, browser, True)
    return browser


async def signed_in(office: Office) -> Browser:
    """With a stolen cookie, say."""
    return await office.sign_in("ada")


Begin = Callable[[Office], Awaitable[Browser]]
Try = Callable[[Office, Browser, bool], Awaitable[bool]]
WAYS: dict[str, tuple[Begin, Try]] = {
    "password": (stranger, by_password),
    "app": (after_password, by_app),
    "recovery code": (after_password, by_recovery_code),
    "step-up": (signed_in, by_step_up),
}


def events(office: Office) -> list[object]:
    with closing(connect(office.company.path, read_only=True)) as db:
        return [each.event for each in entries(db, 0, 1 << 30)]


def failures(office: Office) -> list[SignInFailed]:
    return [each for each in events(office) if isinstance(each, SignInFailed)]


@pytest.mark.parametrize("way", WAYS)
async def test_the_fifth_failure_locks_and_then_nothing_tells_right_from_wrong(office: Office, way: str) -> None:
    begin, attempt = WAYS[way]
    browser = await begin(office)
    for _ in range(5):
        assert not await attempt(office, browser, False)
    assert [each.failures for each in failures(office)] == [1, 2, 3, 4, 5]
    for _ in range(3):
        assert not await attempt(office, browser, True), "the right one, while locked"
        assert not await attempt(office, browser, False)
    assert [each.code for each in failures(office)][5:] == [LOCKED], "an entry for the first try of a lock"
    office.company.clock.advance(MINUTE)
    assert await attempt(office, browser, True), "the lock has passed"


@pytest.mark.parametrize("way", WAYS)
async def test_of_a_hundred_tries_at_once_five_are_judged(office: Office, way: str) -> None:
    begin, attempt = WAYS[way]
    browser = await begin(office)
    await browser.get("/sign-in")
    answers = await asyncio.gather(*(attempt(office, browser, False) for _ in range(60)))
    assert not any(answers)
    assert [each.failures for each in failures(office) if each.code != LOCKED] == [1, 2, 3, 4, 5]
    assert not await attempt(office, browser, True)


async def test_strangers_do_not_lock_the_persons_own_browser(office: Office) -> None:
    home = await after_password(office)
    answer = await home.post("/sign-in/totp", code=code(office))
    assert answer.status_code == 303
    assert DEVICE_COOKIE in home._client.cookies
    for _ in range(8):
        await by_password(office, office.browser(), False)
    assert not await by_password(office, office.browser(), True), "strangers are locked out"
    office.company.clock.advance(30 * SECOND)
    await by_password(office, office.browser(), False)
    assert await by_password(office, home, True), "and the person is not"
    assert (await home.post("/sign-in/totp", code=code(office))).status_code == 303
    assert len([each for each in events(office) if isinstance(each, SignedIn)]) >= 2


async def test_a_device_is_known_only_for_whom_it_was_and_until_the_factors_are_replaced(office: Office) -> None:
    home = await after_password(office)
    assert (await home.post("/sign-in/totp", code=code(office))).status_code == 303
    office.company.clock.advance(SECOND)
    again = [
        FactorEnrolled(f"fac_new_{kind}", "ada", kind, "v1", None, "ada", secret=secret, reference="")
        for kind, secret in ((FactorKind.PASSWORD, hash_password(PASSWORD)),)
    ]
    gone = [
        FactorRemoved(f"fac_{kind}", "ada", "x", "ada")
        for kind in (FactorKind.PASSWORD, FactorKind.RECOVERY, FactorKind.TOTP)
    ]
    await record(office.company.ledger, *gone, *again)
    for _ in range(5):
        await by_password(office, office.browser(), False)
    assert not await by_password(office, home, True), "known before the replacement, a stranger since"


async def test_guesses_at_many_accounts_from_one_address_are_stopped(office: Office) -> None:
    browser = office.browser()
    for number in range(OF_ADDRESS):
        await browser.post("/sign-in", login=f"nobody-{number}@example.com", password="spray")
    assert not await by_password(office, browser, True)
    assert failures(office) == [], "an account is not locked by what was guessed at others"
    office.company.clock.advance(11 * MINUTE)
    assert await by_password(office, browser, True)


async def test_spellings_of_an_address_are_one_account(office: Office) -> None:
    browser = office.browser()
    for login in ("ada@example.com", "ADA@example.com", "Ada@Example.COM", " ada@example.com ", "aDa@example.com"):
        await browser.post("/sign-in", login=login, password="wrong")
    assert [each.failures for each in failures(office)] == [1, 2, 3, 4, 5]


async def test_a_code_serves_once(office: Office) -> None:
    first, second = await after_password(office), await after_password(office)
    flow = second._client.cookies[FLOW_COOKIE]
    assert (await first.post("/sign-in/totp", code=code(office))).status_code == 303
    assert (await second.post("/sign-in/totp", code=code(office))).status_code == 403
    assert flow


GUESSED = {"verify_password", "totp.match", "totp_proof", "recovery.match"}
NOT_SOMEBODYS = {"console/signing_in/enrol.py:totp_check", "console/signing_in/factors.py:totp_check"}
"""The code of a seed that was just made: nothing is guessed, and nobody is signed in by it."""


async def test_whatever_verifies_a_factor_that_can_be_guessed_goes_through_the_gate() -> None:
    found, loose = 0, []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.unparse(node)
                where = f"{path.relative_to(PACKAGE)}:{node.name}"
                if where.startswith(("identity/", "console/frame/factor_words.py")) or not any(
                    each in text for each in GUESSED
                ):
                    continue
                found += 1
                if "through_gate" not in text and where not in NOT_SOMEBODYS:
                    loose.append(where)
    assert found >= 4
    assert loose == []
