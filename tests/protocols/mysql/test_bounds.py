"""What a session of MySQL may have at a time, and what is kept of it."""

from struct import pack
from types import SimpleNamespace
from typing import cast

import pytest

from onepam.kernel.errors import Refused
from onepam.protocols.mysql import answers, looking, wire
from onepam.protocols.mysql.dial import TargetLeg
from onepam.protocols.mysql.exchange import MAX_KEPT_BYTES
from onepam.protocols.mysql.hiding import MOST_COLUMNS, MOST_ROW_BYTES
from onepam.protocols.mysql.parameters import MAX_PARAMETERS_BYTES
from onepam.protocols.mysql.texts import KNOWN_TEXTS
from onepam.protocols.sql.events import Allowance
from onepam.recording.statements import Outcome
from tests.protocols.mysql import messages as my
from tests.protocols.mysql.test_machine import values
from tests.protocols.mysql.told import Talk

VALUE = b"v" * 60_000
FIT = MAX_KEPT_BYTES // len(VALUE)
"""So many such values are kept at a time."""


def prepared(*parameters: int) -> Talk:
    """Statements 1, 2, … with so many parameters."""
    talk = Talk()
    for name, count in enumerate(parameters, 1):
        talk.client(my.prepare(b"INSERT")).target(my.prepared(name, count, 0))
    return talk


def test_of_many_parameters_the_first_are_kept() -> None:
    assert MAX_PARAMETERS_BYTES // len(VALUE) == FIT
    sent = my.execute(1, values(*[(0xFD, b"\xfc" + pack("<H", len(VALUE)) + VALUE)] * (FIT + 1)))
    talk = prepared(FIT + 1).client(sent)
    assert [each.value for each in talk.runs[0].parameters] == [VALUE] * FIT + [len(VALUE)]
    assert talk.to_target.endswith(sent)


def test_what_is_sent_ahead_is_kept_in_bounds_of_the_session() -> None:
    """Over all its statements; a value that grew too long, and what has run, take no room any more."""
    null = (6, b"")
    talk = prepared(FIT + 1, 1)
    talk.client(my.ahead(1, FIT, VALUE), my.ahead(1, FIT, VALUE))
    talk.client(*(my.ahead(1, each, VALUE) for each in range(FIT)), my.ahead(2, 0, VALUE))
    talk.client(my.execute(2, values(null))).target(my.ok())
    assert [each.value for each in talk.runs[0].parameters] == [len(VALUE)]
    talk.client(my.execute(1, values(*[null] * (FIT + 1)))).target(my.ok())
    assert [each.value for each in talk.runs[1].parameters] == [VALUE] * FIT + [2 * len(VALUE)]
    talk.client(my.ahead(2, 0, VALUE), my.execute(2, values(null)))
    assert [each.value for each in talk.runs[2].parameters] == [VALUE]


def test_nothing_is_sent_ahead_for_a_parameter_that_there_is_not() -> None:
    talk = prepared(1)
    before = talk.to_target
    assert (talk.client(my.ahead(1, 1, b"x")).to_target, talk.fault) == (before, "")


def test_so_many_texts_are_known_again() -> None:
    """The oldest one is recorded anew."""
    talk = Talk()
    for number in (*range(KNOWN_TEXTS + 1), KNOWN_TEXTS, 0):
        talk.client(my.query(b"DO %d" % number)).target(my.ok())
    assert len(talk.runs) == KNOWN_TEXTS + 3
    assert len(talk.texts) == KNOWN_TEXTS + 2


def test_a_command_of_more_than_any_server_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_COMMAND_BYTES", 200_000)
    assert Talk().client(my.query(b"x" * 199_999)).fault == ""
    assert Talk().client(my.query(b"x" * 200_000)).fault == "client.protocol"


@pytest.mark.claim("a session cannot be reset", altered="a reset passed under guardrails")
def test_a_session_is_not_reset_where_not_everything_may_run() -> None:
    """It would lift what the session began with."""
    talk = Talk(Allowance(frozenset())).client(my.packet(0, b"\x1f"))
    (done,) = talk.ends
    assert (talk.to_target, done.outcome) == (b"", Outcome.REFUSED)
    assert b"connect again" in talk.to_client


def test_so_many_columns_and_so_long_a_description_are_read_under_a_mask() -> None:
    def described(allowance: Allowance, *columns: bytes) -> str:
        return Talk(allowance).client(my.query(b"SELECT")).target(my.packet(1, b"\1"), *columns).fault

    masked, named = Allowance(named=lambda *names: False), my.column(2)
    many = [named[:3] + bytes([(2 + each) % 256]) + named[4:] for each in range(MOST_COLUMNS + 1)]
    assert described(masked, *many[:-1]) == ""
    assert described(masked, *many) == "target.protocol"
    assert described(Allowance(), *many) == "", "nothing is kept of them"
    head = (MOST_ROW_BYTES + 1).to_bytes(3, "little") + b"\2\3"
    assert described(masked, head) == "target.protocol"
    assert described(Allowance(), head) == ""


@pytest.mark.anyio
@pytest.mark.parametrize(
    "said",
    [
        b"\0\0\0\1",
        b"\xff\xff\xff\1",
        my.packet(1, b"\4") + my.eof(2) * 2,
        my.packet(1, b"\5") + my.eof(2) + my.packet(3, b"\6column"),
        my.packet(1, b"\5") + my.eof(2) + my.error(3),
        my.packet(1, b"\5") + my.column(2) * 30 + my.eof(32) * 2,
    ],
)
async def test_a_catalogue_that_is_none(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    """Empty and endless packets, other columns, rows that are none, and more than a target may say."""
    monkeypatch.setattr(answers, "MOST_BYTES", 500)
    leg = SimpleNamespace(early=b"", is_closed=lambda: False, hold=bool)
    leg.send = lambda data: leg.heard(said)
    found = await looking.look_up(cast(TargetLeg, leg), ("email",))
    assert isinstance(found, Refused)
    assert found.code == "target.refusing"


def test_a_number_that_the_target_gives_again_is_another_statement() -> None:
    """What was open of the first one is over, once."""
    talk = prepared(0).client(my.execute(1, cursor=True))
    talk.target(my.packet(1, b"\1") + my.column(2) + my.eof(3, 2 | 64))
    talk.client(my.prepare(b"another")).target(my.prepared(1, 0, 0))
    assert [each.outcome for each in talk.ends] == [Outcome.SUSPENDED]
    talk.client(my.fetch(1, 1))
    assert b"no more rows" in talk.to_client
    assert len(talk.end().ends) == 1
