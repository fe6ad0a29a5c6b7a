"""Weekly hours as the rules read them, held against what the door reads: two readings of the same hours."""

from zoneinfo import ZoneInfo

from onepam.domain.access import hours as door
from onepam.domain.history.event import plain
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant, parse
from onepam.ledger.lawful.hours import open_until

SINCE, UNTIL = parse("2026-10-20T00:00:00+02:00"), parse("2027-04-10T00:00:00+02:00")


def weekly(text: str) -> door.Weekly:
    found = door.read_hours(text)
    assert isinstance(found, door.Hours)
    return door.weekly(found, ZoneInfo("Europe/Berlin"), SINCE, UNTIL)


def test_the_rules_read_hours_as_the_door_does() -> None:
    """Around both changes of the clocks, each quarter of an hour; what never ends is looked at for a day."""
    for text in ("Mon-Fri 09:00-17:00", "Sat,Sun 22:00-06:00", "Sun 01:30-02:30", "Mon-Sun 00:00-24:00"):
        hours = weekly(f"{text} Europe/Berlin")
        said = plain(hours)
        assert isinstance(said, dict)
        for begin in (SINCE, parse("2026-10-23T00:00:00Z"), parse("2027-03-26T00:00:00Z")):
            for quarter in range(5 * 24 * 4):
                at = Instant(begin + quarter * 15 * MINUTE)
                until = door.open_until(hours, at)
                found = open_until(said, at)
                assert found == (at if until is None else until) or found >= at + DAY, (text, at)


def test_hours_that_change_their_offset_within_the_day_go_on() -> None:
    hours = weekly("Sat,Sun 22:00-06:00 Europe/Berlin")
    said = plain(hours)
    assert isinstance(said, dict)
    at = parse("2026-10-24T22:00:00+02:00")
    assert open_until(said, at) == at + 9 * HOUR
