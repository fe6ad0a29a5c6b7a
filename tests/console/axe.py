"""axe-core on a page that is open: what it finds serious or critical, for people who see, hear or point otherwise."""

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

SCRIPT = Path(__file__).parents[2] / "ui/node_modules/axe-core/axe.min.js"
GRAVE = ("serious", "critical")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
CONTRAST = ("color-contrast", "link-in-text-block")

_RUN = """([within, kind, values]) => axe.run(document.querySelector(within), {
    iframes: false, elementRef: false, resultTypes: ["violations"], runOnly: {type: kind, values}
}).then(found => found.violations.flatMap(each => each.nodes.map(node => [
    each.impact, `${each.id}: ${node.target.join(" ")}: ${(node.any[0] || node.all[0] || node.none[0] || {}).message}`
])))"""


@cache
def _script() -> str:
    assert SCRIPT.is_file(), "axe-core is not installed: make ui"
    return SCRIPT.read_text("utf-8")


def findings(page: Page, within: str = "html", *, contrast_only: bool = False) -> list[str]:
    """What is wrong with the page as it stands, or with the first of its elements that is `within`; a sentence each.
    What it frames is not looked at."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_script())
    what = ("rule", CONTRAST) if contrast_only else ("tag", RULES)
    found: list[tuple[str, str]] = page.evaluate(_RUN, [within, what[0], list(what[1])])
    return [said for impact, said in found if impact in GRAVE]


def sideways(page: Page) -> list[str]:
    """What makes the page itself scroll sideways: the innermost of it, as it begins."""
    wide: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
        .filter(one => one.getBoundingClientRect().right > innerWidth + 1).slice(-3)
        .map(one => one.outerHTML.slice(0, 90))"""
    )
    return wide


def opened_up(page: Page) -> None:
    """Shows what the page keeps folded: every part with a summary, but menus, which would lie upon each other."""
    page.evaluate(
        """() => document.querySelectorAll("details:not(.menu)").forEach(each => {
            each.removeAttribute("name"); each.open = true
        })"""
    )
