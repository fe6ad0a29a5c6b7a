"""What the page of a session shows of its recording, beside the player."""

from onepam.console.sessions.timeline import FilmStrip, film_strip, ssh_counts
from onepam.gateway.playback import Channel, Timeline
from onepam.kernel.clock import MINUTE, SECOND
from onepam.recording.seal import Head

SHELL = Channel(0, "pty", "", 100, 30, 0, MINUTE)
PORT = Channel(1, "forward", "localhost:8080", 0, 0, SECOND, 2 * SECOND)


def told(*channels: Channel, unlisted: int = 0) -> Timeline:
    counts = {"channels": len(channels) + unlisted}
    return Timeline("ses_1", None, MINUTE, channels, (), unlisted, None, None, Head(0, b""), counts)


def said(strip: FilmStrip) -> list[list[object]]:
    return ssh_counts(strip.counts, strip, "")


def test_a_connection_to_a_port_is_no_shell() -> None:
    strip = film_strip(told(SHELL, PORT))
    assert said(strip)[:2] == [[1, "shell or command"], [1, "connection to a port"]]
    titles = [each["title"] for each in strip.events]
    assert titles == [
        "Shell opened", "Connection to localhost:8080 opened", "Connection to localhost:8080 closed", "Shell closed"
    ]  # fmt: skip


def test_where_there_is_none_nothing_is_said_of_it() -> None:
    assert [word for _, word in said(film_strip(told(SHELL)))] == ["shell or command", "file operations", "gaps"]


def test_where_not_all_is_listed_the_kinds_are_not_told_apart() -> None:
    assert said(film_strip(told(SHELL, PORT, unlisted=3)))[:2] == [[5, "shells or commands"], [0, "file records"]]
