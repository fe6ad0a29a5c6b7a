"""Passwords do not stand in the recording of a session in which nothing else is masked."""

import pytest

from onepam.protocols.sql.events import Hidden
from onepam.recording.statements import Outcome, Parameter
from tests.protocols.postgres import messages as pg
from tests.protocols.postgres.told import Told

ALTER = "ALTER ROLE app PASSWORD 's3cret!' VALID UNTIL 'tomorrow'"


@pytest.mark.parametrize("extended", [True, False])
def test_the_server_has_a_password_and_the_recording_has_its_size(extended: bool) -> None:
    told = Told()
    told.passes(pg.parse("", ALTER) + pg.bind("", "") + pg.execute() + pg.SYNC if extended else pg.query(ALTER))
    assert told.texts == {1: b"ALTER ROLE app PASSWORD '[masked: 7 bytes]' VALID UNTIL 'tomorrow'"}
    assert Hidden("statement", 1, "masked: 1 part of the text") in told.events
    words = pg.error("42601", "syntax error at or near \"'s3cret!'\"")
    told.answers((pg.PARSED + pg.BOUND if extended else b"") + words + pg.ready())
    (done,) = told.done
    assert (done.outcome, done.words) == (Outcome.ERROR, "42601 [masked: 35 bytes]")


def test_a_parameter_that_stands_for_a_password_is_not_recorded_either() -> None:
    told = Told()
    told.passes(pg.parse("", "UPDATE people SET password = $1 WHERE n = $2"))
    told.passes(pg.bind("", "", [b"s3cret!", b"1"]) + pg.execute() + pg.SYNC)
    (run,) = told.runs
    assert run.parameters == (Parameter(7), Parameter(1))


def test_a_long_text_is_recorded_up_to_a_password() -> None:
    told = Told()
    told.passes(pg.query("SELECT 'x'; " * 30_000 + ALTER + "; SELECT 2"))
    assert told.texts[1].endswith(b"SELECT 'x'; ALTER ROLE app ")
    assert any(isinstance(each, Hidden) and "for a password may stand there" in each.words for each in told.events)


def test_what_is_bound_in_a_long_text_in_which_one_may_stand_is_not_recorded() -> None:
    told = Told()
    told.passes(pg.parse("", "SELECT 'x'; " * 30_000 + "UPDATE people SET password = $1"))
    told.passes(pg.bind("", "", [b"s3cret!"]) + pg.execute() + pg.SYNC)
    (run,) = told.runs
    assert run.parameters == (Parameter(7),)


def test_what_says_password_and_has_none_is_recorded_as_it_is() -> None:
    told = Told()
    told.passes(pg.query("SELECT password FROM people WHERE name = 'x'"))
    assert told.texts == {1: b"SELECT password FROM people WHERE name = 'x'"}
    assert not any(isinstance(each, Hidden) for each in told.events)


def test_where_a_backslash_may_escape_none_of_the_text_is_recorded() -> None:
    """By `standard_conforming_strings`, of which the text that sets a password knows nothing."""
    told = Told()
    told.passes(pg.query("ALTER ROLE app PASSWORD 'x\\'s3cret!'"))
    assert told.texts == {1: b"/* [masked: 36 bytes] */"}
