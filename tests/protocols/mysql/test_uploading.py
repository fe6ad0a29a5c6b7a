"""LOAD DATA LOCAL: who may, what passes, and what is counted; by the parts, and before a real MariaDB."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.open_session import Opened
from onepam.domain.access.model import Action
from onepam.protocols.mysql.uploading import loads
from onepam.protocols.sql.events import Allowance
from onepam.recording.statements import Form, Outcome
from tests.protocols.mysql import messages as my
from tests.protocols.mysql.small import Small
from tests.protocols.mysql.told import Talk
from tests.protocols.postgres import small as small_door

LOAD = b"LOAD DATA LOCAL INFILE 'f' INTO TABLE t"
WANTED = my.packet(1, b"\xfbf")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (LOAD, True),
        (b"load/**/data low_priority\n local infile 'f' into table t", True),
        (b"SELECT 1; /*!40000 LOAD XML CONCURRENT LOCAL INFILE 'f' INTO TABLE t */", True),
        (b"-- a file\nLOAD DATA # of ours\nLOCAL INFILE 'f' INTO TABLE t", True),
        (b"LOAD DATA INFILE 'local' INTO TABLE t", False),
        (b"SELECT local FROM load_data", False),
        (b"SELECT @load data, local", False),
        (b"EXECUTE IMMEDIATE CONCAT('LOAD DATA ', 'LOCAL INFILE')", False),
    ],
)
def test_which_statements_load_a_file_of_the_clients(text: bytes, found: bool) -> None:
    assert loads(text) is found


@pytest.mark.parametrize("step", [1, 3, 10_000])
def test_a_file_passes_in_any_chunking_and_is_counted(step: int) -> None:
    sent = my.packet(2, b"1\n" * 30) + my.packet(3, b"2\n") + my.packet(4, b"")
    talk = Talk(files=True).client(my.query(LOAD) + sent[:5]).target(WANTED)
    for offset in range(5, len(sent), step):
        talk.client(sent[offset : offset + step])
    talk.client(my.query(b"SELECT 5"))
    assert (talk.to_target, talk.to_client) == (my.query(LOAD) + sent, WANTED)
    talk.target(my.ok(5, affected=31))
    (done,) = talk.ends
    assert (talk.runs[0].form, done.outcome, done.rows, done.size) == (Form.COPY, Outcome.OK, 31, 62)
    assert talk.to_target.endswith(my.query(b"SELECT 5"))
    assert talk.target(my.rows(b"5")).fault == ""


def test_a_file_that_fills_a_packet_goes_on_in_an_empty_one() -> None:
    """Which is not its end; the numbers go round at 256."""
    whole = b"\xff\xff\xff\2" + b"x" * (2**24 - 1)
    more = b"".join(my.packet(4 + each, b"y") for each in range(300))
    talk = Talk(files=True).client(my.query(LOAD)).target(WANTED)
    talk.client(whole, my.packet(3, b""), more, my.packet(304, b""))
    talk.target(my.ok(305))
    assert ([each.size for each in talk.ends], talk.fault) == ([2**24 - 1 + 300], "")


def test_what_fails_at_the_target_fails_after_the_file() -> None:
    talk = Talk(files=True).client(my.query(LOAD)).target(WANTED).client(my.packet(2, b"x"), my.packet(3, b""))
    talk.target(my.error(4))
    assert [(each.outcome, each.size) for each in talk.ends] == [(Outcome.ERROR, 1)]
    assert talk.client(my.query(b"SELECT 5")).target(my.rows(b"5")).fault == ""


def test_the_last_word_of_a_target_may_come_in_the_middle() -> None:
    talk = Talk(files=True).client(my.query(LOAD)).target(WANTED).client(my.packet(2, b"x"))
    talk.target(my.packet(0, b"\xff\x87\x07#70100killed"))
    assert (talk.to_client[len(WANTED) :], talk.fault) == (my.packet(3, b"\xff\x87\x07#70100killed"), "")


@pytest.mark.parametrize("said", [my.ok(2), my.rows(b"5", sequence=2)])
def test_nothing_else_comes_before_the_file_is_there(said: bytes) -> None:
    talk = Talk(files=True).client(my.query(LOAD)).target(WANTED, said)
    assert talk.fault == "target.protocol"


@pytest.mark.parametrize("sent", [my.packet(3, b"x"), my.query(b"SELECT 1"), my.packet(1, b"")])
def test_a_client_that_sends_no_file(sent: bytes) -> None:
    talk = Talk(files=True).client(my.query(LOAD)).target(WANTED).client(sent)
    assert (talk.fault, talk.to_target) == ("client.protocol", my.query(LOAD))


@pytest.mark.parametrize(("text", "files"), [(LOAD, False), (b"SELECT 1", True)])
def test_no_target_has_a_file_that_nobody_gave(text: bytes, files: bool) -> None:
    """A server that asks for one without the permission, or in answer to another statement: its client never hears."""
    talk = Talk(files=files).client(my.query(text)).target(WANTED)
    assert talk.fault == "target.protocol"
    assert WANTED not in talk.to_client


def test_no_target_has_a_file_behind_rows_of_which_nothing_more_is_given() -> None:
    """The client would not hear that it is asked, and the target would take what it says next for the file."""
    talk = Talk(Allowance(rows=1), files=True).client(my.query(b"SELECT 1; " + LOAD))
    talk.target(my.rows(b"1", b"2", status=2 | 8), my.packet(7, b"\xfbf"))
    assert talk.fault == "target.protocol"


# Before a real server ------------------------------------------------------------------------------------------------


def permitted(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = small_door._opened

    def opened(server: object, login: str) -> Opened:
        return replace(usual(server, login), actions=(Action.QUERY, Action.LOCAL_FILES))  # type: ignore[arg-type]

    monkeypatch.setattr(small_door, "_opened", opened)


@pytest.mark.anyio
@pytest.mark.claim
@pytest.mark.parametrize("may", [True, False])
async def test_a_file_is_loaded_where_the_access_says_so(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, may: bool
) -> None:
    if may:
        permitted(monkeypatch)
    file = tmp_path / "file"
    file.write_text("".join(f"{each}\n" for each in range(300_000)))
    script = (
        f"CREATE TEMPORARY TABLE t (n INT); LOAD DATA LOCAL INFILE '{file}' INTO TABLE t;"
        "LOAD DATA LOCAL INFILE '/nonexistent' INTO TABLE t; SELECT COUNT(*), SUM(n) FROM t;"
    )
    status, said, errors = await small.mariadb(script, "app", "--local-infile=1", "--force")
    rows = "300000\t44999850000\n" if may else "0\tNULL\n"
    assert (status, said) == (0, rows), errors
    assert (re.search("local (infile|data)", errors) is None) is may
    (loaded,) = [done for text, _, done in small.journals[0].statements() if str(file) in text]
    assert loaded is not None
    counted = (300_000, file.stat().st_size) if may else (0, 0)
    assert (loaded.outcome is Outcome.OK, loaded.rows, loaded.size) == (may, *counted)
