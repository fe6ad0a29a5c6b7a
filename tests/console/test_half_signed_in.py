"""One factor, or none, in a browser: whatever is shown short of two, no page and no form is open, and no session is.

Each state is one that a browser really comes into. The pages that sign somebody in are the only ones that answer.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing

import pytest

from onepam.console.app import PLACES
from onepam.console.frame.visit import SESSION_COOKIE
from onepam.domain.signing_in.events import EnrolmentOpened, FactorEnrolled, FactorKind, SignedIn
from onepam.identity.passwords import hash_password
from onepam.identity.stored import codes_text
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import HOUR, Instant
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from tests.company import record
from tests.console.browsing import Browser, Office, opened, recovery_codes
from tests.console.test_routes import path_of

pytestmark = pytest.mark.anyio

PASSWORD = "violet harbour ladder"
CLOSED = [place for place in PLACES if place.needs.signed_in]


@pytest.fixture(scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with opened(tmp_path_factory.mktemp("office")) as office:
        await record(
            office.company.ledger,
            FactorEnrolled(
                "fac_pw", "ada", FactorKind.PASSWORD, "v1", None, "ada", secret=hash_password(PASSWORD), reference=""
            ),
            FactorEnrolled(
                "fac_rc",
                "ada",
                FactorKind.RECOVERY,
                "v1",
                None,
                "ada",
                secret=codes_text(recovery_codes()[1]),
                reference="",
            ),
        )
        yield office


async def nothing(office: Office) -> Browser:
    """Nobody."""
    return office.browser()


async def password(office: Office) -> Browser:
    """The right password, and nothing after it."""
    browser = office.browser()
    answer = await browser.post("/sign-in", login="ada@example.com", password=PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in/second")
    return browser


async def wrong_code(office: Office) -> Browser:
    """The right password and a code that no app shows."""
    browser = await password(office)
    assert (await browser.post("/sign-in/totp", code="000000")).status_code == 403
    return browser


async def recovery_code(office: Office) -> Browser:
    """The password and a recovery code: that lets one enrol anew."""
    browser = await password(office)
    code = recovery_codes()[0].reveal().decode("ascii")
    answer = await browser.post("/sign-in/recovery", code=code)
    assert answer.headers["Location"].startswith("/enrol/enr_")
    await browser.read(answer.headers["Location"])
    return browser


async def enrolment_link(office: Office) -> Browser:
    """A link that serves, with its first step taken."""
    token, browser = new_token("enr", secrets.token_bytes), office.browser()
    ends = Instant(office.company.clock() + HOUR)
    await record(
        office.company.ledger, EnrolmentOpened("enr_1", "ada", ends, "invited", None, token_digest(token).hex())
    )
    path = f"/enrol/{token.reveal().decode('ascii')}"
    answer = await browser.post(f"{path}/password", password="copper lantern orchard", again="copper lantern orchard")
    assert answer.status_code == 303
    return browser


async def machine(office: Office) -> Browser:
    """A directory's token in place of a session's."""
    return office.browser(new_token("scim", secrets.token_bytes).reveal().decode("ascii"))


STATES: tuple[Callable[[Office], Awaitable[Browser]], ...] = (
    nothing, password, wrong_code, enrolment_link, recovery_code, machine,
)  # fmt: skip


@pytest.mark.claim(
    "Every way in for people needs a second factor",
    altered="the console's pages no longer asked whether somebody is signed in",
)
@pytest.mark.parametrize("state", STATES, ids=lambda each: each.__name__)
async def test_nothing_opens(office: Office, state: Callable[[Office], Awaitable[Browser]]) -> None:
    before = sign_ins(office)
    browser = await state(office)
    assert SESSION_COOKIE not in browser._client.cookies or state is machine
    for place in CLOSED:
        answer = await (browser.get if place.method == "GET" else browser.post)(path_of(place))
        assert answer.status_code == 303, place
        assert answer.headers["Location"].startswith("/sign-in"), place
    assert sign_ins(office) == before
    await browser.close()


def sign_ins(office: Office) -> int:
    with closing(connect(office.company.path, read_only=True)) as db:
        return sum(isinstance(each.event, SignedIn) for each in entries(db, 0, 100_000))
