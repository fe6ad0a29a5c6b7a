"""Passwords do not stand in the recording of a session with MySQL."""

from struct import pack

import pytest

from onepam.protocols.sql.conversation import AT_ONCE_BYTES
from onepam.protocols.sql.events import Hidden, Run, Text
from onepam.recording.statements import Parameter
from tests.protocols.mysql import messages as my
from tests.protocols.mysql.told import Talk


def test_the_server_has_a_password_and_the_recording_has_its_size() -> None:
    talk = Talk()
    said = my.query(b'CREATE USER a IDENTIFIED BY "s3cret!"')
    assert talk.client(said).to_target == said
    texts = [each.text for each in talk.events if isinstance(each, Text)]
    assert texts == [b"CREATE USER a IDENTIFIED BY '[masked: 7 bytes]'"]
    assert Hidden("statement", 1, "masked: 1 part of the text") in talk.events


def test_what_is_bound_in_a_long_text_in_which_a_password_may_stand_is_not_recorded() -> None:
    talk = Talk().client(my.prepare(b"SELECT 1 -- " + b"x" * 70_000 + b"\n; ALTER USER a IDENTIFIED BY ?"))
    talk.target(my.packet(1, b"\0" + pack("<IHHBH", 1, 0, 1, 0, 0)) + my.column(2) + my.eof(3))
    sent = my.execute(1, b"\0\1\xfd\0\7s3cret!")
    assert talk.client(sent).to_target.endswith(sent)
    assert [each.parameters for each in talk.events if isinstance(each, Run)] == [(Parameter(7),)]


@pytest.mark.parametrize("word", [b" password", b" kill"])
def test_a_text_in_which_one_or_a_kill_is_looked_for_is_read_beside_the_loop(word: bytes) -> None:
    text = b"SELECT 1 -- ".ljust(AT_ONCE_BYTES + 1, b"x") + word
    talk = Talk()
    assert talk.talk.from_client(my.query(text)).to_target == []
    assert talk.talk.reading == text
    assert talk.client().to_target == my.query(text)
