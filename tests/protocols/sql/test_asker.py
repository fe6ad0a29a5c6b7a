"""What whoever decides on a statement sees of it, and what its session hears of the wait."""

import asyncio
import logging
import struct
from types import SimpleNamespace
from typing import Any, cast

import pytest

from onepam.domain.access.guardrails import StatementClass
from onepam.domain.sessions.waiting_statements import StatementAsked
from onepam.gateway.ask_first import Question, Said, Told
from onepam.gateway.session import Gateway
from onepam.gateway.tasks import Tasks
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.errors import Refused
from onepam.protocols.sql import asker
from onepam.protocols.sql.asker import Asker, legible, values
from onepam.protocols.sql.events import Wanted
from onepam.recording.statements import Parameter

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"a1", r"\x6131 (as a number 24881 or text 'a1')"),
        (b"drop", r"\x64726f70 (as a number 1685221232 or text 'drop')"),
        (b"customer", r"\x637573746f6d6572 (as a number 7166761325952853362 or text 'customer')"),
        (b"\xff\xfe", r"\xfffe (as a number -2)"),
        (struct.pack(">d", 3.5), r"\x400c000000000000 (as a number 3.5 or a number 4615063718147915776)"),
        (struct.pack(">f", -0.25), r"\xbe800000 (as a number -0.25 or a number -1098907648)"),
        (struct.pack(">q", 1 << 62), r"\x4000000000000000 (as a number 2.0 or a number 4611686018427387904)"),
        (struct.pack(">q", 12345), r"\x0000000000003039 (as a number 12345)"),
        (b"\x00\x00\x00\x07", r"\x00000007 (as a number 7)"),
        ("ä".encode(), r"\xc3a4 (as a number -15452 or text 'ä')"),
        (b"abc", r"\x616263 (as text 'abc')"),
        (b"two\nlines\r", r"\x74776f0a6c696e65730d (as text 'two" + "\n" + r"lines\u000d')"),
        (b"\xff\xfe\xfd", r"\xfffefd"),
        (b"\x00ab", r"\x006162"),
        (b"", r"\x (as text '')"),
    ],
)
def test_what_has_a_binary_form_is_its_bytes_and_all_that_it_may_be(value: bytes, shown: str) -> None:
    assert [*values((Parameter(value, True),))] == [shown]


def test_other_parameters_are_text_nothing_or_a_size() -> None:
    given = Parameter(b"a1"), Parameter(None, True), Parameter(70_000, True), Parameter("\u202ea".encode())
    assert [*values(given)] == ["'a1'", "NULL", "70000 bytes", r"'\u202ea'"]


def test_no_letter_hides_another() -> None:
    assert legible("a\tb\n\r\u202e\x1b[2J ä".encode() + b"\xff") == "a\tb\n" + r"\u000d\u202e\u001b[2J ä\xff"


class Waits:
    """In the place of `ask_first`: what it was asked, and what comes of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.questions: list[Question] = []
        self.answer: asyncio.Future[Refused | None] = asyncio.get_running_loop().create_future()
        self.heard: list[str] = []
        self.decided: list[Refused | None] = []
        self.tasks = Tasks()
        monkeypatch.setattr(asker, "ask_first", self._asked)
        gateway = SimpleNamespace(tasks=self.tasks, console_url="https://pam")
        self.asker = Asker(cast(Gateway, gateway), "ses_1", "d\u202eb" + "x" * 200, HOUR)
        wanted = Wanted(3, {"write", "ddl"}, b"DROP\x00", (Parameter(b"a"),), in_transaction=True)
        self.asker.ask(wanted, self.heard.append, self.decided.append)

    async def _asked(self, _: Any, question: Question, told: Told) -> Refused | None:
        self.questions.append(question)
        classes = question.classes
        told(StatementAsked("stm_1", "ses_1", "eve", "db", "app", 3, classes, True, ("lead", "dba"), Instant(0)))
        return await self.answer


@pytest.mark.parametrize("answer", [None, Refused("statement.denied", "no")])
async def test_its_session_hears_that_it_waits_and_what_came_of_it(
    answer: Refused | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = Waits(monkeypatch)
    await asyncio.sleep(0)
    said = Said(r"DROP\u0000", ("'a'",), r"d\u202eb" + "x" * 192)
    asked = Question("ses_1", 3, (StatementClass.DDL, StatementClass.WRITE), True, said, HOUR)
    assert waits.questions == [asked]
    words = "this statement waits for a yes of the roles lead or dba, until 00:00:00 UTC at the latest"
    assert waits.heard == [f"{words}: https://pam/approvals#stm_1"]
    asks = [waits.asker.asks]
    waits.answer.set_result(answer)
    assert await waits.tasks.over(60)
    assert waits.decided == [answer]
    assert [*asks, waits.asker.asks] == [True, False]
    assert not waits.asker.withdraw("client.left"), "nothing waits any more"


async def test_nothing_is_heard_of_what_was_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = Waits(monkeypatch)
    await asyncio.sleep(0)
    assert waits.asker.withdraw("client.left")
    assert not waits.asker.asks
    assert await waits.tasks.over(60)
    assert (waits.decided, waits.questions[0].because) == ([], "client.left")


async def test_what_fails_is_heard_as_that_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    waits = Waits(monkeypatch)
    waits.answer.set_exception(RuntimeError("odd"))
    with caplog.at_level(logging.ERROR):
        assert await waits.tasks.over(60)
    assert [each.code for each in waits.decided if each is not None] == ["gateway.failed"]
    assert [str(each.exc_info[1]) for each in caplog.records if each.exc_info] == ["odd"]
