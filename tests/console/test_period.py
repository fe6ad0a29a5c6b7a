"""Days and times as people type them: the format of fields, and what pages show; nothing that two countries read
differently."""

import pytest

from onepam.console.frame.period import day_begins, day_text, typed_instant
from onepam.console.frame.rendering import day, environment
from onepam.kernel.clock import DAY, MINUTE, Instant, parse, utc

BEGINS = parse("2026-11-29T00:00:00Z")
AT = Instant(BEGINS + 14 * 60 * MINUTE + 5 * MINUTE)


@pytest.mark.parametrize(
    "text", ["2026-11-29", " 2026-11-29 ", "29 November 2026", "29 Nov 2026", day(AT), day_text(AT)]
)
def test_a_day_is_typed_as_fields_have_it_or_as_pages_show_it(text: str) -> None:
    assert day_begins(text) == BEGINS
    assert day_begins(text, 1) == BEGINS + DAY
    assert typed_instant(text) == BEGINS


@pytest.mark.parametrize(
    "text",
    ["", "11/29/2026", "03/04/2026", "29.11.2026", "2026-13-01", "2026-02-30", "29 Brumaire 2026", "0", "x" * 999],
)
def test_what_two_countries_read_differently_is_no_day(text: str) -> None:
    assert day_begins(text) is None
    assert typed_instant(text) is None


@pytest.mark.parametrize(
    "text",
    ["2026-11-29 14:05", "2026-11-29T14:05", "29 November 2026 14:05", "29 Nov 2026 14:05 UTC", utc(AT),
     "2026-11-29T15:05+01:00", "2026-11-29T14:05:00.000000Z"],
)  # fmt: skip
def test_a_time_is_typed_as_fields_have_it_or_as_pages_show_it(text: str) -> None:
    assert typed_instant(text) == AT


def test_the_last_day_that_there_is_has_no_next_one() -> None:
    assert typed_instant("9999-12-31T23:59-23:59") is not None
    assert day_begins("9999-12-31", 1) is None


def test_no_page_has_a_field_of_the_browsers_own_format() -> None:
    loader = environment().loader
    assert loader is not None
    pages = [name for name in loader.list_templates() if name.endswith(".html")]
    assert pages
    for name in pages:
        text = loader.get_source(environment(), name)[0]
        assert not any(f'type="{kind}"' in text for kind in ("date", "datetime-local", "time", "month", "week")), name
