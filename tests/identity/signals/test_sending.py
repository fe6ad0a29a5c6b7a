"""What a receiver still has to take: at least once, in order, across restarts; tokens say the same each time."""

import json
import secrets
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest

from onepam.domain.people.events import PersonDisabled
from onepam.domain.providers.signals import Outgoing, SignalKind
from onepam.egress.fetch import Fetch
from onepam.identity.signals.listener import Listener
from onepam.identity.signals.sending import (
    MOST_AT_ONCE,
    Outbox,
    SendingKey,
    index_of,
    jti_of,
    token_of,
)
from onepam.jobs.sending import Sender
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Corrupt
from onepam.kernel.secret import Secret
from tests.company import record
from tests.identity.oidc.hostile import Answer
from tests.identity.signals.watch import Watch

pytestmark = pytest.mark.anyio


def told(index: int) -> Outgoing:
    return Outgoing(index, Instant(index * SECOND), SignalKind.SESSION_REVOKED, "eve@example.com")


class Ledger:
    """Signals at some indexes of a ledger of `size` entries, looked through ten at a time."""

    def __init__(self, size: int, *indexes: int) -> None:
        self.size = size
        self.indexes = indexes

    async def load(self, after: int) -> tuple[list[Outgoing], int]:
        end = max(after, min(after + 10, self.size))
        return [told(each) for each in self.indexes if after <= each < end], end


def indexes(waiting: list[Outgoing]) -> list[int]:
    return [each.index for each in waiting]


async def test_what_was_not_taken_comes_again_and_nothing_is_left_out(tmp_path: Path) -> None:
    ledger = Ledger(10, 3, 5, 7)
    box = Outbox(tmp_path / "a.cursor", ledger.load, 0)
    assert indexes(await box.waiting()) == [3, 5, 7] == indexes(await box.waiting())
    box.took(5)
    assert indexes(await box.waiting()) == [3, 7]
    again = Outbox(tmp_path / "a.cursor", ledger.load, 99)
    assert indexes(await again.waiting()) == [3, 5, 7], "after a restart from the first that is open"
    box.took(3, 1000, -1)
    assert indexes(await box.waiting()) == [7]
    assert indexes(await Outbox(tmp_path / "a.cursor", ledger.load, 99).waiting()) == [7]
    box.took(7)
    assert await box.waiting() == []
    ledger.size, ledger.indexes = 60, (3, 5, 7, 55)
    found: list[int] = []
    for _ in range(6):
        found += indexes(await box.waiting())
    assert found[-1] == 55


async def test_a_new_receiver_begins_at_the_head_and_a_broken_cursor_is_told(tmp_path: Path) -> None:
    ledger = Ledger(10, 3, 8)
    assert indexes(await Outbox(tmp_path / "a.cursor", ledger.load, 5).waiting()) == [8]
    (tmp_path / "a.cursor").write_text("x")
    with pytest.raises(Corrupt):
        Outbox(tmp_path / "a.cursor", ledger.load, 5)


async def test_taken_marks_are_bounded(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "a.cursor", Ledger(10, 9).load, 0)
    box.took(*range(1000, 9000))
    assert len(box._taken) <= MOST_AT_ONCE


def test_a_token_says_the_same_each_time() -> None:
    key = SendingKey(SendingKey.new())
    claims = [json.loads(urlsafe_b64decode(_part(token_of(key, "https://a", "b", told(7))))) for _ in range(2)]
    assert claims[0] == claims[1]
    assert (claims[0]["jti"], claims[0]["iat"]) == ("entry-7", 7)
    assert key.jwks["keys"][0].keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert index_of(jti_of(7)) == 7
    assert [index_of(each) for each in ("", "entry-", "entry--1", "entry-1 ", "entry-" + "9" * 17)] == [None] * 5
    with pytest.raises(Corrupt):
        SendingKey(Secret(b"nonsense"))


def _part(token: str) -> str:
    part = token.split(".")[1]
    return part + "=" * (-len(part) % 4)


async def test_who_fails_is_tried_again_ever_less_often(watch: Watch, tmp_path: Path) -> None:
    there = watch.transmitter
    fetch = Fetch(there.egress)
    listener = Listener("siem", "aud", f"{there.issuer}/events")

    def sender() -> Sender:
        return Sender(
            tmp_path / "signals", (listener,), "https://a", watch.envelope, secrets.token_bytes, watch.company.reader,
            fetch, watch.company.ledger.size,
        )  # fmt: skip

    def posted() -> int:
        return there.asked.count("/events")

    first = sender()
    await record(watch.company.ledger, PersonDisabled("max", "ada", "left"), PersonDisabled("eve", "ada", "left"))
    there.answers["/events"] = Answer(status=500)
    for now in (0.0, 0.5, 1.0, 2.0, 3.0, 6.9, 7.0):
        await first.round(now)
    assert posted() == 4, "at 0, 1, 3 and 7 seconds; only the first, since order is kept"
    there.answers["/events"] = Answer(status=202)
    second = sender()  # after a restart
    await second.round(0.0)
    await second.round(1.0)
    assert posted() == 6
    assert second.key.kid == first.key.kid
    (tmp_path / "signals" / "siem.token").write_bytes(b"two words")
    with pytest.raises(Corrupt):
        sender()
    await fetch.aclose()
