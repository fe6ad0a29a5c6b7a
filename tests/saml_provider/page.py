"""Signing in at the provider with a real browser."""

from playwright.sync_api import Page

from tests.saml_provider import User


def sign_in(page: Page, user: User) -> None:
    """Fill the provider's form, which `page` shows; its answer then posts itself to the service provider."""
    page.fill("input[name=username]", user.name)
    page.fill("input[name=password]", user.password)
    page.keyboard.press("Enter")
