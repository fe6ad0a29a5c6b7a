"""Output: what comes from elsewhere is shown as text, never as control characters or markup.

`--json` prints what the API said, with absolute times, to stdout; what is for a person's eye only goes to stderr.
"""

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TextIO

import typer

if TYPE_CHECKING:
    from rich.console import Console

OK, REFUSED, USAGE, SIGNED_OUT, UNAVAILABLE = 0, 1, 2, 3, 4
"""Exit codes; docs/cli.md explains them."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
_PLAIN_WIDTH = 200


class Output:
    """How this run speaks."""

    as_json = False


def _chosen(value: bool) -> bool:
    Output.as_json = Output.as_json or value
    return value


Json = Annotated[bool, typer.Option("--json", help="Print JSON.", callback=_chosen, is_eager=True)]
"""The option that every command has; it is acted on before the command runs."""


def clean(value: object) -> str:
    """Text in which nothing is hidden: controls, bidi marks and other invisible characters are written as escapes."""
    return "".join(
        character
        if unicodedata.category(character) not in _HIDDEN or character in _JOINERS
        else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in str(value)
    )


def printed(value: Any) -> None:
    """JSON on stdout; everything beyond ASCII is escaped."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def say(*lines: str) -> None:
    """Lines on stdout; a line end within one is shown as an escape, so nobody's text looks like ours."""
    _write(sys.stdout, lines)


def note(*lines: str) -> None:
    """Lines on stderr."""
    _write(sys.stderr, lines)


def _write(stream: TextIO, lines: Iterable[str]) -> None:
    stream.write("".join(f"{clean(line)}\n" for line in lines))
    stream.flush()


def stop(exit_code: int, message: str, hint: str = "", code: str = "", details: Sequence[str] = ()) -> NoReturn:
    """Says why not and what to do next, and ends the program."""
    if Output.as_json:
        said = {"code": code, "message": message, "hint": hint, **({"details": details} if details else {})}
        sys.stderr.write(json.dumps(said) + "\n")
    else:
        note(message, *(f"  {line}" for line in (*details, hint) if line))
    raise typer.Exit(exit_code)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """A table, or the words for an empty one."""
    from rich.table import Table
    from rich.text import Text

    listed = list(rows)
    if not listed:
        say(empty)
        return
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        shown.add_column(name, overflow="fold")
    for row in listed:
        shown.add_row(*(Text(clean(cell)) for cell in row))
    console().print(shown)


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Names and values, one a line; values that are empty are left out."""
    listed = [(name, value) for name, value in pairs if value not in ("", None)]
    width = max((len(name) for name, _ in listed), default=0)
    for name, value in listed:
        say(f"{name:<{width}}  {value}")


def console(*, stderr: bool = False) -> "Console":
    """The terminal, or a wide page where there is none, so that nothing is cut off in a pipe."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else _PLAIN_WIDTH)


BASES = {
    "own": "shown to OnePAM",
    "attested": "attested by the provider",
    "declared": "declared",
    "stepped_up": "first at the provider, then to OnePAM",
    "accepted": "none: accepted risk",
}
"""What a sign-in's second factor rests on."""


def when(text: str | None, now: datetime | None = None) -> str:
    """`in 2 h`, `3 min ago`, for an RFC 3339 time; empty for none."""
    if not text:
        return ""
    seconds = (datetime.fromisoformat(text) - (now or datetime.now(UTC))).total_seconds()
    return f"in {span(seconds)}" if seconds > 0 else f"{span(-seconds)} ago"


def span(seconds: float) -> str:
    """A duration in one or two units."""
    minutes, hours = int(seconds // 60), round(seconds / 3600)
    if minutes < 1:
        return f"{int(seconds)} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 600:
        return f"{minutes // 60} h {minutes % 60} min".removesuffix(" 0 min")
    return f"{hours} h" if hours < 48 else f"{round(seconds / 86400)} days"


def confirmed(question: str, yes: bool) -> None:
    """Goes on only after a yes; without a terminal, `--yes` has to say it."""
    if yes:
        return
    if not sys.stdin.isatty():
        stop(USAGE, "There is no terminal to ask on.", "Add --yes to confirm.")
    if not typer.confirm(clean(question)):
        stop(REFUSED, "Nothing was changed.")
