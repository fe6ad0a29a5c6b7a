"""Every text of the console is read on every ground that it may stand on, in light and dark (WCAG 2.2, 1.4.3: 4.5:1).

Worked out from the sheets themselves: each rule that gives a colour is looked at, on its own ground or, where it has
none, on all there are. So a new rule is judged without a word here, and no browser is needed.
"""

import pytest

from tests.console.colours import Colour, Palette, Rule, Theme, ours, palette_of, ratio

TEXT, SHAPE = 4.5, 3.0
"""What text must have, and what a shape must that tells something (1.4.11)."""

THEMES: tuple[Theme, ...] = ("light", "dark")
PLAIN = ("--surface", "--surface-2", "--tblr-body-bg")
TINTS = ("--grey-lt", "--good-lt", "--due-lt", "--bad-lt", "--tblr-primary-lt", "--tblr-hover-bg")
EVERYWHERE = ("--ink", "--quiet", "--tblr-link-color", "--tblr-link-hover-color")
STATES = ("--good", "--due", "--bad")

TABLER = {
    "btn-primary": ("--tblr-primary-fg", "--tblr-primary"),
    "btn-primary, hovered": ("--tblr-primary-fg", "--tblr-primary-darken"),
    "btn-danger": ("--tblr-danger-fg", "--tblr-danger"),
    "btn-danger, hovered": ("--tblr-danger-fg", "--tblr-danger-darken"),
    "text-secondary": ("--tblr-secondary", "--surface-2"),
    "form-hint": ("--tblr-secondary-color", "--surface-2"),
    "a placeholder": ("--tblr-tertiary", "--tblr-bg-forms"),
    "invalid-feedback": ("--tblr-form-invalid-color", "--surface-2"),
    "a filled field": ("--tblr-body-color", "--tblr-bg-forms"),
}
"""What the pages use of Tabler's as it comes."""

ON = {".cell-standing:hover": "var(--tblr-primary)"}
"""Rules whose ground another rule of theirs gives."""


def grounds(palette: Palette, *tints: str) -> list[Colour]:
    """The plain grounds, and each with each tint over it."""
    plain = [palette.colour(f"var({each})") for each in PLAIN]
    return plain + [palette.colour(f"var({tint})").over(ground) for tint in tints for ground in plain]


def applies(rule: Rule, theme: Theme) -> bool:
    return "@media print" not in rule.within and f'"{"dark" if theme == "light" else "light"}"' not in rule.selector


@pytest.mark.parametrize("theme", THEMES)
def test_each_rule_that_colours_text_is_read_on_its_ground(theme: Theme) -> None:
    palette, judged = palette_of(theme), 0
    for rule in ours():
        ink = rule.declared.get("color", "inherit")
        if ink in ("inherit", "currentColor") or not applies(rule, theme):
            continue
        judged += 1
        ground = rule.declared.get("background", ON.get(rule.selector, "none"))
        under = grounds(palette, "--grey-lt")
        if ground not in ("none", "transparent"):
            under = [palette.colour(ground).over(each) for each in under[: len(PLAIN)]]
        least = SHAPE if rule.selector.endswith(".icon") else TEXT
        for each in under:
            assert ratio(palette.colour(ink), each) >= least, (rule.sheet, rule.selector, each)
    assert judged > 80


@pytest.mark.parametrize("theme", THEMES)
def test_plain_text_and_links_are_read_on_every_tint_and_states_on_their_own(theme: Theme) -> None:
    palette = palette_of(theme)
    for name in EVERYWHERE:
        for each in grounds(palette, *TINTS):
            assert ratio(palette.colour(f"var({name})"), each) >= TEXT, (name, each)
    for name in STATES:
        for each in grounds(palette, "--grey-lt", f"{name}-lt"):
            assert ratio(palette.colour(f"var({name})"), each) >= TEXT, (name, each)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("part", TABLER)
def test_what_is_tablers_is_read(theme: Theme, part: str) -> None:
    ink, ground = (palette_of(theme).colour(f"var({each})") for each in TABLER[part])
    assert ratio(ink, ground) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
def test_the_ring_of_focus_is_seen_on_every_ground(theme: Theme) -> None:
    palette = palette_of(theme)
    rings = [rule.declared["outline"] for rule in ours() if rule.selector == ":focus-visible"]
    assert rings == ["2px solid var(--tblr-link-color) !important"]
    for each in grounds(palette, *TINTS):
        assert ratio(palette.colour("var(--tblr-link-color)"), each) >= SHAPE


def test_no_text_is_made_fainter_by_opacity() -> None:
    """What opacity may fade are drawings that say nothing alone, and what cannot be pressed (WCAG 2.2, 1.4.3)."""
    faint = {rule.selector for rule in ours() if rule.declared.get("opacity", "1") != "1"}
    pressed = {'.btn[aria-disabled="true"]'}
    assert faint == {".navbar-vertical .nav-link-icon", ".copyable .icon", ".undo-bar::after", ".cell-none", *pressed}


def test_the_ratio_is_that_of_the_standard() -> None:
    black, white, grey = Colour(0, 0, 0), Colour(1, 1, 1), Colour(119 / 255, 119 / 255, 119 / 255)
    assert ratio(black, white) == pytest.approx(21)
    assert ratio(grey, white) == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("oklch(54.6% 0.1724 254.2deg)", "066fd1"),
        ("oklch(71.55% 0 0deg)", "a3a3a3"),
        ("color-mix(in oklab, white 40%, oklch(58.29% 0.1941 25.59deg))", "ef9087"),
        ("color-mix(in oklab, var(--tblr-white) 40%, var(--tblr-primary))", "79aae7"),
        ("oklch(from var(--tblr-primary) calc(l - 0.06) c h)", "005cbd"),
        ("light-dark(#abc, #000)", "aabbcc"),
        ("rgba(255, 0, 51, 0.5)", "ff0033"),
    ],
)
def test_colours_are_worked_out_as_a_browser_does(text: str, seen: str) -> None:
    """The right values are Chromium's."""
    assert bytes(round(each * 255) for each in palette_of("light").colour(text).parts).hex() == seen
