"""Lines of JSON in an answer that comes piece by piece."""

import json
from collections.abc import Iterable, Iterator

from onepam.cli.show import REFUSED, stop

MAX_LINE_BYTES = 16 * 1024 * 1024


def lines_of(pieces: Iterable[bytes]) -> Iterator[str]:
    """The lines, which LF alone parts: what else Unicode calls the end of a line may stand in what a target printed.
    Ends the program where one is too long."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
        if len(rest) > MAX_LINE_BYTES:
            stop(REFUSED, "The answer has a line that is too long.")
    if rest:
        yield rest.decode("utf-8", "replace")


def plain(line: str) -> str:
    """The same JSON, in which everything beyond ASCII is escaped: a terminal acts on none of it."""
    return json.dumps(json.loads(line))
