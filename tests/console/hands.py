"""A person at a browser who has only keys: each step is a key, and at each stop the focus is seen."""

from typing import Literal, NamedTuple

from playwright.sync_api import Browser, Locator, Page, expect

from onepam.console.frame.visit import SESSION_COOKIE

MOST_STOPS = 150
"""Steps with Tab after which something is not to be reached, or not to be left."""

_AT = """() => {
    const at = document.activeElement;
    if (!at || at === document.body) return null;
    if (at.tagName === "IFRAME") return {name: at.title, tag: "iframe", seen: true, inside: true};
    const label = at.getAttribute("aria-label") || at.labels?.[0]?.innerText || at.innerText || at.value || "";
    const rings = [at, at.parentElement].some(each => {
        const style = getComputedStyle(each);
        return (each === at || each.matches(":focus-within")) &&
            (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 ||
             each !== at && style.boxShadow !== "none");
    });
    const box = at.getBoundingClientRect();
    const inside = box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight &&
        box.left < innerWidth;
    return {name: label.trim().replace(/\\s+/g, " "), tag: at.tagName.toLowerCase(), seen: rings, inside};
}"""


class View(NamedTuple):
    """A window's size in CSS pixels, and its scheme."""

    width: int
    height: int
    scheme: Literal["light", "dark"]


DESK = View(1440, 900, "light")


class Hands:
    """Somebody signed in at a browser who has no mouse. The first page is their home."""

    def __init__(self, browser: Browser, address: str, token: str, view: View = DESK) -> None:
        self.context = browser.new_context(
            base_url=address, viewport={"width": view.width, "height": view.height}, color_scheme=view.scheme
        )
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": address}])
        self.page: Page = self.context.new_page()
        self.page.goto("/")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def types(self, text: str) -> None:
        self.page.keyboard.type(text)

    def finds(self, words: str, path: str) -> None:
        """Opens a page, a person or a thing by Ctrl-K."""
        self.press("Control+k")
        expect(self.page.locator("#palette")).to_be_visible()
        self.seen()
        self.types(words)
        expect(self.page.locator("#palette [role=option]").first).to_be_visible()
        with self.page.expect_navigation(url=f"**{path}"):
            self.press("Enter")

    def seen(self) -> str:
        """The name of what has the focus, which is shown; "" where nothing has it."""
        at = self.page.evaluate(_AT)
        for _ in range(200):
            if at is None or at["inside"]:
                break
            self.page.wait_for_timeout(50)  # it scrolls to it
            at = self.page.evaluate(_AT)
        if at is None:
            return ""
        assert at["seen"], f"the focus on {at['tag']} “{at['name']}” is not seen"
        assert at["inside"], f"{at['tag']} “{at['name']}” has the focus and is out of sight"
        return str(at["name"])

    def goes_to(self, name: str, key: str = "Tab") -> None:
        """Moves by Tab to what begins with this name."""
        passed: list[str] = []
        for _ in range(MOST_STOPS):
            self.press(key)
            passed.append(self.seen())
            if passed[-1].startswith(name):
                return
        raise AssertionError(f"“{name}” is not to be reached by Tab: {passed}")

    def fills(self, name: str, text: str) -> None:
        """Moves to the field of this name, and types into it."""
        self.goes_to(name)
        self.types(text)

    def follows(self, name: str, path: str) -> None:
        """Goes to what has this name, and presses Enter, which leads to a page."""
        self.goes_to(name)
        with self.page.expect_navigation(url=f"**{path}"):
            self.press("Enter")

    def opens(self, name: str) -> Locator:
        """Opens the dialog of the button of this name; it has the focus, and a first field."""
        self.goes_to(name)
        self.press("Enter")
        dialog = self.page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        return dialog

    def copies(self, name: str = "Copy") -> str:
        """Goes to the button of this name and presses it; what is in the clipboard then."""
        self.goes_to(name)
        self.page.evaluate("navigator.clipboard.writeText('')")
        self.press("Enter")
        self.page.wait_for_function("navigator.clipboard.readText().then(text => text !== '')")
        return str(self.page.evaluate("navigator.clipboard.readText()"))

    def moves_on(self, until: Locator) -> None:
        """By j, from the first to the last of an inbox, until this one is open."""
        self.page.locator("[data-island=inbox][data-mounted=yes]").wait_for()
        for _ in range(20):
            if until.get_attribute("open") is not None:
                return
            self.press("j")
            self.seen()
        raise AssertionError("j does not come to it")

    def goes_round(self) -> list[str]:
        """Every stop of the page, once round: nothing keeps the focus."""
        stops: list[str] = []
        for _ in range(MOST_STOPS):
            self.press("Tab")
            name = self.seen()
            if not name and stops:
                return stops
            stops.append(name)
        raise AssertionError(f"once round is not to be had: {stops[-12:]}")

    def ends(self, why: str, what: str = "End session", said: str = "The session is being ended.") -> None:
        """Ends what the open page is of: the dialog takes the focus, keeps it, and gives it back."""
        dialog = self.opens(what)
        self.press("Escape")
        expect(dialog).to_be_hidden()
        assert self.seen() == what
        self.press("Enter")
        expect(dialog).to_be_visible()
        self.fills("Reason", why)
        self.goes_to(what)
        with self.page.expect_navigation():
            self.press("Enter")
        expect(self.page.get_by_text(said)).to_be_visible()

    def locks(self, why: str) -> None:
        """Disables the person whose page is open."""
        self.opens("Disable")
        self.fills("Reason", why)
        self.goes_to("Disable")
        with self.page.expect_navigation():
            self.press("Enter")
        expect(self.page.get_by_text("Disabled").first).to_be_visible()

    def plays(self) -> None:
        """Begins the recording at a moment of its timeline, comes into its frame by Tab, and out again."""
        expect(self.page.frame_locator("iframe").locator(".ap-player")).to_be_visible()
        self.goes_to("0:00")
        self.press("Enter")
        expect(self.page.locator(".event button.is-now")).to_have_count(1)
        self.goes_to("Terminal recording", "Shift+Tab")
        self.goes_to("Skip to the page", "Shift+Tab")
