"""People at their browsers: real Chromium, a window each, a virtual authenticator for passkeys."""

import time
from typing import Any

import pyotp
from playwright.sync_api import Browser, BrowserContext, Page, expect

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "seven tall ships sail at dusk"


class Person:
    """Somebody with a browser window of their own."""

    def __init__(self, browser: Browser, console: str, name: str, email: str) -> None:
        self.context: BrowserContext = browser.new_context(viewport={"width": 1440, "height": 900})
        self.page: Page = self.context.new_page()
        self.console = console
        self.name = name
        self.email = email
        self.problems: list[str] = []
        self.seed = ""
        self.recovery_codes: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._heard)
        self.page.set_default_timeout(60_000)

    def _heard(self, message: Any) -> None:
        if message.type == "error" and "status of 4" not in message.text:
            self.problems.append(message.text)

    def with_authenticator(self) -> "Person":
        """A device with a fingerprint reader."""
        session = self.context.new_cdp_session(self.page)
        session.send("WebAuthn.enable")
        session.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        return self

    def go(self, path: str) -> Page:
        """Opens a page of the console."""
        self.page.goto(self.console + path)
        return self.page

    def enrol_with_passkey(self, link: str) -> None:
        """Password, passkey, recovery codes."""
        page = self.page
        page.goto(link)
        self._password()
        page.get_by_role("button", name="Create a passkey").click()
        self._codes()
        page.wait_for_url("**/sign-in")

    def enrol_with_app(self, link: str) -> None:
        """Password, authenticator app, recovery codes."""
        page = self.page
        page.goto(link)
        self._password()
        self.enrol_app()
        page.wait_for_url("**/sign-in")

    def enrol_app(self) -> None:
        """Authenticator app and recovery codes, on the page that is open."""
        page = self.page
        page.get_by_role("button", name="Use an app").click()
        page.get_by_text("Scan with your app").wait_for()
        self.seed = page.locator("code").first.inner_text().replace(" ", "")
        page.locator("input[name=code]").fill(pyotp.TOTP(self.seed).now())
        page.get_by_role("button", name="Continue").click()
        self._codes()

    def sign_in_with_passkey(self) -> None:
        """One gesture."""
        page = self.go("/sign-in")
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url(self.console + "/")

    def sign_in_with_app(self, at_step: int) -> None:
        """Password, then the app's code; `at_step` moves the app's clock, because a step serves once."""
        page = self.go("/sign-in")
        if not page.locator("input[name=login]").is_visible():  # a provider of the company comes first
            page.get_by_text("Sign in another way").click()
        page.locator("input[name=login]").fill(self.email)
        page.locator("input[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()
        page.locator("input[name=code]").fill(self.code(at_step))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(self.console + "/")

    def sign_out(self) -> None:
        """By the menu under one's name."""
        page = self.go("/")
        page.locator(".person-button").locator("visible=true").first.click()
        page.get_by_role("button", name="Sign out").locator("visible=true").first.click()

    def code(self, at_step: int = 0) -> str:
        """The app's code, `at_step` steps from now."""
        return str(pyotp.TOTP(self.seed).at(int(time.time()) + 30 * at_step))

    def _password(self) -> None:
        page = self.page
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("input[name=again]").fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()
        page.get_by_text("Choose your second factor").wait_for()

    def _codes(self) -> None:
        page = self.page
        expect(page.get_by_text("Your recovery codes")).to_be_visible(timeout=60_000)  # says what stands there instead
        self.recovery_codes = page.locator("#codes").inner_text().split()
        page.locator("input[name=kept]").check()
        page.get_by_role("button", name="Finish").click()
