"""What keeps people apart, and a secret where it belongs, told by the parts alone."""

from dataclasses import replace
from struct import pack
from types import SimpleNamespace

import pytest

from onepam.kernel.secret import Secret
from onepam.protocols.mysql import dial, startup
from onepam.protocols.mysql.startup import NOBODY
from onepam.protocols.mysql.threads import Threads
from onepam.protocols.mysql.wire import Can, Malformed
from onepam.protocols.sql.target import Where
from onepam.protocols.sql.tls import Pins
from tests.protocols.postgres.server import PASSWORD

WHO = dial.Who("app", NOBODY, Secret(PASSWORD.encode()))


def test_nobody_kills_what_is_somebody_elses() -> None:
    """By our number, or by that of the same target."""
    threads, ended = Threads(), list[str]()
    number = threads.next()
    threads.hold(number, "per_eve", ("db", 7), lambda: ended.append("statement"), lambda: ended.append("session"))
    for thread, person, target in (
        (number, "per_bob", "db"), (7, "per_bob", "db"), (7, "per_eve", "other"), (8, "per_eve", "db"),
        (number + 1, "per_eve", "db"),
    ):  # fmt: skip
        assert not threads.kill(thread, person, target, True)
    assert ended == []
    assert threads.kill(number, "per_eve", "other", False)
    assert threads.kill(7, "per_eve", "db", False)
    assert ended == ["statement", "statement"]
    assert threads.kill(7, "per_eve", "db", True)
    assert ended == ["statement", "statement", "statement", "session"]
    threads.drop(number)
    assert not threads.kill(number, "per_eve", "db", True)
    assert not threads.kill(7, "per_eve", "db", True)


@pytest.mark.parametrize(
    ("words", "in_clear", "shown"),
    [
        ("no such user", False, "no such user"),
        ("no such user", True, "error 1045"),
        (f"{PASSWORD}?", False, "error 1045"),
    ],
)
def test_a_servers_words_are_shown_where_they_cannot_hold_the_secret(words: str, in_clear: bool, shown: str) -> None:
    payload = b"\xff" + pack("<H", 1045) + b"#28000" + words.encode()
    said = dial._worded(payload, WHO, in_clear=in_clear).message
    assert said == f"the target does not admit us as app: {shown}"


def test_a_client_has_so_many_attributes() -> None:
    def sent(count: int) -> bytes:
        asked = replace(NOBODY, attributes={str(each): "" for each in range(count)})
        return startup.response(asked, "app", startup.OFFERED & ~Can.SSL, "", b"")

    assert len(startup.start(sent(startup.MOST_ATTRIBUTES)).attributes) == startup.MOST_ATTRIBUTES
    with pytest.raises(Malformed):
        startup.start(sent(startup.MOST_ATTRIBUTES + 1))


@pytest.mark.anyio
@pytest.mark.parametrize("same", [True, False])
async def test_only_the_very_server_is_told_to_end_a_statement(monkeypatch: pytest.MonkeyPatch, same: bool) -> None:
    """Behind one address another may have given the number to somebody else."""
    sent: list[bytes] = []

    def send(data: bytes) -> None:
        sent.append(data[5:])
        leg.heard(b"")

    leg = SimpleNamespace(certificate=b"one", send=send, hold=bool, close=lambda: sent.append(b"closed"))
    leg.heard = leg.lost = lambda *_: None

    async def dialled(*_: object) -> SimpleNamespace:
        return leg

    monkeypatch.setattr(dial, "dial", dialled)
    where = Where("127.0.0.1", 3306, "localhost", Pins(frozenset(), ""))
    await dial._stop(where, WHO, 5, b"one" if same else b"another")
    assert sent == [*([b"KILL QUERY 5"] if same else []), b"", b"closed"]
