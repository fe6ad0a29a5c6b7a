"""Every page renders from its documented context, is fit for keyboards and screen readers, and needs no inline code."""

import re
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import meta, nodes

from onepam.console.frame import rendering
from onepam.console.frame.page import PageContext
from onepam.console.frame.wording import asked_before
from onepam.console.sessions.query_page import QueryPartPage
from onepam.console.sessions.sessions_page import PlayerFramePage
from onepam.kernel.clock import DAY, FOREVER, HOUR, MINUTE, SECOND, Instant, utc
from tests.console.samples.company import NOW, ago, shell
from tests.console.samples.pages import SAMPLES
from tests.console.samples.people import PEOPLE

TEMPLATES = {file.name: file for file in rendering.CONSOLE.glob("*/*.html")}
GIVEN = [*{each.template: each for each in PageContext.__subclasses__()}.values()]
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_SVG_EMPTY = {"use", "path", "circle", "rect", "line"}


class Outline(HTMLParser):
    """What the checks look at: tags with their attributes, ids, labels, and whether tags close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.stack: list[str] = []
        self.broken: list[str] = []
        self.labelled: set[str] = set()
        self.inside_label: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "label":
            self.labelled.add(dict(attrs).get("for") or "")
        if tag in {"input", "select", "textarea"} and "label" in self.stack:
            self.inside_label.append(dict(attrs).get("name") or "")
        if tag not in _VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.broken.append(f"</{tag}> at {self.getpos()}")


def page(name: str) -> str:
    frame, context = SAMPLES[name]
    return rendering.render(context, frame)


@pytest.mark.parametrize("name", SAMPLES)
def test_page_is_well_formed(name: str) -> None:
    html = page(name)
    outline = Outline(html)
    assert not outline.broken, outline.broken
    assert not outline.stack
    assert [tag for tag, _ in outline.tags].count("h1") == 1
    idents = [attrs["id"] for _, attrs in outline.tags if attrs.get("id")]
    assert len(idents) == len(set(idents)), [one for one in idents if idents.count(one) > 1]


@pytest.mark.parametrize("name", SAMPLES)
def test_page_needs_no_inline_code(name: str) -> None:
    outline = Outline(page(name))
    for tag, attrs in outline.tags:
        assert tag != "style"
        assert "style" not in attrs, (tag, attrs)
        assert not [one for one in attrs if one.startswith(("on", "hx-on"))], (tag, attrs)
        assert tag != "script" or attrs.get("src", "").startswith("/static/"), attrs  # type: ignore[union-attr]
        for address in (attrs.get("href"), attrs.get("src"), attrs.get("action")):
            assert not (address or "").lower().startswith(("javascript:", "http://", "//")), (tag, attrs)


@pytest.mark.parametrize("name", SAMPLES)
def test_fields_are_labelled_and_buttons_say_a_word(name: str) -> None:
    html = page(name)
    outline = Outline(html)
    for tag, attrs in outline.tags:
        if tag in {"input", "select", "textarea"} and attrs.get("type") != "hidden":
            named = (
                attrs.get("aria-label")
                or attrs.get("id") in outline.labelled
                or attrs.get("name") in outline.inside_label
            )
            assert named, (tag, attrs)
        assert tag != "img" or attrs.get("alt") is not None, attrs
        assert tag != "iframe" or attrs.get("title"), attrs
    for words in re.findall(r"<button[^>]*>(.*?)</button>", html, re.DOTALL):
        assert re.sub(r"<[^>]+>", "", words).strip(), words


@pytest.mark.parametrize("name", SAMPLES)
def test_every_posting_form_carries_the_token_against_forgery(name: str) -> None:
    for form in re.findall(r"<form method=\"post\".*?</form>", page(name), re.DOTALL):
        ours = 'action="https://' not in form
        assert ('name="csrf" value="c5rf"' in form) is ours, "ours carry it, and nobody else is told it"


def test_every_page_has_a_template_and_a_sample() -> None:
    pages = TEMPLATES.keys() - {"base.html", "bare.html"}
    assert sorted(each.template for each in GIVEN) == sorted(pages)
    assert pages - {PlayerFramePage.template, QueryPartPage.template} == {
        context.template for _, context in SAMPLES.values()
    }


@pytest.mark.parametrize("given", GIVEN, ids=lambda given: given.__name__)
def test_a_page_is_given_what_its_template_reads_and_nothing_else(given: type[PageContext]) -> None:
    tree = rendering.environment().parse(TEMPLATES[given.template].read_text("utf-8"))
    own = {each.name for each in tree.find_all(nodes.Macro)}
    imported = [name for each in tree.find_all(nodes.FromImport) for name in each.names]
    own |= {each if isinstance(each, str) else each[1] for each in imported}
    own |= {each.target.name for each in tree.find_all(nodes.Assign) if isinstance(each.target, nodes.Name)}
    own |= {each.target.name for each in tree.find_all(nodes.AssignBlock) if isinstance(each.target, nodes.Name)}
    read = meta.find_undeclared_variables(tree) - own - rendering.environment().globals.keys() - {"shell"}
    assert read == {each.name for each in fields(given)}  # type: ignore[arg-type]


def test_icons_in_use_are_in_the_sprite() -> None:
    icons = {file.stem for file in (Path(__file__).parents[2] / "ui" / "icons").glob("*.svg")}
    used = {name for sample in SAMPLES for name in re.findall(r'<use href="[^"#]*#([^"]+)"', page(sample))}
    assert used
    assert used <= icons, used - icons


def test_what_people_write_stays_text() -> None:
    hostile = {**PEOPLE.people[0], "name": '"><script>alert(1)</script>', "email": "' onmouseover=alert(1) x='"}
    html = rendering.render(replace(PEOPLE, people=[hostile]), shell("/people"))
    assert "<script>alert" not in html
    assert not Outline(html).broken


def test_the_past_is_read_only_and_links_stay_in_it() -> None:
    html = page("people-as-of")
    assert "As of 3 March 2026 14:05 UTC" in html
    assert 'href="/people/per_jonas?as_of=2026-03-03T14%3A05"' in html
    assert "<fieldset" in html
    assert not [one for one in re.findall(r"<fieldset[^>]*>", html) if "disabled" not in one]


def test_the_player_is_in_a_sandbox_without_an_origin() -> None:
    assert 'sandbox="allow-scripts"' in page("session")
    assert rendering.PLAYER_CSP.startswith("sandbox allow-scripts; default-src 'none'")
    assert "connect-src" not in rendering.PLAYER_CSP
    assert "unsafe-inline" not in rendering.CSP + rendering.PLAYER_CSP + rendering.CLI_AUTHORIZE_CSP
    assert "unsafe-eval" not in rendering.CSP.replace("wasm-unsafe-eval", "")
    frame = rendering.render(PlayerFramePage(), shell("/player"))
    assert "csrf" not in frame
    assert "Mira" not in frame


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0, "1 s"),
        (28 * SECOND, "28 s"),
        (90 * SECOND, "1 min"),
        (60 * MINUTE, "1 h"),
        (90 * MINUTE, "1 h 30 min"),
        (8 * HOUR, "8 h"),
        (24 * HOUR, "1 day"),
        (52 * HOUR + MINUTE, "2 days 4 h"),
        (59 * DAY, "59 days"),
        (61 * DAY, "2 months"),
        (800 * DAY, "2 years"),
    ],
)
def test_durations_are_told_to_the_minute(length: int, words: str) -> None:
    assert rendering.duration(length) == words


def test_times_are_relative_with_the_absolute_beside() -> None:
    assert rendering.relative(ago(3 * HOUR), NOW) == "3 h ago"
    assert rendering.relative(Instant(NOW + 42 * MINUTE), NOW) == "in 42 min"
    assert rendering.relative(ago(90 * SECOND), NOW) == "2 min ago"
    assert rendering.relative(ago(40 * HOUR), NOW) == "2 days ago"
    assert rendering.relative(NOW, NOW) == "now"
    assert str(rendering.on(NOW)) == (
        '<time datetime="2026-11-20T14:05:00.000000Z" data-show="absolute" '
        'title="20 November 2026 14:05 UTC">20 November 2026 14:05 UTC</time>'
    )
    assert utc(FOREVER) == "no end"
    assert rendering.day(NOW) == "20 November 2026"


@pytest.mark.parametrize(
    ("asked", "used", "words"),
    [
        (0, 0, "Never asked for this before"),
        (1, 0, "Asked once before, and did not use it"),
        (1, 1, "Asked once before, and used it"),
        (2, 0, "Asked 2 times before, and never used it"),
        (2, 1, "Asked 2 times before, and used it once"),
        (3, 2, "Asked 3 times before, and used it 2 times"),
        (3, 3, "Asked 3 times before, and used it each time"),
    ],
)
def test_what_was_asked_before_is_told_in_words(asked: int, used: int, words: str) -> None:
    assert asked_before(asked, used) == words


def test_the_picture_of_a_week_has_each_bar_beside_its_day() -> None:
    bars = re.findall(r'class="week-open" x="(\d+)" y="(\d+)" width="(\d+)"', page("approvals"))
    days = dict(re.findall(r'<text x="0" y="(\d+)">(\w+)</text>', page("approvals")))
    assert [(days[str(int(y) + 85)], int(x) - 250, int(width)) for x, y, width in bars] == [
        (day, 9 * 60, 8 * 60) for day in ("Mon", "Tue", "Wed", "Thu", "Fri")
    ]


def test_small_words() -> None:
    assert rendering.size(312) == "312 B"
    assert rendering.size(4_200) == "4.2 kB"
    assert rendering.size(3_000_000_000_000_000) == "3000.0 TB"
    assert rendering.stopwatch(7 * SECOND) == "0:07"
    assert rendering.stopwatch(HOUR + 2 * MINUTE + 3 * SECOND) == "1:02:03"
    assert rendering.initials("Ada Lovelace") == "AL"
    assert rendering.initials("deploy-bot") == "DB"
    assert rendering.initials("Nils Hoffmann 2") == "NH"
    assert rendering.initials("…") == "?"
    assert rendering.words(["a"]) == "a"
    assert rendering.words(["a", "b", "c"]) == "a, b and c"
    assert rendering.plural(1_204, "statement") == "1,204 statements"
    assert rendering.place(ago(DAY), ago(2 * DAY), NOW) == "50.000%"
    assert rendering.extent(ago(DAY), NOW, ago(2 * DAY), NOW) == "50.000%"
    assert rendering.asset("no-such.js") == "/static/built/no-such.js"


UNFIT = re.compile(
    r"asciicast|(?<![\w,.-])1 (?!pass|access|address|process|hours?)\w+s\b|\b[0-9] channels?\b"
    r"|\bWhole\b|\bfold\b| as \?|\bundefined\b"
)
"""What only we say: names of formats and codes, one of many, and what a template says of nothing."""


@pytest.mark.parametrize("name", SAMPLES)
def test_no_page_speaks_our_own_words(name: str) -> None:
    text = re.sub(r"(?s)<(script|style|code|pre|textarea).*?</\1>", " ", page(name))
    shown = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    found = UNFIT.search(shown)
    assert found is None, shown[max(0, found.start() - 60) : found.end() + 60]
