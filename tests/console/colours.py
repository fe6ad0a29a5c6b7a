"""The colours of a style sheet as a browser works them out, and how well one is read on another (WCAG 2.2).

Custom properties of a theme are taken from Tabler's sheet and then from ours, the last word winning, as the cascade has
it. What is understood is what those sheets use: hex, `rgba()`, `oklch()` also as `oklch(from ...)`, `color-mix(in
oklab, ...)`, `light-dark()`, `var()`. A colour that cannot be read is an error.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import cos, radians, sin
from pathlib import Path
from typing import Literal

UI = Path(__file__).parents[2] / "ui"
SHEETS = ("frame", "parts", "access", "session", "matrix", "lanes", "ledger", "providers")
Theme = Literal["light", "dark"]
_BRACES = re.compile("[{}]")
_NAMES = {"white": "#ffffff", "black": "#000000"}


@dataclass(frozen=True, slots=True)
class Colour:
    """sRGB from 0 to 1, and opacity."""

    red: float
    green: float
    blue: float
    opacity: float = 1.0

    def over(self, ground: "Colour") -> "Colour":
        """As it is seen on an opaque ground."""
        mixed = (x * self.opacity + y * (1 - self.opacity) for x, y in zip(self.parts, ground.parts, strict=True))
        return Colour(*mixed)

    @property
    def parts(self) -> tuple[float, float, float]:
        return self.red, self.green, self.blue

    @property
    def luminance(self) -> float:
        red, green, blue = map(_linear, self.parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(ink: Colour, ground: Colour) -> float:
    """The contrast of a colour on an opaque ground, from 1 to 21."""
    dark, light = sorted((ink.over(ground).luminance, ground.luminance))
    return (light + 0.05) / (dark + 0.05)


@dataclass(frozen=True, slots=True)
class Rule:
    """A selector with what it declares; `within` are the at-rules around it."""

    sheet: str
    selector: str
    declared: dict[str, str]
    within: tuple[str, ...]


def rules(text: str, sheet: str, within: tuple[str, ...] = ()) -> Iterator[Rule]:
    """Every rule of a style sheet, those inside at-rules too."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    at = 0
    while (begin := text.find("{", at)) >= 0:
        head, depth, end = text[at:begin].rpartition(";")[2].strip(), 1, begin + 1
        for brace in _BRACES.finditer(text, begin + 1):
            depth += 1 if brace[0] == "{" else -1
            if not depth:
                end = brace.end()
                break
        body = text[begin + 1 : end - 1]
        if head.startswith(("@media", "@supports", "@layer", "@container")):
            yield from rules(body, sheet, (*within, head))
        elif not head.startswith("@"):
            pairs = (each.partition(":") for each in re.split(r";(?![^(]*\))", body) if ":" in each)
            yield Rule(sheet, head, {name.strip(): value.strip() for name, _, value in pairs}, within)
        at = end


@cache
def ours() -> tuple[Rule, ...]:
    """The rules of the console's own sheets."""
    return tuple(each for sheet in SHEETS for each in rules((UI / f"src/styles/{sheet}.css").read_text("utf-8"), sheet))


class Palette:
    """What the custom properties of a theme are."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        tabler = (UI / "node_modules/@tabler/core/dist/css/tabler.min.css").read_text("utf-8")
        heads = {":root", f"[data-bs-theme={theme}]", "[data-bs-theme]", f'[data-bs-theme="{theme}"]'}
        self.properties: dict[str, str] = {}
        for rule in (*rules(tabler, "tabler"), *ours()):
            if not rule.within and heads & {each.strip() for each in rule.selector.split(",")}:
                self.properties |= {name: value for name, value in rule.declared.items() if name.startswith("--")}

    def colour(self, text: str) -> Colour:
        """What a value of a property is in this theme."""
        text = text.replace("!important", "").strip()
        text = _NAMES.get(text, text)
        if text == "transparent":
            return Colour(0, 0, 0, 0)
        if found := re.fullmatch(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", text):
            digits = found[1] if len(found[1]) == 6 else "".join(each * 2 for each in found[1])
            return Colour(*(each / 255 for each in bytes.fromhex(digits)))
        name, _, rest = text.partition("(")
        given = _arguments(rest.removesuffix(")"))
        if name == "var":
            known = self.properties.get(given[0])
            if known is None and len(given) < 2:
                raise LookupError(f"{given[0]} is defined nowhere")
            return self.colour(given[1] if known is None else known)
        if name == "light-dark":
            return self.colour(given[0] if self.theme == "light" else given[1])
        if name in ("rgb", "rgba"):
            red, green, blue, *opacity = map(float, given)
            return Colour(red / 255, green / 255, blue / 255, *opacity)
        if name == "oklch":
            return self._oklch(given[0])
        if name == "color-mix" and given[0] == "in oklab":
            return self._mixed(given[1], given[2])
        raise LookupError(f"no colour that is understood: {text}")

    def _oklch(self, given: str) -> Colour:
        if found := re.fullmatch(r"from (.+) calc\(l ([+-]) ([\d.]+)\) c h", given):
            origin = self.colour(found[1])
            begins, a, b = _oklab(origin)
            return _from_oklab(begins + float(found[2] + found[3]), a, b, origin.opacity)
        light, chroma, hue = given.split()
        angle = radians(float(hue.removesuffix("deg")))
        return _from_oklab(
            float(light.removesuffix("%")) / 100, float(chroma) * cos(angle), float(chroma) * sin(angle), 1.0
        )

    def _mixed(self, one: str, other: str) -> Colour:
        (first, share), (second, rest) = _shared(one), _shared(other)
        share = share if share is not None else 1 - (0.5 if rest is None else rest)
        a, b = self.colour(first), self.colour(second)
        opacity = a.opacity * share + b.opacity * (1 - share)
        if not opacity:
            return Colour(0, 0, 0, 0)
        light, green, blue = (
            (x * a.opacity * share + y * b.opacity * (1 - share)) / opacity
            for x, y in zip(_oklab(a), _oklab(b), strict=True)
        )
        return _from_oklab(light, green, blue, opacity)


@cache
def palette_of(theme: Theme) -> Palette:
    """The palette of a theme, read once."""
    return Palette(theme)


def _arguments(text: str) -> list[str]:
    """What stands between the commas that are in no brackets."""
    found, depth = [""], 0
    for each in text:
        depth += {"(": 1, ")": -1}.get(each, 0)
        if each == "," and not depth:
            found.append("")
        else:
            found[-1] += each
    return [each.strip() for each in found]


def _shared(text: str) -> tuple[str, float | None]:
    found = re.fullmatch(r"(.+) ([\d.]+)%", text)
    return (found[1], float(found[2]) / 100) if found else (text, None)


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _gamma(value: float) -> float:
    value = min(1.0, max(0.0, value))
    return value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def _oklab(colour: Colour) -> tuple[float, float, float]:
    """Björn Ottosson, "A perceptual color space for image processing"."""
    red, green, blue = map(_linear, colour.parts)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _from_oklab(light: float, a: float, b: float, opacity: float) -> Colour:
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return Colour(
        _gamma(4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short),
        _gamma(-1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short),
        _gamma(-0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short),
        opacity,
    )
