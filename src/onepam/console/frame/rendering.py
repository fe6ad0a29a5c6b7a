"""How the console becomes HTML: templates, filters that word times and sizes, asset addresses, the CSP. No decisions.

What a page is given is a record beside its template (`page.PageContext`). Instants are microseconds (`kernel.clock`),
durations are microseconds, sizes are bytes; templates never compute more than a word out of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from onepam.console.frame.page import PageContext
from onepam.console.frame.period import day_text
from onepam.console.frame.places import Heading, Place, headings
from onepam.kernel.clock import DAY, FOREVER, HOUR, MINUTE, SECOND, Instant, iso, moment, utc
from onepam.store.read import requests, sessions
from onepam.store.read.alarms import Alarm

CONSOLE = Path(__file__).parent.parent
STATIC = CONSOLE / "static"

_CSP = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "frame-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}


def _policy(directives: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}".strip() for name, value in directives.items())


CSP = _policy(_CSP)
"""`Content-Security-Policy` of every page: no inline script or style, no evaluation, nothing from elsewhere."""

CLI_AUTHORIZE_CSP = _policy({**_CSP, "form-action": "'self' http://127.0.0.1:* http://localhost:*"})
"""As `CSP`; the form of `cli_authorize.html` is answered by a redirect to the waiting `onepam login` on loopback."""


def policy(changes: Mapping[str, str]) -> str:
    """`CSP` with some of its directives changed, for one page."""
    return _policy({**_CSP, **changes})


PLAYER_CSP = _policy(
    {
        "sandbox": "allow-scripts",
        "default-src": "'none'",
        "script-src": "'self' 'wasm-unsafe-eval'",
        "style-src": "'self'",
        "font-src": "'self' data:",
        "img-src": "data:",
        "frame-ancestors": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
)
"""Of `player_frame.html` alone: an opaque origin without network, which may compile the player's terminal emulator."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads. `shown` is their side bar; `detail` is a line such as their job role."""

    person: str
    name: str
    detail: str
    shown: tuple[Place, ...]

    @property
    def may(self) -> frozenset[str]:
        """The paths of their side bar."""
        return frozenset(place.path for place in self.shown)


@dataclass(frozen=True, slots=True)
class Flash:
    """What the last action did. `kind` is `done`, `refused` or `note`."""

    kind: str
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Shell:
    """What every page knows, signed in or not. With `as_of` the page is history: `now` is that instant, forms are off.

    `path` is the request's path (marks the side bar), `here` is path and query as the reader sees them. `alarms` stand
    above every page; they are of now, and only administrators are given any.
    """

    now: Instant
    path: str
    csrf: str
    reader: Reader | None = None
    as_of: Instant | None = None
    here: str = "/"
    waiting: int = 0
    changes: int = 0
    live: int = 0
    reviews: int = 0
    flashes: tuple[Flash, ...] = ()
    alarms: tuple[Alarm, ...] = ()

    @property
    def headings(self) -> list[Heading]:
        """The side bar, by its headings."""
        return headings(self.reader.shown if self.reader else (), self.marked)

    @property
    def marked(self) -> str:
        """The path of the side bar's entry that the page stands under; "" under none. What somebody sees of themselves
        or may reach stands under Home where they have no list of the like."""
        section = "/" + self.path.split("/")[1]
        if self.reader is None or section in self.reader.may:
            return section
        return "/" if section in _UNDER_HOME else ""


_UNDER_HOME = frozenset({"/requests", "/resources", "/people", "/databases"})


def render(page: PageContext, shell: Shell) -> str:
    """The page for this reader."""
    given = {each.name: getattr(page, each.name) for each in fields(cast(Any, page))}
    return environment().get_template(page.template).render(shell=shell, **given)


def asset(name: str) -> str:
    """Address of a built asset, with its digest so that it may be cached for ever and changes with its content."""
    return f"/static/built/{name}{_version(name)}"


@cache
def _version(name: str) -> str:
    file = STATIC / "built" / name
    return f"?v={sha256(file.read_bytes()).hexdigest()[:12]}" if file.is_file() else ""


@cache
def icon(name: str, extra: str = "") -> Markup:
    """An icon of the sprite. It says nothing to a screen reader: the word stands beside it."""
    return Markup('<svg class="icon {}" aria-hidden="true"><use href="{}#{}"/></svg>').format(
        extra, asset("icons.svg"), name
    )


# --- Filters ---------------------------------------------------------------------------------------------------------

_UNITS = (("s", SECOND), ("min", MINUTE), ("h", HOUR), ("days", DAY), ("months", 30 * DAY), ("years", 365 * DAY))
_UNTIL = (90 * SECOND, 90 * MINUTE, 36 * HOUR, 60 * DAY, 700 * DAY)


def roughly(length: int) -> str:
    """A distance in one unit, as `ui/src/time.ts` words it: `45 min`, `8 h`, `3 days`."""
    size = abs(length)
    unit, span = next((one for one, until in zip(_UNITS, _UNTIL, strict=False) if size < until), _UNITS[-1])
    return f"{max(1, round(size / span))} {unit}"


def duration(length: int) -> str:
    """A length of time to the minute: `28 s`, `45 min`, `1 h 30 min`, `3 days 4 h`; from 60 days on roughly."""
    minutes = abs(length) // MINUTE
    if minutes == 0 or abs(length) >= 60 * DAY:
        return roughly(length)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [
        plural(days, "day") if days else "",
        f"{hours} h" if hours else "",
        f"{rest} min" if rest and not days else "",
    ]
    return " ".join(filter(None, parts))


def stopwatch(length: int) -> str:
    """A place in a recording: `0:07`, `12:40`, `1:02:03`."""
    seconds = max(0, length) // SECOND
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def exact(at: Instant) -> str:
    """To the millisecond, where seconds count: `18 November 2026 14:05:03.214 UTC`."""
    return f"{moment(at):%-d %B %Y %H:%M:%S.%f}"[:-3] + " UTC"


def day(at: Instant) -> str:
    """`3 March 2026`."""
    return f"{moment(at).day} {moment(at):%B %Y}"


def field_time(at: Instant) -> str:
    """An instant to the minute as addresses have it, in UTC: `2026-11-29T14:00`."""
    return moment(at).strftime("%Y-%m-%dT%H:%M")


def relative(at: Instant, now: Instant) -> str:
    """`in 42 min`, `3 h ago`, `now`."""
    if abs(at - now) < 5 * SECOND:
        return "now"
    return f"in {roughly(at - now)}" if at > now else f"{roughly(at - now)} ago"


def _element(at: Instant, show: str, words: str) -> Markup:
    when, shown, title = escape(iso(at)), escape(show), escape(utc(at))
    said = f'<time datetime="{when}" data-show="{shown}" title="{title}">{escape(words)}</time>'
    return Markup(said)  # noqa: S704 - each part is escaped; `Markup.format` takes ten times as long


@pass_context
def ago(context: Context, at: Instant) -> Markup:
    """A `<time>` relative to the page's instant; its title is the absolute time, in the reader's zone with script."""
    return _element(at, "relative", relative(at, context["shell"].now))


@pass_context
def left(context: Context, at: Instant) -> Markup:
    """A `<time>` of what is left until `at`: `3 h left`; `ended` once past; `no end` for `FOREVER`."""
    now = context["shell"].now
    if at >= FOREVER:
        return Markup("no end")
    return _element(at, "left", "ended" if at <= now else f"{duration(at - now)} left")


def on(at: Instant) -> Markup:
    """A `<time>` that shows the absolute time in UTC."""
    return _element(at, "absolute", utc(at))


def size(count: int) -> str:
    """Bytes as people read them, in powers of 1000: `312 B`, `4.2 kB`, `1.3 GB`."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError("TB takes what is left")


def grouped(count: int) -> str:
    """`1,204`."""
    return f"{count:,}"


def plural(count: int, word: str, words: str = "") -> str:
    """`1 session`, `3 sessions`, `2 people`."""
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def initials(name: str) -> str:
    """At most two letters for an avatar: `Ada Lovelace` -> `AL`, `Nils Hoffmann 2` -> `NH`."""
    parts = [part for part in name.replace(".", " ").replace("-", " ").split() if part[0].isalpha()]
    return "".join(part[0] for part in (parts[:1] + parts[1:][-1:])).upper() or "?"


def words(parts: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    listed = list(parts)
    return " and ".join(filter(None, [", ".join(listed[:-1]), listed[-1] if listed else ""]))


def some(parts: Sequence[str], most: int = 3) -> str:
    """The first few: `a, b, c and 497 more`."""
    return words(parts) if len(parts) <= most else f"{', '.join(parts[:most])} and {len(parts) - most:,} more"


def place(at: Instant, start: Instant, end: Instant) -> str:
    """Where an instant lies between two others, as a percentage for SVG, clamped: `37.5%`."""
    span = max(1, end - start)
    return f"{min(1.0, max(0.0, (at - start) / span)) * 100:.3f}%"


def extent(since: Instant, until: Instant, start: Instant, end: Instant) -> str:
    """How wide an interval is within another, as a percentage for SVG; never too narrow to be seen."""
    span = max(1, end - start)
    return f"{max(0.4, (min(until, end) - max(since, start)) / span * 100):.3f}%"


@pass_context
def url(context: Context, path: str, **query: object) -> str:
    """A link within the console: it stays at the reader's `as of`."""
    as_of = context["shell"].as_of
    held = {name: value for name, value in query.items() if value not in (None, "")}
    if as_of is not None:
        held["as_of"] = field_time(as_of)
    page, mark, place = path.partition("#")
    return f"{page}{'&' if '?' in page else '?'}{urlencode(held)}{mark}{place}" if held else path


def label_text(labels: Mapping[str, str]) -> Markup:
    """Labels as small chips: `env=prod`."""
    return Markup(" ").join(_chip(name, value) for name, value in sorted(labels.items()))


@lru_cache(maxsize=4096)
def _chip(name: str, value: str) -> Markup:
    return Markup('<span class="label-chip">{}={}</span>').format(name, value)


@cache
def environment() -> Environment:
    """The templates with their filters; a name that nobody gives is an error."""
    environment = Environment(
        loader=FileSystemLoader(sorted(folder for folder in CONSOLE.iterdir() if (folder / "__init__.py").exists())),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
        auto_reload=False,
    )
    environment.globals.update(asset=asset, icon=icon, url=url, place=place, extent=extent)
    environment.globals.update(request_words=requests.STATES, session_words=sessions.STATES)
    environment.filters.update(
        ago=ago, left=left, on=on, utc=utc, exact=exact, day=day, field_time=field_time,
        field_day=day_text, iso=iso, duration=duration,
        stopwatch=stopwatch, size=size, grouped=grouped, plural=plural, initials=initials, words=words,
        labels=label_text,
    )  # fmt: skip
    return environment
