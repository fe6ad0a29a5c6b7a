"""What the gateway logs while people enrol, sign in, provision and work: lines of JSON, and no secret of theirs."""

import json
import secrets
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from playwright.sync_api import Browser

from onepam.boot.clock import wall_clock
from onepam.boot.demo.founding import Founding
from onepam.store.engine.reader import SqliteReader
from tests.oidc_provider.provider import OidcProvider
from tests.tour.corps import through_oidc
from tests.tour.federated import Federated
from tests.tour.people import PASSWORD, Person
from tests.tour.terminal import login
from tests.tour.test_leaver import USER, asked, corp, directory, run

__all__ = ["corp"]

WRONG = "a password that is not hers"


def test_no_secret_of_a_tour_is_logged(browser: Browser, corp: tuple[Federated, OidcProvider], tmp_path: Path) -> None:
    found, provider = corp
    assert found.process is not None
    known = {"provider secret": provider.client_secret, "password": PASSWORD, "wrong password": WRONG}

    link = run(found, enrolment_link(found))
    known["enrolment link"] = link.rpartition("/")[2]
    ben = Person(browser, found.console, "Ben", "ben@example.com")
    ben.enrol_with_app(link)
    known |= {"seed": ben.seed, "code of enrolling": ben.code(), "code of signing in": ben.code(1)}
    known |= {f"recovery code {number}": code for number, code in enumerate(ben.recovery_codes)}
    ben.go("/sign-in").get_by_text("Sign in another way").click()
    ben.page.locator("input[name=login]").fill(ben.email)
    ben.page.locator("input[name=password]").fill(WRONG)
    ben.page.get_by_role("button", name="Continue").click()
    ben.sign_in_with_app(1)

    known["SCIM token"], _ = directory(found)
    known["wrong SCIM token"] = f"osc_{secrets.token_urlsafe(32)}"
    users = f"{found.console}/scim/v2/Users"
    assert asked(users, known["SCIM token"], USER)[0] in (201, 409)
    assert answered(users, b'{"broken', known["SCIM token"]) == 400
    assert answered(users, b"{}", known["wrong SCIM token"]) == 401
    known |= {"forged code": secrets.token_urlsafe(24), "forged state": secrets.token_urlsafe(24)}
    forged = f"{found.console}/sign-in/return/corp?code={known['forged code']}&state={known['forged state']}"
    answered(forged)
    answered(f"{found.console}/enrol/{known['forged code']}")
    answered(f"{found.console}/api/v1/me", None, known["forged state"])

    ada, home = Person(browser, found.console, "Ada", "ada@example.com"), tmp_path / "ada"
    through_oidc(ada, "ada")
    ada.page.wait_for_url(found.console + "/")
    login(ada, found.console, home)
    assert found.ssh(home, "at-work").stdout == "at-work\n"
    known["CLI token"] = json.loads((home / "session.json").read_text("utf-8"))["token"]
    known["SSH key"] = (home / "id_ed25519").read_text("ascii").splitlines()[1]
    for person in (ada, ben):
        known |= {f"{person.name}'s cookie {each['name']}": each["value"] for each in person.context.cookies()}

    found.process.stop()
    logged = found.process.log.read_text("utf-8")
    # What the interpreter itself has to say of a signal in the middle of its end is no line of ours.
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    assert {"time", "level", "logger", "message"} <= set.intersection(*(set(line) for line in lines))
    assert any(line["message"].startswith("console http") for line in lines)
    assert len(known) > 25
    assert all(len(secret) >= 6 for secret in known.values()), known
    assert [name for name, secret in known.items() if secret in logged] == []


async def enrolment_link(found: Federated) -> str:
    platform = found.gateway.platform
    reader = SqliteReader(platform.database, wall_clock, threads=1)
    try:
        link = await Founding(platform.ledger, reader).link("ben@example.com", found.console)
    finally:
        reader.close()
    assert link is not None
    return link


def answered(url: str, body: bytes | None = None, token: str = "") -> int:
    """The status of an answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = Request(url, body, {**headers, **({"Content-Type": "application/scim+json"} if body else {})})
    try:
        with urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except HTTPError as refused:
        return refused.code
