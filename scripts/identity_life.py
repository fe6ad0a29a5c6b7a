"""A little life of the company's identities for the pictures: a provider, a directory, a roster, and who leaves."""

import json
import re
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tests.oidc_provider.provider import Account, OidcProvider
from tests.tour.people import Person

DOMAIN = "demo.example"
ATTESTED, FIRST_ONLY = ("pwd", "mfa"), ("pwd",)
HIRED = (("kim", "Kim Berg"), ("noor", "Noor Haddad"), ("lars", "Lars Holm"), ("ines", "Ines Costa"))
FOUNDERS = (("ada", "Ada Admin"), ("ben", "Ben Backup"), ("mia", "Mia Manager"), ("eve", "Eve Engineer"))
GROUP = "Engineering"


def accounts() -> dict[str, Account]:
    """Everybody at the provider; Noor's sign-in attests no second factor."""
    return {
        user: Account(
            claims={
                "email": f"{user}@{DOMAIN}", "email_verified": True, "name": name, "preferred_username": user,
                "groups": [GROUP],
            },
            amr=FIRST_ONLY if user == "noor" else ATTESTED,
        )
        for user, name in (*FOUNDERS, *HIRED)
    }  # fmt: skip


def propose_provider(ada: Person, provider: OidcProvider) -> None:
    """The wizard up to the page of the test, signed in there as Eve."""
    page = ada.go("/providers/new?kind=oidc&preset=any-oidc")
    redirect = page.locator("dl.addresses .copyable").first.get_attribute("data-copy")
    client = {"client_id": provider.client_id, "client_secret": provider.client_secret, "redirect_uris": [redirect]}
    provider.control(clients=[client | {"response_types": ["code"], "grant_types": ["authorization_code"]}])
    for name, typed in {
        "name": "Demo ID", "issuer": provider.issuer, "client_id": provider.client_id,
        "secret": provider.client_secret, "domains": DOMAIN,
    }.items():  # fmt: skip
        page.locator(f"input[name={name}]").fill(typed)
    page.locator("input[name=groups]").uncheck()  # SCIM brings them
    page.get_by_role("button", name="Propose, then test").click()
    page.get_by_role("button", name="Test").click()
    page.locator("input[name=login]").fill("eve")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Attested by mfa").wait_for()


def approve_provider(ben: Person) -> None:
    """The second administrator's yes."""
    page = ben.go("/providers")
    page.get_by_role("link", name="Look at it").click()
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("Approved, and in force.").wait_for()


def sign_in(browser: Browser, console: str, user: str, name: str) -> Person:
    """Somebody through the provider."""
    who = Person(browser, console, name, f"{user}@{DOMAIN}").with_authenticator()
    page = who.go("/sign-in")
    page.get_by_role("link", name="Sign in through Demo ID").click()
    page.locator("input[name=login]").fill(user)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{console}/**")
    return who


class Directory:
    """The company's directory, which writes people here by SCIM."""

    def __init__(self, ada: Person, ben: Person, console: str) -> None:
        page = ada.go("/provisioning")
        page.locator("input[name=provider]").fill("demo-id")
        page.locator("input[name=name]").fill("Demo ID provisioning")
        page.get_by_role("button", name="Propose the token").click()
        found = re.search(r"scim_[A-Za-z0-9_-]{43}", page.locator("main").inner_text())
        if found is None:
            raise ValueError("no SCIM token is shown")
        self._token, self._address = found[0], f"{console}/scim/v2"
        ben.go("/provisioning").get_by_role("button", name="Approve").click()
        ben.page.get_by_text("Approved, and in force.").wait_for()
        self.users: dict[str, str] = {}

    def hire(self) -> None:
        """Four people, and the group of all of them."""
        for user, name in HIRED:
            made = self.send(
                "POST", "/Users",
                userName=user, displayName=name, active=True, emails=[{"value": f"{user}@{DOMAIN}", "primary": True}],
            )  # fmt: skip
            self.users[user] = str(made["id"])
        members = [{"value": each} for each in self.users.values()]
        self.send("POST", "/Groups", displayName=GROUP, members=members)

    def dismiss(self, user: str) -> None:
        """As Okta says it."""
        change = [{"op": "replace", "value": {"active": False}}]
        self.send("PATCH", f"/Users/{self.users[user]}", Operations=change)

    def send(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """One request."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/scim+json"}
        data = json.dumps({"schemas": [SCHEMAS[path.split("/")[1] if method == "POST" else method]], **body}).encode()
        request = urllib.request.Request(self._address + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: dict[str, Any] = json.loads(answer.read())
        return found


SCHEMAS = {
    "Users": "urn:ietf:params:scim:schemas:core:2.0:User",
    "Groups": "urn:ietf:params:scim:schemas:core:2.0:Group",
    "PATCH": "urn:ietf:params:scim:api:messages:2.0:PatchOp",
}


def take_roster(ada: Person, folder: Path, without: tuple[str, ...] = ()) -> None:
    """HR's list, by upload: Tomas is on it and has no account; Aude has one and is not on it."""
    listed = enumerate((*FOUNDERS, *HIRED, ("tomas", "Tomas Novak")), 1001)
    rows = [f"{number},{name},{user}@{DOMAIN},employee" for number, (user, name) in listed if user not in without]
    file = folder / "roster.csv"
    file.write_text("\n".join(("number,name,email,type", *rows, "")), "utf-8")
    page = ada.go("/roster")
    page.locator("input[name=file]").set_input_files(file)
    page.get_by_role("button", name="Show what it would change").click()
    page.get_by_role("button", name="Apply it").click()
    page.get_by_text("The roster is in force.").wait_for()


def leave(directory: Directory, ada: Person, folder: Path) -> None:
    """Kim by the directory, Ines by the roster; then the probes."""
    directory.dismiss("kim")
    take_roster(ada, folder, ("ines",))
    time.sleep(6)  # the probes follow about two seconds later
