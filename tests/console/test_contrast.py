"""Every colour of state is read on every ground that it stands on (WCAG 2.2, 1.4.3: 4.5 to 1), from its tokens."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = (ROOT / "ui/src/styles/frame.css").read_text("utf-8")
BLOCKS = {
    "light": SOURCE[SOURCE.index(":root, [data-bs-theme] {") : SOURCE.index('[data-bs-theme="dark"] {')],
    "dark": SOURCE[SOURCE.index('[data-bs-theme="dark"] {') : SOURCE.index("html {")],
}
SURFACE = {"light": (255.0, 255.0, 255.0), "dark": (38.0, 38.0, 38.0)}
HOVERED = {"light": (250.0, 250.0, 250.0), "dark": (23.0, 23.0, 23.0)}
"""Tabler's --tblr-bg-surface and --tblr-bg-surface-secondary: white and gray-800, gray-50 and gray-900."""

LEAST = 4.5

Colour = tuple[float, float, float]


def token(theme: str, name: str) -> tuple[Colour, float]:
    """A colour and its opacity, as frame.css defines it for a theme."""
    found = re.search(rf"--{name}: (?:#(\w{{6}})|rgba\(([^)]*)\));", BLOCKS[theme])
    assert found is not None, name
    if found[1]:
        red, green, blue = bytes.fromhex(found[1])
        return (float(red), float(green), float(blue)), 1.0
    r, g, b, opacity = (float(each) for each in found[2].split(","))
    return (r, g, b), opacity


def over(theme: str, name: str, ground: Colour) -> Colour:
    """A ground with a token's colour laid over it."""
    colour, opacity = token(theme, name)
    r, g, b = (x * opacity + y * (1 - opacity) for x, y in zip(colour, ground, strict=True))
    return r, g, b


def luminance(colour: Colour) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (each / 255 for each in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: Colour, other: Colour) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", BLOCKS)
@pytest.mark.parametrize("name", ["good", "due", "bad"])
def test_a_state_is_read_on_a_card_a_hovered_and_a_selected_row(theme: str, name: str) -> None:
    for ground in (SURFACE[theme], HOVERED[theme], over(theme, "grey-lt", SURFACE[theme])):
        colour, _ = token(theme, name)
        assert ratio(colour, ground) >= LEAST, ("bare", ground)
        assert ratio(colour, over(theme, f"{name}-lt", ground)) >= LEAST, ("label", ground)


def test_the_ratio_is_that_of_the_standard() -> None:
    assert ratio((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert ratio((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.005)
